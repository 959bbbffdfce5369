/* The life of a conversation: undecided, dissected, perhaps turned into another protocol, over. */
#include "analyzer/dissect/conversation.h"

#include "analyzer/dissect/parts.h"

#include <stdlib.h>
#include <string.h>

enum { STRIKES_MAX = 8, TURNS_MAX = 16, DISSECTIONS_KEPT = 4096 };

static bool keep_note(struct fyke_dissection *dissection)
{
	struct fyke_conversation_options *options = &dissection->options;

	if (options->note == NULL)
		return true;
	if (options->note_length > FYKE_EXPECT_NOTE_MAX)
		options->note_length = FYKE_EXPECT_NOTE_MAX;
	dissection->note = malloc(options->note_length + 1);
	if (dissection->note != NULL && options->note_length > 0)
		memcpy(dissection->note, options->note, options->note_length);
	options->note = dissection->note;
	return dissection->note != NULL;
}

/* One that rested is confirmed already, and needs no opening. */
static bool start(struct fyke_dissection *dissection)
{
	const struct fyke_conversation_options *options = &dissection->options;

	dissection->keeps_opening = options->resumes == NULL;
	if (options->expected != NULL && !fyke_dissect_start(dissection))
		return false;
	if (options->resumes != NULL)
		fyke_confirm_as(dissection, options->resumes);
	return true;
}

void fyke_dissect_memory_init(struct fyke_dissect_memory *memory)
{
	fyke_spares_init(&memory->dissections, sizeof(struct fyke_dissection), DISSECTIONS_KEPT);
	fyke_dissect_keep_files(memory);
	memory->blocks = (struct fyke_blocks){0};
	memset(memory->recalled, 0, sizeof(memory->recalled));
}

void fyke_dissect_memory_release(struct fyke_dissect_memory *memory)
{
	fyke_spares_release(&memory->dissections);
	fyke_spares_release(&memory->files);
	fyke_dissect_forget_all(memory);
	fyke_blocks_release(&memory->blocks);
}

struct fyke_dissection *fyke_conversation_new(const struct fyke_conversation_options *options)
{
	struct fyke_dissection *dissection = fyke_spares_take(&options->memory->dissections);

	if (dissection == NULL)
		return NULL;
	dissection->options = *options;
	dissection->dissector = options->expected;
	if (keep_note(dissection) && start(dissection))
		return dissection;
	fyke_conversation_free(dissection);
	return NULL;
}

static void forget_opening(struct fyke_dissection *dissection)
{
	fyke_opening_release(&dissection->opening, fyke_dissect_blocks(dissection));
	dissection->keeps_opening = false;
}

static void finish(struct fyke_dissection *dissection)
{
	fyke_dissect_stop(dissection);
	forget_opening(dissection);
	dissection->over = true;
}

static void rule_out(struct fyke_dissection *dissection)
{
	fyke_dissector_set_add(&dissection->ruled_out,
		fyke_dissect_place(dissection->options.lookup, dissection->dissector));
	fyke_dissect_discard(dissection);
	dissection->swapped = false;
}

/* What the old dissector did not consume is the opening of the new one. */
static void turn(struct fyke_dissection *dissection, const char *next)
{
	struct fyke_waiting_bytes left[2] = {dissection->side[0], dissection->side[1]};
	bool swapped = dissection->swapped;

	dissection->side[0] = dissection->side[1] = (struct fyke_waiting_bytes){0};
	dissection->carrier = dissection->dissector;
	fyke_dissect_stop(dissection);
	forget_opening(dissection);
	dissection->ruled_out = (struct fyke_dissector_set){0};
	dissection->side[0].skip = left[0].skip;
	dissection->side[1].skip = left[1].skip;
	dissection->keeps_opening = true;
	if (++dissection->turns > TURNS_MAX)
		dissection->over = true;
	if (next != NULL && !dissection->over) {
		dissection->dissector = fyke_dissect_named(dissection->options.lookup, next);
		dissection->over = dissection->dissector == NULL || !fyke_dissect_start(dissection);
	}
	for (int side = 0; side < 2; side++) {
		if (left[side].length > 0)
			fyke_conversation_take(dissection,
				&(struct fyke_conversation_piece){
					.side = swapped ? (enum fyke_side)(1 - side) : (enum fyke_side)side,
					.data = left[side].bytes,
					.length = left[side].length,
					.offset = left[side].offset,
					.frame = dissection->now.frame,
					.time_ns = dissection->now.time_ns,
					.end = left[side].ended});
		fyke_dissect_drop_waiting(dissection, &left[side]);
	}
}

/* The opening was fed as far as piece i, whose dissector made way for another protocol. */
static void turn_within(struct fyke_dissection *dissection, const char *next, size_t i,
	const struct fyke_conversation_piece *outside)
{
	struct fyke_opening_kept opening = dissection->opening;

	dissection->opening = (struct fyke_opening_kept){0};
	turn(dissection, next);
	for (i++; i < opening.piece_count; i++) {
		struct fyke_conversation_piece piece = fyke_opening_piece_at(&opening, i);

		fyke_conversation_take(dissection, &piece);
	}
	fyke_opening_release(&opening, fyke_dissect_blocks(dissection));
	if (outside != NULL)
		fyke_conversation_take(dissection, outside);
}

static bool is_resting(const struct fyke_dissection *dissection)
{
	return dissection->confirmed && dissection->options.transport == FYKE_OVER_UDP;
}

/* Feeds the opening to the dissector that was decided on; false: it refused, and is ruled out. */
static bool replay(struct fyke_dissection *dissection, const struct fyke_conversation_piece *outside)
{
	size_t count = dissection->opening.piece_count, all = count + (outside != NULL);

	for (size_t i = 0; i < all; i++) {
		struct fyke_conversation_piece piece =
			i < count ? fyke_opening_piece_at(&dissection->opening, i) : *outside;
		bool again = dissection->options.transport == FYKE_OVER_UDP && i + 1 < all;
		const char *next;

		enum fyke_dissect_outcome outcome = fyke_dissect_feed(dissection, &piece, &next);

		dissection->resting = outcome == FYKE_DISSECT_RESTED && is_resting(dissection);
		switch (outcome) {
		case FYKE_DISSECT_OVER:
			finish(dissection);
			return true;
		case FYKE_DISSECT_TURNED:
			turn_within(dissection, next, i, i < count ? outside : NULL);
			return true;
		case FYKE_DISSECT_REFUSED:
			if (again) /* datagrams stand alone: an earlier one may have been another's */
				break;
			if (dissection->confirmed) {
				finish(dissection);
				return true;
			}
			rule_out(dissection);
			return false;
		default:
			break;
		}
	}
	if (dissection->confirmed)
		forget_opening(dissection);
	return true;
}

/* Until somebody takes it or all are asked. */
static void decide(
	struct fyke_dissection *dissection, const struct fyke_conversation_piece *outside, bool complete)
{
	while (fyke_dissect_decide(dissection, outside, complete)) {
		if (!fyke_dissect_start(dissection)) {
			finish(dissection);
			return;
		}
		if (replay(dissection, outside))
			return;
	}
	if (dissection->over || complete)
		finish(dissection);
}

/* Behind a gap everything begins anew, as far as it was not decided. */
static void begin_anew(struct fyke_dissection *dissection)
{
	fyke_opening_release(&dissection->opening, fyke_dissect_blocks(dissection));
	dissection->keeps_opening = true;
}

/* With `more` pieces beside those that are kept. */
static bool is_full(const struct fyke_dissection *dissection, unsigned more)
{
	return dissection->opening.piece_count + more >= (dissection->options.transport == FYKE_OVER_UDP
									 ? FYKE_OPENING_DATAGRAMS
									 : FYKE_OPENING_PIECES);
}

/* A piece that can be probed where it lies, because its side has said nothing before or datagrams stand
 * alone: it is copied only if that does not decide it. */
static void take_alone(struct fyke_dissection *dissection, const struct fyke_conversation_piece *piece)
{
	bool fits = fyke_opening_fits(&dissection->opening, piece);
	unsigned turns = dissection->turns;

	decide(dissection, piece, !fits || is_full(dissection, 1));
	if (dissection->turns != turns || !dissection->keeps_opening)
		return;
	if (!fits)
		forget_opening(dissection);
	else if (!fyke_opening_add(&dissection->opening, fyke_dissect_blocks(dissection), piece))
		dissection->memory_out = true;
}

static void take_behind(struct fyke_dissection *dissection, const struct fyke_conversation_piece *piece)
{
	bool fits = fyke_opening_add(&dissection->opening, fyke_dissect_blocks(dissection), piece);
	unsigned turns = dissection->turns;

	if (piece->length == 0)
		return;
	decide(dissection, fits ? NULL : piece, !fits || is_full(dissection, 0));
	if (!fits && dissection->turns == turns)
		forget_opening(dissection);
}

static void take_undecided(struct fyke_dissection *dissection, const struct fyke_conversation_piece *piece)
{
	struct fyke_conversation_piece own = *piece;

	if (own.gap > 0 && dissection->opening.piece_count > 0)
		begin_anew(dissection);
	own.gap = 0;
	if (own.length == 0 && !own.end)
		return;
	if (own.length > 0 &&
		(dissection->options.transport == FYKE_OVER_UDP || dissection->opening.length[own.side] == 0))
		take_alone(dissection, &own);
	else
		take_behind(dissection, &own);
}

static void refuse(struct fyke_dissection *dissection)
{
	if (dissection->keeps_opening && !dissection->confirmed) {
		rule_out(dissection);
		decide(dissection, NULL, is_full(dissection, 0));
	} else if (dissection->options.transport != FYKE_OVER_UDP || ++dissection->strikes >= STRIKES_MAX) {
		finish(dissection);
	}
}

static void take_decided(struct fyke_dissection *dissection, const struct fyke_conversation_piece *piece)
{
	const char *next;

	if (dissection->keeps_opening &&
		(piece->gap > 0 || dissection->confirmed ||
			!fyke_opening_add(&dissection->opening, fyke_dissect_blocks(dissection), piece)))
		forget_opening(dissection);
	switch (fyke_dissect_feed(dissection, piece, &next)) {
	case FYKE_DISSECT_OVER:
		finish(dissection);
		break;
	case FYKE_DISSECT_REFUSED:
		refuse(dissection);
		break;
	case FYKE_DISSECT_TURNED:
		turn(dissection, next);
		break;
	case FYKE_DISSECT_RESTED:
		dissection->strikes = 0;
		dissection->resting = is_resting(dissection);
		break;
	default:
		dissection->strikes = 0;
		break;
	}
}

void fyke_conversation_take(struct fyke_dissection *dissection, const struct fyke_conversation_piece *piece)
{
	if (dissection->over)
		return;
	dissection->resting = false;
	if (dissection->dissector != NULL)
		take_decided(dissection, piece);
	else
		take_undecided(dissection, piece);
	if (dissection->memory_out && !dissection->over)
		finish(dissection);
}

const struct fyke_dissector *fyke_conversation_resting(const struct fyke_dissection *dissection)
{
	return dissection->resting && !dissection->over ? dissection->dissector : NULL;
}

bool fyke_conversation_is_over(const struct fyke_dissection *dissection)
{
	return dissection->over;
}

void fyke_conversation_end(struct fyke_dissection *dissection)
{
	if (dissection->over)
		return;
	/* whoever said NO will not say anything else */
	if (dissection->dissector == NULL && dissection->opening.piece_count > 0 && !dissection->nobody)
		decide(dissection, NULL, true);
	if (!dissection->over)
		finish(dissection);
}

void fyke_conversation_free(struct fyke_dissection *dissection)
{
	if (dissection == NULL)
		return;
	fyke_dissect_discard(dissection);
	forget_opening(dissection);
	fyke_blocks_give(
		fyke_dissect_blocks(dissection), dissection->server_name, dissection->server_name_length);
	free(dissection->note);
	fyke_spares_give(&dissection->options.memory->dissections, dissection);
}

const char *fyke_conversation_service(const struct fyke_dissection *dissection)
{
	return dissection->content_service;
}

bool fyke_conversation_fits_port(const struct fyke_dissection *dissection, const char *port_service)
{
	const struct fyke_dissector *content = dissection->content;
	uint16_t port = dissection->options.port[FYKE_SERVER];

	if (content == NULL)
		return true;
	for (const uint16_t *own = content->ports; own != NULL && *own != 0; own++) {
		if (*own == port)
			return true;
	}
	for (const char *const *service = content->services; service != NULL && *service != NULL; service++) {
		if (strcmp(*service, port_service) == 0)
			return true;
	}
	return strcmp(content->name, port_service) == 0 ||
	       strcmp(dissection->content_service, port_service) == 0;
}

const char *fyke_conversation_server_name(const struct fyke_dissection *dissection, size_t *length)
{
	*length = dissection->server_name_length;
	return dissection->server_name;
}

size_t fyke_conversation_held(const struct fyke_dissection *dissection)
{
	const struct fyke_dissector *dissector = dissection->dissector;

	return sizeof(*dissection) + dissection->kept_bytes + dissection->side[0].room +
	       dissection->side[1].room + (dissector != NULL ? dissector->state_size : 0) +
	       fyke_opening_held(&dissection->opening) + dissection->server_name_length +
	       fyke_dissect_files_held(dissection);
}
