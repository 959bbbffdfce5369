/*
 * DTLS 1.0 to 1.3 (RFC 6347, 9147) and the version before the standard that OpenSSL 0.9.8f and AnyConnect
 * speak: the handshake as far as it is in the clear.
 *
 * Fragments of messages are put together in any order. Datagrams that are none of it are let pass: STUN and
 * RTP share its ports (RFC 7983); once SRTP's keys are agreed on the session is RTP's.
 *
 * Limits: messages of at most 64 KiB, three of a side on their way at once, 48 separate pieces each.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/tls_handshake.h"
#include "dissectors/shared/tls_pieces.h"

#include <string.h>

enum {
	CHANGE_CIPHER_SPEC = 20,
	ALERT = 21,
	HANDSHAKE = 22,
	APPLICATION_DATA = 23,
	WITH_CID = 25, /* RFC 9146 */

	RECORD_HEADER = 13,
	RECORD_MAX = 16384 + 2048,
	UNIFIED = 0x20, /* the top bits of an encrypted record of 1.3: RFC 9147 §4 */
	UNIFIED_MASK = 0xe0,
	EPOCH_DATA = 3, /* of 1.3: application data */
	SLOTS = 3,
};

struct record {
	uint8_t type;
	uint16_t version, epoch;
	struct fyke_cursor content;
};

struct fragment {
	uint8_t type;
	uint16_t sequence;
	uint32_t length, offset; /* of the whole message; where the piece lies in it */
	struct fyke_cursor piece;
};

/* A message on its way. */
struct slot {
	struct fyke_pieces *pieces; /* NULL: free */
	uint16_t sequence;
	uint32_t length;
	uint8_t type;
};

struct flow {
	struct slot slots[SLOTS];
	unsigned next_slot;
	bool seen, encrypts, finished, certificate;
};

struct state {
	struct fyke_tls_handshake handshake;
	struct flow flow[2]; /* by enum fyke_side */
};

/* CAPWAP puts four bytes in front (RFC 5415 §4.2). */
static struct fyke_cursor datagram_of(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length);

	if (length >= 4 + RECORD_HEADER && memcmp(data, "\x01\0\0\0", 4) == 0)
		(void)fyke_cursor_skip(&c, 4);
	return c;
}

/* False: the datagram's front is no record, or it is cut. */
static bool read_record(struct fyke_cursor *c, struct record *record)
{
	uint16_t length;

	record->type = fyke_cursor_u8(c);
	record->version = fyke_cursor_u16(c);
	record->epoch = fyke_cursor_u16(c);
	(void)fyke_cursor_skip(c, 6); /* sequence number */
	length = fyke_cursor_u16(c);
	record->content = fyke_cursor_carve(c, length);
	return fyke_cursor_ok(c) && record->type >= CHANGE_CIPHER_SPEC && record->type <= WITH_CID &&
	       length <= RECORD_MAX &&
	       (record->version == 0xfeff || record->version == 0xfefd || record->version == 0x0100);
}

static bool read_fragment(struct fyke_cursor *c, struct fragment *fragment)
{
	uint32_t piece;

	fragment->type = fyke_cursor_u8(c);
	fragment->length = fyke_cursor_u24(c);
	fragment->sequence = fyke_cursor_u16(c);
	fragment->offset = fyke_cursor_u24(c);
	piece = fyke_cursor_u24(c);
	fragment->piece = fyke_cursor_carve(c, piece);
	return fyke_cursor_ok(c) && fragment->offset + piece <= fragment->length;
}

/* ---- messages ---- */

static void free_slot(struct fyke_dissection *dissection, struct slot *slot)
{
	if (slot->pieces != NULL)
		fyke_pieces_drop(dissection, slot->pieces);
	fyke_give(dissection, slot->pieces);
	*slot = (struct slot){0};
}

/* The slot of the fragment's message; a new one takes the place of the oldest. NULL: memory is used up. */
static struct slot *slot_of(
	struct fyke_dissection *dissection, struct flow *flow, const struct fragment *fragment)
{
	struct slot *slot;

	for (int i = 0; i < SLOTS; i++) {
		slot = &flow->slots[i];
		if (slot->pieces != NULL && slot->sequence == fragment->sequence &&
			slot->type == fragment->type && slot->length == fragment->length)
			return slot;
	}
	slot = &flow->slots[flow->next_slot];
	flow->next_slot = (flow->next_slot + 1) % SLOTS;
	free_slot(dissection, slot);
	slot->pieces = fyke_take(dissection, sizeof(*slot->pieces));
	slot->sequence = fragment->sequence;
	slot->length = fragment->length;
	slot->type = fragment->type;
	return slot->pieces != NULL ? slot : NULL;
}

/* Messages come again when their answer was lost: hellos say the same, a chain is told once. */
static void take_message(struct fyke_dissection *dissection, struct state *state, enum fyke_side side,
	uint8_t type, struct fyke_cursor body)
{
	struct flow *flow = &state->flow[side];

	if (type == FYKE_TLS_CERTIFICATE && flow->certificate)
		return;
	(void)fyke_tls_message(dissection, &state->handshake, side, type, body);
	flow->certificate |= type == FYKE_TLS_CERTIFICATE;
}

static void take_fragment(struct fyke_dissection *dissection, struct state *state, enum fyke_side side,
	const struct fragment *fragment)
{
	struct slot *slot;
	struct fyke_cursor ready;

	if (fyke_cursor_left(&fragment->piece) == fragment->length) {
		take_message(dissection, state, side, fragment->type, fragment->piece);
		return;
	}
	if (!fyke_tls_wants(fragment->type) || fragment->length > FYKE_TLS_MESSAGE_MAX)
		return;
	slot = slot_of(dissection, &state->flow[side], fragment);
	if (slot == NULL || !fyke_pieces_add(dissection, slot->pieces, fragment->offset, fragment->piece,
				    FYKE_TLS_MESSAGE_MAX))
		return;
	ready = fyke_pieces_ready(slot->pieces);
	if (fyke_cursor_left(&ready) < slot->length)
		return;
	take_message(dissection, state, side, slot->type, ready);
	free_slot(dissection, slot);
}

static void take_handshake(struct fyke_dissection *dissection, struct state *state, enum fyke_side side,
	struct fyke_cursor content)
{
	struct fragment fragment;

	while (fyke_cursor_left(&content) > 0 && read_fragment(&content, &fragment))
		take_fragment(dissection, state, side, &fragment);
}

/* ---- records ---- */

static bool may_encrypt(const struct flow *flow)
{
	return flow->encrypts || !flow->seen;
}

/* Behind epoch 0 all is encrypted: a Finished of both sides, or data that would not flow before. */
static void take_encrypted(struct state *state, enum fyke_side side, uint8_t type)
{
	struct flow *flow = state->flow;

	flow[side].encrypts = true;
	flow[side].finished |= type == HANDSHAKE || type == WITH_CID;
	if (fyke_tls_is_13(&state->handshake.hellos))
		return;
	if ((flow[0].finished && flow[1].finished) ||
		(type == APPLICATION_DATA && may_encrypt(&flow[0]) && may_encrypt(&flow[1])))
		state->handshake.established = true;
}

static void take_unified(struct state *state, enum fyke_side side, uint8_t first)
{
	state->flow[side].encrypts = true;
	if (state->handshake.begun && side == state->handshake.client && (first & 3) == EPOCH_DATA)
		state->handshake.established = true;
}

static void take_record(
	struct fyke_dissection *dissection, struct state *state, enum fyke_side side, struct record *record)
{
	state->flow[side].seen = true;
	if (record->epoch > 0) {
		take_encrypted(state, side, record->type);
	} else if (record->type == HANDSHAKE) {
		take_handshake(dissection, state, side, record->content);
	} else if (record->type == CHANGE_CIPHER_SPEC) {
		if (state->handshake.begun && side != state->handshake.client)
			fyke_tls_server_encrypts(&state->handshake);
	} else if (record->type == ALERT && fyke_cursor_left(&record->content) == 2) {
		(void)fyke_cursor_u8(&record->content);
		fyke_tls_alert(&state->handshake, side, fyke_cursor_u8(&record->content));
	}
}

/* What is established, and needs no more looking at; the keys may be SRTP's. */
static struct fyke_verdict verdict(const struct state *state, const struct fyke_input *input)
{
	if (!state->handshake.established)
		return fyke_more(input->length);
	return state->handshake.hellos.use_srtp ? fyke_becomes(input->length, NULL) : fyke_done();
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor c = datagram_of(input->data, input->length);
	struct record record;
	unsigned records = 0;

	state->handshake.transport = 'd';
	if (input->length > 0 && (input->data[0] & UNIFIED_MASK) == UNIFIED && state->handshake.begun) {
		take_unified(state, input->side, input->data[0]);
		return verdict(state, input);
	}
	while (fyke_cursor_left(&c) > 0 && read_record(&c, &record)) {
		take_record(dissection, state, input->side, &record);
		records++;
	}
	if (records > 0 && fyke_cursor_left(&c) > 0 && (*c.at & UNIFIED_MASK) == UNIFIED)
		take_unified(state, input->side, *c.at);
	if (records == 0)
		return state->handshake.begun || state->flow[0].seen || state->flow[1].seen
			       ? fyke_more(input->length)
			       : fyke_not_mine();
	fyke_confirm(dissection);
	return verdict(state, input);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	fyke_tls_tell(dissection, &state->handshake);
}

/* Epoch 0 has no data, and messages have a header. */
static bool may_be_clear(const struct record *record)
{
	return record->type != APPLICATION_DATA && record->type != WITH_CID &&
	       (record->type != HANDSHAKE || fyke_cursor_left(&record->content) >= 12);
}

/* Records to the datagram's end. */
static bool is_made_of_records(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = datagram_of(data, length);
	struct record record;
	unsigned records = 0;

	while (fyke_cursor_left(&c) > 0) {
		if ((*c.at & UNIFIED_MASK) == UNIFIED)
			return records > 0;
		if (!read_record(&c, &record))
			return records > 0 && c.fault == FYKE_FAULT_SHORT;
		if (record.epoch == 0 && !may_be_clear(&record))
			return false;
		records++;
	}
	return records > 0;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		if (opening->side[side].length >= RECORD_HEADER &&
			is_made_of_records(opening->side[side].data, opening->side[side].length))
			return FYKE_YES;
	}
	return FYKE_NO;
}

static const uint16_t ports[] = {
	443, 853, 2055, 3391, 4433, 4755, 5061, 5246, 5247, 5349, 5684, 6514, 6636, 6699, 0};
static const char *const services[] = {"https", "domain-s", "sips", "stuns", "turns", "coaps", "syslog-tls",
	"gre-udp-dtls", "mpls-udp-dtls", "babel-dtls", "snmpdtls", "snmpdtls-trap", "ipsdtls",
	"hncp-dtls-port", "radsec", "ms-wbt-server", "savant", "openvpn", "capwap-control", "capwap-data",
	"stun", "turn", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x16\xfe"), FYKE_EITHER_SAYS("\x17\xfe"),
	FYKE_EITHER_SAYS("\x15\xfe"), FYKE_EITHER_SAYS("\x14\xfe"), FYKE_EITHER_SAYS("\x16\x01\x00"),
	FYKE_EITHER_SAYS("\x17\x01\x00"), FYKE_EITHER_SAYS("\x01\x00\x00\x00")};

const struct fyke_dissector fyke_dissector_dtls = {
	.name = "dtls",
	.title = "Datagram Transport Layer Security, RFC 9147 and 6347",
	.doc = "Rows in `tls` and `certificates`, as TLS has them. Fragments of messages are put together in "
	       "any "
	       "order. What is encrypted is not looked at; datagrams of other protocols on the same ports "
	       "are let "
	       "pass, and where SRTP was offered the session is looked at anew behind the handshake.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = fyke_tables_of_tls,
	.state_size = sizeof(struct state),
	.memory_max =
		160 *
		1024, /* a chain of certificates on its way (64 KiB, doubled while it grows) and names */
	.probe = probe,
	.feed = feed,
	.end = end,
};
