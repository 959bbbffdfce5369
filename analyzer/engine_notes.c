/* Facts that come beside the counters: who carried a session, ICMP errors about it, its frames. */
#include "analyzer/engine_parts.h"
#include "analyzer/flow/record_list.h"
#include "analyzer/resolved.h"
#include "dissectors/facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { /* rows a session; counters stay exact */
	ICMP_ERRORS_MAX = 64,
	TCP_EVENTS_MAX = 512,
	GAPS_MAX = 64,		      /* a side */
	RECORD_BYTES_MAX = 32 * 1024, /* that wait for their session's hand-over */
};

static bool append(struct fyke_engine *engine, struct fyke_flow_extra *extra, const struct fyke_table *table,
	const struct fyke_moment *moment, const struct fyke_value *values)
{
	size_t size = fyke_record_list_add(&engine->blocks, extra, table, moment, values);

	extra->record_bytes += (uint32_t)size;
	return size != 0;
}

static bool add_record(struct fyke_engine *engine, struct fyke_flow_extra *extra,
	const struct fyke_table *table, const struct fyke_packet *packet, const struct fyke_value *values)
{
	const struct fyke_moment moment = {packet->frame, packet->time_ns};

	return append(engine, extra, table, &moment, values);
}

/* A session with many rows is handed over before its end, so that they do not pile up. */
bool fyke_engine_add_record(struct fyke_engine *engine, uint32_t index, const struct fyke_table *table,
	const struct fyke_moment *moment, const struct fyke_value *values)
{
	struct fyke_flow_extra *extra = fyke_engine_need_extra(engine, fyke_flow_at(&engine->table, index));
	bool few;

	if (extra == NULL)
		return false;
	few = extra->record_bytes < RECORD_BYTES_MAX;
	if (!append(engine, extra, table, moment, values))
		return false;
	return !few || extra->record_bytes < RECORD_BYTES_MAX ||
	       fyke_engine_remember(
		       engine, &engine->wanted, &engine->wanted_count, &engine->wanted_room, index);
}

/* Each carrier is recorded once; of a session that moves over more than FYKE_FLOW_PARENTS_MAX tunnels,
 * the first ones. */
bool fyke_engine_note_carrier(
	struct fyke_engine *engine, struct fyke_flow *flow, const struct fyke_packet *packet)
{
	struct fyke_birth carrier =
		fyke_flow_birth(fyke_flow_at(&engine->carrier_engine->table, engine->carrier));
	struct fyke_flow_extra *extra = fyke_engine_need_extra(engine, flow);
	struct fyke_value values[2];

	if (extra == NULL)
		return false;
	for (uint32_t i = extra->parent_count; i-- > 0;) {
		if (fyke_birth_equal(&extra->parents[i], &carrier))
			return true;
	}
	if (extra->parent_count == FYKE_FLOW_PARENTS_MAX)
		return true;
	if (extra->parents == NULL)
		extra->parents = fyke_blocks_take(&engine->blocks, FYKE_FLOW_PARENTS_SIZE);
	if (extra->parents == NULL)
		return false;
	extra->parents[extra->parent_count++] = carrier;
	values[0] = fyke_integer((int64_t)carrier.frame);
	values[1] = fyke_integer(carrier.ordinal);
	return add_record(engine, extra, &fyke_table_session_parents, packet, values) &&
	       fyke_engine_refer(engine->carrier_engine, engine->carrier);
}

bool fyke_engine_note_icmp_error(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet)
{
	char reporter[FYKE_ADDRESS_TEXT];
	struct fyke_flow_key key;
	enum fyke_endpoint sender = fyke_flow_key_of_quote(packet, &key);
	struct fyke_engine *there = engine->quoted_engine;
	uint32_t quoted;
	struct fyke_flow_extra *own, *other;
	struct fyke_value values[5] = {{0}};

	if (there != engine)
		fyke_engine_reach(there, engine->frame, engine->clock_ns);
	if (!fyke_engine_find(there, &key, fyke_flow_table_hash(&there->table, &key), &quoted))
		return false;
	if (quoted == 0 || (there == engine && quoted == index))
		return true;
	own = fyke_engine_need_extra(engine, fyke_flow_at(&engine->table, index));
	other = fyke_engine_need_extra(there, fyke_flow_at(&there->table, quoted));
	if (own == NULL || other == NULL)
		return false;
	if (own->quoted.frame == 0) {
		own->quoted = fyke_flow_birth(fyke_flow_at(&there->table, quoted));
		if (!fyke_engine_refer(there, quoted))
			return false;
	}
	if (other->icmp_errors == ICMP_ERRORS_MAX)
		return true;
	other->icmp_errors++;
	(void)fyke_address_text(&packet->source, reporter);
	values[0] = fyke_word(reporter);
	values[1] = fyke_word(fyke_flow_at(&there->table, quoted)->client == sender ? "client" : "server");
	values[2] = fyke_integer(packet->icmp.type);
	values[3] = fyke_integer(packet->icmp.code);
	if (packet->icmp.mtu != 0)
		values[4] = fyke_integer(packet->icmp.mtu);
	return add_record(there, other, &fyke_table_icmp_errors, packet, values);
}

bool fyke_engine_note_name(
	struct fyke_engine *engine, const struct fyke_address *ip, const char *name, size_t length)
{
	struct fyke_tick_name *said;

	if (length == 0 || length > FYKE_RESOLVED_NAME_MAX || memchr(name, '\0', length) != NULL)
		return true;
	said = fyke_arena_take(&engine->arena, sizeof(*said));
	if (said == NULL)
		return false;
	*said = (struct fyke_tick_name){.ip = *ip,
		.frame = engine->frame,
		.name = fyke_arena_copy(&engine->arena, name, length),
		.length = length};
	*engine->names_end = said;
	engine->names_end = &said->next;
	return said->name != NULL;
}

struct sentence {
	size_t length;
	char text[320];
};

static void say(struct sentence *sentence, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Parts joined by "; ". */
static void say(struct sentence *sentence, const char *format, ...)
{
	size_t room = sizeof(sentence->text) - sentence->length;
	va_list arguments;
	int written;

	if (sentence->length > 0 && room > 2) {
		memcpy(sentence->text + sentence->length, "; ", 3);
		sentence->length += 2;
		room -= 2;
	}
	va_start(arguments, format);
	written = vsnprintf(sentence->text + sentence->length, room, format, arguments);
	va_end(arguments);
	if (written > 0)
		sentence->length += (size_t)written < room ? (size_t)written : room - 1;
}

static void explain(const struct fyke_tcp_event *event, struct sentence *sentence)
{
	const struct fyke_tcp_verdict *verdict = &event->verdict;

	say(sentence, "%s", verdict->rule);
	if (verdict->waited_ns >= 0)
		say(sentence, "waited %.3f ms, timer %.3f ms", (double)verdict->waited_ns / 1e6,
			(double)verdict->timeout_ns / 1e6);
	if (verdict->duplicate_acks > 0)
		say(sentence, "duplicate ACKs %u", verdict->duplicate_acks);
	if (verdict->sacked >= 0)
		say(sentence, "SACKed up to %lld", (long long)verdict->sacked);
	if (verdict->cause == FYKE_TCP_CAUSE_REORDERING)
		return;
	if (event->original != 0)
		say(sentence, "first seen in frame %llu", (unsigned long long)event->original);
	say(sentence, verdict->beyond ? "lost beyond the tap" : "lost before the tap, or not captured");
	if (verdict->spurious)
		say(sentence, "spurious: it was acknowledged already");
}

static void quote(struct sentence *sentence, const char *what, const uint8_t *bytes, uint8_t length)
{
	char hex[2 * FYKE_TCP_SAMPLE + 1] = "";

	for (uint8_t i = 0; i < length; i++)
		(void)snprintf(hex + (size_t)2 * i, 3, "%02x", bytes[i]);
	say(sentence, "%s %s", what, hex);
}

static void explain_conflict(const struct fyke_tcp_event *event, struct sentence *sentence)
{
	say(sentence, "%lld bytes differ from those in frame %llu", (long long)event->differing,
		(unsigned long long)event->original);
	quote(sentence, "before", event->before, event->sample_length);
	quote(sentence, "now", event->now, event->sample_length);
}

bool fyke_engine_note_tcp(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet,
	const struct fyke_tcp_result *result)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	struct fyke_flow_extra *extra = fyke_engine_need_extra(engine, flow);

	if (extra == NULL)
		return false;
	for (unsigned i = 0; i < result->event_count && extra->tcp_events < TCP_EVENTS_MAX; i++) {
		const struct fyke_tcp_event *event = &result->events[i];
		struct sentence sentence = {0};
		struct fyke_value values[5] = {fyke_word(event->side == flow->client ? "client" : "server"),
			fyke_word(event->kind), fyke_integer(event->offset), fyke_integer(event->length),
			{0}};

		if (event->is_resend)
			explain(event, &sentence);
		else if (event->differing > 0)
			explain_conflict(event, &sentence);
		else if (event->original != 0)
			say(&sentence, "wrong checksum, and acknowledged; came in frame %llu",
				(unsigned long long)event->original);
		if (sentence.length > 0)
			values[4] = fyke_word(sentence.text);
		extra->tcp_events++;
		if (!add_record(engine, extra, &fyke_table_tcp_events, packet, values))
			return false;
	}
	return true;
}

/* Stretches of a side's stream that were never seen: what lies behind them was, or was acknowledged. */
static bool note_gaps(struct fyke_engine *engine, uint32_t index, enum fyke_endpoint endpoint)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	const struct fyke_tcp_side *side = &fyke_engine_tcp(engine, flow)->side[endpoint];
	const struct fyke_moment moment = {flow->frames.last, flow->end_ns};
	const struct fyke_tcp_holes *holes = fyke_tcp_rare(side)->holes;
	uint32_t count = holes == NULL ? 0 : holes->count;

	for (uint32_t i = 0; i < count && i < GAPS_MAX; i++) {
		const struct fyke_tcp_hole *hole = &holes->list[i];
		const struct fyke_value values[5] = {
			fyke_word(endpoint == flow->client ? "client" : "server"), fyke_word("gap"),
			fyke_integer(hole->start), fyke_integer(hole->end - hole->start),
			fyke_word(hole->acknowledged ? "acknowledged, but not captured"
						     : "never acknowledged")};

		if (!fyke_engine_add_record(engine, index, &fyke_table_tcp_events, &moment, values))
			return false;
	}
	return true;
}

bool fyke_engine_note_gaps(struct fyke_engine *engine, uint32_t index)
{
	return fyke_flow_at(&engine->table, index)->tcp == 0 ||
	       (note_gaps(engine, index, FYKE_LOW) && note_gaps(engine, index, FYKE_HIGH));
}

static bool note_frame(
	struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet, uint64_t frame)
{
	struct fyke_flow *flow = fyke_flow_at(&engine->table, index);
	const struct fyke_moment moment = {packet->frame, packet->time_ns};

	if (fyke_frames_is_full(&flow->frames)) {
		if (fyke_engine_need_extra(engine, flow) == NULL ||
			!fyke_engine_hand_over_frames(engine, flow, &moment))
			return false;
		fyke_engine_extra(engine, flow)->frame_parts++;
		fyke_frames_restart(&engine->blocks, &flow->frames);
		if (!fyke_engine_remember(
			    engine, &engine->wanted, &engine->wanted_count, &engine->wanted_room, index))
			return false;
	}
	return frame == packet->frame ? fyke_frames_add(&engine->blocks, &flow->frames, frame)
				      : fyke_frames_insert(&engine->blocks, &flow->frames, frame);
}

/* Fragments belong to the session of their datagram, once that is whole. */
bool fyke_engine_note_frame(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet)
{
	for (uint32_t i = 0; i < packet->fragment_count; i++) {
		if (packet->fragment_frames[i] != packet->frame &&
			!note_frame(engine, index, packet, packet->fragment_frames[i]))
			return false;
	}
	return note_frame(engine, index, packet, packet->frame);
}
