/*
 * FTP's data connections (RFC 959 §3): known by what the control connection announced. The note is the
 * transfer's command, a blank and its path, or empty.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/line.h"

enum { CONTROL, COMMAND, PATH, SENDER, BYTES, MISSING, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[CONTROL] = {"control_session_id", FYKE_TYPE_SESSION, "the session that announced it"},
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "that it serves; NULL: not seen before it began"},
	[PATH] = {"path", FYKE_TYPE_TEXT, "as the command named it"},
	[SENDER] = {"sender", FYKE_TYPE_TEXT, "which side of this session sent the data"},
	[BYTES] = {"data_bytes", FYKE_TYPE_INTEGER, "that were seen"},
	[MISSING] = {"missing_bytes", FYKE_TYPE_INTEGER, "that were not"},
};

static const struct fyke_table table = {"ftp_data", "one row per data connection", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	struct fyke_moment begun;
	struct fyke_file *file;
	enum fyke_side sender;
	int64_t bytes, missing;
	bool any;
};

static struct fyke_word_of command_of(const char *note, size_t length)
{
	return length >= 5 ? (struct fyke_word_of){note, 4} : (struct fyke_word_of){NULL, 0};
}

static bool moves_file(struct fyke_word_of command)
{
	return command.length == 0 || fyke_text_is(command.text, command.length, "RETR") ||
	       fyke_text_is(command.text, command.length, "STOR") ||
	       fyke_text_is(command.text, command.length, "STOU") ||
	       fyke_text_is(command.text, command.length, "APPE");
}

/* The last part of a path is the file's name. */
static struct fyke_value name_of(const char *path, size_t length)
{
	size_t from = length;

	while (from > 0 && path[from - 1] != '/' && path[from - 1] != '\\')
		from--;
	return length > from ? fyke_bytes(path + from, length - from) : fyke_null();
}

static void begin(struct fyke_dissection *dissection, enum fyke_side sender)
{
	struct state *state = fyke_state(dissection);
	size_t length;
	const char *note = fyke_expected_note(dissection, &length);
	struct fyke_word_of command = command_of(note, length);
	const struct fyke_file_about about = {.sender = sender,
		.name = length > 5 ? name_of(note + 5, length - 5) : fyke_null(),
		.size = -1};

	state->any = true;
	state->sender = sender;
	state->begun = fyke_now(dissection);
	fyke_confirm(dissection);
	if (moves_file(command))
		state->file = fyke_file_begin(dissection, &about);
}

/* A TLS handshake's first record (RFC 4217 protects data connections so). */
static bool is_tls(const struct fyke_input *input)
{
	return input->length >= 6 && input->data[0] == 0x16 && input->data[1] == 3 && input->data[2] <= 4 &&
	       input->data[5] <= 2;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);

	if (input->length > 0 && !state->any) {
		if (is_tls(input)) {
			fyke_confirm(dissection);
			return fyke_becomes(0, "tls");
		}
		if (input->length < 6 && !input->end)
			return fyke_need(0, 6);
		begin(dissection, input->side);
	}
	if (input->length > 0) {
		state->bytes += (int64_t)input->length;
		fyke_file_data(dissection, state->file, input->data, input->length);
	}
	if (input->end && state->any && input->side == state->sender) {
		fyke_file_end(dissection, state->file, true);
		state->file = NULL;
	}
	return fyke_more(input->length);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);

	if (!state->any)
		begin(dissection, input->side);
	state->missing += (int64_t)lost;
	fyke_file_missing(dissection, state->file, lost);
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	const struct state *state = fyke_state(dissection);
	size_t length;
	const char *note = fyke_expected_note(dissection, &length);
	struct fyke_word_of command = command_of(note, length);
	struct fyke_value values[FIELD_COUNT];

	if (!state->any)
		return;
	values[CONTROL] = fyke_expected_by(dissection);
	values[COMMAND] = fyke_bytes(command.text, command.length);
	values[PATH] = length > 5 ? fyke_bytes(note + 5, length - 5) : fyke_null();
	values[SENDER] = fyke_word(state->sender == FYKE_CLIENT ? "client" : "server");
	values[BYTES] = fyke_integer(state->bytes);
	values[MISSING] = fyke_integer(state->missing);
	fyke_record_at(dissection, &table, state->begun, values);
}

static const char *const services[] = {"ftp-data", "ftps-data", NULL};

const struct fyke_dissector fyke_dissector_ftp_data = {
	.name = "ftp-data",
	.title = "FTP data connections, RFC 959",
	.doc = "What the control connection announced: the command served, the path, and the file itself. "
	       "Protected ones (RFC 4217) go on as TLS.",
	.transports = FYKE_OVER_TCP,
	.services = services,
	.tables = tables,
	.state_size = sizeof(struct state),
	.feed = feed,
	.gap = gap,
	.end = end,
};
