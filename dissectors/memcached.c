/*
 * memcached (docs/protocol.txt of its sources; the binary protocol of its wiki): commands and their replies
 * in both protocols, over TCP, and over UDP behind a header of 8 bytes (request, number, total, reserved).
 * Values are skipped. Quiet commands get replies only in some cases: what is not answered has no result. Of a
 * reply of many datagrams the first tells.
 */
#include "dissectors/shared/memcached.h"

#include <string.h>

enum { PENDING = 32, KEYS_MAX = 512, TEXT_MAX = 256, VALUE_MAX = 1024 };
enum { HEAD = FYKE_MEMCACHED_HEAD, UDP_HEAD = 8 };
enum { GET = 0x00, VERSION = 0x0b, STAT = 0x10, SASL_AUTH = 0x21, SASL_STEP = 0x22, TEXT = 0xff };

enum { COMMAND, KEY, ARGUMENTS, BYTES, RESULT, ITEMS, SUCCESS, USER, RTT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[COMMAND] = {"command", FYKE_TYPE_TEXT,
		"in lower case; NULL: it was not seen, and the reply does not tell it"},
	[KEY] = {"key", FYKE_TYPE_TEXT, "the item; several are joined by spaces; of SASL the mechanism"},
	[ARGUMENTS] = {"arguments", FYKE_TYPE_TEXT, "what else stands in a line of the text protocol"},
	[BYTES] = {"value_bytes", FYKE_TYPE_INTEGER, "of values, stored or fetched"},
	[RESULT] = {"result", FYKE_TYPE_TEXT, "the reply's line, or the binary status in words"},
	[ITEMS] = {"items", FYKE_TYPE_INTEGER, "values or lines of statistics that came back"},
	[SUCCESS] = {"success", FYKE_TYPE_BOOLEAN, "done or found; NULL: no reply was seen"},
	[USER] = {"user", FYKE_TYPE_TEXT, "who logs in by SASL PLAIN"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from command to reply"},
};

static const struct fyke_table table = {
	"memcached", "one row per command with its reply", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct command {
	struct fyke_moment moment;
	uint32_t id;	/* opaque, or the request's number in UDP */
	uint8_t opcode; /* TEXT = none */
	bool unseen;
	int64_t bytes; /* -1 = no value */
	struct fyke_text name, key, arguments, user, secret;
};

struct reply {
	int64_t items, bytes;
	bool valued, success; /* valued: bytes counts */
	struct fyke_text result, key;
};

struct state {
	struct command commands[PENDING]; /* oldest first */
	size_t count;
	struct reply reply; /* that is being read */
	struct fyke_lines lines[2];
	bool sure; /* a record was told */
};

static void drop(struct fyke_dissection *dissection, struct command *command)
{
	fyke_drop(dissection, &command->name);
	fyke_drop(dissection, &command->key);
	fyke_drop(dissection, &command->arguments);
	fyke_drop(dissection, &command->user);
	fyke_drop(dissection, &command->secret);
}

static void tell_login(
	struct fyke_dissection *dissection, const struct command *command, const struct reply *reply)
{
	struct fyke_credential credential = {.mechanism = "PLAIN",
		.user = fyke_text_of(&command->user),
		.secret = fyke_text_of(&command->secret),
		.login = reply == NULL	  ? FYKE_LOGIN_UNKNOWN
			 : reply->success ? FYKE_LOGIN_ACCEPTED
					  : FYKE_LOGIN_REFUSED};

	if (fyke_text_is_set(&command->secret))
		fyke_credential_at(dissection, command->moment, &credential);
}

/* The command goes; a reply stays. */
static void tell(struct fyke_dissection *dissection, struct state *state, struct command *command,
	const struct reply *reply)
{
	struct fyke_value values[FIELD_COUNT];
	int64_t bytes = reply != NULL && reply->valued ? reply->bytes : command->bytes;
	int64_t waited = fyke_now(dissection).time_ns - command->moment.time_ns;

	values[COMMAND] = fyke_text_of(&command->name);
	values[KEY] =
		fyke_text_of(fyke_text_is_set(&command->key) || reply == NULL ? &command->key : &reply->key);
	values[ARGUMENTS] = fyke_text_of(&command->arguments);
	values[BYTES] = fyke_integer_if(bytes >= 0, bytes);
	values[RESULT] = reply != NULL ? fyke_text_of(&reply->result) : fyke_null();
	values[ITEMS] = fyke_integer_if(reply != NULL && reply->items > 0, reply != NULL ? reply->items : 0);
	values[SUCCESS] = fyke_integer_if(reply != NULL, reply != NULL && reply->success);
	values[USER] = fyke_text_of(&command->user);
	values[RTT] = fyke_integer_if(reply != NULL && !command->unseen, waited / 1000);
	fyke_record_at(dissection, &table, command->moment, values);
	tell_login(dissection, command, reply);
	state->sure = true;
	drop(dissection, command);
}

/* The first `count` of the waiting go without a reply. */
static void pass_over(struct fyke_dissection *dissection, struct state *state, size_t count)
{
	for (size_t i = 0; i < count; i++)
		tell(dissection, state, &state->commands[i], NULL);
	state->count -= count;
	memmove(&state->commands[0], &state->commands[count], state->count * sizeof(state->commands[0]));
}

static void wait_for_reply(
	struct fyke_dissection *dissection, struct state *state, const struct command *command)
{
	if (state->count == PENDING)
		pass_over(dissection, state, 1);
	state->commands[state->count++] = *command;
}

static void forget_reply(struct fyke_dissection *dissection, struct reply *reply)
{
	fyke_drop(dissection, &reply->result);
	fyke_drop(dissection, &reply->key);
	*reply = (struct reply){0};
}

/* The reply is whole: it answers the command at `at`, or one that was not seen. */
static void answer(struct fyke_dissection *dissection, struct state *state, size_t at, uint8_t opcode)
{
	struct command unseen = {.moment = fyke_now(dissection), .unseen = true, .bytes = -1};
	const char *name = opcode != TEXT ? fyke_memcached_opcode(opcode) : NULL;

	if (at >= state->count) {
		if (name != NULL)
			fyke_keep(dissection, &unseen.name, name, fyke_word_length(name), TEXT_MAX);
		tell(dissection, state, &unseen, &state->reply);
	} else {
		tell(dissection, state, &state->commands[at], &state->reply);
		state->count--;
		memmove(&state->commands[at], &state->commands[at + 1],
			(state->count - at) * sizeof(state->commands[0]));
	}
	forget_reply(dissection, &state->reply);
}

/* ---- the text protocol ---- */

static void join(struct fyke_dissection *dissection, struct fyke_text *text, struct fyke_word_of word)
{
	if (fyke_text_is_set(text))
		fyke_append(dissection, text, " ", 1, KEYS_MAX);
	fyke_append(dissection, text, word.text, word.length, KEYS_MAX);
}

/* False: no command. *silent: no reply comes. */
static bool read_words(struct fyke_dissection *dissection, struct command *command,
	const struct fyke_line *line, bool *silent)
{
	size_t at = 0;
	struct fyke_word_of word = fyke_line_word(line->text, line->length, &at);
	const struct fyke_memcached_verb *verb = fyke_memcached_verb(word);

	if (verb == NULL)
		return false;
	*silent = fyke_memcached_is(word, "quit");
	fyke_keep(dissection, &command->name, word.text, word.length, TEXT_MAX);
	for (unsigned i = 1; at < line->length; i++) {
		word = fyke_line_word(line->text, line->length, &at);
		if (i == verb->key || (i > verb->key && verb->keys)) {
			join(dissection, &command->key, word);
			continue;
		}
		*silent |= fyke_memcached_is(word, "noreply") ||
			   (verb->name[0] == 'm' && fyke_memcached_is(word, "q"));
		if (i == verb->size && (!fyke_memcached_number(word, &command->bytes) ||
					       command->bytes > FYKE_MEMCACHED_BODY))
			return false;
		if (i != verb->size)
			join(dissection, &command->arguments, word);
	}
	return verb->size == 0 || command->bytes >= 0;
}

static struct fyke_verdict take_line(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_line *line, uint32_t id)
{
	struct command command = {.moment = fyke_now(dissection), .id = id, .opcode = TEXT, .bytes = -1};
	uint64_t value;
	bool silent;

	if (line->length == 0)
		return fyke_more(line->consumed);
	if (!read_words(dissection, &command, line, &silent)) {
		drop(dissection, &command);
		return state->sure ? fyke_more(line->consumed) : fyke_not_mine();
	}
	value = command.bytes >= 0 ? (uint64_t)command.bytes + 2 : 0;
	if (silent)
		tell(dissection, state, &command, NULL);
	else
		wait_for_reply(dissection, state, &command);
	return fyke_more(line->consumed + value);
}

/* VALUE key flags bytes, CONFIG name flags bytes, VA bytes: how long what follows is; -1 = no such line. */
static int64_t value_length(
	struct fyke_dissection *dissection, struct reply *reply, const struct fyke_line *line)
{
	size_t at = 0;
	struct fyke_word_of head = fyke_line_word(line->text, line->length, &at), word;
	int64_t length;

	word = fyke_line_word(line->text, line->length, &at);
	if (!fyke_memcached_is(head, "VA")) {
		if (!fyke_text_is_set(&reply->key))
			fyke_keep(dissection, &reply->key, word.text, word.length, FYKE_MEMCACHED_KEY);
		fyke_line_word(line->text, line->length, &at);
		word = fyke_line_word(line->text, line->length, &at);
	}
	if (!fyke_memcached_number(word, &length) || length > FYKE_MEMCACHED_BODY)
		return -1;
	reply->items++;
	reply->bytes += length;
	reply->valued = true;
	return length;
}

static void read_statistic(
	struct fyke_dissection *dissection, struct reply *reply, const struct fyke_line *line)
{
	size_t at = 5;
	struct fyke_word_of name = fyke_line_word(line->text, line->length, &at);

	reply->items++;
	if (fyke_memcached_is(name, "version"))
		fyke_memcached_version(dissection, line->text + at, line->length - at);
}

static void keep_result(
	struct fyke_dissection *dissection, struct reply *reply, const char *text, size_t length)
{
	if (!fyke_text_is_set(&reply->result))
		fyke_keep(dissection, &reply->result, text, length, TEXT_MAX);
}

/* Which of the waiting a line of text answers: the oldest, in UDP that of the same number. Replies of quiet
 * meta commands, which come before MN, answer none (-1). */
static ptrdiff_t answered(
	const struct fyke_dissection *dissection, const struct state *state, uint32_t id, bool mn)
{
	size_t at = 0;
	const struct fyke_text *name = &state->commands[0].name;

	if (fyke_transport_of(dissection) == FYKE_OVER_UDP) {
		while (at < state->count && state->commands[at].id != id)
			at++;
		return (ptrdiff_t)at;
	}
	return state->count > 0 && !mn && name->length == 2 && memcmp(name->bytes, "mn", 2) == 0 ? -1 : 0;
}

static void finish(struct fyke_dissection *dissection, struct state *state, const struct fyke_line *line,
	uint32_t id, size_t word)
{
	struct reply *reply = &state->reply;
	bool missed = line->length == 3 && memcmp(line->text, "END", 3) == 0 && reply->items == 0;
	ptrdiff_t at = answered(dissection, state, id, line->length == 2 && memcmp(line->text, "MN", 2) == 0);

	if (at < 0) {
		forget_reply(dissection, reply);
		return;
	}
	keep_result(dissection, reply, line->text, line->length);
	reply->success = !fyke_memcached_is_failure(word);
	if (missed && (size_t)at < state->count && fyke_text_is_set(&state->commands[at].key))
		reply->success = 0;
	if (line->length > 8 && memcmp(line->text, "VERSION ", 8) == 0)
		fyke_memcached_version(dissection, line->text + 8, line->length - 8);
	answer(dissection, state, (size_t)at, TEXT);
}

static struct fyke_verdict take_reply(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_line *line, uint32_t id)
{
	size_t at = 0, index;
	struct fyke_word_of head = fyke_line_word(line->text, line->length, &at);
	int64_t value = 0;

	index = fyke_memcached_reply(head);
	if (fyke_memcached_is(head, "VALUE") || fyke_memcached_is(head, "VA") ||
		fyke_memcached_is(head, "CONFIG")) {
		value = value_length(dissection, &state->reply, line);
		if (value < 0)
			return state->sure ? fyke_done() : fyke_not_mine();
		keep_result(dissection, &state->reply, head.text, head.length);
		value += 2;
		if (fyke_memcached_is(head, "VA"))
			finish(dissection, state, line, id, index);
	} else if (fyke_memcached_is(head, "STAT") || fyke_memcached_is(head, "ITEM") ||
		   fyke_memcached_is(head, "PREFIX")) {
		keep_result(dissection, &state->reply, head.text, head.length);
		read_statistic(dissection, &state->reply, line);
	} else if (index < FYKE_MEMCACHED_REPLIES || fyke_memcached_number(head, &value)) {
		value = 0;
		finish(dissection, state, line, id, index);
	} else if (!state->sure) {
		return fyke_not_mine();
	}
	return fyke_more(line->consumed + (uint64_t)value);
}

static struct fyke_verdict take_text(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input, uint32_t id)
{
	struct fyke_lines *lines = &state->lines[input->side];
	struct fyke_line line;

	if (!fyke_line_take(lines, input, &line))
		return fyke_line_wait(&line);
	if (fyke_line_is_junk(lines))
		return state->sure ? fyke_line_pass(lines, &line) : fyke_not_mine();
	if (line.cut)
		return fyke_more(line.consumed);
	return input->side == FYKE_CLIENT ? take_line(dissection, state, &line, id)
					  : take_reply(dissection, state, &line, id);
}

/* ---- the binary protocol ---- */

static void read_plain(struct fyke_dissection *dissection, struct command *command,
	const struct fyke_memcached_packet *packet)
{
	struct fyke_word_of user, secret;

	if (!fyke_memcached_plain(packet, &user, &secret))
		return;
	fyke_keep(dissection, &command->user, user.text, user.length, TEXT_MAX);
	fyke_keep(dissection, &command->secret, secret.text, secret.length, TEXT_MAX);
}

static void take_request(
	struct fyke_dissection *dissection, struct state *state, struct fyke_memcached_packet *packet)
{
	struct command command = {
		.moment = fyke_now(dissection), .id = packet->opaque, .opcode = packet->opcode, .bytes = -1};
	uint32_t value = packet->body - packet->key - packet->extras;
	const char *name = fyke_memcached_opcode(packet->opcode);
	const uint8_t *key = fyke_cursor_take(&packet->rest, packet->key);

	fyke_keep(dissection, &command.name, name, fyke_word_length(name), TEXT_MAX);
	if (packet->key > 0 && key != NULL)
		fyke_keep(dissection, &command.key, key, packet->key, FYKE_MEMCACHED_KEY);
	if (packet->opcode == SASL_AUTH && packet->key == 5 && key != NULL && memcmp(key, "PLAIN", 5) == 0)
		read_plain(dissection, &command, packet);
	else if (value > 0 && packet->opcode != SASL_AUTH && packet->opcode != SASL_STEP)
		command.bytes = value;
	wait_for_reply(dissection, state, &command);
}

/* Replies come in order: whatever waits before the one that is answered was quiet. */
static void take_response(
	struct fyke_dissection *dissection, struct state *state, struct fyke_memcached_packet *packet)
{
	struct reply *reply = &state->reply;
	const uint8_t *key = fyke_cursor_take(&packet->rest, packet->key);
	uint32_t value = packet->body - packet->key - packet->extras;
	const char *status = fyke_memcached_status(packet->status);
	size_t left = fyke_cursor_left(&packet->rest), at = 0;

	left = left < value ? left : value;
	if ((packet->opcode == VERSION ||
		    (packet->key == 7 && key != NULL && memcmp(key, "version", 7) == 0)) &&
		packet->status == 0)
		fyke_memcached_version(dissection, packet->rest.at, left);
	if (packet->opcode == STAT && packet->status == 0 && packet->key > 0) {
		reply->items++;
		return;
	}
	if (packet->status == 0 && packet->extras == 4) {
		reply->items = 1;
		reply->bytes = value;
		reply->valued = true;
	}
	while (at < state->count &&
		(state->commands[at].opcode != packet->opcode || state->commands[at].id != packet->opaque))
		at++;
	keep_result(dissection, reply, status, fyke_word_length(status));
	reply->success = packet->status == 0;
	if (packet->key > 0 && key != NULL)
		fyke_keep(dissection, &reply->key, key, packet->key, FYKE_MEMCACHED_KEY);
	if (at < state->count) {
		pass_over(dissection, state, at);
		at = 0;
	}
	answer(dissection, state, at, packet->opcode);
}

static struct fyke_verdict take_binary(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct fyke_memcached_packet packet;
	size_t wanted, value;

	if (!fyke_memcached_packet(input->data, input->length, input->side, &packet))
		return state->sure ? fyke_done() : fyke_not_mine();
	if (input->length < HEAD)
		return input->end ? fyke_done() : fyke_need(0, HEAD);
	value = packet.body < VALUE_MAX ? packet.body : VALUE_MAX;
	wanted = HEAD + value;
	if (input->length < wanted && !input->end && !input->full)
		return fyke_need(0, wanted);
	if (input->side == FYKE_CLIENT)
		take_request(dissection, state, &packet);
	else
		take_response(dissection, state, &packet);
	return fyke_more(HEAD + (uint64_t)packet.body);
}

static struct fyke_verdict take(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input, uint32_t id)
{
	if ((input->data[0] & 0xfe) == 0x80)
		return take_binary(dissection, state, input);
	return take_text(dissection, state, input, id);
}

/* The rest of a datagram is one message, or lines. */
static void take_datagram(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct fyke_input rest = *input;
	struct fyke_verdict verdict;
	uint32_t id = (uint32_t)input->data[0] << 8 | input->data[1];
	uint64_t at = UDP_HEAD;

	rest.end = rest.full = true;
	do {
		rest.data = input->data + at;
		rest.length = input->length - (size_t)at;
		verdict = take(dissection, state, &rest, id);
		at += verdict.consumed;
	} while (verdict.kind == FYKE_MORE && verdict.consumed > 0 && at < input->length);
	state->lines[input->side] = (struct fyke_lines){0};
	if (state->reply.items > 0) { /* its end is in another datagram, or was not captured */
		state->reply.success = true;
		answer(dissection, state, (size_t)answered(dissection, state, id, false), TEXT);
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);

	if (fyke_transport_of(dissection) == FYKE_OVER_TCP)
		return input->length > 0 ? take(dissection, state, input, 0) : fyke_more(0);
	if (input->length <= UDP_HEAD || !fyke_memcached_is_datagram(input->data, input->length))
		return state->sure ? fyke_more(input->length) : fyke_not_mine();
	if (input->data[2] == 0 && input->data[3] == 0)
		take_datagram(dissection, state, input);
	return state->count == 0 ? fyke_rest() : fyke_more(input->length);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	pass_over(dissection, state, state->count);
}

static const uint16_t ports[] = {11211, 0};
static const char *const services[] = {"memcache", "memcached", NULL};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("\x80"), FYKE_SERVER_SAYS("\x81"),
	FYKE_CLIENT_SAYS("set "), FYKE_CLIENT_SAYS("get "), FYKE_CLIENT_SAYS("add "),
	FYKE_CLIENT_SAYS("cas "), FYKE_CLIENT_SAYS("replace "), FYKE_CLIENT_SAYS("prepend "),
	FYKE_CLIENT_SAYS("version"), FYKE_SERVER_SAYS("VALUE "), FYKE_SERVER_SAYS("STAT ")};

const struct fyke_dissector fyke_dissector_memcached = {
	.name = "memcached",
	.title = "memcached, text and binary protocol",
	.doc = "Commands with key, length of the value and result, of both protocols, over TCP and UDP. "
	       "Values are "
	       "not kept. Secrets of SASL PLAIN are credentials; a login by the text protocol looks like any "
	       "set. "
	       "Of replies of many datagrams the first is told. The server's version is its product. A gap "
	       "ends it.",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct state),
	.memory_max = 64 * 1024, /* 32 commands that wait for their replies */
	.probe = fyke_memcached_probe,
	.feed = feed,
	.end = end,
};
