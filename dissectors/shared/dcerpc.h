/*
 * DCE/RPC (C706, [MS-RPCE]): binds and calls, wherever they travel: TCP, UDP, named pipes of SMB. One record
 * of table `dce_rpc` per interface that is bound and per call.
 */
#ifndef FYKE_DISSECTORS_SHARED_DCERPC_H
#define FYKE_DISSECTORS_SHARED_DCERPC_H

#include "dissectors/shared/dcerpc_names.h"
#include "dissectors/shared/ntlm.h"

extern const struct fyke_table fyke_table_dce_rpc; /* belongs in the list of whoever calls fyke_dcerpc_pdu */

enum { FYKE_DCERPC_HEAD = 16, FYKE_DCERPC_UUID = 37, FYKE_DCERPC_CONTEXTS = 8, FYKE_DCERPC_CALLS = 16 };

struct fyke_dcerpc_context {
	bool used;
	uint16_t id, version, minor;
	char uuid[FYKE_DCERPC_UUID];
};

struct fyke_dcerpc_call {
	bool open, bind;
	uint32_t id;
	uint16_t opnum, context;
	uint32_t request_bytes, response_bytes;
	struct fyke_moment moment;
};

struct fyke_dcerpc {
	struct fyke_dcerpc_context contexts[FYKE_DCERPC_CONTEXTS];
	struct fyke_dcerpc_call calls[FYKE_DCERPC_CALLS];
	uint16_t bound[FYKE_DCERPC_CONTEXTS]; /* ids of the latest bind, in its order */
	uint8_t bound_count, next_context, next_call;
	struct fyke_ntlm ntlm;
	const char *pipe; /* named pipe, borrowed for the call; NULL on sockets */
	size_t pipe_length;
};

/* The length of the connection-oriented PDU that begins here; 0 = cannot be one. Needs FYKE_DCERPC_HEAD
 * bytes. */
size_t fyke_dcerpc_length(const uint8_t *bytes);

/* One PDU, as far as it is here. */
void fyke_dcerpc_pdu(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc, enum fyke_side side,
	const uint8_t *bytes, size_t length);

/* All PDUs in what a pipe carries. */
void fyke_dcerpc_pipe(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc, enum fyke_side side,
	const uint8_t *bytes, size_t length);

/* A UUID as it travels (little: the first three parts are little-endian), as text. */
void fyke_dcerpc_uuid(const uint8_t wire[16], bool little, char text[FYKE_DCERPC_UUID]);

/* One row for a call or bind; `detail` may be unset. */
struct fyke_dcerpc_said {
	const char *kind, *result, *uuid;
	const struct fyke_dcerpc_call *call;
	const struct fyke_dcerpc_context *context;
	int64_t status; /* of a fault or refusal; -1 = none */
	struct fyke_value detail;
	bool answered;
};
void fyke_dcerpc_tell(struct fyke_dissection *dissection, const struct fyke_dcerpc *rpc,
	const struct fyke_dcerpc_said *said);

/* What is open at the end. */
void fyke_dcerpc_end(struct fyke_dissection *dissection, struct fyke_dcerpc *rpc);

#endif
