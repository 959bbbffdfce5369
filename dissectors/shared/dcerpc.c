/*
 * Connection-oriented DCE/RPC PDUs (C706 §12.6): bind, alter context, request, response, fault, and their
 * answers; NTLM in the authentication trailer; towers of the endpoint mapper's answers announce sessions.
 * Stub data is otherwise only counted. At most 8 contexts and 16 open calls are remembered.
 */
#include "dissectors/shared/dcerpc.h"

#include <stdio.h>
#include <string.h>

enum {
	REQUEST = 0,
	RESPONSE = 2,
	FAULT = 3,
	BIND = 11,
	BIND_ACK = 12,
	BIND_NAK = 13,
	ALTER = 14,
	ALTER_ACK = 15,
	AUTH3 = 16,
	LAST_TYPE = 20
};
enum { FIRST_FRAGMENT = 1, LAST_FRAGMENT = 2, HAS_OBJECT = 0x80, BINDS_MAX = 16, TOWERS_MAX = 16 };

enum {
	KIND,
	NAMED_PIPE,
	UUID,
	ENDPOINT,
	VERSION,
	CALL_ID,
	OPNUM,
	OPERATION,
	RESULT,
	STATUS,
	REQUEST_BYTES,
	RESPONSE_BYTES,
	RTT,
	DETAIL,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[KIND] = {"kind", FYKE_TYPE_TEXT, "bind or call"},
	[NAMED_PIPE] = {"named_pipe", FYKE_TYPE_TEXT, "the pipe of SMB that carries it"},
	[UUID] = {"interface_uuid", FYKE_TYPE_TEXT, "the interface"},
	[ENDPOINT] = {"endpoint", FYKE_TYPE_TEXT, "the interface's name, where it is well known"},
	[VERSION] = {"interface_version", FYKE_TYPE_TEXT, "major.minor"},
	[CALL_ID] = {"call_id", FYKE_TYPE_INTEGER, "number that binds request and response"},
	[OPNUM] = {"opnum", FYKE_TYPE_INTEGER, "number of the operation"},
	[OPERATION] = {"operation", FYKE_TYPE_TEXT, "the operation's name, where it is known"},
	[RESULT] = {"result", FYKE_TYPE_TEXT,
		"response, fault, accepted, refused; NULL = no answer was seen"},
	[STATUS] = {"status", FYKE_TYPE_INTEGER, "code of a fault or of a refusal"},
	[REQUEST_BYTES] = {"request_bytes", FYKE_TYPE_INTEGER, "stub data of the request"},
	[RESPONSE_BYTES] = {"response_bytes", FYKE_TYPE_INTEGER, "stub data of the response"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to answer"},
	[DETAIL] = {"detail", FYKE_TYPE_TEXT,
		"of ept_map: what was found where; of datagrams: the activity's UUID"},
};

const struct fyke_table fyke_table_dce_rpc = {
	"dce_rpc", "one row per interface that is bound, and per call", fields, FIELD_COUNT};

struct pdu {
	uint8_t type, flags;
	bool little;
	uint16_t length, auth_length;
	uint32_t call_id;
	struct fyke_cursor body;
	enum fyke_side side;
};

static uint16_t u16(const struct pdu *pdu, struct fyke_cursor *c)
{
	return pdu->little ? fyke_cursor_le16(c) : fyke_cursor_u16(c);
}

static uint32_t u32(const struct pdu *pdu, struct fyke_cursor *c)
{
	return pdu->little ? fyke_cursor_le32(c) : fyke_cursor_u32(c);
}

static bool read_head(struct pdu *pdu, const uint8_t *bytes, size_t length)
{
	struct fyke_cursor c = fyke_cursor(bytes, length);
	uint8_t version = fyke_cursor_u8(&c), minor = fyke_cursor_u8(&c), drep;

	pdu->type = fyke_cursor_u8(&c);
	pdu->flags = fyke_cursor_u8(&c);
	drep = fyke_cursor_u8(&c);
	pdu->little = (drep & 0x10) != 0;
	fyke_cursor_skip(&c, 3);
	pdu->length = u16(pdu, &c);
	pdu->auth_length = u16(pdu, &c);
	pdu->call_id = u32(pdu, &c);
	pdu->body = c;
	return fyke_cursor_ok(&c) && version == 5 && minor <= 1 && pdu->type <= LAST_TYPE &&
	       (drep & 0xee) == 0 && pdu->length >= FYKE_DCERPC_HEAD && pdu->auth_length < pdu->length;
}

size_t fyke_dcerpc_length(const uint8_t *bytes)
{
	struct pdu pdu;

	return read_head(&pdu, bytes, FYKE_DCERPC_HEAD) ? pdu.length : 0;
}

void fyke_dcerpc_uuid(const uint8_t wire[16], bool little, char text[FYKE_DCERPC_UUID])
{
	static const uint8_t order[2][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}};
	const uint8_t *o = order[little ? 1 : 0];

	(void)snprintf(text, FYKE_DCERPC_UUID,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", wire[o[0]],
		wire[o[1]], wire[o[2]], wire[o[3]], wire[o[4]], wire[o[5]], wire[o[6]], wire[o[7]],
		wire[o[8]], wire[o[9]], wire[o[10]], wire[o[11]], wire[o[12]], wire[o[13]], wire[o[14]],
		wire[o[15]]);
}

static struct fyke_dcerpc_context *context_of(struct fyke_dcerpc *rpc, uint16_t id)
{
	for (size_t i = 0; i < FYKE_DCERPC_CONTEXTS; i++) {
		if (rpc->contexts[i].used && rpc->contexts[i].id == id)
			return &rpc->contexts[i];
	}
	return NULL;
}

static struct fyke_dcerpc_context *add_context(struct fyke_dcerpc *rpc, uint16_t id)
{
	struct fyke_dcerpc_context *context = context_of(rpc, id);

	if (context == NULL)
		context = &rpc->contexts[rpc->next_context++ % FYKE_DCERPC_CONTEXTS];
	*context = (struct fyke_dcerpc_context){.used = true, .id = id};
	return context;
}

static struct fyke_dcerpc_call *call_of(struct fyke_dcerpc *rpc, uint32_t id, bool bind)
{
	for (size_t i = 0; i < FYKE_DCERPC_CALLS; i++) {
		if (rpc->calls[i].open && rpc->calls[i].id == id && rpc->calls[i].bind == bind)
			return &rpc->calls[i];
	}
	return NULL;
}

void fyke_dcerpc_tell(struct fyke_dissection *dissection, const struct fyke_dcerpc *rpc,
	const struct fyke_dcerpc_said *said)
{
	const struct fyke_dcerpc_context *context = said->context;
	const char *uuid = context != NULL ? context->uuid : said->uuid;
	const struct fyke_dcerpc_interface *interface = uuid != NULL ? fyke_dcerpc_interface(uuid) : NULL;
	bool call = !said->call->bind;
	int64_t rtt = (fyke_now(dissection).time_ns - said->call->moment.time_ns) / 1000;
	struct fyke_value values[FIELD_COUNT];
	char version[16];

	if (context != NULL)
		(void)snprintf(version, sizeof(version), "%u.%u", context->version, context->minor);
	values[KIND] = fyke_word(said->kind);
	values[NAMED_PIPE] = fyke_bytes(rpc->pipe, rpc->pipe_length);
	values[UUID] = fyke_word(uuid);
	values[ENDPOINT] = fyke_word(interface != NULL ? interface->name : NULL);
	values[VERSION] = fyke_word(context != NULL ? version : NULL);
	values[CALL_ID] = fyke_integer(said->call->id);
	values[OPNUM] = fyke_integer_if(call, said->call->opnum);
	values[OPERATION] = fyke_word(call ? fyke_dcerpc_operation(interface, said->call->opnum) : NULL);
	values[RESULT] = fyke_word(said->result);
	values[STATUS] = fyke_integer_if(said->status >= 0, said->status);
	values[REQUEST_BYTES] = fyke_integer_if(call, said->call->request_bytes);
	values[RESPONSE_BYTES] = fyke_integer_if(call && said->answered, said->call->response_bytes);
	values[RTT] = fyke_integer_if(said->answered && rtt >= 0, rtt);
	values[DETAIL] = said->detail;
	fyke_record_at(dissection, &fyke_table_dce_rpc, said->call->moment, values);
}

static void tell_call(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc,
	struct fyke_dcerpc_call *call, const char *result, int64_t status)
{
	struct fyke_dcerpc_said said = {.kind = "call",
		.result = result,
		.call = call,
		.context = context_of(rpc, call->context),
		.status = status,
		.answered = result != NULL};

	fyke_dcerpc_tell(dissection, rpc, &said);
	call->open = false;
}

static struct fyke_dcerpc_call *open_call(
	struct fyke_dissection *dissection, struct fyke_dcerpc *rpc, uint32_t id, bool bind)
{
	struct fyke_dcerpc_call *call = &rpc->calls[rpc->next_call++ % FYKE_DCERPC_CALLS];

	if (call->open && !call->bind)
		tell_call(dissection, rpc, call, NULL, -1);
	*call = (struct fyke_dcerpc_call){
		.open = true, .bind = bind, .id = id, .moment = fyke_now(dissection)};
	return call;
}

/* Presentation contexts that a bind offers. */
static void read_bind(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc, const struct pdu *pdu)
{
	struct fyke_cursor c = pdu->body;
	uint8_t count;

	fyke_cursor_skip(&c, 8);
	count = fyke_cursor_u8(&c);
	fyke_cursor_skip(&c, 3);
	rpc->bound_count = 0;
	(void)open_call(dissection, rpc, pdu->call_id, true);
	for (unsigned i = 0; i < count && i < BINDS_MAX; i++) {
		uint16_t id = u16(pdu, &c);
		uint8_t syntaxes = fyke_cursor_u8(&c);
		const uint8_t *uuid;
		uint16_t version, minor;
		struct fyke_dcerpc_context *context;

		fyke_cursor_skip(&c, 1);
		uuid = fyke_cursor_take(&c, 16);
		version = u16(pdu, &c);
		minor = u16(pdu, &c);
		fyke_cursor_skip(&c, (size_t)syntaxes * 20);
		if (uuid == NULL)
			return;
		context = add_context(rpc, id);
		if (rpc->bound_count < FYKE_DCERPC_CONTEXTS)
			rpc->bound[rpc->bound_count++] = id;
		context->version = version;
		context->minor = minor;
		fyke_dcerpc_uuid(uuid, pdu->little, context->uuid);
	}
}

/* Behind the secondary address, at a multiple of four (C706 §12.6.4.4). */
static struct fyke_cursor bind_results(const struct pdu *pdu)
{
	struct fyke_cursor c = pdu->body;
	const uint8_t *begin = c.at;

	fyke_cursor_skip(&c, 8);
	fyke_cursor_skip(&c, u16(pdu, &c));
	fyke_cursor_skip(&c, (4 - ((size_t)(c.at - begin) & 3)) & 3);
	fyke_cursor_skip(&c, 4);
	return c;
}

/* Results of a bind stand in the order of its contexts; a bind that was not seen has none. */
static void read_bind_ack(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc, const struct pdu *pdu)
{
	static const char *const words[] = {"accepted", "refused", "refused", "negotiated"};
	struct fyke_dcerpc_call *call = call_of(rpc, pdu->call_id, true);
	bool refused = pdu->type == BIND_NAK;
	struct fyke_cursor c = pdu->body;
	uint16_t result = 1, reason = refused ? u16(pdu, &c) : 0;

	if (call == NULL)
		return;
	if (!refused)
		c = bind_results(pdu);
	for (size_t i = 0; i < rpc->bound_count; i++) {
		struct fyke_dcerpc_said said = {.kind = "bind",
			.call = call,
			.context = context_of(rpc, rpc->bound[i]),
			.status = -1,
			.answered = true};

		if (!refused) {
			result = u16(pdu, &c);
			reason = u16(pdu, &c);
			fyke_cursor_skip(&c, 20);
		}
		/* feature negotiation is no interface ([MS-RPCE] §3.3.1.5.3) */
		if (!fyke_cursor_ok(&c) || result >= 3)
			continue;
		said.result = words[result];
		said.status = result != 0 ? reason : -1;
		fyke_dcerpc_tell(dissection, rpc, &said);
	}
	call->open = false;
}

static void read_request(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc, const struct pdu *pdu)
{
	struct fyke_cursor c = pdu->body;
	struct fyke_dcerpc_call *call = call_of(rpc, pdu->call_id, false);
	size_t head = FYKE_DCERPC_HEAD + 8U + ((pdu->flags & HAS_OBJECT) != 0 ? 16U : 0U);
	uint16_t context, opnum;

	fyke_cursor_skip(&c, 4);
	context = u16(pdu, &c);
	opnum = u16(pdu, &c);
	if (!fyke_cursor_ok(&c))
		return;
	if (call == NULL || (pdu->flags & FIRST_FRAGMENT) != 0) {
		call = open_call(dissection, rpc, pdu->call_id, false);
		call->context = context;
		call->opnum = opnum;
	}
	call->request_bytes += pdu->length > head ? (uint32_t)(pdu->length - head) : 0;
}

static size_t name_tower(const uint8_t *floor, size_t length, char *text, size_t room, uint16_t *port)
{
	static const uint8_t tcp[] = {0x01, 0x00, 0x07, 0x02, 0x00};
	const struct fyke_dcerpc_interface *interface;
	char uuid[FYKE_DCERPC_UUID];
	const uint8_t *at;
	int written;

	at = memmem(floor, length < 128 ? length : 128, tcp, sizeof(tcp));
	if (at == NULL || (size_t)(at - floor) + 7 > length || length < 19)
		return 0;
	*port = (uint16_t)(at[5] << 8 | at[6]);
	fyke_dcerpc_uuid(floor + 3, true, uuid);
	interface = fyke_dcerpc_interface(uuid);
	written = snprintf(text, room, "%s tcp/%u", interface != NULL ? interface->name : uuid, *port);
	return written > 0 && (size_t)written < room ? (size_t)written : 0;
}

/* The endpoint mapper's answer: the first floor of a tower is the interface, the fourth its port (C706
 * appendix L). Only the first tower is told; all are announced. */
static void tell_map(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc,
	struct fyke_dcerpc_call *call, struct fyke_cursor stub)
{
	static const uint8_t floor[] = {0x13, 0x00, 0x0d};
	struct fyke_dcerpc_said said = {.kind = "call",
		.result = "response",
		.call = call,
		.context = context_of(rpc, call->context),
		.status = -1,
		.answered = true};
	struct fyke_expectation expectation = {.transport = FYKE_OVER_TCP,
		.ip = *fyke_address_of(dissection, FYKE_SERVER),
		.dissector = "dce_rpc"};
	const uint8_t *at = stub.at;
	char text[96], other[96];
	size_t length = 0;

	for (int i = 0; i < TOWERS_MAX; i++) {
		at = at < stub.end ? memmem(at, (size_t)(stub.end - at), floor, sizeof(floor)) : NULL;
		if (at == NULL)
			break;
		if (name_tower(at, (size_t)(stub.end - at), length == 0 ? text : other, sizeof(text),
			    &expectation.port) > 0) {
			length = length == 0 ? sizeof(text) : length;
			fyke_expect(dissection, &expectation);
		}
		at += 26; /* past the second floor, which is an interface, too */
	}
	said.detail = length > 0 ? fyke_word(text) : fyke_null();
	fyke_dcerpc_tell(dissection, rpc, &said);
	call->open = false;
}

static void read_response(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc, const struct pdu *pdu)
{
	struct fyke_dcerpc_call *call = call_of(rpc, pdu->call_id, false);
	struct fyke_dcerpc_context *context;
	struct fyke_cursor c = pdu->body;

	if (call == NULL)
		return;
	call->response_bytes += pdu->length > FYKE_DCERPC_HEAD + 8 ? pdu->length - FYKE_DCERPC_HEAD - 8U : 0;
	if ((pdu->flags & LAST_FRAGMENT) == 0)
		return;
	context = context_of(rpc, call->context);
	fyke_cursor_skip(&c, 8);
	if (context != NULL && call->opnum == 3 && memcmp(context->uuid, "e1af8308-", 9) == 0)
		tell_map(dissection, rpc, call, c);
	else
		tell_call(dissection, rpc, call, "response", -1);
}

static void read_fault(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc, const struct pdu *pdu)
{
	struct fyke_dcerpc_call *call = call_of(rpc, pdu->call_id, false);
	struct fyke_cursor c = pdu->body;
	uint32_t status;

	fyke_cursor_skip(&c, 8);
	status = u32(pdu, &c);
	if (call != NULL)
		tell_call(dissection, rpc, call, "fault", fyke_cursor_ok(&c) ? (int64_t)status : -1);
}

/* A login is told when the first call after it is answered. */
static void read_login(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc, const struct pdu *pdu)
{
	bool binds = pdu->type >= BIND && pdu->type <= AUTH3;

	if (binds && pdu->auth_length > 0)
		(void)fyke_ntlm_read(dissection, &rpc->ntlm, pdu->body.at, fyke_cursor_left(&pdu->body));
	else if (rpc->ntlm.authenticated && pdu->side == FYKE_SERVER &&
		 (pdu->type == RESPONSE || pdu->type == FAULT))
		fyke_ntlm_tell(dissection, &rpc->ntlm, pdu->type == RESPONSE ? 1 : -1, NULL);
}

void fyke_dcerpc_pdu(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc, enum fyke_side side,
	const uint8_t *bytes, size_t length)
{
	struct pdu pdu = {.side = side};

	if (!read_head(&pdu, bytes, length))
		return;
	if (pdu.length < length)
		pdu.body.end = bytes + pdu.length;
	read_login(dissection, rpc, &pdu);
	switch (pdu.type) {
	case REQUEST:
		read_request(dissection, rpc, &pdu);
		break;
	case RESPONSE:
		read_response(dissection, rpc, &pdu);
		break;
	case FAULT:
		read_fault(dissection, rpc, &pdu);
		break;
	case BIND:
	case ALTER:
		read_bind(dissection, rpc, &pdu);
		break;
	case BIND_ACK:
	case BIND_NAK:
	case ALTER_ACK:
		read_bind_ack(dissection, rpc, &pdu);
		break;
	default:
		break;
	}
}

void fyke_dcerpc_pipe(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc, enum fyke_side side,
	const uint8_t *bytes, size_t length)
{
	while (length >= FYKE_DCERPC_HEAD) {
		size_t pdu = fyke_dcerpc_length(bytes);

		if (pdu == 0)
			return;
		fyke_dcerpc_pdu(dissection, rpc, side, bytes, length);
		if (pdu >= length)
			return;
		bytes += pdu;
		length -= pdu;
	}
}

void fyke_dcerpc_end(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc)
{
	for (size_t i = 0; i < FYKE_DCERPC_CALLS; i++) {
		if (rpc->calls[i].open && !rpc->calls[i].bind)
			tell_call(dissection, rpc, &rpc->calls[i], NULL, -1);
	}
	fyke_ntlm_tell(dissection, &rpc->ntlm, -1, NULL);
}
