/*
 * What the traffic says about hosts and ports (records of host_facts): the best word for each column is
 * kept in memory and brought into the tables `hosts` and `ports` when these are written.
 */
#ifndef FYKE_STORAGE_KNOWN_H
#define FYKE_STORAGE_KNOWN_H

#include "analyzer/base/status.h"
#include "analyzer/session/session.h"
#include "storage/index.h"
#include "storage/rows.h"
#include "storage/vendors.h"

#include <sqlite3.h>

enum { FYKE_KNOWN_MAX = 128 * 1024, FYKE_KNOWN_TEXT_MAX = 32 << 20 };

struct fyke_known {
	struct fyke_index subjects; /* hosts and ports */
	struct fyke_vendors vendors;
	size_t text_bytes;
	bool incomplete; /* there was no room for something */
};

/* A host (port and protocol 0) or a port. */
struct fyke_known_subject {
	struct fyke_address ip;
	uint8_t protocol;
	uint16_t port;
};

void fyke_known_init(struct fyke_known *known);
void fyke_known_release(struct fyke_known *known);

/* Takes a record of host_facts of a session on its way into this row. What does not fit any more is not known
 * (`incomplete`). */
void fyke_known_take(
	struct fyke_known *known, const struct fyke_session_row *row, const struct fyke_record *record);

/* A station on the link said that the address is its own (neighbour.h). */
void fyke_known_take_mac(struct fyke_known *known, const struct fyke_address *ip, const uint8_t mac[6]);

/* Its row is about to be made or written: what is known of it is to be written too. */
void fyke_known_touch(struct fyke_known *known, const struct fyke_known_subject *subject);

/* Brings what is new, or touched, into the rows. */
FYKE_MUST_USE enum fyke_status fyke_known_write(
	struct fyke_known *known, sqlite3 *db, int64_t capture_id, struct fyke_error *error);

#endif
