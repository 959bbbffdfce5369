/*
 * The record of a session out of its one or two packets. What build.c makes of the flow that they would have
 * been is the same (tests/unit/test_half_open.c compares them).
 */
#include "analyzer/base/varint.h"
#include "analyzer/session/build.h"
#include "analyzer/session/transport.h"

#include <string.h>

static void build_side(const struct fyke_packet *packet, struct fyke_session_side *side)
{
	if (packet->source_mac != NULL) {
		memcpy(side->mac, packet->source_mac, sizeof(side->mac));
		side->has_mac = true;
	}
	side->packets = 1;
	side->bytes = packet->ip_bytes;
	side->ttl = packet->ttl;
	side->tcp_flags = packet->tcp.flags;
}

static void build_ends(
	const struct fyke_packet *syn, struct fyke_session_side *client, struct fyke_session_side *server)
{
	client->ip = syn->source;
	client->port = syn->source_port;
	server->ip = syn->destination;
	server->port = syn->destination_port;
	server->ttl = FYKE_UNKNOWN;
}

static bool build_frames(
	const struct fyke_build_half_open *build, struct fyke_session *session, struct fyke_arena *arena)
{
	uint8_t bytes[2 * FYKE_VARINT_MAX];
	size_t length = fyke_varint_write(build->syn->frame, bytes);

	if (build->reset != NULL)
		length += fyke_varint_write(build->reset->frame - build->syn->frame, bytes + length);
	session->frames = (const uint8_t *)fyke_arena_copy(arena, bytes, length);
	session->frames_length = (uint32_t)length;
	return session->frames != NULL;
}

static void build_times(const struct fyke_build_half_open *build, struct fyke_session *session)
{
	const struct fyke_packet *last = build->reset != NULL ? build->reset : build->syn;
	int64_t first_ns = build->syn->time_ns;

	session->birth = (struct fyke_birth){build->syn->frame, 0};
	session->last_frame = last->frame;
	session->deciding_frame = build->deciding_frame;
	session->start_ns = last->time_ns < first_ns ? last->time_ns : first_ns;
	session->end_ns = last->time_ns > first_ns ? last->time_ns : first_ns;
	session->updated_ns = build->clock_ns;
}

struct fyke_session *fyke_session_build_half_open(
	const struct fyke_build_half_open *build, struct fyke_arena *arena)
{
	struct fyke_session *session = fyke_arena_zero(arena, sizeof(*session));
	const struct fyke_packet *syn = build->syn;

	if (session == NULL || !build_frames(build, session, arena))
		return NULL;
	build_times(build, session);
	build_ends(syn, &session->side[FYKE_CLIENT], &session->side[FYKE_SERVER]);
	build_side(syn, &session->side[FYKE_CLIENT]);
	if (build->reset != NULL)
		build_side(build->reset, &session->side[FYKE_SERVER]);
	session->ended = true;
	session->end_reason = build->end_reason;
	session->transport = fyke_transport_name(syn->protocol);
	session->ip_protocol = syn->protocol;
	session->icmp_type = session->icmp_code = session->icmp_id = FYKE_UNKNOWN;
	session->vlan = syn->vlan >= 0 ? syn->vlan : FYKE_UNKNOWN;
	session->tunnel_id = session->service_mismatch = FYKE_UNKNOWN;
	session->service = session->port_service = build->port_service;
	session->state = build->reset != NULL ? FYKE_STATE_REJ : FYKE_STATE_S0;
	memcpy(session->history, build->reset != NULL ? "Sr" : "S", build->reset != NULL ? 3 : 2);
	return session;
}
