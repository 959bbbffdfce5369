/* The sender's retransmission timer, estimated from outside (RFC 6298). */
#ifndef FYKE_TCP_TIMER_H
#define FYKE_TCP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* Times in nanoseconds. A zeroed one knows nothing. */
struct fyke_tcp_timer {
	int64_t smoothed, variation;
	uint32_t least; /* 4 s and more are told as that */
	uint32_t samples;
};

/* RFC 6298 §2.2, §2.3: one unambiguous round trip. */
void fyke_tcp_timer_sample(struct fyke_tcp_timer *timer, int64_t round_trip_ns);

/* The tap stands between both ends: a sender's round trip is that of its own data from the tap on
 * plus that of the other side's data. Either may be unknown; 0 when both are. */
int64_t fyke_tcp_round_trip(const struct fyke_tcp_timer *own, const struct fyke_tcp_timer *peer);
int64_t fyke_tcp_least_round_trip(const struct fyke_tcp_timer *own, const struct fyke_tcp_timer *peer);

/* How long it takes at most from the tap to the sender of own's data and back; where that is not known, as
 * long as the other half. */
int64_t fyke_tcp_near_way(const struct fyke_tcp_timer *own, const struct fyke_tcp_timer *peer);

#define FYKE_TCP_TIMEOUT_LEAST INT64_C(200000000)

/* SRTT + 4·RTTVAR of both halves, the latter not less than 200 ms (as Linux; the RFC's 1 s for the whole is
 * kept by no system); 1 s while no round trip is known (RFC 6298 §2.1). */
int64_t fyke_tcp_timeout(const struct fyke_tcp_timer *own, const struct fyke_tcp_timer *peer);

#endif
