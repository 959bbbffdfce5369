/*
 * A stream for programs: one object, its events written as they come. Bytes stand as text where they
 * are UTF-8, others as \xNN (fyke_text_utf8: the text can be turned back exactly).
 */
#include "cli/stream.h"

#include "analyzer/base/text.h"

#include <jansson.h>
#include <stdlib.h>

static const char *const side_names[] = {"client", "server"};

static json_t *bytes_value(const uint8_t *bytes, size_t length)
{
	size_t room = 4 * length + 1;
	char *text = malloc(room);
	json_t *value = NULL;

	if (text != NULL)
		value = json_stringn_nocheck(text, fyke_text_utf8(bytes, length, text, room));
	free(text);
	return value;
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* Steals `object`; NULL is memory that is out. */
static void put(struct fyke_stream_writer *writer, json_t *object)
{
	if (object == NULL) {
		writer->out_of_memory = true;
		return;
	}
	fputs(writer->any ? ",\n    " : "\n    ", writer->out);
	writer->any = true;
	(void)json_dumpf(object, writer->out, JSON_COMPACT);
	json_decref(object);
}

static void set(struct fyke_stream_writer *writer, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		writer->out_of_memory = true;
}

static json_t *event(struct fyke_stream_writer *writer, const char *kind, enum fyke_side side, uint64_t frame,
	int64_t time_ns)
{
	json_t *object = json_object();

	set(writer, object, "kind", json_string(kind));
	set(writer, object, "side", json_string(side_names[side]));
	set(writer, object, "frame", number(frame));
	set(writer, object, "time_us", json_integer((json_int_t)(time_ns / 1000)));
	return object;
}

static void on_chunk(void *context, enum fyke_side side, const struct fyke_chunk *chunk)
{
	struct fyke_stream_writer *writer = context;

	if (chunk->gap > 0) {
		json_t *gap = event(writer, "gap", side, chunk->frame, chunk->time_ns);

		set(writer, gap, "offset", json_integer(chunk->offset - (int64_t)chunk->gap));
		set(writer, gap, "length", number(chunk->gap));
		set(writer, gap, "cause", json_string(fyke_gap_cause_name(chunk->cause)));
		put(writer, gap);
	}
	if (chunk->length > 0 || !writer->session->is_tcp) {
		json_t *data = event(writer, writer->session->is_tcp ? "data" : "datagram", side,
			chunk->frame, chunk->time_ns);

		set(writer, data, "offset", json_integer(chunk->offset));
		set(writer, data, "length", number(chunk->length));
		set(writer, data, "data", bytes_value(chunk->data, chunk->length));
		put(writer, data);
	}
	if (chunk->end) {
		json_t *end = event(writer, "end", side, chunk->frame, chunk->time_ns);

		set(writer, end, "offset", json_integer(chunk->offset));
		put(writer, end);
	}
}

static void on_conflict(void *context, enum fyke_side side, const struct fyke_conflict *conflict)
{
	struct fyke_stream_writer *writer = context;
	json_t *object = event(writer, "conflict", side, conflict->frame, conflict->time_ns);

	set(writer, object, "offset", json_integer(conflict->offset));
	set(writer, object, "length", number(conflict->length));
	set(writer, object, "differing", number(conflict->differing));
	set(writer, object, "first", bytes_value(conflict->before, conflict->sample));
	set(writer, object, "later", bytes_value(conflict->after, conflict->sample));
	set(writer, object, "read", json_string(conflict->after_wins ? "later" : "first"));
	set(writer, object, "delivered_before", json_boolean(conflict->settled));
	if (conflict->before_frame != 0)
		set(writer, object, "first_frame", number(conflict->before_frame));
	put(writer, object);
}

static void on_urgent(void *context, enum fyke_side side, const struct fyke_urgent *urgent)
{
	struct fyke_stream_writer *writer = context;
	json_t *object = event(writer, "urgent", side, urgent->frame, urgent->time_ns);

	set(writer, object, "offset", json_integer(urgent->offset));
	put(writer, object);
}

const struct fyke_stream_listener fyke_stream_json = {
	.chunk = on_chunk, .conflict = on_conflict, .urgent = on_urgent};

static void put_member(struct fyke_stream_writer *writer, const char *key, json_t *value, const char *behind)
{
	if (value == NULL) {
		writer->out_of_memory = true;
		return;
	}
	fprintf(writer->out, "  \"%s\": ", key);
	(void)json_dumpf(value, writer->out, JSON_COMPACT | JSON_ENCODE_ANY);
	fputs(behind, writer->out);
	json_decref(value);
}

void fyke_stream_json_begin(struct fyke_stream_writer *writer)
{
	const struct fyke_stream_session *session = writer->session;
	json_t *about = json_object();

	set(writer, about, "id", json_integer(session->id));
	set(writer, about, "transport", json_string(session->is_tcp ? "tcp" : "udp"));
	set(writer, about, "client", json_string(session->name[FYKE_CLIENT]));
	set(writer, about, "server", json_string(session->name[FYKE_SERVER]));
	set(writer, about, "service",
		session->service[0] == '\0' ? json_null() : json_string(session->service));
	set(writer, about, "start_us", json_integer(session->start_us));
	fputs("{\n", writer->out);
	put_member(writer, "session", about, ",\n");
	put_member(writer, "policy", json_string(fyke_policy_name(writer->policy)), ",\n");
	fputs("  \"events\": [", writer->out);
}

static json_t *side_totals(struct fyke_stream_writer *writer, const struct fyke_reassembly_counters *counters)
{
	json_t *object = json_object(), *gaps = json_object();

	set(writer, object, "bytes", number(counters->delivered));
	set(writer, object, "duplicate_bytes", number(counters->duplicate));
	set(writer, object, "uncompared_bytes", number(counters->uncompared));
	set(writer, object, "conflicting_bytes", number(counters->conflicting));
	set(writer, object, "late_bytes", number(counters->late));
	set(writer, object, "ignored_bytes", number(counters->ignored));
	set(writer, object, "gaps", number(counters->gaps));
	for (int cause = 1; cause < FYKE_GAP_COUNT; cause++)
		set(writer, gaps, fyke_gap_cause_name((enum fyke_gap_cause)cause),
			number(counters->gap_bytes[cause]));
	set(writer, object, "missing_bytes", gaps);
	return object;
}

void fyke_stream_json_end(struct fyke_stream_writer *writer, const struct fyke_stream_totals *totals)
{
	fputs(writer->any ? "\n  ],\n" : "],\n", writer->out);
	for (int side = 0; side < 2; side++) {
		if (writer->wanted[side])
			put_member(writer, side_names[side], side_totals(writer, &totals->side[side]), ",\n");
	}
	put_member(writer, "left_out_bytes", number(totals->left_out), "\n}\n");
}
