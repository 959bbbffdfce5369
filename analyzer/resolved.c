/*
 * A set-associative table. Its hash has no secret: who floods a bucket makes fyke forget a name of the same
 * bucket, nothing else.
 */
#include "analyzer/resolved.h"

#include "analyzer/base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WAYS = 8, SETS = 2048 };

struct fyke_resolved_entry {
	struct fyke_address ip;
	uint64_t frame; /* of the first packet that said so; 0 = empty */
	uint64_t latest;
	char *name;
};

void fyke_resolved_release(struct fyke_resolved *resolved)
{
	for (size_t i = 0; resolved->entries != NULL && i < (size_t)SETS * WAYS; i++)
		free(resolved->entries[i].name);
	free(resolved->entries);
	resolved->entries = NULL;
}

static struct fyke_resolved_entry *set_of(const struct fyke_resolved *resolved, const struct fyke_address *ip)
{
	return resolved->entries + (size_t)(XXH3_64bits(ip->bytes, sizeof(ip->bytes)) % SETS) * WAYS;
}

static bool is_of(const struct fyke_resolved_entry *entry, const struct fyke_address *ip)
{
	return entry->frame != 0 && fyke_address_compare(&entry->ip, ip) == 0;
}

/* The address's own place, else that of the oldest. */
static struct fyke_resolved_entry *place_of(
	const struct fyke_resolved *resolved, const struct fyke_address *ip)
{
	struct fyke_resolved_entry *set = set_of(resolved, ip), *place = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (is_of(&set[i], ip))
			return &set[i];
		if (set[i].latest < place->latest)
			place = &set[i];
	}
	return place;
}

static char *lower(const char *name, size_t length)
{
	char *copy = malloc(length + 1);

	for (size_t i = 0; copy != NULL && i < length; i++)
		copy[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	if (copy != NULL)
		copy[length] = '\0';
	return copy;
}

static bool add(struct fyke_resolved *resolved, const struct fyke_tick_name *said)
{
	struct fyke_resolved_entry *place;

	if (resolved->entries == NULL)
		resolved->entries = calloc((size_t)SETS * WAYS, sizeof(*resolved->entries));
	if (resolved->entries == NULL)
		return false;
	place = place_of(resolved, &said->ip);
	place->latest = said->frame;
	if (is_of(place, &said->ip) && strncasecmp(place->name, said->name, said->length) == 0 &&
		place->name[said->length] == '\0')
		return true;
	free(place->name);
	*place = (struct fyke_resolved_entry){
		.ip = said->ip, .latest = said->frame, .name = lower(said->name, said->length)};
	place->frame = place->name != NULL ? said->frame : 0;
	return place->name != NULL;
}

static bool name_session(
	const struct fyke_resolved *resolved, struct fyke_session *session, struct fyke_arena *arena)
{
	const struct fyke_address *ip = &session->side[FYKE_SERVER].ip;
	const struct fyke_resolved_entry *set;

	if (session->server_name != NULL || resolved->entries == NULL)
		return true;
	set = set_of(resolved, ip);
	for (size_t i = 0; i < WAYS; i++) {
		if (!is_of(&set[i], ip) || set[i].frame >= session->birth.frame)
			continue;
		session->server_name = fyke_arena_copy(arena, set[i].name, strlen(set[i].name));
		return session->server_name != NULL;
	}
	return true;
}

bool fyke_resolved_take(struct fyke_resolved *resolved, struct fyke_tick *tick)
{
	const struct fyke_tick_name *said = tick->names;

	for (size_t i = 0; i < tick->session_count; i++) {
		for (; said != NULL && said->frame < tick->sessions[i]->deciding_frame; said = said->next) {
			if (!add(resolved, said))
				return false;
		}
		if (!name_session(resolved, tick->sessions[i], &tick->arena))
			return false;
	}
	for (; said != NULL; said = said->next) {
		if (!add(resolved, said))
			return false;
	}
	return true;
}
