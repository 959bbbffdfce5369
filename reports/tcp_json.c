/* One session's life for programs; see docs/tcp.md for the members. */
#include "reports/tcp_life.h"

#include "analyzer/base/text.h"
#include "reports/json_row.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *text_value(const char *text)
{
	return text == NULL ? json_null() : fyke_json_text(text, strlen(text));
}

static json_t *number_value(int64_t value)
{
	return value == FYKE_TCP_LIFE_UNKNOWN ? json_null() : json_integer(value);
}

static json_t *evidence_value(int64_t value)
{
	return value < 0 ? json_null() : json_integer(value);
}

static json_t *time_value(int64_t us)
{
	char text[FYKE_TEXT_TIME];

	return json_string(fyke_text_time(us, 6, text));
}

static json_t *side_object(const struct fyke_tcp_life *life, int number)
{
	const struct fyke_tcp_life_side *side = &life->side[number];
	json_t *object = json_object();

	(void)json_object_set_new(object, "ip", text_value(side->ip));
	(void)json_object_set_new(object, "port", number_value(side->port));
	(void)json_object_set_new(object, "packets", json_integer(side->packets));
	(void)json_object_set_new(object, "payload_bytes", json_integer(side->payload_bytes));
#define X(name) (void)json_object_set_new(object, #name, number_value(side->name));
	FYKE_TCP_LIFE_COLUMNS(X)
#undef X
	return object;
}

static json_t *event_object(const struct fyke_tcp_life_event *event)
{
	static const char *const lost[] = {NULL, "beyond", "before"};
	char *explanation = fyke_tcp_word_explain(event);
	json_t *object = json_object();

	(void)json_object_set_new(object, "frame", json_integer(event->frame));
	(void)json_object_set_new(object, "time", time_value(event->time_us));
	(void)json_object_set_new(object, "side", json_string(event->side == 0 ? "client" : "server"));
	(void)json_object_set_new(object, "kind", text_value(event->kind));
	(void)json_object_set_new(object, "offset", json_integer(event->offset));
	(void)json_object_set_new(object, "length", json_integer(event->length));
	(void)json_object_set_new(object, "original_frame", evidence_value(event->original));
	(void)json_object_set_new(object, "lost", text_value(lost[event->lost]));
	(void)json_object_set_new(object, "spurious", json_boolean(event->spurious));
	(void)json_object_set_new(object, "duplicate_acks", evidence_value(event->duplicate_acks));
	(void)json_object_set_new(object, "sacked_up_to", evidence_value(event->sacked));
	(void)json_object_set_new(object, "waited_us", evidence_value(event->waited_us));
	(void)json_object_set_new(object, "timer_us", evidence_value(event->timer_us));
	(void)json_object_set_new(object, "evidence", text_value(event->evidence));
	(void)json_object_set_new(object, "explanation", text_value(explanation));
	free(explanation);
	return object;
}

static json_t *life_object(const struct fyke_tcp_life *life)
{
	json_t *object = json_object(), *events = json_array(), *handshake = json_object();
	json_t *spent = json_object();

	(void)json_object_set_new(object, "id", json_integer(life->id));
	(void)json_object_set_new(object, "start", time_value(life->start_us));
	(void)json_object_set_new(object, "end", time_value(life->end_us));
	(void)json_object_set_new(object, "first_frame", json_integer(life->first_frame));
	(void)json_object_set_new(object, "capture", text_value(life->capture));
	(void)json_object_set_new(object, "service", text_value(life->service));
	(void)json_object_set_new(object, "server_name", text_value(life->server_name));
	(void)json_object_set_new(object, "state", text_value(life->state));
	(void)json_object_set_new(object, "history", text_value(life->history));
	(void)json_object_set_new(object, "end_reason", text_value(life->end_reason));
	(void)json_object_set_new(object, "roles_guessed", json_boolean(life->roles_guessed));
	(void)json_object_set_new(handshake, "total_us", number_value(life->handshake_us));
	(void)json_object_set_new(handshake, "server_us", number_value(life->handshake_server_us));
	(void)json_object_set_new(handshake, "client_us", number_value(life->handshake_client_us));
	for (int i = 0; i < FYKE_TCP_LIFE_PARTS; i++)
		(void)json_object_set_new(
			spent, fyke_tcp_life_part_names[i], number_value(life->spent_us[i]));
	(void)json_object_set_new(object, "handshake", handshake);
	(void)json_object_set_new(object, "spent", spent);
	(void)json_object_set_new(object, "client", side_object(life, 0));
	(void)json_object_set_new(object, "server", side_object(life, 1));
	for (size_t i = 0; i < life->event_count; i++)
		(void)json_array_append_new(events, event_object(&life->events[i]));
	(void)json_object_set_new(object, "events", events);
	return object;
}

enum fyke_status fyke_tcp_life_json(const struct fyke_tcp_life *life, FILE *out, struct fyke_error *error)
{
	const struct fyke_screen screen = fyke_screen_of(out);

	if (!fyke_json_write(life_object(life), screen.is_terminal, out))
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	fputc('\n', out);
	return FYKE_OK;
}
