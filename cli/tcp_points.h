/* The segments of one session, read again from its capture, into a sketch. Of `fyke tcp` alone. */
#ifndef FYKE_CLI_TCP_POINTS_H
#define FYKE_CLI_TCP_POINTS_H

#include "reports/tcp_life.h"

/* FYKE_OK, or why the packets cannot be had: then the sketch may hold a part of them. Ends early and
 * well when *stop becomes true. */
FYKE_MUST_USE enum fyke_status fyke_tcp_points_read(struct sqlite3 *db, const struct fyke_tcp_life *life,
	const volatile bool *stop, struct fyke_tcp_sketch *sketch, struct fyke_error *error);

#endif
