/*
 * QUIC: the handshake as far as its keys are known to everybody, which is the Initial packets. Versions 1
 * (RFC 9000, 9001) and 2 (RFC 9369), drafts from 22 on, mvfst's, and Google's T050 and T051 with TLS; Q043 to
 * Q050 with Google's own crypto: the client's hello.
 *
 * CRYPTO frames of both sides are put together in any order and over any number of packets. The keys follow
 * from the client's first destination id, or, behind a Retry, from that of its next packet.
 *
 * Limits: hellos of at most 16 KiB; what Handshake and 1-RTT packets carry is encrypted. Over with the first
 * 1-RTT packet of the client.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/quic_google.h"
#include "dissectors/shared/quic_packet.h"
#include "dissectors/shared/tls_handshake.h"
#include "dissectors/shared/tls_pieces.h"

#include <stdio.h>
#include <string.h>

enum {
	CRYPTO_MAX = 16 * 1024, /* of one side */
	FRAMES_MAX = 512,	/* of one packet */
	PACKETS_MAX = 16,	/* of one datagram */
	PATIENCE = 64,		/* datagrams until the answer is not waited for any more */
	TEXT_MAX = 256,

	FRAME_PADDING = 0,
	FRAME_PING = 1,
	FRAME_ACK = 2,
	FRAME_ACK_ECN = 3,
	FRAME_CRYPTO = 6,
	FRAME_GOOGLE_CRYPTO = 8,
	FRAME_CLOSE = 0x1c,
	FRAME_CLOSE_APPLICATION = 0x1d,
	USER_AGENT = 0x3129, /* Google's transport parameter */
};

enum {
	VERSION,
	SNI,
	CLIENT_ALPN,
	CIPHER,
	CURVE,
	RESUMED,
	ESTABLISHED,
	HELLO_RETRY,
	RETRY,
	ZERO_RTT,
	SERVER_VERSIONS,
	ECH,
	CLOSE_CODE,
	CLOSE_REASON,
	USER_AGENT_TEXT,
	JA3,
	JA3S,
	JA4,
	CLIENT_DCID,
	CLIENT_SCID,
	SERVER_SCID,
	FIELD_COUNT,
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_TEXT, "the last that both use: 1, 2, draft-29, Q046 …"},
	[SNI] = {"sni", FYKE_TYPE_TEXT, "the name that the client asks for"},
	[CLIENT_ALPN] = {"client_alpn", FYKE_TYPE_TEXT,
		"the protocols that the client offers, joined by commas"},
	[CIPHER] = {"cipher", FYKE_TYPE_TEXT, "agreed on, by IANA's name"},
	[CURVE] = {"curve", FYKE_TYPE_TEXT, "the group of the key exchange, by IANA's name"},
	[RESUMED] = {"resumed", FYKE_TYPE_BOOLEAN, "the handshake took up an earlier session"},
	[ESTABLISHED] = {"established", FYKE_TYPE_BOOLEAN,
		"the client was seen to go on with keys of the finished handshake"},
	[HELLO_RETRY] = {"hello_retry", FYKE_TYPE_BOOLEAN, "the server asked for another ClientHello"},
	[RETRY] = {"retry", FYKE_TYPE_BOOLEAN,
		"the server had the client's address validated by a Retry packet"},
	[ZERO_RTT] = {"zero_rtt", FYKE_TYPE_BOOLEAN, "the client sent data before the handshake was over"},
	[SERVER_VERSIONS] = {"server_versions", FYKE_TYPE_TEXT,
		"those that the server offers when it refuses the client's, joined by commas"},
	[ECH] = {"ech", FYKE_TYPE_BOOLEAN,
		"the client sent an Encrypted Client Hello (or what looks like one)"},
	[CLOSE_CODE] = {"close_code", FYKE_TYPE_INTEGER,
		"why it was closed during the handshake (RFC 9000 §20)"},
	[CLOSE_REASON] = {"close_reason", FYKE_TYPE_TEXT, "the words that stood with it"},
	[USER_AGENT_TEXT] = {"user_agent", FYKE_TYPE_TEXT, "what the client calls itself (Google's)"},
	[JA3] = {"ja3", FYKE_TYPE_TEXT, "fingerprint of the ClientHello"},
	[JA3S] = {"ja3s", FYKE_TYPE_TEXT, "fingerprint of the ServerHello"},
	[JA4] = {"ja4", FYKE_TYPE_TEXT, "fingerprint of the ClientHello"},
	[CLIENT_DCID] = {"client_dcid", FYKE_TYPE_TEXT, "the client's first destination connection id"},
	[CLIENT_SCID] = {"client_scid", FYKE_TYPE_TEXT, "the client's own connection id; empty: it has none"},
	[SERVER_SCID] = {"server_scid", FYKE_TYPE_TEXT, "the server's own connection id"},
};

static const struct fyke_table table = {"quic", "one row per connection's handshake", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct cid {
	uint8_t bytes[FYKE_QUIC_CID_MAX], length;
	bool known;
};

struct state {
	struct fyke_tls_hellos hellos;
	struct fyke_pieces crypto[2]; /* by role: FYKE_CLIENT is who said ClientHello */
	uint32_t read[2];	      /* bytes of them that were messages */
	struct fyke_moment moment;
	uint32_t version;
	struct cid secret; /* that the keys follow from */
	struct cid client_dcid, client_scid, server_scid;
	struct fyke_text server_versions, user_agent, close_reason;
	uint64_t close_code;
	unsigned datagrams;
	enum fyke_side client;
	bool begun, told, established, retry, zero_rtt, closed, opened;
};

/* ---- what is said ---- */

static struct fyke_value hex_of(const struct cid *cid, char text[2 * FYKE_QUIC_CID_MAX + 1])
{
	if (!cid->known)
		return fyke_null();
	for (size_t i = 0; i < cid->length; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", cid->bytes[i]);
	return fyke_bytes(text, (size_t)cid->length * 2);
}

static struct fyke_value text_if(bool known, const char *text)
{
	return known && text[0] != '\0' ? fyke_word(text) : fyke_null();
}

static void fill_hellos(const struct fyke_tls_hellos *hellos, struct fyke_value *values)
{
	bool answered = hellos->has_server || hellos->retry;

	values[SNI] = fyke_text_of(&hellos->sni);
	values[CLIENT_ALPN] = fyke_text_of(&hellos->client_alpn);
	values[CIPHER] = answered ? fyke_word(fyke_tls_cipher_name(hellos->cipher)) : fyke_null();
	values[CURVE] = hellos->group != 0 ? fyke_word(fyke_tls_group_name(hellos->group)) : fyke_null();
	values[RESUMED] = fyke_integer_if(hellos->has_server, hellos->server_pre_shared_key);
	values[HELLO_RETRY] = fyke_integer_if(answered, hellos->retry);
	values[ECH] = fyke_integer_if(hellos->has_client, hellos->ech);
	values[JA3] = text_if(hellos->has_client, hellos->ja3);
	values[JA3S] = text_if(answered, hellos->ja3s);
	values[JA4] = text_if(hellos->has_client, hellos->ja4);
}

static void tell(struct fyke_dissection *dissection, struct state *state)
{
	char version[FYKE_QUIC_VERSION_NAME], ids[3][2 * FYKE_QUIC_CID_MAX + 1];
	struct fyke_value values[FIELD_COUNT] = {{0}};

	if (!state->begun || state->told)
		return;
	state->told = true;
	fill_hellos(&state->hellos, values);
	fyke_quic_version_name(state->version, version);
	values[VERSION] = text_if(state->version != 0, version);
	values[ESTABLISHED] = fyke_integer_if(!fyke_quic_is_google(state->version), state->established);
	values[RETRY] = fyke_integer(state->retry);
	values[ZERO_RTT] = fyke_integer(state->zero_rtt);
	values[SERVER_VERSIONS] = fyke_text_of(&state->server_versions);
	values[CLOSE_CODE] = fyke_integer_if(state->closed, (int64_t)state->close_code);
	values[CLOSE_REASON] = fyke_text_of(&state->close_reason);
	values[USER_AGENT_TEXT] = fyke_text_of(&state->user_agent);
	values[CLIENT_DCID] = hex_of(&state->client_dcid, ids[0]);
	values[CLIENT_SCID] = hex_of(&state->client_scid, ids[1]);
	values[SERVER_SCID] = hex_of(&state->server_scid, ids[2]);
	fyke_record_at(dissection, &table, state->moment, values);
}

static void keep_cid(struct cid *cid, struct fyke_cursor id)
{
	cid->length = (uint8_t)fyke_cursor_left(&id);
	if (cid->length > 0)
		memcpy(cid->bytes, id.at, cid->length);
	cid->known = true;
}

/* ---- hellos ---- */

static void take_user_agent(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor agent)
{
	if (fyke_cursor_left(&agent) == 0)
		return;
	fyke_keep(dissection, &state->user_agent, agent.at, fyke_cursor_left(&agent), TEXT_MAX);
	fyke_product(dissection, state->client, state->user_agent.bytes, state->user_agent.length);
}

/* RFC 9000 §18: id, length, value … */
static void take_parameters(
	struct fyke_dissection *dissection, struct state *state, struct fyke_cursor parameters)
{
	while (fyke_cursor_left(&parameters) > 0) {
		uint64_t id = fyke_quic_varint(&parameters);
		struct fyke_cursor value =
			fyke_cursor_carve(&parameters, (size_t)fyke_quic_varint(&parameters));

		if (!fyke_cursor_ok(&parameters))
			return;
		if (id == USER_AGENT)
			take_user_agent(dissection, state, value);
	}
}

static void take_client_hello(
	struct fyke_dissection *dissection, struct state *state, struct fyke_cursor body)
{
	struct fyke_tls_hello hello;

	if (state->hellos.has_client || !fyke_tls_take_client_hello(dissection, &state->hellos, body, 'q'))
		return;
	if (fyke_tls_client_hello(body.at, fyke_cursor_left(&body), false, &hello))
		take_parameters(dissection, state, hello.quic_parameters);
}

static void take_google_hello(
	struct fyke_dissection *dissection, struct state *state, struct fyke_cursor message)
{
	struct fyke_text *sni = &state->hellos.sni;
	struct fyke_quic_google hello;

	if (!fyke_quic_google_hello(message, &hello))
		return;
	if (fyke_cursor_left(&hello.name) > 0 && !fyke_text_is_set(sni)) {
		fyke_keep(dissection, sni, hello.name.at, fyke_cursor_left(&hello.name), TEXT_MAX);
		fyke_name_server(dissection, sni->bytes, sni->length);
	}
	if (!fyke_text_is_set(&state->user_agent))
		take_user_agent(dissection, state, hello.user_agent);
}

/* Whole messages of the handshake at the front of what is here. */
static void take_messages(struct fyke_dissection *dissection, struct state *state, int role)
{
	struct fyke_cursor c = fyke_pieces_ready(&state->crypto[role]);

	if (fyke_quic_is_google(state->version)) {
		take_google_hello(dissection, state, c);
		return;
	}
	(void)fyke_cursor_skip(&c, state->read[role]);
	while (fyke_cursor_left(&c) >= 4) {
		const uint8_t *begin = c.at;
		uint8_t type = fyke_cursor_u8(&c);
		struct fyke_cursor body = fyke_cursor_carve(&c, fyke_cursor_u24(&c));

		if (!fyke_cursor_ok(&c))
			return;
		if (role == FYKE_CLIENT && type == FYKE_TLS_CLIENT_HELLO)
			take_client_hello(dissection, state, body);
		else if (role == FYKE_SERVER && type == FYKE_TLS_SERVER_HELLO)
			(void)fyke_tls_take_server_hello(dissection, &state->hellos, body);
		state->read[role] += (uint32_t)(c.at - begin);
	}
}

/* ---- frames of Initial packets: RFC 9000 §19 ---- */

static void skip_ack(struct fyke_cursor *c, bool ecn)
{
	uint64_t ranges;

	(void)fyke_quic_varint(c);
	(void)fyke_quic_varint(c);
	ranges = fyke_quic_varint(c);
	(void)fyke_quic_varint(c);
	for (uint64_t i = 0; i < ranges && fyke_cursor_ok(c); i++) {
		(void)fyke_quic_varint(c);
		(void)fyke_quic_varint(c);
	}
	for (int i = 0; ecn && i < 3; i++)
		(void)fyke_quic_varint(c);
}

static void take_close(
	struct fyke_dissection *dissection, struct state *state, struct fyke_cursor *c, bool application)
{
	struct fyke_cursor reason;

	state->closed = true;
	state->close_code = fyke_quic_varint(c);
	if (!application)
		(void)fyke_quic_varint(c); /* frame type */
	reason = fyke_cursor_carve(c, (size_t)fyke_quic_varint(c));
	if (fyke_cursor_left(&reason) > 0)
		fyke_keep(dissection, &state->close_reason, reason.at, fyke_cursor_left(&reason), TEXT_MAX);
}

/* False: the rest is not understood. */
static bool take_frame(
	struct fyke_dissection *dissection, struct state *state, int role, struct fyke_cursor *c)
{
	uint64_t type = fyke_quic_varint(c), offset;
	struct fyke_cursor piece;

	switch (type) {
	case FRAME_PADDING:
	case FRAME_PING:
		return true;
	case FRAME_ACK:
	case FRAME_ACK_ECN:
		skip_ack(c, type == FRAME_ACK_ECN);
		return fyke_cursor_ok(c);
	case FRAME_CRYPTO:
	case FRAME_GOOGLE_CRYPTO:
		offset = fyke_quic_varint(c);
		piece = fyke_cursor_carve(c, (size_t)fyke_quic_varint(c));
		if (fyke_cursor_ok(c))
			(void)fyke_pieces_add(dissection, &state->crypto[role], offset, piece, CRYPTO_MAX);
		return fyke_cursor_ok(c);
	case FRAME_CLOSE:
	case FRAME_CLOSE_APPLICATION:
		take_close(dissection, state, c, type == FRAME_CLOSE_APPLICATION);
		return fyke_cursor_ok(c);
	default:
		return false;
	}
}

static void take_frames(
	struct fyke_dissection *dissection, struct state *state, int role, struct fyke_cursor frames)
{
	for (int i = 0; i < FRAMES_MAX && fyke_cursor_left(&frames) > 0; i++) {
		while (fyke_cursor_left(&frames) > 0 && *frames.at == FRAME_PADDING)
			(void)fyke_cursor_u8(&frames);
		if (fyke_cursor_left(&frames) > 0 && !take_frame(dissection, state, role, &frames))
			break;
	}
	take_messages(dissection, state, role);
}

/* ---- packets ---- */

static bool open_with(struct fyke_dissection *dissection, struct state *state,
	const struct fyke_quic_packet *packet, struct fyke_cursor cid, int role)
{
	struct fyke_quic_keys keys;
	struct fyke_cursor frames;
	uint8_t *out;

	if (!fyke_quic_initial_keys(packet->version, cid, (enum fyke_side)role, &keys))
		return false;
	out = fyke_take(dissection, fyke_cursor_left(&packet->whole));
	if (out == NULL)
		return false;
	frames = fyke_quic_open(&keys, packet->whole, packet->number_at, out);
	if (fyke_cursor_left(&frames) > 0) {
		state->opened = true;
		state->version = packet->version;
		take_frames(dissection, state, role, frames);
	}
	fyke_give(dissection, out);
	return fyke_cursor_left(&frames) > 0;
}

/* The keys that are known, or, of a client, those of its own packet: its first one, or the one behind a
 * Retry. That of a server has no such keys: if it can be opened, the sides are the other way round. */
static void take_initial(struct fyke_dissection *dissection, struct state *state,
	const struct fyke_quic_packet *packet, enum fyke_side side)
{
	int role = side == state->client ? FYKE_CLIENT : FYKE_SERVER;
	struct fyke_cursor secret = fyke_cursor(state->secret.bytes, state->secret.length);

	if (fyke_cursor_left(&packet->whole) == 0)
		return;
	if (state->secret.known && open_with(dissection, state, packet, secret, role))
		return;
	if (role == FYKE_SERVER && state->opened)
		return;
	if (role == FYKE_SERVER) {
		state->client = side;
		if (!open_with(dissection, state, packet, packet->dcid, FYKE_CLIENT)) {
			state->client = fyke_side_other(side);
			return;
		}
	} else if (!open_with(dissection, state, packet, packet->dcid, FYKE_CLIENT)) {
		if (!state->secret.known)
			keep_cid(&state->secret, packet->dcid);
		return;
	}
	keep_cid(&state->secret, packet->dcid);
}

static void take_ids(struct state *state, const struct fyke_quic_packet *packet, enum fyke_side side)
{
	if (side == state->client && !state->client_dcid.known) {
		keep_cid(&state->client_dcid, packet->dcid);
		keep_cid(&state->client_scid, packet->scid);
	} else if (side != state->client) {
		keep_cid(&state->server_scid, packet->scid);
	}
}

static void take_negotiation(
	struct fyke_dissection *dissection, struct state *state, struct fyke_cursor versions)
{
	char name[FYKE_QUIC_VERSION_NAME + 1];

	fyke_drop(dissection, &state->server_versions);
	while (fyke_cursor_left(&versions) >= 4) {
		bool first = !fyke_text_is_set(&state->server_versions);
		size_t length = 0;

		name[0] = ',';
		fyke_quic_version_name(fyke_cursor_u32(&versions), name + 1);
		while (name[length] != '\0')
			length++;
		fyke_append(dissection, &state->server_versions, name + first, length - first, TEXT_MAX);
	}
}

static void begin(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_quic_packet *packet)
{
	if (packet->version != 0 && !state->opened)
		state->version = packet->version;
	if (state->begun)
		return;
	state->begun = true;
	state->moment = fyke_now(dissection);
	fyke_confirm(dissection);
}

/* Google's hello in the clear; nothing more can be read there. */
static bool take_google(struct fyke_dissection *dissection, struct state *state,
	const struct fyke_quic_packet *packet, enum fyke_side side)
{
	struct fyke_quic_google hello;
	struct fyke_cursor message = fyke_quic_google_stream(packet->frames);

	begin(dissection, state, packet);
	take_ids(state, packet, side);
	take_google_hello(dissection, state, message);
	return fyke_quic_google_hello(message, &hello);
}

/* False: the connection has told what it can tell. */
static bool take_packet(struct fyke_dissection *dissection, struct state *state,
	const struct fyke_quic_packet *packet, enum fyke_side side)
{
	if (packet->kind == FYKE_QUIC_NONE)
		return true;
	if (packet->kind == FYKE_QUIC_GOOGLE)
		return !take_google(dissection, state, packet, side);
	if (packet->kind == FYKE_QUIC_SHORT) {
		state->established |= state->begun && side == state->client;
		return !state->established;
	}
	begin(dissection, state, packet);
	if (packet->kind == FYKE_QUIC_NEGOTIATION) {
		take_negotiation(dissection, state, packet->whole);
		return true;
	}
	if (packet->kind == FYKE_QUIC_INITIAL)
		take_initial(dissection, state, packet, side);
	take_ids(state, packet, side);
	state->retry |= packet->kind == FYKE_QUIC_RETRY;
	state->zero_rtt |= packet->kind == FYKE_QUIC_ZERO_RTT;
	return true;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor datagram = fyke_cursor(input->data, input->length);
	bool was_begun = state->begun;

	for (int i = 0; i < PACKETS_MAX && fyke_cursor_left(&datagram) > 0; i++) {
		struct fyke_quic_packet packet = fyke_quic_read(&datagram);

		if (i == 0 && !was_begun && (packet.kind == FYKE_QUIC_NONE || packet.kind == FYKE_QUIC_SHORT))
			return fyke_not_mine();
		if (!take_packet(dissection, state, &packet, input->side))
			return fyke_done();
	}
	if (state->hellos.has_server) {
		fyke_pieces_drop(dissection, &state->crypto[0]);
		fyke_pieces_drop(dissection, &state->crypto[1]);
	}
	return ++state->datagrams >= PATIENCE ? fyke_done() : fyke_more(input->length);
}

static void end(struct fyke_dissection *dissection)
{
	tell(dissection, fyke_state(dissection));
}

static const uint16_t ports[] = {443, 80, 853, 784, 4433, 8443, 8853, 0};
static const char *const services[] = {
	"https", "http", "domain-s", "http-alt", "pcsync-https", "microsoft-ds", NULL};

const struct fyke_dissector fyke_dissector_quic = {
	.name = "quic",
	.title = "QUIC, RFC 9000, 9001 and 9369",
	.doc = "A row per connection: version, names, ALPN, JA3, JA3S, JA4, connection ids, retries. Initial "
	       "packets are "
	       "opened with the keys that everybody can derive; the hellos may lie in any number of packets "
	       "and in "
	       "any order. Versions 1 and 2, drafts from 22 on, Google's T050 and T051, and the clear hello "
	       "of Q043 to "
	       "Q050. The rest is encrypted. A connection that is entered behind its first packets is known "
	       "only "
	       "while long headers go by.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.anywhere = true,
	.tables = tables,
	.state_size = sizeof(struct state),
	.memory_max =
		128 * 1024, /* both sides' hellos, and an Initial packet in a datagram of up to 64 KiB */
	.probe = fyke_quic_probe,
	.feed = feed,
	.end = end,
};
