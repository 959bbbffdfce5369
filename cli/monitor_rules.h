/* Rules that run now and then beside a monitor, on a thread and connections of their own. */
#ifndef FYKE_CLI_MONITOR_RULES_H
#define FYKE_CLI_MONITOR_RULES_H

#include "findings/findings.h"

struct fyke_monitor_rules;

/* The job is borrowed until stop. Where rules take long they run less often: at most a tenth of the time. */
FYKE_MUST_USE enum fyke_status fyke_monitor_rules_start(const struct fyke_findings_job *job, int64_t every_ns,
	struct fyke_monitor_rules **rules, struct fyke_error *error);
/* Waits for a run that is under way. NULL is allowed. */
void fyke_monitor_rules_stop(struct fyke_monitor_rules *rules);

#endif
