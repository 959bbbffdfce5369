/*
 * Modbus over TCP ("MODBUS Messaging on TCP/IP Implementation Guide V1.0b", "MODBUS Application Protocol
 * V1.1b3"): each request with its answer. Values are not stored.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum { TRANSACTION, UNIT, FUNCTION_CODE, FUNCTION, ADDRESS, QUANTITY, EXCEPTION, RTT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[TRANSACTION] = {"transaction", FYKE_TYPE_INTEGER, "number of the transaction"},
	[UNIT] = {"unit", FYKE_TYPE_INTEGER, "which device behind the address"},
	[FUNCTION_CODE] = {"function_code", FYKE_TYPE_INTEGER, "what is asked"},
	[FUNCTION] = {"function", FYKE_TYPE_TEXT, "its name"},
	[ADDRESS] = {"address", FYKE_TYPE_INTEGER, "first coil or register, from 0"},
	[QUANTITY] = {"quantity", FYKE_TYPE_INTEGER, "how many of them"},
	[EXCEPTION] = {"exception", FYKE_TYPE_TEXT, "why the device refused"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to answer; NULL: not answered"},
};
static const struct fyke_table table = {"modbus", "Requests to Modbus devices.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum { HEADER = 7, LENGTH_MIN = 2, LENGTH_MAX = 254, WAITING_MAX = 16, NOT_ANSWERED = -1 };

struct request {
	struct fyke_moment asked;
	uint16_t transaction;
	uint8_t unit, function;
	int32_t address, quantity; /* -1 = has none */
};

struct state {
	struct request waiting[WAITING_MAX];
	unsigned count;
	bool answered; /* one answer has fitted a request */
};

static const char *function_name(uint8_t code)
{
	static const char *const names[] = {[1] = "read coils",
		"read discrete inputs",
		"read holding registers",
		"read input registers",
		"write single coil",
		"write single register",
		"read exception status",
		"diagnostics",
		[11] = "get comm event counter",
		"get comm event log",
		[15] = "write multiple coils",
		"write multiple registers",
		"report server id",
		[20] = "read file record",
		"write file record",
		"mask write register",
		"read/write multiple registers",
		"read FIFO queue",
		[43] = "encapsulated interface transport"};

	return code < sizeof(names) / sizeof(names[0]) ? names[code] : NULL;
}

static const char *exception_name(uint8_t code)
{
	static const char *const names[] = {"other", "illegal function", "illegal data address",
		"illegal data value", "server device failure", "acknowledge", "server device busy",
		"negative acknowledge", "memory parity error", "other", "gateway path unavailable",
		"gateway target failed to respond"};

	return names[code < sizeof(names) / sizeof(names[0]) ? code : 0];
}

/* Protocol 0, a length that a frame can have, a function that there is. */
static bool is_frame(const uint8_t *data, size_t length)
{
	size_t size = length >= 6 ? (size_t)(data[4] << 8 | data[5]) : LENGTH_MIN;

	if ((length >= 3 && data[2] != 0) || (length >= 4 && data[3] != 0))
		return false;
	return size >= LENGTH_MIN && size <= LENGTH_MAX &&
	       (length <= HEADER || function_name(data[HEADER] & 0x7f) != NULL);
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	const uint8_t *client = opening->side[FYKE_CLIENT].data, *server = opening->side[FYKE_SERVER].data;
	size_t asked = opening->side[FYKE_CLIENT].length, answered = opening->side[FYKE_SERVER].length;

	if ((asked > 0 && !is_frame(client, asked)) || (answered > 0 && !is_frame(server, answered)))
		return FYKE_NO;
	if (asked <= HEADER || answered <= HEADER)
		return FYKE_MAYBE;
	/* transaction, unit and function of the answer are those of the request: 32 bits beside the zeros */
	if (memcmp(client, server, 4) == 0 && client[6] == server[6] && client[7] == (server[7] & 0x7f))
		return FYKE_YES;
	return opening->on_port ? FYKE_MAYBE : FYKE_NO; /* perhaps the answer to an earlier one */
}

static void tell(struct fyke_dissection *dissection, const struct request *request, const char *exception,
	bool answered)
{
	struct fyke_value values[FIELD_COUNT];
	struct fyke_moment now = fyke_now(dissection);

	values[TRANSACTION] = fyke_integer(request->transaction);
	values[UNIT] = fyke_integer(request->unit);
	values[FUNCTION_CODE] = fyke_integer(request->function);
	values[FUNCTION] = fyke_word(function_name(request->function));
	values[ADDRESS] = fyke_integer_if(request->address >= 0, request->address);
	values[QUANTITY] = fyke_integer_if(request->quantity >= 0, request->quantity);
	values[EXCEPTION] = fyke_word(exception);
	values[RTT] = fyke_integer_if(answered, (now.time_ns - request->asked.time_ns) / 1000);
	fyke_record_at(dissection, &table, request->asked, values);
}

static void drop(struct state *state, unsigned i)
{
	for (state->count--; i < state->count; i++)
		state->waiting[i] = state->waiting[i + 1];
}

static void take_request(struct fyke_dissection *dissection, struct fyke_cursor *c, struct request request)
{
	struct state *state = fyke_state(dissection);
	bool single = request.function == 5 || request.function == 6;
	bool addressed = (request.function >= 1 && request.function <= 6) || request.function == 15 ||
			 request.function == 16 || request.function == 22 || request.function == 23;

	request.asked = fyke_now(dissection);
	request.address = addressed ? fyke_cursor_u16(c) : -1;
	request.quantity = !addressed || request.function == 22 ? -1 : single ? 1 : fyke_cursor_u16(c);
	if (!fyke_cursor_ok(c))
		request.address = request.quantity = -1;
	if (state->count == WAITING_MAX) {
		if (state->answered)
			tell(dissection, &state->waiting[0], NULL, false);
		drop(state, 0);
	}
	state->waiting[state->count++] = request;
}

static void take_answer(
	struct fyke_dissection *dissection, struct fyke_cursor *c, const struct request *answer)
{
	struct state *state = fyke_state(dissection);
	bool refused = (answer->function & 0x80) != 0;

	for (unsigned i = 0; i < state->count; i++) {
		struct request *request = &state->waiting[i];

		if (request->transaction != answer->transaction || request->unit != answer->unit ||
			request->function != (answer->function & 0x7f))
			continue;
		state->answered = true;
		tell(dissection, request, refused ? exception_name(fyke_cursor_u8(c)) : NULL, true);
		drop(state, i);
		return;
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	struct request frame = {.address = -1, .quantity = -1};
	uint16_t length;

	if (!is_frame(input->data, input->length))
		return fyke_not_mine();
	frame.transaction = fyke_cursor_u16(&c);
	fyke_cursor_skip(&c, 2);
	length = fyke_cursor_u16(&c);
	if (input->length < HEADER - 1)
		return fyke_more(0);
	if (input->length < HEADER - 1U + length)
		return fyke_need(0, HEADER - 1U + length);
	c = fyke_cursor(input->data + HEADER - 1, length);
	frame.unit = fyke_cursor_u8(&c);
	frame.function = fyke_cursor_u8(&c);
	if (input->side == FYKE_CLIENT)
		take_request(dissection, &c, frame);
	else
		take_answer(dissection, &c, &frame);
	return fyke_more(HEADER - 1U + length);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	for (unsigned i = 0;
		i < state->count && (state->answered || fyke_port_of(dissection, FYKE_SERVER) == 502); i++)
		tell(dissection, &state->waiting[i], NULL, false);
}

static const uint16_t ports[] = {502, 0};
static const char *const services[] = {"mbap", NULL};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("\x00"), FYKE_CLIENT_SAYS("\x01")};

const struct fyke_dissector fyke_dissector_modbus = {
	.name = "modbus",
	.title = "Modbus over TCP",
	.doc = "Requests with function, address, number of registers, and whether the device refused. Values "
	       "that are read "
	       "and written are not stored.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 2,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.gap = fyke_gap_resume,
	.end = end,
};
