/*
 * DCE/RPC on sockets of its own: connection-oriented PDUs over TCP (C706 §12.6), datagrams over UDP (§12.5,
 * PROFINET's among them). PDUs above 8 KiB are read as far as that.
 */
#include "dissectors/shared/dcerpc.h"

#include <string.h>

enum { READ_MAX = 8192, DATAGRAM_HEAD = 80 };

static const struct fyke_table *const tables[] = {&fyke_table_dce_rpc, &fyke_table_ntlm, NULL};

/* Types that the sides send: requests from the client, answers from the server (C706 §12.6.4). */
static bool fits_stream(const uint8_t *bytes, size_t length, enum fyke_side side)
{
	uint8_t type;

	if (length < FYKE_DCERPC_HEAD || fyke_dcerpc_length(bytes) == 0)
		return false;
	type = bytes[2];
	if (bytes[6] != 0 || bytes[7] != 0 || type == 1 || (type > 3 && type < 11))
		return false;
	return side == FYKE_CLIENT
		       ? type == 0 || type == 11 || type == 14 || type >= 16
		       : type == 2 || type == 3 || type == 12 || type == 13 || type == 15 || type == 17;
}

static bool fits_datagram(const uint8_t *bytes, size_t length)
{
	size_t body;

	if (length < DATAGRAM_HEAD || bytes[0] != 4 || bytes[1] > 10 || (bytes[4] & 0xee) != 0 ||
		bytes[5] > 3 || bytes[6] != 0)
		return false;
	body = (bytes[4] & 0x10) != 0 ? (size_t)(bytes[74] | bytes[75] << 8)
				      : (size_t)(bytes[74] << 8 | bytes[75]);
	return body <= length - DATAGRAM_HEAD && body + 16 >= length - DATAGRAM_HEAD;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length;

		if (length == 0)
			continue;
		if (opening->transport == FYKE_OVER_UDP)
			return fits_datagram(data, length) ? FYKE_YES : FYKE_NO;
		if (data[0] != 5)
			return FYKE_NO;
		if (length < FYKE_DCERPC_HEAD)
			continue;
		if (!fits_stream(data, length, (enum fyke_side)side))
			return FYKE_NO;
		match = FYKE_YES;
	}
	return match;
}

static struct fyke_verdict feed_datagram(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_dcerpc *rpc = fyke_state(dissection);
	const uint8_t *head = input->data;
	char uuid[FYKE_DCERPC_UUID], activity[FYKE_DCERPC_UUID];
	struct fyke_dcerpc_call call = {.moment = fyke_now(dissection)};
	struct fyke_dcerpc_said said = {.kind = "call", .uuid = uuid, .call = &call, .status = -1};
	struct fyke_cursor c;
	bool little;

	if (input->length == 0)
		return fyke_more(0);
	if (!input->cut && !fits_datagram(input->data, input->length))
		return fyke_not_mine();
	if (input->length < DATAGRAM_HEAD)
		return fyke_more(0);
	little = (head[4] & 0x10) != 0;
	fyke_dcerpc_uuid(head + 24, little, uuid);
	fyke_dcerpc_uuid(head + 40, little, activity);
	said.detail = fyke_word(activity);
	c = fyke_cursor(head + 64, 12);
	call.id = little ? fyke_cursor_le32(&c) : fyke_cursor_u32(&c);
	call.opnum = little ? fyke_cursor_le16(&c) : fyke_cursor_u16(&c);
	fyke_cursor_skip(&c, 4);
	call.request_bytes = little ? fyke_cursor_le16(&c) : fyke_cursor_u16(&c);
	fyke_confirm(dissection);
	if (head[1] == 0)
		fyke_dcerpc_tell(dissection, rpc, &said);
	return fyke_rest();
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_dcerpc *rpc = fyke_state(dissection);
	size_t length, wanted;

	if (fyke_transport_of(dissection) == FYKE_OVER_UDP)
		return feed_datagram(dissection, input);
	if (input->length < FYKE_DCERPC_HEAD)
		return input->end ? fyke_more(input->length) : fyke_need(0, FYKE_DCERPC_HEAD);
	length = fyke_dcerpc_length(input->data);
	if (length == 0)
		return fyke_not_mine();
	wanted = length < READ_MAX ? length : READ_MAX;
	if (input->length < wanted && !input->end)
		return fyke_need(0, wanted);
	fyke_confirm(dissection);
	fyke_dcerpc_pdu(dissection, rpc, input->side, input->data, input->length);
	return fyke_more(length);
}

/* PDUs begin with segments, as a rule. */
static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	(void)dissection;
	(void)input;
	(void)lost;
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	fyke_dcerpc_end(dissection, fyke_state(dissection));
}

static const uint16_t ports[] = {135, 593, 34964, 0};
static const char *const services[] = {"epmap", "http-rpc-epmap", "profinet-cm", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x05\x00"), FYKE_EITHER_SAYS("\x05\x01"),
	FYKE_CLIENT_SAYS("\x04\x00"), FYKE_EITHER_SAYS("\x04\x02")};

const struct fyke_dissector fyke_dissector_dce_rpc = {
	.name = "dce_rpc",
	.title = "DCE/RPC, The Open Group C706 and [MS-RPCE]",
	.doc = "Interfaces that are bound and calls of their operations, with names where the interface is "
	       "well known, sizes "
	       "and answer times; logins by NTLM; what the endpoint mapper announces is followed. Over TCP, "
	       "UDP and, through "
	       "SMB, named pipes. Stub data is not decoded.",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct fyke_dcerpc),
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
