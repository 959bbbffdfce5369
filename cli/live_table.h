/*
 * The table of `fyke monitor`: which sessions move most bytes right now. Keeps a bounded number of
 * sessions, fed by ticks on their way to the database, and writes a screenful of text on demand.
 */
#ifndef FYKE_CLI_LIVE_TABLE_H
#define FYKE_CLI_LIVE_TABLE_H

#include "analyzer/session/sink.h"

#include <stdbool.h>
#include <stdio.h>

struct fyke_live_table;

/* What stands above the sessions. Strings are borrowed for the call and may hold anything. */
struct fyke_live_totals {
	const char *interface, *filter, *database; /* filter and database may be NULL */
	const char *warning;			   /* NULL, or what the user must see */
	int64_t elapsed_ns;
	uint64_t packets, bytes, refused;
	uint64_t packets_per_second, bits_per_second;
	uint64_t sessions, sessions_open, stored;
	bool drops_known;
	uint64_t kernel_drops, interface_drops;
};

struct fyke_live_look {
	unsigned columns, rows; /* of the terminal */
	bool colour, ascii;
};

enum fyke_live_order {
	FYKE_LIVE_RECENT, /* bytes of the last seconds */
	FYKE_LIVE_TOTAL,  /* bytes since the session began */
	FYKE_LIVE_NEWEST, /* latest start first */
	FYKE_LIVE_ORDER_COUNT
};

struct fyke_live_table *fyke_live_table_new(void); /* NULL when memory is out */
void fyke_live_table_free(struct fyke_live_table *table);

/* Notes the tick's sessions. May be called on another thread than draw. `now_ns` is a monotonic clock. */
void fyke_live_table_take(struct fyke_live_table *table, const struct fyke_tick *tick, int64_t now_ns);
void fyke_live_table_order(struct fyke_live_table *table, enum fyke_live_order order);

/* Writes exactly look->rows lines, each at most look->columns wide and ended by "\x1b[K", between
 * them "\r\n"; no other control bytes but colours. Text from the wire is escaped. */
void fyke_live_table_draw(struct fyke_live_table *table, const struct fyke_live_totals *totals,
	const struct fyke_live_look *look, int64_t now_ns, FILE *out);

#endif
