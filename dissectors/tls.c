/*
 * TLS and SSL over TCP: the handshake as far as it is in the clear. Records: RFC 5246 §6.2, RFC 8446 §5.1;
 * the hello of SSL 2: RFC 5246 Appendix E.2, and SSL 2 itself as far as its ServerHello and the cipher it
 * ends on.
 *
 * Records are taken as they come, in pieces; messages are put together across them. Once both sides have
 * finished the handshake, the rest costs nothing. Behind a gap it goes on within the record if that is known
 * to reach further, else with the next segment that begins like a record.
 *
 * Limits: a message of more than 64 KiB is passed over. Behind a ChangeCipherSpec nothing is readable.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/tls_handshake.h"
#include "dissectors/shared/tls_record.h"

enum {
	MESSAGE_HEADER = 4,
	ALERT_13 = 19, /* alert (2), type (1), tag (16): RFC 8446 §5.2 */
	SSL2_CLIENT_MASTER_KEY = 2,
	SSL2_SERVER_HELLO = 4,
	SSL2_X509 = 1,
};

struct flow {
	uint32_t record_left;  /* bytes of a record of the handshake that are to come */
	uint32_t message_left; /* bytes of a message that are to come */
	uint8_t head[MESSAGE_HEADER], head_length;
	struct fyke_text message;
	bool seen;     /* a record */
	bool encrypts; /* ChangeCipherSpec went by */
	bool finished; /* and a message of the handshake behind it */
	bool astray;   /* no record began where one should */
	bool data;     /* application data went by */
	bool ssl2;
};

struct state {
	struct fyke_tls_handshake handshake;
	struct flow flow[2]; /* by enum fyke_side */
};

/* ---- is it over? ---- */

/* Nothing that was seen of the side speaks against its having turned to encryption. */
static bool may_encrypt(const struct flow *flow)
{
	return flow->encrypts || flow->astray || !flow->seen;
}

/* Until TLS 1.2 both sides' Finished are recognised behind the ChangeCipherSpec, or data that would not
 * flow before them. */
static bool is_established_12(const struct state *state)
{
	const struct flow *flow = state->flow;

	if (!flow[0].encrypts && !flow[1].encrypts)
		return false;
	if (flow[0].finished && flow[1].finished)
		return true;
	return (flow[0].data || flow[1].data) && may_encrypt(&flow[0]) && may_encrypt(&flow[1]);
}

static bool is_over(struct state *state)
{
	if (!fyke_tls_is_13(&state->handshake.hellos) && is_established_12(state))
		state->handshake.established = true;
	return state->handshake.established || (state->flow[0].data && state->flow[1].data);
}

/* In TLS 1.3 the client's first encrypted record behind the ServerHello is its Finished, or what stands
 * before that (a certificate); a lone alert has a length of its own. Data before the ServerHello is early
 * data. */
static void take_data(struct state *state, enum fyke_side side, uint16_t length)
{
	struct fyke_tls_handshake *handshake = &state->handshake;
	bool is_13 = fyke_tls_is_13(&handshake->hellos);
	bool is_client = handshake->begun && side == handshake->client;
	bool early = !handshake->hellos.has_server && handshake->hellos.early_data;

	if (is_client && early)
		return;
	if (is_client && length != ALERT_13 && (is_13 || !handshake->hellos.has_server))
		handshake->established = true;
	state->flow[side].data = true;
}

static struct fyke_verdict verdict(struct state *state, uint64_t consumed)
{
	return is_over(state) ? fyke_done() : fyke_more(consumed);
}

/* ---- messages in records of the handshake ---- */

static void forget_message(struct fyke_dissection *dissection, struct flow *flow)
{
	fyke_drop(dissection, &flow->message);
	flow->head_length = 0;
	flow->message_left = 0;
}

/* Bytes of the message's body; a body that is here whole is looked at where it lies. */
static bool take_body(
	struct fyke_dissection *dissection, struct state *state, enum fyke_side side, struct fyke_cursor *c)
{
	struct flow *flow = &state->flow[side];
	size_t left = fyke_cursor_left(c);
	size_t length = flow->message_left < left ? flow->message_left : left;
	struct fyke_cursor body = fyke_cursor_carve(c, length);
	bool wanted = fyke_tls_wants(flow->head[0]), whole = length == flow->message_left, good = true;

	if (wanted && (!whole || flow->message.length > 0))
		wanted = fyke_append(dissection, &flow->message, body.at, length, FYKE_TLS_MESSAGE_MAX);
	flow->message_left -= (uint32_t)length;
	if (!wanted && fyke_tls_wants(flow->head[0]))
		flow->head[0] = 0xff; /* too long: passed over */
	if (flow->message_left > 0)
		return true;
	if (flow->message.length > 0)
		body = fyke_cursor((const uint8_t *)flow->message.bytes, flow->message.length);
	good = fyke_tls_message(dissection, &state->handshake, side, flow->head[0], body);
	forget_message(dissection, flow);
	return good;
}

static bool begin_message(struct flow *flow, struct fyke_cursor *c)
{
	while (flow->head_length < MESSAGE_HEADER && fyke_cursor_left(c) > 0)
		flow->head[flow->head_length++] = fyke_cursor_u8(c);
	if (flow->head_length < MESSAGE_HEADER)
		return false;
	flow->message_left = (uint32_t)flow->head[1] << 16 | (uint32_t)flow->head[2] << 8 | flow->head[3];
	if (flow->message_left > FYKE_TLS_MESSAGE_MAX)
		flow->head[0] = 0xff;
	return true;
}

/* False: these are no messages of a handshake. */
static bool take_messages(
	struct fyke_dissection *dissection, struct state *state, enum fyke_side side, struct fyke_cursor c)
{
	struct flow *flow = &state->flow[side];

	do {
		if (flow->head_length < MESSAGE_HEADER && !begin_message(flow, &c))
			return true;
		if (!take_body(dissection, state, side, &c))
			return false;
	} while (fyke_cursor_left(&c) > 0);
	return true;
}

/* The other side has said TLS or may yet: a server can greet in the clear before the client's hello. */
static bool is_hopeful(const struct state *state, enum fyke_side side)
{
	const struct flow *other = &state->flow[fyke_side_other(side)];

	return other->seen || !other->astray;
}

static struct fyke_verdict go_astray(struct fyke_dissection *dissection, struct state *state,
	enum fyke_side side, const struct fyke_input *input)
{
	struct flow *flow = &state->flow[side];

	if (!state->handshake.begun && !flow->seen && !is_hopeful(state, side))
		return fyke_not_mine();
	flow->astray = true;
	flow->record_left = 0;
	forget_message(dissection, flow);
	return fyke_more(input->length);
}

static struct fyke_verdict take_handshake(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct flow *flow = &state->flow[input->side];
	size_t length = flow->record_left < input->length ? flow->record_left : input->length;

	flow->record_left -= (uint32_t)length;
	if (!take_messages(dissection, state, input->side, fyke_cursor(input->data, length)))
		return state->handshake.begun ? go_astray(dissection, state, input->side, input)
					      : fyke_not_mine();
	return verdict(state, length);
}

/* ---- records ---- */

static struct fyke_verdict take_alert(
	struct state *state, const struct fyke_input *input, const struct fyke_tls_record *record)
{
	size_t whole = FYKE_TLS_RECORD_HEADER + record->length;

	if (record->length != 2 || state->flow[input->side].encrypts)
		return fyke_more(whole);
	if (input->length < whole)
		return fyke_need(0, whole);
	fyke_tls_alert(&state->handshake, input->side, input->data[FYKE_TLS_RECORD_HEADER + 1]);
	return fyke_more(whole);
}

/* TLS 1.3's ChangeCipherSpec says nothing (RFC 8446 Appendix D.4). */
static bool is_encrypted(const struct state *state, enum fyke_side side)
{
	return state->flow[side].encrypts && !fyke_tls_is_13(&state->handshake.hellos);
}

static struct fyke_verdict take_record(struct fyke_dissection *dissection, struct state *state,
	const struct fyke_input *input, const struct fyke_tls_record *record)
{
	struct flow *flow = &state->flow[input->side];
	uint64_t whole = (uint64_t)FYKE_TLS_RECORD_HEADER + record->length;

	flow->seen = true;
	flow->astray = false;
	if (state->flow[0].seen && state->flow[1].seen)
		fyke_confirm(dissection);
	switch (record->type) {
	case FYKE_TLS_HANDSHAKE:
		if (is_encrypted(state, input->side)) {
			flow->finished = true;
			return verdict(state, whole);
		}
		flow->record_left = record->length;
		return fyke_more(FYKE_TLS_RECORD_HEADER);
	case FYKE_TLS_CHANGE_CIPHER_SPEC:
		if (state->handshake.begun && input->side != state->handshake.client)
			fyke_tls_server_encrypts(&state->handshake);
		flow->encrypts = true;
		return fyke_more(whole);
	case FYKE_TLS_ALERT:
		fyke_confirm(dissection);
		return take_alert(state, input, record);
	case FYKE_TLS_APPLICATION_DATA:
		fyke_confirm(dissection);
		take_data(state, input->side, record->length);
		if (!state->handshake.begun)
			return fyke_done();
		return verdict(state, whole);
	default:
		return fyke_more(whole);
	}
}

/* ---- SSL 2 ---- */

/* SERVER-HELLO: type, whether the session is known, kind of certificate, version, three lengths, … */
static void take_server_hello_ssl2(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake,
	enum fyke_side side, struct fyke_cursor c)
{
	uint8_t known = fyke_cursor_u8(&c), kind = fyke_cursor_u8(&c);
	uint16_t version = fyke_cursor_u16(&c), length = fyke_cursor_u16(&c);

	(void)fyke_cursor_skip(&c, 4); /* lengths of ciphers and connection id */
	if (!fyke_cursor_ok(&c))
		return;
	handshake->hellos.has_server = true;
	handshake->hellos.version = version;
	handshake->resumed = known != 0;
	if (kind == SSL2_X509)
		fyke_tls_take_certificate(dissection, handshake, side, fyke_cursor_carve(&c, length));
}

/* A message of SSL 2; what follows the client's choice of the cipher is encrypted. */
static struct fyke_verdict take_ssl2(
	struct fyke_dissection *dissection, struct state *state, const struct fyke_input *input)
{
	struct fyke_tls_handshake *handshake = &state->handshake;
	struct fyke_cursor c = fyke_cursor(input->data, input->length), body;
	uint16_t head = fyke_cursor_u16(&c);
	size_t length = head & 0x7fff;
	uint8_t type;

	if (input->length < 2 + length)
		return fyke_need(0, 2 + length);
	body = fyke_cursor_carve(&c, length);
	if (!handshake->begun) {
		if (!fyke_tls_message_ssl2(dissection, handshake, input->side, body))
			return fyke_not_mine();
		state->flow[input->side].seen = state->flow[input->side].ssl2 = true;
		return fyke_more(2 + length);
	}
	type = fyke_cursor_u8(&body);
	if (type == SSL2_SERVER_HELLO && input->side != handshake->client) {
		take_server_hello_ssl2(dissection, handshake, input->side, body);
		state->flow[input->side].seen = true;
		return fyke_more(2 + length);
	}
	if (type != SSL2_CLIENT_MASTER_KEY || input->side != handshake->client)
		return go_astray(dissection, state, input->side, input);
	handshake->cipher_ssl2 = fyke_cursor_u24(&body);
	return fyke_done();
}

/* Messages of SSL 2 stand at the beginning of a side, or after its own hello of that form. */
static bool may_be_ssl2(const struct state *state, const struct fyke_input *input)
{
	const struct flow *flow = &state->flow[input->side];

	return (input->data[0] & 0x80) != 0 && (!flow->seen || flow->ssl2) &&
	       (!state->handshake.begun || state->flow[state->handshake.client].ssl2);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct flow *flow = &state->flow[input->side];
	struct fyke_tls_record record;

	state->handshake.transport = 't';
	if (input->length == 0)
		return fyke_more(0);
	if (flow->record_left > 0)
		return take_handshake(dissection, state, input);
	if (may_be_ssl2(state, input))
		return take_ssl2(dissection, state, input);
	if (input->length < FYKE_TLS_RECORD_HEADER && !flow->astray)
		return fyke_need(0, FYKE_TLS_RECORD_HEADER);
	if (!fyke_tls_read_record(input->data, input->length, &record))
		return go_astray(dissection, state, input->side, input);
	return take_record(dissection, state, input, &record);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);
	struct flow *flow = &state->flow[input->side];

	state->handshake.lost = true;
	if (flow->record_left < lost || flow->message_left < lost) {
		flow->astray = flow->record_left < lost;
		flow->record_left = flow->astray ? 0 : flow->record_left - (uint32_t)lost;
		forget_message(dissection, flow);
		if (flow->record_left > 0) { /* where messages begin in the rest is not known */
			uint64_t rest = flow->record_left;

			flow->record_left = 0;
			return fyke_more(rest);
		}
		return fyke_more(0);
	}
	flow->record_left -= (uint32_t)lost;
	flow->message_left -= (uint32_t)lost;
	flow->head[0] = 0xff;
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	fyke_tls_tell(dissection, &state->handshake);
}

static const uint16_t ports[] = {443, 465, 563, 614, 636, 695, 832, 853, 989, 990, 991, 992, 993, 994, 995,
	2083, 2484, 3269, 4433, 5061, 5223, 5349, 5671, 5986, 6514, 6619, 6679, 6697, 8443, 8883, 9443, 0};
static const char *const services[] = {"https", "submissions", "smtps", "nntps", "ldaps", "domain-s",
	"ftps-data", "ftps", "nas", "telnets", "imaps", "ircs", "ircs-u", "pop3s", "sips", "radsec", "amqps",
	"msft-gc-ssl", "syslog-tls", "secure-mqtt", "stuns", "turns", "xmpp-client", "pcsync-https",
	"tungsten-https", "netconf-tls", "opcua-tls", "wsmans", "wbem-https", "rpki-rtr-tls", "dicom-tls",
	"openvpn", "ms-wbt-server", "postgresql", "mysql", "ipps", "sun-sr-https", "oracleas-https",
	"synapse-nhttps", "pt-tls", "snmptls", "netconf-ch-tls", "restconf-ch-tls", "odette-ftps",
	"odette-ftp", "tcps", "diameters", "https-alt", "http-alt", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x16\x03"), FYKE_EITHER_SAYS("\x17\x03"),
	FYKE_EITHER_SAYS("\x15\x03"), FYKE_EITHER_SAYS("\x14\x03"), FYKE_EITHER_SAYS("\x80")};

const struct fyke_dissector fyke_dissector_tls = {
	.name = "tls",
	.title = "Transport Layer Security and SSL, RFC 8446, 5246, 6101",
	.doc = "A row per handshake: versions, cipher, curve, names, ALPN, alerts, JA3, JA3S and JA4, and "
	       "the "
	       "server's certificate; the chains stand in `certificates`, where they are not encrypted (TLS "
	       "1.3 "
	       "encrypts them). Whether the handshake was finished is told from Finished messages behind "
	       "ChangeCipherSpec, in TLS 1.3 from the client's encrypted records. Application data is not "
	       "looked "
	       "at. Certificates are not verified. Messages of more than 64 KiB are passed over.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = fyke_tables_of_tls,
	.state_size = sizeof(struct state),
	.memory_max =
		160 *
		1024, /* a chain of certificates on its way (64 KiB, doubled while it grows) and names */
	.probe = fyke_tls_probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
