/*
 * Queries and answers become rows. An answer belongs to the oldest waiting query of its id whose question
 * is the same (names in any case, RFC 4343); a query that was sent twice is two rows.
 */
#include "dissectors/shared/dns_talk.h"

#include <string.h>
#include <strings.h>

enum { OTHERS_ROOM = 2048, SECTION_ROOM = 6000, SUBNET_ROOM = 64, OTHERS_MAX = 1024, QUESTIONS_MAX = 64 };

enum { QUERY, OTHERS, SECTION, SUBNET = SECTION + FYKE_DNS_SECTIONS, TEXTS };

enum {
	PROTOCOL,
	TRANSACTION,
	OPCODE,
	NAME,
	TYPE,
	CLASS,
	OTHER_QUERIES,
	RCODE,
	AUTHORITATIVE,
	TRUNCATED,
	RECURSION_DESIRED,
	RECURSION_AVAILABLE,
	AUTHENTIC_DATA,
	CHECKING_DISABLED,
	ANSWERS,
	AUTHORITIES,
	ADDITIONALS,
	EDNS_PAYLOAD_BYTES,
	DNSSEC_OK,
	CLIENT_SUBNET,
	RTT_US,
	REJECTED,
	ANSWER_FRAME,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[PROTOCOL] = {"protocol", FYKE_TYPE_TEXT, "dns, mdns, llmnr or nbns"},
	[TRANSACTION] = {"transaction", FYKE_TYPE_INTEGER, "the id that query and answer share"},
	[OPCODE] = {"opcode", FYKE_TYPE_TEXT, "QUERY, NOTIFY, UPDATE, REGISTRATION …"},
	[NAME] = {"query", FYKE_TYPE_TEXT,
		"the name asked for, in presentation form; of an UPDATE the zone; NULL = no question"},
	[TYPE] = {"type", FYKE_TYPE_TEXT, "the type asked for: A, AAAA, TYPE65534 …"},
	[CLASS] = {"class", FYKE_TYPE_TEXT, "the class asked for: IN, CH, ANY …"},
	[OTHER_QUERIES] = {"other_queries", FYKE_TYPE_TEXT,
		"further questions of the same message, as \"name TYPE\""},
	[RCODE] = {"rcode", FYKE_TYPE_TEXT, "NOERROR, NXDOMAIN …; NULL = no answer seen"},
	[AUTHORITATIVE] = {"authoritative", FYKE_TYPE_BOOLEAN, "AA of the answer"},
	[TRUNCATED] = {"truncated", FYKE_TYPE_BOOLEAN, "TC of the answer, or of a query without answer"},
	[RECURSION_DESIRED] = {"recursion_desired", FYKE_TYPE_BOOLEAN, "RD of the query"},
	[RECURSION_AVAILABLE] = {"recursion_available", FYKE_TYPE_BOOLEAN, "RA of the answer"},
	[AUTHENTIC_DATA] = {"authentic_data", FYKE_TYPE_BOOLEAN,
		"AD of the answer (DNSSEC): its signatures were checked"},
	[CHECKING_DISABLED] = {"checking_disabled", FYKE_TYPE_BOOLEAN, "CD of the query (DNSSEC)"},
	[ANSWERS] = {"answers", FYKE_TYPE_TEXT,
		"the answer's records as \"TYPE value ttl\", joined by \", \"; the owner stands in front "
		"where it is neither the name asked for nor an alias of it; of an UPDATE its prerequisites"},
	[AUTHORITIES] = {"authorities", FYKE_TYPE_TEXT,
		"the authority section (of an UPDATE its changes), "
		"each with its owner"},
	[ADDITIONALS] = {"additionals", FYKE_TYPE_TEXT, "the additional section without OPT, likewise"},
	[EDNS_PAYLOAD_BYTES] = {"edns_payload_bytes", FYKE_TYPE_INTEGER,
		"the datagram size that EDNS of the query offers; NULL = no EDNS"},
	[DNSSEC_OK] = {"dnssec_ok", FYKE_TYPE_BOOLEAN, "DO of the query's EDNS"},
	[CLIENT_SUBNET] = {"client_subnet", FYKE_TYPE_TEXT, "EDNS client subnet (RFC 7871)"},
	[RTT_US] = {"rtt_us", FYKE_TYPE_INTEGER, "from query to answer"},
	[REJECTED] = {"rejected", FYKE_TYPE_BOOLEAN, "a query was answered without any record"},
	[ANSWER_FRAME] = {"answer_frame", FYKE_TYPE_INTEGER, "the frame of the answer"},
};

const struct fyke_table fyke_dns_table = {"dns",
	"one row per transaction of DNS, mDNS, LLMNR or NetBIOS names: a query with its answer, or either "
	"alone",
	fields, FIELD_COUNT};
const struct fyke_table *const fyke_dns_tables[] = {&fyke_dns_table, NULL};

/* A query or an answer. The texts are borrowed. */
struct half {
	struct fyke_moment at;
	uint16_t id, flags, type, class, edns_payload;
	uint16_t rcode;
	bool asks, has_edns, dnssec_ok, is_empty;
	struct fyke_value text[TEXTS];
};

struct fyke_dns_waiting {
	struct fyke_dns_waiting *next;
	struct half half;
	struct fyke_text text[TEXTS];
};

/* What is read from a message, with room for its texts. */
struct reading {
	struct fyke_dissection *dissection;
	const struct fyke_dns_kind *kind;
	struct fyke_dns_reader reader;
	enum fyke_side sender;
	struct half half;
	struct fyke_phrase phrase[TEXTS];
	char alias[FYKE_DNS_NAME_ROOM]; /* that the name asked for leads to, so far */
	size_t alias_length;
	char query[FYKE_DNS_NAME_ROOM], others[OTHERS_ROOM], section[FYKE_DNS_SECTIONS][SECTION_ROOM],
		subnet[SUBNET_ROOM];
};

static void say_type(const struct fyke_dns_kind *kind, uint16_t type, struct fyke_phrase *out)
{
	if (kind->netbios)
		fyke_dns_netbios_type(type, out);
	else
		fyke_dns_type(type, out);
}

/* ---- rows ---- */

static struct fyke_value opcode_of(const struct fyke_dns_kind *kind, unsigned opcode, struct fyke_phrase *out)
{
	static const char *const dns[16] = {"QUERY", "IQUERY", "STATUS", NULL, "NOTIFY", "UPDATE", "DSO"};
	static const char *const netbios[16] = {"QUERY", [5] = "REGISTRATION", [6] = "RELEASE", [7] = "WACK",
		[8] = "REFRESH", [9] = "REFRESH", [15] = "MULTIHOMED REGISTRATION"};
	const char *name = kind->netbios ? netbios[opcode] : dns[opcode];

	fyke_phrase_word(out, name != NULL ? name : "OPCODE");
	if (name == NULL)
		fyke_phrase_number(out, opcode);
	return fyke_phrase_value(out);
}

static struct fyke_value flag(const struct half *half, unsigned bit)
{
	return fyke_integer_if(half != NULL, half != NULL && (half->flags & bit) != 0);
}

static struct fyke_value text_of(const struct half *first, const struct half *second, int which)
{
	if (first != NULL && first->text[which].kind != FYKE_VALUE_NULL)
		return first->text[which];
	return second != NULL ? second->text[which] : fyke_null();
}

static void fill_flags(const struct fyke_dns_kind *kind, const struct half *query, const struct half *answer,
	struct fyke_value *values)
{
	const struct half *first = query != NULL ? query : answer;

	values[AUTHORITATIVE] = flag(answer, 0x0400);
	values[TRUNCATED] = flag(answer != NULL ? answer : query, 0x0200);
	values[RECURSION_DESIRED] = flag(first, 0x0100);
	values[RECURSION_AVAILABLE] = flag(answer, 0x0080);
	values[AUTHENTIC_DATA] = flag(kind->netbios ? NULL : answer, 0x0020);
	values[CHECKING_DISABLED] = flag(kind->netbios ? NULL : first, 0x0010);
}

/* What the query says in its sections matters where it is no plain query: known answers of mDNS do not. */
static void fill_sections(const struct half *query, const struct half *answer, struct fyke_value *values)
{
	bool plain = query == NULL || (query->flags >> 11 & 15) == 0;

	values[ANSWERS] = text_of(answer, plain ? NULL : query, SECTION + FYKE_DNS_ANSWER);
	values[AUTHORITIES] =
		text_of(answer, plain && answer != NULL ? NULL : query, SECTION + FYKE_DNS_AUTHORITY);
	values[ADDITIONALS] =
		text_of(answer, plain && answer != NULL ? NULL : query, SECTION + FYKE_DNS_ADDITIONAL);
}

static void fill_edns(const struct half *query, const struct half *answer, struct fyke_value *values)
{
	const struct half *edns = query != NULL ? query : answer;

	values[EDNS_PAYLOAD_BYTES] = fyke_integer_if(edns->has_edns, edns->edns_payload);
	values[DNSSEC_OK] = fyke_integer_if(edns->has_edns, edns->dnssec_ok);
	values[CLIENT_SUBNET] = text_of(answer, query, SUBNET);
}

static void fill_answer(const struct half *query, const struct half *answer, struct fyke_value *values)
{
	values[RTT_US] = fyke_integer_if(
		query != NULL && answer != NULL && answer->at.time_ns >= query->at.time_ns,
		query != NULL && answer != NULL ? (answer->at.time_ns - query->at.time_ns) / 1000 : 0);
	values[REJECTED] = fyke_integer_if(
		answer != NULL, answer != NULL && answer->is_empty && (answer->flags >> 11 & 15) == 0);
	values[ANSWER_FRAME] =
		fyke_integer_if(answer != NULL, answer != NULL ? (int64_t)answer->at.frame : 0);
}

/* Either may be NULL, not both. */
static void tell(struct fyke_dissection *dissection, const struct fyke_dns_kind *kind,
	const struct half *query, const struct half *answer)
{
	char words[4][64];
	struct fyke_phrase phrase[4];
	const struct half *first = query != NULL ? query : answer;
	struct fyke_value values[FIELD_COUNT];

	for (int i = 0; i < 4; i++)
		phrase[i] = fyke_phrase(words[i], sizeof(words[i]));
	if (first->asks) {
		say_type(kind, first->type, &phrase[1]);
		fyke_dns_class(first->class, &phrase[2]);
	}
	if (answer != NULL)
		fyke_dns_rcode(answer->rcode, &phrase[3]);
	values[PROTOCOL] = fyke_word(kind->protocol);
	values[TRANSACTION] = fyke_integer(first->id);
	values[OPCODE] = opcode_of(kind, first->flags >> 11 & 15, &phrase[0]);
	values[NAME] = first->text[QUERY];
	values[TYPE] = fyke_phrase_value(&phrase[1]);
	values[CLASS] = fyke_phrase_value(&phrase[2]);
	values[OTHER_QUERIES] = first->text[OTHERS];
	values[RCODE] = fyke_phrase_value(&phrase[3]);
	fill_flags(kind, query, answer, values);
	fill_sections(query, answer, values);
	fill_edns(query, answer, values);
	fill_answer(query, answer, values);
	fyke_record_at(dissection, &fyke_dns_table, first->at, values);
}

/* ---- reading a message ---- */

static void read_question(struct reading *reading, const struct fyke_dns_question *question, bool first)
{
	struct fyke_phrase *others = &reading->phrase[OTHERS];
	/* mDNS: the highest bit asks for an answer by unicast (RFC 6762 §5.4) */
	uint16_t class =
		reading->kind->lone && !reading->kind->netbios ? question->class & 0x7fff : question->class;

	if (first) {
		fyke_phrase_add(&reading->phrase[QUERY], question->text, question->length);
		memcpy(reading->alias, question->text, question->length);
		reading->alias_length = question->length;
		reading->half.asks = true;
		reading->half.type = question->type;
		reading->half.class = class;
		return;
	}
	fyke_phrase_next(others, ", ");
	fyke_phrase_add(others, question->text, question->length);
	fyke_phrase_add(others, " ", 1);
	say_type(reading->kind, question->type, others);
}

static bool read_questions(struct reading *reading)
{
	struct fyke_dns_question question;

	for (unsigned i = 0; i < reading->reader.questions; i++) {
		if (i >= QUESTIONS_MAX || !fyke_dns_next_question(&reading->reader, &question))
			return false;
		read_question(reading, &question, i == 0);
	}
	return true;
}

/* RFC 7871 §6 */
static void read_subnet(struct fyke_cursor c, struct fyke_phrase *out)
{
	unsigned family = fyke_cursor_u16(&c), prefix = fyke_cursor_u8(&c);
	uint8_t bytes[16] = {0};
	size_t length;

	(void)fyke_cursor_u8(&c);
	length = fyke_cursor_left(&c);
	if (!fyke_cursor_ok(&c) || length > sizeof(bytes) || (family != 1 && family != 2))
		return;
	if (length > 0)
		memcpy(bytes, c.at, length);
	if (family == 1)
		fyke_phrase_ipv4(out, bytes);
	else
		fyke_phrase_ipv6(out, bytes);
	fyke_phrase_add(out, "/", 1);
	fyke_phrase_number(out, prefix);
}

/* RFC 6891 §6.1 */
static void read_edns(struct reading *reading, const struct fyke_dns_record *record)
{
	struct fyke_cursor c = record->data;
	struct half *half = &reading->half;

	half->has_edns = true;
	half->edns_payload = record->class;
	half->dnssec_ok = (record->ttl & 0x8000) != 0;
	half->rcode = (uint16_t)(half->rcode | (record->ttl >> 24) << 4);
	while (fyke_cursor_left(&c) >= 4 && fyke_cursor_ok(&c)) {
		uint16_t code = fyke_cursor_u16(&c);
		struct fyke_cursor option = fyke_cursor_carve(&c, fyke_cursor_u16(&c));

		if (code == 8 && reading->phrase[SUBNET].length == 0)
			read_subnet(option, &reading->phrase[SUBNET]);
	}
}

static bool is_alias(const struct reading *reading, const struct fyke_dns_record *record)
{
	return reading->half.asks && record->owner_length == reading->alias_length &&
	       strncasecmp(record->owner, reading->alias, record->owner_length) == 0;
}

static void follow_alias(struct reading *reading, const struct fyke_dns_record *record)
{
	struct fyke_cursor c = record->data;
	struct fyke_phrase target = fyke_phrase(reading->alias, sizeof(reading->alias));

	if (record->type == 5 && fyke_dns_name(&reading->reader, &c, &target))
		reading->alias_length = target.length;
}

static void read_record(struct reading *reading, const struct fyke_dns_record *record)
{
	struct fyke_phrase *out = &reading->phrase[SECTION + (int)record->section];
	bool alias = record->section == FYKE_DNS_ANSWER && is_alias(reading, record);
	const size_t start = out->length;
	size_t before;

	fyke_phrase_next(out, ", ");
	if (!alias) {
		fyke_phrase_add(out, record->owner, record->owner_length);
		fyke_phrase_add(out, " ", 1);
	}
	say_type(reading->kind, record->type, out);
	fyke_phrase_add(out, " ", 1);
	before = out->length;
	fyke_dns_data(&reading->reader, record, out);
	fyke_phrase_word(out, out->length > before ? " " : "");
	fyke_phrase_number(out, record->ttl);
	if (out->cut)
		out->length = start;
	if (alias)
		follow_alias(reading, record);
	if (record->section != FYKE_DNS_AUTHORITY &&
		(fyke_dns_is_response(&reading->reader) || reading->kind->netbios))
		fyke_dns_facts(reading->dissection, reading->kind, &reading->reader, record, reading->sender,
			alias ? fyke_bytes(reading->query, reading->phrase[QUERY].length)
			      : fyke_bytes(record->owner, record->owner_length));
}

static void read_records(struct reading *reading)
{
	struct fyke_dns_record record;

	while (fyke_dns_next_record(&reading->reader, &record)) {
		if (record.type == FYKE_DNS_OPT && record.section == FYKE_DNS_ADDITIONAL &&
			!reading->kind->netbios)
			read_edns(reading, &record);
		else
			read_record(reading, &record);
	}
}

static void begin(struct reading *reading)
{
	struct half *half = &reading->half;

	reading->phrase[QUERY] = fyke_phrase(reading->query, sizeof(reading->query));
	reading->phrase[OTHERS] = fyke_phrase(reading->others, sizeof(reading->others));
	for (int i = 0; i < FYKE_DNS_SECTIONS; i++)
		reading->phrase[SECTION + i] = fyke_phrase(reading->section[i], sizeof(reading->section[i]));
	reading->phrase[SUBNET] = fyke_phrase(reading->subnet, sizeof(reading->subnet));
	*half = (struct half){.at = fyke_now(reading->dissection),
		.id = reading->reader.id,
		.flags = reading->reader.flags,
		.rcode = reading->reader.flags & 15};
}

/* ---- pairs ---- */

/* A query that cannot be kept is told as if unanswered. */
static void wait_for(struct reading *reading, struct fyke_dns_talk *talk)
{
	struct fyke_dissection *dissection = reading->dissection;
	struct fyke_dns_waiting *waiting = fyke_take(dissection, sizeof(*waiting));

	if (waiting == NULL) {
		tell(dissection, reading->kind, &reading->half, NULL);
		return;
	}
	waiting->half = reading->half;
	for (int i = 0; i < TEXTS; i++) {
		const struct fyke_value *text = &reading->half.text[i];

		if (text->kind == FYKE_VALUE_BYTES)
			fyke_keep(dissection, &waiting->text[i], text->bytes, text->length,
				i == OTHERS ? OTHERS_MAX : SECTION_ROOM);
		waiting->half.text[i] = fyke_text_of(&waiting->text[i]);
	}
	if (talk->last != NULL)
		talk->last->next = waiting;
	else
		talk->first = waiting;
	talk->last = waiting;
	talk->count++;
}

/* Takes the one behind `before` (NULL: the first) out of the list and tells it. */
static void settle(struct fyke_dissection *dissection, struct fyke_dns_talk *talk,
	const struct fyke_dns_kind *kind, struct fyke_dns_waiting *before, const struct half *answer)
{
	struct fyke_dns_waiting *waiting = before != NULL ? before->next : talk->first;

	if (before != NULL)
		before->next = waiting->next;
	else
		talk->first = waiting->next;
	if (talk->last == waiting)
		talk->last = before;
	talk->count--;
	tell(dissection, kind, &waiting->half, answer);
	for (int i = 0; i < TEXTS; i++)
		fyke_drop(dissection, &waiting->text[i]);
	fyke_give(dissection, waiting);
}

static bool answers(const struct half *answer, const struct half *query)
{
	const struct fyke_value *a = &answer->text[QUERY], *q = &query->text[QUERY];

	if (answer->id != query->id || (answer->flags >> 11 & 15) != (query->flags >> 11 & 15))
		return false;
	if (!answer->asks) /* later messages of a transfer, servers in trouble */
		return true;
	return query->asks && answer->type == query->type && a->kind == q->kind && a->length == q->length &&
	       (a->kind == FYKE_VALUE_NULL || strncasecmp(a->bytes, q->bytes, a->length) == 0);
}

static void pair(struct reading *reading, struct fyke_dns_talk *talk)
{
	struct fyke_dns_waiting *before = NULL;

	for (struct fyke_dns_waiting *waiting = talk->first; waiting != NULL; waiting = waiting->next) {
		if (answers(&reading->half, &waiting->half)) {
			settle(reading->dissection, talk, reading->kind, before, &reading->half);
			return;
		}
		before = waiting;
	}
	tell(reading->dissection, reading->kind, NULL, &reading->half);
}

static void conclude(struct reading *reading, struct fyke_dns_talk *talk)
{
	const struct fyke_dns_reader *reader = &reading->reader;

	reading->half.is_empty = reader->records[0] + reader->records[1] + reader->records[2] ==
				 (reading->half.has_edns ? 1 : 0);
	for (int i = 0; i < TEXTS; i++)
		reading->half.text[i] = fyke_phrase_value(&reading->phrase[i]);
	if (fyke_dns_is_response(reader)) {
		pair(reading, talk);
		return;
	}
	if (reading->kind->lone) {
		tell(reading->dissection, reading->kind, &reading->half, NULL);
		return;
	}
	if (talk->count == FYKE_DNS_WAITING_MAX)
		settle(reading->dissection, talk, reading->kind, NULL, NULL);
	wait_for(reading, talk);
}

/* A header that says something possible, questions that can be read, and something beside the header, unless
 * it is a bare refusal. */
static bool may_be_message(const uint8_t *data, size_t length, bool netbios)
{
	struct fyke_dns_reader reader = {.netbios = netbios};
	struct fyke_dns_question question;
	struct fyke_dns_record record;

	if (!fyke_dns_begin(&reader, data, length) || reader.questions > QUESTIONS_MAX)
		return false;
	for (unsigned i = 0; i < reader.questions; i++) {
		if (!fyke_dns_next_question(&reader, &question) || !fyke_dns_class_is_known(question.class))
			return false;
	}
	return reader.questions > 0 ||
	       (fyke_dns_next_record(&reader, &record) &&
		       (record.type == FYKE_DNS_OPT || fyke_dns_class_is_known(record.class))) ||
	       (fyke_dns_is_response(&reader) && length == FYKE_DNS_HEADER);
}

bool fyke_dns_take(struct fyke_dissection *dissection, struct fyke_dns_talk *talk,
	const struct fyke_dns_kind *kind, const struct fyke_input *input)
{
	struct reading reading;

	reading.dissection = dissection;
	reading.kind = kind;
	reading.sender = input->side;
	reading.reader.netbios = kind->netbios;
	if (!fyke_dns_begin(&reading.reader, input->data, input->length) ||
		(!input->cut && !may_be_message(input->data, input->length, kind->netbios)))
		return false;
	begin(&reading);
	fyke_confirm(dissection);
	if (read_questions(&reading))
		read_records(&reading);
	conclude(&reading, talk);
	return true;
}

void fyke_dns_finish(
	struct fyke_dissection *dissection, struct fyke_dns_talk *talk, const struct fyke_dns_kind *kind)
{
	while (talk->first != NULL)
		settle(dissection, talk, kind, NULL, NULL);
}

enum fyke_match fyke_dns_probe(const struct fyke_opening *opening, bool netbios)
{
	enum fyke_match match = FYKE_NO;

	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length;

		if (length == 0)
			continue;
		if (fyke_dns_is_message(data, length, netbios))
			return FYKE_YES;
		if (may_be_message(data, length, netbios))
			match = FYKE_MAYBE;
	}
	return match;
}
