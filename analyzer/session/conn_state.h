/* How a session went, in Zeek's words (SEMANTICS §1; scripts/base/protocols/conn/main.zeek). */
#ifndef FYKE_SESSION_CONN_STATE_H
#define FYKE_SESSION_CONN_STATE_H

#include "analyzer/flow/flow.h"
#include "analyzer/session/state.h"
#include "analyzer/tcp/tcp.h"

/* `tcp` is NULL for other transports. */
enum fyke_state fyke_conn_state(const struct fyke_flow *flow, const struct fyke_tcp *tcp);

#endif
