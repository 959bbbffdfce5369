/*
 * Samples of initial sequence numbers of many hosts: one array, in which each host's own are a list. Made
 * while sessions are written (hosts.c) or from the tables (isn_hosts.c).
 */
#ifndef FYKE_STORAGE_ISN_SAMPLES_H
#define FYKE_STORAGE_ISN_SAMPLES_H

#include "storage/isn.h"

struct fyke_isn_list {
	uint32_t latest, count; /* latest: place, plus 1 */
};

struct fyke_isn_samples {
	struct fyke_isn_listed *samples;
	size_t count, room, limit;
	struct fyke_isn_work *work;
};

void fyke_isn_samples_init(struct fyke_isn_samples *all, size_t limit);
void fyke_isn_samples_release(struct fyke_isn_samples *all);

/* Of a host with FYKE_ISN_SAMPLES_MAX of them more are left out. False: memory is out, or the limit is
 * reached. */
bool fyke_isn_samples_add(
	struct fyke_isn_samples *all, struct fyke_isn_list *list, const struct fyke_isn_sample *sample);

/* The verdict on a list that is not empty; good until the next call. Asked again it is not found again. */
const struct fyke_isn_verdict *fyke_isn_samples_judge(
	const struct fyke_isn_samples *all, const struct fyke_isn_list *list);

#endif
