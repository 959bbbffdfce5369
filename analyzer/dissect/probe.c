/*
 * Who speaks? The first byte of each side and the server's port pick the dissectors that are asked at
 * all; the first of them that says YES is taken, and at the end of the opening the first that says
 * MAYBE on a port of its own.
 */
#include "analyzer/dissect/parts.h"

#include <string.h>

enum { ENOUGH_BYTES = 1024, TELLING_BYTES = 16 };

/* What the sides have said, by enum fyke_side; of UDP the latest datagram of each. */
static void fill_datagrams(const struct fyke_opening_kept *kept, struct fyke_opening *opening)
{
	for (size_t i = 0; i < kept->piece_count; i++) {
		const struct fyke_opening_piece *piece = &fyke_opening_pieces(kept)[i];

		if (piece->length == 0)
			continue;
		opening->side[piece->side].data = kept->bytes[piece->side] + piece->at;
		opening->side[piece->side].length = piece->length;
	}
}

static struct fyke_opening opening_of(
	const struct fyke_dissection *dissection, const struct fyke_conversation_piece *outside)
{
	const struct fyke_conversation_options *options = &dissection->options;
	const struct fyke_opening_kept *kept = &dissection->opening;
	struct fyke_opening opening = {.transport = (enum fyke_transport)options->transport,
		.port = {options->port[0], options->port[1]}};

	if (options->transport == FYKE_OVER_UDP) {
		fill_datagrams(kept, &opening);
	} else {
		for (int side = 0; side < 2; side++) {
			opening.side[side].data = kept->bytes[side];
			opening.side[side].length = kept->length[side];
		}
	}
	if (outside != NULL &&
		(opening.side[outside->side].length == 0 || options->transport == FYKE_OVER_UDP)) {
		opening.side[outside->side].data = outside->data;
		opening.side[outside->side].length = outside->length;
	}
	for (int side = 0; side < 2; side++)
		opening.side[side].data =
			fyke_dissect_bytes(opening.side[side].data, opening.side[side].length);
	return opening;
}

static void swap(struct fyke_opening *opening)
{
	const struct fyke_opening old = *opening;

	for (int side = 0; side < 2; side++) {
		opening->side[side] = old.side[1 - side];
		opening->port[side] = old.port[1 - side];
	}
}

static void join(struct fyke_dissector_set *set, const struct fyke_dissector_set *other)
{
	for (size_t i = 0; i < sizeof(set->bits) / sizeof(set->bits[0]); i++)
		set->bits[i] |= other->bits[i];
}

static struct fyke_dissector_set candidates_of(
	const struct fyke_dissection *dissection, const struct fyke_opening *opening)
{
	const struct fyke_dissect_lookup *lookup = dissection->options.lookup;
	struct fyke_dissector_set set = *fyke_dissect_anywhere(lookup, opening->transport);

	join(&set, fyke_dissect_on_port(lookup, opening->transport, opening->port[FYKE_SERVER]));
	for (int side = 0; side < 2; side++) {
		if (opening->side[side].length > 0)
			join(&set, fyke_dissect_first_byte(lookup, opening->transport, (enum fyke_side)side,
					   opening->side[side].data[0]));
	}
	for (size_t i = 0; i < sizeof(set.bits) / sizeof(set.bits[0]); i++)
		set.bits[i] &= ~dissection->ruled_out.bits[i];
	return set;
}

/* A signature fits as far as its bytes have come. */
static bool fits_signature(const struct fyke_dissector *dissector, const struct fyke_opening *opening)
{
	for (size_t i = 0; i < dissector->signature_count; i++) {
		const struct fyke_signature *signature = &dissector->signatures[i];

		for (int side = 0; side < 2; side++) {
			size_t length = opening->side[side].length;

			if ((signature->sides >> side & 1) == 0 || length == 0)
				continue;
			if (length > signature->length)
				length = signature->length;
			if (memcmp(opening->side[side].data, signature->bytes, length) == 0)
				return true;
		}
	}
	return false;
}

struct answers {
	const struct fyke_dissector *yes, *likely, *maybe; /* the latter two: on a port of their own */
	bool open;					   /* somebody may yet say YES */
	const struct fyke_dissector_set *on_port;	   /* whose port it is */
};

static void ask(struct fyke_dissection *dissection, struct fyke_opening *opening, size_t place,
	struct answers *answers)
{
	const struct fyke_dissector *dissector = fyke_dissect_at(dissection->options.lookup, place);
	enum fyke_match match;

	opening->on_port = fyke_dissector_set_has(answers->on_port, place);
	if (dissector->probe == NULL ||
		(!opening->on_port && !dissector->anywhere && !fits_signature(dissector, opening)))
		return;
	match = dissector->probe(opening);
	if (match == FYKE_NO && opening->transport == FYKE_OVER_TCP)
		fyke_dissector_set_add(&dissection->ruled_out, place);
	answers->open |= match != FYKE_NO;
	if (match == FYKE_YES && answers->yes == NULL)
		answers->yes = dissector;
	else if (match == FYKE_LIKELY && opening->on_port && answers->likely == NULL)
		answers->likely = dissector;
	else if (match == FYKE_MAYBE && opening->on_port && answers->maybe == NULL)
		answers->maybe = dissector;
}

static struct answers ask_all(struct fyke_dissection *dissection, struct fyke_opening *opening)
{
	struct fyke_dissector_set set = candidates_of(dissection, opening);
	struct answers answers = {.on_port = fyke_dissect_on_port(dissection->options.lookup,
					  opening->transport, opening->port[FYKE_SERVER])};

	for (size_t word = 0; word < sizeof(set.bits) / sizeof(set.bits[0]) && answers.yes == NULL; word++) {
		for (uint64_t bits = set.bits[word]; bits != 0 && answers.yes == NULL; bits &= bits - 1)
			ask(dissection, opening, word * 64 + (size_t)__builtin_ctzll(bits), &answers);
	}
	return answers;
}

/* Both sides have said so much that no signature can still begin to fit. */
static bool is_told(const struct fyke_opening *opening)
{
	return opening->side[FYKE_CLIENT].length >= TELLING_BYTES &&
	       opening->side[FYKE_SERVER].length >= TELLING_BYTES;
}

/* With the sides the other way round only a YES counts; what it rules out is not ruled out. */
static bool decide_swapped(struct fyke_dissection *dissection, struct fyke_opening *opening)
{
	const struct fyke_dissector_set ruled_out = dissection->ruled_out;
	struct answers answers;

	swap(opening);
	dissection->ruled_out = (struct fyke_dissector_set){0};
	answers = ask_all(dissection, opening);
	dissection->nobody &= !answers.open;
	dissection->ruled_out = ruled_out;
	if (answers.yes == NULL || fyke_dissector_set_has(&ruled_out,
					   fyke_dissect_place(dissection->options.lookup, answers.yes)))
		return false;
	dissection->swapped = true;
	dissection->dissector = answers.yes;
	return true;
}

bool fyke_dissect_decide(
	struct fyke_dissection *dissection, const struct fyke_conversation_piece *outside, bool complete)
{
	struct fyke_opening opening = opening_of(dissection, outside);
	struct answers answers;

	if (dissection->swapped)
		swap(&opening);
	opening.complete =
		complete ||
		(opening.side[FYKE_CLIENT].length > 0 && opening.side[FYKE_SERVER].length > 0 &&
			opening.side[FYKE_CLIENT].length + opening.side[FYKE_SERVER].length >= ENOUGH_BYTES &&
			opening.transport == FYKE_OVER_TCP);
	answers = ask_all(dissection, &opening);
	dissection->nobody = !answers.open;
	dissection->dissector = answers.yes;
	if (answers.yes == NULL && dissection->options.roles_guessed && !dissection->swapped &&
		decide_swapped(dissection, &opening))
		return true;
	if (answers.yes == NULL)
		dissection->dissector = answers.likely;
	if (dissection->dissector == NULL && opening.complete)
		dissection->dissector = answers.maybe;
	if (dissection->dissector == NULL &&
		(opening.complete ||
			(!answers.open && opening.transport == FYKE_OVER_TCP && is_told(&opening))))
		dissection->over = true;
	return dissection->dissector != NULL;
}
