/* Requests of SMB 1: what their answers will need is kept. */
#include "dissectors/shared/smb1.h"

#include <string.h>

static void ask_negotiate(const struct fyke_smb1_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor c = packet->bytes;

	for (int i = 0; i < 16 && fyke_cursor_u8(&c) == 2; i++) {
		struct fyke_text one = {0};

		fyke_smb1_take_string(packet, &c, &one, false);
		if (i > 0)
			fyke_append(packet->dissection, &pending->client_dialects, "|", 1, FYKE_SMB_NAME);
		fyke_append(
			packet->dissection, &pending->client_dialects, one.bytes, one.length, FYKE_SMB_NAME);
		fyke_drop(packet->dissection, &one);
	}
	fyke_keep(packet->dissection, &packet->smb->dialects, pending->client_dialects.bytes,
		pending->client_dialects.length, FYKE_SMB_NAME);
}

static void keep_account(const struct fyke_smb1_packet *packet, const struct fyke_text *domain,
	const struct fyke_text *account)
{
	struct fyke_text *user = &packet->smb->user;

	fyke_drop(packet->dissection, user);
	if (account->length == 0) {
		fyke_keep(packet->dissection, user, "anonymous", 9, 9);
		return;
	}
	if (domain->length > 0) {
		fyke_keep(packet->dissection, user, domain->bytes, domain->length, FYKE_SMB_NAME);
		fyke_append(packet->dissection, user, "\\", 1, FYKE_SMB_NAME);
	}
	fyke_append(packet->dissection, user, account->bytes, account->length, FYKE_SMB_NAME);
}

static void ask_old_session(
	const struct fyke_smb1_packet *packet, struct fyke_smb_pending *pending, struct fyke_cursor words)
{
	struct fyke_cursor c = packet->bytes;
	struct fyke_text account = {0}, domain = {0};
	uint16_t ansi = fyke_cursor_le16(&words);

	fyke_cursor_skip(&c, (size_t)ansi + (packet->word_count == 13 ? fyke_cursor_le16(&words) : 0U));
	fyke_smb1_take_string(packet, &c, &account, packet->unicode);
	fyke_smb1_take_string(packet, &c, &domain, packet->unicode);
	fyke_smb1_take_string(packet, &c, &pending->native_os, packet->unicode);
	fyke_smb1_take_string(packet, &c, &pending->native_lm, packet->unicode);
	keep_account(packet, &domain, &account);
	fyke_drop(packet->dissection, &account);
	fyke_drop(packet->dissection, &domain);
}

static void ask_session(const struct fyke_smb1_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor words = packet->words, c = packet->bytes;
	const uint8_t *blob;
	uint16_t length;

	fyke_cursor_skip(&words, 14);
	if (packet->word_count == 13 || packet->word_count == 10) {
		ask_old_session(packet, pending, words);
		return;
	}
	length = fyke_cursor_le16(&words);
	blob = fyke_cursor_take(&c, length);
	fyke_smb_security(packet->dissection, packet->smb, blob, length);
	fyke_smb1_take_string(packet, &c, &pending->native_os, packet->unicode);
	fyke_smb1_take_string(packet, &c, &pending->native_lm, packet->unicode);
}

static void ask_tree(const struct fyke_smb1_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor words = packet->words, c = packet->bytes;

	fyke_cursor_skip(&words, 6);
	fyke_cursor_skip(&c, fyke_cursor_le16(&words));
	fyke_smb1_take_string(packet, &c, &pending->name, packet->unicode);
}

static void ask_create(const struct fyke_smb1_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor words = packet->words, c = packet->bytes;

	fyke_cursor_skip(&words, 15);
	pending->access = fyke_cursor_le32(&words);
	fyke_cursor_skip(&words, 16);
	pending->disposition = fyke_cursor_le32(&words);
	pending->deletes = (fyke_cursor_le32(&words) & 0x1000) != 0;
	fyke_smb1_take_string(packet, &c, &pending->name, packet->unicode);
}

static void ask_read(const struct fyke_smb1_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor words = packet->words;

	fyke_cursor_skip(&words, 4);
	pending->file = fyke_smb1_id_of(fyke_cursor_le16(&words));
	pending->offset = fyke_cursor_le32(&words);
	fyke_cursor_skip(&words, 10);
	if (packet->word_count == 12)
		pending->offset |= (uint64_t)fyke_cursor_le32(&words) << 32;
	pending->has_file = fyke_cursor_ok(&words);
}

static void ask_write(const struct fyke_smb1_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor words = packet->words;
	struct fyke_smb_data data = {0};
	uint32_t high;
	uint16_t offset;

	fyke_cursor_skip(&words, 4);
	pending->file = fyke_smb1_id_of(fyke_cursor_le16(&words));
	data.offset = fyke_cursor_le32(&words);
	fyke_cursor_skip(&words, 8);
	high = fyke_cursor_le16(&words);
	data.length = high << 16 | fyke_cursor_le16(&words);
	offset = fyke_cursor_le16(&words);
	if (packet->word_count == 14)
		data.offset |= (uint64_t)fyke_cursor_le32(&words) << 32;
	pending->has_file = fyke_cursor_ok(&words);
	if (pending->has_file)
		fyke_smb1_transfer(
			packet, fyke_smb1_file_of(packet, pending->file, packet->tree), &data, offset);
}

/* Named pipes: setup TransactNmPipe and a FID; other transactions have a name. */
static void ask_transaction(const struct fyke_smb1_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor words = packet->words, c = packet->bytes;
	struct fyke_smb_data data = {0};
	uint16_t offset;
	struct fyke_smb_file *file;

	fyke_smb1_take_string(packet, &c, &pending->name, packet->unicode);
	fyke_cursor_skip(&words, 22);
	data.length = fyke_cursor_le16(&words);
	offset = fyke_cursor_le16(&words);
	fyke_cursor_skip(&words, 2);
	pending->sub = fyke_cursor_le16(&words);
	if (!fyke_cursor_ok(&words) || pending->sub != 0x26)
		return;
	pending->file = fyke_smb1_id_of(fyke_cursor_le16(&words));
	pending->has_file = fyke_cursor_ok(&words);
	file = pending->has_file ? fyke_smb1_file_of(packet, pending->file, packet->tree) : NULL;
	if (file != NULL)
		file->pipe = true;
	fyke_smb1_transfer(packet, file, &data, offset);
}

/* Where a subcommand's parameters have their name ([MS-CIFS] §2.2.6). */
static int name_place(uint16_t sub)
{
	static const int8_t places[] = {28, 12, -1, -1, -1, 6, 6, -1, -1, -1, -1, -1, -1, 4, -1, -1, 2};

	return sub < sizeof(places) ? places[sub] : -1;
}

static void ask_transaction2(const struct fyke_smb1_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor words = packet->words, parameters;
	uint16_t length, offset;
	int place;

	fyke_cursor_skip(&words, 18);
	length = fyke_cursor_le16(&words);
	offset = fyke_cursor_le16(&words);
	fyke_cursor_skip(&words, 6);
	pending->sub = fyke_cursor_le16(&words);
	if (!fyke_cursor_ok(&words))
		return;
	parameters = fyke_smb1_at(packet, offset, length);
	place = name_place(pending->sub);
	if (place >= 0 && fyke_cursor_skip(&parameters, (size_t)place))
		fyke_smb1_take_string(packet, &parameters, &pending->name, packet->unicode);
	else if ((pending->sub == 7 || pending->sub == 8) && fyke_cursor_left(&parameters) >= 2) {
		pending->file = fyke_smb1_id_of(fyke_cursor_le16(&parameters));
		pending->has_file = true;
	}
}

static void ask_names(const struct fyke_smb1_packet *packet, struct fyke_smb_pending *pending)
{
	struct fyke_cursor c = packet->bytes, words = packet->words;

	if (packet->command == SMB1_CLOSE || packet->command == 0x05) {
		pending->file = fyke_smb1_id_of(fyke_cursor_le16(&words));
		pending->has_file = fyke_cursor_ok(&words);
		return;
	}
	if (packet->command == SMB1_OPEN_ANDX) {
		fyke_smb1_take_string(packet, &c, &pending->name, packet->unicode);
		return;
	}
	if (fyke_cursor_left(&c) > 0 && c.at[0] == 4)
		fyke_cursor_skip(&c, 1);
	else if (packet->command != SMB1_DELETE && packet->command != SMB1_RENAME)
		return;
	fyke_smb1_take_string(packet, &c, &pending->name, packet->unicode);
	if (packet->command == SMB1_RENAME && fyke_cursor_u8(&c) == 4)
		fyke_smb1_take_string(packet, &c, &pending->new_name, packet->unicode);
}

void fyke_smb1_ask(const struct fyke_smb1_packet *packet)
{
	struct fyke_smb_pending *pending;

	if (packet->command == SMB1_NT_CANCEL)
		return;
	pending = fyke_smb_ask(packet->dissection, packet->smb, packet->id, packet->command);
	if (pending == NULL)
		return;
	pending->tree = packet->tree;
	pending->version = "SMB1";
	pending->label = fyke_smb1_is_silent(packet->command) ? NULL : fyke_smb1_name(packet->command);
	switch (packet->command) {
	case SMB1_NEGOTIATE:
		ask_negotiate(packet, pending);
		break;
	case SMB1_SESSION_SETUP:
		ask_session(packet, pending);
		break;
	case SMB1_TREE_CONNECT:
		ask_tree(packet, pending);
		break;
	case SMB1_NT_CREATE:
		ask_create(packet, pending);
		break;
	case SMB1_READ_ANDX:
		ask_read(packet, pending);
		break;
	case SMB1_WRITE_ANDX:
		ask_write(packet, pending);
		break;
	case SMB1_TRANSACTION:
		ask_transaction(packet, pending);
		break;
	case SMB1_TRANSACTION2:
		ask_transaction2(packet, pending);
		break;
	default:
		ask_names(packet, pending);
		break;
	}
}
