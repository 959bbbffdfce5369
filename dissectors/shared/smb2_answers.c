/* Answers of SMB 2, told with their requests. */
#include "dissectors/shared/smb2.h"

#include <stdio.h>
#include <string.h>

static void answer_negotiate(
	const struct fyke_smb2_packet *packet, struct fyke_smb_said *said, char guid[FYKE_DCERPC_UUID])
{
	struct fyke_cursor c = packet->body, blob;
	uint16_t mode, dialect, offset, length;
	const uint8_t *id;

	fyke_cursor_skip(&c, 2);
	mode = fyke_cursor_le16(&c);
	dialect = fyke_cursor_le16(&c);
	fyke_cursor_skip(&c, 2);
	id = fyke_cursor_take(&c, 16);
	fyke_cursor_skip(&c, 32);
	offset = fyke_cursor_le16(&c);
	length = fyke_cursor_le16(&c);
	if (id == NULL)
		return;
	fyke_dcerpc_uuid(id, true, guid);
	said->server_guid = fyke_word(guid);
	said->dialect = fyke_word(fyke_smb2_dialect_of(dialect));
	said->client_dialects =
		said->request != NULL ? fyke_text_of(&said->request->client_dialects) : fyke_null();
	if (said->client_dialects.bytes == NULL) /* a multi-protocol negotiation began in SMB1 */
		said->client_dialects = fyke_text_of(&packet->smb->dialects);
	said->signing = (mode & 2) != 0 ? 2 : (mode & 1) != 0 ? 1 : 0;
	blob = fyke_smb2_at(packet, offset, length);
	if (fyke_cursor_ok(&blob))
		fyke_smb_security(packet->dissection, packet->smb, blob.at, length);
}

static void answer_session(
	const struct fyke_smb2_packet *packet, struct fyke_smb_said *said, char *user, size_t room)
{
	struct fyke_cursor c = packet->body, blob;
	uint16_t flags, offset, length;
	char status[16];

	fyke_cursor_skip(&c, 2);
	flags = fyke_cursor_le16(&c);
	offset = fyke_cursor_le16(&c);
	length = fyke_cursor_le16(&c);
	blob = fyke_smb2_at(packet, offset, length);
	if (fyke_cursor_ok(&c) && fyke_cursor_ok(&blob) && packet->status == SMB2_MORE_PROCESSING)
		fyke_smb_security(packet->dissection, packet->smb, blob.at, length);
	said->user = fyke_smb_user(packet->smb, user, room);
	said->guest = fyke_cursor_ok(&c) && (flags & 3) != 0;
	if (packet->status != SMB2_MORE_PROCESSING)
		fyke_ntlm_tell(packet->dissection, &packet->smb->ntlm, packet->status == 0,
			fyke_smb_status(packet->status, status));
}

static void answer_tree(const struct fyke_smb2_packet *packet, struct fyke_smb_said *said)
{
	static const char *const types[] = {NULL, "disk", "pipe", "print"};
	struct fyke_cursor c = packet->body;
	static const struct fyke_text unknown = {0};
	const struct fyke_text *path = said->request != NULL ? &said->request->name : &unknown;
	uint8_t type;

	said->filename = fyke_text_of(path);
	if (packet->status != 0)
		return;
	fyke_cursor_skip(&c, 2);
	type = fyke_cursor_u8(&c);
	fyke_smb_map(packet->dissection, packet->smb, packet->tree, path, type == 2);
	fyke_smb_tell_mapping(
		packet->dissection, path, fyke_null(), fyke_null(), type < 4 ? types[type] : NULL);
}

static void answer_create(const struct fyke_smb2_packet *packet, struct fyke_smb_said *said)
{
	struct fyke_cursor c = packet->body;
	int64_t times[4], size;
	struct fyke_smb_file *file;
	uint32_t attributes;

	said->filename = said->request != NULL ? fyke_text_of(&said->request->name) : fyke_null();
	if (packet->status != 0)
		return;
	fyke_cursor_skip(&c, 8);
	for (int i = 0; i < 4; i++)
		times[i] = fyke_smb_time(fyke_cursor_le64(&c));
	fyke_cursor_skip(&c, 8);
	size = (int64_t)fyke_cursor_le64(&c);
	attributes = fyke_cursor_le32(&c);
	fyke_cursor_skip(&c, 4);
	packet->smb->latest = fyke_smb2_read_id(&c);
	if (!fyke_cursor_ok(&c))
		return;
	file = fyke_smb_open(packet->dissection, packet->smb, packet->smb->latest,
		said->request != NULL ? said->request->tree : packet->tree);
	if (file == NULL)
		return;
	memcpy(file->times_us, times, sizeof(times));
	file->size = size;
	file->directory = (attributes & SMB2_IS_DIRECTORY) != 0;
	if (said->request != NULL) {
		fyke_keep(packet->dissection, &file->name, said->request->name.bytes,
			said->request->name.length, FYKE_SMB_NAME);
		file->deletes = said->request->deletes;
	}
	fyke_smb_action(packet->dissection, packet->smb, file, "open", said->request);
}

static void answer_read(const struct fyke_smb2_packet *packet, const struct fyke_smb_pending *request)
{
	struct fyke_cursor c = packet->body;
	struct fyke_smb_data data = {.offset = request != NULL ? request->offset : 0};
	struct fyke_smb_file *file;
	uint8_t offset;

	if (request == NULL || (packet->status != 0 && packet->status != SMB2_OVERFLOW))
		return;
	fyke_cursor_skip(&c, 2);
	offset = fyke_cursor_u8(&c);
	fyke_cursor_skip(&c, 1);
	data.length = fyke_cursor_le32(&c);
	file = fyke_smb2_file_of(packet, request->file);
	if (file == NULL && request->file.persistent != UINT64_MAX)
		file = fyke_smb_open(packet->dissection, packet->smb, request->file, request->tree);
	if (fyke_cursor_ok(&c))
		fyke_smb2_transfer(packet, file, &data, offset);
}

static void answer_ioctl(const struct fyke_smb2_packet *packet, const struct fyke_smb_pending *request)
{
	struct fyke_cursor c = packet->body;
	struct fyke_smb_data data = {0};
	uint32_t offset;

	if (request == NULL || request->control != SMB2_PIPE_TRANSCEIVE ||
		(packet->status != 0 && packet->status != SMB2_OVERFLOW))
		return;
	fyke_cursor_skip(&c, 32);
	offset = fyke_cursor_le32(&c);
	data.length = fyke_cursor_le32(&c);
	if (fyke_cursor_ok(&c))
		fyke_smb2_transfer(packet, fyke_smb2_file_of(packet, request->file), &data, offset);
}

static void answer_set_info(
	const struct fyke_smb2_packet *packet, struct fyke_smb_said *said, struct fyke_smb_file *file)
{
	const struct fyke_smb_pending *request = said->request;

	if (packet->status != 0 || file == NULL)
		return;
	if (request->sub == SMB2_DISPOSITION)
		file->deletes = request->deletes;
	if (request->sub != SMB2_RENAME || request->new_name.bytes == NULL)
		return;
	said->detail = fyke_text_of(&request->new_name);
	fyke_smb_action(packet->dissection, packet->smb, file, "rename", request);
	fyke_keep(packet->dissection, &file->name, request->new_name.bytes, request->new_name.length,
		FYKE_SMB_NAME);
}

static const char *control_of(uint32_t control, char text[16])
{
	switch (control) {
	case SMB2_PIPE_TRANSCEIVE:
		return "FSCTL_PIPE_TRANSCEIVE";
	case 0x00060194:
		return "FSCTL_DFS_GET_REFERRALS";
	case 0x00140204:
		return "FSCTL_VALIDATE_NEGOTIATE_INFO";
	case 0x001401fc:
		return "FSCTL_QUERY_NETWORK_INTERFACE_INFO";
	case 0x00110018:
		return "FSCTL_PIPE_WAIT";
	case 0x00140078:
		return "FSCTL_SRV_REQUEST_RESUME_KEY";
	case 0x001440f2:
		return "FSCTL_SRV_COPYCHUNK";
	case 0x00144064:
		return "FSCTL_SRV_ENUMERATE_SNAPSHOTS";
	default:
		(void)snprintf(text, 16, "0x%08x", control);
		return text;
	}
}

/* What the answer is about, where the request names a file. */
static struct fyke_smb_file *name_file(const struct fyke_smb2_packet *packet, struct fyke_smb_said *said)
{
	struct fyke_smb_file *file;

	if (said->request == NULL || !said->request->has_file)
		return NULL;
	file = fyke_smb2_file_of(packet, said->request->file);
	if (file != NULL)
		packet->smb->latest = file->id;
	if (file != NULL)
		said->filename = fyke_text_of(&file->name);
	if (said->request->name.bytes != NULL && packet->command == SMB2_QUERY_DIRECTORY)
		said->detail = fyke_text_of(&said->request->name);
	return file;
}

static void answer_files(const struct fyke_smb2_packet *packet, struct fyke_smb_said *said)
{
	struct fyke_smb_file *file = name_file(packet, said);

	switch (packet->command) {
	case SMB2_CREATE:
		answer_create(packet, said);
		break;
	case SMB2_READ:
		answer_read(packet, said->request);
		break;
	case SMB2_IOCTL:
		answer_ioctl(packet, said->request);
		break;
	case SMB2_SET_INFO:
		answer_set_info(packet, said, file);
		break;
	default:
		break;
	}
}

void fyke_smb2_answer(const struct fyke_smb2_packet *packet)
{
	struct fyke_smb_said said = fyke_smb_said("SMB2", fyke_smb2_name(packet->command));
	char guid[FYKE_DCERPC_UUID], user[FYKE_SMB_NAME], control[16];
	bool silent = fyke_smb2_is_silent(packet->command);
	struct fyke_smb_file *closed = NULL;

	said.request = fyke_smb_asked(packet->smb, packet->message, packet->command);
	said.answered = true;
	said.status = packet->status;
	said.message_id = packet->message;
	said.session_id = packet->session;
	said.tree = packet->tree != 0 ? packet->tree : said.request != NULL ? said.request->tree : 0;
	if (packet->command == SMB2_NEGOTIATE)
		answer_negotiate(packet, &said, guid);
	else if (packet->command == SMB2_SESSION_SETUP)
		answer_session(packet, &said, user, sizeof(user));
	else if (packet->command == SMB2_TREE_CONNECT)
		answer_tree(packet, &said);
	else
		answer_files(packet, &said);
	if (packet->command == SMB2_IOCTL && said.request != NULL)
		said.detail = fyke_word(control_of(said.request->control, control));
	if (packet->command == SMB2_CLOSE && said.request != NULL && said.request->has_file)
		closed = fyke_smb2_file_of(packet, said.request->file);
	if (!silent)
		fyke_smb_tell(packet->dissection, packet->smb, &said);
	if (closed != NULL) {
		fyke_smb_action(packet->dissection, packet->smb, closed, "close", NULL);
		fyke_smb_close(packet->dissection, packet->smb, closed);
	}
	if (said.request != NULL)
		fyke_smb_answered(packet->dissection, packet->smb, said.request);
}
