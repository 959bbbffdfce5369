/*
 * Kerberos 5 (RFC 4120): AS and TGS exchanges with the KDC and errors, over UDP and, behind a length, TCP
 * (§7.2). A request is told with its answer; nothing is decrypted.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/asn1.h"
#include "dissectors/shared/ntlm.h"

#include "analyzer/base/text.h"

#include <stdio.h>
#include <string.h>

enum {
	AS_REQUEST = 10,
	AS_REPLY = 11,
	TGS_REQUEST = 12,
	TGS_REPLY = 13,
	AP_REQUEST = 14,
	AP_REPLY = 15,
	ERROR = 30
};
enum { NAME_MAX = 300, MESSAGE_MAX = 1 << 17, ETYPES_MAX = 16, ETYPES_TEXT = 160, EXCHANGES = 4 };

enum {
	TYPE,
	CLIENT,
	SERVICE,
	REALM,
	SUCCESS,
	CODE,
	MESSAGE,
	FROM,
	TILL,
	FORWARDABLE,
	RENEWABLE,
	OFFERED,
	CIPHER,
	TICKET_CIPHER,
	RTT,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[TYPE] = {"request_type", FYKE_TYPE_TEXT, "AS, TGS or AP"},
	[CLIENT] = {"client", FYKE_TYPE_TEXT, "who asks: name/realm"},
	[SERVICE] = {"service", FYKE_TYPE_TEXT, "what a ticket is asked for"},
	[REALM] = {"realm", FYKE_TYPE_TEXT, "the realm asked"},
	[SUCCESS] = {"success", FYKE_TYPE_BOOLEAN, "a ticket came; NULL = no answer was seen"},
	[CODE] = {"error_code", FYKE_TYPE_INTEGER, "of an error"},
	[MESSAGE] = {"error_message", FYKE_TYPE_TEXT, "its name in RFC 4120 §7.5.9"},
	[FROM] = {"from_us", FYKE_TYPE_INTEGER, "from when on the ticket is asked for"},
	[TILL] = {"till_us", FYKE_TYPE_INTEGER, "until when it is asked for"},
	[FORWARDABLE] = {"forwardable", FYKE_TYPE_BOOLEAN, "asked for"},
	[RENEWABLE] = {"renewable", FYKE_TYPE_BOOLEAN, "asked for"},
	[OFFERED] = {"client_ciphers", FYKE_TYPE_TEXT, "ciphers that the client offers, joined by |"},
	[CIPHER] = {"cipher", FYKE_TYPE_TEXT, "of the answer's part for the client"},
	[TICKET_CIPHER] = {"ticket_cipher", FYKE_TYPE_TEXT, "of the ticket"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to answer"},
};

static const struct fyke_table table = {
	"kerberos", "one row per request with its answer", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct exchange {
	bool asked;
	uint8_t type;
	struct fyke_moment moment;
	struct fyke_text client, service, realm, ciphers;
	int64_t from_us, till_us;
	uint32_t options;
};

struct state {
	struct exchange exchanges[EXCHANGES]; /* oldest first */
	size_t count;
};

struct answer {
	bool here, success;
	int64_t code, cipher, ticket_cipher; /* -1 = none */
};

static const char *cipher_name(int64_t etype, char text[24])
{
	static const struct {
		int8_t etype;
		const char *name;
	} names[] = {{1, "des-cbc-crc"}, {2, "des-cbc-md4"}, {3, "des-cbc-md5"}, {5, "des3-cbc-md5"},
		{16, "des3-cbc-sha1"}, {17, "aes128-cts-hmac-sha1-96"}, {18, "aes256-cts-hmac-sha1-96"},
		{19, "aes128-cts-hmac-sha256-128"}, {20, "aes256-cts-hmac-sha384-192"}, {23, "rc4-hmac"},
		{24, "rc4-hmac-exp"}, {25, "camellia128-cts-cmac"}, {26, "camellia256-cts-cmac"}};

	if (etype == -1)
		return NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].etype == etype)
			return names[i].name;
	}
	(void)snprintf(text, 24, "%lld", (long long)etype);
	return text;
}

static const char *error_name(int64_t code)
{
	static const struct {
		uint8_t code;
		const char *name;
	} names[] = {{0, "KDC_ERR_NONE"}, {1, "KDC_ERR_NAME_EXP"}, {2, "KDC_ERR_SERVICE_EXP"},
		{3, "KDC_ERR_BAD_PVNO"}, {6, "KDC_ERR_C_PRINCIPAL_UNKNOWN"},
		{7, "KDC_ERR_S_PRINCIPAL_UNKNOWN"}, {8, "KDC_ERR_PRINCIPAL_NOT_UNIQUE"},
		{9, "KDC_ERR_NULL_KEY"}, {10, "KDC_ERR_CANNOT_POSTDATE"}, {11, "KDC_ERR_NEVER_VALID"},
		{12, "KDC_ERR_POLICY"}, {13, "KDC_ERR_BADOPTION"}, {14, "KDC_ERR_ETYPE_NOSUPP"},
		{15, "KDC_ERR_SUMTYPE_NOSUPP"}, {16, "KDC_ERR_PADATA_TYPE_NOSUPP"},
		{18, "KDC_ERR_CLIENT_REVOKED"}, {19, "KDC_ERR_SERVICE_REVOKED"}, {20, "KDC_ERR_TGT_REVOKED"},
		{23, "KDC_ERR_KEY_EXPIRED"}, {24, "KDC_ERR_PREAUTH_FAILED"}, {25, "KDC_ERR_PREAUTH_REQUIRED"},
		{26, "KDC_ERR_SERVER_NOMATCH"}, {29, "KDC_ERR_SVC_UNAVAILABLE"},
		{31, "KRB_AP_ERR_BAD_INTEGRITY"}, {32, "KRB_AP_ERR_TKT_EXPIRED"}, {33, "KRB_AP_ERR_TKT_NYV"},
		{34, "KRB_AP_ERR_REPEAT"}, {35, "KRB_AP_ERR_NOT_US"}, {36, "KRB_AP_ERR_BADMATCH"},
		{37, "KRB_AP_ERR_SKEW"}, {41, "KRB_AP_ERR_MODIFIED"}, {44, "KRB_AP_ERR_BADKEYVER"},
		{45, "KRB_AP_ERR_NOKEY"}, {52, "KRB_ERR_RESPONSE_TOO_BIG"}, {60, "KRB_ERR_GENERIC"},
		{68, "KDC_ERR_WRONG_REALM"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].code == code)
			return names[i].name;
	}
	return NULL;
}

/* The context-tagged element number n, and what it holds. */
static bool part(const struct fyke_cursor *sequence, uint8_t n, struct fyke_cursor *inside)
{
	return fyke_asn1_find(sequence, FYKE_ASN1_CONTEXT_MADE | n, inside);
}

static int64_t number(const struct fyke_cursor *sequence, uint8_t n)
{
	struct fyke_cursor inside, value;
	bool good;
	int64_t integer;

	if (!part(sequence, n, &inside))
		return -1;
	value = fyke_asn1_enter(&inside, FYKE_ASN1_INTEGER);
	integer = fyke_asn1_integer(value, &good);
	return good ? integer : -1;
}

/* GeneralizedTime as RFC 4120 §5.2.3 has it: 15 characters. */
static int64_t instant(const struct fyke_cursor *sequence, uint8_t n)
{
	struct fyke_cursor inside, text;
	unsigned digits[14];

	if (!part(sequence, n, &inside))
		return INT64_MIN;
	text = fyke_asn1_enter(&inside, FYKE_ASN1_GENERALIZED_TIME);
	if (fyke_cursor_left(&text) != 15)
		return INT64_MIN;
	for (size_t i = 0; i < 14; i++) {
		digits[i] = (unsigned)(text.at[i] - '0');
		if (digits[i] > 9)
			return INT64_MIN;
	}
	return ((fyke_text_days(digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3],
			 digits[4] * 10 + digits[5], digits[6] * 10 + digits[7]) *
			86400) +
		       (digits[8] * 10 + digits[9]) * 3600 + (digits[10] * 10 + digits[11]) * 60 +
		       digits[12] * 10 + digits[13]) *
	       1000000;
}

static void keep_string(struct fyke_dissection *dissection, struct fyke_text *text,
	const struct fyke_cursor *sequence, uint8_t n)
{
	struct fyke_cursor inside, string;

	if (!part(sequence, n, &inside))
		return;
	string = fyke_asn1_enter(&inside, FYKE_ASN1_GENERAL_STRING);
	if (fyke_cursor_ok(&string))
		fyke_keep(dissection, text, string.at, fyke_cursor_left(&string), NAME_MAX);
}

static void keep_principal(struct fyke_dissection *dissection, struct fyke_text *text,
	const struct fyke_cursor *sequence, uint8_t n)
{
	struct fyke_cursor inside;
	char name[NAME_MAX];
	size_t length;

	if (!part(sequence, n, &inside))
		return;
	length = fyke_principal_text(inside, name, sizeof(name));
	if (length > 0)
		fyke_keep(dissection, text, name, length, sizeof(name));
}

static void keep_client(struct fyke_dissection *dissection, struct exchange *exchange,
	const struct fyke_cursor *sequence, uint8_t name, uint8_t realm)
{
	struct fyke_text where = {0};

	keep_principal(dissection, &exchange->client, sequence, name);
	keep_string(dissection, &where, sequence, realm);
	if (where.length > 0) {
		fyke_append(dissection, &exchange->client, "/", 1, NAME_MAX);
		fyke_append(dissection, &exchange->client, where.bytes, where.length, NAME_MAX);
	}
	fyke_drop(dissection, &where);
}

static void keep_ciphers(
	struct fyke_dissection *dissection, struct exchange *exchange, const struct fyke_cursor *body)
{
	struct fyke_cursor inside, list;
	struct fyke_asn1 element;

	if (!part(body, 8, &inside))
		return;
	list = fyke_asn1_enter(&inside, FYKE_ASN1_SEQUENCE);
	for (int i = 0; i < ETYPES_MAX && fyke_asn1_next(&list, &element); i++) {
		bool good;
		int64_t etype = fyke_asn1_integer(element.inside, &good);
		char text[24];
		const char *name = cipher_name(good ? etype : -1, text);

		if (name == NULL)
			continue;
		if (exchange->ciphers.length > 0)
			fyke_append(dissection, &exchange->ciphers, "|", 1, ETYPES_TEXT);
		fyke_append(dissection, &exchange->ciphers, name, __builtin_strlen(name), ETYPES_TEXT);
	}
}

static void forget(struct fyke_dissection *dissection, struct exchange *exchange)
{
	fyke_drop(dissection, &exchange->client);
	fyke_drop(dissection, &exchange->service);
	fyke_drop(dissection, &exchange->realm);
	fyke_drop(dissection, &exchange->ciphers);
	*exchange = (struct exchange){.from_us = INT64_MIN, .till_us = INT64_MIN};
}

static void tell(struct fyke_dissection *dissection, struct exchange *exchange, const struct answer *answer)
{
	static const char *const types[] = {"AS", "AS", "TGS", "TGS", "AP", "AP"};
	struct fyke_moment now = fyke_now(dissection);
	bool both = answer->here && exchange->asked;
	struct fyke_value values[FIELD_COUNT];
	char cipher[24], ticket[24];

	values[TYPE] = fyke_word(exchange->type >= AS_REQUEST && exchange->type <= AP_REPLY
					 ? types[exchange->type - AS_REQUEST]
					 : NULL);
	values[CLIENT] = fyke_text_of(&exchange->client);
	values[SERVICE] = fyke_text_of(&exchange->service);
	values[REALM] = fyke_text_of(&exchange->realm);
	values[SUCCESS] = fyke_integer_if(answer->here, answer->success);
	values[CODE] = fyke_integer_if(answer->code >= 0, answer->code);
	values[MESSAGE] = fyke_word(error_name(answer->code));
	values[FROM] = fyke_integer_if(exchange->from_us != INT64_MIN, exchange->from_us);
	values[TILL] = fyke_integer_if(exchange->till_us != INT64_MIN, exchange->till_us);
	values[FORWARDABLE] = fyke_integer_if(exchange->asked, exchange->options >> 30 & 1);
	values[RENEWABLE] = fyke_integer_if(exchange->asked, exchange->options >> 23 & 1);
	values[OFFERED] = fyke_text_of(&exchange->ciphers);
	values[CIPHER] = fyke_word(cipher_name(answer->cipher, cipher));
	values[TICKET_CIPHER] = fyke_word(cipher_name(answer->ticket_cipher, ticket));
	values[RTT] = fyke_integer_if(both, (now.time_ns - exchange->moment.time_ns) / 1000);
	fyke_record_at(dissection, &table, exchange->asked ? exchange->moment : now, values);
	forget(dissection, exchange);
}

static void tell_unanswered(struct fyke_dissection *dissection, struct exchange *exchange)
{
	struct answer none = {.code = -1, .cipher = -1, .ticket_cipher = -1};

	if (exchange->asked)
		tell(dissection, exchange, &none);
}

/* Room for one more exchange; the oldest goes. */
static struct exchange *add(struct fyke_dissection *dissection, struct state *state)
{
	if (state->count == EXCHANGES) {
		tell_unanswered(dissection, &state->exchanges[0]);
		state->count--;
		memmove(&state->exchanges[0], &state->exchanges[1],
			state->count * sizeof(state->exchanges[0]));
	}
	state->exchanges[state->count] = (struct exchange){.from_us = INT64_MIN, .till_us = INT64_MIN};
	return &state->exchanges[state->count++];
}

/* Takes out what an answer belongs to: the oldest request of its type, or of any type (0); else an empty one.
 */
static struct exchange take(struct state *state, uint8_t type)
{
	for (size_t i = 0; i < state->count; i++) {
		struct exchange found = state->exchanges[i];

		if (type != 0 && found.type != type)
			continue;
		state->count--;
		memmove(&state->exchanges[i], &state->exchanges[i + 1], (state->count - i) * sizeof(found));
		return found;
	}
	return (struct exchange){.from_us = INT64_MIN, .till_us = INT64_MIN};
}

static void read_request(struct fyke_dissection *dissection, struct exchange *exchange, uint8_t type,
	const struct fyke_cursor *sequence)
{
	struct fyke_cursor inside, body, options;

	exchange->asked = true;
	exchange->type = type;
	exchange->moment = fyke_now(dissection);
	if (!part(sequence, 4, &inside))
		return;
	body = fyke_asn1_enter(&inside, FYKE_ASN1_SEQUENCE);
	keep_client(dissection, exchange, &body, 1, 2);
	keep_string(dissection, &exchange->realm, &body, 2);
	keep_principal(dissection, &exchange->service, &body, 3);
	exchange->from_us = instant(&body, 4);
	exchange->till_us = instant(&body, 5);
	keep_ciphers(dissection, exchange, &body);
	if (!part(&body, 0, &inside))
		return;
	options = fyke_asn1_enter(&inside, FYKE_ASN1_BIT_STRING);
	fyke_cursor_skip(&options, 1);
	exchange->options = fyke_cursor_u32(&options);
}

/* The cipher of an EncryptedData in element n. */
static int64_t cipher_of(const struct fyke_cursor *sequence, uint8_t n)
{
	struct fyke_cursor inside, encrypted;

	if (!part(sequence, n, &inside))
		return -1;
	encrypted = fyke_asn1_enter(&inside, FYKE_ASN1_SEQUENCE);
	return number(&encrypted, 0);
}

static void read_reply(struct fyke_dissection *dissection, struct exchange *exchange, uint8_t type,
	const struct fyke_cursor *sequence)
{
	struct answer answer = {.here = true, .success = true, .code = -1, .ticket_cipher = -1};
	struct fyke_cursor inside, ticket;

	answer.cipher = cipher_of(sequence, 6);
	exchange->type = type;
	keep_client(dissection, exchange, sequence, 4, 3);
	if (part(sequence, 5, &inside)) {
		ticket = fyke_asn1_enter(&inside, FYKE_ASN1_APPLICATION_MADE | 1);
		ticket = fyke_asn1_enter(&ticket, FYKE_ASN1_SEQUENCE);
		keep_principal(dissection, &exchange->service, &ticket, 2);
		keep_string(dissection, &exchange->realm, &ticket, 1);
		answer.ticket_cipher = cipher_of(&ticket, 3);
	}
	tell(dissection, exchange, &answer);
}

static void read_error(
	struct fyke_dissection *dissection, struct exchange *exchange, const struct fyke_cursor *sequence)
{
	struct answer answer = {.here = true, .cipher = -1, .ticket_cipher = -1};

	answer.code = number(sequence, 6);
	if (!fyke_text_is_set(&exchange->client))
		keep_client(dissection, exchange, sequence, 8, 7);
	if (!fyke_text_is_set(&exchange->service))
		keep_principal(dissection, &exchange->service, sequence, 10);
	if (!fyke_text_is_set(&exchange->realm))
		keep_string(dissection, &exchange->realm, sequence, 9);
	tell(dissection, exchange, &answer);
}

/* A message begins with its application tag, a sequence, and in it version 5 and its type. */
static bool open_message(struct fyke_cursor c, uint8_t *type, struct fyke_cursor *sequence)
{
	struct fyke_asn1 element;
	uint8_t tag = fyke_cursor_left(&c) > 0 ? c.at[0] : 0, first;
	bool request;

	*type = tag & 0x1f;
	if ((tag & 0xe0) != FYKE_ASN1_APPLICATION_MADE ||
		(!(*type >= AS_REQUEST && *type <= AP_REPLY) && *type != ERROR))
		return false;
	request = *type == AS_REQUEST || *type == TGS_REQUEST;
	if (!fyke_asn1_next(&c, &element) && c.fault != FYKE_FAULT_SHORT)
		return false;
	c.fault = FYKE_FAULT_NONE; /* a datagram that was cut is read as far as it goes */
	*sequence = fyke_asn1_enter(&element.inside, FYKE_ASN1_SEQUENCE);
	first = request ? 1 : 0;
	return number(sequence, first) == 5 && number(sequence, first + 1) == *type;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		struct fyke_cursor c = fyke_cursor(opening->side[side].data, opening->side[side].length),
				   sequence;
		uint8_t type;

		if (opening->side[side].length == 0)
			continue;
		if (opening->transport == FYKE_OVER_TCP) {
			uint32_t length = fyke_cursor_u32(&c);

			if (!fyke_cursor_ok(&c))
				continue;
			if (length == 0 || length > MESSAGE_MAX)
				return FYKE_NO;
			if (fyke_cursor_left(&c) > length)
				c.end = c.at + length;
			if (fyke_cursor_left(&c) < length && fyke_cursor_left(&c) < 24)
				continue;
			/* the first segment seldom holds all of a request with a ticket in it */
			if (fyke_cursor_left(&c) < length && (c.at[0] & 0xe0) == FYKE_ASN1_APPLICATION_MADE &&
				opening->on_port)
				continue;
		}
		if (!open_message(c, &type, &sequence))
			return FYKE_NO;
		match = FYKE_YES;
	}
	return match;
}

static bool read_message(struct fyke_dissection *dissection, struct fyke_cursor c)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor sequence;
	struct exchange exchange;
	uint8_t type;

	if (!open_message(c, &type, &sequence))
		return false;
	fyke_confirm(dissection);
	if (type == AS_REQUEST || type == TGS_REQUEST)
		read_request(dissection, add(dissection, state), type, &sequence);
	if (type == AS_REPLY || type == TGS_REPLY) {
		exchange = take(state, type - 1);
		read_reply(dissection, &exchange, type, &sequence);
	} else if (type == ERROR) {
		exchange = take(state, 0);
		read_error(dissection, &exchange, &sequence);
	}
	return true;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint32_t length;

	if (input->length == 0)
		return fyke_more(0);
	if (fyke_transport_of(dissection) == FYKE_OVER_UDP)
		return !read_message(dissection, c) ? fyke_not_mine()
		       : state->count == 0	    ? fyke_rest()
						    : fyke_more(input->length);
	length = fyke_cursor_u32(&c);
	if (!fyke_cursor_ok(&c))
		return input->end ? fyke_done() : fyke_need(0, 4);
	if (length == 0 || length > MESSAGE_MAX)
		return fyke_not_mine();
	if (fyke_cursor_left(&c) < length && !input->full && !input->end)
		return fyke_need(0, (size_t)length + 4);
	if (fyke_cursor_left(&c) > length)
		c.end = c.at + length;
	if (!read_message(dissection, c))
		return fyke_not_mine();
	return fyke_more((uint64_t)length + 4);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	for (size_t i = 0; i < state->count; i++)
		tell_unanswered(dissection, &state->exchanges[i]);
}

static const uint16_t ports[] = {88, 464, 0};
static const char *const services[] = {"kerberos", "kerberos-sec", NULL};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("\x6a"), FYKE_CLIENT_SAYS("\x6c"),
	FYKE_SERVER_SAYS("\x6b"), FYKE_SERVER_SAYS("\x6d"), FYKE_SERVER_SAYS("\x7e")};

const struct fyke_dissector fyke_dissector_kerberos = {
	.name = "kerberos",
	.title = "Kerberos 5, RFC 4120",
	.doc = "AS and TGS requests with their answers: who asks for a ticket to what, until when, with "
	       "which ciphers, or the error. "
	       "Over TCP only on its ports. Nothing is decrypted; changes of passwords are not read.",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
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
