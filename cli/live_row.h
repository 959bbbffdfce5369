/* The lines of the live table: what stands in them and how they fit the terminal. */
#ifndef FYKE_CLI_LIVE_ROW_H
#define FYKE_CLI_LIVE_ROW_H

#include "cli/live_table.h"

enum { FYKE_LIVE_SERVICE_ROOM = 24 };

struct fyke_live_entry {
	struct fyke_birth birth;
	struct fyke_address ip[2]; /* by enum fyke_side */
	int64_t port[2];
	int64_t bytes[2];
	double rate[2]; /* bytes a second */
	double recent, score;
	int64_t start_ns, seen_ns;	      /* packet time; monotonic clock */
	int64_t retransmissions;	      /* FYKE_UNKNOWN: not TCP, or not measured */
	const char *transport;		      /* static */
	char service[FYKE_LIVE_SERVICE_ROOM]; /* untrusted; "" = none */
	enum fyke_state state;
	bool ended;
};

/* All but birth, rate, recent, score, seen_ns. */
void fyke_live_entry_fill(struct fyke_live_entry *entry, const struct fyke_session *session);

/* One line each, without its end. `line` counts the head's lines from 0. */
void fyke_live_head_draw(
	unsigned line, const struct fyke_live_totals *totals, const struct fyke_live_look *look, FILE *out);
void fyke_live_row_draw(const struct fyke_live_entry *entry, const struct fyke_live_look *look, FILE *out);
void fyke_live_foot_draw(const struct fyke_live_totals *totals, enum fyke_live_order order,
	const struct fyke_live_look *look, FILE *out);

#endif
