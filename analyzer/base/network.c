/* Networks as prefixes (RFC 4632, RFC 4291 §2.3), and the special ranges of RFC 6890. */
#include "analyzer/base/network.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void clear_host_bits(struct fyke_network *network)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = network->bits > i * 8 ? network->bits - i * 8 : 0;

		if (kept < 8)
			network->address.bytes[i] &= (uint8_t)(0xff00U >> kept);
	}
}

/* "8", or for IPv4 a mask "255.0.0.0" whose ones stand together. */
static bool prefix_length(const char *text, unsigned most, unsigned *bits)
{
	struct fyke_address mask;
	uint32_t value;
	char *end;

	if (isdigit((unsigned char)text[0]) && strlen(text) <= 3) {
		*bits = (unsigned)strtoul(text, &end, 10);
		return *end == '\0' && *bits <= most;
	}
	if (most != 32 || !fyke_address_parse(text, &mask) || mask.family != FYKE_ADDRESS_IPV4)
		return false;
	value = (uint32_t)mask.bytes[0] << 24 | (uint32_t)mask.bytes[1] << 16 | (uint32_t)mask.bytes[2] << 8 |
		mask.bytes[3];
	*bits = (unsigned)__builtin_popcount(value);
	return *bits == 0 || value == ~0U << (32 - *bits);
}

bool fyke_network_parse(const char *text, struct fyke_network *network)
{
	const char *slash = strchr(text, '/');
	char address[FYKE_ADDRESS_TEXT];
	size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);
	unsigned most;

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (!fyke_address_parse(address, &network->address) || network->address.family == FYKE_ADDRESS_NONE)
		return false;
	most = network->address.family == FYKE_ADDRESS_IPV4 ? 32 : 128;
	network->bits = most;
	if (slash != NULL && !prefix_length(slash + 1, most, &network->bits))
		return false;
	clear_host_bits(network);
	return true;
}

bool fyke_network_contains(const struct fyke_network *network, const struct fyke_address *address)
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	if (address->family != network->address.family ||
		memcmp(address->bytes, network->address.bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       ((address->bytes[whole] ^ network->address.bytes[whole]) & (0xff00U >> rest) & 0xff) == 0;
}

static bool parse_one(const char *text, size_t length, struct fyke_network *network)
{
	char word[2 * FYKE_ADDRESS_TEXT];

	if (length >= sizeof(word))
		return false;
	memcpy(word, text, length);
	word[length] = '\0';
	return fyke_network_parse(word, network);
}

bool fyke_networks_parse(const char *text, struct fyke_networks *networks)
{
	networks->count = 0;
	while (*text != '\0') {
		size_t length = strcspn(text, ", ");

		if (length > 0 && (networks->count == FYKE_NETWORKS_MAX ||
					  !parse_one(text, length, &networks->items[networks->count++])))
			return false;
		text += length;
		text += strspn(text, ", ");
	}
	return networks->count > 0;
}

bool fyke_networks_hold(const struct fyke_networks *networks, const struct fyke_address *address)
{
	for (size_t i = 0; i < networks->count; i++) {
		if (fyke_network_contains(&networks->items[i], address))
			return true;
	}
	return false;
}

const char *fyke_origin_name(enum fyke_origin origin)
{
	static const char *const names[FYKE_ORIGIN_COUNT] = {"home", "private", "world", "group"};

	return names[origin];
}

static bool is_private(const struct fyke_address *address)
{
	const uint8_t *b = address->bytes;
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, nothing[15] = {0};

	if (address->family == FYKE_ADDRESS_IPV6) {
		if (memcmp(b, mapped, sizeof(mapped)) == 0) {
			struct fyke_address inner = fyke_address_ipv4(b + 12);

			return is_private(&inner);
		}
		return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
		       (memcmp(b, nothing, sizeof(nothing)) == 0 && b[15] <= 1);
	}
	return b[0] == 10 || b[0] == 127 || b[0] == 0 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
	       (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254) ||
	       (b[0] == 100 && (b[1] & 0xc0) == 64);
}

static bool is_group(const struct fyke_address *address)
{
	if (address->family == FYKE_ADDRESS_IPV6)
		return address->bytes[0] == 0xff;
	return (address->bytes[0] & 0xf0) == 0xe0 ||
	       (address->bytes[0] == 255 && address->bytes[1] == 255 && address->bytes[2] == 255 &&
		       address->bytes[3] == 255);
}

static bool is_near(const struct fyke_address *address, const struct fyke_address *from)
{
	struct fyke_network near = {*from, from->family == FYKE_ADDRESS_IPV4 ? 24 : 64};

	return fyke_network_contains(&near, address);
}

enum fyke_origin fyke_origin_of(
	const struct fyke_networks *home, const struct fyke_address *address, const struct fyke_address *from)
{
	if (is_group(address))
		return FYKE_ORIGIN_GROUP;
	if (home->count > 0 ? fyke_networks_hold(home, address) : from != NULL && is_near(address, from))
		return FYKE_ORIGIN_HOME;
	return is_private(address) ? FYKE_ORIGIN_PRIVATE : FYKE_ORIGIN_WORLD;
}
