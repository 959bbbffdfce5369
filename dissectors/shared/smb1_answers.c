/* Answers of SMB 1, told with their requests. */
#include "dissectors/shared/smb1.h"

#include <stdio.h>
#include <string.h>

/* The dialect by its place among those that were offered. */
static struct fyke_value chosen(const struct fyke_text *offered, uint16_t index)
{
	const char *begin = offered->bytes, *stop = begin != NULL ? begin + offered->length : NULL;

	for (; begin != NULL; index--) {
		const char *bar = memchr(begin, '|', (size_t)(stop - begin));

		if (index == 0)
			return fyke_bytes(begin, (size_t)((bar != NULL ? bar : stop) - begin));
		begin = bar != NULL ? bar + 1 : NULL;
	}
	return fyke_null();
}

static void answer_negotiate(
	const struct fyke_smb1_packet *packet, struct fyke_smb_said *said, char guid[FYKE_DCERPC_UUID])
{
	struct fyke_cursor words = packet->words, c = packet->bytes;
	uint16_t index = fyke_cursor_le16(&words);
	uint8_t mode = fyke_cursor_u8(&words);
	uint32_t capabilities;
	const uint8_t *id;

	fyke_cursor_skip(&words, 16);
	capabilities = fyke_cursor_le32(&words);
	said->client_dialects = fyke_text_of(&packet->smb->dialects);
	said->dialect = chosen(&packet->smb->dialects, index);
	if (packet->word_count < 17)
		return;
	said->signing = (mode & 8) != 0 ? 2 : (mode & 4) != 0 ? 1 : 0;
	if ((capabilities & SMB1_EXTENDED) == 0)
		return;
	id = fyke_cursor_take(&c, 16);
	if (id == NULL)
		return;
	fyke_dcerpc_uuid(id, true, guid);
	said->server_guid = fyke_word(guid);
	fyke_smb_security(packet->dissection, packet->smb, c.at, fyke_cursor_left(&c));
}

static void answer_session(const struct fyke_smb1_packet *packet, struct fyke_smb_said *said,
	struct fyke_text *os, struct fyke_text *lm)
{
	struct fyke_cursor words = packet->words, c = packet->bytes;
	bool more = packet->status == SMB1_MORE_PROCESSING;
	uint16_t action;
	char status[16];

	fyke_cursor_skip(&words, 4);
	action = fyke_cursor_le16(&words);
	if (packet->word_count == 4) {
		uint16_t length = fyke_cursor_le16(&words);
		const uint8_t *blob = fyke_cursor_take(&c, length);

		if (more)
			fyke_smb_security(packet->dissection, packet->smb, blob, length);
	}
	if (packet->word_count >= 3) {
		fyke_smb1_take_string(packet, &c, os, packet->unicode);
		fyke_smb1_take_string(packet, &c, lm, packet->unicode);
	}
	said->guest = (action & 1) != 0;
	said->server_os = fyke_text_of(os);
	said->server_lm = fyke_text_of(lm);
	if (said->request != NULL) {
		said->client_os = fyke_text_of(&said->request->native_os);
		said->client_lm = fyke_text_of(&said->request->native_lm);
	}
	if (os->length > 0)
		fyke_host_says(packet->dissection, fyke_address_of(packet->dissection, FYKE_SERVER),
			FYKE_HOST_OS, os->bytes, os->length, "smb");
	if (!more)
		fyke_ntlm_tell(packet->dissection, &packet->smb->ntlm, packet->status == 0,
			fyke_smb_status(packet->status, status));
}

static void answer_tree(const struct fyke_smb1_packet *packet, struct fyke_smb_said *said)
{
	static const struct fyke_text unknown = {0};
	const struct fyke_text *path = said->request != NULL ? &said->request->name : &unknown;
	struct fyke_cursor c = packet->bytes;
	struct fyke_text service = {0}, system = {0};
	bool pipe;

	said->filename = fyke_text_of(path);
	if (packet->status != 0)
		return;
	fyke_smb1_take_string(packet, &c, &service, false);
	fyke_smb1_take_string(packet, &c, &system, packet->unicode);
	pipe = service.length == 3 && memcmp(service.bytes, "IPC", 3) == 0;
	fyke_smb_map(packet->dissection, packet->smb, packet->tree, path, pipe);
	fyke_smb_tell_mapping(packet->dissection, path, fyke_text_of(&service), fyke_text_of(&system),
		pipe			  ? "pipe"
		: service.length == 0	  ? NULL
		: service.bytes[0] == 'A' ? "disk"
		: service.bytes[0] == 'L' ? "print"
					  : NULL);
	fyke_drop(packet->dissection, &service);
	fyke_drop(packet->dissection, &system);
}

static struct fyke_smb_file *opened(
	const struct fyke_smb1_packet *packet, struct fyke_smb_said *said, uint16_t fid)
{
	struct fyke_smb_file *file =
		fyke_smb_open(packet->dissection, packet->smb, fyke_smb1_id_of(fid), packet->tree);

	if (file != NULL && said->request != NULL) {
		fyke_keep(packet->dissection, &file->name, said->request->name.bytes,
			said->request->name.length, FYKE_SMB_NAME);
		file->deletes = said->request->deletes;
	}
	return file;
}

static void answer_create(const struct fyke_smb1_packet *packet, struct fyke_smb_said *said)
{
	struct fyke_cursor words = packet->words;
	struct fyke_smb_file *file;
	uint16_t fid;

	said->filename = said->request != NULL ? fyke_text_of(&said->request->name) : fyke_null();
	if (packet->status != 0 || packet->word_count < 34)
		return;
	fyke_cursor_skip(&words, 5);
	fid = fyke_cursor_le16(&words);
	file = opened(packet, said, fid);
	if (file == NULL)
		return;
	fyke_cursor_skip(&words, 4);
	for (int i = 0; i < 4; i++)
		file->times_us[i] = fyke_smb_time(fyke_cursor_le64(&words));
	fyke_cursor_skip(&words, 12);
	file->size = (int64_t)fyke_cursor_le64(&words);
	fyke_smb_action(packet->dissection, packet->smb, file, "open", said->request);
}

static void answer_open(const struct fyke_smb1_packet *packet, struct fyke_smb_said *said)
{
	struct fyke_cursor words = packet->words;
	struct fyke_smb_file *file;

	said->filename = said->request != NULL ? fyke_text_of(&said->request->name) : fyke_null();
	if (packet->status != 0 || packet->word_count < 15)
		return;
	fyke_cursor_skip(&words, 4);
	file = opened(packet, said, fyke_cursor_le16(&words));
	if (file == NULL)
		return;
	fyke_cursor_skip(&words, 6);
	file->size = fyke_cursor_le32(&words);
	fyke_smb_action(packet->dissection, packet->smb, file, "open", said->request);
}

static void answer_read(const struct fyke_smb1_packet *packet, const struct fyke_smb_pending *request)
{
	struct fyke_cursor words = packet->words;
	struct fyke_smb_data data = {0};
	uint16_t offset;

	if (request == NULL || !request->has_file || (packet->status != 0 && packet->status != SMB1_OVERFLOW))
		return;
	data.offset = request->offset;
	fyke_cursor_skip(&words, 10);
	data.length = fyke_cursor_le16(&words);
	offset = fyke_cursor_le16(&words);
	data.length |= (uint64_t)fyke_cursor_le16(&words) << 16;
	if (fyke_cursor_ok(&words))
		fyke_smb1_transfer(
			packet, fyke_smb1_file_of(packet, request->file, request->tree), &data, offset);
}

static void answer_transaction(const struct fyke_smb1_packet *packet, const struct fyke_smb_pending *request)
{
	struct fyke_cursor words = packet->words;
	struct fyke_smb_data data = {0};
	uint16_t offset;

	if (request == NULL || !request->has_file || (packet->status != 0 && packet->status != SMB1_OVERFLOW))
		return;
	fyke_cursor_skip(&words, 12);
	data.length = fyke_cursor_le16(&words);
	offset = fyke_cursor_le16(&words);
	if (fyke_cursor_ok(&words))
		fyke_smb1_transfer(
			packet, fyke_smb1_file_of(packet, request->file, request->tree), &data, offset);
}

/* Files that are deleted or renamed by name. */
static void answer_names(const struct fyke_smb1_packet *packet, struct fyke_smb_said *said)
{
	struct fyke_smb_file file = {
		.tree = packet->tree, .size = -1, .times_us = {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN}};

	if (said->request == NULL || said->request->name.bytes == NULL)
		return;
	said->filename = fyke_text_of(&said->request->name);
	file.name = said->request->name;
	if (packet->command == SMB1_RENAME)
		said->detail = fyke_text_of(&said->request->new_name);
	if (packet->status == 0 && (packet->command == SMB1_RENAME || packet->command == SMB1_DELETE))
		fyke_smb_action(packet->dissection, packet->smb, &file,
			packet->command == SMB1_RENAME ? "rename" : "delete", said->request);
}

static void answer_files(const struct fyke_smb1_packet *packet, struct fyke_smb_said *said)
{
	struct fyke_smb_file *file = NULL;

	if (said->request != NULL && said->request->has_file)
		file = fyke_smb_file(packet->smb, said->request->file);
	if (file != NULL)
		said->filename = fyke_text_of(&file->name);
	switch (packet->command) {
	case SMB1_NT_CREATE:
		answer_create(packet, said);
		break;
	case SMB1_OPEN_ANDX:
		answer_open(packet, said);
		break;
	case SMB1_READ_ANDX:
		answer_read(packet, said->request);
		break;
	case SMB1_TRANSACTION:
		answer_transaction(packet, said->request);
		break;
	default:
		answer_names(packet, said);
		break;
	}
}

static const char *sub_of(const struct fyke_smb1_packet *packet, uint16_t sub)
{
	static const char *const words[] = {"OPEN2", "FIND_FIRST2", "FIND_NEXT2", "QUERY_FS_INFO",
		"SET_FS_INFO", "QUERY_PATH_INFO", "SET_PATH_INFO", "QUERY_FILE_INFO", "SET_FILE_INFO",
		"FSCTL", "IOCTL2", "FIND_NOTIFY_FIRST", "FIND_NOTIFY_NEXT", "CREATE_DIRECTORY",
		"SESSION_SETUP", NULL, "GET_DFS_REFERRAL"};

	if (packet->command == SMB1_TRANSACTION)
		return sub == 0x26 ? "TransactNmPipe" : NULL;
	return packet->command == SMB1_TRANSACTION2 && sub < sizeof(words) / sizeof(words[0]) ? words[sub]
											      : NULL;
}

static void close_file(const struct fyke_smb1_packet *packet, const struct fyke_smb_said *said)
{
	struct fyke_smb_file *file = NULL;

	if (packet->command == SMB1_CLOSE && said->request != NULL && said->request->has_file)
		file = fyke_smb_file(packet->smb, said->request->file);
	if (file == NULL)
		return;
	fyke_smb_action(packet->dissection, packet->smb, file, "close", NULL);
	fyke_smb_close(packet->dissection, packet->smb, file);
}

void fyke_smb1_answer(const struct fyke_smb1_packet *packet, const char *name)
{
	struct fyke_smb_said said = fyke_smb_said("SMB1", name);
	struct fyke_text os = {0}, lm = {0};
	char guid[FYKE_DCERPC_UUID], user[FYKE_SMB_NAME];

	said.request = fyke_smb_asked(packet->smb, packet->id, packet->command);
	said.answered = true;
	said.status = packet->status;
	said.message_id = packet->id & 0xffff;
	said.session_id = packet->user;
	said.tree = packet->tree;
	if (packet->command == SMB1_SESSION_SETUP)
		said.user = fyke_smb_user(packet->smb, user, sizeof(user));
	if (packet->command == SMB1_NEGOTIATE)
		answer_negotiate(packet, &said, guid);
	else if (packet->command == SMB1_SESSION_SETUP)
		answer_session(packet, &said, &os, &lm);
	else if (packet->command == SMB1_TREE_CONNECT)
		answer_tree(packet, &said);
	else
		answer_files(packet, &said);
	if (said.request != NULL && said.detail.bytes == NULL)
		said.detail = fyke_word(sub_of(packet, said.request->sub));
	if (!fyke_smb1_is_silent(packet->command))
		fyke_smb_tell(packet->dissection, packet->smb, &said);
	close_file(packet, &said);
	if (said.request != NULL)
		fyke_smb_answered(packet->dissection, packet->smb, said.request);
	fyke_drop(packet->dissection, &os);
	fyke_drop(packet->dissection, &lm);
}
