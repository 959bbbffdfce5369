/*
 * The running dissector and the bytes that wait for it.
 *
 * What comes when nothing waits is fed where it lies; only what is not consumed is copied. Bytes that
 * the dissector consumed in advance are skipped as they come.
 */
#include "analyzer/dissect/parts.h"

#include <string.h>

enum { WAKES_MAX = 16 };

bool fyke_dissect_start(struct fyke_dissection *dissection)
{
	const struct fyke_dissector *dissector = dissection->dissector;

	dissection->confirmed = false;
	dissection->strikes = 0;
	dissection->state = dissector->state_size > 0
				    ? fyke_blocks_zero(fyke_dissect_blocks(dissection), dissector->state_size)
				    : NULL;
	dissection->memory_out |= dissector->state_size > 0 && dissection->state == NULL;
	return !dissection->memory_out;
}

void fyke_dissect_drop_waiting(struct fyke_dissection *dissection, struct fyke_waiting_bytes *waiting)
{
	fyke_blocks_give(fyke_dissect_blocks(dissection), waiting->bytes, waiting->room);
	waiting->bytes = NULL;
	waiting->room = 0;
}

void fyke_dissect_discard(struct fyke_dissection *dissection)
{
	fyke_dissect_drop_files(dissection);
	fyke_dissect_forget(dissection);
	if (dissection->state != NULL)
		fyke_blocks_give(fyke_dissect_blocks(dissection), dissection->state,
			dissection->dissector->state_size);
	dissection->state = NULL;
	dissection->dissector = NULL;
	dissection->confirmed = false;
	for (int side = 0; side < 2; side++) {
		fyke_dissect_drop_waiting(dissection, &dissection->side[side]);
		dissection->side[side] = (struct fyke_waiting_bytes){0};
	}
}

void fyke_dissect_stop(struct fyke_dissection *dissection)
{
	if (dissection->dissector == NULL)
		return;
	if (dissection->dissector->end != NULL && !dissection->memory_out)
		dissection->dissector->end(dissection);
	fyke_dissect_end_files(dissection);
	fyke_dissect_discard(dissection);
}

struct fyke_verdict fyke_gap_resume(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	(void)dissection, (void)input, (void)lost;
	return fyke_more(0);
}

static enum fyke_dissect_outcome outcome_of(const struct fyke_verdict *verdict, const char **next)
{
	*next = verdict->next;
	switch (verdict->kind) {
	case FYKE_DONE:
		return FYKE_DISSECT_OVER;
	case FYKE_NOT_MINE:
		return FYKE_DISSECT_REFUSED;
	case FYKE_BECOMES:
		return FYKE_DISSECT_TURNED;
	case FYKE_RESTS:
		return FYKE_DISSECT_RESTED;
	default:
		return FYKE_DISSECT_ON;
	}
}

static size_t buffer_limit(const struct fyke_dissection *dissection)
{
	size_t limit = dissection->dissector->buffer_max;

	return limit > 0 ? limit : FYKE_DISSECT_BUFFER;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, struct fyke_input *input)
{
	input->data = fyke_dissect_bytes(input->data, input->length);
	return dissection->dissector->feed(dissection, input);
}

/* Offers bytes as often as the dissector consumes some; *taken of them are used up. */
static enum fyke_dissect_outcome offer(
	struct fyke_dissection *dissection, struct fyke_input *input, size_t *taken, const char **next)
{
	struct fyke_waiting_bytes *waiting = &dissection->side[input->side];
	struct fyke_verdict verdict;

	*taken = 0;
	for (;;) {
		if ((input->length < waiting->needed || waiting->waits) && !input->end && !input->full)
			return FYKE_DISSECT_ON;
		verdict = feed(dissection, input);
		waiting->needed = verdict.needed;
		waiting->waits = verdict.waits;
		if (verdict.consumed >= input->length) {
			waiting->skip = verdict.consumed - input->length;
			*taken += input->length;
			waiting->offset += input->length;
			return outcome_of(&verdict, next);
		}
		*taken += (size_t)verdict.consumed;
		waiting->offset += verdict.consumed;
		input->offset += verdict.consumed;
		input->data += verdict.consumed;
		input->length -= (size_t)verdict.consumed;
		if (verdict.kind != FYKE_MORE && verdict.kind != FYKE_RESTS)
			return outcome_of(&verdict, next);
		if (verdict.consumed == 0) {
			if (waiting->needed <= input->length)
				waiting->needed = input->length + 1;
			if (!input->full)
				return FYKE_DISSECT_ON;
			*taken += input->length;
			waiting->offset += input->length;
			waiting->needed = 0;
			return FYKE_DISSECT_ON;
		}
		input->full = false;
	}
}

static bool make_room(struct fyke_dissection *dissection, struct fyke_waiting_bytes *waiting, size_t wanted)
{
	size_t room = wanted < 512 ? 512 : wanted + wanted / 2;
	uint8_t *grown;

	if (wanted <= waiting->room)
		return true;
	grown = fyke_blocks_take(fyke_dissect_blocks(dissection), room);
	if (grown == NULL)
		return false;
	if (waiting->length > 0)
		memcpy(grown, waiting->bytes, waiting->length);
	fyke_dissect_drop_waiting(dissection, waiting);
	waiting->bytes = grown;
	waiting->room = room;
	return true;
}

/* Copies what fits behind what waits; how much that is, or -1 when memory is out. */
static ptrdiff_t append(struct fyke_dissection *dissection, struct fyke_waiting_bytes *waiting,
	const struct fyke_input *input, size_t limit)
{
	size_t fits = limit - waiting->length < input->length ? limit - waiting->length : input->length;

	if (!make_room(dissection, waiting, waiting->length + fits))
		return -1;
	if (fits > 0)
		memcpy(waiting->bytes + waiting->length, input->data, fits);
	waiting->length += fits;
	return (ptrdiff_t)fits;
}

static void consume(struct fyke_dissection *dissection, struct fyke_waiting_bytes *waiting, size_t taken)
{
	waiting->length -= taken;
	if (waiting->length > 0 && taken > 0)
		memmove(waiting->bytes, waiting->bytes + taken, waiting->length);
	if (waiting->length == 0)
		fyke_dissect_drop_waiting(dissection, waiting);
}

/* Bytes join those that wait, and all are offered. *used of them are stored or taken. */
static enum fyke_dissect_outcome offer_behind(
	struct fyke_dissection *dissection, const struct fyke_input *fresh, size_t *used, const char **next)
{
	struct fyke_waiting_bytes *waiting = &dissection->side[fresh->side];
	size_t limit = buffer_limit(dissection), taken;
	ptrdiff_t added = append(dissection, waiting, fresh, limit);
	struct fyke_input input = *fresh;
	enum fyke_dissect_outcome outcome;

	if (added < 0) {
		dissection->memory_out = true;
		return FYKE_DISSECT_OVER;
	}
	*used = (size_t)added;
	input.data = waiting->bytes;
	input.length = waiting->length;
	input.offset = waiting->offset;
	input.end = fresh->end && *used == fresh->length;
	input.full = waiting->length == limit;
	outcome = offer(dissection, &input, &taken, next);
	consume(dissection, waiting, taken);
	return outcome;
}

/* Bytes that came when none waited are offered where they lie. */
static enum fyke_dissect_outcome offer_here(
	struct fyke_dissection *dissection, const struct fyke_input *fresh, size_t *used, const char **next)
{
	struct fyke_waiting_bytes *waiting = &dissection->side[fresh->side];
	struct fyke_input input = *fresh;
	enum fyke_dissect_outcome outcome = offer(dissection, &input, used, next);
	ptrdiff_t added;

	if (*used > 0 || outcome != FYKE_DISSECT_ON || fresh->length == 0)
		return outcome;
	added = append(dissection, waiting, fresh, buffer_limit(dissection));
	if (added < 0) {
		dissection->memory_out = true;
		return FYKE_DISSECT_OVER;
	}
	*used = (size_t)added;
	return FYKE_DISSECT_ON;
}

static void pass(struct fyke_input *input, size_t length)
{
	input->data += length;
	input->offset += length;
	input->length -= length;
}

static void skip(struct fyke_waiting_bytes *waiting, struct fyke_input *input)
{
	size_t length = waiting->skip < input->length ? (size_t)waiting->skip : input->length;

	waiting->skip -= length;
	if (length > 0)
		pass(input, length);
}

static enum fyke_dissect_outcome take_bytes(
	struct fyke_dissection *dissection, struct fyke_input *input, const char **next)
{
	struct fyke_waiting_bytes *waiting = &dissection->side[input->side];
	enum fyke_dissect_outcome outcome = FYKE_DISSECT_ON;

	do {
		size_t used = 0;

		if (waiting->length > 0) {
			outcome = offer_behind(dissection, input, &used, next);
		} else {
			waiting->offset = input->offset;
			outcome = offer_here(dissection, input, &used, next);
		}
		if (used > 0)
			pass(input, used);
		skip(waiting, input);
	} while (outcome == FYKE_DISSECT_ON && input->length > 0);
	/* what follows is for the one that takes over */
	if (outcome == FYKE_DISSECT_TURNED && input->length > 0 &&
		append(dissection, waiting, input, SIZE_MAX) < 0)
		dissection->memory_out = true;
	return outcome;
}

/* Bytes between what was consumed and the piece will never come. */
static enum fyke_dissect_outcome take_gap(
	struct fyke_dissection *dissection, const struct fyke_conversation_piece *piece, const char **next)
{
	struct fyke_input input = {.side = fyke_dissect_side(dissection, piece->side),
		.offset = piece->offset,
		.frame = piece->frame,
		.time_ns = piece->time_ns};
	struct fyke_waiting_bytes *waiting = &dissection->side[input.side];
	uint64_t skipped = waiting->skip < piece->gap ? waiting->skip : piece->gap;
	struct fyke_verdict verdict;
	uint64_t lost;

	waiting->skip -= skipped;
	lost = waiting->length + (piece->gap - skipped);
	if (lost == 0)
		return FYKE_DISSECT_ON;
	consume(dissection, waiting, waiting->length);
	waiting->needed = 0;
	if (dissection->dissector->gap == NULL)
		return FYKE_DISSECT_OVER;
	verdict = dissection->dissector->gap(dissection, &input, lost);
	waiting->skip = verdict.consumed;
	waiting->needed = verdict.needed;
	return outcome_of(&verdict, next);
}

static enum fyke_dissect_outcome take_datagram(
	struct fyke_dissection *dissection, struct fyke_input *input, const char **next)
{
	struct fyke_waiting_bytes *waiting = &dissection->side[input->side];
	struct fyke_verdict verdict = feed(dissection, input);
	enum fyke_dissect_outcome outcome = outcome_of(&verdict, next);

	if (outcome == FYKE_DISSECT_TURNED && verdict.consumed < input->length) {
		pass(input, (size_t)verdict.consumed);
		if (append(dissection, waiting, input, SIZE_MAX) < 0)
			dissection->memory_out = true;
	}
	return outcome;
}

/* Bytes that waited until this side was heard, and then perhaps this side's own. */
static enum fyke_dissect_outcome wake(
	struct fyke_dissection *dissection, const struct fyke_input *heard, const char **next)
{
	enum fyke_dissect_outcome outcome = FYKE_DISSECT_ON;
	struct fyke_input none = {
		.side = fyke_side_other(heard->side), .frame = heard->frame, .time_ns = heard->time_ns};

	for (int turn = 0; turn < WAKES_MAX && outcome == FYKE_DISSECT_ON; turn++) {
		struct fyke_waiting_bytes *waiting = &dissection->side[none.side];
		size_t used;

		if (!waiting->waits || waiting->length == 0)
			break;
		waiting->waits = false;
		waiting->needed = 0;
		outcome = offer_behind(dissection, &none, &used, next);
		none.side = fyke_side_other(none.side);
	}
	return outcome;
}

enum fyke_dissect_outcome fyke_dissect_feed(
	struct fyke_dissection *dissection, const struct fyke_conversation_piece *piece, const char **next)
{
	struct fyke_input input = {.side = fyke_dissect_side(dissection, piece->side),
		.data = piece->length > 0 ? piece->data : NULL,
		.length = piece->length,
		.offset = piece->offset,
		.frame = piece->frame,
		.time_ns = piece->time_ns,
		.end = piece->end,
		.cut = piece->cut};
	struct fyke_waiting_bytes *waiting = &dissection->side[input.side];
	enum fyke_dissect_outcome outcome = FYKE_DISSECT_ON;

	dissection->now = (struct fyke_moment){piece->frame, piece->time_ns};
	*next = NULL;
	if (dissection->options.transport == FYKE_OVER_UDP)
		return take_datagram(dissection, &input, next);
	if (piece->gap > 0)
		outcome = take_gap(dissection, piece, next);
	if (outcome == FYKE_DISSECT_TURNED && piece->length > 0 &&
		append(dissection, waiting, &input, SIZE_MAX) < 0)
		dissection->memory_out = true;
	if (outcome != FYKE_DISSECT_ON)
		return outcome;
	waiting->ended |= piece->end;
	skip(waiting, &input);
	if (input.length == 0 && !input.end)
		return FYKE_DISSECT_ON;
	outcome = take_bytes(dissection, &input, next);
	return outcome == FYKE_DISSECT_ON ? wake(dissection, &input, next) : outcome;
}
