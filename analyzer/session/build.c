/*
 * The record of a session out of its flow: endpoints become client and server, counters become
 * facts, what the packets could not tell becomes FYKE_UNKNOWN.
 */
#include "analyzer/session/build.h"

#include "analyzer/decode/icmp_pairs.h"
#include "analyzer/session/conn_state.h"
#include "analyzer/session/transport.h"

#include <string.h>

static bool is_icmp(const struct fyke_flow *flow)
{
	return flow->key.kind == FYKE_PACKET_ICMP || flow->key.kind == FYKE_PACKET_ICMP6;
}

static bool has_ports(const struct fyke_flow *flow)
{
	if (flow->key.kind == FYKE_PACKET_OTHER)
		return flow->key.port[FYKE_LOW] != 0 || flow->key.port[FYKE_HIGH] != 0;
	return !is_icmp(flow);
}

static void build_side(
	const struct fyke_build *build, enum fyke_endpoint endpoint, struct fyke_session_side *out)
{
	const struct fyke_flow_side *side = &build->flow->side[endpoint];

	out->ip = fyke_kept_key_address(&build->flow->key, endpoint);
	out->port = has_ports(build->flow) ? build->flow->key.port[endpoint] : FYKE_UNKNOWN;
	memcpy(out->mac, build->flow->mac[endpoint], sizeof(out->mac));
	out->has_mac = side->has_mac;
	out->packets = (int64_t)side->packets;
	out->bytes = (int64_t)side->bytes;
	out->payload_bytes = (int64_t)side->payload_bytes;
	out->ttl = side->packets > 0 ? side->ttl : FYKE_UNKNOWN;
	out->tcp_flags = build->tcp != NULL ? side->tcp_flags : FYKE_UNKNOWN;
}

static int64_t span_us(int64_t from_ns, int64_t to_ns)
{
	if (from_ns == INT64_MIN || to_ns == INT64_MIN || to_ns < from_ns)
		return FYKE_UNKNOWN;
	return (to_ns - from_ns) / 1000;
}

static void build_offers(const struct fyke_tcp_side *side, struct fyke_session_tcp_side *out)
{
	out->isn = side->syn_seen ? side->start : FYKE_UNKNOWN;
	out->mss = side->options_known && side->mss != 0 ? side->mss : FYKE_UNKNOWN;
	out->window_scale =
		side->options_known && side->window_scale >= 0 ? side->window_scale : FYKE_UNKNOWN;
	out->sack_permitted = side->options_known ? side->sack_permitted : FYKE_UNKNOWN;
	out->timestamps = side->options_known ? side->timestamps : FYKE_UNKNOWN;
}

static void build_causes(const struct fyke_tcp_side *side, struct fyke_session_tcp_side *out)
{
	const struct fyke_tcp_rare *rare = fyke_tcp_rare(side);
	const uint32_t *causes = rare->causes;

	out->timeout_retransmissions = causes[FYKE_TCP_CAUSE_TIMEOUT];
	out->fast_retransmissions = causes[FYKE_TCP_CAUSE_FAST];
	out->sack_retransmissions = causes[FYKE_TCP_CAUSE_SACK];
	out->tail_probe_retransmissions = causes[FYKE_TCP_CAUSE_TAIL_PROBE];
	out->other_retransmissions = causes[FYKE_TCP_CAUSE_GO_BACK] + causes[FYKE_TCP_CAUSE_UNKNOWN];
	out->spurious_retransmissions = rare->spurious;
	out->reordered_segments = causes[FYKE_TCP_CAUSE_REORDERING];
	out->capture_duplicates = causes[FYKE_TCP_CAUSE_CAPTURE_DUPLICATE];
	out->window_fulls = rare->window_fulls;
	out->window_updates = rare->window_updates;
	out->outside_window_segments = rare->outside_window;
	out->reordering_extent = out->reordering_late_us = FYKE_UNKNOWN;
	if (rare->overtaken_most > 0) {
		out->reordering_extent = rare->overtaken_most;
		out->reordering_late_us = rare->overtaken_ns / 1000;
	}
}

static void build_round_trips(const struct fyke_tcp_side *side, struct fyke_session_tcp_side *out)
{
	uint32_t samples = fyke_tcp_round_trips(side);

	out->rtt_samples = samples;
	out->rtt_min_us = out->rtt_mean_us = out->rtt_max_us = FYKE_UNKNOWN;
	if (samples == 0)
		return;
	out->rtt_min_us = side->rtt_min_us;
	out->rtt_mean_us = side->rtt_sum_ns / samples / 1000;
	out->rtt_max_us = side->rtt_max_us;
}

static void build_tcp_side(
	const struct fyke_tcp *tcp, enum fyke_endpoint endpoint, struct fyke_session_tcp_side *out)
{
	const struct fyke_tcp_side *side = &tcp->side[endpoint], *peer = &tcp->side[1 - endpoint];
	const struct fyke_tcp_rare *rare = fyke_tcp_rare(side);
	int64_t unacknowledged = side->highest - side->acknowledged;

	build_offers(side, out);
	build_causes(side, out);
	build_round_trips(side, out);
	out->stream_bytes = fyke_tcp_stream_bytes(side);
	out->missing_bytes = fyke_tcp_missing_bytes(side);
	out->gaps = fyke_tcp_gaps(side);
	out->retransmitted_segments = rare->retransmitted_segments;
	out->retransmitted_bytes = (int64_t)rare->retransmitted_bytes;
	out->syn_retransmissions = rare->syn_retransmissions;
	out->fin_retransmissions = rare->causes[FYKE_TCP_CAUSE_FIN];
	out->duplicate_acks = rare->duplicate_acks;
	out->keep_alives = rare->causes[FYKE_TCP_CAUSE_KEEP_ALIVE];
	out->zero_windows = rare->zero_windows;
	out->window_probes = rare->causes[FYKE_TCP_CAUSE_WINDOW_PROBE];
	out->overlapping_bytes = (int64_t)rare->overlapping_bytes;
	out->conflicting_bytes = (int64_t)rare->conflicting_bytes;
	out->uncompared_bytes = (int64_t)rare->uncompared_bytes;
	out->unacknowledged_bytes = FYKE_UNKNOWN;
	if (peer->ack_seen)
		out->unacknowledged_bytes = unacknowledged > 0 ? unacknowledged : 0;
}

/* A part of the handshake whose segment was resent is ambiguous (Karn) and stays unknown. */
static void build_handshake(const struct fyke_tcp *tcp, struct fyke_session_tcp *out)
{
	const struct fyke_tcp_side *client = &tcp->side[tcp->client], *server = &tcp->side[1 - tcp->client];

	out->handshake_us = span_us(tcp->syn_ns, tcp->handshake_ack_ns);
	out->handshake_server_us = out->handshake_client_us = FYKE_UNKNOWN;
	if (fyke_tcp_rare(client)->syn_retransmissions == 0)
		out->handshake_server_us = span_us(tcp->syn_ns, tcp->syn_ack_ns);
	if (fyke_tcp_rare(server)->syn_retransmissions == 0)
		out->handshake_client_us = span_us(tcp->syn_ack_ns, tcp->handshake_ack_ns);
}

/* As instants are stored. */
static int64_t floor_us(int64_t time_ns)
{
	return time_ns >= 0 ? time_ns / 1000 : -((999 - time_ns) / 1000);
}

/* What the parts lack of the duration (parts of microseconds, packets with wrong checksums) is idle. */
static void build_spent(
	const struct fyke_tcp *tcp, const struct fyke_session *session, struct fyke_session_tcp *out)
{
	const int64_t *spent = tcp->spent_ns;

	out->opening_us = spent[FYKE_TCP_SPENT_HANDSHAKE] / 1000;
	out->client_think_us = spent[FYKE_TCP_SPENT_CLIENT] / 1000;
	out->server_think_us = spent[FYKE_TCP_SPENT_SERVER] / 1000;
	out->transfer_us = spent[FYKE_TCP_SPENT_TRANSFER] / 1000;
	out->resend_wait_us = spent[FYKE_TCP_SPENT_RESEND] / 1000;
	out->zero_window_us = spent[FYKE_TCP_SPENT_ZERO_WINDOW] / 1000;
	out->idle_us = floor_us(session->end_ns) - floor_us(session->start_ns) - out->opening_us -
		       out->client_think_us - out->server_think_us - out->transfer_us - out->resend_wait_us -
		       out->zero_window_us;
}

static bool build_tcp(const struct fyke_tcp *tcp, struct fyke_session *session, struct fyke_arena *arena)
{
	struct fyke_session_tcp *out;

	if (!fyke_tcp_is_notable(tcp))
		return true;
	out = fyke_arena_zero(arena, sizeof(*out));
	if (out == NULL)
		return false;
	build_handshake(tcp, out);
	build_spent(tcp, session, out);
	build_tcp_side(tcp, (enum fyke_endpoint)tcp->client, &out->side[FYKE_CLIENT]);
	build_tcp_side(tcp, (enum fyke_endpoint)(1 - tcp->client), &out->side[FYKE_SERVER]);
	session->tcp = out;
	return true;
}

static void build_icmp(const struct fyke_flow *flow, struct fyke_session *session)
{
	session->icmp_type = session->icmp_code = session->icmp_id = FYKE_UNKNOWN;
	if (!is_icmp(flow))
		return;
	session->icmp_type = flow->key.port[flow->client];
	session->icmp_code = flow->icmp_code;
	if (flow->has_icmp_id)
		session->icmp_id = flow->key.id;
}

/* UDP's history needs no string of its own: who spoke, who began, whose checksums were wrong. */
static void udp_history(const struct fyke_flow *flow, char *out)
{
	bool client = flow->side[flow->client].packets > 0, server = flow->side[1 - flow->client].packets > 0;
	bool flipped = flow->first_sender != flow->client;

	if (flipped)
		*out++ = '^';
	if (flipped && server)
		*out++ = 'd';
	if (client)
		*out++ = 'D';
	if (!flipped && server)
		*out++ = 'd';
	*out = '\0';
}

static void build_identity(const struct fyke_build *build, struct fyke_session *session)
{
	const struct fyke_flow *flow = build->flow;

	session->birth = fyke_flow_birth(flow);
	session->last_frame = flow->frames.last;
	session->deciding_frame = build->deciding_frame;
	session->stored_before = flow->stored;
	session->ended = build->end_reason != FYKE_END_OPEN;
	session->end_reason = build->end_reason;
	session->layer = flow->layer;
	session->start_ns = flow->start_ns;
	session->end_ns = flow->end_ns;
	session->updated_ns = build->clock_ns;
	session->transport = fyke_transport_name(flow->key.protocol);
	session->ip_protocol = flow->key.protocol;
	session->vlan = flow->vlan >= 0 ? flow->vlan : FYKE_UNKNOWN;
	session->tunnel_id = FYKE_UNKNOWN;
	session->roles_guessed = flow->roles_guessed;
}

static void build_service(const struct fyke_build *build, struct fyke_session *session)
{
	bool both = build->port_service != NULL && build->content_service != NULL;

	session->port_service = build->port_service;
	session->content_service = build->content_service;
	session->service = build->content_service != NULL ? build->content_service : build->port_service;
	session->service_mismatch = both ? build->flow->misfit : FYKE_UNKNOWN;
}

static bool build_extra(
	const struct fyke_flow_extra *extra, struct fyke_session *session, struct fyke_arena *arena)
{
	if (extra->parent_count > 0)
		session->parent = extra->parents[0];
	session->quoted = extra->quoted;
	session->bad_checksums = extra->bad_checksums;
	session->tunnel = fyke_tunnel_name((enum fyke_tunnel)extra->tunnel);
	if (extra->tunnel_id_known)
		session->tunnel_id = extra->tunnel_id;
	if (extra->server_name == NULL)
		return true;
	session->server_name = fyke_arena_copy(arena, extra->server_name, strlen(extra->server_name));
	return session->server_name != NULL;
}

struct fyke_session *fyke_session_build(const struct fyke_build *build, struct fyke_arena *arena)
{
	const struct fyke_flow *flow = build->flow;
	struct fyke_session *session = fyke_arena_zero(arena, sizeof(*session));

	if (session == NULL)
		return NULL;
	build_identity(build, session);
	build_side(build, (enum fyke_endpoint)flow->client, &session->side[FYKE_CLIENT]);
	build_side(build, (enum fyke_endpoint)(1 - flow->client), &session->side[FYKE_SERVER]);
	build_icmp(flow, session);
	build_service(build, session);
	session->state = fyke_conn_state(flow, build->tcp);
	if (build->tcp != NULL)
		memcpy(session->history, fyke_tcp_history(build->tcp), strlen(fyke_tcp_history(build->tcp)));
	else if (flow->key.kind == FYKE_PACKET_UDP)
		udp_history(flow, session->history);
	if (build->extra != NULL && !build_extra(build->extra, session, arena))
		return NULL;
	if (build->tcp != NULL && !build_tcp(build->tcp, session, arena))
		return NULL;
	return session;
}
