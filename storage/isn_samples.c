/* Lists of samples that lie in one array. */
#include "storage/isn_samples.h"

#include "analyzer/base/grow.h"

#include <stdlib.h>

struct fyke_isn_listed {
	struct fyke_isn_sample what;
	uint32_t earlier; /* place, plus 1; 0 = none */
};

struct fyke_isn_work {
	uint32_t latest; /* of the list that `verdict` is about; 0 = none */
	struct fyke_isn_verdict verdict;
	struct fyke_isn_sample samples[FYKE_ISN_SAMPLES_MAX], room[FYKE_ISN_SAMPLES_MAX];
};

void fyke_isn_samples_init(struct fyke_isn_samples *all, size_t limit)
{
	*all = (struct fyke_isn_samples){.limit = limit};
}

void fyke_isn_samples_release(struct fyke_isn_samples *all)
{
	free(all->samples);
	free(all->work);
	*all = (struct fyke_isn_samples){.limit = 0};
}

static bool grow(struct fyke_isn_samples *all)
{
	struct fyke_isn_listed *larger;

	if (all->work == NULL)
		all->work = calloc(1, sizeof(*all->work));
	if (all->work == NULL)
		return false;
	larger = fyke_grow(all->samples, all->count, &all->room, 1024, sizeof(*larger));
	if (larger == NULL)
		return false;
	all->samples = larger;
	return true;
}

bool fyke_isn_samples_add(
	struct fyke_isn_samples *all, struct fyke_isn_list *list, const struct fyke_isn_sample *sample)
{
	if (list->count == FYKE_ISN_SAMPLES_MAX)
		return true;
	if (all->count >= all->limit || (all->count == all->room && !grow(all)))
		return false;
	all->samples[all->count] = (struct fyke_isn_listed){*sample, list->latest};
	list->latest = (uint32_t)++all->count;
	list->count++;
	return true;
}

const struct fyke_isn_verdict *fyke_isn_samples_judge(
	const struct fyke_isn_samples *all, const struct fyke_isn_list *list)
{
	struct fyke_isn_work *work = all->work;
	size_t count = 0;

	if (work->latest == list->latest)
		return &work->verdict;
	for (uint32_t at = list->latest; at != 0; at = all->samples[at - 1].earlier)
		work->samples[count++] = all->samples[at - 1].what;
	work->verdict = fyke_isn_judge(work->samples, count, work->room);
	work->latest = list->latest;
	return &work->verdict;
}
