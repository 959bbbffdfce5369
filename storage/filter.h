/*
 * The filter language: what people type to choose sessions, compiled to parameterized SQL.
 *
 *   host A · src A · dst A · net A/N · src net A/N · dst net A/N     src = client, dst = server side;
 *                                      A: an address, a network, a MAC address or a server's name (* ?
 * allowed) port P · src port P · dst port P   P: number, range 8000-8100, name of a service, several with
 * commas tcp udp icmp icmp6 sctp ip ip6     transport, or the family of the addresses service S · state S ·
 * capture N    "service unknown" is one that is not known since T · until T · last 2h        by the session's
 * start; T: 2026-11-23, "2026-11-23 10:00", 10:00, today, yesterday, 2h ago, -30m, @1700000000; UTC unless an
 * offset is given; "until DATE" includes that day COLUMN = != < <= > >= ~ !~ VALUE   any column of sessions
 * or tcp; table.column: of any record of the session. ~ : contains (case of ASCII letters ignored); with * or
 * ? the whole text must match. A name without client_ or server_ in front: either side. Units: 10k 5MB 4KiB,
 * and 2s 300ms 5min for times. VALUE null: not known 42 · 42,43                         the session of this
 * id and or not ( ) && || !             `not` turns yes to no: what is not known is no, so `not` includes it,
 *                                      whereas != asks for a known value. Words side by side mean `and`.
 *
 * Values of the user's are bound parameters, names come from the schema. Text, depth and number of
 * terms are bounded.
 */
#ifndef FYKE_STORAGE_FILTER_H
#define FYKE_STORAGE_FILTER_H

#include "storage/filter_columns.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;
struct fyke_filter;

/* Where a filter is wrong, and why. */
struct fyke_filter_fault {
	size_t at, length; /* bytes of the filter's text */
	char text[512];	   /* untrusted words of the user's within: print by fyke_filter_explain_fault */
};

struct fyke_filter_options {
	int64_t now_us;	    /* what `today`, `2h ago` and `last` go by */
	int64_t capture_id; /* only this capture's sessions; 0 = all */
	/* The ports of a service's name, at most `room`; returns how many. NULL: only numbers are ports. */
	size_t (*ports_of)(void *context, const char *service, uint16_t *ports, size_t room);
	void *ports_context;
	bool folded; /* there are folded sessions (folded.h) to choose from, too */
};

/* FYKE_FAILED_USAGE fills in *fault (and error with its text). An empty filter matches all.
 * `columns` is borrowed until the call returns. */
FYKE_MUST_USE enum fyke_status fyke_filter_compile(const struct fyke_filter_columns *columns,
	const char *text, const struct fyke_filter_options *options, struct fyke_filter **filter,
	struct fyke_filter_fault *fault, struct fyke_error *error);
void fyke_filter_free(struct fyke_filter *filter);

/* An instant as `since` takes it, for options of commands. */
bool fyke_filter_time(const char *text, int64_t now_us, int64_t *us);

/* What to select: `columns` and `order` are SQL of ours, never of the user's. */
struct fyke_filter_select {
	const char *columns; /* over sessions AS s and, with uses_tcp, tcp AS t */
	const char *order;   /* numbers or names of result columns; NULL = none */
	bool uses_tcp;
	int64_t limit; /* < 0 = none */
	bool page;     /* a first page in the order of time, by what fyke_filter_look found */
};

/* The statement's text, to be freed by sqlite3_free; NULL when memory is out. A filter with `host A` as
 * one of its and-ed terms gives two arms under UNION ALL, each served by an index in start_us order. */
char *fyke_filter_sql(const struct fyke_filter *filter, const struct fyke_filter_select *select);
/* Looks into the database, for some milliseconds at most, by which way a first page in the order of time is
 * reached soonest. What the statements say remains the same. */
void fyke_filter_look(struct fyke_filter *filter, struct sqlite3 *db);
/* SELECT of the number of sessions that match. */
char *fyke_filter_count_sql(const struct fyke_filter *filter);
FYKE_MUST_USE enum fyke_status fyke_filter_bind(
	const struct fyke_filter *filter, struct sqlite3_stmt *statement, struct fyke_error *error);

/* The value of parameter ?n (from 1) as SQL text, to be freed by sqlite3_free; NULL behind the last. */
char *fyke_filter_parameter(const struct fyke_filter *filter, size_t n);

/* Message, the filter's line and a caret under the place, for a terminal; freed by sqlite3_free. */
char *fyke_filter_explain_fault(const char *text, const struct fyke_filter_fault *fault);

/* Registers fyke_in_net(address, network): 1 or 0, NULL where the address is unknown or no address. */
FYKE_MUST_USE enum fyke_status fyke_filter_register(struct sqlite3 *db, struct fyke_error *error);

#endif
