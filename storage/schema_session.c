/* The columns of `sessions` and `tcp`, each tied to the member of struct fyke_session that fills it. */
#include "storage/schema.h"

#include "analyzer/session/session.h"

#define AT(member)  offsetof(struct fyke_session, member)
#define TCP(member) offsetof(struct fyke_session_tcp, member)

/* clang-format off */
#define INTEGER(name, member, doc) {name, FYKE_TYPE_INTEGER, false, NULL, FYKE_COLUMN_INTEGER, AT(member), doc}
#define TEXT(name, source, member, doc) {name, FYKE_TYPE_TEXT, false, NULL, source, AT(member), doc}
#define TIME(name, member, doc) {name, FYKE_TYPE_INTEGER, true, NULL, FYKE_COLUMN_TIME, AT(member), doc}

static const struct fyke_column session_columns[] = {
	{"id", FYKE_TYPE_INTEGER, false, "PRIMARY KEY", FYKE_COLUMN_ID, 0,
		"number of the session in this database, ascending in the order of first writing"},
	{"capture_id", FYKE_TYPE_INTEGER, true, "REFERENCES captures(id) ON DELETE CASCADE", FYKE_COLUMN_CAPTURE, 0,
		"the run that saw it"},
	{"first_frame", FYKE_TYPE_INTEGER, true, NULL, FYKE_COLUMN_UNSIGNED, AT(birth.frame),
		"number of its first frame"},
	{"first_ordinal", FYKE_TYPE_INTEGER, true, NULL, FYKE_COLUMN_UNSIGNED32, AT(birth.ordinal),
		"its place among the sessions born of that frame; (capture_id, first_frame, first_ordinal) is unique"},
	{"last_frame", FYKE_TYPE_INTEGER, true, NULL, FYKE_COLUMN_UNSIGNED, AT(last_frame),
		"number of the last frame seen of it"},
	INTEGER("layer", layer, "0 = outermost IP layer, 1 = inside one tunnel, and so on"),
	TIME("start_us", start_ns, "time of its earliest packet"),
	TIME("end_us", end_ns, "time of its latest packet"),
	TIME("updated_us", updated_ns, "packet time at which this row was last written"),
	{"transport", FYKE_TYPE_TEXT, true, NULL, FYKE_COLUMN_NAME, AT(transport),
		"tcp, udp, icmp, icmp6, sctp or another IP protocol's name; ip-<number> where it has none"},
	INTEGER("ip_protocol", ip_protocol, "number of the IP protocol"),
	TEXT("client_ip", FYKE_COLUMN_ADDRESS, side[FYKE_CLIENT].ip, "the side that opened the session, or is taken to have"),
	INTEGER("client_port", side[FYKE_CLIENT].port, "its port; NULL for protocols without"),
	TEXT("server_ip", FYKE_COLUMN_ADDRESS, side[FYKE_SERVER].ip, "the other side"),
	INTEGER("server_port", side[FYKE_SERVER].port, "its port"),
	TEXT("client_mac", FYKE_COLUMN_MAC, side[FYKE_CLIENT], "link-layer address that the client's packets came from; a router's if it is not on this link"),
	TEXT("server_mac", FYKE_COLUMN_MAC, side[FYKE_SERVER], "link-layer address that the server's packets came from"),
	INTEGER("icmp_type", icmp_type, "of the first ICMP or ICMPv6 message"),
	INTEGER("icmp_code", icmp_code, "of the first ICMP or ICMPv6 message"),
	INTEGER("icmp_id", icmp_id, "identifier of an echo or another query"),
	INTEGER("vlan", vlan, "innermost VLAN identifier of its first packet"),
	TEXT("tunnel", FYKE_COLUMN_NAME, tunnel, "what its first packet came in"),
	INTEGER("tunnel_id", tunnel_id, "the tunnel's own number: VNI, GRE key, ERSPAN session, TEID"),
	{"parent_id", FYKE_TYPE_INTEGER, false, "REFERENCES sessions(id) ON DELETE SET NULL", FYKE_COLUMN_PARENT, 0,
		"the session that carried its first packet (a tunnel); table session_parents has all"},
	{"quotes_id", FYKE_TYPE_INTEGER, false, "REFERENCES sessions(id) ON DELETE SET NULL", FYKE_COLUMN_QUOTES, 0,
		"of an ICMP error: the session whose packet it quotes"},
	TEXT("community_id", FYKE_COLUMN_INLINE, community_id, "Community ID v1, seed 0"),
	TEXT("service", FYKE_COLUMN_TEXT, service, "content_service where known, else port_service"),
	TEXT("port_service", FYKE_COLUMN_TEXT, port_service, "what the registry says of the server's port"),
	TEXT("content_service", FYKE_COLUMN_TEXT, content_service, "what the bytes say"),
	{"service_mismatch", FYKE_TYPE_BOOLEAN, false, NULL, FYKE_COLUMN_INTEGER, AT(service_mismatch),
		"1 where port and content disagree; NULL where one of them is not known"},
	TEXT("server_name", FYKE_COLUMN_TEXT, server_name, "the server's name by SNI, Host or DNS"),
	{"roles_guessed", FYKE_TYPE_BOOLEAN, true, NULL, FYKE_COLUMN_BOOLEAN, AT(roles_guessed),
		"1 where no handshake showed who is the client"},
	{"state", FYKE_TYPE_TEXT, true, NULL, FYKE_COLUMN_STATE, AT(state), "how far it came; values below"},
	TEXT("history", FYKE_COLUMN_INLINE, history, "what happened, in order; letters below"),
	TEXT("end_reason", FYKE_COLUMN_END, end_reason, "why it ended; NULL while it is open; values below"),
	INTEGER("client_packets", side[FYKE_CLIENT].packets, "packets from the client"),
	INTEGER("server_packets", side[FYKE_SERVER].packets, "packets from the server"),
	INTEGER("client_bytes", side[FYKE_CLIENT].bytes, "IP bytes on the wire from the client"),
	INTEGER("server_bytes", side[FYKE_SERVER].bytes, "IP bytes on the wire from the server"),
	INTEGER("client_payload_bytes", side[FYKE_CLIENT].payload_bytes, "transport payload from the client, resends included"),
	INTEGER("server_payload_bytes", side[FYKE_SERVER].payload_bytes, "transport payload from the server, resends included"),
	INTEGER("client_ttl", side[FYKE_CLIENT].ttl, "TTL or hop limit of the client's first packet"),
	INTEGER("server_ttl", side[FYKE_SERVER].ttl, "TTL or hop limit of the server's first packet"),
	INTEGER("client_tcp_flags", side[FYKE_CLIENT].tcp_flags, "all TCP flags that the client sent, as one number (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128)"),
	INTEGER("server_tcp_flags", side[FYKE_SERVER].tcp_flags, "all TCP flags that the server sent"),
	INTEGER("bad_checksums", bad_checksums, "packets whose transport checksum was wrong (offloaded ones apart)"),
	{"frames", FYKE_TYPE_BLOB, false, NULL, FYKE_COLUMN_FRAMES, 0,
		"its frame numbers, packed; NULL where they stand in session_frames. Read with fyke_frames(id)"},
};

#define HANDSHAKE(name, doc) {#name, FYKE_TYPE_INTEGER, false, NULL, FYKE_COLUMN_INTEGER, TCP(name), doc}
#define SIDE(prefix, who, type, name, doc) \
	{prefix #name, type, false, NULL, FYKE_COLUMN_INTEGER, TCP(side[who].name), doc}
#define NUMBER(prefix, who, name, doc) SIDE(prefix, who, FYKE_TYPE_INTEGER, name, doc)
#define FLAG(prefix, who, name, doc) SIDE(prefix, who, FYKE_TYPE_BOOLEAN, name, doc)
#define SIDE_COLUMNS(p, w) \
	NUMBER(p, w, isn, "initial sequence number"), \
	NUMBER(p, w, mss, "maximum segment size that it announced"), \
	NUMBER(p, w, window_scale, "window scale that it announced"), \
	FLAG(p, w, sack_permitted, "1 where it announced SACK"), \
	FLAG(p, w, timestamps, "1 where it announced timestamps"), \
	NUMBER(p, w, stream_bytes, "distinct bytes of its stream that were seen"), \
	NUMBER(p, w, missing_bytes, "bytes of its stream that were never seen though later ones or an acknowledgment were"), \
	NUMBER(p, w, gaps, "stretches of such bytes"), \
	NUMBER(p, w, retransmitted_segments, "segments with payload all of whose bytes were sent before; the sum of the causes below"), \
	NUMBER(p, w, retransmitted_bytes, "their payload"), \
	NUMBER(p, w, timeout_retransmissions, "of them: after a retransmission timeout"), \
	NUMBER(p, w, fast_retransmissions, "of them: after duplicate ACKs or by RACK"), \
	NUMBER(p, w, sack_retransmissions, "of them: into holes that SACK told of"), \
	NUMBER(p, w, tail_probe_retransmissions, "of them: tail-loss probes"), \
	NUMBER(p, w, other_retransmissions, "of them: in the wake of a timeout (go-back-N), or of unknown cause"), \
	NUMBER(p, w, spurious_retransmissions, "of all: sent though the bytes had arrived"), \
	NUMBER(p, w, syn_retransmissions, "SYNs sent again"), \
	NUMBER(p, w, fin_retransmissions, "FINs sent again"), \
	NUMBER(p, w, reordered_segments, "segments that were overtaken on the way"), \
	NUMBER(p, w, reordering_extent, "the most segments that overtook one of those"), \
	NUMBER(p, w, reordering_late_us, "the longest time that one of those came after the first that overtook it"), \
	NUMBER(p, w, duplicate_acks, "duplicate ACKs that it sent (RFC 5681)"), \
	NUMBER(p, w, capture_duplicates, "packets that the capture holds twice"), \
	NUMBER(p, w, keep_alives, "keep-alive probes that it sent"), \
	NUMBER(p, w, zero_windows, "segments by which it closed its window"), \
	NUMBER(p, w, window_probes, "probes of the other side's closed window"), \
	NUMBER(p, w, window_fulls, "segments that filled the other side's window"), \
	NUMBER(p, w, window_updates, "segments that told of another window and nothing else"), \
	NUMBER(p, w, outside_window_segments, "segments so far outside the other side's window that they were left out of the stream"), \
	NUMBER(p, w, overlapping_bytes, "bytes that were sent more than once in segments of other limits"), \
	NUMBER(p, w, conflicting_bytes, "bytes that were sent twice with other contents"), \
	NUMBER(p, w, uncompared_bytes, "resent bytes whose first version was no longer there to compare"), \
	NUMBER(p, w, rtt_samples, "round-trip times measured on its segments"), \
	NUMBER(p, w, rtt_min_us, "the shortest of them"), \
	NUMBER(p, w, rtt_mean_us, "their mean"), \
	NUMBER(p, w, rtt_max_us, "the longest of them"), \
	NUMBER(p, w, unacknowledged_bytes, "bytes of its stream that were never acknowledged")

static const struct fyke_column tcp_columns[] = {
	{"session_id", FYKE_TYPE_INTEGER, false, "PRIMARY KEY REFERENCES sessions(id) ON DELETE CASCADE", FYKE_COLUMN_ID, 0,
		"the session"},
	HANDSHAKE(handshake_us, "SYN to the client's ACK of the SYN-ACK"),
	HANDSHAKE(handshake_server_us, "SYN to SYN-ACK at the tap: the server's part of the round trip"),
	HANDSHAKE(handshake_client_us, "SYN-ACK to ACK at the tap: the client's part"),
	HANDSHAKE(opening_us, "of the duration: until the handshake was done"),
	HANDSHAKE(client_think_us, "of the duration: nothing under way, the client spoke next"),
	HANDSHAKE(server_think_us, "of the duration: nothing under way, the server spoke next"),
	HANDSHAKE(transfer_us, "of the duration: data under way"),
	HANDSHAKE(resend_wait_us, "of the duration: waiting for segments that were sent again"),
	HANDSHAKE(zero_window_us, "of the duration: one side had closed its window"),
	HANDSHAKE(idle_us, "of the duration: nothing under way, ended by a keep-alive or a closing"),
	SIDE_COLUMNS("client_", FYKE_CLIENT),
	SIDE_COLUMNS("server_", FYKE_SERVER),
};
/* clang-format on */

#define COLUMNS(list) (list), sizeof(list) / sizeof((list)[0])

const struct fyke_schema_table fyke_schema_sessions = {"sessions",
	"One row per session: who talked with whom, when, how much, and how it went.",
	COLUMNS(session_columns), NULL};
const struct fyke_schema_table fyke_schema_tcp = {"tcp",
	"What only TCP has: one row per TCP session that got past a lone SYN or SYN–RST. A column NULL in "
	"all rows is not measured yet.",
	COLUMNS(tcp_columns), NULL};
