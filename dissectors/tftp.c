/*
 * TFTP (RFC 1350, options RFC 2347): the request on port 69, and the data session that the server opens to
 * the port that the request came from. One row in each; the file from the session that carries its blocks.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

#include <string.h>

enum {
	READ = 1,
	WRITE,
	DATA,
	ACK,
	ERROR,
	OPTIONS,
	BLOCK_BYTES = 512,
	NAME_MAX_BYTES = 200,
	NOTE_MAX = 240,
	TEXT_MAX = 255
};

enum { OPERATION, FILE_NAME, MODE, BLOCK_SIZE, TRANSFER_BYTES, ERROR_CODE, ERROR_TEXT, REQUEST, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[OPERATION] = {"operation", FYKE_TYPE_TEXT, "read or write; NULL = the request was not seen"},
	[FILE_NAME] = {"file", FYKE_TYPE_TEXT, "what is asked for"},
	[MODE] = {"mode", FYKE_TYPE_TEXT, "octet or netascii"},
	[BLOCK_SIZE] = {"block_bytes", FYKE_TYPE_INTEGER,
		"size of a block, where another than 512 was agreed"},
	[TRANSFER_BYTES] = {"bytes", FYKE_TYPE_INTEGER, "data seen in this session; NULL in the request's"},
	[ERROR_CODE] = {"error_code", FYKE_TYPE_INTEGER, "1 = not found …"},
	[ERROR_TEXT] = {"error", FYKE_TYPE_TEXT, "the same in words"},
	[REQUEST] = {"request_session", FYKE_TYPE_SESSION, "of a data session: the session of its request"},
};

static const struct fyke_table table = {
	"tftp", "one row per request, and one per data session", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	char note[NOTE_MAX]; /* what the data session is told: "read octet name" */
	size_t note_length;
	bool carries_data, ended, has_error;
	struct fyke_moment at;
	struct fyke_file *file;
	enum fyke_side sender;
	uint16_t next, block_size, error;
	int64_t bytes;
	struct fyke_text error_text;
};

/* A string up to its NUL; empty where there is none. */
static struct fyke_cursor string_of(struct fyke_cursor *c)
{
	size_t left = fyke_cursor_left(c);
	const uint8_t *end = left > 0 ? memchr(c->at, 0, left) : NULL;
	struct fyke_cursor text;

	if (end == NULL) {
		(void)fyke_cursor_skip(c, left + 1);
		return fyke_cursor(NULL, 0);
	}
	text = fyke_cursor(c->at, (size_t)(end - c->at));
	(void)fyke_cursor_skip(c, fyke_cursor_left(&text) + 1);
	return text;
}

static bool is_word(const struct fyke_cursor *text, const char *word)
{
	size_t length = __builtin_strlen(word);

	if (fyke_cursor_left(text) != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if ((text->at[i] | 0x20) != word[i])
			return false;
	}
	return true;
}

static bool is_request(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length), name, mode;
	uint16_t operation = fyke_cursor_u16(&c);

	name = string_of(&c);
	mode = string_of(&c);
	return fyke_cursor_ok(&c) && (operation == READ || operation == WRITE) &&
	       fyke_cursor_left(&name) > 0 &&
	       (is_word(&mode, "octet") || is_word(&mode, "netascii") || is_word(&mode, "mail"));
}

static void read_options(struct state *state, struct fyke_cursor c)
{
	while (fyke_cursor_left(&c) > 0 && fyke_cursor_ok(&c)) {
		struct fyke_cursor name = string_of(&c), value = string_of(&c);
		unsigned number = 0;

		while (fyke_cursor_left(&value) > 0 && *value.at >= '0' && *value.at <= '9' &&
			number < 100000)
			number = number * 10 + (unsigned)(fyke_cursor_u8(&value) - '0');
		if (is_word(&name, "blksize") && number >= 8 && number <= 65464)
			state->block_size = (uint16_t)number;
	}
}

/* Of the note; the last goes to its end. */
static struct fyke_value word_of(const struct state *state, int number)
{
	const char *at = state->note, *end = at + state->note_length, *space = NULL;

	for (int i = 0;; i++) {
		space = i < 2 && at < end ? memchr(at, ' ', (size_t)(end - at)) : NULL;
		if (i == number || space == NULL)
			break;
		at = space + 1;
	}
	return at < end ? fyke_bytes(at, (size_t)((space != NULL ? space : end) - at)) : fyke_null();
}

static void tell(struct fyke_dissection *dissection, struct state *state)
{
	struct fyke_value values[FIELD_COUNT] = {{0}};

	values[OPERATION] = word_of(state, 0);
	values[MODE] = word_of(state, 1);
	values[FILE_NAME] = word_of(state, 2);
	values[BLOCK_SIZE] = fyke_integer_if(state->block_size > 0, state->block_size);
	values[TRANSFER_BYTES] = fyke_integer_if(state->carries_data, state->bytes);
	values[ERROR_CODE] = fyke_integer_if(state->has_error, state->error);
	values[ERROR_TEXT] = fyke_text_of(&state->error_text);
	values[REQUEST] = fyke_expected_by(dissection);
	fyke_record_at(dissection, &table, state->at, values);
}

static void take_request(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length), name, mode;
	struct fyke_phrase note = fyke_phrase(state->note, sizeof(state->note));

	if (state->note_length > 0)
		return; /* sent again */
	fyke_phrase_word(&note, fyke_cursor_u16(&c) == READ ? "read " : "write ");
	name = string_of(&c);
	mode = string_of(&c);
	fyke_phrase_add(&note, mode.at, fyke_cursor_left(&mode));
	fyke_phrase_add(&note, " ", 1);
	fyke_phrase_add(&note, name.at,
		fyke_cursor_left(&name) < NAME_MAX_BYTES ? fyke_cursor_left(&name) : NAME_MAX_BYTES);
	state->note_length = note.length;
	fyke_confirm(dissection);
	fyke_expect(dissection, &(struct fyke_expectation){.transport = FYKE_OVER_UDP,
					.ip = *fyke_address_of(dissection, input->side),
					.port = fyke_port_of(dissection, input->side),
					.dissector = "tftp",
					.note = state->note,
					.note_length = state->note_length});
}

static void take_data(struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	size_t length = input->length - 4, block = state->block_size > 0 ? state->block_size : BLOCK_BYTES;
	uint16_t number = (uint16_t)(input->data[2] << 8 | input->data[3]);

	if (!state->carries_data) {
		struct fyke_file_about about = {.sender = input->side, .size = -1};

		about.name = word_of(state, 2);
		state->carries_data = true;
		state->sender = input->side;
		state->file = fyke_file_begin(dissection, &about);
		state->next = 1;
	}
	if (input->side != state->sender || state->ended || (uint16_t)(number - state->next) > 0x7fff)
		return; /* sent again */
	if (number != state->next)
		fyke_file_missing(
			dissection, state->file, (uint64_t)(uint16_t)(number - state->next) * block);
	fyke_file_data(dissection, state->file, input->data + 4, length);
	state->bytes += (int64_t)length;
	state->next = (uint16_t)(number + 1);
	if (length < block && !input->cut) {
		fyke_file_end(dissection, state->file, true);
		state->ended = true;
		state->file = NULL;
	}
}

static void take_error(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data + 2, input->length - 2), text;

	state->error = fyke_cursor_u16(&c);
	text = string_of(&c);
	state->has_error = true;
	if (fyke_cursor_left(&text) > 0)
		fyke_keep(dissection, &state->error_text, text.at, fyke_cursor_left(&text), TEXT_MAX);
}

static void begin(struct fyke_dissection *dissection, struct state *state)
{
	size_t length;
	const void *note = fyke_expected_note(dissection, &length);

	state->at = fyke_now(dissection);
	if (note != NULL && length <= sizeof(state->note)) {
		memcpy(state->note, note, length);
		state->note_length = length;
		fyke_confirm(dissection);
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	uint16_t operation;

	if (input->length < 4)
		return fyke_not_mine();
	if (state->at.frame == 0)
		begin(dissection, state);
	operation = (uint16_t)(input->data[0] << 8 | input->data[1]);
	if (is_request(input->data, input->length))
		take_request(dissection, state, input);
	else if (state->note_length == 0)
		return fyke_not_mine();
	else if (operation == DATA)
		take_data(dissection, state, input);
	else if (operation == ERROR)
		take_error(dissection, state, input);
	else if (operation == OPTIONS)
		read_options(state, fyke_cursor(input->data + 2, input->length - 2));
	else if (operation != ACK)
		return fyke_not_mine();
	return fyke_more(input->length);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	if (state->note_length > 0)
		tell(dissection, state);
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		if (is_request(opening->side[side].data, opening->side[side].length))
			return FYKE_YES;
	}
	return FYKE_NO;
}

static const uint16_t ports[] = {69, 0};
static const char *const services[] = {"tftp", NULL};
static const struct fyke_signature signatures[] = {
	{1U << FYKE_CLIENT, "\0\1", 2}, {1U << FYKE_CLIENT, "\0\2", 2}};

const struct fyke_dissector fyke_dissector_tftp = {
	.name = "tftp",
	.title = "Trivial File Transfer Protocol, RFC 1350",
	.doc = "The request, and the data session that follows it, with the file. A data session whose "
	       "request "
	       "is not in the capture is not known. Names are kept up to 200 bytes.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
