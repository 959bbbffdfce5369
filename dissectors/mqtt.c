/*
 * MQTT 3.1, 3.1.1 and 5 (OASIS): connections, what is published, subscriptions. Of a packet at most 8 KiB are
 * read; properties of version 5 are passed over.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum {
	CONNECT = 1,
	CONNACK,
	PUBLISH,
	PUBACK,
	PUBREC,
	PUBREL,
	PUBCOMP,
	SUBSCRIBE,
	SUBACK,
	UNSUBSCRIBE,
	UNSUBACK,
	PINGREQ,
	PINGRESP,
	DISCONNECT,
	AUTH
};
enum { READ_MAX = 8192, NAME_MAX = 256, PAYLOAD_MAX = 128, PENDING = 8, TOPICS_MAX = 1024 };

enum {
	C_PROTOCOL,
	C_VERSION,
	C_CLIENT,
	C_USER,
	C_STATUS,
	C_CODE,
	C_WILL_TOPIC,
	C_WILL,
	C_CLEAN,
	C_ALIVE,
	C_PRESENT,
	C_COUNT
};

static const struct fyke_field connect_fields[C_COUNT] = {
	[C_PROTOCOL] = {"proto_name", FYKE_TYPE_TEXT, "MQTT or MQIsdp"},
	[C_VERSION] = {"proto_version", FYKE_TYPE_TEXT, "3.1, 3.1.1 or 5.0"},
	[C_CLIENT] = {"client_id", FYKE_TYPE_TEXT, "what the client calls itself"},
	[C_USER] = {"user", FYKE_TYPE_TEXT, "who logs in"},
	[C_STATUS] = {"connect_status", FYKE_TYPE_TEXT, "the server's answer; NULL = none was seen"},
	[C_CODE] = {"return_code", FYKE_TYPE_INTEGER, "its number"},
	[C_WILL_TOPIC] = {"will_topic", FYKE_TYPE_TEXT, "what is to be published when the client is gone"},
	[C_WILL] = {"will_payload", FYKE_TYPE_TEXT, "its first 128 bytes"},
	[C_CLEAN] = {"clean_session", FYKE_TYPE_BOOLEAN, "a new session is asked for"},
	[C_ALIVE] = {"keep_alive_s", FYKE_TYPE_INTEGER, "seconds of silence that are allowed"},
	[C_PRESENT] = {"session_present", FYKE_TYPE_BOOLEAN, "the server goes on with an old session"},
};

enum { P_CLIENT, P_RETAIN, P_DUP, P_QOS, P_ID, P_TOPIC, P_PAYLOAD, P_LENGTH, P_COUNT };

static const struct fyke_field publish_fields[P_COUNT] = {
	[P_CLIENT] = {"from_client", FYKE_TYPE_BOOLEAN, "by the client; else the server hands it on"},
	[P_RETAIN] = {"retain", FYKE_TYPE_BOOLEAN, "it is kept for those who subscribe later"},
	[P_DUP] = {"dup", FYKE_TYPE_BOOLEAN, "it may have been sent before"},
	[P_QOS] = {"qos", FYKE_TYPE_INTEGER, "0 at most once, 1 at least once, 2 exactly once"},
	[P_ID] = {"message_id", FYKE_TYPE_INTEGER, "of QoS 1 and 2"},
	[P_TOPIC] = {"topic", FYKE_TYPE_TEXT, "to what"},
	[P_PAYLOAD] = {"payload", FYKE_TYPE_TEXT, "its first 128 bytes"},
	[P_LENGTH] = {"payload_bytes", FYKE_TYPE_INTEGER, "how long it is"},
};

enum { S_ACTION, S_ID, S_TOPICS, S_QOS, S_GRANTED, S_ACK, S_COUNT };

static const struct fyke_field subscribe_fields[S_COUNT] = {
	[S_ACTION] = {"action", FYKE_TYPE_TEXT, "subscribe or unsubscribe"},
	[S_ID] = {"message_id", FYKE_TYPE_INTEGER, "binds request and answer"},
	[S_TOPICS] = {"topics", FYKE_TYPE_TEXT, "joined by |"},
	[S_QOS] = {"qos_levels", FYKE_TYPE_TEXT, "asked for, joined by |"},
	[S_GRANTED] = {"granted_qos_levels", FYKE_TYPE_TEXT,
		"given, joined by |; 128 and above is a refusal"},
	[S_ACK] = {"ack", FYKE_TYPE_BOOLEAN, "it was answered"},
};

static const struct fyke_table connects = {"mqtt_connect", "one row per connection", connect_fields, C_COUNT};
static const struct fyke_table publishes = {"mqtt_publish", "one row per message", publish_fields, P_COUNT};
static const struct fyke_table subscribes = {
	"mqtt_subscribe", "one row per subscription, or end of one", subscribe_fields, S_COUNT};
static const struct fyke_table *const tables[] = {&connects, &publishes, &subscribes, NULL};

struct pending {
	bool open, unsubscribes;
	uint16_t id;
	struct fyke_moment moment;
	struct fyke_text topics, qos;
};

enum { PROOF = 4 };

struct state {
	unsigned unproven;
	bool connecting, has_user, has_password, has_will;
	uint8_t version, flags, next;
	uint16_t alive;
	struct fyke_moment moment;
	struct fyke_text protocol, client, user, password, will_topic, will;
	struct pending pending[PENDING];
};

/* The packet's first byte and length (variable, at most 4 bytes); false: not here or wrong (fault). */
static size_t read_length(struct fyke_cursor *c)
{
	size_t length = 0;

	for (unsigned shift = 0; shift < 28; shift += 7) {
		uint8_t byte = fyke_cursor_u8(c);

		length |= (size_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return length;
	}
	fyke_cursor_bad(c);
	return 0;
}

static struct fyke_cursor string(struct fyke_cursor *c)
{
	return fyke_cursor_carve(c, fyke_cursor_u16(c));
}

static void skip_properties(const struct state *state, struct fyke_cursor *c)
{
	if (state->version >= 5)
		fyke_cursor_skip(c, read_length(c));
}

static void keep(struct fyke_dissection *dissection, struct fyke_text *text, struct fyke_cursor c, size_t max)
{
	if (fyke_cursor_ok(&c))
		fyke_keep(dissection, text, c.at, fyke_cursor_left(&c), max);
}

static const char *status_of(const struct state *state, int code)
{
	static const char *const names[] = {"Connection Accepted", "Unacceptable protocol version",
		"Identifier rejected", "Server unavailable", "Bad user name or password", "Not authorized"};

	if (code < 0)
		return NULL;
	if (state->version >= 5)
		return code == 0      ? "Success"
		       : code == 0x86 ? "Bad user name or password"
		       : code == 0x87 ? "Not authorized"
				      : "Refused";
	return code < 6 ? names[code] : NULL;
}

static void tell_connect(struct fyke_dissection *dissection, struct state *state, int code, int present)
{
	struct fyke_value values[C_COUNT];
	struct fyke_credential credential = {.mechanism = "CONNECT",
		.user = fyke_text_of(&state->user),
		.secret = fyke_text_of(&state->password),
		.login = code < 0    ? FYKE_LOGIN_UNKNOWN
			 : code == 0 ? FYKE_LOGIN_ACCEPTED
				     : FYKE_LOGIN_REFUSED};

	values[C_PROTOCOL] = fyke_text_of(&state->protocol);
	values[C_VERSION] = fyke_word(state->version == 3   ? "3.1"
				      : state->version == 4 ? "3.1.1"
				      : state->version == 5 ? "5.0"
							    : NULL);
	values[C_CLIENT] = fyke_text_of(&state->client);
	values[C_USER] = fyke_text_of(&state->user);
	values[C_STATUS] = fyke_word(status_of(state, code));
	values[C_CODE] = fyke_integer_if(code >= 0, code);
	values[C_WILL_TOPIC] = fyke_text_of(&state->will_topic);
	values[C_WILL] = fyke_text_of(&state->will);
	values[C_CLEAN] = fyke_integer(state->flags >> 1 & 1);
	values[C_ALIVE] = fyke_integer(state->alive);
	values[C_PRESENT] = fyke_integer_if(present >= 0, present);
	fyke_record_at(dissection, &connects, state->moment, values);
	if (fyke_text_is_set(&state->password))
		fyke_credential(dissection, &credential);
	fyke_drop(dissection, &state->password);
	state->connecting = false;
}

static bool read_connect(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	struct fyke_cursor name = string(&c);

	state->version = fyke_cursor_u8(&c) & 0x7f; /* a bridge sets the highest bit */
	state->flags = fyke_cursor_u8(&c);
	state->alive = fyke_cursor_u16(&c);
	skip_properties(state, &c);
	if (!fyke_cursor_ok(&c) || (fyke_cursor_left(&name) != 4 && fyke_cursor_left(&name) != 6))
		return false;
	keep(dissection, &state->protocol, name, NAME_MAX);
	keep(dissection, &state->client, string(&c), NAME_MAX);
	if ((state->flags & 4) != 0) {
		skip_properties(state, &c);
		keep(dissection, &state->will_topic, string(&c), NAME_MAX);
		keep(dissection, &state->will, string(&c), PAYLOAD_MAX);
	}
	if ((state->flags & 0x80) != 0)
		keep(dissection, &state->user, string(&c), NAME_MAX);
	if ((state->flags & 0x40) != 0)
		keep(dissection, &state->password, string(&c), NAME_MAX);
	state->connecting = true;
	state->moment = fyke_now(dissection);
	fyke_confirm(dissection);
	return true;
}

static void read_publish(struct fyke_dissection *dissection, const struct state *state, struct fyke_cursor c,
	const struct fyke_input *input, size_t length)
{
	uint8_t first = input->data[0], qos = first >> 1 & 3;
	size_t begin = (size_t)(c.at - input->data), before;
	struct fyke_cursor topic = string(&c);
	uint16_t id = qos > 0 ? fyke_cursor_u16(&c) : 0;
	struct fyke_value values[P_COUNT];

	skip_properties(state, &c);
	if (!fyke_cursor_ok(&c))
		return;
	before = (size_t)(c.at - input->data) - begin;
	values[P_CLIENT] = fyke_integer(input->side == FYKE_CLIENT);
	values[P_RETAIN] = fyke_integer(first & 1);
	values[P_DUP] = fyke_integer(first >> 3 & 1);
	values[P_QOS] = fyke_integer(qos);
	values[P_ID] = fyke_integer_if(qos > 0, id);
	values[P_TOPIC] = fyke_bytes(topic.at, fyke_cursor_left(&topic));
	values[P_PAYLOAD] =
		fyke_bytes(c.at, fyke_cursor_left(&c) < PAYLOAD_MAX ? fyke_cursor_left(&c) : PAYLOAD_MAX);
	values[P_LENGTH] = fyke_integer((int64_t)(length - before));
	fyke_record(dissection, &publishes, values);
}

static void append_number(struct fyke_dissection *dissection, struct fyke_text *text, uint8_t number)
{
	char digits[3];
	size_t length = 0;

	if (text->length > 0)
		fyke_append(dissection, text, "|", 1, NAME_MAX);
	if (number >= 100)
		digits[length++] = (char)('0' + number / 100);
	if (number >= 10)
		digits[length++] = (char)('0' + number / 10 % 10);
	digits[length++] = (char)('0' + number % 10);
	fyke_append(dissection, text, digits, length, NAME_MAX);
}

static void tell_subscription(
	struct fyke_dissection *dissection, struct pending *pending, const struct fyke_text *granted)
{
	struct fyke_value values[S_COUNT];

	values[S_ACTION] = fyke_word(pending->unsubscribes ? "unsubscribe" : "subscribe");
	values[S_ID] = fyke_integer(pending->id);
	values[S_TOPICS] = fyke_text_of(&pending->topics);
	values[S_QOS] = fyke_text_of(&pending->qos);
	values[S_GRANTED] = granted != NULL ? fyke_text_of(granted) : fyke_null();
	values[S_ACK] = fyke_integer(granted != NULL);
	fyke_record_at(dissection, &subscribes, pending->moment, values);
	fyke_drop(dissection, &pending->topics);
	fyke_drop(dissection, &pending->qos);
	pending->open = false;
}

static void read_subscribe(
	struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c, bool unsubscribes)
{
	struct pending *pending = &state->pending[state->next++ % PENDING];

	if (pending->open)
		tell_subscription(dissection, pending, NULL);
	*pending =
		(struct pending){.open = true, .unsubscribes = unsubscribes, .moment = fyke_now(dissection)};
	pending->id = fyke_cursor_u16(&c);
	skip_properties(state, &c);
	while (fyke_cursor_ok(&c) && fyke_cursor_left(&c) > 0 && pending->topics.length < TOPICS_MAX) {
		struct fyke_cursor topic = string(&c);

		if (!fyke_cursor_ok(&topic))
			break;
		if (pending->topics.length > 0)
			fyke_append(dissection, &pending->topics, "|", 1, TOPICS_MAX);
		fyke_append(dissection, &pending->topics, topic.at, fyke_cursor_left(&topic), TOPICS_MAX);
		if (!unsubscribes)
			append_number(dissection, &pending->qos, fyke_cursor_u8(&c) & 3);
	}
}

static void read_suback(
	struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c, bool unsubscribes)
{
	uint16_t id = fyke_cursor_u16(&c);
	struct fyke_text granted = {0};

	skip_properties(state, &c);
	while (fyke_cursor_ok(&c) && fyke_cursor_left(&c) > 0 && granted.length < NAME_MAX)
		append_number(dissection, &granted, fyke_cursor_u8(&c));
	for (size_t i = 0; i < PENDING; i++) {
		struct pending *pending = &state->pending[i];

		if (pending->open && pending->id == id && pending->unsubscribes == unsubscribes)
			tell_subscription(dissection, pending, &granted);
	}
	fyke_drop(dissection, &granted);
}

/* Flags that a type must have (MQTT 3.1.1 §2.2.2), and the least it holds. */
static bool is_packet(uint8_t first, size_t length, enum fyke_side side)
{
	uint8_t type = first >> 4, flags = first & 15;
	bool client = side == FYKE_CLIENT;

	switch (type) {
	case CONNECT:
		return client && flags == 0 && length >= 10;
	case CONNACK:
		return !client && flags == 0 && length >= 2;
	case PUBLISH:
		return (flags & 6) != 6 && length >= 2;
	case PUBREL:
		return flags == 2 && length >= 2;
	case SUBSCRIBE:
	case UNSUBSCRIBE:
		return client && (flags & 6) == 2 && length >= 4;
	case SUBACK:
		return !client && flags == 0 && length >= 3;
	case UNSUBACK:
		return !client && flags == 0 && length >= 2;
	case PINGREQ:
	case PINGRESP:
		return (type == PINGREQ) == client && flags == 0 && length == 0;
	case DISCONNECT:
	case AUTH:
		return flags == 0 && length < 1024;
	default:
		return flags == 0 && length >= 2 && type != 0;
	}
}

static enum fyke_match fits(const uint8_t *data, size_t length, enum fyke_side side)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint8_t first = fyke_cursor_u8(&c), version;
	size_t whole = read_length(&c), name;

	if (c.fault == FYKE_FAULT_BAD)
		return FYKE_NO;
	if (!fyke_cursor_ok(&c))
		return FYKE_MAYBE;
	if (!is_packet(first, whole, side))
		return FYKE_NO;
	if (first >> 4 == CONNECT) {
		if (fyke_cursor_left(&c) < 9)
			return FYKE_MAYBE;
		name = fyke_cursor_u16(&c);
		version = name == 4 ? c.at[4] : c.at[6];
		return (name == 4 && memcmp(c.at, "MQTT", 4) == 0 && (version == 4 || version == 5)) ||
				       (name == 6 && memcmp(c.at, "MQIsdp", 6) == 0 && (version & 0x7f) == 3)
			       ? FYKE_YES
			       : FYKE_NO;
	}
	return FYKE_MAYBE;
}

/* In the middle: both sides' bytes are whole packets, and one of them is a publication with a topic of text.
 */
static bool is_run(const uint8_t *data, size_t length, enum fyke_side side, bool *topic)
{
	struct fyke_cursor c = fyke_cursor(data, length);

	for (int i = 0; i < 16 && fyke_cursor_left(&c) > 0; i++) {
		uint8_t first = fyke_cursor_u8(&c);
		size_t whole = read_length(&c);
		struct fyke_cursor inside = fyke_cursor_carve(&c, whole), name;

		if (!fyke_cursor_ok(&c) || !is_packet(first, whole, side))
			return false;
		if (first >> 4 != PUBLISH)
			continue;
		name = string(&inside);
		if (!fyke_cursor_ok(&inside) || fyke_cursor_left(&name) < 3)
			return false;
		for (const uint8_t *at = name.at; at < name.end; at++) {
			if (*at < 0x20 || *at > 0x7e)
				return false;
		}
		*topic = true;
	}
	return true;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;
	bool topic = false;

	for (int side = 0; side < 2; side++) {
		enum fyke_match one;

		if (opening->side[side].length == 0)
			continue;
		one = fits(opening->side[side].data, opening->side[side].length, (enum fyke_side)side);
		if (one == FYKE_NO)
			return FYKE_NO;
		if (one == FYKE_YES)
			match = one;
	}
	if (match == FYKE_MAYBE && opening->complete && opening->side[0].length > 0 &&
		opening->side[1].length > 0 &&
		is_run(opening->side[0].data, opening->side[0].length, FYKE_CLIENT, &topic) &&
		is_run(opening->side[1].data, opening->side[1].length, FYKE_SERVER, &topic) && topic)
		return FYKE_YES;
	return match;
}

static void read_packet(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c,
	const struct fyke_input *input, size_t length)
{
	uint8_t present;

	if (!fyke_is_confirmed(dissection) && input->data[0] >> 4 != PUBLISH && ++state->unproven < PROOF)
		return; /* no CONNECT was seen: a few packets in a row must fit */
	switch (input->data[0] >> 4) {
	case CONNACK:
		present = fyke_cursor_u8(&c);
		if (state->connecting)
			tell_connect(dissection, state, fyke_cursor_u8(&c), present & 1);
		break;
	case PUBLISH:
		read_publish(dissection, state, c, input, length);
		break;
	case SUBSCRIBE:
	case UNSUBSCRIBE:
		read_subscribe(dissection, state, c, input->data[0] >> 4 == UNSUBSCRIBE);
		break;
	case SUBACK:
	case UNSUBACK:
		read_suback(dissection, state, c, input->data[0] >> 4 == UNSUBACK);
		break;
	default:
		fyke_confirm(dissection);
		break;
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	size_t length, head, wanted;

	if (input->length == 0)
		return fyke_more(0);
	fyke_cursor_skip(&c, 1);
	length = read_length(&c);
	if (c.fault == FYKE_FAULT_SHORT)
		return input->end ? fyke_more(input->length) : fyke_need(0, input->length + 1);
	if (!fyke_cursor_ok(&c) || !is_packet(input->data[0], length, input->side))
		return fyke_not_mine();
	head = (size_t)(c.at - input->data);
	wanted = head + (length < READ_MAX ? length : READ_MAX);
	if (input->length < wanted && !input->end)
		return fyke_need(0, wanted);
	if (fyke_cursor_left(&c) > length)
		c.end = c.at + length;
	if (input->data[0] >> 4 == CONNECT) {
		if (!read_connect(dissection, state, c))
			return fyke_not_mine();
	} else {
		read_packet(dissection, state, c, input, length);
	}
	return fyke_more((uint64_t)head + length);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	if (state->connecting)
		tell_connect(dissection, state, -1, -1);
	for (size_t i = 0; i < PENDING; i++) {
		if (state->pending[i].open)
			tell_subscription(dissection, &state->pending[i], NULL);
	}
}

static const uint16_t ports[] = {1883, 0};
static const char *const services[] = {"mqtt", "secure-mqtt", NULL};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("\x10"), FYKE_EITHER_SAYS("\x30"),
	FYKE_EITHER_SAYS("\x32"), FYKE_EITHER_SAYS("\x34"), FYKE_EITHER_SAYS("\x31"),
	FYKE_EITHER_SAYS("\x33")};

const struct fyke_dissector fyke_dissector_mqtt = {
	.name = "mqtt",
	.title = "MQTT 3.1, 3.1.1 and 5, OASIS",
	.doc = "Connections with client, user and answer, messages with topic and the beginning of their "
	       "payload, subscriptions. "
	       "Passwords are credentials. Acknowledgements of messages and properties are not told. A gap "
	       "ends it.",
	.transports = FYKE_OVER_TCP,
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
