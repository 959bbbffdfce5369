/*
 * Makers of network devices by hardware address: the IEEE's lists as Debian's package ieee-data has them,
 * read when first asked for. Without them nothing is known, and nothing fails.
 */
#ifndef FYKE_STORAGE_VENDORS_H
#define FYKE_STORAGE_VENDORS_H

#include <stddef.h>
#include <stdint.h>

enum { FYKE_VENDORS_MAX = 256 * 1024, FYKE_VENDOR_TEXT_MAX = 16 << 20 };

struct fyke_vendors {
	struct fyke_vendor *list; /* ascending */
	size_t count, room;
	char *text; /* their names, each with a NUL */
	size_t text_length, text_room;
	int tried;
};

void fyke_vendors_release(struct fyke_vendors *vendors);

/* Adds a list in the form of oui.txt, mam.txt or oui36.txt; a file that is not there adds nothing. */
void fyke_vendors_read(struct fyke_vendors *vendors, const char *path);

/* The maker; "locally administered" where the address says that no maker gave it (virtual machines, phones
 * that change it at random); NULL where nothing is known, and for groups. Good until the next call. */
const char *fyke_vendors_name(struct fyke_vendors *vendors, const uint8_t mac[6]);
/* Of an address as text, "00:11:22:33:44:55". */
const char *fyke_vendors_name_of(struct fyke_vendors *vendors, const char *text);

#endif
