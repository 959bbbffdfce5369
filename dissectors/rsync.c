/*
 * rsync's daemon: greetings, the module that is asked for, and whether a password was. Behind that the
 * transfer is its own language, which is not read.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum { MODULE, CLIENT_VERSION, SERVER_VERSION, MESSAGE, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[MODULE] = {"module", FYKE_TYPE_TEXT, "what the client wants; #list = the list of modules"},
	[CLIENT_VERSION] = {"client_version", FYKE_TYPE_TEXT, "of the protocol"},
	[SERVER_VERSION] = {"server_version", FYKE_TYPE_TEXT, "of the protocol"},
	[MESSAGE] = {"answer", FYKE_TYPE_TEXT, "OK, AUTHREQD, EXIT or ERROR with its reason"},
};
static const struct fyke_table table = {
	"rsync", "What rsync clients asked daemons for.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum { LINE_MAX_BYTES = 1024 };

static const char word[] = "@RSYNCD: ";

struct state {
	struct fyke_text version[2], module, user;
	struct fyke_moment asked;
	bool wants_login;
};

static bool is_word(const uint8_t *line, size_t length)
{
	return length > sizeof(word) - 1 && memcmp(line, word, sizeof(word) - 1) == 0;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		size_t length = opening->side[side].length;

		if (length > sizeof(word) - 1)
			length = sizeof(word) - 1;
		if (length > 0 && memcmp(opening->side[side].data, word, length) != 0)
			return FYKE_NO;
		if (length == sizeof(word) - 1)
			return FYKE_YES;
	}
	return FYKE_MAYBE;
}

static void tell(struct fyke_dissection *dissection, struct fyke_value answer)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT];

	values[MODULE] = fyke_text_of(&state->module);
	values[CLIENT_VERSION] = fyke_text_of(&state->version[FYKE_CLIENT]);
	values[SERVER_VERSION] = fyke_text_of(&state->version[FYKE_SERVER]);
	values[MESSAGE] = answer;
	fyke_record_at(dissection, &table, state->asked, values);
}

/* "user answer": the answer is a hash, but of a challenge that went by in the clear. */
static void take_login(struct fyke_dissection *dissection, const uint8_t *line, size_t length)
{
	const uint8_t *space = memchr(line, ' ', length);
	size_t user = space != NULL ? (size_t)(space - line) : length;

	fyke_credential(dissection,
		&(struct fyke_credential){.mechanism = "rsync challenge",
			.user = fyke_bytes(line, user),
			.secret = space != NULL ? fyke_bytes(space + 1, length - user - 1) : fyke_null()});
}

static bool take_client(struct fyke_dissection *dissection, const uint8_t *line, size_t length)
{
	struct state *state = fyke_state(dissection);

	if (!fyke_text_is_set(&state->version[FYKE_CLIENT])) {
		if (!is_word(line, length))
			return false;
		fyke_keep(dissection, &state->version[FYKE_CLIENT], line + sizeof(word) - 1,
			length - sizeof(word) + 1, LINE_MAX_BYTES);
	} else if (!fyke_text_is_set(&state->module)) {
		fyke_keep(dissection, &state->module, line, length, LINE_MAX_BYTES);
		state->asked = fyke_now(dissection);
	} else if (state->wants_login) {
		state->wants_login = false;
		take_login(dissection, line, length);
	}
	return true;
}

/* True: all is said. */
static bool take_server(struct fyke_dissection *dissection, const uint8_t *line, size_t length, bool *mine)
{
	struct state *state = fyke_state(dissection);

	if (!fyke_text_is_set(&state->version[FYKE_SERVER])) {
		*mine = is_word(line, length);
		if (*mine) {
			fyke_keep(dissection, &state->version[FYKE_SERVER], line + sizeof(word) - 1,
				length - sizeof(word) + 1, LINE_MAX_BYTES);
			fyke_confirm(dissection);
		}
		return false;
	}
	if (length >= 6 && memcmp(line, "@ERROR", 6) == 0) {
		tell(dissection, fyke_bytes(line + 1, length - 1));
		return true;
	}
	if (!is_word(line, length))
		return false; /* the daemon's motto, or its list */
	line += sizeof(word) - 1;
	length -= sizeof(word) - 1;
	if (length >= 8 && memcmp(line, "AUTHREQD", 8) == 0) {
		state->wants_login = true;
		return false;
	}
	tell(dissection, fyke_bytes(line, length));
	return true;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	const uint8_t *newline = input->length > 0 ? memchr(input->data, '\n', input->length) : NULL;
	size_t length;
	bool mine = true;

	if (newline == NULL)
		return input->length > LINE_MAX_BYTES ? fyke_not_mine() : fyke_more(0);
	length = (size_t)(newline - input->data);
	if (input->side == FYKE_CLIENT)
		mine = take_client(dissection, input->data, length);
	else if (take_server(dissection, input->data, length, &mine))
		return fyke_done();
	return mine ? fyke_more(length + 1) : fyke_not_mine();
}

static const uint16_t ports[] = {873, 0};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("@RSYNCD: ")};

const struct fyke_dissector fyke_dissector_rsync = {
	.name = "rsync",
	.title = "rsync's daemon protocol",
	.doc = "Versions, the module that is asked for, the user where one is, and how the daemon answered. "
	       "The transfer "
	       "itself is not read.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
};
