/* Bounded appending. */
#include "dissectors/shared/phrase.h"

#include <string.h>

void fyke_phrase_add(struct fyke_phrase *phrase, const void *bytes, size_t length)
{
	size_t left = phrase->room - phrase->length;

	if (length > left) {
		length = left;
		phrase->cut = true;
	}
	if (length > 0)
		memcpy(phrase->text + phrase->length, bytes, length);
	phrase->length += length;
}

void fyke_phrase_word(struct fyke_phrase *phrase, const char *word)
{
	fyke_phrase_add(phrase, word, __builtin_strlen(word));
}

void fyke_phrase_number(struct fyke_phrase *phrase, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	fyke_phrase_add(phrase, digits + at, sizeof(digits) - at);
}

static void add_octet(struct fyke_phrase *phrase, uint8_t octet)
{
	static const char digits[] = "0123456789abcdef";

	fyke_phrase_add(phrase, (const char[]){digits[octet >> 4], digits[octet & 15]}, 2);
}

void fyke_phrase_hex(struct fyke_phrase *phrase, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length && !phrase->cut; i++)
		add_octet(phrase, bytes[i]);
}

void fyke_phrase_octets(struct fyke_phrase *phrase, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length && !phrase->cut; i++) {
		if (i > 0)
			fyke_phrase_add(phrase, ":", 1);
		add_octet(phrase, bytes[i]);
	}
}

void fyke_phrase_base64(struct fyke_phrase *phrase, const uint8_t *bytes, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < length && !phrase->cut; i += 3) {
		size_t have = length - i < 3 ? length - i : 3;
		uint32_t bits = (uint32_t)bytes[i] << 16 | (have > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
				(have > 2 ? bytes[i + 2] : 0);
		char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
			have > 1 ? digits[bits >> 6 & 63] : '=', have > 2 ? digits[bits & 63] : '='};

		fyke_phrase_add(phrase, four, sizeof(four));
	}
}

void fyke_phrase_address(struct fyke_phrase *phrase, const struct fyke_address *address)
{
	char text[FYKE_ADDRESS_TEXT];
	size_t length = fyke_address_text(address, text);

	if (length < sizeof(text))
		fyke_phrase_add(phrase, text, length);
}

void fyke_phrase_ipv4(struct fyke_phrase *phrase, const uint8_t bytes[4])
{
	const struct fyke_address address = fyke_address_ipv4(bytes);

	fyke_phrase_address(phrase, &address);
}

void fyke_phrase_ipv6(struct fyke_phrase *phrase, const uint8_t bytes[16])
{
	const struct fyke_address address = fyke_address_ipv6(bytes);

	fyke_phrase_address(phrase, &address);
}

void fyke_phrase_next(struct fyke_phrase *phrase, const char *separator)
{
	if (phrase->length > 0)
		fyke_phrase_word(phrase, separator);
}

struct fyke_value fyke_phrase_value(const struct fyke_phrase *phrase)
{
	if (phrase->length == 0)
		return (struct fyke_value){.kind = FYKE_VALUE_NULL};
	return (struct fyke_value){
		.kind = FYKE_VALUE_BYTES, .length = (uint32_t)phrase->length, .bytes = phrase->text};
}
