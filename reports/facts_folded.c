/* What folded sessions add to the facts: as facts.c counts rows, but without a row each. */
#include "reports/facts.h"

#include "storage/folded.h"

#include <stdio.h>
#include <string.h>

/* `server`: the key is the server's, so what the server sent is what it sent. */
static void count(int64_t *counters, const struct fyke_folded_kind *kind, bool server)
{
	counters[FYKE_TALLY_SESSIONS]++;
	counters[server ? FYKE_TALLY_SERVER_SESSIONS : FYKE_TALLY_CLIENT_SESSIONS]++;
	counters[FYKE_TALLY_SENT_PACKETS] += kind->packets[server];
	counters[FYKE_TALLY_RECEIVED_PACKETS] += kind->packets[!server];
	counters[FYKE_TALLY_SENT_BYTES] += kind->bytes[server];
	counters[FYKE_TALLY_RECEIVED_BYTES] += kind->bytes[!server];
}

static bool count_text(struct fyke_tally *tally, const char *key, size_t length,
	const struct fyke_folded_kind *kind, bool server)
{
	int64_t *counters = fyke_tally_at(tally, key, length);

	if (counters != NULL)
		count(counters, kind, server);
	return counters != NULL;
}

/* One that never said anything does not drive out those that did. */
static bool has_room(const struct fyke_tally *tally, const char *key, size_t length)
{
	size_t limit = tally->limit == 0 ? FYKE_TALLY_LIMIT : tally->limit;

	return tally->count < limit / 2 || fyke_tally_has(tally, key, length);
}

static bool count_host(struct fyke_facts *facts, const struct fyke_folded *folded, enum fyke_side side)
{
	const struct fyke_folded_kind *kind = &folded->kind;
	char text[FYKE_ADDRESS_TEXT];
	size_t length = fyke_address_text(&folded->ip[side], text);

	if (kind->packets[side] == 0 && !has_room(&facts->hosts, text, length)) {
		facts->hosts.dropped++;
		return true;
	}
	return count_text(&facts->hosts, text, length, kind, side == FYKE_SERVER);
}

static void count_sums(struct fyke_facts *facts, const struct fyke_folded *folded)
{
	const struct fyke_folded_kind *kind = &folded->kind;
	int64_t packets = kind->packets[0] + kind->packets[1];

	if (facts->sessions == 0 || folded->start_us < facts->first_us)
		facts->first_us = folded->start_us;
	if (facts->sessions == 0 || folded->end_us > facts->last_us)
		facts->last_us = folded->end_us;
	facts->sessions++;
	facts->folded_sessions++;
	facts->tcp_sessions++;
	facts->states[kind->state]++;
	facts->tcp_states[kind->state]++;
	facts->ends[kind->end_reason]++;
	facts->packets += packets;
	facts->tcp_packets += packets;
	facts->bytes += (int64_t)kind->bytes[0] + kind->bytes[1];
}

static bool take(void *context, int64_t id, const struct fyke_folded *folded)
{
	struct fyke_facts *facts = context;
	char service[FYKE_FOLD_SERVICE + 8];
	int length = snprintf(service, sizeof(service), "%s\ttcp", folded->service);

	(void)id;
	count_sums(facts, folded);
	if (!count_text(&facts->transports, "tcp", 3, &folded->kind, false) ||
		!count_text(&facts->services, service, (size_t)length, &folded->kind, false) ||
		!count_host(facts, folded, FYKE_CLIENT))
		return false;
	return memcmp(&folded->ip[0], &folded->ip[1], sizeof(folded->ip[0])) == 0 ||
	       count_host(facts, folded, FYKE_SERVER);
}

enum fyke_status fyke_facts_gather_folded(
	struct sqlite3 *db, int64_t capture_id, struct fyke_facts *facts, struct fyke_error *error)
{
	return fyke_folded_each(db, capture_id, take, facts, error);
}
