/*
 * ONC RPC 2 (RFC 5531) over UDP and TCP (record marking, §11): calls with their replies; port mapper (RFC
 * 1833), mount and NFS 2 and 3 (RFC 1094, RFC 1813) with the names that they are about. NFS 4 is told as
 * COMPOUND. Of a record 4 KiB are read.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum {
	CALL = 0,
	REPLY = 1,
	PORTMAP = 100000,
	NFS = 100003,
	MOUNT = 100005,
	READ_MAX = 4096,
	RECORD_MAX = 1 << 22,
	NAME_MAX = 256,
	PENDING = 32,
	AUTH_UNIX = 1
};

enum {
	PROGRAM,
	PROGRAM_NAME,
	VERSION,
	PROCEDURE,
	PROCEDURE_NAME,
	XID,
	AUTH,
	UID,
	MACHINE,
	FILENAME,
	STATUS,
	RESULT,
	RTT,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[PROGRAM] = {"program", FYKE_TYPE_INTEGER, "the program's number"},
	[PROGRAM_NAME] = {"program_name", FYKE_TYPE_TEXT, "its name, where it is well known"},
	[VERSION] = {"program_version", FYKE_TYPE_INTEGER, "of the program"},
	[PROCEDURE] = {"procedure_number", FYKE_TYPE_INTEGER, "what is called"},
	[PROCEDURE_NAME] = {"procedure_name", FYKE_TYPE_TEXT, "its name, where it is known"},
	[XID] = {"xid", FYKE_TYPE_INTEGER, "binds call and reply"},
	[AUTH] = {"auth_type", FYKE_TYPE_TEXT, "NULL, UNIX, GSS …: how the caller says who it is"},
	[UID] = {"uid", FYKE_TYPE_INTEGER, "the caller's user, as it says (UNIX)"},
	[MACHINE] = {"machine", FYKE_TYPE_TEXT, "the caller's name, as it says (UNIX)"},
	[FILENAME] = {"filename", FYKE_TYPE_TEXT, "the file or path that it is about"},
	[STATUS] = {"rpc_status", FYKE_TYPE_TEXT, "accepted, or why not; NULL = no reply was seen"},
	[RESULT] = {"result", FYKE_TYPE_INTEGER,
		"the first number of the reply: NFS's and mount's status, the port that was asked for"},
	[RTT] = {"rtt_us", FYKE_TYPE_INTEGER, "from call to reply"},
};

static const struct fyke_table table = {"rpc", "one row per call with its reply", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct call {
	bool open;
	uint32_t xid, program, version, procedure, auth, uid, asked_program;
	struct fyke_moment moment;
	struct fyke_text machine, filename;
};

struct state {
	struct call calls[PENDING];
	uint8_t next;
};

static const char *program_name(uint32_t program)
{
	static const struct {
		uint32_t number;
		const char *name;
	} names[] = {{PORTMAP, "portmap"}, {100001, "rstat"}, {100002, "rusers"}, {NFS, "nfs"},
		{100004, "ypserv"}, {MOUNT, "mount"}, {100007, "ypbind"}, {100009, "yppasswd"},
		{100011, "rquota"}, {100021, "nlockmgr"}, {100024, "status"}, {100227, "nfs_acl"},
		{100083, "ttdbserver"}, {100068, "cmsd"}, {100232, "sadmind"}, {150001, "pcnfsd"},
		{390113, "nsrexec"}, {395183, "vxi11"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == program)
			return names[i].name;
	}
	return NULL;
}

static const char *procedure_name(const struct call *call)
{
	static const char *const nfs3[] = {"NULL", "GETATTR", "SETATTR", "LOOKUP", "ACCESS", "READLINK",
		"READ", "WRITE", "CREATE", "MKDIR", "SYMLINK", "MKNOD", "REMOVE", "RMDIR", "RENAME", "LINK",
		"READDIR", "READDIRPLUS", "FSSTAT", "FSINFO", "PATHCONF", "COMMIT"};
	static const char *const nfs2[] = {"NULL", "GETATTR", "SETATTR", "ROOT", "LOOKUP", "READLINK", "READ",
		"WRITECACHE", "WRITE", "CREATE", "REMOVE", "RENAME", "LINK", "SYMLINK", "MKDIR", "RMDIR",
		"READDIR", "STATFS"};
	static const char *const mount[] = {"NULL", "MNT", "DUMP", "UMNT", "UMNTALL", "EXPORT"};
	static const char *const portmap[] = {"NULL", "SET", "UNSET", "GETPORT", "DUMP", "CALLIT"};
	static const char *const rpcbind[] = {"NULL", "SET", "UNSET", "GETADDR", "DUMP", "CALLIT", "GETTIME"};
	uint32_t n = call->procedure;

	if (call->program == NFS && call->version == 4)
		return n == 0 ? "NULL" : n == 1 ? "COMPOUND" : NULL;
	if (call->program == NFS && call->version == 3)
		return n < sizeof(nfs3) / sizeof(nfs3[0]) ? nfs3[n] : NULL;
	if (call->program == NFS)
		return n < sizeof(nfs2) / sizeof(nfs2[0]) ? nfs2[n] : NULL;
	if (call->program == MOUNT)
		return n < sizeof(mount) / sizeof(mount[0]) ? mount[n] : NULL;
	if (call->program == PORTMAP && call->version > 2)
		return n < sizeof(rpcbind) / sizeof(rpcbind[0]) ? rpcbind[n] : NULL;
	if (call->program == PORTMAP)
		return n < sizeof(portmap) / sizeof(portmap[0]) ? portmap[n] : NULL;
	return n == 0 ? "NULL" : NULL;
}

static const char *auth_name(uint32_t auth)
{
	static const char *const names[] = {"NULL", "UNIX", "SHORT", "DES", "KERB", NULL, "GSS"};

	return auth < sizeof(names) / sizeof(names[0]) ? names[auth] : NULL;
}

struct reply {
	const char *status; /* NULL = none */
	bool has_result;
	uint32_t result;
};

static void tell(struct fyke_dissection *dissection, struct call *call, const struct reply *reply)
{
	struct fyke_value values[FIELD_COUNT];

	values[PROGRAM] = fyke_integer(call->program);
	values[PROGRAM_NAME] = fyke_word(program_name(call->program));
	values[VERSION] = fyke_integer(call->version);
	values[PROCEDURE] = fyke_integer(call->procedure);
	values[PROCEDURE_NAME] = fyke_word(procedure_name(call));
	values[XID] = fyke_integer(call->xid);
	values[AUTH] = fyke_word(auth_name(call->auth));
	values[UID] = fyke_integer_if(call->auth == AUTH_UNIX, call->uid);
	values[MACHINE] = fyke_text_of(&call->machine);
	values[FILENAME] = fyke_text_of(&call->filename);
	values[STATUS] = fyke_word(reply->status);
	values[RESULT] = fyke_integer_if(reply->has_result, reply->result);
	values[RTT] = fyke_integer_if(
		reply->status != NULL, (fyke_now(dissection).time_ns - call->moment.time_ns) / 1000);
	fyke_record_at(dissection, &table, call->moment, values);
	if (call->program == NFS || call->program == MOUNT)
		fyke_confirm_as(dissection, call->program == NFS ? "nfs" : "mountd");
	fyke_drop(dissection, &call->machine);
	fyke_drop(dissection, &call->filename);
	*call = (struct call){0};
}

/* A variable-length opaque or string (RFC 4506 §4.10), padded to four bytes. */
static struct fyke_cursor opaque(struct fyke_cursor *c)
{
	uint32_t length = fyke_cursor_u32(c);
	struct fyke_cursor inside;

	if (length > READ_MAX) {
		fyke_cursor_bad(c);
		length = 0;
	}
	inside = fyke_cursor_carve(c, length);
	fyke_cursor_skip(c, (4 - (length & 3)) & 3);
	return inside;
}

static void keep(struct fyke_dissection *dissection, struct fyke_text *text, const struct fyke_cursor *name)
{
	if (fyke_cursor_ok(name) && fyke_cursor_left(name) > 0)
		fyke_keep(dissection, text, name->at, fyke_cursor_left(name), NAME_MAX);
}

/* Calls whose arguments are a directory's handle and a name. */
static bool has_name(const struct call *call)
{
	uint32_t n = call->procedure;

	if (call->version == 3)
		return n == 3 || (n >= 8 && n <= 14);
	return call->version == 2 &&
	       (n == 4 || n == 9 || n == 10 || n == 11 || n == 13 || n == 14 || n == 15);
}

static void read_arguments(struct fyke_dissection *dissection, struct call *call, struct fyke_cursor c)
{
	struct fyke_cursor name;

	if (call->program == PORTMAP && call->version == 2 && call->procedure == 3) {
		call->asked_program = fyke_cursor_u32(&c);
		return;
	}
	if (call->program == MOUNT && (call->procedure == 1 || call->procedure == 3)) {
		name = opaque(&c);
		keep(dissection, &call->filename, &name);
		return;
	}
	if (call->program != NFS || !has_name(call))
		return;
	if (call->version == 2)
		fyke_cursor_skip(&c, 32);
	else
		(void)opaque(&c);
	name = opaque(&c);
	keep(dissection, &call->filename, &name);
}

static const struct reply unanswered = {.status = NULL};

static void read_call(
	struct fyke_dissection *dissection, struct state *state, uint32_t xid, struct fyke_cursor c)
{
	struct call *call = &state->calls[state->next++ % PENDING];
	struct fyke_cursor credentials, name;

	if (call->open)
		tell(dissection, call, &unanswered);
	*call = (struct call){.open = true, .xid = xid, .moment = fyke_now(dissection)};
	fyke_cursor_skip(&c, 4);
	call->program = fyke_cursor_u32(&c);
	call->version = fyke_cursor_u32(&c);
	call->procedure = fyke_cursor_u32(&c);
	call->auth = fyke_cursor_u32(&c);
	credentials = opaque(&c);
	fyke_cursor_skip(&c, 4);
	(void)opaque(&c);
	if (call->auth == AUTH_UNIX) {
		fyke_cursor_skip(&credentials, 4);
		name = opaque(&credentials);
		keep(dissection, &call->machine, &name);
		call->uid = fyke_cursor_u32(&credentials);
	}
	fyke_confirm(dissection);
	if (fyke_cursor_ok(&c))
		read_arguments(dissection, call, c);
}

/* The port that was asked for will be spoken to. */
static void expect(struct fyke_dissection *dissection, const struct call *call, uint32_t port)
{
	struct fyke_expectation expectation = {.transport = fyke_transport_of(dissection),
		.ip = *fyke_address_of(dissection, FYKE_SERVER),
		.port = (uint16_t)port,
		.dissector = "sunrpc"};

	if (call->asked_program == 0 || port == 0 || port > 65535)
		return;
	expectation.transport = FYKE_OVER_UDP;
	fyke_expect(dissection, &expectation);
	expectation.transport = FYKE_OVER_TCP;
	fyke_expect(dissection, &expectation);
}

/* Replies that begin with a status, or with the port that was asked for. */
static bool has_result(const struct call *call)
{
	if (call->program == NFS)
		return call->procedure != 0;
	return (call->program == MOUNT && call->procedure == 1) || call->asked_program != 0;
}

static void read_reply(
	struct fyke_dissection *dissection, struct state *state, uint32_t xid, struct fyke_cursor c)
{
	static const char *const accepted[] = {
		"accepted", "PROG_UNAVAIL", "PROG_MISMATCH", "PROC_UNAVAIL", "GARBAGE_ARGS", "SYSTEM_ERR"};
	struct reply reply = {.status = "denied"};
	struct call *call = NULL;

	for (size_t i = 0; i < PENDING && call == NULL; i++) {
		if (state->calls[i].open && state->calls[i].xid == xid)
			call = &state->calls[i];
	}
	if (call == NULL)
		return;
	if (fyke_cursor_u32(&c) == 0) {
		uint32_t status;

		fyke_cursor_skip(&c, 4);
		(void)opaque(&c);
		status = fyke_cursor_u32(&c);
		reply.status = fyke_cursor_ok(&c) && status < 6 ? accepted[status] : "accepted";
		reply.result = fyke_cursor_u32(&c);
		reply.has_result = fyke_cursor_ok(&c) && status == 0 && has_result(call);
	}
	if (reply.has_result)
		expect(dissection, call, reply.result);
	tell(dissection, call, &reply);
}

/* A call is told from random bytes by its zero type, version 2, and small numbers. */
static enum fyke_match fits(struct fyke_cursor c)
{
	uint32_t type, version, program, auth, length;

	fyke_cursor_skip(&c, 4);
	type = fyke_cursor_u32(&c);
	version = fyke_cursor_u32(&c);
	if (!fyke_cursor_ok(&c))
		return FYKE_MAYBE;
	if (type == REPLY)
		return version <= 1 ? FYKE_MAYBE : FYKE_NO;
	if (type != CALL || version != 2)
		return FYKE_NO;
	program = fyke_cursor_u32(&c);
	version = fyke_cursor_u32(&c);
	fyke_cursor_skip(&c, 4);
	auth = fyke_cursor_u32(&c);
	length = fyke_cursor_u32(&c);
	if (!fyke_cursor_ok(&c))
		return FYKE_MAYBE;
	return program >= 100000 && program < 0x60000000 && version < 100 && auth_name(auth) != NULL &&
			       length <= 400
		       ? FYKE_YES
		       : FYKE_NO;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		struct fyke_cursor c = fyke_cursor(opening->side[side].data, opening->side[side].length);
		enum fyke_match one;

		if (opening->side[side].length == 0)
			continue;
		if (opening->transport == FYKE_OVER_TCP) {
			uint32_t mark = fyke_cursor_u32(&c);

			if (fyke_cursor_ok(&c) &&
				((mark & 0x7fffffff) < 24 || (mark & 0x7fffffff) > RECORD_MAX))
				return FYKE_NO;
		}
		one = fits(c);
		if (one == FYKE_NO)
			return FYKE_NO;
		if (one == FYKE_YES)
			match = one;
	}
	return match;
}

static bool read_message(struct fyke_dissection *dissection, struct state *state, struct fyke_cursor c)
{
	uint32_t xid, type;

	if (fits(c) == FYKE_NO)
		return false;
	xid = fyke_cursor_u32(&c);
	type = fyke_cursor_u32(&c);
	if (!fyke_cursor_ok(&c))
		return false;
	if (type == CALL)
		read_call(dissection, state, xid, c);
	else
		read_reply(dissection, state, xid, c);
	return true;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint32_t length;
	size_t wanted;

	if (input->length == 0)
		return fyke_more(0);
	if (fyke_transport_of(dissection) == FYKE_OVER_UDP)
		return read_message(dissection, state, c) ? fyke_more(input->length) : fyke_not_mine();
	length = fyke_cursor_u32(&c) & 0x7fffffff;
	if (!fyke_cursor_ok(&c))
		return input->end ? fyke_more(input->length) : fyke_need(0, 4);
	if (length < 8 || length > RECORD_MAX)
		return fyke_not_mine();
	wanted = 4 + (length < READ_MAX ? (size_t)length : (size_t)READ_MAX);
	if (input->length < wanted && !input->end)
		return fyke_need(0, wanted);
	if (fyke_cursor_left(&c) > length)
		c.end = c.at + length;
	return read_message(dissection, state, c) ? fyke_more((uint64_t)length + 4) : fyke_not_mine();
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);

	for (size_t i = 0; i < PENDING; i++) {
		if (state->calls[i].open)
			tell(dissection, &state->calls[i], &unanswered);
	}
}

static const uint16_t ports[] = {111, 2049, 20048, 635, 0};
static const char *const services[] = {"sunrpc", "nfs", "mountd", "rpcbind", NULL};
static const struct fyke_signature signatures[] = {FYKE_CLIENT_SAYS("\x80\0")};

const struct fyke_dissector fyke_dissector_sunrpc = {
	.name = "sunrpc",
	.title = "ONC RPC 2, RFC 5531; port mapper, mount, NFS 2 and 3",
	.doc = "Calls with program, procedure, the caller's credentials as it tells them, names of files, "
	       "and the reply's status. Ports that "
	       "the port mapper tells are followed. File data and NFS 4's operations are not read. A gap "
	       "ends it.",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.anywhere = true,
	.tables = tables,
	.state_size = sizeof(struct state),
	.memory_max = 32 * 1024, /* names of 32 open calls */
	.probe = probe,
	.feed = feed,
	.end = end,
};
