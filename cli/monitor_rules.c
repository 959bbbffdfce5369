/* A thread that sleeps, runs the rules, and sleeps again. A failure is left to the run at the end to tell. */
#include "cli/monitor_rules.h"

#include "cli/monitor_view.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { REST_TIMES = 9 };

struct fyke_monitor_rules {
	const struct fyke_findings_job *job;
	int64_t every_ns;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool stop;
};

/* False: it is time to stop. */
static bool rest(struct fyke_monitor_rules *rules, int64_t ns)
{
	struct timespec until;
	int result = 0;
	bool stop;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec += (long)(ns % 1000000000);
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&rules->mutex);
	while (!rules->stop && result != ETIMEDOUT)
		result = pthread_cond_timedwait(&rules->changed, &rules->mutex, &until);
	stop = rules->stop;
	pthread_mutex_unlock(&rules->mutex);
	return !stop;
}

static void *run(void *context)
{
	struct fyke_monitor_rules *rules = context;
	int64_t wait_ns = rules->every_ns;

	while (rest(rules, wait_ns)) {
		int64_t began_ns = fyke_monitor_clock_ns(), took_ns;
		struct fyke_error ignored;
		char told[512];

		(void)!fyke_findings_update(rules->job, told, &ignored);
		took_ns = fyke_monitor_clock_ns() - began_ns;
		wait_ns = took_ns * REST_TIMES > rules->every_ns ? took_ns * REST_TIMES : rules->every_ns;
	}
	return NULL;
}

enum fyke_status fyke_monitor_rules_start(const struct fyke_findings_job *job, int64_t every_ns,
	struct fyke_monitor_rules **rules, struct fyke_error *error)
{
	struct fyke_monitor_rules *made = calloc(1, sizeof(*made));
	pthread_condattr_t attributes;

	*rules = NULL;
	if (made == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	made->job = job;
	made->every_ns = every_ns;
	pthread_mutex_init(&made->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&made->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&made->thread, NULL, run, made) != 0) {
		free(made);
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no thread for the rules");
	}
	*rules = made;
	return FYKE_OK;
}

void fyke_monitor_rules_stop(struct fyke_monitor_rules *rules)
{
	if (rules == NULL)
		return;
	pthread_mutex_lock(&rules->mutex);
	rules->stop = true;
	pthread_cond_signal(&rules->changed);
	pthread_mutex_unlock(&rules->mutex);
	pthread_join(rules->thread, NULL);
	pthread_cond_destroy(&rules->changed);
	pthread_mutex_destroy(&rules->mutex);
	free(rules);
}
