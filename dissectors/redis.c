/*
 * Redis (RESP 2 and 3, redis.io/docs/reference/protocol-spec): commands and their replies, in order. Values
 * are cut at 256 bytes and skipped behind that. Inline commands are read too; what is pushed to subscribers
 * is passed over.
 */
#include "dissectors/dissector.h"

#include <ctype.h>
#include <string.h>

enum {
	LINE_MAX = 512,
	VALUE_MAX = 256,
	TEXT_MAX = 512,
	DEPTH_MAX = 16,
	PENDING = 32,
	ARGUMENTS_MAX = 1 << 20,
	BULK_MAX = 512 << 20
};

enum { COMMAND, KEY, VALUE, ARGUMENTS, REPLY, SUCCESS, RTT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "in upper case"},
	[KEY] = {"key", FYKE_TYPE_TEXT, "its first argument, where that is a key"},
	[VALUE] = {"value", FYKE_TYPE_TEXT, "its second argument, where the first is a key"},
	[ARGUMENTS] = {"arguments", FYKE_TYPE_TEXT, "the others, joined by spaces; secrets are ***"},
	[REPLY] = {"reply", FYKE_TYPE_TEXT, "what came back; arrays in brackets"},
	[SUCCESS] = {"success", FYKE_TYPE_BOOLEAN, "no error; NULL = no reply was seen or is due"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from command to reply"},
};

static const struct fyke_table table = {"redis", "one row per command with its reply", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct command {
	struct fyke_moment moment;
	bool login;
	uint32_t count; /* of arguments, the name among them */
	struct fyke_text name, key, value, arguments, user, secret;
};

struct value { /* one that is being read: places in nested arrays */
	uint64_t left[DEPTH_MAX];
	unsigned depth;
	uint32_t attributes; /* levels that are attributes: not shown, and no elements of what is around them
			      */
	bool error, push, told_first;
	uint64_t cut; /* bytes of a string that did not fit */
	struct fyke_text text;
};

struct state {
	struct command commands[PENDING]; /* oldest first */
	size_t count;
	uint64_t left; /* arguments of the command that is being read */
	struct command reading;
	struct value value;
	uint64_t skip[2];	       /* rest of a long string */
	bool subscribed, off, lost[2]; /* off: CLIENT REPLY OFF */
	unsigned unanswered;	       /* CLIENT REPLY SKIP: commands that get no reply */
};

static bool is(const struct fyke_text *text, const char *word, size_t length)
{
	return text->length == length && strncasecmp(text->bytes, word, length) == 0;
}

#define IS(text, word) is(text, word, sizeof(word) - 1)

static bool has_key(const struct fyke_text *name)
{
	static const char *const keyless[] = {"AUTH", "HELLO", "PING", "ECHO", "CLIENT", "CONFIG", "PUBLISH",
		"SPUBLISH", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE",
		"SUNSUBSCRIBE", "SELECT", "INFO", "COMMAND", "ACL", "CLUSTER", "SCRIPT", "EVAL", "EVALSHA",
		"FUNCTION", "FCALL", "REPLCONF", "PSYNC", "SYNC", "SLAVEOF", "REPLICAOF", "MODULE", "SCAN",
		"KEYS", "MEMORY", "OBJECT", "DEBUG", "LATENCY", "SLOWLOG", "SENTINEL", "MIGRATE", "PUBSUB",
		"XREAD", "XREADGROUP", "SHUTDOWN", "FLUSHALL", "FLUSHDB", "WAIT", "MONITOR", "CF.RESERVE"};

	for (size_t i = 0; i < sizeof(keyless) / sizeof(keyless[0]); i++) {
		if (is(name, keyless[i], __builtin_strlen(keyless[i])))
			return false;
	}
	return true;
}

static void drop(struct fyke_dissection *dissection, struct command *command)
{
	fyke_drop(dissection, &command->name);
	fyke_drop(dissection, &command->key);
	fyke_drop(dissection, &command->value);
	fyke_drop(dissection, &command->arguments);
	fyke_drop(dissection, &command->user);
	fyke_drop(dissection, &command->secret);
	*command = (struct command){0};
}

static void tell(struct fyke_dissection *dissection, struct command *command, const struct value *reply)
{
	struct fyke_value values[FIELD_COUNT];
	struct fyke_credential credential = {.mechanism = "AUTH",
		.user = fyke_text_of(&command->user),
		.secret = fyke_text_of(&command->secret),
		.login = reply == NULL	? FYKE_LOGIN_UNKNOWN
			 : reply->error ? FYKE_LOGIN_REFUSED
					: FYKE_LOGIN_ACCEPTED};

	values[COMMAND] = fyke_text_of(&command->name);
	values[KEY] = fyke_text_of(&command->key);
	values[VALUE] = fyke_text_of(&command->value);
	values[ARGUMENTS] = fyke_text_of(&command->arguments);
	values[REPLY] = reply != NULL ? fyke_text_of(&reply->text) : fyke_null();
	values[SUCCESS] = fyke_integer_if(reply != NULL, reply != NULL && !reply->error);
	values[RTT] = fyke_integer_if(
		reply != NULL, (fyke_now(dissection).time_ns - command->moment.time_ns) / 1000);
	fyke_record_at(dissection, &table, command->moment, values);
	if (fyke_text_is_set(&command->secret))
		fyke_credential(dissection, &credential);
	drop(dissection, command);
}

static void take_oldest(struct fyke_dissection *dissection, struct state *state, const struct value *reply)
{
	tell(dissection, &state->commands[0], reply);
	state->count--;
	memmove(&state->commands[0], &state->commands[1], state->count * sizeof(state->commands[0]));
	state->commands[state->count] = (struct command){0};
}

/* Which arguments are secret: AUTH's last, HELLO's behind AUTH, what is set as a password. */
static bool is_secret(const struct command *command, const void *bytes, size_t length)
{
	if (IS(&command->name, "AUTH"))
		return true;
	if (IS(&command->name, "ACL"))
		return length > 1 && (*(const char *)bytes == '>' || *(const char *)bytes == '<' ||
					     *(const char *)bytes == '#');
	if (IS(&command->name, "CONFIG"))
		return command->count == 3 && command->arguments.length >= 4 &&
		       (memmem(command->arguments.bytes, command->arguments.length, "requirepass", 11) !=
				       NULL ||
			       memmem(command->arguments.bytes, command->arguments.length, "masterauth",
				       10) != NULL);
	return command->login && command->count >= 3;
}

/* AUTH secret, AUTH user secret, HELLO n AUTH user secret; of the former two the last one counts. */
static void keep_login(
	struct fyke_dissection *dissection, struct command *command, const void *bytes, size_t length)
{
	bool auth = IS(&command->name, "AUTH"), hello = IS(&command->name, "HELLO");

	if (hello && command->count == 2 && length == 4 && strncasecmp(bytes, "AUTH", 4) == 0) {
		command->login = true;
		return;
	}
	if (hello && command->login && command->count == 3)
		fyke_keep(dissection, &command->user, bytes, length, VALUE_MAX);
	if (hello && command->login && command->count == 4)
		fyke_keep(dissection, &command->secret, bytes, length, VALUE_MAX);
	if (!auth)
		return;
	if (command->count == 2)
		fyke_keep(
			dissection, &command->user, command->secret.bytes, command->secret.length, VALUE_MAX);
	fyke_keep(dissection, &command->secret, bytes, length, VALUE_MAX);
}

static void add_argument(
	struct fyke_dissection *dissection, struct command *command, const void *bytes, size_t length)
{
	size_t cut = length < VALUE_MAX ? length : VALUE_MAX;
	struct fyke_value shown;

	if (command->count == 0) {
		fyke_keep(dissection, &command->name, bytes, length, 32);
		for (uint32_t i = 0; i < command->name.length; i++)
			command->name.bytes[i] = (char)toupper((unsigned char)command->name.bytes[i]);
		command->moment = fyke_now(dissection);
		command->count = 1;
		return;
	}
	keep_login(dissection, command, bytes, length);
	if (has_key(&command->name) && command->count <= 2) {
		fyke_keep(dissection, command->count == 1 ? &command->key : &command->value, bytes, cut,
			VALUE_MAX);
	} else {
		shown = is_secret(command, bytes, length) ? fyke_secret(dissection, bytes, cut)
							  : fyke_bytes(bytes, cut);
		if (command->arguments.length > 0)
			fyke_append(dissection, &command->arguments, " ", 1, TEXT_MAX);
		fyke_append(dissection, &command->arguments, shown.bytes, shown.length, TEXT_MAX);
	}
	command->count++;
}

/* CLIENT REPLY ON, OFF, SKIP; true: this command itself gets no reply. */
static bool switch_replies(struct state *state, const struct command *command)
{
	if (state->unanswered > 0)
		state->unanswered--;
	if (!IS(&command->name, "CLIENT") || command->arguments.length < 8 ||
		strncasecmp(command->arguments.bytes, "REPLY ", 6) != 0)
		return state->off;
	if (strncasecmp(command->arguments.bytes + 6, "ON", 2) == 0)
		state->off = false;
	else if (strncasecmp(command->arguments.bytes + 6, "OF", 2) == 0)
		state->off = true;
	else if (!state->off)
		state->unanswered = 1;
	return state->off || state->unanswered > 0;
}

static void finish_command(struct fyke_dissection *dissection, struct state *state)
{
	struct command *command = &state->reading;
	bool skipped = state->unanswered == 1, silent;

	if (command->count == 0)
		return;
	silent = switch_replies(state, command) || skipped;
	if (command->name.length >= 9 &&
		memmem(command->name.bytes, command->name.length, "SUBSCRIBE", 9) != NULL) {
		state->subscribed = true;
		silent = true;
	}
	if (IS(&command->name, "RESET") || IS(&command->name, "MONITOR"))
		state->subscribed = command->name.bytes[0] == 'M';
	if (silent) {
		tell(dissection, command, NULL);
		return;
	}
	if (state->count == PENDING)
		take_oldest(dissection, state, NULL);
	state->commands[state->count++] = *command;
	*command = (struct command){0};
}

static void put(struct fyke_dissection *dissection, struct value *value, const void *bytes, size_t length)
{
	if (value->attributes == 0)
		fyke_append(dissection, &value->text, bytes, length, TEXT_MAX);
}

/* A whole value has been read: it answers the oldest command, unless it was pushed. */
static void finish_value(struct fyke_dissection *dissection, struct state *state)
{
	struct value *value = &state->value;

	if (!value->push && state->count > 0)
		take_oldest(dissection, state, value);
	fyke_drop(dissection, &value->text);
	*value = (struct value){0};
}

/* One element is complete: so may be the arrays around it. */
static void finish_element(struct fyke_dissection *dissection, struct state *state)
{
	struct value *value = &state->value;

	while (value->depth > 0) {
		if (--value->left[value->depth - 1] > 0) {
			put(dissection, value, ", ", 2);
			return;
		}
		value->depth--;
		if ((value->attributes >> value->depth & 1) != 0) {
			value->attributes &= ~(1U << value->depth);
			return;
		}
		put(dissection, value, "]", 1);
	}
	finish_value(dissection, state);
}

static bool begin_array(
	struct fyke_dissection *dissection, struct state *state, int64_t count, bool pairs, bool attribute)
{
	struct value *value = &state->value;

	if (count <= 0 && attribute)
		return true;
	if (count <= 0) {
		put(dissection, value, count < 0 ? "nil" : "[]", count < 0 ? 3 : 2);
		finish_element(dissection, state);
		return true;
	}
	if (value->depth == DEPTH_MAX || count > ARGUMENTS_MAX)
		return false;
	if (attribute)
		value->attributes |= 1U << value->depth;
	put(dissection, value, "[", 1);
	value->left[value->depth++] = (uint64_t)count * (pairs ? 2 : 1);
	return true;
}

static bool number(const char *text, size_t length, int64_t *value)
{
	bool negative = length > 0 && text[0] == '-';

	*value = 0;
	if (length == negative || length > 10U + negative)
		return false;
	for (size_t i = negative; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*value = *value * 10 + (text[i] - '0');
	}
	if (negative)
		*value = -*value;
	return true;
}

/* Where messages to subscribers are arrays (RESP 2), their first word tells. */
static bool is_push(const struct state *state, const char *bytes, size_t length)
{
	static const char *const words[] = {"message", "pmessage", "smessage", "subscribe", "psubscribe",
		"ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe"};

	if (!state->subscribed || state->value.depth != 1)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (length == __builtin_strlen(words[i]) && memcmp(bytes, words[i], length) == 0)
			return true;
	}
	return false;
}

static void string(
	struct fyke_dissection *dissection, struct state *state, const char *bytes, size_t length, bool whole)
{
	struct value *value = &state->value;

	if (!value->told_first && value->attributes == 0)
		value->push |= is_push(state, bytes, length);
	value->told_first |= value->attributes == 0;
	put(dissection, value, bytes, length < VALUE_MAX ? length : VALUE_MAX);
	if (whole)
		finish_element(dissection, state);
}

/* A line of the server's: a simple value, the head of a string (its length in *bulk), or of an array. */
static bool read_reply(struct fyke_dissection *dissection, struct state *state, const char *line,
	size_t length, int64_t *bulk)
{
	bool outermost = state->value.depth == 0;
	int64_t count;

	*bulk = -1;
	state->value.error |= outermost && (line[0] == '-' || line[0] == '!');
	state->value.push |= outermost && line[0] == '>';
	switch (line[0]) {
	case '-':
	case '+':
	case ':':
	case ',':
	case '(':
	case '#':
		string(dissection, state, line + 1, length - 1, true);
		return true;
	case '_':
		string(dissection, state, "nil", 3, true);
		return true;
	case '!':
	case '$':
	case '=':
		if (!number(line + 1, length - 1, &count) || count > BULK_MAX)
			return false;
		if (count < 0)
			string(dissection, state, "nil", 3, true);
		*bulk = count;
		return true;
	case '>':
	case '*':
	case '~':
	case '%':
	case '|':
		return number(line + 1, length - 1, &count) &&
		       begin_array(
			       dissection, state, count, line[0] == '%' || line[0] == '|', line[0] == '|');
	default:
		return false;
	}
}

static const uint8_t *line_end(const uint8_t *data, size_t length)
{
	const uint8_t *end = length > 0 ? memchr(data, '\n', length < LINE_MAX ? length : LINE_MAX) : NULL;

	return end;
}

/* A string of `bulk` bytes behind a line of `head`: all of it or its beginning, and what is left to skip. */
static struct fyke_verdict take_bulk(struct fyke_dissection *dissection, struct state *state,
	const struct fyke_input *input, size_t head, size_t bulk)
{
	const char *bytes = (const char *)input->data + head;
	size_t wanted = bulk < VALUE_MAX ? bulk : VALUE_MAX;

	if (input->length - head < wanted && !input->end)
		return fyke_need(0, head + wanted);
	if (input->length - head < wanted)
		wanted = input->length - head;
	if (input->side == FYKE_CLIENT) {
		add_argument(dissection, &state->reading, bytes, wanted);
		if (--state->left == 0)
			finish_command(dissection, state);
	} else {
		string(dissection, state, bytes, wanted, true);
	}
	return fyke_more((uint64_t)head + bulk + 2);
}

static void read_inline(
	struct fyke_dissection *dissection, struct state *state, const char *line, size_t length)
{
	size_t at = 0;

	while (at < length) {
		size_t begin;

		while (at < length && line[at] == ' ')
			at++;
		begin = at;
		while (at < length && line[at] != ' ')
			at++;
		if (at > begin)
			add_argument(dissection, &state->reading, line + begin, at - begin);
	}
	finish_command(dissection, state);
}

/* Inline commands are typed: their word is ASCII, and nothing of them a control character. */
static bool is_text(const char *line, size_t length)
{
	bool word = true;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)line[i];

		word = word && c != ' ';
		if (c < 0x20 || c == 0x7f || (word && !isalnum(c) && c != '.' && c != '_' && c != '-'))
			return false;
	}
	return true;
}

static struct fyke_verdict take_request(struct fyke_dissection *dissection, struct state *state,
	const struct fyke_input *input, const char *line, size_t length, size_t head)
{
	int64_t count;

	if (state->left > 0) {
		if (length < 2 || line[0] != '$' || !number(line + 1, length - 1, &count) || count < 0 ||
			count > BULK_MAX)
			return fyke_not_mine();
		return take_bulk(dissection, state, input, head, (size_t)count);
	}
	if (length > 0 && line[0] == '*') {
		if (!number(line + 1, length - 1, &count) || count > ARGUMENTS_MAX)
			return fyke_not_mine();
		state->left = count > 0 ? (uint64_t)count : 0;
		drop(dissection, &state->reading);
		return fyke_more(head);
	}
	if (length > 0 && (!isalpha((unsigned char)line[0]) || !is_text(line, length)))
		return fyke_not_mine();
	read_inline(dissection, state, line, length);
	return fyke_more(head);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	const uint8_t *end = line_end(input->data, input->length);
	const char *line = (const char *)input->data;
	size_t length, head;
	int64_t bulk;

	if (end == NULL)
		return input->length >= LINE_MAX ? fyke_not_mine() : fyke_more(0);
	head = (size_t)(end - input->data) + 1;
	length = head - 1;
	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (input->side == FYKE_CLIENT)
		return take_request(dissection, state, input, line, length, head);
	if (length == 0)
		return fyke_not_mine();
	if (line[0] == '$' || line[0] == '=' || line[0] == '!') {
		if (!number(line + 1, length - 1, &bulk) || bulk > BULK_MAX)
			return fyke_not_mine();
		if (bulk >= 0) {
			state->value.error |= line[0] == '!' && state->value.depth == 0;
			return take_bulk(dissection, state, input, head, (size_t)bulk);
		}
	}
	return read_reply(dissection, state, line, length, &bulk) ? fyke_more(head) : fyke_not_mine();
}

static enum fyke_match probe_client(const uint8_t *data, size_t length)
{
	size_t at = 1;

	if (data[0] != '*')
		return isalpha(data[0]) ? FYKE_MAYBE : FYKE_NO;
	while (at < length && at < 8 && isdigit(data[at]))
		at++;
	if (at == length)
		return FYKE_MAYBE;
	if (at == 1 || data[at] != '\r')
		return FYKE_NO;
	if (length < at + 4)
		return FYKE_MAYBE;
	return data[at + 1] == '\n' && data[at + 2] == '$' && isdigit(data[at + 3]) ? FYKE_YES : FYKE_NO;
}

/* Inline commands that others have, too, are Redis' on its own ports. */
static bool is_inline(const uint8_t *data, size_t length)
{
	return length >= 6 && (strncasecmp((const char *)data, "AUTH ", 5) == 0 ||
				      strncasecmp((const char *)data, "PING\r", 5) == 0 ||
				      strncasecmp((const char *)data, "INFO\r", 5) == 0);
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	if (opening->side[FYKE_CLIENT].length > 0)
		match = probe_client(opening->side[FYKE_CLIENT].data, opening->side[FYKE_CLIENT].length);
	if (match == FYKE_MAYBE && opening->side[FYKE_SERVER].length > 0 &&
		memchr("+-:$*_,#!=(%~>|", opening->side[FYKE_SERVER].data[0], 15) == NULL)
		return FYKE_NO;
	if (match == FYKE_MAYBE && opening->on_port &&
		is_inline(opening->side[FYKE_CLIENT].data, opening->side[FYKE_CLIENT].length))
		return FYKE_YES;
	return match;
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	while (state->count > 0)
		take_oldest(dissection, state, NULL);
}

static const uint16_t ports[] = {6379, 6380, 26379, 0};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("*")};

const struct fyke_dissector fyke_dissector_redis = {
	.name = "redis",
	.title = "Redis, RESP 2 and 3",
	.doc = "Commands with key, value and reply. Passwords are credentials and masked. What is pushed to "
	       "subscribers is not told. A "
	       "gap ends it.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(struct state),
	.memory_max = 64 * 1024, /* 32 commands that wait for their replies */
	.probe = probe,
	.feed = feed,
	.end = end,
};
