/*
 * How a session begins: which endpoint is taken for the client (SEMANTICS §1), what its first packet
 * says of link, tunnel and service.
 */
#include "analyzer/decode/icmp_pairs.h"
#include "analyzer/engine_parts.h"

static bool is_icmp(const struct fyke_packet *packet)
{
	return packet->kind == FYKE_PACKET_ICMP || packet->kind == FYKE_PACKET_ICMP6;
}

static bool is_bare_syn(const struct fyke_packet *packet)
{
	return packet->kind == FYKE_PACKET_TCP &&
	       (packet->tcp.flags & (FYKE_TCP_SYN | FYKE_TCP_ACK)) == FYKE_TCP_SYN;
}

/* Whether the sender of a first packet is taken for the server. A bare SYN and an ICMP query come from
 * the client; else the side whose port looks like a server's is the server. Where both do, TCP's lower port
 * is, except that a SYN-ACK's sender stays the client until more is seen. */
static bool is_flipped(const struct fyke_engine *engine, const struct fyke_packet *packet)
{
	const struct fyke_services *services = engine->options.services;

	if (is_icmp(packet))
		return fyke_icmp_counterpart(packet->protocol, packet->icmp.type) >= 0 &&
		       !fyke_icmp_is_query(packet->protocol, packet->icmp.type);
	if (is_bare_syn(packet) || !fyke_services_is_server(services, packet->protocol, packet->source_port))
		return false;
	if (!fyke_services_is_server(services, packet->protocol, packet->destination_port))
		return true;
	return packet->kind == FYKE_PACKET_TCP && (packet->tcp.flags & FYKE_TCP_SYN) == 0 &&
	       packet->source_port < packet->destination_port;
}

void fyke_engine_name_service(struct fyke_engine *engine, struct fyke_flow *flow)
{
	enum fyke_packet_kind kind = (enum fyke_packet_kind)flow->key.kind;
	int server = 1 - flow->client;

	if (kind == FYKE_PACKET_TCP || kind == FYKE_PACKET_UDP || kind == FYKE_PACKET_SCTP)
		flow->side[server].service = fyke_terms_number(
			&engine->terms, fyke_services_name(engine->options.services, flow->key.protocol,
						flow->key.port[server]));
}

static bool note_tunnel(struct fyke_engine *engine, struct fyke_flow *flow, const struct fyke_packet *packet)
{
	struct fyke_flow_extra *extra;

	if (packet->tunnel == FYKE_TUNNEL_NONE && !packet->tunnel_id_known)
		return true;
	extra = fyke_engine_need_extra(engine, flow);
	if (extra == NULL)
		return false;
	extra->tunnel = (uint8_t)packet->tunnel;
	extra->tunnel_id_known = packet->tunnel_id_known;
	extra->tunnel_id = packet->tunnel_id;
	return true;
}

static void describe(struct fyke_engine *engine, struct fyke_flow *flow, const struct fyke_packet *packet,
	enum fyke_endpoint sender)
{
	bool flipped = is_flipped(engine, packet);

	flow->client = (flipped ? 1 - sender : sender) & 1;
	flow->first_sender = sender & 1;
	flow->roles_guessed = packet->kind == FYKE_PACKET_TCP ? !is_bare_syn(packet) : flipped;
	flow->birth_frame = packet->frame & FYKE_FLOW_COUNT_MASK;
	flow->birth_ordinal = engine->births++ & UINT16_MAX;
	flow->start_ns = flow->end_ns = packet->time_ns;
	flow->layer = packet->layer;
	flow->vlan = packet->vlan;
	if (is_icmp(packet)) {
		flow->icmp_code = packet->icmp.code;
		flow->has_icmp_id = packet->icmp.has_id;
	}
	fyke_engine_name_service(engine, flow);
}

void fyke_engine_count_birth(struct fyke_engine *engine)
{
	engine->counters.sessions++;
	if (++engine->counters.sessions_open > engine->counters.sessions_open_most)
		engine->counters.sessions_open_most = engine->counters.sessions_open;
}

uint32_t fyke_engine_add_flow(struct fyke_engine *engine, const struct fyke_packet *packet,
	const struct fyke_flow_key *key, uint64_t hash, enum fyke_endpoint sender)
{
	uint32_t index, tcp = 0;
	struct fyke_flow *flow;

	if (packet->kind == FYKE_PACKET_TCP) {
		tcp = fyke_pool_take(&engine->tcp);
		if (tcp == 0)
			return 0;
	}
	index = fyke_flow_table_add(&engine->table, key, hash, engine->clock_ns);
	if (index == 0) {
		if (tcp != 0)
			fyke_pool_give(&engine->tcp, tcp);
		return 0;
	}
	flow = fyke_flow_at(&engine->table, index);
	flow->tcp = tcp;
	describe(engine, flow, packet, sender);
	if (tcp != 0)
		fyke_tcp_start(
			fyke_engine_tcp(engine, flow), packet, sender, flow->client != flow->first_sender);
	fyke_engine_count_birth(engine);
	return note_tunnel(engine, flow, packet) ? index : 0;
}
