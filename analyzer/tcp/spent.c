/* One cause an interval; the first that fits, from the most to the least specific. */
#include "analyzer/tcp/spent.h"

enum fyke_tcp_spent fyke_tcp_spent_on(const struct fyke_tcp_interval *interval)
{
	if (interval->opening)
		return FYKE_TCP_SPENT_HANDSHAKE;
	if (interval->window_closed)
		return FYKE_TCP_SPENT_ZERO_WINDOW;
	if (interval->resend)
		return FYKE_TCP_SPENT_RESEND;
	if (interval->under_way)
		return FYKE_TCP_SPENT_TRANSFER;
	if (!interval->payload)
		return FYKE_TCP_SPENT_IDLE;
	return interval->from_client ? FYKE_TCP_SPENT_CLIENT : FYKE_TCP_SPENT_SERVER;
}
