/*
 * SOCKS 4, 4A (Lee; Lee 1996) and 5 (RFC 1928, RFC 1929): what the client asked its proxy for. Where the
 * proxy agreed, what follows is another protocol's. Not read: GSSAPI, the datagrams of UDP ASSOCIATE.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

enum { HOST, PORT, VERSION, COMMAND, USER, REPLY, BOUND_HOST, BOUND_PORT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[HOST] = {"host", FYKE_TYPE_TEXT, "where the client wants to go: address or name"},
	[PORT] = {"port", FYKE_TYPE_INTEGER, "port there"},
	[VERSION] = {"version", FYKE_TYPE_INTEGER, "4 or 5"},
	[COMMAND] = {"command", FYKE_TYPE_TEXT, "connect, bind or associate"},
	[USER] = {"user", FYKE_TYPE_TEXT, "who asks"},
	[REPLY] = {"reply", FYKE_TYPE_TEXT, "what the proxy answered; NULL: nothing"},
	[BOUND_HOST] = {"bound_host", FYKE_TYPE_TEXT, "address that the proxy uses"},
	[BOUND_PORT] = {"bound_port", FYKE_TYPE_INTEGER, "its port"},
};
static const struct fyke_table table = {
	"socks", "What clients asked SOCKS proxies for.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum { NAME_MAX_BYTES = 255, METHOD_PASSWORD = 2, METHOD_GSSAPI = 1, METHOD_NONE = 0xff };
enum { ADDRESS_IPV4 = 1, ADDRESS_NAME = 3, ADDRESS_IPV6 = 4 };

enum phase { GREETING, METHOD, LOGIN, LOGIN_ANSWER, REQUEST, ANSWER };

struct state {
	struct fyke_text host, user, secret;
	struct fyke_moment asked;
	int64_t port;
	uint8_t version, command;
	uint8_t phase; /* what comes next */
	bool has_request;
};

/* One message that is there whole, or SHORT, or BAD. */
static void read_address(struct fyke_cursor *c, struct fyke_phrase *host)
{
	uint8_t type = fyke_cursor_u8(c), length;
	const uint8_t *bytes;

	switch (type) {
	case ADDRESS_IPV4:
		bytes = fyke_cursor_take(c, 4);
		if (bytes != NULL)
			fyke_phrase_ipv4(host, bytes);
		break;
	case ADDRESS_IPV6:
		bytes = fyke_cursor_take(c, 16);
		if (bytes != NULL)
			fyke_phrase_ipv6(host, bytes);
		break;
	case ADDRESS_NAME:
		length = fyke_cursor_u8(c);
		bytes = fyke_cursor_take(c, length);
		if (bytes != NULL)
			fyke_phrase_add(host, bytes, length);
		break;
	default:
		fyke_cursor_bad(c);
	}
}

static const uint8_t *read_string(struct fyke_cursor *c, size_t *length)
{
	const uint8_t *begin = c->at;

	while (fyke_cursor_u8(c) != 0 && fyke_cursor_ok(c)) {
		if (c->at - begin > NAME_MAX_BYTES)
			fyke_cursor_bad(c);
	}
	*length = fyke_cursor_ok(c) ? (size_t)(c->at - begin) - 1 : 0;
	return begin;
}

static const char *command_name(uint8_t command)
{
	static const char *const names[] = {NULL, "connect", "bind", "associate"};

	return command < sizeof(names) / sizeof(names[0]) ? names[command] : NULL;
}

static const char *reply_name(const struct state *state, uint8_t code)
{
	static const char *const five[] = {"succeeded", "general failure", "not allowed",
		"network unreachable", "host unreachable", "connection refused", "TTL expired",
		"command not supported", "address type not supported"};
	static const char *const four[] = {"succeeded", "rejected", "no identd", "identd says another user"};

	if (state->version == 5)
		return code < sizeof(five) / sizeof(five[0]) ? five[code] : "other";
	return code >= 90 && code <= 93 ? four[code - 90] : "other";
}

static void tell(struct fyke_dissection *dissection, const char *reply, struct fyke_value host, int64_t port)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT] = {{0}};

	values[HOST] = fyke_text_of(&state->host);
	values[PORT] = fyke_integer(state->port);
	values[VERSION] = fyke_integer(state->version);
	values[COMMAND] = fyke_word(command_name(state->command));
	values[USER] = fyke_text_of(&state->user);
	values[REPLY] = fyke_word(reply);
	values[BOUND_HOST] = host;
	values[BOUND_PORT] = fyke_integer_if(port >= 0, port);
	state->has_request = false;
	fyke_record_at(dissection, &table, state->asked, values);
}

/* SOCKS 4: 0.0.0.x with x > 0 says that a name follows. */
static enum fyke_fault read_request4(struct fyke_dissection *dissection, struct fyke_cursor *c)
{
	struct state *state = fyke_state(dissection);
	char host[16];
	struct fyke_phrase phrase = fyke_phrase(host, sizeof(host));
	size_t user_length, name_length = 0;
	const uint8_t *ip, *user, *name = NULL;

	fyke_cursor_skip(c, 1);
	state->command = fyke_cursor_u8(c);
	state->port = fyke_cursor_u16(c);
	ip = fyke_cursor_take(c, 4);
	user = read_string(c, &user_length);
	if (ip != NULL && ip[0] == 0 && ip[1] == 0 && ip[2] == 0 && ip[3] != 0)
		name = read_string(c, &name_length);
	if (command_name(state->command) == NULL || state->command == 3)
		fyke_cursor_bad(c);
	if (!fyke_cursor_ok(c))
		return c->fault;
	fyke_phrase_ipv4(&phrase, ip);
	fyke_keep(dissection, &state->host, name != NULL ? (const char *)name : host,
		name != NULL ? name_length : phrase.length, NAME_MAX_BYTES);
	if (user_length > 0)
		fyke_keep(dissection, &state->user, user, user_length, NAME_MAX_BYTES);
	return FYKE_FAULT_NONE;
}

static enum fyke_fault read_request5(struct fyke_dissection *dissection, struct fyke_cursor *c)
{
	struct state *state = fyke_state(dissection);
	char host[NAME_MAX_BYTES];
	struct fyke_phrase phrase = fyke_phrase(host, sizeof(host));

	if (fyke_cursor_u8(c) != 5)
		fyke_cursor_bad(c);
	state->command = fyke_cursor_u8(c);
	if (fyke_cursor_u8(c) != 0 || command_name(state->command) == NULL)
		fyke_cursor_bad(c);
	read_address(c, &phrase);
	state->port = fyke_cursor_u16(c);
	if (fyke_cursor_ok(c))
		fyke_keep(dissection, &state->host, host, phrase.length, NAME_MAX_BYTES);
	return c->fault;
}

static enum fyke_fault read_login(struct fyke_dissection *dissection, struct fyke_cursor *c)
{
	struct state *state = fyke_state(dissection);
	const uint8_t *user, *secret;
	uint8_t user_length, secret_length;

	if (fyke_cursor_u8(c) != 1)
		fyke_cursor_bad(c);
	user_length = fyke_cursor_u8(c);
	user = fyke_cursor_take(c, user_length);
	secret_length = fyke_cursor_u8(c);
	secret = fyke_cursor_take(c, secret_length);
	if (!fyke_cursor_ok(c))
		return c->fault;
	fyke_keep(dissection, &state->user, user, user_length, NAME_MAX_BYTES);
	fyke_keep(dissection, &state->secret, secret, secret_length, NAME_MAX_BYTES);
	return FYKE_FAULT_NONE;
}

static void tell_login(struct fyke_dissection *dissection, bool accepted)
{
	struct state *state = fyke_state(dissection);

	fyke_credential(dissection, &(struct fyke_credential){.mechanism = "SOCKS",
					    .user = fyke_text_of(&state->user),
					    .secret = fyke_text_of(&state->secret),
					    .login = accepted ? FYKE_LOGIN_ACCEPTED : FYKE_LOGIN_REFUSED});
	fyke_drop(dissection, &state->secret);
}

static struct fyke_verdict feed_client(struct fyke_dissection *dissection, struct fyke_cursor *c, size_t all)
{
	struct state *state = fyke_state(dissection);
	enum fyke_fault fault = FYKE_FAULT_NONE;
	uint8_t methods;

	switch ((enum phase)state->phase) {
	case GREETING:
		state->version = all > 0 ? c->at[0] : 0;
		if (state->version == 4) {
			fault = read_request4(dissection, c);
			state->phase = fault == FYKE_FAULT_NONE ? ANSWER : GREETING;
		} else {
			fyke_cursor_skip(c, 1);
			methods = fyke_cursor_u8(c);
			fyke_cursor_skip(c, methods);
			fault = c->fault;
			if (state->version != 5 || (all > 1 && methods == 0))
				fault = FYKE_FAULT_BAD;
			state->phase = fault == FYKE_FAULT_NONE ? METHOD : GREETING;
		}
		break;
	case LOGIN:
		fault = read_login(dissection, c);
		state->phase = fault == FYKE_FAULT_NONE ? LOGIN_ANSWER : LOGIN;
		break;
	case REQUEST:
		fault = read_request5(dissection, c);
		state->phase = fault == FYKE_FAULT_NONE ? ANSWER : REQUEST;
		break;
	default:
		return fyke_wait(0); /* it is the proxy's turn */
	}
	if (fault == FYKE_FAULT_BAD)
		return fyke_not_mine();
	if (fault == FYKE_FAULT_SHORT)
		return fyke_more(0);
	if (state->phase == ANSWER) {
		state->has_request = true;
		state->asked = fyke_now(dissection);
	}
	return fyke_more(all - fyke_cursor_left(c));
}

static struct fyke_verdict answered(struct fyke_dissection *dissection, struct fyke_cursor *c, size_t all)
{
	struct state *state = fyke_state(dissection);
	char host[NAME_MAX_BYTES];
	struct fyke_phrase phrase = fyke_phrase(host, sizeof(host));
	uint8_t version = fyke_cursor_u8(c), code = fyke_cursor_u8(c);
	const uint8_t *ip;
	int64_t port;

	if (state->version == 5) {
		fyke_cursor_skip(c, 1);
		read_address(c, &phrase);
		port = fyke_cursor_u16(c);
	} else {
		port = fyke_cursor_u16(c);
		ip = fyke_cursor_take(c, 4);
		if (ip != NULL)
			fyke_phrase_ipv4(&phrase, ip);
	}
	if ((all > 0 && version != (state->version == 5 ? 5 : 0)) || c->fault == FYKE_FAULT_BAD)
		return fyke_not_mine();
	if (!fyke_cursor_ok(c))
		return fyke_more(0);
	tell(dissection, reply_name(state, code), fyke_phrase_value(&phrase), port);
	if (code != 0 && code != 90)
		return fyke_done();
	return fyke_becomes(all - fyke_cursor_left(c), NULL);
}

static struct fyke_verdict feed_server(struct fyke_dissection *dissection, struct fyke_cursor *c, size_t all)
{
	struct state *state = fyke_state(dissection);
	uint8_t version, answer;

	if (state->phase == ANSWER)
		return answered(dissection, c, all);
	version = fyke_cursor_u8(c);
	answer = fyke_cursor_u8(c);
	if (!fyke_cursor_ok(c))
		return fyke_more(0);
	if (state->phase == METHOD && version == 5) {
		if (answer == METHOD_NONE || answer == METHOD_GSSAPI) {
			fyke_confirm(dissection);
			return fyke_done();
		}
		state->phase = answer == METHOD_PASSWORD ? LOGIN : REQUEST;
		return fyke_more(2);
	}
	if (state->phase != LOGIN_ANSWER)
		return fyke_not_mine();
	tell_login(dissection, answer == 0);
	state->phase = REQUEST;
	return answer == 0 ? fyke_more(2) : fyke_done();
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);

	if (input->length == 0)
		return fyke_more(0);
	return input->side == FYKE_CLIENT ? feed_client(dissection, &c, input->length)
					  : feed_server(dissection, &c, input->length);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	if (state->has_request)
		tell(dissection, NULL, fyke_null(), -1);
}

/* The greeting of SOCKS 5 is little: the answer must agree with it. */
static enum fyke_match probe5(const struct fyke_opening *opening)
{
	const uint8_t *client = opening->side[FYKE_CLIENT].data, *server = opening->side[FYKE_SERVER].data;
	size_t length = opening->side[FYKE_CLIENT].length, answer = opening->side[FYKE_SERVER].length;

	if (length < 2)
		return FYKE_MAYBE;
	if (client[1] == 0 || (size_t)client[1] + 2 > length)
		return client[1] == 0 ? FYKE_NO : FYKE_MAYBE;
	if (answer < 2)
		return FYKE_MAYBE;
	if (server[0] != 5)
		return FYKE_NO;
	for (size_t i = 0; i < client[1]; i++) {
		if (client[2 + i] == server[1])
			return FYKE_YES;
	}
	return server[1] == METHOD_NONE ? FYKE_YES : FYKE_NO;
}

static enum fyke_match probe4(const struct fyke_opening *opening)
{
	const uint8_t *client = opening->side[FYKE_CLIENT].data, *server = opening->side[FYKE_SERVER].data;
	size_t length = opening->side[FYKE_CLIENT].length, answer = opening->side[FYKE_SERVER].length;

	if (length > 1 && client[1] != 1 && client[1] != 2)
		return FYKE_NO;
	if (length < 9 || client[length - 1] != 0 || answer < 8)
		return answer > 0 && server[0] != 0 ? FYKE_NO : FYKE_MAYBE;
	return server[0] == 0 && server[1] >= 90 && server[1] <= 93 ? FYKE_YES : FYKE_NO;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	if (opening->side[FYKE_CLIENT].length == 0)
		return opening->side[FYKE_SERVER].length > 0 ? FYKE_NO : FYKE_MAYBE;
	if (opening->side[FYKE_CLIENT].data[0] == 5)
		return probe5(opening);
	return opening->side[FYKE_CLIENT].data[0] == 4 ? probe4(opening) : FYKE_NO;
}

static const uint16_t ports[] = {1080, 0};
static const char *const services[] = {"socks", NULL};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("\x05"), FYKE_CLIENT_SAYS("\x04")};

const struct fyke_dissector fyke_dissector_socks = {
	.name = "socks",
	.title = "SOCKS 4, 4A and 5, RFC 1928",
	.doc = "What clients ask a proxy for, who they say they are, what it answers. What goes through the "
	       "proxy "
	       "is read as the protocol that it is. Not read: GSSAPI, the datagrams of UDP ASSOCIATE.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 2,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
