/*
 * Runs rules on a database, and keeps what they find in its table `findings`.
 */
#ifndef FYKE_FINDINGS_FINDINGS_H
#define FYKE_FINDINGS_FINDINGS_H

#include "findings/rule.h"
#include "storage/database.h"

#include <stdint.h>
#include <stdio.h>

enum {
	FYKE_FINDINGS_OF_RULE_MAX = 200, /* more are counted, not kept */
	FYKE_FINDING_TEXT_MAX = 4000,	 /* bytes of each text; cut at a character */
	FYKE_RULE_SECONDS_MAX = 30,
	FYKE_FINDINGS_THREADS_MAX = 2,
};

/* As FYKE_UNKNOWN. */
#define FYKE_FINDING_UNKNOWN INT64_MIN

struct fyke_finding {
	const struct fyke_rule *rule;
	enum fyke_severity severity;
	int64_t session_id, first_us, last_us; /* FYKE_FINDING_UNKNOWN: none */
	/* NULL: none; sessions and frames are JSON lists of numbers */
	char *title, *subject, *host, *evidence, *advice, *sessions, *frames;
};

enum fyke_rule_end {
	FYKE_RULE_RAN,
	FYKE_RULE_SKIPPED, /* a table or column that it reads is not in this database */
	FYKE_RULE_FAILED,
};

struct fyke_rule_outcome {
	const struct fyke_rule *rule;
	enum fyke_rule_end end;
	char reason[256]; /* of skipping or failing */
	int64_t elapsed_us;
	size_t found, left_out;
};

struct fyke_findings {
	struct fyke_finding *list; /* in the order of the rules */
	size_t count, room;
	struct fyke_rule_outcome *outcomes; /* one for each rule */
	size_t outcome_count;
	int64_t left_out_sessions; /* there was no room for their contacts */
};

/* Runs the rules on one capture (0: on all together). `database` is open for reading, and restricted
 * when this returns. `rules` must outlive the findings. A rule that fails does not keep the others from
 * running; the failure of this function is that of the database or of memory. */
FYKE_MUST_USE enum fyke_status fyke_findings_run(struct fyke_database *database, int64_t capture_id,
	const struct fyke_rules *rules, struct fyke_findings *findings, struct fyke_error *error);
void fyke_findings_release(struct fyke_findings *findings);

/* The same in two steps: what rules read is made ready (a pass over all sessions, for which no index is
 * needed), then they run. The database is borrowed until the stage is freed. */
struct fyke_findings_stage;
FYKE_MUST_USE enum fyke_status fyke_findings_stage_new(struct fyke_database *database, int64_t capture_id,
	struct fyke_findings_stage **stage, struct fyke_error *error);
FYKE_MUST_USE enum fyke_status fyke_findings_stage_run(struct fyke_findings_stage *stage,
	const struct fyke_rules *rules, unsigned threads, struct fyke_findings *findings,
	struct fyke_error *error);
void fyke_findings_stage_free(struct fyke_findings_stage *stage); /* NULL is allowed */

/* Puts them into the table `findings` of a database that is open for writing: what the capture has already
 * stays one row, what its rules had and have no more is `gone`. */
FYKE_MUST_USE enum fyke_status fyke_findings_store(struct fyke_database *database, int64_t capture_id,
	const struct fyke_findings *findings, struct fyke_error *error);

struct fyke_findings_job {
	const char *path; /* of the database */
	int64_t capture_id;
	const char *rules_folder; /* NULL: only our own */
	bool derived;		  /* hosts and ports say already what follows from sessions together */
	unsigned threads;	  /* for rules; 0 = 1 */
	struct fyke_findings_ready *ready; /* NULL: nothing is made ready; else taken over */
};

/* Makes ready what the rules of a job read, on a connection of its own that stays open; NULL where that
 * fails, which fyke_findings_update will find again. */
struct fyke_findings_ready *fyke_findings_make_ready(const struct fyke_findings_job *job);
void fyke_findings_ready_free(struct fyke_findings_ready *ready); /* NULL is allowed */

/* What is due at the end of an analysis, and now and then while a monitor runs: derives what `ports` and
 * `hosts` say of sessions together, runs all rules, stores what they find. *told gets a sentence about
 * rules of the user's that failed, "" where none did. */
FYKE_MUST_USE enum fyke_status fyke_findings_update(
	const struct fyke_findings_job *job, char told[512], struct fyke_error *error);

/* The networks that `captures.home_net` names for the capture (0: for the last one) become the database's
 * own, as if given by hand. *known: there are some. */
FYKE_MUST_USE enum fyke_status fyke_findings_take_home(
	struct fyke_database *database, int64_t capture_id, bool *known, struct fyke_error *error);

/* docs/findings.md */
void fyke_findings_write_docs(const struct fyke_rules *rules, FILE *out);

#endif
