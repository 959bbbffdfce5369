/*
 * Names for how a session went: Zeek's conn_state and history (SEMANTICS §1), and why it ended.
 */
#ifndef FYKE_SESSION_STATE_H
#define FYKE_SESSION_STATE_H

#include "analyzer/base/side.h"

enum fyke_state {
	FYKE_STATE_OTH = 0,
	FYKE_STATE_S0,
	FYKE_STATE_S1,
	FYKE_STATE_S2,
	FYKE_STATE_S3,
	FYKE_STATE_SF,
	FYKE_STATE_SH,
	FYKE_STATE_SHR,
	FYKE_STATE_REJ,
	FYKE_STATE_RSTO,
	FYKE_STATE_RSTR,
	FYKE_STATE_RSTOS0,
	FYKE_STATE_RSTRH,
	FYKE_STATE_COUNT
};

enum fyke_end {
	FYKE_END_OPEN = 0, /* still open: end_reason is NULL */
	FYKE_END_FIN,	   /* FIN exchange */
	FYKE_END_RST,
	FYKE_END_TIMEOUT, /* silence */
	FYKE_END_REUSED,  /* a SYN with another sequence number took over its addresses and ports */
	FYKE_END_CAPTURE, /* the capture ended first */
	FYKE_END_EVICTED, /* the memory budget was full */
	FYKE_END_COUNT
};

const char *fyke_state_name(enum fyke_state state);
const char *fyke_state_description(enum fyke_state state); /* one sentence for people and docs */
const char *fyke_end_name(enum fyke_end end);		   /* NULL for OPEN */
const char *fyke_end_description(enum fyke_end end);

#endif
