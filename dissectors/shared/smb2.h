/* What the files of SMB 2 share among themselves. */
#ifndef FYKE_DISSECTORS_SHARED_SMB2_H
#define FYKE_DISSECTORS_SHARED_SMB2_H

#include "dissectors/shared/smb.h"

enum {
	SMB2_NEGOTIATE,
	SMB2_SESSION_SETUP,
	SMB2_LOGOFF,
	SMB2_TREE_CONNECT,
	SMB2_TREE_DISCONNECT,
	SMB2_CREATE,
	SMB2_CLOSE,
	SMB2_FLUSH,
	SMB2_READ,
	SMB2_WRITE,
	SMB2_LOCK,
	SMB2_IOCTL,
	SMB2_CANCEL,
	SMB2_ECHO_COMMAND,
	SMB2_QUERY_DIRECTORY,
	SMB2_CHANGE_NOTIFY,
	SMB2_QUERY_INFO,
	SMB2_SET_INFO,
	SMB2_OPLOCK_BREAK,
	SMB2_COMMANDS
};
enum {
	SMB2_HEADER = 64,
	SMB2_COMPOUND_MAX = 32,
	SMB2_IS_RESPONSE = 1,
	SMB2_IS_ASYNC = 2,
	SMB2_PENDING = 0x103,
	SMB2_MORE_PROCESSING = 0xc0000016,
	SMB2_OVERFLOW = 0x80000005,
	SMB2_RENAME = 10,
	SMB2_DISPOSITION = 13,
	SMB2_PIPE_TRANSCEIVE = 0x0011c017,
	SMB2_DELETE_ON_CLOSE = 0x1000,
	SMB2_IS_DIRECTORY = 0x10
};

struct fyke_smb2_packet {
	struct fyke_dissection *dissection;
	struct fyke_smb *smb;
	enum fyke_side side;
	const uint8_t *bytes; /* from the header on */
	size_t length;	      /* of the command, as far as it is here */
	uint64_t whole;	      /* to the end of the message */
	uint32_t status, flags, tree;
	uint16_t command;
	uint64_t message, session;
	struct fyke_cursor body; /* behind the header */
};

/* Bytes at an offset from the header; empty when they are not here. */
struct fyke_cursor fyke_smb2_at(const struct fyke_smb2_packet *packet, size_t offset, size_t length);
/* Data from `offset` of this command on. */
void fyke_smb2_transfer(const struct fyke_smb2_packet *packet, struct fyke_smb_file *file,
	struct fyke_smb_data *data, size_t offset);
struct fyke_smb_file *fyke_smb2_file_of(const struct fyke_smb2_packet *packet, struct fyke_smb_id id);
void fyke_smb2_keep_name(
	const struct fyke_smb2_packet *packet, struct fyke_text *text, struct fyke_cursor name);
struct fyke_smb_id fyke_smb2_read_id(struct fyke_cursor *c);
const char *fyke_smb2_dialect_of(uint16_t dialect);

const char *fyke_smb2_name(uint16_t command);
/* Commands that only count in smb_files, or do not matter. */
bool fyke_smb2_is_silent(uint16_t command);
void fyke_smb2_ask(const struct fyke_smb2_packet *packet);
void fyke_smb2_answer(const struct fyke_smb2_packet *packet);

#endif
