/* What the files that run rules share. Private to them. */
#ifndef FYKE_FINDINGS_RUN_PARTS_H
#define FYKE_FINDINGS_RUN_PARTS_H

#include "findings/contacts.h"
#include "findings/findings.h"
#include "storage/rows.h"

struct fyke_findings_stage {
	struct fyke_database *database;
	int64_t capture_id;
	struct fyke_contacts *contacts;
	struct fyke_rows signs;
};

/* Room for all that one rule may add: cards read the list while they run, so it must not move. */
bool fyke_findings_make_space(struct fyke_findings *findings);

/* Into a list that has space. False: memory is out. */
bool fyke_findings_run_rule(struct sqlite3 *db, const struct fyke_rule *rule, struct fyke_findings *findings,
	struct fyke_rule_outcome *outcome);

/* Everything that a rule may name on another connection to the stage's database: the same contacts, no signs.
 * The second one is to be closed before the stage goes. */
FYKE_MUST_USE enum fyke_status fyke_findings_stage_open_another(
	struct fyke_findings_stage *stage, struct fyke_database **database, struct fyke_error *error);

/* run_all.c: all rules, on so many threads at most; the order of findings and outcomes is that of the rules.
 */
FYKE_MUST_USE enum fyke_status fyke_findings_run_all(struct fyke_findings_stage *stage,
	const struct fyke_rules *rules, unsigned threads, struct fyke_findings *findings,
	struct fyke_error *error);

#endif
