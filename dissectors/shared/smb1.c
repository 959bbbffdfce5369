/*
 * SMB 1 ([MS-CIFS] §2.2, [MS-SMB]): negotiation, logins, trees, files, transactions on named pipes, and AndX
 * chains. Requests and answers belong together by multiplex and process id. Other commands are told by name
 * only.
 */
#include "dissectors/shared/smb1.h"

#include "dissectors/shared/utf16.h"

#include <stdio.h>
#include <string.h>

static const struct {
	uint8_t command;
	const char *name;
} names[] = {{0x00, "CREATE_DIRECTORY"}, {0x01, "DELETE_DIRECTORY"}, {SMB1_OPEN, "OPEN"},
	{SMB1_CREATE, "CREATE"}, {SMB1_CLOSE, "CLOSE"}, {0x05, "FLUSH"}, {SMB1_DELETE, "DELETE"},
	{SMB1_RENAME, "RENAME"}, {0x08, "QUERY_INFORMATION"}, {0x09, "SET_INFORMATION"}, {SMB1_READ, "READ"},
	{SMB1_WRITE, "WRITE"}, {0x10, "CHECK_DIRECTORY"}, {0x1a, "READ_RAW"}, {0x1d, "WRITE_RAW"},
	{0x23, "QUERY_INFORMATION2"}, {SMB1_LOCKING, "LOCKING_ANDX"}, {SMB1_TRANSACTION, "TRANSACTION"},
	{0x26, "TRANSACTION_SECONDARY"}, {SMB1_ECHO_COMMAND, "ECHO"}, {SMB1_OPEN_ANDX, "OPEN_ANDX"},
	{SMB1_READ_ANDX, "READ_ANDX"}, {SMB1_WRITE_ANDX, "WRITE_ANDX"}, {SMB1_TRANSACTION2, "TRANSACTION2"},
	{0x33, "TRANSACTION2_SECONDARY"}, {0x34, "FIND_CLOSE2"}, {0x70, "TREE_CONNECT"},
	{SMB1_TREE_DISCONNECT, "TREE_DISCONNECT"}, {SMB1_NEGOTIATE, "NEGOTIATE"},
	{SMB1_SESSION_SETUP, "SESSION_SETUP_ANDX"}, {SMB1_LOGOFF, "LOGOFF_ANDX"},
	{SMB1_TREE_CONNECT, "TREE_CONNECT_ANDX"}, {0x80, "QUERY_INFORMATION_DISK"}, {0x81, "SEARCH"},
	{SMB1_NT_TRANSACT, "NT_TRANSACT"}, {0xa1, "NT_TRANSACT_SECONDARY"},
	{SMB1_NT_CREATE, "NT_CREATE_ANDX"}, {SMB1_NT_CANCEL, "NT_CANCEL"}, {0xa5, "NT_RENAME"}};

const char *fyke_smb1_name(uint8_t command)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].command == command)
			return names[i].name;
	}
	return NULL;
}

bool fyke_smb1_is_silent(uint8_t command)
{
	return command == SMB1_READ_ANDX || command == SMB1_WRITE_ANDX || command == SMB1_ECHO_COMMAND;
}

static bool is_chained(uint8_t command)
{
	return command == SMB1_LOCKING || command == SMB1_OPEN_ANDX || command == SMB1_READ_ANDX ||
	       command == SMB1_WRITE_ANDX || command == SMB1_SESSION_SETUP || command == SMB1_LOGOFF ||
	       command == SMB1_TREE_CONNECT || command == SMB1_NT_CREATE;
}

struct fyke_smb_id fyke_smb1_id_of(uint16_t fid)
{
	return (struct fyke_smb_id){.persistent = fid, .volatile_part = 1};
}

/* Unicode strings lie at even places of the message. */
static void pad(const struct fyke_smb1_packet *packet, struct fyke_cursor *c)
{
	if (packet->unicode && ((size_t)(c->at - packet->message->bytes) & 1) != 0)
		fyke_cursor_skip(c, 1);
}

void fyke_smb1_take_string(
	const struct fyke_smb1_packet *packet, struct fyke_cursor *c, struct fyke_text *text, bool unicode)
{
	char out[FYKE_SMB_NAME];
	size_t length = 0, left;

	if (unicode)
		pad(packet, c);
	if (!fyke_cursor_ok(c))
		return;
	left = fyke_cursor_left(c);
	if (unicode) {
		while (length + 1 < left && (c->at[length] != 0 || c->at[length + 1] != 0))
			length += 2;
		fyke_keep(packet->dissection, text, out,
			fyke_utf16_text(c->at, length, false, out, sizeof(out)), sizeof(out));
		fyke_cursor_skip(c, length + 2 <= left ? length + 2 : left);
		return;
	}
	while (length < left && c->at[length] != 0)
		length++;
	fyke_keep(packet->dissection, text, c->at, length, sizeof(out));
	fyke_cursor_skip(c, length < left ? length + 1 : left);
}

struct fyke_cursor fyke_smb1_at(const struct fyke_smb1_packet *packet, size_t offset, size_t length)
{
	struct fyke_cursor c = fyke_cursor(packet->message->bytes, packet->message->length);

	fyke_cursor_skip(&c, offset);
	return fyke_cursor_carve(&c, length);
}

struct fyke_smb_file *fyke_smb1_file_of(
	const struct fyke_smb1_packet *packet, struct fyke_smb_id id, uint32_t tree)
{
	struct fyke_smb_file *file = fyke_smb_file(packet->smb, id);

	return file != NULL ? file : fyke_smb_open(packet->dissection, packet->smb, id, tree);
}

void fyke_smb1_transfer(const struct fyke_smb1_packet *packet, struct fyke_smb_file *file,
	struct fyke_smb_data *data, size_t offset)
{
	const struct fyke_smb_message *message = packet->message;
	struct fyke_smb_stream *stream = &packet->smb->stream[message->side];

	data->sender = message->side;
	if (offset + data->length > message->whole)
		data->length = offset < message->whole ? message->whole - offset : 0;
	data->here = offset < message->length ? message->length - offset : 0;
	if (data->here > data->length)
		data->here = (size_t)data->length;
	data->bytes = data->here > 0 ? message->bytes + offset : NULL;
	stream->left = data->length - data->here;
	stream->tail = message->whole > message->length + stream->left
			       ? message->whole - message->length - stream->left
			       : 0;
	stream->file = NULL;
	if (file != NULL && data->length > 0)
		fyke_smb_transfer(packet->dissection, packet->smb, file, data);
}

/* DOS errors (class and code) are told as they are; 0 is success in both. */
static void read_header(struct fyke_smb1_packet *packet, struct fyke_cursor *c)
{
	uint8_t flags;
	uint16_t flags2, process, high;

	fyke_cursor_skip(c, 4);
	packet->command = fyke_cursor_u8(c);
	packet->status = fyke_cursor_le32(c);
	flags = fyke_cursor_u8(c);
	flags2 = fyke_cursor_le16(c);
	high = fyke_cursor_le16(c);
	fyke_cursor_skip(c, 10);
	packet->tree = fyke_cursor_le16(c);
	process = fyke_cursor_le16(c);
	packet->user = fyke_cursor_le16(c);
	packet->id = fyke_cursor_le16(c);
	packet->id |= (uint64_t)process << 16 | (uint64_t)high << 32;
	packet->reply = (flags & SMB1_IS_REPLY) != 0;
	packet->unicode = (flags2 & SMB1_UNICODE) != 0;
}

/* Words and bytes of a command; cut off bytes are what is there. */
static void read_block(struct fyke_smb1_packet *packet, struct fyke_cursor *c)
{
	uint16_t count;

	packet->word_count = fyke_cursor_u8(c);
	packet->words = fyke_cursor_carve(c, (size_t)packet->word_count * 2);
	count = fyke_cursor_le16(c);
	packet->bytes = fyke_cursor_carve(c, count < fyke_cursor_left(c) ? count : fyke_cursor_left(c));
}

void fyke_smb1_message(
	struct fyke_dissection *dissection, struct fyke_smb *smb, const struct fyke_smb_message *message)
{
	struct fyke_smb1_packet packet = {.dissection = dissection, .smb = smb, .message = message};
	struct fyke_cursor c = fyke_cursor(message->bytes, message->length);

	read_header(&packet, &c);
	if (!fyke_cursor_ok(&c))
		return;
	for (int i = 0; i < SMB1_CHAIN_MAX; i++) {
		const char *name = fyke_smb1_name(packet.command);
		struct fyke_cursor words;
		uint16_t next;
		uint8_t command;

		read_block(&packet, &c);
		if (name != NULL && packet.reply)
			fyke_smb1_answer(&packet, name);
		else if (name != NULL)
			fyke_smb1_ask(&packet);
		words = packet.words;
		command = fyke_cursor_u8(&words);
		fyke_cursor_skip(&words, 1);
		next = fyke_cursor_le16(&words);
		if (!is_chained(packet.command) || !fyke_cursor_ok(&words) || command == 0xff ||
			next < SMB1_HEADER)
			return;
		packet.command = command;
		c = fyke_smb1_at(&packet, next, message->length > next ? message->length - next : 0);
		if (!fyke_cursor_ok(&c) || fyke_cursor_left(&c) == 0)
			return;
	}
}
