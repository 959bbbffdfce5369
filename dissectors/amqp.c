/*
 * AMQP 0-9-1 (RabbitMQ's specification) and 1.0 (OASIS, ISO/IEC 19464): connections with their logins, queues
 * and exchanges, and what messages are sent where. Bodies are counted, not read; of 1.0 the opening only.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum {
	SIDE,
	VERSION,
	MESSAGE,
	CHANNEL,
	MECHANISM,
	USER,
	VHOST,
	QUEUE,
	EXCHANGE,
	ROUTING_KEY,
	BODY_BYTES,
	CODE,
	TEXT,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[SIDE] = {"side", FYKE_TYPE_TEXT, "who sent it: client or server"},
	[VERSION] = {"version", FYKE_TYPE_TEXT, "0-9-1 or 1.0"},
	[MESSAGE] = {"message", FYKE_TYPE_TEXT, "its name: connection.start, basic.publish, open …"},
	[CHANNEL] = {"channel", FYKE_TYPE_INTEGER, "within the connection"},
	[MECHANISM] = {"mechanism", FYKE_TYPE_TEXT, "how the client logs in"},
	[USER] = {"user", FYKE_TYPE_TEXT, "as whom"},
	[VHOST] = {"vhost", FYKE_TYPE_TEXT, "virtual host, of version 1.0 the host name"},
	[QUEUE] = {"queue", FYKE_TYPE_TEXT, "queue, or container of version 1.0"},
	[EXCHANGE] = {"exchange", FYKE_TYPE_TEXT, "exchange"},
	[ROUTING_KEY] = {"routing_key", FYKE_TYPE_TEXT, "where the exchange sends it"},
	[BODY_BYTES] = {"body_bytes", FYKE_TYPE_INTEGER, "of a message: its length"},
	[CODE] = {"reply_code", FYKE_TYPE_INTEGER, "of a closing"},
	[TEXT] = {"reply_text", FYKE_TYPE_TEXT, "likewise"},
};
static const struct fyke_table table = {"amqp", "Connections and messages of AMQP.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	HEADER = 8,
	FRAME_HEADER = 7,
	FRAME_END = 0xce,
	METHOD = 1,
	CONTENT = 2,
	BODY = 3,
	HEARTBEAT = 8,
	ROWS_MAX = 10000,
	NAME_MAX_BYTES = 255,
	SECRET_MAX = 512,
	METHOD_MAX = 128 * 1024,
	ONE_HEADER = 8,
	ITEMS_MAX = 64
};

struct state {
	bool is_one, wants_tls[2], heard[2]; /* version 1.0; a protocol header of the side was read */
	unsigned rows;
	struct fyke_text mechanism, user, secret;
	struct fyke_text exchange[2], key[2];
	struct fyke_moment message_begun[2];
	uint16_t message_method[2], message_channel[2];
	bool has_message[2];
};

static bool is_header(const uint8_t *data, size_t length)
{
	return memcmp(data, "AMQP", length < 4 ? length : 4) == 0;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const uint8_t *client = opening->side[FYKE_CLIENT].data;
	size_t length = opening->side[FYKE_CLIENT].length;

	if (length == 0)
		return opening->side[FYKE_SERVER].length > 0 ? FYKE_NO : FYKE_MAYBE;
	if (!is_header(client, length))
		return FYKE_NO;
	return length >= 5 && client[4] <= 3 ? FYKE_YES : FYKE_MAYBE;
}

static void tell_at(struct fyke_dissection *dissection, struct fyke_moment moment, enum fyke_side side,
	struct fyke_value values[FIELD_COUNT])
{
	struct state *state = fyke_state(dissection);

	values[SIDE] = fyke_word(side == FYKE_CLIENT ? "client" : "server");
	values[VERSION] = fyke_word(state->is_one ? "1.0" : "0-9-1");
	if (++state->rows <= ROWS_MAX)
		fyke_record_at(dissection, &table, moment, values);
}

/* PLAIN (RFC 4616): nothing or another identity, name and password between NULs. */
static void take_plain(struct fyke_dissection *dissection, const uint8_t *data, size_t length)
{
	struct state *state = fyke_state(dissection);
	const uint8_t *user = memchr(data, '\0', length), *secret, *end = data + length;

	if (user == NULL)
		return;
	user++;
	secret = memchr(user, '\0', (size_t)(end - user));
	if (secret == NULL)
		return;
	fyke_keep(dissection, &state->user, user, (size_t)(secret - user), NAME_MAX_BYTES);
	fyke_keep(dissection, &state->secret, secret + 1, (size_t)(end - secret) - 1, SECRET_MAX);
}

static void take_login(
	struct fyke_dissection *dissection, struct fyke_value mechanism, struct fyke_value response)
{
	struct state *state = fyke_state(dissection);

	if (mechanism.kind != FYKE_VALUE_BYTES)
		return;
	fyke_keep(dissection, &state->mechanism, mechanism.bytes, mechanism.length, NAME_MAX_BYTES);
	if (mechanism.length == 5 && memcmp(mechanism.bytes, "PLAIN", 5) == 0 &&
		response.kind == FYKE_VALUE_BYTES)
		take_plain(dissection, (const uint8_t *)response.bytes, response.length);
}

/* What the server's next word says of it. */
static void end_login(struct fyke_dissection *dissection, enum fyke_login login)
{
	struct state *state = fyke_state(dissection);

	if (fyke_text_is_set(&state->user))
		fyke_credential(dissection, &(struct fyke_credential){.mechanism = "PLAIN",
						    .user = fyke_text_of(&state->user),
						    .secret = fyke_text_of(&state->secret),
						    .login = login});
	fyke_drop(dissection, &state->secret);
	fyke_drop(dissection, &state->user);
}

/* ---- 0-9-1 ---- */

static struct fyke_value short_text(struct fyke_cursor *c)
{
	uint8_t length = fyke_cursor_u8(c);

	return fyke_bytes(fyke_cursor_take(c, length), length);
}

static struct fyke_value long_text(struct fyke_cursor *c)
{
	uint32_t length = fyke_cursor_u32(c);

	return fyke_bytes(fyke_cursor_take(c, length), length);
}

/* A field's value of this type is passed over; text is given. */
static struct fyke_value field_value(struct fyke_cursor *c, uint8_t type)
{
	switch (type) {
	case 'S':
	case 'x':
	case 'F':
	case 'A':
		return long_text(c);
	case 't':
	case 'b':
	case 'B':
		fyke_cursor_skip(c, 1);
		break;
	case 'U':
	case 'u':
	case 's':
		fyke_cursor_skip(c, 2);
		break;
	case 'I':
	case 'i':
	case 'f':
		fyke_cursor_skip(c, 4);
		break;
	case 'D':
		fyke_cursor_skip(c, 5);
		break;
	case 'L':
	case 'l':
	case 'T':
	case 'd':
		fyke_cursor_skip(c, 8);
		break;
	case 'V':
		break;
	default:
		fyke_cursor_bad(c);
	}
	return fyke_null();
}

static struct fyke_value find_in_table(struct fyke_cursor c, const char *key, size_t length)
{
	for (int i = 0; i < ITEMS_MAX && fyke_cursor_left(&c) > 0; i++) {
		struct fyke_value name = short_text(&c), value = field_value(&c, fyke_cursor_u8(&c));

		if (name.kind == FYKE_VALUE_BYTES && name.length == length &&
			memcmp(name.bytes, key, length) == 0)
			return value;
	}
	return fyke_null();
}

static void take_start(struct fyke_dissection *dissection, struct fyke_cursor *c, enum fyke_side side)
{
	struct fyke_cursor properties;
	struct fyke_value product;

	if (side == FYKE_SERVER)
		fyke_cursor_skip(c, 2);
	properties = fyke_cursor_carve(c, fyke_cursor_u32(c));
	product = find_in_table(properties, "product", 7);
	if (product.kind == FYKE_VALUE_BYTES)
		fyke_product(dissection, side, product.bytes, product.length);
}

static const char *method_name(uint16_t class, uint16_t method)
{
	static const struct {
		uint16_t class, method;
		const char *name;
	} names[] = {{10, 10, "connection.start"}, {10, 11, "connection.start-ok"},
		{10, 20, "connection.secure"}, {10, 30, "connection.tune"}, {10, 40, "connection.open"},
		{10, 41, "connection.open-ok"}, {10, 50, "connection.close"}, {20, 40, "channel.close"},
		{40, 10, "exchange.declare"}, {40, 20, "exchange.delete"}, {50, 10, "queue.declare"},
		{50, 11, "queue.declare-ok"}, {50, 20, "queue.bind"}, {50, 40, "queue.delete"},
		{60, 20, "basic.consume"}, {60, 40, "basic.publish"}, {60, 50, "basic.return"},
		{60, 60, "basic.deliver"}, {60, 70, "basic.get"}, {60, 71, "basic.get-ok"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].class == class && names[i].method == method)
			return names[i].name;
	}
	return NULL;
}

static void read_arguments(struct fyke_dissection *dissection, enum fyke_side side, uint32_t id,
	struct fyke_cursor *c, struct fyke_value *values)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value response;

	switch (id) {
	case 10 << 16 | 10:
		take_start(dissection, c, side);
		values[MECHANISM] = long_text(c);
		break;
	case 10 << 16 | 11:
		take_start(dissection, c, side);
		values[MECHANISM] = short_text(c);
		response = long_text(c);
		take_login(dissection, values[MECHANISM], response);
		values[USER] = fyke_text_of(&state->user);
		break;
	case 10 << 16 | 30:
		end_login(dissection, FYKE_LOGIN_ACCEPTED);
		break;
	case 10 << 16 | 40:
		values[VHOST] = short_text(c);
		break;
	case 10 << 16 | 50:
	case 20 << 16 | 40:
		values[CODE] = fyke_integer(fyke_cursor_u16(c));
		values[TEXT] = short_text(c);
		if (side == FYKE_SERVER)
			end_login(dissection, FYKE_LOGIN_REFUSED);
		break;
	case 40 << 16 | 10:
	case 40 << 16 | 20:
		fyke_cursor_skip(c, 2);
		values[EXCHANGE] = short_text(c);
		break;
	case 50 << 16 | 20:
		fyke_cursor_skip(c, 2);
		values[QUEUE] = short_text(c);
		values[EXCHANGE] = short_text(c);
		values[ROUTING_KEY] = short_text(c);
		break;
	case 50 << 16 | 11:
		values[QUEUE] = short_text(c);
		break;
	case 50 << 16 | 10:
	case 50 << 16 | 40:
	case 60 << 16 | 20:
	case 60 << 16 | 70:
		fyke_cursor_skip(c, 2);
		values[QUEUE] = short_text(c);
		break;
	default:
		break;
	}
}

/* Methods whose content follows wait for its length. */
static bool take_content_method(struct fyke_dissection *dissection, enum fyke_side side, uint16_t method,
	uint16_t channel, struct fyke_cursor *c)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value exchange, key;

	if (method != 40 && method != 50 && method != 60 && method != 71)
		return false;
	if (method == 40)
		fyke_cursor_skip(c, 2);
	else if (method == 50) {
		fyke_cursor_skip(c, 2);
		(void)short_text(c);
	} else {
		if (method == 60)
			(void)short_text(c);
		fyke_cursor_skip(c, 9);
	}
	exchange = short_text(c);
	key = short_text(c);
	if (!fyke_cursor_ok(c))
		return true;
	fyke_keep(dissection, &state->exchange[side], exchange.bytes, exchange.length, NAME_MAX_BYTES);
	fyke_keep(dissection, &state->key[side], key.bytes, key.length, NAME_MAX_BYTES);
	state->message_begun[side] = fyke_now(dissection);
	state->message_method[side] = method;
	state->message_channel[side] = channel;
	state->has_message[side] = true;
	return true;
}

static void take_method(
	struct fyke_dissection *dissection, enum fyke_side side, uint16_t channel, struct fyke_cursor *c)
{
	uint16_t class = fyke_cursor_u16(c), method = fyke_cursor_u16(c);
	const char *name = method_name(class, method);
	struct fyke_value values[FIELD_COUNT] = {{0}};

	if (name == NULL || !fyke_cursor_ok(c) ||
		(class == 60 && take_content_method(dissection, side, method, channel, c)))
		return;
	values[MESSAGE] = fyke_word(name);
	values[CHANNEL] = fyke_integer(channel);
	read_arguments(dissection, side, (uint32_t) class << 16 | method, c, values);
	tell_at(dissection, fyke_now(dissection), side, values);
}

static void take_content(
	struct fyke_dissection *dissection, enum fyke_side side, uint16_t channel, struct fyke_cursor *c)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT] = {{0}};

	fyke_cursor_skip(c, 4);
	if (!state->has_message[side] || state->message_channel[side] != channel)
		return;
	state->has_message[side] = false;
	values[BODY_BYTES] = fyke_integer((int64_t)(fyke_cursor_u64(c) & INT64_MAX));
	values[MESSAGE] = fyke_word(method_name(60, state->message_method[side]));
	values[CHANNEL] = fyke_integer(channel);
	values[EXCHANGE] = fyke_text_of(&state->exchange[side]);
	values[ROUTING_KEY] = fyke_text_of(&state->key[side]);
	tell_at(dissection, state->message_begun[side], side, values);
}

static struct fyke_verdict feed_frame(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint8_t type = fyke_cursor_u8(&c);
	uint16_t channel = fyke_cursor_u16(&c);
	uint32_t length = fyke_cursor_u32(&c);
	uint64_t whole = (uint64_t)FRAME_HEADER + length + 1;
	struct fyke_cursor body;

	if (!fyke_cursor_ok(&c))
		return fyke_need(0, FRAME_HEADER);
	if (type != METHOD && type != CONTENT && type != BODY && type != HEARTBEAT)
		return fyke_done(); /* astray */
	if (type == BODY || type == HEARTBEAT || length > METHOD_MAX)
		return fyke_more(whole);
	if (input->length < whole)
		return fyke_need(0, (size_t)whole);
	if (input->data[whole - 1] != FRAME_END)
		return fyke_done();
	body = fyke_cursor(c.at, length);
	if (type == METHOD)
		take_method(dissection, input->side, channel, &body);
	else
		take_content(dissection, input->side, channel, &body);
	return fyke_more(whole);
}

/* ---- 1.0 ---- */

/* Text, symbol or bytes (1.6.19 to 1.6.21); other primitives are passed over. */
static struct fyke_value one_value(struct fyke_cursor *c)
{
	uint8_t type = fyke_cursor_u8(c);
	size_t length;

	switch (type >> 4) {
	case 0x4:
		return fyke_null();
	case 0x5:
		fyke_cursor_skip(c, 1);
		return fyke_null();
	case 0x6:
		fyke_cursor_skip(c, 2);
		return fyke_null();
	case 0x7:
		fyke_cursor_skip(c, 4);
		return fyke_null();
	case 0x8:
		fyke_cursor_skip(c, 8);
		return fyke_null();
	case 0x9:
		fyke_cursor_skip(c, 16);
		return fyke_null();
	case 0xa:
	case 0xc:
	case 0xe:
		length = fyke_cursor_u8(c);
		break;
	default:
		length = fyke_cursor_u32(c);
	}
	return type >> 4 == 0xa || type >> 4 == 0xb ? fyke_bytes(fyke_cursor_take(c, length), length)
						    : (fyke_cursor_skip(c, length), fyke_null());
}

static bool enter_list(struct fyke_cursor *c)
{
	switch (fyke_cursor_u8(c)) {
	case 0xc0:
		return fyke_cursor_skip(c, 2);
	case 0xd0:
		return fyke_cursor_skip(c, 8);
	default:
		return false;
	}
}

static void take_performative(
	struct fyke_dissection *dissection, enum fyke_side side, uint16_t channel, struct fyke_cursor *c)
{
	struct fyke_value values[FIELD_COUNT] = {{0}}, response;
	uint8_t code;

	if (fyke_cursor_u16(c) != 0x0053) /* a described value, its descriptor a small number */
		return;
	code = fyke_cursor_u8(c);
	values[CHANNEL] = fyke_integer(channel);
	if (code == 0x41 && enter_list(c)) {
		values[MESSAGE] = fyke_word("sasl-init");
		values[MECHANISM] = one_value(c);
		response = one_value(c);
		take_login(dissection, values[MECHANISM], response);
		values[USER] = fyke_text_of(&((struct state *)fyke_state(dissection))->user);
	} else if (code == 0x44 && enter_list(c)) {
		values[MESSAGE] = fyke_word("sasl-outcome");
		fyke_cursor_skip(c, 1);
		values[CODE] = fyke_integer(fyke_cursor_u8(c));
		end_login(dissection, values[CODE].integer == 0 ? FYKE_LOGIN_ACCEPTED : FYKE_LOGIN_REFUSED);
	} else if (code == 0x10 && enter_list(c)) {
		values[MESSAGE] = fyke_word("open");
		values[QUEUE] = one_value(c);
		values[VHOST] = one_value(c);
	} else if (code == 0x18) {
		values[MESSAGE] = fyke_word("close");
	} else {
		return;
	}
	tell_at(dissection, fyke_now(dissection), side, values);
}

static struct fyke_verdict feed_one(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint32_t length = fyke_cursor_u32(&c);
	uint8_t offset = fyke_cursor_u8(&c), type = fyke_cursor_u8(&c);
	uint16_t channel = fyke_cursor_u16(&c);

	if (!fyke_cursor_ok(&c))
		return fyke_need(0, ONE_HEADER);
	if (length < ONE_HEADER || offset < 2 || type > 1 || (uint32_t)offset * 4 > length)
		return fyke_done(); /* astray */
	if (length > 4096)	    /* a transfer, mostly */
		return fyke_more(length);
	if (input->length < length)
		return fyke_need(0, length);
	c = fyke_cursor(input->data + (size_t)offset * 4, length - (size_t)offset * 4);
	take_performative(dissection, input->side, channel, &c);
	return fyke_more(length);
}

/* "AMQP", what follows (0 AMQP, 2 TLS, 3 SASL; 1 of earlier versions), version. */
static struct fyke_verdict feed_header(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);

	if (input->length < HEADER)
		return fyke_need(0, HEADER);
	state->heard[input->side] = true;
	state->is_one = input->data[5] == 1 && input->data[4] != 1;
	state->wants_tls[input->side] = input->data[4] == 2;
	fyke_confirm(dissection);
	if (state->wants_tls[FYKE_CLIENT] && state->wants_tls[FYKE_SERVER])
		return fyke_becomes(HEADER, "tls");
	return fyke_more(HEADER);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	const struct state *state = fyke_state(dissection);

	if (input->length == 0)
		return fyke_more(0);
	if (is_header(input->data, input->length))
		return feed_header(dissection, input);
	if (!state->heard[FYKE_CLIENT])
		return fyke_not_mine();
	return state->is_one ? feed_one(dissection, input) : feed_frame(dissection, input);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);

	(void)lost;
	state->has_message[input->side] = false;
	return fyke_more(0); /* a segment mostly begins with a frame; what does not look like one ends it */
}

static void end(struct fyke_dissection *dissection)
{
	end_login(dissection, FYKE_LOGIN_UNKNOWN);
}

static const uint16_t ports[] = {5672, 0};
static const char *const services[] = {"amqp", NULL};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("AMQP")};

const struct fyke_dissector fyke_dissector_amqp = {
	.name = "amqp",
	.title = "Advanced Message Queuing Protocol, 0-9-1 and 1.0",
	.doc = "Connections with mechanism, user, virtual host; queues, exchanges; messages with their route "
	       "and length; "
	       "closings with their reason. Of version 1.0 the login, opening and closing. At most 10,000 "
	       "rows a session; "
	       "bodies are not read.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(struct state),
	.buffer_max = METHOD_MAX + FRAME_HEADER + 1, /* methods are read whole */
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
