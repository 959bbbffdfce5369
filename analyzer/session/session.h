/*
 * The record of a session, as it is handed to sinks: the facts of DESIGN §4 and §5, no pointers into
 * the engine. Everything a session points to lives in the arena of the tick that carries it.
 *
 * Unknown: integers hold FYKE_UNKNOWN, strings and blobs NULL.
 */
#ifndef FYKE_SESSION_SESSION_H
#define FYKE_SESSION_SESSION_H

#include "analyzer/base/address.h"
#include "analyzer/base/birth.h"
#include "analyzer/base/field.h"
#include "analyzer/session/state.h"

#include <stdbool.h>
#include <stdint.h>

#define FYKE_UNKNOWN INT64_MIN

enum { FYKE_HISTORY_MAX = 64, FYKE_COMMUNITY_ID_TEXT = 32, FYKE_FRAMES_INLINE_MAX = 256 };

struct fyke_session_side {
	struct fyke_address ip;
	int64_t port; /* unknown for protocols without */
	uint8_t mac[6];
	bool has_mac;
	int64_t packets, bytes, payload_bytes; /* bytes: IP on the wire; payload: resends included */
	int64_t ttl;			       /* of the first packet of this side */
	int64_t tcp_flags;		       /* OR of all flags seen; unknown when not TCP */
};

/* One side of a TCP session. Members that the capture cannot tell are FYKE_UNKNOWN. */
struct fyke_session_tcp_side {
	int64_t isn, mss, window_scale, sack_permitted, timestamps;
	int64_t stream_bytes; /* distinct bytes seen */
	int64_t missing_bytes, gaps;
	int64_t retransmitted_segments, retransmitted_bytes;
	int64_t timeout_retransmissions, fast_retransmissions, sack_retransmissions,
		tail_probe_retransmissions, other_retransmissions, spurious_retransmissions;
	int64_t syn_retransmissions, fin_retransmissions, reordered_segments;
	int64_t reordering_extent, reordering_late_us; /* unknown where nothing was reordered */
	int64_t duplicate_acks, capture_duplicates;
	int64_t keep_alives, zero_windows, window_probes, window_fulls, window_updates;
	int64_t outside_window_segments;
	int64_t overlapping_bytes, conflicting_bytes, uncompared_bytes;
	int64_t rtt_samples, rtt_min_us, rtt_mean_us, rtt_max_us;
	int64_t unacknowledged_bytes;
};

struct fyke_session_tcp {
	int64_t handshake_us, handshake_server_us, handshake_client_us;
	/* where the duration went; the parts add up to it */
	int64_t opening_us, client_think_us, server_think_us, transfer_us, resend_wait_us, zero_window_us,
		idle_us;
	struct fyke_session_tcp_side side[2]; /* by enum fyke_side */
};

struct fyke_session {
	struct fyke_birth birth;
	uint64_t last_frame;
	uint64_t deciding_frame; /* the frame at which it was handed over; first key of the order within a
				    tick */
	bool stored_before;	 /* was handed over earlier: update, do not insert */
	bool ended;
	int64_t layer;
	int64_t start_ns, end_ns, updated_ns;
	const char *transport; /* static: "tcp" "udp" "icmp" "icmp6" "sctp" "gre" "ipip" … or "ip-<number>" */
	int64_t ip_protocol;
	struct fyke_session_side side[2]; /* by enum fyke_side */
	int64_t icmp_type, icmp_code, icmp_id;
	int64_t vlan;
	const char *tunnel; /* static, or NULL */
	int64_t tunnel_id;
	struct fyke_birth parent; /* what carried its first packet; always handed over before this session */
	struct fyke_birth quoted; /* of an ICMP error: the session that it quotes, if that is known; handed
				     over before */
	char community_id[FYKE_COMMUNITY_ID_TEXT];
	const char *service, *port_service, *content_service;
	int64_t service_mismatch; /* 0, 1 or unknown */
	const char *server_name;
	bool roles_guessed;
	enum fyke_state state;
	char history[FYKE_HISTORY_MAX]; /* NUL-terminated; "" = unknown */
	enum fyke_end end_reason;
	int64_t bad_checksums;
	const uint8_t *frames;	/* varint deltas of frame numbers, first absolute (analyzer/base/varint.h);
				   NULL when they stand in parts */
	uint32_t frames_length; /* ≤ FYKE_FRAMES_INLINE_MAX */
	const struct fyke_session_tcp *tcp; /* NULL: not TCP, or nothing past a lone SYN or SYN–RST */
	const struct fyke_record *records;  /* new since the last hand-over, ascending n */
};

/* Tables that belong to the session level itself; rows come as records like a dissector's. */
extern const struct fyke_table fyke_table_session_frames;  /* part, frames (blob) */
extern const struct fyke_table fyke_table_session_parents; /* parent_frame, parent_ordinal: a birth key; the
							      writer stores parent_id */
extern const struct fyke_table fyke_table_icmp_errors;	   /* errors that quote this session */
extern const struct fyke_table fyke_table_tcp_events;	   /* side, kind, offset, length, evidence */

/* What dissectors of all protocols say; the members of each are the places of its values. */
enum {
	FYKE_HOST_FACTS_IP,
	FYKE_HOST_FACTS_PORT,
	FYKE_HOST_FACTS_FACT,
	FYKE_HOST_FACTS_VALUE,
	FYKE_HOST_FACTS_SOURCE,
	FYKE_HOST_FACTS_COUNT
};
extern const struct fyke_table fyke_table_host_facts;

enum {
	FYKE_CREDENTIALS_PROTOCOL,
	FYKE_CREDENTIALS_MECHANISM,
	FYKE_CREDENTIALS_USER,
	FYKE_CREDENTIALS_SECRET,
	FYKE_CREDENTIALS_ACCEPTED,
	FYKE_CREDENTIALS_COUNT
};
extern const struct fyke_table fyke_table_credentials;

enum {
	FYKE_FILES_PROTOCOL,
	FYKE_FILES_SENDER,
	FYKE_FILES_NAME,
	FYKE_FILES_DECLARED_TYPE,
	FYKE_FILES_TYPE,
	FYKE_FILES_DECLARED_BYTES,
	FYKE_FILES_OFFSET_BYTES,
	FYKE_FILES_BYTES,
	FYKE_FILES_MISSING_BYTES,
	FYKE_FILES_COMPLETE,
	FYKE_FILES_MD5,
	FYKE_FILES_SHA256,
	FYKE_FILES_SAVED_AS,
	FYKE_FILES_COUNT
};
extern const struct fyke_table fyke_table_transferred_files;

enum {
	FYKE_SENSITIVE_NUMBERS_PROTOCOL,
	FYKE_SENSITIVE_NUMBERS_SENDER,
	FYKE_SENSITIVE_NUMBERS_KIND,
	FYKE_SENSITIVE_NUMBERS_MASKED,
	FYKE_SENSITIVE_NUMBERS_NUMBERS,
	FYKE_SENSITIVE_NUMBERS_COUNT
};
extern const struct fyke_table fyke_table_sensitive_numbers;

#endif
