/* From a live flow to the record of a session. */
#ifndef FYKE_SESSION_BUILD_H
#define FYKE_SESSION_BUILD_H

#include "analyzer/base/arena.h"
#include "analyzer/flow/flow.h"
#include "analyzer/session/session.h"
#include "analyzer/tcp/tcp.h"

struct fyke_build {
	const struct fyke_flow *flow;
	const struct fyke_tcp *tcp;		    /* NULL = not TCP */
	const struct fyke_flow_extra *extra;	    /* NULL = none */
	const char *port_service, *content_service; /* static; NULL = not known */
	enum fyke_end end_reason;
	uint64_t deciding_frame;
	int64_t clock_ns; /* when it is handed over */
};

/* A session in `arena`, without its records and its Community ID, which who wants it makes
 * (fyke_session_community_id); NULL when memory is out. */
struct fyke_session *fyke_session_build(const struct fyke_build *build, struct fyke_arena *arena);

/* A session that is a lone SYN, and perhaps the plain reset that refused it. */
struct fyke_build_half_open {
	const struct fyke_packet *syn, *reset; /* reset: NULL = none */
	enum fyke_end end_reason;
	uint64_t deciding_frame;
	int64_t clock_ns;
	const char *port_service;
};

/* As fyke_session_build of the flow of these packets. */
struct fyke_session *fyke_session_build_half_open(
	const struct fyke_build_half_open *build, struct fyke_arena *arena);

#endif
