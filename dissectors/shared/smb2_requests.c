/* Requests of SMB 2: what their answers will need is kept. */
#include "dissectors/shared/smb2.h"

#include <string.h>

static void ask_negotiate(const struct fyke_smb2_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor c = packet->body;
	uint16_t count;

	fyke_cursor_skip(&c, 2);
	count = fyke_cursor_le16(&c);
	fyke_cursor_skip(&c, 32);
	for (unsigned i = 0; i < count && i < 16; i++) {
		const char *name = fyke_smb2_dialect_of(fyke_cursor_le16(&c));

		if (name == NULL || !fyke_cursor_ok(&c))
			continue;
		if (i > 0)
			fyke_append(packet->dissection, &pending->client_dialects, "|", 1, 128);
		fyke_append(packet->dissection, &pending->client_dialects, name, 4, 128);
	}
}

static void ask_session(const struct fyke_smb2_packet *packet)
{
	struct fyke_cursor c = packet->body, blob;
	uint16_t offset, length;

	fyke_cursor_skip(&c, 12);
	offset = fyke_cursor_le16(&c);
	length = fyke_cursor_le16(&c);
	blob = fyke_smb2_at(packet, offset, length);
	if (fyke_cursor_ok(&c) && fyke_cursor_ok(&blob))
		fyke_smb_security(packet->dissection, packet->smb, blob.at, length);
}

static void ask_tree(const struct fyke_smb2_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor c = packet->body;
	uint16_t offset, length;

	fyke_cursor_skip(&c, 4);
	offset = fyke_cursor_le16(&c);
	length = fyke_cursor_le16(&c);
	fyke_smb2_keep_name(packet, &pending->name, fyke_smb2_at(packet, offset, length));
}

static void ask_create(const struct fyke_smb2_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor c = packet->body;
	uint16_t offset, length;
	uint32_t options;

	fyke_cursor_skip(&c, 24);
	pending->access = fyke_cursor_le32(&c);
	fyke_cursor_skip(&c, 8);
	pending->disposition = fyke_cursor_le32(&c);
	options = fyke_cursor_le32(&c);
	offset = fyke_cursor_le16(&c);
	length = fyke_cursor_le16(&c);
	pending->deletes = (options & SMB2_DELETE_ON_CLOSE) != 0;
	fyke_smb2_keep_name(packet, &pending->name, fyke_smb2_at(packet, offset, length));
}

static void ask_read(const struct fyke_smb2_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor c = packet->body;

	fyke_cursor_skip(&c, 4);
	pending->length = fyke_cursor_le32(&c);
	pending->offset = fyke_cursor_le64(&c);
	pending->file = fyke_smb2_read_id(&c);
	pending->has_file = fyke_cursor_ok(&c);
}

static void ask_write(const struct fyke_smb2_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor c = packet->body;
	struct fyke_smb_data data = {0};
	struct fyke_smb_file *file;
	uint16_t offset;

	fyke_cursor_skip(&c, 2);
	offset = fyke_cursor_le16(&c);
	data.length = fyke_cursor_le32(&c);
	data.offset = fyke_cursor_le64(&c);
	pending->file = fyke_smb2_read_id(&c);
	if (!fyke_cursor_ok(&c))
		return;
	pending->has_file = true;
	file = fyke_smb2_file_of(packet, pending->file);
	if (file == NULL && pending->file.persistent != UINT64_MAX)
		file = fyke_smb_open(packet->dissection, packet->smb, pending->file, packet->tree);
	fyke_smb2_transfer(packet, file, &data, offset);
}

static void ask_ioctl(const struct fyke_smb2_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor c = packet->body;
	struct fyke_smb_data data = {0};
	uint32_t offset;
	struct fyke_smb_file *file;

	fyke_cursor_skip(&c, 4);
	pending->control = fyke_cursor_le32(&c);
	pending->file = fyke_smb2_read_id(&c);
	offset = fyke_cursor_le32(&c);
	data.length = fyke_cursor_le32(&c);
	pending->has_file = fyke_cursor_ok(&c);
	if (!pending->has_file || pending->control != SMB2_PIPE_TRANSCEIVE)
		return;
	file = fyke_smb2_file_of(packet, pending->file);
	if (file == NULL)
		file = fyke_smb_open(packet->dissection, packet->smb, pending->file, packet->tree);
	if (file != NULL)
		file->pipe = true;
	fyke_smb2_transfer(packet, file, &data, offset);
}

static void ask_set_info(const struct fyke_smb2_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor c = packet->body, buffer;
	uint8_t type, class;
	uint32_t length;
	uint16_t offset;

	fyke_cursor_skip(&c, 2);
	type = fyke_cursor_u8(&c);
	class = fyke_cursor_u8(&c);
	length = fyke_cursor_le32(&c);
	offset = fyke_cursor_le16(&c);
	fyke_cursor_skip(&c, 6);
	pending->file = fyke_smb2_read_id(&c);
	pending->has_file = fyke_cursor_ok(&c);
	if (!pending->has_file || type != 1)
		return;
	pending->sub = class;
	buffer = fyke_smb2_at(packet, offset, length);
	if (class == SMB2_RENAME) {
		fyke_cursor_skip(&buffer, 16);
		fyke_smb2_keep_name(
			packet, &pending->new_name, fyke_cursor_carve(&buffer, fyke_cursor_le32(&buffer)));
	} else if (class == SMB2_DISPOSITION) {
		pending->deletes = fyke_cursor_u8(&buffer) != 0;
	}
}

/* QUERY_DIRECTORY has its pattern, the others a file. */
static void ask_other(const struct fyke_smb2_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor c = packet->body;
	uint16_t offset, length;

	if (packet->command == SMB2_CLOSE || packet->command == SMB2_QUERY_DIRECTORY ||
		packet->command == SMB2_FLUSH || packet->command == SMB2_CHANGE_NOTIFY) {
		fyke_cursor_skip(&c, 8);
		pending->file = fyke_smb2_read_id(&c);
	} else if (packet->command == SMB2_QUERY_INFO) {
		fyke_cursor_skip(&c, 24);
		pending->file = fyke_smb2_read_id(&c);
	} else {
		return;
	}
	pending->has_file = fyke_cursor_ok(&c);
	if (packet->command != SMB2_QUERY_DIRECTORY)
		return;
	offset = fyke_cursor_le16(&c);
	length = fyke_cursor_le16(&c);
	if (fyke_cursor_ok(&c))
		fyke_smb2_keep_name(packet, &pending->name, fyke_smb2_at(packet, offset, length));
}

void fyke_smb2_ask(const struct fyke_smb2_packet *packet)
{
	struct fyke_smb_pending *pending;

	if (packet->command == SMB2_CANCEL)
		return;
	pending = fyke_smb_ask(packet->dissection, packet->smb, packet->message, packet->command);
	if (pending == NULL)
		return;
	pending->tree = packet->tree;
	pending->version = "SMB2";
	pending->label = fyke_smb2_is_silent(packet->command) ? NULL : fyke_smb2_name(packet->command);
	switch (packet->command) {
	case SMB2_NEGOTIATE:
		ask_negotiate(packet, pending);
		break;
	case SMB2_SESSION_SETUP:
		ask_session(packet);
		break;
	case SMB2_TREE_CONNECT:
		ask_tree(packet, pending);
		break;
	case SMB2_CREATE:
		ask_create(packet, pending);
		break;
	case SMB2_READ:
		ask_read(packet, pending);
		break;
	case SMB2_WRITE:
		ask_write(packet, pending);
		break;
	case SMB2_IOCTL:
		ask_ioctl(packet, pending);
		break;
	case SMB2_SET_INFO:
		ask_set_info(packet, pending);
		break;
	default:
		ask_other(packet, pending);
		break;
	}
}
