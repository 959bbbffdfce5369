/* Lone SYNs and refused ones by their age, and at the end by birth; how many there are, and whether there is
 * room for more. */
#include "analyzer/base/radix.h"
#include "analyzer/flow/half_open_parts.h"

#include <stddef.h>
#include <stdlib.h>

/* The oldest live record of a family; NULL when there is none. */
static struct fyke_half_open_record *oldest_of(struct family *family)
{
	if (family->live == 0)
		return NULL;
	while ((record_at(family, family->oldest)->bits & FYKE_HALF_OPEN_DEAD) != 0)
		family->oldest++;
	return record_at(family, family->oldest);
}

/* When the record came to its table. */
static uint64_t arrival(const struct family *family, struct fyke_half_open_record *record)
{
	const struct fyke_half_open_reset *reset;

	if (!family->is_refused)
		return fyke_half_open_frame(record->frame_low, record->frame_high);
	reset = reset_of(family, record);
	return fyke_half_open_frame(reset->frame_low, reset->frame_high);
}

static struct family *older_family(struct fyke_half_open *table, int kind)
{
	struct family *families = &table->family[kind];
	struct fyke_half_open_record *four = oldest_of(&families[0]), *six = oldest_of(&families[1]);

	if (four == NULL && six == NULL)
		return NULL;
	if (four == NULL || (six != NULL && arrival(&families[1], six) < arrival(&families[0], four)))
		return &families[1];
	return &families[0];
}

bool fyke_half_open_oldest(struct fyke_half_open *table, int64_t *time_ns, uint64_t *frame)
{
	struct family *family = older_family(table, LONE);
	const struct fyke_half_open_record *record;

	if (family == NULL)
		return false;
	record = record_at(family, family->oldest);
	*time_ns = fyke_half_open_time(record->time_low, record->time_high);
	*frame = fyke_half_open_frame(record->frame_low, record->frame_high);
	return true;
}

bool fyke_half_open_take_oldest(struct fyke_half_open *table, struct fyke_half_open_syn *syn)
{
	struct family *family = older_family(table, LONE);

	if (family == NULL)
		return false;
	fyke_half_open_take_out(table, family, family->oldest, syn, NULL);
	return true;
}

/* By refusal, or by birth once they are ordered. */
static bool find_oldest_refused(struct fyke_half_open *table, struct family **family, uint32_t *number)
{
	if (table->births != NULL) {
		const struct birth *birth = &table->births[table->births_taken];

		if (table->births_taken == table->birth_count)
			return false;
		*family = birth->family;
		*number = birth->number;
		return true;
	}
	*family = older_family(table, REFUSED);
	if (*family == NULL)
		return false;
	*number = (*family)->oldest;
	return true;
}

bool fyke_half_open_oldest_refused(struct fyke_half_open *table, int64_t *time_ns, uint64_t *frame)
{
	const struct fyke_half_open_reset *reset;
	struct fyke_half_open_record *record;
	struct family *family;
	uint32_t number;

	if (!find_oldest_refused(table, &family, &number))
		return false;
	record = record_at(family, number);
	reset = reset_of(family, record);
	*time_ns = fyke_half_open_time(reset->time_low, reset->time_high);
	*frame = fyke_half_open_frame(record->frame_low, record->frame_high);
	return true;
}

bool fyke_half_open_take_oldest_refused(
	struct fyke_half_open *table, struct fyke_half_open_syn *syn, struct fyke_half_open_syn *reset)
{
	struct family *family;
	uint32_t number;

	if (!find_oldest_refused(table, &family, &number))
		return false;
	table->births_taken += table->births != NULL;
	fyke_half_open_take_out(table, family, number, syn, reset);
	return true;
}

bool fyke_half_open_order_by_birth(struct fyke_half_open *table)
{
	size_t count = (size_t)(table->family[REFUSED].live + table->family[REFUSED + 1].live);

	table->births = calloc(count + 1, sizeof(*table->births));
	for (int i = REFUSED; table->births != NULL && i < FAMILIES; i++) {
		struct family *family = &table->family[i];

		for (uint32_t number = family->oldest; family->live > 0 && number != family->next; number++) {
			const struct fyke_half_open_record *record = record_at(family, number);

			if (is_live(family, number))
				table->births[table->birth_count++] = (struct birth){
					fyke_half_open_frame(record->frame_low, record->frame_high), family,
					number};
		}
	}
	return table->births != NULL && fyke_radix_sort(table->births, table->birth_count,
						sizeof(*table->births), offsetof(struct birth, frame));
}

uint64_t fyke_half_open_count(const struct fyke_half_open *table)
{
	uint64_t count = 0;

	for (int i = 0; i < FAMILIES; i++)
		count += table->family[i].live;
	return count;
}

uint64_t fyke_half_open_held(const struct fyke_half_open *table)
{
	uint64_t held = 0;

	for (int i = 0; i < FAMILIES; i++) {
		const struct family *family = &table->family[i];

		held += ((uint64_t)family->mask + 1) * (sizeof(*family->tags) + sizeof(*family->indices)) +
			(uint64_t)family->slab_count * SLAB * family->record_size;
	}
	return held;
}

void fyke_half_open_allow(struct fyke_half_open *table, uint64_t bytes)
{
	table->room = bytes;
}

/* When most slots are in use, and those that are left, and twice as many then, would take too much. Where
 * fewer are in use, they last for long before they are made anew. */
bool fyke_half_open_is_crowded(const struct fyke_half_open *table)
{
	for (int i = 0; i < FAMILIES; i++) {
		const struct family *family = &table->family[i];
		uint64_t slots = (uint64_t)family->mask + 1, most = slots / 8 * 7;
		uint64_t more = family->live < most ? most - family->live : 0;

		if (family->live >= slots / 8 * 5 &&
			table->room < fyke_half_open_growth(family) + more * family->record_size)
			return true;
	}
	return false;
}
