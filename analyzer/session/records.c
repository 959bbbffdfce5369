/* The tables that belong to the session level itself, declared like a dissector's. */
#include "analyzer/session/session.h"

#define FIELDS(list) (list), sizeof(list) / sizeof((list)[0])

static const struct fyke_field session_frames[] = {
	{"part", FYKE_TYPE_INTEGER, "number of this part, from 0"},
	{"frames", FYKE_TYPE_BLOB, "frame numbers as varints: the first absolute, then differences"},
};

static const struct fyke_field session_parents[] = {
	{"parent_frame", FYKE_TYPE_INTEGER, "first frame of the session that carried this one"},
	{"parent_ordinal", FYKE_TYPE_INTEGER, "its place among the sessions born of that frame"},
};

static const struct fyke_field icmp_errors[] = {
	{"reporter_ip", FYKE_TYPE_TEXT, "who sent the ICMP error"},
	{"side", FYKE_TYPE_TEXT, "whose packet it quotes: client or server"},
	{"icmp_type", FYKE_TYPE_INTEGER, "ICMP or ICMPv6 type"},
	{"icmp_code", FYKE_TYPE_INTEGER, "ICMP or ICMPv6 code"},
	{"mtu_bytes", FYKE_TYPE_INTEGER, "next hop's MTU, where the error tells one"},
};

static const struct fyke_field tcp_events[] = {
	{"side", FYKE_TYPE_TEXT, "who sent the segment: client or server"},
	{"kind", FYKE_TYPE_TEXT, "what happened"},
	{"offset", FYKE_TYPE_INTEGER, "stream offset of its first byte"},
	{"length", FYKE_TYPE_INTEGER, "bytes concerned"},
	{"evidence", FYKE_TYPE_TEXT, "what proves it"},
};

const struct fyke_table fyke_table_session_frames = {
	"session_frames", "the frames of sessions with many of them, in parts", FIELDS(session_frames)};
const struct fyke_table fyke_table_session_parents = {"session_parents",
	"every session that carried packets of this one (tunnels)", FIELDS(session_parents)};
const struct fyke_table fyke_table_icmp_errors = {
	"icmp_errors", "ICMP errors that quote a packet of the session", FIELDS(icmp_errors)};
const struct fyke_table fyke_table_tcp_events = {
	"tcp_events", "one row per notable segment", FIELDS(tcp_events)};
