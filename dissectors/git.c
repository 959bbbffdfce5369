/*
 * Git's own transport (gitprotocol-pack): what the client asks for in its first line, and what the server
 * says of itself in its first.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum { COMMAND, REPOSITORY, HOST, AGENT, REFUSAL, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[COMMAND] = {"command", FYKE_TYPE_TEXT,
		"git-upload-pack (fetch), git-receive-pack (push) or git-upload-archive"},
	[REPOSITORY] = {"repository", FYKE_TYPE_TEXT, "its path on the server"},
	[HOST] = {"host", FYKE_TYPE_TEXT, "the name that the client knows the server by"},
	[AGENT] = {"server_agent", FYKE_TYPE_TEXT, "the server's program"},
	[REFUSAL] = {"error", FYKE_TYPE_TEXT, "why the server refused"},
};
static const struct fyke_table table = {"git", "What Git clients asked servers for.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum { DIGITS = 4, LINE_MAX_BYTES = 65520, TEXT_MAX = 1024 };

struct state {
	struct fyke_text command, repository, host, agent, refusal;
	struct fyke_moment asked;
	bool has_request;
};

/* pkt-line: four hex digits of length, themselves counted. -1: none; 0: not there yet. */
static int line_length(const uint8_t *data, size_t length)
{
	int value = 0;

	if (length < DIGITS)
		return 0;
	for (int i = 0; i < DIGITS; i++) {
		uint8_t c = data[i];
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value > DIGITS && value <= LINE_MAX_BYTES ? value : -1;
}

static bool is_request(const uint8_t *line, size_t length)
{
	static const struct {
		size_t length;
		const char *word;
	} commands[] = {{16, "git-upload-pack "}, {17, "git-receive-pack "}, {19, "git-upload-archive "}};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (length > commands[i].length && memcmp(line, commands[i].word, commands[i].length) == 0)
			return true;
	}
	return false;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const uint8_t *data = opening->side[FYKE_CLIENT].data;
	size_t length = opening->side[FYKE_CLIENT].length;

	if (line_length(data, length) < 0)
		return FYKE_NO;
	if (length < DIGITS + 20)
		return opening->side[FYKE_SERVER].length > 0 ? FYKE_NO : FYKE_MAYBE;
	return is_request(data + DIGITS, length - DIGITS) ? FYKE_YES : FYKE_NO;
}

/* "command path NUL host=name NUL …" */
static bool take_request(struct fyke_dissection *dissection, const uint8_t *line, size_t length)
{
	struct state *state = fyke_state(dissection);
	const uint8_t *space = memchr(line, ' ', length), *end = line + length, *path_end;

	if (!is_request(line, length) || space == NULL)
		return false;
	path_end = memchr(space, '\0', (size_t)(end - space));
	if (path_end == NULL)
		path_end = end;
	fyke_keep(dissection, &state->command, line, (size_t)(space - line), TEXT_MAX);
	fyke_keep(dissection, &state->repository, space + 1, (size_t)(path_end - space) - 1, TEXT_MAX);
	if (end - path_end > 6 && memcmp(path_end + 1, "host=", 5) == 0) {
		const uint8_t *host = path_end + 6, *host_end = memchr(host, '\0', (size_t)(end - host));

		if (host_end == NULL)
			host_end = end;
		fyke_keep(dissection, &state->host, host, (size_t)(host_end - host), TEXT_MAX);
		host_end = memrchr(host, ':', (size_t)(host_end - host));
		fyke_name_server(
			dissection, host, host_end != NULL ? (size_t)(host_end - host) : state->host.length);
	}
	state->has_request = true;
	state->asked = fyke_now(dissection);
	fyke_confirm(dissection);
	return true;
}

/* The first reference has the capabilities behind it, an error begins with ERR. */
static void take_answer(struct fyke_dissection *dissection, const uint8_t *line, size_t length)
{
	static const char word[] = "agent=";
	struct state *state = fyke_state(dissection);
	const uint8_t *agent, *end;

	while (length > 0 && line[length - 1] == '\n')
		length--;
	end = line + length;
	if (length > 4 && memcmp(line, "ERR ", 4) == 0) {
		fyke_keep(dissection, &state->refusal, line + 4, length - 4, TEXT_MAX);
		return;
	}
	agent = memmem(line, length, word, sizeof(word) - 1);
	if (agent == NULL)
		return;
	agent += sizeof(word) - 1;
	length = 0;
	while (agent + length < end && agent[length] > ' ')
		length++;
	fyke_keep(dissection, &state->agent, agent, length, TEXT_MAX);
	fyke_product(dissection, FYKE_SERVER, agent, length);
}

static void tell(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT];

	if (!state->has_request)
		return;
	state->has_request = false;
	values[COMMAND] = fyke_text_of(&state->command);
	values[REPOSITORY] = fyke_text_of(&state->repository);
	values[HOST] = fyke_text_of(&state->host);
	values[AGENT] = fyke_text_of(&state->agent);
	values[REFUSAL] = fyke_text_of(&state->refusal);
	fyke_record_at(dissection, &table, state->asked, values);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	int length = line_length(input->data, input->length);

	if (input->side == FYKE_CLIENT && state->has_request)
		return fyke_more(input->length);
	if (length < 0)
		return fyke_not_mine();
	if (length == 0 || input->length < (size_t)length)
		return fyke_need(0, length == 0 ? DIGITS : (size_t)length);
	if (input->side == FYKE_CLIENT) {
		if (!take_request(dissection, input->data + DIGITS, (size_t)length - DIGITS))
			return fyke_not_mine();
		return fyke_more((uint64_t)length);
	}
	if (!state->has_request)
		return fyke_not_mine();
	take_answer(dissection, input->data + DIGITS, (size_t)length - DIGITS);
	tell(dissection);
	return fyke_done();
}

static const uint16_t ports[] = {9418, 0};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("0"), FYKE_CLIENT_SAYS("1")};

const struct fyke_dissector fyke_dissector_git = {
	.name = "git",
	.title = "Git's own transport (gitprotocol-pack)",
	.doc = "What a client asks for, and what the server is. Git over SSH and HTTP is SSH and HTTP.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = 2,
	.tables = tables,
	.state_size = sizeof(struct state),
	.buffer_max = LINE_MAX_BYTES, /* a line may be so long */
	.probe = probe,
	.feed = feed,
	.end = tell,
};
