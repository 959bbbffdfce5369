/*
 * rlogin (RFC 1282) and rsh: the client's first bytes are fields ended by NUL: nothing or a port, then users
 * and a terminal or a command. What is typed and shown is not read.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/line.h"

#include <string.h>

enum { FIELD_MAX = 256, PARTS = 4 };

enum { KIND, CLIENT_USER, SERVER_USER, TERMINAL, COMMAND, ACCEPTED, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[KIND] = {"kind", FYKE_TYPE_TEXT, "rlogin or rsh"},
	[CLIENT_USER] = {"client_user", FYKE_TYPE_TEXT, "on the client"},
	[SERVER_USER] = {"server_user", FYKE_TYPE_TEXT, "to be on the server"},
	[TERMINAL] = {"terminal", FYKE_TYPE_TEXT, "and its speed, of rlogin"},
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "of rsh"},
	[ACCEPTED] = {"accepted", FYKE_TYPE_BOOLEAN, "whether the server's first byte is 0"},
};

static const struct fyke_table table = {"rlogin", "one row per session", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	struct fyke_text part[PARTS];
	struct fyke_moment moment;
	uint8_t count;
	bool answered, accepted;
};

/* Four fields; the first of rlogin is empty, of rsh it is a number or empty. */
static bool read_parts(const uint8_t *data, size_t length, const uint8_t *end[PARTS])
{
	const uint8_t *at = data;

	for (int i = 0; i < PARTS; i++) {
		size_t left = (size_t)(data + length - at);

		end[i] = left > 0 ? memchr(at, '\0', left) : NULL;
		if (end[i] == NULL || end[i] - at >= FIELD_MAX ||
			!fyke_text_is_plain(at, (size_t)(end[i] - at)))
			return false;
		at = end[i] + 1;
	}
	return true;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const uint8_t *data = opening->side[FYKE_CLIENT].data, *end[PARTS];
	size_t length = opening->side[FYKE_CLIENT].length, digits;

	if (length == 0)
		return FYKE_MAYBE;
	if (data[0] != '\0' && fyke_text_number((const char *)data, length, &digits) < 0)
		return FYKE_NO;
	if (!read_parts(data, length, end))
		return opening->complete ? FYKE_NO : FYKE_MAYBE;
	return opening->on_port && end[1] > end[0] + 1 && end[2] > end[1] + 1 && end[3] > end[2] + 1
		       ? FYKE_YES
		       : FYKE_MAYBE;
}

static struct fyke_verdict feed_client(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	const uint8_t *end = input->length > 0 ? memchr(input->data, '\0', input->length) : NULL;
	size_t length;

	if (state->count == PARTS)
		return fyke_more(input->length);
	if (end == NULL)
		return input->length > FIELD_MAX ? fyke_done() : fyke_more(0);
	if (state->count == 0)
		state->moment = fyke_now(dissection);
	length = (size_t)(end - input->data);
	fyke_keep(dissection, &state->part[state->count++], input->data, length, FIELD_MAX);
	if (state->count == PARTS)
		fyke_confirm_as(dissection,
			fyke_port_of(dissection, FYKE_SERVER) == 514 || state->part[0].length > 0 ? "rsh"
												  : "rlogin");
	return fyke_more((uint64_t)length + 1);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);

	if (input->side == FYKE_CLIENT)
		return feed_client(dissection, input);
	if (input->length > 0 && !state->answered) {
		state->answered = true;
		state->accepted = input->data[0] == 0;
	}
	return state->count == PARTS && state->answered ? fyke_done() : fyke_more(input->length);
}

static void end(struct fyke_dissection *dissection)
{
	const struct state *state = fyke_state(dissection);
	bool rsh = fyke_port_of(dissection, FYKE_SERVER) == 514 || state->part[0].length > 0;
	struct fyke_value values[FIELD_COUNT] = {{0}};

	if (state->count < PARTS)
		return;
	values[KIND] = fyke_word(rsh ? "rsh" : "rlogin");
	values[CLIENT_USER] = fyke_text_of(&state->part[1]);
	values[SERVER_USER] = fyke_text_of(&state->part[2]);
	values[rsh ? COMMAND : TERMINAL] = fyke_text_of(&state->part[3]);
	values[ACCEPTED] = fyke_integer_if(state->answered, state->accepted);
	fyke_record_at(dissection, &table, state->moment, values);
}

static const uint16_t ports[] = {513, 514, 0};
static const char *const services[] = {"login", "shell", "rlogin", "rsh", "cmd", NULL};

const struct fyke_dissector fyke_dissector_rlogin = {
	.name = "rlogin",
	.title = "Remote login and shell of BSD, RFC 1282",
	.doc = "Users, terminal or command, and whether the server took them; rsh is told in the same table, "
	       "and as "
	       "content rsh. On their own ports only.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
