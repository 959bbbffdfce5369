/*
 * A set-associative table: all stations that claim one address share a set. Its hash has no secret: who
 * floods a set makes its entries be handed over early, nothing is lost but who claimed an address last.
 */
#include "analyzer/neighbours.h"

#include "analyzer/base/grow.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { WAYS = 8, SETS = 8192 };

struct station {
	struct fyke_neighbour told; /* since it was handed over last */
	int64_t latest_ns;	    /* of its claims, handed over or not */
	uint64_t latest_frame;	    /* 0 = an empty place */
	bool is_holder;		    /* the last to claim the address */
};

struct fyke_neighbours {
	struct station *stations; /* made for the first claim */
	struct fyke_neighbour *leaving;
	size_t leaving_count, leaving_room;
	bool failed; /* memory was out */
};

struct fyke_neighbours *fyke_neighbours_new(void)
{
	return calloc(1, sizeof(struct fyke_neighbours));
}

void fyke_neighbours_free(struct fyke_neighbours *neighbours)
{
	if (neighbours == NULL)
		return;
	free(neighbours->stations);
	free(neighbours->leaving);
	free(neighbours);
}

static bool is_same_address(const struct station *station, const struct fyke_claim *claim)
{
	return station->latest_frame != 0 && station->told.vlan == claim->vlan &&
	       station->told.tunnel == fyke_tunnel_name(claim->tunnel) &&
	       station->told.tunnel_id == claim->tunnel_id &&
	       fyke_address_compare(&station->told.ip, &claim->ip) == 0;
}

static bool has_news(const struct fyke_neighbour *told)
{
	return told->first_frame != 0;
}

static bool leave(struct fyke_neighbours *neighbours, const struct fyke_neighbour *told)
{
	struct fyke_neighbour *grown = fyke_grow(neighbours->leaving, neighbours->leaving_count,
		&neighbours->leaving_room, 64, sizeof(*grown));

	if (grown == NULL)
		return false;
	neighbours->leaving = grown;
	neighbours->leaving[neighbours->leaving_count++] = *told;
	return true;
}

/* The place of the pair; one of those that were silent longest where it is new. NULL: memory is out. */
static struct station *place_of(
	struct fyke_neighbours *neighbours, struct station *set, const struct fyke_claim *claim)
{
	struct station *place = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (is_same_address(&set[i], claim) &&
			memcmp(set[i].told.mac, claim->mac, sizeof(claim->mac)) == 0)
			return &set[i];
		if (set[i].latest_frame < place->latest_frame)
			place = &set[i];
	}
	if (has_news(&place->told) && !leave(neighbours, &place->told))
		return NULL;
	*place = (struct station){.told = {.ip = claim->ip,
					  .vlan = claim->vlan,
					  .tunnel = fyke_tunnel_name(claim->tunnel),
					  .tunnel_id = claim->tunnel_id}};
	memcpy(place->told.mac, claim->mac, sizeof(claim->mac));
	return place;
}

/* `before` held the address until now. */
static void take_over(
	struct fyke_neighbour *told, const struct station *before, const struct fyke_claim *claim)
{
	int64_t silence_ns = claim->time_ns - before->latest_ns;

	if (told->takeovers++ == 0)
		told->takeover_frame = claim->frame;
	else if (silence_ns >= told->takeover_silence_ns)
		return;
	told->takeover_silence_ns = silence_ns > 0 ? silence_ns : 0;
	memcpy(told->taken_from, before->told.mac, sizeof(told->taken_from));
}

static void hold(struct station *set, struct station *station, const struct fyke_claim *claim)
{
	for (size_t i = 0; i < WAYS; i++) {
		if (&set[i] == station || !set[i].is_holder || !is_same_address(&set[i], claim))
			continue;
		set[i].is_holder = false;
		take_over(&station->told, &set[i], claim);
	}
	station->is_holder = true;
}

static void count(struct fyke_neighbour *told, const struct fyke_claim *claim)
{
	if (!has_news(told)) {
		told->first_frame = claim->frame;
		told->first_ns = told->last_ns = claim->time_ns;
	}
	told->last_frame = claim->frame;
	if (claim->time_ns < told->first_ns)
		told->first_ns = claim->time_ns;
	if (claim->time_ns > told->last_ns)
		told->last_ns = claim->time_ns;
	told->requests += claim->kind == FYKE_CLAIM_REQUEST;
	told->replies += claim->kind == FYKE_CLAIM_REPLY;
	told->announcements += claim->kind == FYKE_CLAIM_ANNOUNCEMENT;
	told->foreign += claim->is_foreign;
}

static struct station *set_of(const struct fyke_neighbours *neighbours, const struct fyke_claim *claim)
{
	uint64_t salt =
		(uint64_t)claim->tunnel_id << 32 | (uint64_t)claim->tunnel << 16 | (uint16_t)claim->vlan;
	uint64_t hash = XXH3_64bits_withSeed(claim->ip.bytes, sizeof(claim->ip.bytes), salt);

	return neighbours->stations + hash % SETS * WAYS;
}

static bool take(struct fyke_neighbours *neighbours, const struct fyke_claim *claim)
{
	struct station *set, *station;

	if (neighbours->stations == NULL)
		neighbours->stations = calloc((size_t)SETS * WAYS, sizeof(*neighbours->stations));
	if (neighbours->stations == NULL)
		return false;
	set = set_of(neighbours, claim);
	station = place_of(neighbours, set, claim);
	if (station == NULL)
		return false;
	hold(set, station, claim);
	count(&station->told, claim);
	station->latest_frame = claim->frame;
	station->latest_ns = claim->time_ns;
	return true;
}

void fyke_neighbours_take(struct fyke_neighbours *neighbours, const struct fyke_claim *claim)
{
	if (!take(neighbours, claim))
		neighbours->failed = true;
}

/* Nothing is told of it any more, but who it is. */
static void forget_news(struct fyke_neighbour *told)
{
	struct fyke_neighbour fresh = {
		.ip = told->ip, .vlan = told->vlan, .tunnel = told->tunnel, .tunnel_id = told->tunnel_id};

	memcpy(fresh.mac, told->mac, sizeof(fresh.mac));
	*told = fresh;
}

static bool leave_all(struct fyke_neighbours *neighbours)
{
	for (size_t i = 0; neighbours->stations != NULL && i < (size_t)SETS * WAYS; i++) {
		struct fyke_neighbour *told = &neighbours->stations[i].told;

		if (!has_news(told))
			continue;
		if (!leave(neighbours, told))
			return false;
		forget_news(told);
	}
	return true;
}

static int compare(const void *left, const void *right)
{
	const struct fyke_neighbour *a = left, *b = right;

	return a->first_frame < b->first_frame ? -1 : a->first_frame > b->first_frame;
}

bool fyke_neighbours_hand_over(struct fyke_neighbours *neighbours, struct fyke_tick *tick, bool all)
{
	size_t count;

	if (neighbours->failed || (all && !leave_all(neighbours)))
		return false;
	count = neighbours->leaving_count;
	if (count == 0)
		return true;
	tick->neighbours = fyke_arena_take(&tick->arena, count * sizeof(*tick->neighbours));
	if (tick->neighbours == NULL)
		return false;
	qsort(neighbours->leaving, count, sizeof(*neighbours->leaving), compare);
	memcpy(tick->neighbours, neighbours->leaving, count * sizeof(*tick->neighbours));
	tick->neighbour_count = count;
	neighbours->leaving_count = 0;
	return true;
}
