/* LDAP's operations (RFC 4511 §4), each told with its result. At most 16 are open at a time; the oldest go.
 */
#include "dissectors/shared/ldap.h"

#include <string.h>

enum {
	BIND = 0x60,
	BIND_RESULT = 0x61,
	UNBIND = 0x42,
	SEARCH = 0x63,
	ENTRY = 0x64,
	SEARCH_DONE = 0x65,
	REFERENCE = 0x73,
	MODIFY = 0x66,
	ADD = 0x68,
	DELETE = 0x4a,
	DELETE_RESULT = 0x6b,
	RENAME = 0x6c,
	COMPARE = 0x6e,
	ABANDON = 0x50,
	EXTENDED = 0x77,
	EXTENDED_RESULT = 0x78,
	INTERMEDIATE = 0x79,
	SASL_CONTINUES = 14
};

enum { ID, VERSION, OPERATION, OBJECT, ARGUMENT, CODE, RESULT, MATCHED, DIAGNOSTIC, RTT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[ID] = {"message_id", FYKE_TYPE_INTEGER, "binds request and result"},
	[VERSION] = {"version", FYKE_TYPE_INTEGER, "of a bind"},
	[OPERATION] = {"operation", FYKE_TYPE_TEXT,
		"bind, unbind, modify, add, delete, modify_dn, compare, abandon, extended"},
	[OBJECT] = {"object", FYKE_TYPE_TEXT,
		"the entry; of a bind who logs in, of an extended operation its OID"},
	[ARGUMENT] = {"argument", FYKE_TYPE_TEXT,
		"of a bind the mechanism, of a modify_dn the new name, of a compare the attribute"},
	[CODE] = {"result_code", FYKE_TYPE_INTEGER, "NULL = no result was seen"},
	[RESULT] = {"result", FYKE_TYPE_TEXT, "its name in RFC 4511 appendix A"},
	[MATCHED] = {"matched_dn", FYKE_TYPE_TEXT, "how much of the object's name there is"},
	[DIAGNOSTIC] = {"diagnostic_message", FYKE_TYPE_TEXT, "what the server says to it"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to result"},
};

const struct fyke_table fyke_table_ldap = {
	"ldap", "one row per operation with its result; searches stand in ldap_search", fields, FIELD_COUNT};

enum {
	S_ID,
	S_BASE,
	S_SCOPE,
	S_ALIASES,
	S_FILTER,
	S_ATTRIBUTES,
	S_ENTRIES,
	S_CODE,
	S_RESULT,
	S_DIAGNOSTIC,
	S_RTT,
	SEARCH_COUNT
};

static const struct fyke_field search_fields[SEARCH_COUNT] = {
	[S_ID] = {"message_id", FYKE_TYPE_INTEGER, "binds request and result"},
	[S_BASE] = {"base_object", FYKE_TYPE_TEXT, "where the search begins"},
	[S_SCOPE] = {"scope", FYKE_TYPE_TEXT, "base, single or tree"},
	[S_ALIASES] = {"deref_aliases", FYKE_TYPE_TEXT, "never, searching, finding or always"},
	[S_FILTER] = {"filter", FYKE_TYPE_TEXT, "as RFC 4515 writes it"},
	[S_ATTRIBUTES] = {"attributes", FYKE_TYPE_TEXT, "that are asked for, joined by |"},
	[S_ENTRIES] = {"result_count", FYKE_TYPE_INTEGER, "entries that were found"},
	[S_CODE] = {"result_code", FYKE_TYPE_INTEGER, "NULL = no result was seen"},
	[S_RESULT] = {"result", FYKE_TYPE_TEXT, "its name in RFC 4511 appendix A"},
	[S_DIAGNOSTIC] = {"diagnostic_message", FYKE_TYPE_TEXT, "what the server says to it"},
	[S_RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to result"},
};

const struct fyke_table fyke_table_ldap_search = {
	"ldap_search", "one row per search with its result", search_fields, SEARCH_COUNT};

struct result {
	int64_t code; /* -1 = none */
	struct fyke_value matched, diagnostic;
	struct fyke_cursor rest;
};

bool fyke_ldap_is_operation(uint8_t tag, bool request)
{
	static const uint8_t requests[] = {
		BIND, UNBIND, SEARCH, MODIFY, ADD, DELETE, RENAME, COMPARE, ABANDON, EXTENDED};
	static const uint8_t answers[] = {BIND_RESULT, ENTRY, SEARCH_DONE, REFERENCE, 0x67, 0x69,
		DELETE_RESULT, 0x6d, 0x6f, EXTENDED_RESULT, INTERMEDIATE};

	return request ? memchr(requests, tag, sizeof(requests)) != NULL
		       : memchr(answers, tag, sizeof(answers)) != NULL;
}

static const char *result_name(int64_t code)
{
	static const struct {
		uint8_t code;
		const char *name;
	} names[] = {{0, "success"}, {1, "operationsError"}, {2, "protocolError"}, {3, "timeLimitExceeded"},
		{4, "sizeLimitExceeded"}, {5, "compareFalse"}, {6, "compareTrue"},
		{7, "authMethodNotSupported"}, {8, "strongerAuthRequired"}, {10, "referral"},
		{11, "adminLimitExceeded"}, {12, "unavailableCriticalExtension"},
		{13, "confidentialityRequired"}, {14, "saslBindInProgress"}, {16, "noSuchAttribute"},
		{17, "undefinedAttributeType"}, {18, "inappropriateMatching"}, {19, "constraintViolation"},
		{20, "attributeOrValueExists"}, {21, "invalidAttributeSyntax"}, {32, "noSuchObject"},
		{33, "aliasProblem"}, {34, "invalidDNSyntax"}, {36, "aliasDereferencingProblem"},
		{48, "inappropriateAuthentication"}, {49, "invalidCredentials"},
		{50, "insufficientAccessRights"}, {51, "busy"}, {52, "unavailable"},
		{53, "unwillingToPerform"}, {54, "loopDetect"}, {64, "namingViolation"},
		{65, "objectClassViolation"}, {66, "notAllowedOnNonLeaf"}, {67, "notAllowedOnRDN"},
		{68, "entryAlreadyExists"}, {69, "objectClassModsProhibited"}, {71, "affectsMultipleDSAs"},
		{80, "other"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].code == code)
			return names[i].name;
	}
	return NULL;
}

static const char *operation_name(uint8_t operation)
{
	switch (operation) {
	case BIND:
		return "bind";
	case UNBIND:
		return "unbind";
	case MODIFY:
		return "modify";
	case ADD:
		return "add";
	case DELETE:
		return "delete";
	case RENAME:
		return "modify_dn";
	case COMPARE:
		return "compare";
	case ABANDON:
		return "abandon";
	case EXTENDED:
		return "extended";
	default:
		return NULL;
	}
}

static struct fyke_value rtt_of(
	struct fyke_dissection *dissection, const struct fyke_ldap_pending *pending, bool answered)
{
	return fyke_integer_if(answered, (fyke_now(dissection).time_ns - pending->moment.time_ns) / 1000);
}

static void forget(struct fyke_dissection *dissection, struct fyke_ldap_pending *pending)
{
	fyke_drop(dissection, &pending->object);
	fyke_drop(dissection, &pending->argument);
	fyke_drop(dissection, &pending->filter);
	fyke_drop(dissection, &pending->attributes);
	fyke_drop(dissection, &pending->secret);
	*pending = (struct fyke_ldap_pending){0};
}

static void tell_search(
	struct fyke_dissection *dissection, struct fyke_ldap_pending *pending, const struct result *result)
{
	static const char *const scopes[] = {"base", "single", "tree"}, *const aliases[] = {"never",
										"searching", "finding",
										"always"};
	struct fyke_value values[SEARCH_COUNT];

	values[S_ID] = fyke_integer(pending->id);
	values[S_BASE] = fyke_text_of(&pending->object);
	values[S_SCOPE] =
		fyke_word(pending->scope >= 0 && pending->scope < 3 ? scopes[pending->scope] : NULL);
	values[S_ALIASES] =
		fyke_word(pending->aliases >= 0 && pending->aliases < 4 ? aliases[pending->aliases] : NULL);
	values[S_FILTER] = fyke_text_of(&pending->filter);
	values[S_ATTRIBUTES] = fyke_text_of(&pending->attributes);
	values[S_ENTRIES] = fyke_integer(pending->entries);
	values[S_CODE] = fyke_integer_if(result->code >= 0, result->code);
	values[S_RESULT] = fyke_word(result_name(result->code));
	values[S_DIAGNOSTIC] = result->diagnostic;
	values[S_RTT] = rtt_of(dissection, pending, result->code >= 0);
	fyke_record_at(dissection, &fyke_table_ldap_search, pending->moment, values);
}

static void tell_secret(
	struct fyke_dissection *dissection, struct fyke_ldap_pending *pending, const struct result *result)
{
	struct fyke_credential credential = {.mechanism = "simple bind",
		.user = fyke_text_of(&pending->object),
		.secret = fyke_text_of(&pending->secret),
		.login = result->code < 0    ? FYKE_LOGIN_UNKNOWN
			 : result->code == 0 ? FYKE_LOGIN_ACCEPTED
					     : FYKE_LOGIN_REFUSED};

	if (pending->simple && pending->secret.length > 0)
		fyke_credential(dissection, &credential);
}

static void tell(
	struct fyke_dissection *dissection, struct fyke_ldap_pending *pending, const struct result *result)
{
	struct fyke_value values[FIELD_COUNT];

	if (pending->operation == SEARCH) {
		tell_search(dissection, pending, result);
		forget(dissection, pending);
		return;
	}
	values[ID] = fyke_integer(pending->id);
	values[VERSION] = fyke_integer_if(pending->version >= 0, pending->version);
	values[OPERATION] = fyke_word(operation_name(pending->operation));
	values[OBJECT] = fyke_text_of(&pending->object);
	values[ARGUMENT] = fyke_text_of(&pending->argument);
	values[CODE] = fyke_integer_if(result->code >= 0, result->code);
	values[RESULT] = fyke_word(result_name(result->code));
	values[MATCHED] = result->matched;
	values[DIAGNOSTIC] = result->diagnostic;
	values[RTT] = rtt_of(dissection, pending, result->code >= 0);
	fyke_record_at(dissection, &fyke_table_ldap, pending->moment, values);
	tell_secret(dissection, pending, result);
	forget(dissection, pending);
}

static const struct result no_result = {.code = -1};

static struct fyke_ldap_pending *add(
	struct fyke_dissection *dissection, struct fyke_ldap *ldap, uint8_t operation, int64_t id)
{
	struct fyke_ldap_pending *pending = &ldap->pending[ldap->next++ % FYKE_LDAP_PENDING];

	if (pending->open)
		tell(dissection, pending, &no_result);
	*pending = (struct fyke_ldap_pending){.open = true,
		.operation = operation,
		.id = id,
		.version = -1,
		.moment = fyke_now(dissection)};
	return pending;
}

static struct fyke_ldap_pending *find(struct fyke_ldap *ldap, int64_t id)
{
	for (size_t i = 0; i < FYKE_LDAP_PENDING; i++) {
		if (ldap->pending[i].open && ldap->pending[i].id == id)
			return &ldap->pending[i];
	}
	return NULL;
}

static void keep(struct fyke_dissection *dissection, struct fyke_text *text, const struct fyke_cursor *value)
{
	fyke_keep(dissection, text, value->at, fyke_cursor_left(value), FYKE_LDAP_NAME);
}

static void read_bind(struct fyke_dissection *dissection, struct fyke_ldap *ldap,
	struct fyke_ldap_pending *pending, struct fyke_cursor c)
{
	struct fyke_asn1 method;
	struct fyke_cursor version = fyke_asn1_enter(&c, FYKE_ASN1_INTEGER),
			   name = fyke_asn1_enter(&c, FYKE_ASN1_OCTET_STRING);
	struct fyke_cursor mechanism;
	bool good;

	pending->version = fyke_asn1_integer(version, &good);
	keep(dissection, &pending->object, &name);
	if (!fyke_asn1_next(&c, &method))
		return;
	if (method.tag == FYKE_ASN1_CONTEXT) {
		pending->simple = true;
		fyke_keep(dissection, &pending->argument, "simple", 6, 6);
		keep(dissection, &pending->secret, &method.inside);
	} else if (method.tag == (FYKE_ASN1_CONTEXT_MADE | 3)) {
		pending->sasl = true;
		mechanism = fyke_asn1_enter(&method.inside, FYKE_ASN1_OCTET_STRING);
		keep(dissection, &pending->argument, &mechanism);
		(void)fyke_ntlm_read(
			dissection, &ldap->ntlm, method.inside.at, fyke_cursor_left(&method.inside));
	} else {
		pending->sasl = true; /* [MS-ADTS] §5.1.1.1.3: Sicily */
		fyke_keep(dissection, &pending->argument, "sicily", 6, 6);
		(void)fyke_ntlm_read(
			dissection, &ldap->ntlm, method.inside.at, fyke_cursor_left(&method.inside));
	}
}

static void read_search(
	struct fyke_dissection *dissection, struct fyke_ldap_pending *pending, struct fyke_cursor c)
{
	struct fyke_cursor base = fyke_asn1_enter(&c, FYKE_ASN1_OCTET_STRING), list;
	struct fyke_asn1 attribute;
	bool good;

	keep(dissection, &pending->object, &base);
	pending->scope = fyke_asn1_integer(fyke_asn1_enter(&c, FYKE_ASN1_ENUMERATED), &good);
	pending->aliases = fyke_asn1_integer(fyke_asn1_enter(&c, FYKE_ASN1_ENUMERATED), &good);
	(void)fyke_asn1_enter(&c, FYKE_ASN1_INTEGER);
	(void)fyke_asn1_enter(&c, FYKE_ASN1_INTEGER);
	(void)fyke_asn1_enter(&c, FYKE_ASN1_BOOLEAN);
	if (!fyke_cursor_ok(&c))
		return;
	fyke_ldap_filter(dissection, &pending->filter, &c);
	list = fyke_asn1_enter(&c, FYKE_ASN1_SEQUENCE);
	while (fyke_asn1_next(&list, &attribute) && pending->attributes.length < FYKE_LDAP_NAME) {
		if (pending->attributes.length > 0)
			fyke_append(dissection, &pending->attributes, "|", 1, FYKE_LDAP_NAME);
		fyke_append(dissection, &pending->attributes, attribute.inside.at,
			fyke_cursor_left(&attribute.inside), FYKE_LDAP_NAME);
	}
}

/* Modify, add, delete, rename and compare begin with the entry's name. */
static void read_change(
	struct fyke_dissection *dissection, struct fyke_ldap_pending *pending, struct fyke_cursor c)
{
	struct fyke_cursor name, argument;

	if (pending->operation == DELETE) {
		keep(dissection, &pending->object, &c);
		return;
	}
	name = fyke_asn1_enter(&c, FYKE_ASN1_OCTET_STRING);
	keep(dissection, &pending->object, &name);
	if (pending->operation == RENAME) {
		argument = fyke_asn1_enter(&c, FYKE_ASN1_OCTET_STRING);
		keep(dissection, &pending->argument, &argument);
	} else if (pending->operation == COMPARE) {
		argument = fyke_asn1_enter(&c, FYKE_ASN1_SEQUENCE);
		argument = fyke_asn1_enter(&argument, FYKE_ASN1_OCTET_STRING);
		keep(dissection, &pending->argument, &argument);
	}
}

static void read_extended(
	struct fyke_dissection *dissection, struct fyke_ldap_pending *pending, struct fyke_cursor c)
{
	static const char start_tls[] = "1.3.6.1.4.1.1466.20037";
	struct fyke_cursor name;

	if (!fyke_asn1_find(&c, FYKE_ASN1_CONTEXT, &name))
		return;
	keep(dissection, &pending->object, &name);
	pending->tls = pending->object.length == sizeof(start_tls) - 1 &&
		       memcmp(pending->object.bytes, start_tls, sizeof(start_tls) - 1) == 0;
	if (pending->tls)
		fyke_keep(dissection, &pending->argument, "StartTLS", 8, 8);
}

static void read_request(struct fyke_dissection *dissection, struct fyke_ldap *ldap,
	const struct fyke_asn1 *operation, int64_t id)
{
	struct fyke_ldap_pending *pending = add(dissection, ldap, operation->tag, id);

	switch (operation->tag) {
	case BIND:
		read_bind(dissection, ldap, pending, operation->inside);
		break;
	case SEARCH:
		read_search(dissection, pending, operation->inside);
		break;
	case EXTENDED:
		read_extended(dissection, pending, operation->inside);
		break;
	case UNBIND:
	case ABANDON:
		tell(dissection, pending, &no_result);
		break;
	default:
		read_change(dissection, pending, operation->inside);
		break;
	}
}

static struct result read_result(struct fyke_cursor c)
{
	struct result result = {.code = -1};
	struct fyke_cursor text;
	bool good;

	result.code = fyke_asn1_integer(fyke_asn1_enter(&c, FYKE_ASN1_ENUMERATED), &good);
	if (!good)
		result.code = -1;
	text = fyke_asn1_enter(&c, FYKE_ASN1_OCTET_STRING);
	if (fyke_cursor_left(&text) > 0)
		result.matched = fyke_bytes(text.at, fyke_cursor_left(&text));
	text = fyke_asn1_enter(&c, FYKE_ASN1_OCTET_STRING);
	if (fyke_cursor_left(&text) > 0)
		result.diagnostic = fyke_bytes(text.at, fyke_cursor_left(&text));
	result.rest = c;
	return result;
}

static void read_bind_result(struct fyke_dissection *dissection, struct fyke_ldap *ldap,
	struct fyke_ldap_pending *pending, const struct result *result)
{
	(void)fyke_ntlm_read(dissection, &ldap->ntlm, result->rest.at, fyke_cursor_left(&result->rest));
	/* Sicily's challenge stands in the matched name */
	if (result->matched.kind == FYKE_VALUE_BYTES)
		(void)fyke_ntlm_read(dissection, &ldap->ntlm, (const uint8_t *)result->matched.bytes,
			result->matched.length);
	if (pending != NULL && pending->sasl && result->code == 0)
		ldap->sasl = true;
	if (result->code != SASL_CONTINUES && ldap->ntlm.authenticated)
		fyke_ntlm_tell(dissection, &ldap->ntlm, result->code == 0, result_name(result->code));
}

static void read_answer(struct fyke_dissection *dissection, struct fyke_ldap *ldap,
	const struct fyke_asn1 *operation, int64_t id)
{
	struct fyke_ldap_pending *pending = find(ldap, id),
				 unseen = {.id = id, .version = -1, .scope = -1, .aliases = -1};
	struct result result;

	if (operation->tag == ENTRY) {
		if (pending != NULL)
			pending->entries++;
		return;
	}
	if (operation->tag == REFERENCE || operation->tag == INTERMEDIATE)
		return;
	result = read_result(operation->inside);
	if (operation->tag == BIND_RESULT)
		read_bind_result(dissection, ldap, pending, &result);
	if (pending != NULL && pending->tls && result.code == 0)
		ldap->starts_tls = true;
	if (pending == NULL) { /* answers' tags are their requests', plus one */
		unseen.moment = fyke_now(dissection);
		unseen.operation = operation->tag == SEARCH_DONE     ? SEARCH
				   : operation->tag == DELETE_RESULT ? DELETE
								     : (uint8_t)(operation->tag - 1);
		pending = &unseen;
	}
	tell(dissection, pending, &result);
}

void fyke_ldap_message(struct fyke_dissection *dissection, struct fyke_ldap *ldap, enum fyke_side side,
	const uint8_t *bytes, size_t length)
{
	struct fyke_cursor c = fyke_cursor(bytes, length);
	struct fyke_asn1 message, number, operation;
	int64_t id;
	bool good;

	(void)side;
	(void)fyke_asn1_next(&c, &message);
	if (!fyke_cursor_ok(&c)) { /* only the beginning is here */
		struct fyke_cursor head = fyke_cursor(bytes, length);

		fyke_cursor_skip(&head, 1);
		if (fyke_cursor_u8(&head) >= 0x80)
			fyke_cursor_skip(&head, bytes[1] & 0x7f);
		message.inside = head;
	}
	if (!fyke_asn1_next(&message.inside, &number) || number.tag != FYKE_ASN1_INTEGER)
		return;
	id = fyke_asn1_integer(number.inside, &good);
	(void)fyke_asn1_next(&message.inside, &operation);
	if (message.inside.fault == FYKE_FAULT_SHORT && operation.tag == ENTRY)
		message.inside.fault = FYKE_FAULT_NONE;
	if (!good || !fyke_cursor_ok(&message.inside))
		return;
	fyke_confirm(dissection);
	if (fyke_ldap_is_operation(operation.tag, true))
		read_request(dissection, ldap, &operation, id);
	else if (fyke_ldap_is_operation(operation.tag, false))
		read_answer(dissection, ldap, &operation, id);
}

void fyke_ldap_end(struct fyke_dissection *dissection, struct fyke_ldap *ldap)
{
	for (size_t i = 0; i < FYKE_LDAP_PENDING; i++) {
		struct fyke_ldap_pending *pending = &ldap->pending[(ldap->next + i) % FYKE_LDAP_PENDING];

		if (pending->open)
			tell(dissection, pending, &no_result);
	}
	fyke_ntlm_tell(dissection, &ldap->ntlm, -1, NULL);
}
