/*
 * SMB 1 to 3 over NetBIOS sessions (RFC 1002 §4.3) and directly over TCP ([MS-SMB2] §2.1): frames messages,
 * follows file data through them, and hands their beginnings to shared/smb1.c and shared/smb2.c. Behind a gap
 * the next message is looked for at the beginning of a segment. Encrypted messages are told once a side, and
 * passed over.
 */
#include "dissectors/shared/smb.h"

#include <string.h>

enum {
	FRAME = 4,
	SESSION_MESSAGE = 0,
	SESSION_REQUEST = 0x81,
	POSITIVE = 0x82,
	NEGATIVE = 0x83,
	RETARGET = 0x84,
	KEEP_ALIVE = 0x85
};
enum { LENGTH_MAX = 0x00ffffff, NETBIOS_NAME = 34, DATA_HEAD = 256, TELLING = 12 };

static const struct fyke_table *const tables[] = {&fyke_table_smb, &fyke_table_smb_files,
	&fyke_table_smb_mapping, &fyke_table_ntlm, &fyke_table_dce_rpc, NULL};

static bool has_magic(const uint8_t *bytes)
{
	return (bytes[0] == 0xff || bytes[0] == 0xfe || bytes[0] == 0xfd || bytes[0] == 0xfc) &&
	       memcmp(bytes + 1, "SMB", 3) == 0;
}

static uint32_t frame_length(const uint8_t *frame)
{
	return (uint32_t)frame[1] << 16 | (uint32_t)frame[2] << 8 | frame[3];
}

/* Half an octet a letter (RFC 1001 §14.1), as far as there are bytes. */
static bool is_encoded(const uint8_t *name, size_t length)
{
	for (size_t i = 0; i < 32 && i < length; i++) {
		if (name[i] < 'A' || name[i] > 'P')
			return false;
	}
	return true;
}

/* A session request has two encoded names (RFC 1002 §4.3.2). */
static bool is_request(const uint8_t *data, size_t length)
{
	if (length < TELLING || data[0] != SESSION_REQUEST || data[1] != 0 || data[2] != 0 || data[4] != 0x20)
		return false;
	return is_encoded(data + 5, length - 5);
}

static bool is_reply(const uint8_t *data, size_t length)
{
	if (length < FRAME || data[1] != 0 || data[2] != 0)
		return false;
	return (data[0] == POSITIVE && data[3] == 0) || (data[0] == NEGATIVE && data[3] == 1) ||
	       (data[0] == RETARGET && data[3] == 6) || (data[0] == KEEP_ALIVE && data[3] == 0);
}

static enum fyke_match probe_side(const uint8_t *data, size_t length)
{
	if (length >= 8 && data[0] == SESSION_MESSAGE && has_magic(data + 4) && frame_length(data) >= 4)
		return FYKE_YES;
	if (is_request(data, length))
		return FYKE_YES;
	if (is_reply(data, length) ||
		(length < TELLING && (data[0] == SESSION_MESSAGE || data[0] == SESSION_REQUEST)))
		return FYKE_MAYBE;
	return length >= 8 && data[0] == SESSION_MESSAGE ? FYKE_MAYBE : FYKE_NO;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		enum fyke_match one;

		if (opening->side[side].length == 0)
			continue;
		one = probe_side(opening->side[side].data, opening->side[side].length);
		if (one != FYKE_MAYBE)
			match = one;
		if (one == FYKE_YES)
			break;
	}
	return match;
}

/* 0: it is none, or blank. */
static size_t decode_name(const uint8_t *encoded, char out[16])
{
	size_t length = 15;

	if (!is_encoded(encoded, 32))
		return 0;
	for (size_t i = 0; i < 16; i++)
		out[i] = (char)((encoded[2 * i] - 'A') << 4 | ((encoded[2 * i + 1] - 'A') & 15));
	while (length > 0 && (out[length - 1] == ' ' || out[length - 1] == '\0'))
		length--;
	return length;
}

static void tell_netbios(
	struct fyke_dissection *dissection, struct fyke_smb *smb, const struct fyke_input *input)
{
	struct fyke_smb_said said = fyke_smb_said("netbios", "SESSION_REQUEST");
	char called[16], calling[16], *detail;
	size_t length, other = 0;
	struct fyke_text text = {0};

	if (input->length < FRAME + NETBIOS_NAME || !is_request(input->data, input->length))
		return;
	detail = called;
	length = decode_name(input->data + 5, called);
	fyke_confirm_as(dissection, "netbios-ssn");
	if (input->length >= FRAME + 2 * NETBIOS_NAME && input->data[38] == 0x20)
		other = decode_name(input->data + 39, calling);
	fyke_append(dissection, &text, detail, length, 64);
	if (other > 0) {
		fyke_append(dissection, &text, " from ", 6, 64);
		fyke_append(dissection, &text, calling, other, 64);
		fyke_host_says(dissection, fyke_address_of(dissection, FYKE_CLIENT), FYKE_HOST_NAME, calling,
			other, "netbios");
	}
	if (length > 0 && called[0] != '*')
		fyke_host_says(dissection, fyke_address_of(dissection, FYKE_SERVER), FYKE_HOST_NAME, called,
			length, "netbios");
	said.detail = fyke_text_of(&text);
	fyke_smb_tell(dissection, smb, &said);
	fyke_drop(dissection, &text);
}

static void tell_encrypted(struct fyke_dissection *dissection, struct fyke_smb *smb, enum fyke_side side)
{
	struct fyke_smb_said said = fyke_smb_said("SMB2", "ENCRYPTED");

	if (!smb->encrypted[side])
		fyke_smb_tell(dissection, smb, &said);
	smb->encrypted[side] = true;
}

static struct fyke_verdict take_message(
	struct fyke_dissection *dissection, struct fyke_smb *smb, const struct fyke_input *input)
{
	struct fyke_smb_message message = {.side = input->side,
		.bytes = input->data + FRAME,
		.length = input->length - FRAME,
		.whole = frame_length(input->data)};
	struct fyke_smb_stream *stream = &smb->stream[input->side];

	if (message.length > message.whole)
		message.length = (size_t)message.whole;
	if (message.length < 4 || !has_magic(message.bytes))
		return fyke_more(FRAME + message.whole);
	fyke_confirm_as(dissection, "smb");
	*stream = (struct fyke_smb_stream){0};
	if (message.bytes[0] == 0xff)
		fyke_smb1_message(dissection, smb, &message);
	else if (message.bytes[0] == 0xfe)
		fyke_smb2_message(dissection, smb, &message);
	else if (message.bytes[0] == 0xfd)
		tell_encrypted(dissection, smb, input->side);
	if (stream->left == 0)
		return fyke_more(FRAME + message.whole);
	return fyke_more(FRAME + message.length);
}

static struct fyke_verdict pass_stream(
	struct fyke_dissection *dissection, struct fyke_smb_stream *stream, const struct fyke_input *input)
{
	size_t length = stream->left < input->length ? (size_t)stream->left : input->length;
	uint64_t consumed = length;

	fyke_smb_pass(dissection, stream->file, input->side, input->data, length);
	stream->left -= length;
	if (stream->left == 0) {
		consumed += stream->tail;
		*stream = (struct fyke_smb_stream){0};
	}
	return fyke_more(consumed);
}

/* Behind a gap: the rest of the segment is of no use unless a message begins with it. */
static struct fyke_verdict resynchronise(struct fyke_smb *smb, const struct fyke_input *input)
{
	if (input->length < 8 && !input->end && !input->full)
		return fyke_need(0, 8);
	if (input->length >= 8 && input->data[0] == SESSION_MESSAGE && has_magic(input->data + 4)) {
		smb->lost[input->side] = false;
		return fyke_more(0);
	}
	return fyke_more(input->length);
}

/* How much of a message is waited for: of file data only what stands in front of it. */
static size_t wanted_of(const struct fyke_input *input, uint32_t length)
{
	const uint8_t *header = input->data + FRAME;
	bool data = false;

	if (length < FYKE_SMB_READ)
		return FRAME + (size_t)length;
	if (input->length < FRAME + 16)
		return FRAME + 16;
	if (header[0] == 0xfe) /* READ answers, WRITE requests */
		data = header[13] == 0 && (header[12] == 8 || header[12] == 9);
	else if (header[0] == 0xff)
		data = header[4] == 0x2e || header[4] == 0x2f;
	return FRAME + (data ? (size_t)DATA_HEAD : (size_t)FYKE_SMB_READ);
}

static struct fyke_verdict take_frame(
	struct fyke_dissection *dissection, struct fyke_smb *smb, const struct fyke_input *input)
{
	uint32_t length = frame_length(input->data);
	size_t wanted = wanted_of(input, length);

	switch (input->data[0]) {
	case SESSION_MESSAGE:
	case SESSION_REQUEST:
		if (input->length < wanted && !input->end)
			return fyke_need(0, wanted);
		if (input->data[0] == SESSION_MESSAGE)
			return take_message(dissection, smb, input);
		tell_netbios(dissection, smb, input);
		return fyke_more(FRAME + (uint64_t)length);
	case POSITIVE:
	case NEGATIVE:
	case RETARGET:
	case KEEP_ALIVE:
		return fyke_more(FRAME + (uint64_t)(length & 0x1ffff));
	default:
		smb->lost[input->side] = true;
		return fyke_not_mine();
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_smb *smb = fyke_state(dissection);

	if (smb->stream[input->side].left > 0)
		return pass_stream(dissection, &smb->stream[input->side], input);
	if (smb->lost[input->side]) {
		struct fyke_verdict verdict = resynchronise(smb, input);

		if (smb->lost[input->side])
			return verdict;
	}
	if (input->length < FRAME)
		return input->end ? fyke_more(input->length) : fyke_need(0, FRAME);
	return take_frame(dissection, smb, input);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct fyke_smb *smb = fyke_state(dissection);
	struct fyke_smb_stream *stream = &smb->stream[input->side];
	uint64_t rest;

	if (stream->left >= lost) {
		if (stream->file != NULL) {
			fyke_file_missing(dissection, stream->file->transfer[input->side], lost);
			stream->file->place[input->side] += lost;
		}
		stream->left -= lost;
		rest = stream->left == 0 ? stream->tail : 0;
		if (stream->left == 0)
			*stream = (struct fyke_smb_stream){0};
		return fyke_more(rest);
	}
	*stream = (struct fyke_smb_stream){0};
	smb->lost[input->side] = true;
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct fyke_smb *smb = fyke_state(dissection);

	fyke_smb_tell_unanswered(dissection, smb);
	fyke_smb_close_all(dissection, smb);
	fyke_ntlm_tell(dissection, &smb->ntlm, -1, NULL);
}

static const uint16_t ports[] = {445, 139, 0};
static const char *const services[] = {"microsoft-ds", "netbios-ssn", NULL};
static const struct fyke_signature signatures[] = {{1U << FYKE_CLIENT | 1U << FYKE_SERVER, "\0", 1},
	FYKE_EITHER_SAYS("\x81"), FYKE_SERVER_SAYS("\x82"), FYKE_SERVER_SAYS("\x83")};

const struct fyke_dissector fyke_dissector_smb = {
	.name = "smb",
	.title = "Server Message Block, [MS-CIFS], [MS-SMB] and [MS-SMB2]; NetBIOS sessions, RFC 1002",
	.doc = "Commands and their answers, the dialect, who logs in (NTLM, the service of a Kerberos "
	       "ticket), shares, files that "
	       "are opened, read, written, renamed and deleted, the files themselves, and DCE/RPC on named "
	       "pipes. Messages above "
	       "8 KiB are read as far as that, file data throughout. Compressed and encrypted messages are "
	       "only told.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct fyke_smb),
	.memory_max = 128 * 1024, /* names of 48 open files and 48 requests, calls on pipes */
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
