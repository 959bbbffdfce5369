/* What the files of SMB 1 share among themselves. */
#ifndef FYKE_DISSECTORS_SHARED_SMB1_H
#define FYKE_DISSECTORS_SHARED_SMB1_H

#include "dissectors/shared/smb.h"

enum {
	SMB1_HEADER = 32,
	SMB1_CHAIN_MAX = 8,
	SMB1_IS_REPLY = 0x80,
	SMB1_UNICODE = 0x8000,
	SMB1_NT_STATUS = 0x4000,
	SMB1_MORE_PROCESSING = 0xc0000016,
	SMB1_OVERFLOW = 0x80000005,
	SMB1_EXTENDED = 0x80000000
};
enum {
	SMB1_OPEN = 0x02,
	SMB1_CREATE = 0x03,
	SMB1_CLOSE = 0x04,
	SMB1_DELETE = 0x06,
	SMB1_RENAME = 0x07,
	SMB1_READ = 0x0a,
	SMB1_WRITE = 0x0b,
	SMB1_LOCKING = 0x24,
	SMB1_TRANSACTION = 0x25,
	SMB1_ECHO_COMMAND = 0x2b,
	SMB1_OPEN_ANDX = 0x2d,
	SMB1_READ_ANDX = 0x2e,
	SMB1_WRITE_ANDX = 0x2f,
	SMB1_TRANSACTION2 = 0x32,
	SMB1_TREE_DISCONNECT = 0x71,
	SMB1_NEGOTIATE = 0x72,
	SMB1_SESSION_SETUP = 0x73,
	SMB1_LOGOFF = 0x74,
	SMB1_TREE_CONNECT = 0x75,
	SMB1_NT_TRANSACT = 0xa0,
	SMB1_NT_CREATE = 0xa2,
	SMB1_NT_CANCEL = 0xa4
};

struct fyke_smb1_packet {
	struct fyke_dissection *dissection;
	struct fyke_smb *smb;
	const struct fyke_smb_message *message;
	uint8_t command;
	bool reply, unicode;
	uint32_t status, tree, user;
	uint64_t id;
	struct fyke_cursor words, bytes; /* of one command */
	uint8_t word_count;
};

struct fyke_cursor fyke_smb1_at(const struct fyke_smb1_packet *packet, size_t offset, size_t length);
void fyke_smb1_transfer(const struct fyke_smb1_packet *packet, struct fyke_smb_file *file,
	struct fyke_smb_data *data, size_t offset);
struct fyke_smb_file *fyke_smb1_file_of(
	const struct fyke_smb1_packet *packet, struct fyke_smb_id id, uint32_t tree);
/* A string that ends with NUL or with the bytes. */
void fyke_smb1_take_string(
	const struct fyke_smb1_packet *packet, struct fyke_cursor *c, struct fyke_text *text, bool unicode);
struct fyke_smb_id fyke_smb1_id_of(uint16_t fid);

const char *fyke_smb1_name(uint8_t command); /* NULL: no such command */
/* Commands that only count in smb_files, or do not matter. */
bool fyke_smb1_is_silent(uint8_t command);
void fyke_smb1_ask(const struct fyke_smb1_packet *packet);
void fyke_smb1_answer(const struct fyke_smb1_packet *packet, const char *name);

#endif
