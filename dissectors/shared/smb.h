/*
 * What the dissector of SMB remembers, and what both generations of the protocol share: requests that wait
 * for their answer, trees, open files and what passes through them, and the records.
 */
#ifndef FYKE_DISSECTORS_SHARED_SMB_H
#define FYKE_DISSECTORS_SHARED_SMB_H

#include "dissectors/shared/dcerpc.h"

enum {
	FYKE_SMB_PENDING = 48,
	FYKE_SMB_FILES = 48,
	FYKE_SMB_TREES = 8,
	FYKE_SMB_NAME = 512, /* bytes of a path */
	FYKE_SMB_READ = 8192 /* bytes of a message that are waited for */
};

struct fyke_smb_id { /* of an open file: 16 bytes in SMB2, the FID in SMB1 */
	uint64_t persistent, volatile_part;
};

struct fyke_smb_tree {
	bool used, pipe;
	uint32_t id;
	struct fyke_text path;
};

struct fyke_smb_file {
	struct fyke_smb_file *next;
	struct fyke_smb_id id;
	uint32_t tree;
	bool pipe, directory, read_told, write_told, deletes;
	struct fyke_text name;
	int64_t size, times_us[4]; /* created, accessed, modified, changed; INT64_MIN = not told */
	uint64_t read_bytes, written_bytes, place[2];
	struct fyke_file *transfer[2]; /* by the sender's side */
	struct fyke_dcerpc *rpc;
};

struct fyke_smb_pending {
	struct fyke_smb_pending *next;
	uint64_t id;
	const char *version, *label; /* what it is told as when no answer comes; NULL = not told */
	uint16_t command, sub;	     /* sub: transaction's subcommand, class of information */
	struct fyke_moment moment;
	uint32_t tree, control, disposition, access, length;
	uint64_t offset;
	struct fyke_smb_id file;
	bool has_file, deletes;
	struct fyke_text name, new_name, client_dialects, native_os, native_lm;
};

struct fyke_smb_stream { /* file data that is passing by in a message */
	struct fyke_smb_file *file;
	uint64_t left, tail; /* data still to come; rest of the message behind it */
};

struct fyke_smb {
	struct fyke_smb_pending *pending; /* oldest first */
	struct fyke_smb_file *files;	  /* newest first */
	struct fyke_smb_tree trees[FYKE_SMB_TREES];
	struct fyke_smb_stream stream[2];
	struct fyke_ntlm ntlm;
	struct fyke_text ticket; /* service of a Kerberos ticket */
	struct fyke_text user;
	struct fyke_smb_id latest; /* file of the answer before, for compounds */
	uint8_t next_tree;
	uint16_t pending_count, file_count;
	bool lost[2], encrypted[2], netbios_told, dialects_told;
	struct fyke_text dialects; /* offered by the client in SMB1, joined by "|" */
	const char *dialect;
};

/* One command with its answer. */
struct fyke_smb_said {
	const char *version, *command;
	struct fyke_smb_pending *request; /* may be NULL */
	bool answered;
	uint32_t status;
	uint64_t message_id, session_id;
	uint32_t tree;
	struct fyke_value filename, dialect, client_dialects, server_guid, user, detail;
	struct fyke_value client_os, client_lm, server_os, server_lm;
	int signing; /* 0 off, 1 enabled, 2 required, -1 not told */
	bool guest;
};

extern const struct fyke_table fyke_table_smb, fyke_table_smb_files, fyke_table_smb_mapping;

/* Requests that were never answered. */
void fyke_smb_tell_unanswered(struct fyke_dissection *dissection, struct fyke_smb *smb);
/* An empty one: nothing told. */
struct fyke_smb_said fyke_smb_said(const char *version, const char *command);
void fyke_smb_tell(
	struct fyke_dissection *dissection, struct fyke_smb *smb, const struct fyke_smb_said *said);

/* "STATUS_…", or its number in `text`. */
const char *fyke_smb_status(uint32_t status, char text[16]);
int64_t fyke_smb_time(uint64_t filetime); /* microseconds since 1970; INT64_MIN = none */

struct fyke_smb_pending *fyke_smb_ask(
	struct fyke_dissection *dissection, struct fyke_smb *smb, uint64_t id, uint16_t command);
struct fyke_smb_pending *fyke_smb_asked(struct fyke_smb *smb, uint64_t id, uint16_t command);
void fyke_smb_answered(
	struct fyke_dissection *dissection, struct fyke_smb *smb, struct fyke_smb_pending *pending);

struct fyke_smb_tree *fyke_smb_tree(struct fyke_smb *smb, uint32_t id); /* NULL: not known */
void fyke_smb_map(struct fyke_dissection *dissection, struct fyke_smb *smb, uint32_t id,
	const struct fyke_text *path, bool pipe);
void fyke_smb_tell_mapping(struct fyke_dissection *dissection, const struct fyke_text *path,
	struct fyke_value service, struct fyke_value file_system, const char *share_type);

struct fyke_smb_file *fyke_smb_file(struct fyke_smb *smb, struct fyke_smb_id id);
/* A file that was opened, or is used though its opening was not seen; NULL when memory is used up. */
struct fyke_smb_file *fyke_smb_open(
	struct fyke_dissection *dissection, struct fyke_smb *smb, struct fyke_smb_id id, uint32_t tree);
void fyke_smb_action(struct fyke_dissection *dissection, struct fyke_smb *smb, struct fyke_smb_file *file,
	const char *action, const struct fyke_smb_pending *request);
void fyke_smb_close(struct fyke_dissection *dissection, struct fyke_smb *smb, struct fyke_smb_file *file);
void fyke_smb_close_all(struct fyke_dissection *dissection, struct fyke_smb *smb);

/* `length` bytes of a file at `offset` go by; `here` of them are at `bytes`, the rest comes through the
 * stream. */
struct fyke_smb_data {
	enum fyke_side sender;
	uint64_t offset, length;
	const uint8_t *bytes;
	size_t here;
};
void fyke_smb_transfer(struct fyke_dissection *dissection, struct fyke_smb *smb, struct fyke_smb_file *file,
	const struct fyke_smb_data *data);
void fyke_smb_pass(struct fyke_dissection *dissection, struct fyke_smb_file *file, enum fyke_side sender,
	const uint8_t *bytes, size_t length);

/* What a security blob says (SPNEGO, NTLM, Kerberos). */
void fyke_smb_security(
	struct fyke_dissection *dissection, struct fyke_smb *smb, const uint8_t *blob, size_t length);
/* The user of the login that is under way, for `user`; NULL value when there is none. */
struct fyke_value fyke_smb_user(const struct fyke_smb *smb, char *text, size_t room);

/* A message that begins with its own header; `whole` is its length by NetBIOS. */
struct fyke_smb_message {
	enum fyke_side side;
	const uint8_t *bytes;
	size_t length; /* here: at most FYKE_SMB_READ */
	uint64_t whole;
};
void fyke_smb1_message(
	struct fyke_dissection *dissection, struct fyke_smb *smb, const struct fyke_smb_message *message);
void fyke_smb2_message(
	struct fyke_dissection *dissection, struct fyke_smb *smb, const struct fyke_smb_message *message);

#endif
