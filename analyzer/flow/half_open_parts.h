/* The tables of half_open.c, shared with half_open_age.c. Private to them. */
#ifndef FYKE_FLOW_HALF_OPEN_PARTS_H
#define FYKE_FLOW_HALF_OPEN_PARTS_H

#include "analyzer/flow/half_open_record.h"

enum {
	SLAB = 1024, /* records */
	PATHS_MAX = 4096,
	PATH_SLOTS = 8192,
};

struct slab {
	uint32_t live;
	char records[];
};

struct family {
	uint8_t address_length;
	bool is_refused;
	uint32_t record_size;
	uint8_t *tags;
	uint32_t *indices;
	uint32_t mask, used;  /* slots − 1; slots that are not empty */
	uint32_t first, next; /* numbers of records: of the first slab's first, of the next one to come */
	struct slab **slabs;  /* slabs[head ..]: first / SLAB and on */
	uint32_t head, slab_count, slab_room;
	uint32_t oldest; /* no live record has a smaller number */
	uint64_t live;
};

/* A refused one in the order of birth. */
struct birth {
	uint64_t frame;
	struct family *family;
	uint32_t number;
};

enum { LONE = 0, REFUSED = 2, FAMILIES = 4 }; /* IPv4, IPv6 of each */

struct fyke_half_open {
	struct family family[FAMILIES];
	uint64_t seed, room;  /* bytes that may be taken beyond what is held */
	struct birth *births; /* of all refused ones, once they are ordered; NULL before */
	size_t birth_count, births_taken;
	struct fyke_half_open_path paths[PATHS_MAX];
	uint16_t path_count, path_latest;
	uint16_t path_slots[PATH_SLOTS]; /* 1 + place; 0 = empty */
};

/* Bytes that twice as many slots take beside those that there are. */
static inline uint64_t fyke_half_open_growth(const struct family *family)
{
	return ((uint64_t)family->mask + 1) * (sizeof(*family->tags) + sizeof(*family->indices));
}

static inline struct slab *slab_of(const struct family *family, uint32_t number)
{
	return family->slabs[family->head + (number - family->first) / SLAB];
}

static inline struct fyke_half_open_record *record_at(const struct family *family, uint32_t number)
{
	char *record = slab_of(family, number)->records + (size_t)(number % SLAB) * family->record_size;

	return (struct fyke_half_open_record *)(void *)record;
}

static inline bool is_live(const struct family *family, uint32_t number)
{
	return number - family->first < family->next - family->first &&
	       (record_at(family, number)->bits & FYKE_HALF_OPEN_DEAD) == 0;
}

static inline struct fyke_half_open_reset *reset_of(
	const struct family *family, struct fyke_half_open_record *record)
{
	return (struct fyke_half_open_reset *)(void *)(record->addresses +
						       2 * (size_t)family->address_length);
}

/* Takes a record out of its table, but not out of its slot; `reset` is NULL where there is none. */
void fyke_half_open_take_out(struct fyke_half_open *table, struct family *family, uint32_t number,
	struct fyke_half_open_syn *syn, struct fyke_half_open_syn *reset);

#endif
