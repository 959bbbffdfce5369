/*
 * LDAP (RFC 4511) over TCP and, connectionless, UDP: operations with their results, searches with their
 * filters. Behind a SASL login messages may travel in tokens (RFC 4121 §4.2.6.2, [MS-NLMP] §3.4): those that
 * are only signed are read, those that are sealed are passed over. Messages above 8 KiB are read as far as
 * that.
 */
#include "dissectors/shared/ldap.h"

#include <string.h>

enum { MESSAGE_MAX = 1 << 24, READ_MAX = 8192, TOKEN_MAX = 1 << 20, MESSAGES_MAX = 64 };

static const struct fyke_table *const tables[] = {
	&fyke_table_ldap, &fyke_table_ldap_search, &fyke_table_ntlm, NULL};

/* 30 length 02 length id, then an operation: how much of that is here and right. */
static enum fyke_match fits(const uint8_t *data, size_t length, bool request)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint8_t tag, size, operation;
	size_t whole;
	bool bad;

	whole = fyke_asn1_length(data, length, &bad);
	if (bad || (length > 0 && data[0] != FYKE_ASN1_SEQUENCE) || whole > MESSAGE_MAX)
		return FYKE_NO;
	if (whole == 0)
		return FYKE_MAYBE;
	fyke_cursor_skip(&c, 1);
	size = fyke_cursor_u8(&c);
	if (size >= 0x80)
		fyke_cursor_skip(&c, size & 0x7f);
	tag = fyke_cursor_u8(&c);
	size = fyke_cursor_u8(&c);
	fyke_cursor_skip(&c, size);
	operation = fyke_cursor_u8(&c);
	if (!fyke_cursor_ok(&c))
		return (tag == FYKE_ASN1_INTEGER || tag == 0) && size <= 4 ? FYKE_MAYBE : FYKE_NO;
	if (tag != FYKE_ASN1_INTEGER || size < 1 || size > 4 || !fyke_ldap_is_operation(operation, request))
		return FYKE_NO;
	return FYKE_YES;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		enum fyke_match one;

		if (opening->side[side].length == 0)
			continue;
		one = fits(opening->side[side].data, opening->side[side].length, side == FYKE_CLIENT);
		if (one == FYKE_NO)
			return FYKE_NO;
		if (one == FYKE_YES)
			match = FYKE_YES;
	}
	return match;
}

/* Where the message of a token begins that is only signed; 0 = sealed. */
static size_t plain_at(const uint8_t *token, size_t length)
{
	size_t at = 0;

	if (length < 32)
		return 0;
	if (token[0] == 0x05 && token[1] == 0x04 && (token[2] & 2) == 0)
		at = 16 + (size_t)(token[6] << 8 | token[7]); /* the checksum was rotated to the front */
	else if (token[0] == 0x01 && token[1] == 0x00 && token[2] == 0x00)
		at = 16;
	return at > 0 && at < length && token[at] == FYKE_ASN1_SEQUENCE ? at : 0;
}

/* Messages one behind the other. */
static void take_messages(
	struct fyke_dissection *dissection, struct fyke_ldap *ldap, enum fyke_side side, struct fyke_cursor c)
{
	for (int i = 0; i < MESSAGES_MAX && fyke_cursor_left(&c) > 0 && c.at[0] == FYKE_ASN1_SEQUENCE; i++) {
		bool bad;
		size_t left = fyke_cursor_left(&c), whole = fyke_asn1_length(c.at, left, &bad);

		if (bad || whole == 0)
			return;
		whole = whole < left ? whole : left;
		fyke_ldap_message(dissection, ldap, side, c.at, whole);
		fyke_cursor_skip(&c, whole);
	}
}

static struct fyke_verdict take_token(
	struct fyke_dissection *dissection, struct fyke_ldap *ldap, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint32_t length = fyke_cursor_u32(&c);
	size_t wanted = length < READ_MAX ? length : READ_MAX, at;

	if (!fyke_cursor_ok(&c))
		return input->end ? fyke_done() : fyke_need(0, 4);
	if (length > TOKEN_MAX)
		return fyke_done();
	if (fyke_cursor_left(&c) < wanted && !input->end)
		return fyke_need(0, wanted + 4);
	if (fyke_cursor_left(&c) < wanted)
		wanted = fyke_cursor_left(&c);
	at = plain_at(c.at, wanted);
	if (at > 0)
		take_messages(dissection, ldap, input->side, fyke_cursor(c.at + at, wanted - at));
	return fyke_more((uint64_t)length + 4);
}

static struct fyke_verdict take_message(
	struct fyke_dissection *dissection, struct fyke_ldap *ldap, const struct fyke_input *input)
{
	bool bad;
	size_t whole = fyke_asn1_length(input->data, input->length, &bad), wanted;

	if (bad || whole > MESSAGE_MAX)
		return fyke_not_mine();
	if (whole == 0)
		return input->end ? fyke_done() : fyke_need(0, 6);
	wanted = whole < READ_MAX ? whole : READ_MAX;
	if (input->length < wanted && !input->end)
		return fyke_need(0, wanted);
	if (fits(input->data, input->length, input->side == FYKE_CLIENT) != FYKE_YES &&
		fits(input->data, input->length, input->side != FYKE_CLIENT) != FYKE_YES)
		return fyke_not_mine();
	fyke_ldap_message(
		dissection, ldap, input->side, input->data, input->length < whole ? input->length : whole);
	if (ldap->starts_tls)
		return fyke_becomes(whole, "tls");
	return fyke_more(whole);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_ldap *ldap = fyke_state(dissection);

	if (input->length == 0)
		return fyke_more(0);
	if (fyke_transport_of(dissection) == FYKE_OVER_UDP) {
		if (fits(input->data, input->length, input->side == FYKE_CLIENT) != FYKE_YES)
			return fyke_not_mine();
		take_messages(dissection, ldap, input->side, fyke_cursor(input->data, input->length));
		return fyke_more(input->length);
	}
	if (ldap->lost[input->side]) {
		enum fyke_match match = fits(input->data, input->length, input->side == FYKE_CLIENT);

		if (match == FYKE_MAYBE && input->length < 8 && !input->end)
			return fyke_need(0, 8);
		if (match != FYKE_YES)
			return fyke_more(input->length);
		ldap->lost[input->side] = false;
	}
	if (ldap->sasl && input->data[0] == 0)
		return take_token(dissection, ldap, input);
	return take_message(dissection, ldap, input);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct fyke_ldap *ldap = fyke_state(dissection);

	(void)lost;
	ldap->lost[input->side] = true;
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	fyke_ldap_end(dissection, fyke_state(dissection));
}

static const uint16_t ports[] = {389, 3268, 0};
static const char *const services[] = {"ldap", "msft-gc", "cldap", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x30")};

const struct fyke_dissector fyke_dissector_ldap = {
	.name = "ldap",
	.title = "Lightweight Directory Access Protocol, RFC 4511; connectionless, [MS-ADTS] §6.3.3",
	.doc = "Operations with their results and searches with base, scope, filter, attributes and number "
	       "of entries. Secrets of "
	       "simple binds are credentials. StartTLS is followed. Messages that SASL seals are passed "
	       "over; attributes and their "
	       "values are not kept.",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(struct fyke_ldap),
	.memory_max = 64 * 1024, /* filters and names of 16 open operations */
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
