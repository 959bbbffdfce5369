/* Facts that come beside the counters: who carried a session, ICMP errors about it, its frames. */
#include "analyzer/engine_parts.h"
#include "analyzer/flow/record_list.h"

#include <string.h>

enum { ICMP_ERRORS_MAX = 64 }; /* rows a session: more tell nothing new */

static struct fyke_value text_value(const char *text)
{
	return (struct fyke_value){.kind = FYKE_VALUE_BYTES, .length = (uint32_t)strlen(text), .bytes = text};
}

static struct fyke_value integer_value(int64_t integer)
{
	return (struct fyke_value){.kind = FYKE_VALUE_INTEGER, .integer = integer};
}

static bool add_record(struct fyke_engine *engine, struct fyke_flow_extra *extra,
	const struct fyke_table *table, const struct fyke_packet *packet, const struct fyke_value *values)
{
	size_t size = fyke_record_list_add(extra, table, packet->frame, packet->time_ns, values);

	engine->heap += size;
	return size != 0;
}

/* Each carrier is recorded once; of a session that moves over more than FYKE_FLOW_PARENTS_MAX tunnels,
 * the first ones. */
bool fyke_engine_note_carrier(
	struct fyke_engine *engine, struct fyke_flow *flow, const struct fyke_packet *packet)
{
	struct fyke_flow_reference carrier = fyke_engine_reference(engine, engine->carrier);
	struct fyke_flow_extra *extra = fyke_engine_need_extra(engine, flow);
	struct fyke_value values[2];

	if (extra == NULL)
		return false;
	for (uint32_t i = extra->parent_count; i-- > 0;) {
		if (fyke_birth_equal(&extra->parents[i].birth, &carrier.birth))
			return true;
	}
	if (extra->parent_count == FYKE_FLOW_PARENTS_MAX)
		return true;
	extra->parents[extra->parent_count++] = carrier;
	values[0] = integer_value((int64_t)carrier.birth.frame);
	values[1] = integer_value(carrier.birth.ordinal);
	return add_record(engine, extra, &fyke_table_session_parents, packet, values);
}

bool fyke_engine_note_icmp_error(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet)
{
	char reporter[FYKE_ADDRESS_TEXT];
	struct fyke_flow_key key;
	enum fyke_endpoint sender = fyke_flow_key_of_quote(packet, &key);
	uint32_t quoted =
		fyke_flow_table_find(&engine->table, &key, fyke_flow_table_hash(&engine->table, &key));
	struct fyke_flow_extra *own, *other;
	struct fyke_value values[5] = {{0}};

	if (quoted == 0 || quoted == index)
		return true;
	own = fyke_engine_need_extra(engine, fyke_flow_at(&engine->table, index));
	other = fyke_engine_need_extra(engine, fyke_flow_at(&engine->table, quoted));
	if (own == NULL || other == NULL)
		return false;
	if (own->quoted.index == 0)
		own->quoted = fyke_engine_reference(engine, quoted);
	if (other->icmp_errors == ICMP_ERRORS_MAX)
		return true;
	other->icmp_errors++;
	(void)fyke_address_text(&packet->source, reporter);
	values[0] = text_value(reporter);
	values[1] = text_value(fyke_flow_at(&engine->table, quoted)->client == sender ? "client" : "server");
	values[2] = integer_value(packet->icmp.type);
	values[3] = integer_value(packet->icmp.code);
	if (packet->icmp.mtu != 0)
		values[4] = integer_value(packet->icmp.mtu);
	return add_record(engine, other, &fyke_table_icmp_errors, packet, values);
}

bool fyke_engine_note_frame(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	uint32_t room = flow->frames.room;

	if (fyke_frames_is_full(&flow->frames)) {
		if (fyke_engine_need_extra(engine, flow) == NULL ||
			!fyke_engine_hand_over_frames(engine, flow, packet->time_ns))
			return false;
		fyke_engine_extra(engine, flow)->frame_parts++;
		fyke_frames_restart(&flow->frames);
		if (!fyke_engine_remember(
			    engine, &engine->wanted, &engine->wanted_count, &engine->wanted_room, index))
			return false;
	}
	if (!fyke_frames_add(&flow->frames, packet->frame))
		return false;
	engine->heap += (uint64_t)(flow->frames.room - room);
	return true;
}
