/*
 * A sorted array of address ranges: a whole OUI (24 bits), or a sixteenth (28) or a 4096th (36) of one
 * that the IEEE divides among small makers. The narrowest range wins.
 */
#include "storage/vendors.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 48, OUI_BITS = 24 };

struct fyke_vendor {
	uint64_t prefix; /* the address's first bits, those behind are 0 */
	uint32_t name;	 /* where in text */
	uint8_t bits;
};

void fyke_vendors_release(struct fyke_vendors *vendors)
{
	free(vendors->list);
	free(vendors->text);
	*vendors = (struct fyke_vendors){.count = 0};
}

static bool make_room(struct fyke_vendors *vendors, size_t length)
{
	if (vendors->count == vendors->room) {
		size_t room = vendors->room == 0 ? 4096 : vendors->room * 2;
		struct fyke_vendor *grown =
			room > FYKE_VENDORS_MAX ? NULL : realloc(vendors->list, room * sizeof(*grown));

		if (grown == NULL)
			return false;
		vendors->list = grown;
		vendors->room = room;
	}
	if (vendors->text_length + length > vendors->text_room) {
		size_t room = vendors->text_room == 0 ? 64 * 1024 : vendors->text_room * 2;
		char *grown = room > FYKE_VENDOR_TEXT_MAX ? NULL : realloc(vendors->text, room);

		if (grown == NULL)
			return false;
		vendors->text = grown;
		vendors->text_room = room;
	}
	return true;
}

static void add(struct fyke_vendors *vendors, uint64_t prefix, uint8_t bits, const char *name)
{
	size_t length = strnlen(name, 255);

	while (length > 0 &&
		(name[length - 1] == '\r' || name[length - 1] == '\n' || name[length - 1] == ' '))
		length--;
	if (length == 0 || !make_room(vendors, length + 1))
		return;
	vendors->list[vendors->count++] = (struct fyke_vendor){prefix, (uint32_t)vendors->text_length, bits};
	memcpy(vendors->text + vendors->text_length, name, length);
	vendors->text[vendors->text_length + length] = '\0';
	vendors->text_length += length + 1;
}

static int compare(const void *a, const void *b)
{
	const struct fyke_vendor *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return x->bits - y->bits;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* So many hex digits, signs between pairs of them passed over; NULL where they are not there. */
static const char *read_hex(const char *at, unsigned digits, uint64_t *value)
{
	*value = 0;
	for (unsigned i = 0; i < digits; i++, at++) {
		if (i > 0 && i % 2 == 0 && (*at == '-' || *at == ':'))
			at++;
		if (digit_of(*at) < 0)
			return NULL;
		*value = *value << 4 | (unsigned)digit_of(*at);
	}
	return at;
}

/* "00-22-72   (hex)\t\tName" says the OUI; "900000-9FFFFF     (base 16)\t\tName" which part of it. */
static void read_line(struct fyke_vendors *vendors, const char *line, uint64_t *oui)
{
	uint64_t first, last;
	const char *name = strstr(line, ")\t\t"), *rest = read_hex(line, 6, &first);

	if (name == NULL || rest == NULL)
		return;
	name += 3;
	if (strstr(line, "(hex)") != NULL)
		*oui = first << OUI_BITS;
	else if (*rest != '-' || read_hex(rest + 1, 6, &last) == NULL)
		add(vendors, *oui, OUI_BITS, name);
	else if (last - first == 0xfffff)
		add(vendors, *oui | first, 28, name);
	else if (last - first == 0xfff)
		add(vendors, *oui | first, 36, name);
}

void fyke_vendors_read(struct fyke_vendors *vendors, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	uint64_t oui = 0;

	vendors->tried = 1;
	if (file == NULL)
		return;
	while (getline(&line, &room, file) > 0)
		read_line(vendors, line, &oui);
	free(line);
	(void)fclose(file);
	if (vendors->count > 0)
		qsort(vendors->list, vendors->count, sizeof(vendors->list[0]), compare);
}

static void read_all(struct fyke_vendors *vendors)
{
	static const char *const paths[] = {"/usr/share/ieee-data/oui.txt", "/usr/share/ieee-data/mam.txt",
		"/usr/share/ieee-data/oui36.txt"};
	static const char *const elsewhere[] = {
		"/var/lib/ieee-data/oui.txt", "/var/lib/ieee-data/mam.txt", "/var/lib/ieee-data/oui36.txt"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		fyke_vendors_read(vendors, paths[i]);
	for (size_t i = 0; vendors->count == 0 && i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		fyke_vendors_read(vendors, elsewhere[i]);
}

static const char *find(const struct fyke_vendors *vendors, uint64_t address, uint8_t bits)
{
	const struct fyke_vendor key = {.prefix = address >> (BITS - bits) << (BITS - bits), .bits = bits};
	const struct fyke_vendor *found =
		vendors->count == 0 ? NULL
				    : bsearch(&key, vendors->list, vendors->count, sizeof(key), compare);

	return found == NULL ? NULL : vendors->text + found->name;
}

const char *fyke_vendors_name(struct fyke_vendors *vendors, const uint8_t mac[6])
{
	uint64_t address = 0;
	const char *name;

	if ((mac[0] & 1) != 0)
		return NULL;
	if ((mac[0] & 2) != 0)
		return "locally administered";
	if (!vendors->tried)
		read_all(vendors);
	for (int i = 0; i < 6; i++)
		address = address << 8 | mac[i];
	if (address == 0)
		return NULL;
	name = find(vendors, address, 36);
	if (name == NULL)
		name = find(vendors, address, 28);
	return name != NULL ? name : find(vendors, address, OUI_BITS);
}

const char *fyke_vendors_name_of(struct fyke_vendors *vendors, const char *text)
{
	uint64_t address;
	uint8_t mac[6];

	if (read_hex(text, 12, &address) == NULL)
		return NULL;
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)(address >> (40 - 8 * i));
	return fyke_vendors_name(vendors, mac);
}
