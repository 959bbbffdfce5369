/* What rules found, for people and for programs. */
#ifndef FYKE_REPORTS_FINDINGS_H
#define FYKE_REPORTS_FINDINGS_H

#include "findings/findings.h"
#include "reports/screen.h"

struct fyke_findings_view {
	enum fyke_severity least; /* findings of less severity are only counted */
	bool verbose;		  /* tell of each rule how it went */
	struct fyke_screen screen;
};

void fyke_findings_text(
	const struct fyke_findings *findings, const struct fyke_findings_view *view, FILE *out);
/* One object: findings and rules (reports/findings.schema.json). */
FYKE_MUST_USE enum fyke_status fyke_findings_json(const struct fyke_findings *findings,
	const struct fyke_findings_view *view, FILE *out, struct fyke_error *error);
void fyke_rules_text(const struct fyke_rules *rules, const struct fyke_screen *screen, FILE *out);

#endif
