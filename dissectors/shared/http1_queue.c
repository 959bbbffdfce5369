/*
 * Requests wait for their responses in order. A message that begins or ends on a lane moves its exchange on;
 * one whose messages are both over becomes a row, as soon as none waits in front of it.
 */
#include "dissectors/shared/http1.h"

enum { QUEUE_MAX = 64 };

/* Takes the exchange at `place` out of the queue and makes its row. */
void fyke_http1_tell(struct fyke_http1_state *state, struct fyke_http_exchange **place)
{
	struct fyke_http_exchange *exchange = *place;

	*place = exchange->next;
	if (*place == NULL)
		state->end = place;
	state->queued--;
	for (int side = 0; side < 2; side++) {
		struct fyke_http1_lane *lane = &state->lane[side];

		if (lane->exchange == exchange && lane->phase == FYKE_HTTP1_HEAD)
			fyke_http_end_head(exchange, (enum fyke_side)side, &state->common);
	}
	if (state->turning == exchange)
		state->turning = NULL;
	fyke_http_exchange_tell(exchange);
}

/* Those that are over, as far as none waits in front of them. */
static void tell_finished(struct fyke_http1_state *state)
{
	while (state->first != NULL && state->first->message[FYKE_CLIENT].closed &&
		state->first->message[FYKE_SERVER].closed)
		fyke_http1_tell(state, &state->first);
}

/* The oldest that is not on its way makes room; its answer is owed. */
static bool make_room(struct fyke_http1_state *state)
{
	struct fyke_http_exchange **place = &state->first;

	while (*place != NULL &&
		(*place == state->lane[FYKE_CLIENT].exchange || *place == state->lane[FYKE_SERVER].exchange))
		place = &(*place)->next;
	if (*place == NULL)
		return false;
	state->owed += !(*place)->message[FYKE_SERVER].closed;
	fyke_http1_tell(state, place);
	return true;
}

struct fyke_http_exchange *fyke_http1_add(struct fyke_dissection *dissection, struct fyke_http1_state *state)
{
	struct fyke_http_exchange *exchange;

	if (state->queued == QUEUE_MAX)
		(void)make_room(state);
	do
		exchange = fyke_http_exchange_new(dissection, &state->common);
	while (exchange == NULL && make_room(state));
	if (exchange == NULL)
		return NULL;
	*state->end = exchange;
	state->end = &exchange->next;
	state->queued++;
	return exchange;
}

/* The request that a response answers; one without a request where none waits. */
struct fyke_http_exchange *fyke_http1_answered(
	struct fyke_dissection *dissection, struct fyke_http1_state *state)
{
	struct fyke_http_exchange *exchange, *later;

	for (exchange = state->first; exchange != NULL && !fyke_http1_waits(exchange);)
		exchange = exchange->next;
	for (later = exchange != NULL ? exchange->next : NULL; state->unsure && later != NULL;
		later = later->next) {
		fyke_http_end_message(exchange, FYKE_SERVER, false);
		exchange = later;
	}
	state->unsure = false;
	if (exchange != NULL && state->owed == 0)
		return exchange;
	state->owed -= state->owed > 0;
	exchange = fyke_http1_add(dissection, state);
	if (exchange != NULL)
		exchange->message[FYKE_CLIENT].closed = true;
	return exchange;
}

void fyke_http1_begin_message(struct fyke_http1_reader *reader, struct fyke_http_exchange *exchange)
{
	struct fyke_http1_lane *lane = reader->lane;
	struct fyke_http_message *message = &exchange->message[reader->side];

	message->seen = true;
	message->begun = fyke_now(reader->dissection);
	lane->exchange = exchange;
	lane->phase = FYKE_HTTP1_HEAD;
	lane->torn = false;
	lane->lines = 0;
	reader->state->found = true;
}

/* The message on this lane is over; `next`: what comes behind it. */
void fyke_http1_end_message(struct fyke_http1_reader *reader, bool complete, enum fyke_http1_phase next)
{
	struct fyke_http1_lane *lane = reader->lane;

	if (lane->exchange != NULL) {
		if (lane->phase == FYKE_HTTP1_HEAD)
			fyke_http_end_head(lane->exchange, reader->side, &reader->state->common);
		fyke_http_end_message(lane->exchange, reader->side, complete);
	}
	lane->exchange = NULL;
	lane->phase = next;
	tell_finished(reader->state);
}

void fyke_http1_lose_track(struct fyke_http1_reader *reader)
{
	fyke_http1_end_message(reader, false, FYKE_HTTP1_LOST);
	reader->lane->skip_line = false;
	if (reader->side == FYKE_SERVER)
		reader->state->unsure = true;
}
