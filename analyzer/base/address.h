/*
 * Network addresses as values: IPv4, IPv6, or none (a session of a protocol without IP never exists,
 * so `none` only stands for "not known").
 */
#ifndef FYKE_BASE_ADDRESS_H
#define FYKE_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FYKE_ADDRESS_NONE = 0, FYKE_ADDRESS_IPV4 = 4, FYKE_ADDRESS_IPV6 = 6 };

/* IPv4 fills bytes[0..3]; the rest is zero, so whole structs compare with memcmp. */
struct fyke_address {
	uint8_t bytes[16];
	uint8_t family; /* FYKE_ADDRESS_… */
};

enum { FYKE_ADDRESS_TEXT = 46, FYKE_MAC_TEXT = 18 }; /* with the final NUL */

struct fyke_address fyke_address_ipv4(const uint8_t bytes[4]);
struct fyke_address fyke_address_ipv6(const uint8_t bytes[16]);

/* Family first, then bytes in network order: negative, 0 or positive like memcmp. */
int fyke_address_compare(const struct fyke_address *a, const struct fyke_address *b);

/* Canonical text (RFC 5952 for IPv6; ::ffff:a.b.c.d as inet_ntop writes it). Empty for none.
 * Returns the length without NUL. */
size_t fyke_address_text(const struct fyke_address *address, char text[FYKE_ADDRESS_TEXT]);

/* Parses either family; false where the text is no address. */
bool fyke_address_parse(const char *text, struct fyke_address *address);

/* "00:11:22:33:44:55" */
void fyke_mac_text(const uint8_t mac[6], char text[FYKE_MAC_TEXT]);

#endif
