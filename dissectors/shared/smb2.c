/*
 * SMB 2 and 3 ([MS-SMB2]): compounds, requests and their answers by message id. Interim answers
 * (STATUS_PENDING) are passed over. Of messages above 8 KiB only the beginning is read, and file data as it
 * comes.
 */
#include "dissectors/shared/smb2.h"

#include "dissectors/shared/utf16.h"

#include <stdio.h>
#include <string.h>

struct fyke_cursor fyke_smb2_at(const struct fyke_smb2_packet *packet, size_t offset, size_t length)
{
	struct fyke_cursor c = fyke_cursor(packet->bytes, packet->length);

	fyke_cursor_skip(&c, offset);
	return fyke_cursor_carve(&c, length);
}

void fyke_smb2_keep_name(
	const struct fyke_smb2_packet *packet, struct fyke_text *text, struct fyke_cursor name)
{
	char out[FYKE_SMB_NAME];
	size_t length;

	if (!fyke_cursor_ok(&name))
		return;
	length = fyke_utf16_text(name.at, fyke_cursor_left(&name), false, out, sizeof(out));
	fyke_keep(packet->dissection, text, out, length, sizeof(out));
}

struct fyke_smb_id fyke_smb2_read_id(struct fyke_cursor *c)
{
	struct fyke_smb_id id;

	id.persistent = fyke_cursor_le64(c);
	id.volatile_part = fyke_cursor_le64(c);
	return id;
}

struct fyke_smb_file *fyke_smb2_file_of(const struct fyke_smb2_packet *packet, struct fyke_smb_id id)
{
	if (id.persistent == UINT64_MAX && id.volatile_part == UINT64_MAX)
		id = packet->smb->latest;
	return fyke_smb_file(packet->smb, id);
}

const char *fyke_smb2_dialect_of(uint16_t dialect)
{
	switch (dialect) {
	case 0x0202:
		return "2.02";
	case 0x0210:
		return "2.10";
	case 0x0300:
		return "3.00";
	case 0x0302:
		return "3.02";
	case 0x0311:
		return "3.11";
	case 0x02ff:
		return "2.??";
	default:
		return NULL;
	}
}

void fyke_smb2_transfer(const struct fyke_smb2_packet *packet, struct fyke_smb_file *file,
	struct fyke_smb_data *data, size_t offset)
{
	struct fyke_smb_stream *stream = &packet->smb->stream[packet->side];

	data->sender = packet->side;
	if (offset + data->length > packet->whole)
		data->length = offset < packet->whole ? packet->whole - offset : 0;
	data->here = offset < packet->length ? packet->length - offset : 0;
	if (data->here > data->length)
		data->here = (size_t)data->length;
	data->bytes = data->here > 0 ? packet->bytes + offset : NULL;
	stream->left = data->length - data->here;
	stream->tail = packet->whole > packet->length + stream->left
			       ? packet->whole - packet->length - stream->left
			       : 0;
	stream->file = NULL;
	if (file != NULL && data->length > 0)
		fyke_smb_transfer(packet->dissection, packet->smb, file, data);
}

static const char *const commands[SMB2_COMMANDS] = {"NEGOTIATE", "SESSION_SETUP", "LOGOFF", "TREE_CONNECT",
	"TREE_DISCONNECT", "CREATE", "CLOSE", "FLUSH", "READ", "WRITE", "LOCK", "IOCTL", "CANCEL", "ECHO",
	"QUERY_DIRECTORY", "CHANGE_NOTIFY", "QUERY_INFO", "SET_INFO", "OPLOCK_BREAK"};

const char *fyke_smb2_name(uint16_t command)
{
	return command < SMB2_COMMANDS ? commands[command] : NULL;
}

bool fyke_smb2_is_silent(uint16_t command)
{
	return command == SMB2_READ || command == SMB2_WRITE || command == SMB2_ECHO_COMMAND ||
	       command == SMB2_OPLOCK_BREAK || command == SMB2_LOCK;
}

static uint32_t read_header(struct fyke_smb2_packet *packet)
{
	struct fyke_cursor c = fyke_cursor(packet->bytes, packet->length);
	uint32_t next;

	fyke_cursor_skip(&c, 8);
	packet->status = fyke_cursor_le32(&c);
	packet->command = fyke_cursor_le16(&c);
	fyke_cursor_skip(&c, 2);
	packet->flags = fyke_cursor_le32(&c);
	next = fyke_cursor_le32(&c);
	packet->message = fyke_cursor_le64(&c);
	fyke_cursor_skip(&c, 4);
	packet->tree = fyke_cursor_le32(&c);
	if ((packet->flags & SMB2_IS_ASYNC) != 0)
		packet->tree = 0;
	packet->session = fyke_cursor_le64(&c);
	fyke_cursor_skip(&c, 16);
	packet->body = c;
	return next;
}

void fyke_smb2_message(
	struct fyke_dissection *dissection, struct fyke_smb *smb, const struct fyke_smb_message *message)
{
	struct fyke_smb2_packet packet = {.dissection = dissection,
		.smb = smb,
		.side = message->side,
		.bytes = message->bytes,
		.length = message->length,
		.whole = message->whole};

	for (int i = 0; i < SMB2_COMPOUND_MAX && packet.length >= SMB2_HEADER; i++) {
		size_t here = packet.length;
		uint64_t whole = packet.whole;
		uint32_t next = read_header(&packet);

		if (next >= SMB2_HEADER && next < here) {
			packet.length = packet.whole = next;
			packet.body.end = packet.bytes + next;
		}
		if (packet.command < SMB2_COMMANDS && memcmp(packet.bytes, "\xfeSMB", 4) == 0) {
			if ((packet.flags & SMB2_IS_RESPONSE) == 0)
				fyke_smb2_ask(&packet);
			else if (packet.status != SMB2_PENDING)
				fyke_smb2_answer(&packet);
		}
		if (next < SMB2_HEADER || next >= here)
			return;
		packet.bytes += next;
		packet.length = here - next;
		packet.whole = whole - next;
	}
}
