/* The records of SMB. */
#include "dissectors/shared/smb.h"

#include <stdio.h>
#include <string.h>

enum {
	VERSION,
	COMMAND,
	STATUS,
	DIALECT,
	CLIENT_DIALECTS,
	MESSAGE_ID,
	SESSION_ID,
	TREE_ID,
	SHARE,
	FILENAME,
	USER,
	GUEST,
	TICKET,
	DISPOSITION,
	ACCESS,
	SIGNING,
	SERVER_GUID,
	CLIENT_OS,
	CLIENT_LM,
	SERVER_OS,
	SERVER_LM,
	DETAIL,
	RTT,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_TEXT, "SMB1, SMB2 (SMB 3 uses its messages), or netbios"},
	[COMMAND] = {"command", FYKE_TYPE_TEXT,
		"the command, or ENCRYPTED for the first encrypted message of a side"},
	[STATUS] = {"status", FYKE_TYPE_TEXT, "the answer's status; NULL = no answer was seen"},
	[DIALECT] = {"dialect", FYKE_TYPE_TEXT, "the dialect that the server chose"},
	[CLIENT_DIALECTS] = {"client_dialects", FYKE_TYPE_TEXT,
		"dialects that the client offered, joined by |"},
	[MESSAGE_ID] = {"message_id", FYKE_TYPE_INTEGER,
		"binds request and answer; of SMB1 the multiplex id"},
	[SESSION_ID] = {"smb_session_id", FYKE_TYPE_INTEGER, "of SMB1 the user id"},
	[TREE_ID] = {"tree_id", FYKE_TYPE_INTEGER, "the share, by number"},
	[SHARE] = {"share", FYKE_TYPE_TEXT, "the share, as it was connected to"},
	[FILENAME] = {"filename", FYKE_TYPE_TEXT, "file, directory, pipe or pattern that it is about"},
	[USER] = {"user", FYKE_TYPE_TEXT, "domain and user of a session setup"},
	[GUEST] = {"guest", FYKE_TYPE_BOOLEAN, "the server let the user in as a guest or nobody"},
	[TICKET] = {"ticket_service", FYKE_TYPE_TEXT, "service of the Kerberos ticket of a session setup"},
	[DISPOSITION] = {"disposition", FYKE_TYPE_TEXT, "what a CREATE may do"},
	[ACCESS] = {"access", FYKE_TYPE_TEXT, "access mask of a CREATE"},
	[SIGNING] = {"signing", FYKE_TYPE_TEXT, "of the server: off, enabled or required"},
	[SERVER_GUID] = {"server_guid", FYKE_TYPE_TEXT, "the server's identity"},
	[CLIENT_OS] = {"client_native_os", FYKE_TYPE_TEXT, "SMB1: the client's system, as it says"},
	[CLIENT_LM] = {"client_native_lm", FYKE_TYPE_TEXT, "SMB1: the client's LAN manager, as it says"},
	[SERVER_OS] = {"server_native_os", FYKE_TYPE_TEXT, "SMB1: the server's system, as it says"},
	[SERVER_LM] = {"server_native_lm", FYKE_TYPE_TEXT, "SMB1: the server's LAN manager, as it says"},
	[DETAIL] = {"detail", FYKE_TYPE_TEXT,
		"new name of a RENAME, code of an IOCTL, subcommand of a transaction, names of NetBIOS"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from request to answer"},
};

const struct fyke_table fyke_table_smb = {"smb",
	"one row per command with its answer, without reads, writes and echoes (they count in smb_files)",
	fields, FIELD_COUNT};

enum {
	ACTION,
	PATH,
	NAME,
	SIZE,
	PREVIOUS,
	READ_BYTES,
	WRITTEN_BYTES,
	CREATED,
	ACCESSED,
	MODIFIED,
	CHANGED,
	FILES_COUNT
};

static const struct fyke_field file_fields[FILES_COUNT] = {
	[ACTION] = {"action", FYKE_TYPE_TEXT, "open, read, write, rename, delete or close"},
	[PATH] = {"path", FYKE_TYPE_TEXT, "the share"},
	[NAME] = {"name", FYKE_TYPE_TEXT, "the file"},
	[SIZE] = {"size", FYKE_TYPE_INTEGER, "bytes of the file, as the server told when it was opened"},
	[PREVIOUS] = {"previous_name", FYKE_TYPE_TEXT, "of a rename: the old name"},
	[READ_BYTES] = {"read_bytes", FYKE_TYPE_INTEGER, "of a close: bytes that were read"},
	[WRITTEN_BYTES] = {"written_bytes", FYKE_TYPE_INTEGER, "of a close: bytes that were written"},
	[CREATED] = {"created_us", FYKE_TYPE_INTEGER, "when the file was created"},
	[ACCESSED] = {"accessed_us", FYKE_TYPE_INTEGER, "when it was last read"},
	[MODIFIED] = {"modified_us", FYKE_TYPE_INTEGER, "when it was last written"},
	[CHANGED] = {"changed_us", FYKE_TYPE_INTEGER, "when its attributes last changed"},
};

const struct fyke_table fyke_table_smb_files = {"smb_files",
	"one row per open, first read, first write, rename, delete and close of a file", file_fields,
	FILES_COUNT};

enum { MAP_PATH, MAP_SERVICE, MAP_SYSTEM, MAP_TYPE, MAP_COUNT };

static const struct fyke_field map_fields[MAP_COUNT] = {
	[MAP_PATH] = {"path", FYKE_TYPE_TEXT, "the share"},
	[MAP_SERVICE] = {"service", FYKE_TYPE_TEXT, "SMB1: what kind of thing it is, as the server says"},
	[MAP_SYSTEM] = {"native_file_system", FYKE_TYPE_TEXT, "SMB1: its file system"},
	[MAP_TYPE] = {"share_type", FYKE_TYPE_TEXT, "disk, pipe or print"},
};

const struct fyke_table fyke_table_smb_mapping = {
	"smb_mapping", "one row per share that was connected to", map_fields, MAP_COUNT};

const char *fyke_smb_status(uint32_t status, char text[16])
{
	static const struct {
		uint32_t code;
		const char *name;
	} names[] = {
		{0x00000000, "STATUS_SUCCESS"},
		{0x00000103, "STATUS_PENDING"},
		{0x0000010b, "STATUS_NOTIFY_CLEANUP"},
		{0x0000010c, "STATUS_NOTIFY_ENUM_DIR"},
		{0x80000005, "STATUS_BUFFER_OVERFLOW"},
		{0x80000006, "STATUS_NO_MORE_FILES"},
		{0x8000002d, "STATUS_STOPPED_ON_SYMLINK"},
		{0xc0000002, "STATUS_NOT_IMPLEMENTED"},
		{0xc0000003, "STATUS_INVALID_INFO_CLASS"},
		{0xc0000008, "STATUS_INVALID_HANDLE"},
		{0xc000000d, "STATUS_INVALID_PARAMETER"},
		{0xc000000f, "STATUS_NO_SUCH_FILE"},
		{0xc0000010, "STATUS_INVALID_DEVICE_REQUEST"},
		{0xc0000011, "STATUS_END_OF_FILE"},
		{0xc0000016, "STATUS_MORE_PROCESSING_REQUIRED"},
		{0xc0000022, "STATUS_ACCESS_DENIED"},
		{0xc0000023, "STATUS_BUFFER_TOO_SMALL"},
		{0xc0000033, "STATUS_OBJECT_NAME_INVALID"},
		{0xc0000034, "STATUS_OBJECT_NAME_NOT_FOUND"},
		{0xc0000035, "STATUS_OBJECT_NAME_COLLISION"},
		{0xc000003a, "STATUS_OBJECT_PATH_NOT_FOUND"},
		{0xc0000043, "STATUS_SHARING_VIOLATION"},
		{0xc0000055, "STATUS_LOCK_NOT_GRANTED"},
		{0xc0000056, "STATUS_DELETE_PENDING"},
		{0xc000005e, "STATUS_NO_LOGON_SERVERS"},
		{0xc0000061, "STATUS_PRIVILEGE_NOT_HELD"},
		{0xc0000064, "STATUS_NO_SUCH_USER"},
		{0xc000006a, "STATUS_WRONG_PASSWORD"},
		{0xc000006d, "STATUS_LOGON_FAILURE"},
		{0xc000006e, "STATUS_ACCOUNT_RESTRICTION"},
		{0xc000006f, "STATUS_INVALID_LOGON_HOURS"},
		{0xc0000070, "STATUS_INVALID_WORKSTATION"},
		{0xc0000071, "STATUS_PASSWORD_EXPIRED"},
		{0xc0000072, "STATUS_ACCOUNT_DISABLED"},
		{0xc000007f, "STATUS_DISK_FULL"},
		{0xc00000ac, "STATUS_PIPE_NOT_AVAILABLE"},
		{0xc00000ad, "STATUS_PIPE_BUSY"},
		{0xc00000b0, "STATUS_PIPE_DISCONNECTED"},
		{0xc00000b5, "STATUS_IO_TIMEOUT"},
		{0xc00000ba, "STATUS_FILE_IS_A_DIRECTORY"},
		{0xc00000bb, "STATUS_NOT_SUPPORTED"},
		{0xc00000c3, "STATUS_INVALID_NETWORK_RESPONSE"},
		{0xc00000c9, "STATUS_NETWORK_NAME_DELETED"},
		{0xc00000cc, "STATUS_BAD_NETWORK_NAME"},
		{0xc00000d0, "STATUS_REQUEST_NOT_ACCEPTED"},
		{0xc0000101, "STATUS_DIRECTORY_NOT_EMPTY"},
		{0xc0000103, "STATUS_NOT_A_DIRECTORY"},
		{0xc0000120, "STATUS_CANCELLED"},
		{0xc0000128, "STATUS_FILE_CLOSED"},
		{0xc000015b, "STATUS_LOGON_TYPE_NOT_GRANTED"},
		{0xc0000184, "STATUS_INVALID_DEVICE_STATE"},
		{0xc000018d, "STATUS_TRUSTED_RELATIONSHIP_FAILURE"},
		{0xc0000190, "STATUS_TRUST_FAILURE"},
		{0xc0000193, "STATUS_ACCOUNT_EXPIRED"},
		{0xc0000203, "STATUS_USER_SESSION_DELETED"},
		{0xc0000205, "STATUS_INSUFF_SERVER_RESOURCES"},
		{0xc0000224, "STATUS_PASSWORD_MUST_CHANGE"},
		{0xc0000225, "STATUS_NOT_FOUND"},
		{0xc0000234, "STATUS_ACCOUNT_LOCKED_OUT"},
		{0xc0000257, "STATUS_PATH_NOT_COVERED"},
		{0xc000035c, "STATUS_NETWORK_SESSION_EXPIRED"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].code == status)
			return names[i].name;
	}
	(void)snprintf(text, 16, "0x%08x", status);
	return text;
}

/* FILETIME: 100 ns since 1601; 0 and all ones say nothing. */
int64_t fyke_smb_time(uint64_t filetime)
{
	if (filetime == 0 || filetime > INT64_MAX)
		return INT64_MIN;
	return (int64_t)(filetime / 10) - 11644473600000000;
}

struct fyke_smb_said fyke_smb_said(const char *version, const char *command)
{
	return (struct fyke_smb_said){.version = version, .command = command, .signing = -1};
}

static const char *disposition_of(uint32_t disposition)
{
	static const char *const names[] = {
		"supersede", "open", "create", "open_if", "overwrite", "overwrite_if"};

	return disposition < 6 ? names[disposition] : NULL;
}

static void fill_request(
	struct fyke_smb *smb, const struct fyke_smb_said *said, struct fyke_value *values, char access[12])
{
	static const char *const signing[] = {"off", "enabled", "required"};
	struct fyke_smb_tree *tree = fyke_smb_tree(smb, said->tree);
	bool create = said->request != NULL && said->request->access != 0;

	values[SHARE] = tree != NULL ? fyke_text_of(&tree->path) : fyke_null();
	if (create)
		(void)snprintf(access, 12, "0x%08x", said->request->access);
	values[ACCESS] = fyke_word(create ? access : NULL);
	values[DISPOSITION] = fyke_word(create ? disposition_of(said->request->disposition) : NULL);
	values[SIGNING] = fyke_word(said->signing >= 0 ? signing[said->signing] : NULL);
	values[RTT] = fyke_null();
}

void fyke_smb_tell(struct fyke_dissection *dissection, struct fyke_smb *smb, const struct fyke_smb_said *said)
{
	struct fyke_moment now = fyke_now(dissection);
	struct fyke_value values[FIELD_COUNT];
	char status[16], access[12];

	fill_request(smb, said, values, access);
	values[VERSION] = fyke_word(said->version);
	values[COMMAND] = fyke_word(said->command);
	values[STATUS] = fyke_word(said->answered ? fyke_smb_status(said->status, status) : NULL);
	values[DIALECT] = said->dialect;
	values[CLIENT_DIALECTS] = said->client_dialects;
	values[MESSAGE_ID] = fyke_integer((int64_t)said->message_id);
	values[SESSION_ID] = fyke_integer_if(said->session_id != 0, (int64_t)said->session_id);
	values[TREE_ID] = fyke_integer_if(said->tree != 0, said->tree);
	values[FILENAME] = said->filename;
	values[USER] = said->user;
	values[GUEST] = fyke_integer_if(said->user.bytes != NULL && said->answered, said->guest);
	values[TICKET] = fyke_null();
	if (smb->ticket.bytes != NULL && said->command[0] == 'S' && said->command[1] == 'E')
		values[TICKET] = fyke_text_of(&smb->ticket);
	values[SERVER_GUID] = said->server_guid;
	values[CLIENT_OS] = said->client_os;
	values[CLIENT_LM] = said->client_lm;
	values[SERVER_OS] = said->server_os;
	values[SERVER_LM] = said->server_lm;
	values[DETAIL] = said->detail;
	if (said->answered && said->request != NULL && now.time_ns >= said->request->moment.time_ns)
		values[RTT] = fyke_integer((now.time_ns - said->request->moment.time_ns) / 1000);
	fyke_record_at(
		dissection, &fyke_table_smb, said->request != NULL ? said->request->moment : now, values);
}

void fyke_smb_tell_unanswered(struct fyke_dissection *dissection, struct fyke_smb *smb)
{
	for (struct fyke_smb_pending *request = smb->pending; request != NULL; request = request->next) {
		struct fyke_smb_said said = fyke_smb_said(request->version, request->label);

		if (request->label == NULL)
			continue;
		said.request = request;
		said.message_id = request->id;
		said.tree = request->tree;
		said.filename = fyke_text_of(&request->name);
		said.client_dialects = fyke_text_of(&request->client_dialects);
		fyke_smb_tell(dissection, smb, &said);
	}
}

void fyke_smb_action(struct fyke_dissection *dissection, struct fyke_smb *smb, struct fyke_smb_file *file,
	const char *action, const struct fyke_smb_pending *request)
{
	struct fyke_smb_tree *tree = fyke_smb_tree(smb, file->tree);
	bool closes = action[0] == 'c', renames = action[0] == 'r' && action[2] == 'n';
	struct fyke_value values[FILES_COUNT];

	if (file->pipe)
		return;
	values[ACTION] = fyke_word(action);
	values[PATH] = tree != NULL ? fyke_text_of(&tree->path) : fyke_null();
	values[NAME] = fyke_text_of(renames && request != NULL ? &request->new_name : &file->name);
	values[SIZE] = fyke_integer_if(file->size >= 0, file->size);
	values[PREVIOUS] = renames ? fyke_text_of(&file->name) : fyke_null();
	values[READ_BYTES] = fyke_integer_if(closes, (int64_t)file->read_bytes);
	values[WRITTEN_BYTES] = fyke_integer_if(closes, (int64_t)file->written_bytes);
	for (int i = 0; i < 4; i++)
		values[CREATED + i] = fyke_integer_if(file->times_us[i] != INT64_MIN, file->times_us[i]);
	fyke_record_at(dissection, &fyke_table_smb_files,
		request != NULL ? request->moment : fyke_now(dissection), values);
}

void fyke_smb_tell_mapping(struct fyke_dissection *dissection, const struct fyke_text *path,
	struct fyke_value service, struct fyke_value file_system, const char *share_type)
{
	struct fyke_value values[MAP_COUNT];

	values[MAP_PATH] = fyke_text_of(path);
	values[MAP_SERVICE] = service;
	values[MAP_SYSTEM] = file_system;
	values[MAP_TYPE] = fyke_word(share_type);
	fyke_record(dissection, &fyke_table_smb_mapping, values);
}
