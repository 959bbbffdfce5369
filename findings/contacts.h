/*
 * Contacts: all sessions of one client with one port of one server together, as most rules look at
 * them, and the rhythm in which they came. Made by one pass over `sessions`.
 */
#ifndef FYKE_FINDINGS_CONTACTS_H
#define FYKE_FINDINGS_CONTACTS_H

#include "analyzer/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

enum {
	FYKE_CONTACTS_MAX = 1024 * 1024,
	FYKE_CONTACT_SAMPLES_MAX = 4096,    /* sessions of one contact that its rhythm is judged by */
	FYKE_SAMPLES_MAX = 4 * 1024 * 1024, /* and of all contacts together */
	FYKE_RHYTHM_SAMPLES_LEAST = 10,
};

struct fyke_contacts;

/* Makes the temporary view `contacts` (columns: findings/README.md). capture_id 0 = all captures. To be freed
 * also after a failure, before the connection is closed. */
FYKE_MUST_USE enum fyke_status fyke_contacts_new(
	struct sqlite3 *db, int64_t capture_id, struct fyke_contacts **contacts, struct fyke_error *error);
/* The view on another connection, too. */
FYKE_MUST_USE enum fyke_status fyke_contacts_show(
	const struct fyke_contacts *contacts, struct sqlite3 *db, struct fyke_error *error);
size_t fyke_contacts_count(const struct fyke_contacts *contacts);
int64_t fyke_contacts_left_out(
	const struct fyke_contacts *contacts); /* sessions for which there was no room */
void fyke_contacts_free(struct fyke_contacts *contacts, struct sqlite3 *db); /* NULL is allowed */

/* How regular moments and sizes are: what `contacts` says of a rhythm. */
struct fyke_rhythm {
	int64_t interval_us, interval_spread_us; /* median; median of the distances from it */
	int64_t size, size_spread;
	int64_t busiest_minute;		    /* most sessions that began within 60 s */
	double regularity, sameness, score; /* 0 to 1 */
	int known;
};

struct fyke_contact_sample {
	int64_t start_us, bytes;
};

/* Sorts the samples by time. `room` has place for count numbers. */
struct fyke_rhythm fyke_rhythm_of(struct fyke_contact_sample *samples, int64_t count, int64_t *room);

#endif
