/* conn_state: the first rule that matches wins. */
#include "analyzer/session/conn_state.h"

#include <stdbool.h>
#include <string.h>

static bool is_idle(const struct fyke_tcp_side *side)
{
	return side->state == FYKE_TCP_INACTIVE || side->state == FYKE_TCP_PARTIAL;
}

/* ^?S[^HAFGIQ]*R.* */
static bool is_syn_then_reset(const char *history)
{
	if (*history == '^')
		history++;
	if (*history != 'S')
		return false;
	history++;
	history += strcspn(history, "HAFGIQR");
	return *history == 'R';
}

static enum fyke_state server_reset(
	const struct fyke_tcp *tcp, const struct fyke_tcp_side *client, const struct fyke_tcp_side *server)
{
	if (client->state == FYKE_TCP_SYN_SENT || client->state == FYKE_TCP_SYN_ACK_SENT)
		return FYKE_STATE_REJ;
	if (client->state == FYKE_TCP_RESET && fyke_tcp_stream_bytes(client) == 0 &&
		fyke_tcp_stream_bytes(server) == 0 && tcp->first_was_syn && !server->syn_seen)
		return FYKE_STATE_REJ;
	return is_idle(client) ? FYKE_STATE_RSTRH : FYKE_STATE_RSTR;
}

static enum fyke_state client_reset(const struct fyke_tcp *tcp, const struct fyke_tcp_side *server)
{
	if (!is_idle(server))
		return FYKE_STATE_RSTO;
	return is_syn_then_reset(fyke_tcp_history(tcp)) ? FYKE_STATE_RSTOS0 : FYKE_STATE_OTH;
}

static enum fyke_state tcp_state(const struct fyke_tcp *tcp)
{
	const struct fyke_tcp_side *client = &tcp->side[tcp->client], *server = &tcp->side[1 - tcp->client];

	if (server->state == FYKE_TCP_RESET)
		return server_reset(tcp, client, server);
	if (client->state == FYKE_TCP_RESET)
		return client_reset(tcp, server);
	if (client->state == FYKE_TCP_CLOSED && server->state == FYKE_TCP_CLOSED)
		return FYKE_STATE_SF;
	if (client->state == FYKE_TCP_CLOSED)
		return is_idle(server) ? FYKE_STATE_SH : FYKE_STATE_S2;
	if (server->state == FYKE_TCP_CLOSED)
		return is_idle(client) ? FYKE_STATE_SHR : FYKE_STATE_S3;
	if (client->state == FYKE_TCP_SYN_SENT && server->state == FYKE_TCP_INACTIVE)
		return FYKE_STATE_S0;
	if (client->state == FYKE_TCP_ESTABLISHED && server->state == FYKE_TCP_ESTABLISHED)
		return FYKE_STATE_S1;
	return FYKE_STATE_OTH;
}

enum fyke_state fyke_conn_state(const struct fyke_flow *flow, const struct fyke_tcp *tcp)
{
	bool client_spoke = flow->side[flow->client].packets > 0,
	     server_spoke = flow->side[1 - flow->client].packets > 0;

	if (tcp != NULL)
		return tcp_state(tcp);
	if (flow->key.kind != FYKE_PACKET_UDP)
		return FYKE_STATE_OTH;
	if (client_spoke && server_spoke)
		return FYKE_STATE_SF;
	return client_spoke ? FYKE_STATE_S0 : FYKE_STATE_SHR;
}
