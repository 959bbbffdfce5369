/*
 * All rules. Where there are many contacts, two threads with a connection each take the rules in turns; what
 * each finds is put together in the order of the rules, so that nothing hangs on who was faster. Cards read
 * what the others found and run alone after them.
 */
#include "findings/run_parts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONTACTS_LEAST = 10 * 1000 }; /* with fewer a second connection costs more than it brings */

struct worker {
	struct crew *crew;
	struct fyke_database *database;
	struct fyke_findings found;
	bool memory_out;
	pthread_t thread;
};

/* Which of a worker's findings are a rule's. */
struct place {
	const struct worker *worker;
	size_t first, count;
};

struct crew {
	const struct fyke_rules *rules;
	size_t end; /* of the rules that are no cards */
	atomic_size_t next;
	struct fyke_rule_outcome *outcomes;
	struct place places[FYKE_RULES_MAX];
	struct worker workers[FYKE_FINDINGS_THREADS_MAX];
	unsigned count;
};

static void *work(void *context)
{
	struct worker *worker = context;
	struct crew *crew = worker->crew;
	size_t i;

	while (!worker->memory_out && (i = atomic_fetch_add(&crew->next, 1)) < crew->end) {
		size_t first = worker->found.count;

		worker->memory_out = !fyke_findings_make_space(&worker->found) ||
				     !fyke_findings_run_rule(fyke_database_handle(worker->database),
					     &crew->rules->list[i], &worker->found, &crew->outcomes[i]);
		crew->places[i] = (struct place){worker, first, worker->found.count - first};
	}
	return NULL;
}

static bool is_card(const struct fyke_rule *rule)
{
	return strncmp(rule->name, "card-", 5) == 0;
}

static unsigned threads_for(const struct fyke_findings_stage *stage, unsigned threads)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || fyke_contacts_count(stage->contacts) < CONTACTS_LEAST)
		return 1;
	return threads < FYKE_FINDINGS_THREADS_MAX ? threads : FYKE_FINDINGS_THREADS_MAX;
}

/* The first worker has the stage's own connection and the caller's thread; one that cannot be hired is done
 * without. */
static void hire(struct crew *crew, struct fyke_findings_stage *stage, unsigned threads)
{
	struct fyke_error ignored;

	crew->workers[0] = (struct worker){.crew = crew, .database = stage->database};
	for (crew->count = 1; crew->count < threads; crew->count++) {
		struct worker *worker = &crew->workers[crew->count];

		*worker = (struct worker){.crew = crew};
		if (fyke_findings_stage_open_another(stage, &worker->database, &ignored) != FYKE_OK)
			return;
		if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
			fyke_database_close(worker->database);
			return;
		}
	}
}

/* False: memory is out. */
static bool run_crew(struct crew *crew)
{
	bool good;

	(void)work(&crew->workers[0]);
	good = !crew->workers[0].memory_out;
	for (unsigned i = 1; i < crew->count; i++) {
		pthread_join(crew->workers[i].thread, NULL);
		fyke_database_close(crew->workers[i].database);
		good = good && !crew->workers[i].memory_out;
	}
	return good;
}

/* Moves what was found into one list. False: memory is out. */
static bool put_together(struct crew *crew, struct fyke_findings *findings)
{
	for (size_t i = 0; i < crew->end; i++) {
		const struct place *place = &crew->places[i];

		if (!fyke_findings_make_space(findings))
			return false;
		if (place->count > 0)
			memcpy(findings->list + findings->count, place->worker->found.list + place->first,
				place->count * sizeof(*findings->list));
		findings->count += place->count;
	}
	for (unsigned i = 0; i < crew->count; i++)
		crew->workers[i].found.count = 0; /* they are the list's now */
	return true;
}

static bool run_cards(
	struct fyke_findings_stage *stage, const struct crew *crew, struct fyke_findings *findings)
{
	for (size_t i = crew->end; i < crew->rules->count; i++) {
		if (!fyke_findings_make_space(findings))
			return false;
		stage->signs.rows = findings->list;
		stage->signs.count = findings->count;
		if (!fyke_findings_run_rule(fyke_database_handle(stage->database), &crew->rules->list[i],
			    findings, &findings->outcomes[i]))
			return false;
	}
	return true;
}

static enum fyke_status run(struct crew *crew, struct fyke_findings_stage *stage, unsigned threads,
	struct fyke_findings *findings, struct fyke_error *error)
{
	bool good;

	while (crew->end < crew->rules->count && !is_card(&crew->rules->list[crew->end]))
		crew->end++;
	hire(crew, stage, threads_for(stage, threads));
	good = run_crew(crew);
	good = good && put_together(crew, findings);
	for (unsigned i = 0; i < crew->count; i++)
		fyke_findings_release(&crew->workers[i].found);
	good = good && run_cards(stage, crew, findings);
	return good ? FYKE_OK : fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for findings");
}

enum fyke_status fyke_findings_run_all(struct fyke_findings_stage *stage, const struct fyke_rules *rules,
	unsigned threads, struct fyke_findings *findings, struct fyke_error *error)
{
	struct crew *crew = calloc(1, sizeof(*crew));
	enum fyke_status status;

	findings->outcomes = calloc(rules->count + 1, sizeof(*findings->outcomes));
	if (crew == NULL || findings->outcomes == NULL) {
		free(crew);
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory for findings");
	}
	for (size_t i = 0; i < rules->count; i++)
		findings->outcomes[i].rule = &rules->list[i];
	findings->outcome_count = rules->count;
	crew->rules = rules;
	crew->outcomes = findings->outcomes;
	status = run(crew, stage, threads, findings, error);
	free(crew);
	return status;
}
