/* The names of states and ends, and what they mean in a sentence (SEMANTICS: Zeek's conn_state). */
#include "analyzer/session/state.h"

#include "analyzer/session/capture.h"

#include <stddef.h>

struct word {
	const char *name, *description;
};

static const struct word states[FYKE_STATE_COUNT] = {
	[FYKE_STATE_OTH] = {"OTH", "seen from the middle, or a transport without states"},
	[FYKE_STATE_S0] = {"S0", "an attempt that nobody answered"},
	[FYKE_STATE_S1] = {"S1", "established, not closed while we looked"},
	[FYKE_STATE_S2] = {"S2", "established, the client closed, the server did not"},
	[FYKE_STATE_S3] = {"S3", "established, the server closed, the client did not"},
	[FYKE_STATE_SF] = {"SF", "established and closed normally; UDP: both sides spoke"},
	[FYKE_STATE_SH] = {"SH", "the client sent SYN and FIN, the server was never seen"},
	[FYKE_STATE_SHR] = {"SHR",
		"the server sent SYN-ACK and FIN, the client was never seen; UDP: only the server spoke"},
	[FYKE_STATE_REJ] = {"REJ", "an attempt that was refused"},
	[FYKE_STATE_RSTO] = {"RSTO", "established, then reset by the client"},
	[FYKE_STATE_RSTR] = {"RSTR", "established, then reset by the server"},
	[FYKE_STATE_RSTOS0] = {"RSTOS0", "the client sent SYN and then a reset, the server was never seen"},
	[FYKE_STATE_RSTRH] = {"RSTRH",
		"the server sent SYN-ACK and then a reset, the client's SYN was never seen"},
};

static const struct word ends[FYKE_END_COUNT] = {
	[FYKE_END_OPEN] = {NULL, "still open"},
	[FYKE_END_FIN] = {"fin", "both sides closed with FIN"},
	[FYKE_END_RST] = {"rst", "one side sent RST"},
	[FYKE_END_TIMEOUT] = {"timeout", "silence for longer than the timeout"},
	[FYKE_END_REUSED] = {"reused",
		"a SYN with another sequence number took over the addresses and ports"},
	[FYKE_END_CAPTURE] = {"capture", "the capture ended first"},
	[FYKE_END_EVICTED] = {"evicted", "the memory budget was full and this session was the oldest"},
};

static const char *const capture_statuses[] = {
	[FYKE_CAPTURE_RUNNING] = "running",
	[FYKE_CAPTURE_COMPLETE] = "complete",
	[FYKE_CAPTURE_DAMAGED] = "damaged",
	[FYKE_CAPTURE_INTERRUPTED] = "interrupted",
};

const char *fyke_state_name(enum fyke_state state)
{
	return states[state].name;
}

const char *fyke_state_description(enum fyke_state state)
{
	return states[state].description;
}

const char *fyke_end_name(enum fyke_end end)
{
	return ends[end].name;
}

const char *fyke_end_description(enum fyke_end end)
{
	return ends[end].description;
}

const char *fyke_capture_status_name(enum fyke_capture_status status)
{
	return capture_statuses[status];
}
