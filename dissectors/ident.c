/* Ident (RFC 1413): pairs of ports asked for, and who is said to own the connection. */
#include "dissectors/dissector.h"
#include "dissectors/shared/line.h"

#include <string.h>

enum { TEXT_MAX = 256 };

enum { QUERY, KIND, SYSTEM, USER, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[QUERY] = {"query", FYKE_TYPE_TEXT, "port on the server, port on the client"},
	[KIND] = {"kind", FYKE_TYPE_TEXT, "USERID or ERROR; NULL: no answer was seen"},
	[SYSTEM] = {"system", FYKE_TYPE_TEXT, "the server's, as told"},
	[USER] = {"user", FYKE_TYPE_TEXT, "or the error"},
};

static const struct fyke_table table = {"ident", "one row per question", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	struct fyke_lines lines[2];
	struct fyke_text query;
	struct fyke_moment moment;
};

/* number , number */
static size_t pair_at(const char *text, size_t length)
{
	size_t at = 0, digits;

	for (int i = 0; i < 2; i++) {
		while (at < length && text[at] == ' ')
			at++;
		if (fyke_text_number(text + at, length - at, &digits) < 0 || digits > 5)
			return 0;
		at += digits;
		while (at < length && text[at] == ' ')
			at++;
		if (i == 0 && (at >= length || text[at++] != ','))
			return 0;
	}
	return at;
}

/* As far as it came: digits, blanks and the comma. */
static bool may_become_pair(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((text[i] < '0' || text[i] > '9') && text[i] != ' ' && text[i] != ',')
			return false;
	}
	return length < 16;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const char *client = (const char *)opening->side[FYKE_CLIENT].data;
	const char *server = (const char *)opening->side[FYKE_SERVER].data;
	size_t length = opening->side[FYKE_CLIENT].length;
	size_t answer = opening->side[FYKE_SERVER].length;

	if (length > 0 && pair_at(client, length) == 0)
		return may_become_pair(client, length) ? FYKE_MAYBE : FYKE_NO;
	if (answer > 0 && pair_at(server, answer) == 0)
		return may_become_pair(server, answer) ? FYKE_MAYBE : FYKE_NO;
	return fyke_text_find(server, answer, "USERID") != NULL ||
			       fyke_text_find(server, answer, "ERROR") != NULL
		       ? FYKE_YES
		       : FYKE_MAYBE;
}

static void tell(struct fyke_dissection *dissection, struct fyke_value *values)
{
	struct state *state = fyke_state(dissection);

	values[QUERY] = fyke_text_of(&state->query);
	fyke_record_at(dissection, &table,
		fyke_text_is_set(&state->query) ? state->moment : fyke_now(dissection), values);
	fyke_drop(dissection, &state->query);
}

/* pair : USERID : system : user, or pair : ERROR : what */
static void take_answer(struct fyke_dissection *dissection, const struct fyke_line *line)
{
	struct fyke_value values[FIELD_COUNT] = {{0}};
	size_t at = pair_at(line->text, line->length);
	int field = KIND;

	if (at == 0)
		return;
	while (at < line->length && line->text[at] == ':' && field < FIELD_COUNT) {
		const char *from = line->text + ++at, *end = line->text + line->length, *colon;
		size_t length;

		while (from < end && *from == ' ')
			from++;
		colon = from < end && field < USER ? memchr(from, ':', (size_t)(end - from)) : NULL;
		at = colon != NULL ? (size_t)(colon - line->text) : line->length;
		length = (size_t)(line->text + at - from);
		while (length > 0 && from[length - 1] == ' ')
			length--;
		if (field == KIND && fyke_text_is(from, length, "ERROR")) {
			values[KIND] = fyke_bytes(from, length);
			field = USER;
			continue;
		}
		values[field++] = fyke_bytes(from, length);
	}
	tell(dissection, values);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT] = {{0}};
	struct fyke_line line;

	if (!fyke_line_take(&state->lines[input->side], input, &line))
		return fyke_line_wait(&line);
	if (fyke_line_is_junk(&state->lines[input->side]))
		return fyke_line_pass(&state->lines[input->side], &line);
	if (input->side == FYKE_SERVER) {
		take_answer(dissection, &line);
	} else if (pair_at(line.text, line.length) > 0) {
		if (fyke_text_is_set(&state->query))
			tell(dissection, values);
		state->moment = fyke_now(dissection);
		fyke_keep(dissection, &state->query, line.text, line.length, TEXT_MAX);
	}
	return fyke_more(line.consumed);
}

static void end(struct fyke_dissection *dissection)
{
	const struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT] = {{0}};

	if (fyke_text_is_set(&state->query))
		tell(dissection, values);
}

static const uint16_t ports[] = {113, 0};
static const char *const services[] = {"ident", "auth", "authentication", NULL};

const struct fyke_dissector fyke_dissector_ident = {
	.name = "ident",
	.title = "Identification Protocol, RFC 1413",
	.doc = "Questions and answers. On its own port only.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
