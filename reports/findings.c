/* Findings on a terminal: the gravest first, and what a rule means once for all that it found. */
#include "reports/findings.h"

#include "analyzer/base/text.h"
#include "reports/json_row.h"
#include "reports/wrap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_OF_RULE = 8 };

static enum fyke_paint paint_of(enum fyke_severity severity)
{
	static const enum fyke_paint paints[FYKE_SEVERITY_COUNT] = {
		FYKE_PAINT_DIM, FYKE_PAINT_PLAIN, FYKE_PAINT_WARN, FYKE_PAINT_BAD, FYKE_PAINT_BAD};

	return paints[severity];
}

static enum fyke_severity worst_of(const struct fyke_findings *findings, const struct fyke_rule *rule)
{
	enum fyke_severity worst = FYKE_SEVERITY_INFO;

	for (size_t i = 0; i < findings->count; i++) {
		if (findings->list[i].rule == rule && findings->list[i].severity > worst)
			worst = findings->list[i].severity;
	}
	return worst;
}

static void put_time(const struct fyke_wrap *wrap, const struct fyke_finding *finding)
{
	char first[FYKE_TEXT_TIME], last[FYKE_TEXT_TIME], session[48] = "", text[200];

	if (finding->session_id != FYKE_FINDING_UNKNOWN)
		snprintf(session, sizeof(session), "session %lld", (long long)finding->session_id);
	if (finding->first_us == FYKE_FINDING_UNKNOWN) {
		snprintf(text, sizeof(text), "%s", session);
	} else {
		fyke_text_time(finding->first_us, 0, first);
		fyke_text_time(
			finding->last_us == FYKE_FINDING_UNKNOWN ? finding->first_us : finding->last_us, 0,
			last);
		snprintf(text, sizeof(text), "%s%s%s%s%s", session, session[0] == '\0' ? "" : ", ", first,
			strcmp(first, last) == 0 ? "" : " to ", strcmp(first, last) == 0 ? "" : last);
	}
	if (text[0] != '\0')
		fyke_wrap_put(wrap, "", FYKE_PAINT_DIM, text);
}

static void put_finding(const struct fyke_wrap *wrap, const struct fyke_finding *finding, bool with_title)
{
	fyke_wrap_put(wrap, "", FYKE_PAINT_BOLD, finding->subject);
	if (with_title)
		fyke_wrap_put(wrap, "", FYKE_PAINT_PLAIN, finding->title);
	if (finding->evidence != NULL)
		fyke_wrap_put(wrap, "", FYKE_PAINT_PLAIN, finding->evidence);
	put_time(wrap, finding);
}

/* Whether the rule's findings all go by one title. */
static bool share_title(
	const struct fyke_findings *findings, const struct fyke_rule *rule, const char **title)
{
	*title = NULL;
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->list[i].rule != rule)
			continue;
		if (*title != NULL && strcmp(*title, findings->list[i].title) != 0)
			return false;
		*title = findings->list[i].title;
	}
	return true;
}

static void put_rule(const struct fyke_findings *findings, const struct fyke_rule *rule,
	const struct fyke_findings_view *view, FILE *out)
{
	const struct fyke_wrap items = {&view->screen, out, 10, 0}, words = {&view->screen, out, 10, 10};
	enum fyke_severity worst = worst_of(findings, rule);
	const char *title;
	bool shared = share_title(findings, rule, &title);
	char severity[16];
	size_t shown = 0, all = 0;

	snprintf(severity, sizeof(severity), "%-10s", fyke_severity_name(worst));
	fyke_screen_put(&view->screen, severity, 0, paint_of(worst), out);
	fyke_screen_put(&view->screen, shared ? title : rule->title, 0, FYKE_PAINT_BOLD, out);
	fputs("  ", out);
	fyke_screen_put(&view->screen, rule->name, 0, FYKE_PAINT_DIM, out);
	fputs("\n\n", out);
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->list[i].rule != rule || all++ >= SHOWN_OF_RULE)
			continue;
		put_finding(&items, &findings->list[i], !shared);
		shown++;
		fputc('\n', out);
	}
	if (all > shown)
		fprintf(out, "          ... and %zu more of this kind (--format json has all)\n\n",
			all - shown);
	fyke_wrap_put(&words, "means", FYKE_PAINT_PLAIN, rule->meaning);
	fyke_wrap_put(&words, "or else", FYKE_PAINT_PLAIN, rule->innocent);
	fyke_wrap_put(&words, "do", FYKE_PAINT_PLAIN, rule->advice);
	fputc('\n', out);
}

static bool has_finding(const struct fyke_findings *findings, const struct fyke_rule *rule)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->list[i].rule == rule)
			return true;
	}
	return false;
}

static void put_outcomes(const struct fyke_findings *findings, bool verbose, FILE *out)
{
	static const char *const words[] = {"found", "skipped", "failed"};

	for (size_t i = 0; i < findings->outcome_count; i++) {
		const struct fyke_rule_outcome *o = &findings->outcomes[i];

		if (!verbose && o->end != FYKE_RULE_FAILED && o->left_out == 0)
			continue;
		fprintf(out, "rule %-24s %-8s", o->rule->name, words[o->end]);
		if (o->end == FYKE_RULE_RAN)
			fprintf(out, "%4zu in %.1f ms", o->found, (double)o->elapsed_us / 1e3);
		else
			fprintf(out, "%s", o->reason);
		if (o->left_out > 0)
			fprintf(out, ", %zu of them left out", o->left_out);
		fputc('\n', out);
	}
}

static void put_total(const struct fyke_findings *findings, enum fyke_severity least, FILE *out)
{
	size_t counts[FYKE_SEVERITY_COUNT] = {0}, hidden = 0;
	bool any = false;

	for (size_t i = 0; i < findings->count; i++) {
		counts[findings->list[i].severity]++;
		hidden += findings->list[i].severity < least;
	}
	if (findings->count == 0) {
		fprintf(out, "No rule found anything. That is no proof that nothing is wrong: see what they "
			     "look for with "
			     "--list.\n");
		return;
	}
	fprintf(out, "%zu finding%s:", findings->count, findings->count == 1 ? "" : "s");
	for (int s = FYKE_SEVERITY_COUNT - 1; s >= 0; s--) {
		if (counts[s] == 0)
			continue;
		fprintf(out, "%s %zu %s", any ? "," : "", counts[s],
			fyke_severity_name((enum fyke_severity)s));
		any = true;
	}
	fputs(". Each is evidence, no verdict.", out);
	if (hidden > 0)
		fprintf(out, " %zu are not shown (--severity).", hidden);
	fputc('\n', out);
}

void fyke_findings_text(
	const struct fyke_findings *findings, const struct fyke_findings_view *view, FILE *out)
{
	for (int s = FYKE_SEVERITY_COUNT - 1; s >= (int)view->least; s--) {
		for (size_t i = 0; i < findings->outcome_count; i++) {
			const struct fyke_rule *rule = findings->outcomes[i].rule;

			if (has_finding(findings, rule) && (int)worst_of(findings, rule) == s)
				put_rule(findings, rule, view, out);
		}
	}
	put_total(findings, view->least, out);
	put_outcomes(findings, view->verbose, stderr);
}

void fyke_rules_text(const struct fyke_rules *rules, const struct fyke_screen *screen, FILE *out)
{
	const struct fyke_grid_column columns[] = {
		{.title = "rule"}, {.title = "severity"}, {.title = "what it looks for", .least = 20}};
	struct fyke_grid *grid = fyke_grid_new(screen, columns, 3, out);

	if (grid == NULL)
		return;
	for (size_t i = 0; i < rules->count; i++) {
		const struct fyke_rule *rule = &rules->list[i];
		const char *cells[] = {rule->name, fyke_severity_name(rule->severity), rule->title};

		if (!fyke_grid_row(grid, cells))
			break;
	}
	fyke_grid_finish(grid);
}

static json_t *text_json(const char *text)
{
	return text == NULL ? json_null() : fyke_json_text(text, strlen(text));
}

static json_t *number_json(int64_t number)
{
	return number == FYKE_FINDING_UNKNOWN ? json_null() : json_integer(number);
}

static json_t *finding_json(const struct fyke_finding *finding)
{
	json_t *object = json_object();

	json_object_set_new(object, "rule", text_json(finding->rule->name));
	json_object_set_new(object, "severity", text_json(fyke_severity_name(finding->severity)));
	json_object_set_new(object, "title", text_json(finding->title));
	json_object_set_new(object, "subject", text_json(finding->subject));
	json_object_set_new(object, "host", text_json(finding->host));
	json_object_set_new(object, "evidence", text_json(finding->evidence));
	json_object_set_new(object, "session_id", number_json(finding->session_id));
	json_object_set_new(object, "sessions", fyke_json_integers(finding->sessions));
	json_object_set_new(object, "frames", fyke_json_integers(finding->frames));
	json_object_set_new(object, "first_us", number_json(finding->first_us));
	json_object_set_new(object, "last_us", number_json(finding->last_us));
	json_object_set_new(object, "meaning", text_json(finding->rule->meaning));
	json_object_set_new(object, "innocent", text_json(finding->rule->innocent));
	json_object_set_new(object, "advice", text_json(finding->advice));
	return object;
}

static json_t *outcome_json(const struct fyke_rule_outcome *outcome)
{
	static const char *const words[] = {"ran", "skipped", "failed"};
	json_t *object = json_object();

	json_object_set_new(object, "rule", text_json(outcome->rule->name));
	json_object_set_new(object, "outcome", text_json(words[outcome->end]));
	json_object_set_new(
		object, "reason", outcome->reason[0] == '\0' ? json_null() : text_json(outcome->reason));
	json_object_set_new(object, "found", json_integer((json_int_t)outcome->found));
	json_object_set_new(object, "left_out", json_integer((json_int_t)outcome->left_out));
	return object;
}

enum fyke_status fyke_findings_json(const struct fyke_findings *findings,
	const struct fyke_findings_view *view, FILE *out, struct fyke_error *error)
{
	bool ascii = fileno(out) >= 0 && isatty(fileno(out)) == 1, good = true;
	size_t n = 0;

	fputs("{\n \"findings\": [", out);
	for (size_t i = 0; good && i < findings->count; i++) {
		if (findings->list[i].severity < view->least)
			continue;
		fputs(n++ == 0 ? "\n  " : ",\n  ", out);
		good = fyke_json_write(finding_json(&findings->list[i]), ascii, out);
	}
	fputs(n > 0 ? "\n ],\n \"rules\": [" : "],\n \"rules\": [", out);
	for (size_t i = 0; good && i < findings->outcome_count; i++) {
		fputs(i == 0 ? "\n  " : ",\n  ", out);
		good = fyke_json_write(outcome_json(&findings->outcomes[i]), ascii, out);
	}
	fputs("\n ]\n}\n", out);
	return good ? FYKE_OK : fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
}
