/*
 * A rule: a question in SQL, and the words that go with its answers. The text of a rule file:
 *
 *	-- title: One host tries many ports of another
 *	-- severity: low
 *	-- meaning: what it means,
 *	--   over as many lines as it takes
 *	-- innocent: what else it may be
 *	-- advice: what to do
 *	-- with: ports = 15   a number that the query reads as :ports, and what it is
 *	SELECT … AS subject, … AS evidence, session_id, first_us, last_us FROM contacts WHERE …
 *
 * What the query's columns mean: findings/README.md.
 */
#ifndef FYKE_FINDINGS_RULE_H
#define FYKE_FINDINGS_RULE_H

#include "analyzer/base/status.h"

#include <stdbool.h>
#include <stddef.h>

enum fyke_severity {
	FYKE_SEVERITY_INFO,
	FYKE_SEVERITY_LOW,
	FYKE_SEVERITY_MEDIUM,
	FYKE_SEVERITY_HIGH,
	FYKE_SEVERITY_CRITICAL,
	FYKE_SEVERITY_COUNT
};

const char *fyke_severity_name(enum fyke_severity severity);
bool fyke_severity_find(const char *name, enum fyke_severity *severity);

enum { FYKE_RULE_NUMBERS_MAX = 8, FYKE_RULE_TEXT_MAX = 256 * 1024, FYKE_RULES_MAX = 512 };

struct fyke_rule_number {
	char *name;
	double value;
	char *doc;
};

struct fyke_rule {
	char *name; /* of its file, without .sql */
	char *title, *meaning, *innocent, *advice;
	enum fyke_severity severity;
	struct fyke_rule_number numbers[FYKE_RULE_NUMBERS_MAX];
	size_t number_count;
	char *sql;
	bool builtin;
};

struct fyke_rules {
	struct fyke_rule *list; /* in order of name, cards (card-…) behind all others */
	size_t count;
};

/* The rules that come with fyke and, where `folder` is not NULL, those in its files *.sql: one of the same
 * name takes the place of ours. A rule that cannot be understood fails with a sentence. */
FYKE_MUST_USE enum fyke_status fyke_rules_load(
	const char *folder, struct fyke_rules *rules, struct fyke_error *error);
/* Whether they could be loaded. */
FYKE_MUST_USE enum fyke_status fyke_rules_check(const char *folder, struct fyke_error *error);
void fyke_rules_release(struct fyke_rules *rules);
const struct fyke_rule *fyke_rules_find(const struct fyke_rules *rules, const char *name); /* NULL: none */

/* Understands one rule's text; release with fyke_rule_release. */
FYKE_MUST_USE enum fyke_status fyke_rule_parse(
	const char *name, const char *text, struct fyke_rule *rule, struct fyke_error *error);
void fyke_rule_release(struct fyke_rule *rule);

/* The rule files of findings/, as the build packs them. */
struct fyke_builtin_rule {
	const char *name, *text;
};
extern const struct fyke_builtin_rule fyke_builtin_rules[];
extern const size_t fyke_builtin_rule_count;

#endif
