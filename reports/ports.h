/* What was proven of ports: a table for people, JSON for programs, and which of them to close. */
#ifndef FYKE_REPORTS_PORTS_H
#define FYKE_REPORTS_PORTS_H

#include "reports/port_usage.h"
#include "reports/screen.h"
#include "storage/database.h"

#include <stdbool.h>
#include <stdint.h>

struct fyke_json_buffer;

struct fyke_ports_options {
	int64_t capture;  /* a capture's id; 0 = all */
	const char *host; /* an address or a network; NULL: all hosts */
	bool open_only;
	int64_t since_us;   /* only ports whose state was proven, or changed, from then on; 0 = always */
	bool recount;	    /* --home-net was given now: whose clients are whose is counted anew */
	bool home_is_known; /* --home-net was given, now or at the analysis */
	struct fyke_screen screen;
};

FYKE_MUST_USE enum fyke_status fyke_ports_text(struct fyke_database *database,
	const struct fyke_ports_options *options, FILE *out, struct fyke_error *error);
FYKE_MUST_USE enum fyke_status fyke_ports_json(struct fyke_database *database,
	const struct fyke_ports_options *options, FILE *out, struct fyke_error *error);

/* Which ports to close or to fence in, the most urgent first. */
FYKE_MUST_USE enum fyke_status fyke_ports_close_text(struct fyke_database *database,
	const struct fyke_ports_options *options, FILE *out, struct fyke_error *error);
FYKE_MUST_USE enum fyke_status fyke_ports_close_json(struct fyke_database *database,
	const struct fyke_ports_options *options, FILE *out, struct fyke_error *error);

/* ---- what follows is of reports/ports*.c alone ---- */

enum fyke_port_change {
	FYKE_PORT_FIRST_SEEN,	   /* no proof of another state came before */
	FYKE_PORT_BEGAN_TO_LISTEN, /* refused before, open now */
	FYKE_PORT_STOPPED,	   /* open before, refused now */
	FYKE_PORT_CHANGED_OFTEN,
};

const char *fyke_port_change_name(enum fyke_port_change change);

/* A time over which one state was proven again and again. */
struct fyke_port_span_line {
	int64_t capture_id;
	const char *state;
	int64_t first_us, last_us, proofs, session_id; /* the last: -1: not known */
};

/* A row of `ports` of all captures asked for together; text is borrowed from the statement. */
struct fyke_port_line {
	const char *ip, *transport, *state, *service, *product, *evidence, *encryption;
	int64_t port, first_us, last_us, sessions, session_id;
	int64_t clients, home_clients, private_clients, world_clients; /* -1: not known */
	enum fyke_port_change change;
	int64_t change_us; /* the refusal before it, or the last time that it was open */
	bool is_tcp, is_silent;
	int64_t span_count;
	struct fyke_port_span_line span; /* the only one, where span_count is 1 */
};

/* Calls back for each port that the options choose, by address, weight of state, transport and port. */
typedef enum fyke_status (*fyke_port_function)(void *context, const struct fyke_port_line *line);
FYKE_MUST_USE enum fyke_status fyke_ports_each(struct fyke_database *database,
	const struct fyke_ports_options *options, fyke_port_function function, void *context,
	struct fyke_error *error);

struct fyke_ports_observed {
	int64_t captures, first_us, last_us, observed_us; /* the last: without the time between captures */
};
FYKE_MUST_USE enum fyke_status fyke_ports_observed(struct sqlite3 *db, int64_t capture_id,
	struct fyke_ports_observed *observed, struct fyke_error *error);
/* "2 d 4 h in 3 captures, 2026-11-20 to 2026-11-24" */
void fyke_ports_observed_text(const struct fyke_ports_observed *observed, const struct fyke_screen *screen,
	char *text, size_t room);
/* As it stands in JSON. */
void fyke_ports_observed_json(const struct fyke_ports_observed *observed, struct fyke_json_buffer *buffer);

#endif
