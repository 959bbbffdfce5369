/* Round-trip estimation (RFC 6298 §2): smoothed mean and variation, gains of 1/8 and 1/4. */
#include "analyzer/tcp/timer.h"

#define MILLISECOND INT64_C(1000000)

void fyke_tcp_timer_sample(struct fyke_tcp_timer *timer, int64_t round_trip_ns)
{
	int64_t off = timer->smoothed - round_trip_ns;
	uint32_t least = round_trip_ns < UINT32_MAX ? (uint32_t)round_trip_ns : UINT32_MAX;

	if (timer->samples == 0) {
		timer->smoothed = round_trip_ns;
		timer->least = least;
		timer->variation = round_trip_ns / 2;
	} else {
		timer->variation += ((off < 0 ? -off : off) - timer->variation) / 4;
		timer->smoothed -= off / 8;
		if (least < timer->least)
			timer->least = least;
	}
	if (timer->samples < UINT32_MAX)
		timer->samples++;
}

int64_t fyke_tcp_round_trip(const struct fyke_tcp_timer *own, const struct fyke_tcp_timer *peer)
{
	return own->smoothed + peer->smoothed;
}

int64_t fyke_tcp_least_round_trip(const struct fyke_tcp_timer *own, const struct fyke_tcp_timer *peer)
{
	return (int64_t)own->least + peer->least;
}

int64_t fyke_tcp_near_way(const struct fyke_tcp_timer *own, const struct fyke_tcp_timer *peer)
{
	const struct fyke_tcp_timer *known = peer->samples > 0 ? peer : own;

	return known->smoothed + 4 * known->variation;
}

int64_t fyke_tcp_timeout(const struct fyke_tcp_timer *own, const struct fyke_tcp_timer *peer)
{
	int64_t spread = 4 * (own->variation + peer->variation);

	if (own->samples == 0 && peer->samples == 0)
		return 1000 * MILLISECOND;
	return fyke_tcp_round_trip(own, peer) +
	       (spread < FYKE_TCP_TIMEOUT_LEAST ? FYKE_TCP_TIMEOUT_LEAST : spread);
}
