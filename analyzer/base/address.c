/* Addresses and their canonical text (RFC 5952 by way of inet_ntop, which follows it). */
#include "analyzer/base/address.h"

#include <arpa/inet.h>
#include <string.h>

struct fyke_address fyke_address_ipv4(const uint8_t bytes[4])
{
	struct fyke_address address = {.family = FYKE_ADDRESS_IPV4};

	memcpy(address.bytes, bytes, 4);
	return address;
}

struct fyke_address fyke_address_ipv6(const uint8_t bytes[16])
{
	struct fyke_address address = {.family = FYKE_ADDRESS_IPV6};

	memcpy(address.bytes, bytes, 16);
	return address;
}

int fyke_address_compare(const struct fyke_address *a, const struct fyke_address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static size_t ipv4_text(const uint8_t bytes[4], char *text)
{
	char *out = text;

	for (int i = 0; i < 4; i++) {
		unsigned value = bytes[i];

		if (value >= 100)
			*out++ = (char)('0' + value / 100);
		if (value >= 10)
			*out++ = (char)('0' + value / 10 % 10);
		*out++ = (char)('0' + value % 10);
		*out++ = '.';
	}
	out[-1] = '\0';
	return (size_t)(out - 1 - text);
}

size_t fyke_address_text(const struct fyke_address *address, char text[FYKE_ADDRESS_TEXT])
{
	if (address->family == FYKE_ADDRESS_IPV4)
		return ipv4_text(address->bytes, text);
	if (address->family == FYKE_ADDRESS_IPV6 &&
		inet_ntop(AF_INET6, address->bytes, text, FYKE_ADDRESS_TEXT) != NULL)
		return strlen(text);
	text[0] = '\0';
	return 0;
}

bool fyke_address_parse(const char *text, struct fyke_address *address)
{
	*address = (struct fyke_address){.family = FYKE_ADDRESS_NONE};
	if (inet_pton(AF_INET, text, address->bytes) == 1) {
		address->family = FYKE_ADDRESS_IPV4;
		return true;
	}
	if (inet_pton(AF_INET6, text, address->bytes) == 1) {
		address->family = FYKE_ADDRESS_IPV6;
		return true;
	}
	return false;
}

void fyke_mac_text(const uint8_t mac[6], char text[FYKE_MAC_TEXT])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 6; i++) {
		text[3 * i] = digits[mac[i] >> 4];
		text[3 * i + 1] = digits[mac[i] & 15];
		text[3 * i + 2] = ':';
	}
	text[17] = '\0';
}
