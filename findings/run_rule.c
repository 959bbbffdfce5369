/* One rule: prepares its query, binds its numbers, and takes what it finds. */
#include "findings/run_parts.h"
#include "storage/folded.h"
#include "storage/sql.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t now_us(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

enum column {
	SUBJECT,
	TITLE,
	SEVERITY,
	HOST,
	EVIDENCE,
	ADVICE,
	SESSION,
	SESSIONS,
	FRAMES,
	FIRST,
	LAST,
	COLUMN_COUNT
};

static const char *const column_names[COLUMN_COUNT] = {"subject", "title", "severity", "host", "evidence",
	"advice", "session_id", "sessions", "frames", "first_us", "last_us"};

static void find_columns(sqlite3_stmt *statement, int places[COLUMN_COUNT])
{
	for (int c = 0; c < COLUMN_COUNT; c++) {
		places[c] = -1;
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			if (sqlite3_stricmp(sqlite3_column_name(statement, i), column_names[c]) == 0)
				places[c] = i;
		}
	}
}

/* A copy, cut to a length that is bearable, whole characters; *failed when memory is out. */
static char *copy_text(const char *text, bool *failed)
{
	size_t length = strnlen(text, FYKE_FINDING_TEXT_MAX);
	char *copy;

	while (length == FYKE_FINDING_TEXT_MAX && length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	copy = strndup(text, length);
	if (copy == NULL)
		*failed = true;
	return copy;
}

static char *take_text(sqlite3_stmt *row, int place, const char *otherwise, bool *failed)
{
	const char *text = place < 0 ? NULL : (const char *)sqlite3_column_text(row, place);

	text = text != NULL ? text : otherwise;
	return text == NULL ? NULL : copy_text(text, failed);
}

static int64_t take_number(sqlite3_stmt *row, int place)
{
	if (place < 0 || sqlite3_column_type(row, place) != SQLITE_INTEGER)
		return FYKE_UNKNOWN;
	return sqlite3_column_int64(row, place);
}

static char *list_of(int64_t number, bool *failed)
{
	char text[40], *copy;

	if (number == FYKE_UNKNOWN)
		return NULL;
	(void)snprintf(text, sizeof(text), "[%lld]", (long long)number);
	copy = strdup(text);
	*failed = *failed || copy == NULL;
	return copy;
}

static int64_t first_frame(sqlite3 *db, int64_t session_id)
{
	sqlite3_stmt *find = NULL;
	int64_t frame = FYKE_UNKNOWN;
	struct fyke_error ignored;

	if (session_id == FYKE_UNKNOWN ||
		fyke_sql_prepare(db, "SELECT first_frame FROM " FYKE_ALL_SESSIONS " WHERE id = ?1", &find,
			&ignored) != FYKE_OK)
		return FYKE_UNKNOWN;
	sqlite3_bind_int64(find, 1, session_id);
	if (sqlite3_step(find) == SQLITE_ROW)
		frame = sqlite3_column_int64(find, 0);
	sqlite3_finalize(find);
	return frame;
}

bool fyke_findings_make_space(struct fyke_findings *findings)
{
	size_t needed = findings->count + FYKE_FINDINGS_OF_RULE_MAX, room = findings->room * 2;
	struct fyke_finding *larger;

	if (needed <= findings->room)
		return true;
	room = room < needed ? needed : room;
	larger = realloc(findings->list, room * sizeof(*larger));
	if (larger == NULL)
		return false;
	findings->list = larger;
	findings->room = room;
	return true;
}

static void release_finding(struct fyke_finding *finding)
{
	free(finding->title);
	free(finding->subject);
	free(finding->host);
	free(finding->evidence);
	free(finding->advice);
	free(finding->sessions);
	free(finding->frames);
}

static bool take_row(struct fyke_findings *findings, const struct fyke_rule *rule, sqlite3 *db,
	sqlite3_stmt *row, const int places[COLUMN_COUNT])
{
	bool failed = false;
	struct fyke_finding finding = {.rule = rule, .severity = rule->severity};
	const char *severity =
		places[SEVERITY] < 0 ? NULL : (const char *)sqlite3_column_text(row, places[SEVERITY]);

	if (severity != NULL)
		(void)fyke_severity_find(severity, &finding.severity);
	finding.title = take_text(row, places[TITLE], rule->title, &failed);
	finding.subject = take_text(row, places[SUBJECT], "", &failed);
	finding.host = take_text(row, places[HOST], NULL, &failed);
	finding.evidence = take_text(row, places[EVIDENCE], NULL, &failed);
	finding.advice = take_text(row, places[ADVICE], rule->advice, &failed);
	finding.session_id = take_number(row, places[SESSION]);
	finding.first_us = take_number(row, places[FIRST]);
	finding.last_us = take_number(row, places[LAST]);
	finding.sessions = take_text(row, places[SESSIONS], NULL, &failed);
	if (finding.sessions == NULL)
		finding.sessions = list_of(finding.session_id, &failed);
	finding.frames = take_text(row, places[FRAMES], NULL, &failed);
	if (finding.frames == NULL)
		finding.frames = list_of(first_frame(db, finding.session_id), &failed);
	if (failed)
		release_finding(&finding);
	else
		findings->list[findings->count++] = finding;
	return !failed;
}

static void give_up(struct fyke_rule_outcome *outcome, enum fyke_rule_end end, const char *reason)
{
	outcome->end = end;
	(void)snprintf(outcome->reason, sizeof(outcome->reason), "%s", reason);
}

/* A database without HTTP has no table `http`: that is no fault of the rule. */
static bool lacks_table(const char *message)
{
	return strncmp(message, "no such table: ", 15) == 0 || strncmp(message, "no such column: ", 16) == 0;
}

static bool bind_numbers(
	sqlite3_stmt *statement, const struct fyke_rule *rule, struct fyke_rule_outcome *outcome)
{
	for (int i = 1; i <= sqlite3_bind_parameter_count(statement); i++) {
		const char *name = sqlite3_bind_parameter_name(statement, i);
		size_t n = 0;

		while (n < rule->number_count &&
			(name == NULL || strcmp(name + 1, rule->numbers[n].name) != 0))
			n++;
		if (n == rule->number_count) {
			give_up(outcome, FYKE_RULE_FAILED, "a parameter has no line `with:`");
			return false;
		}
		sqlite3_bind_double(statement, i, rule->numbers[n].value);
	}
	return true;
}

static bool prepare_rule(sqlite3 *db, const struct fyke_rule *rule, sqlite3_stmt **statement,
	struct fyke_rule_outcome *outcome)
{
	const char *tail = NULL;

	if (sqlite3_prepare_v2(db, rule->sql, -1, statement, &tail) != SQLITE_OK) {
		give_up(outcome, lacks_table(sqlite3_errmsg(db)) ? FYKE_RULE_SKIPPED : FYKE_RULE_FAILED,
			sqlite3_errmsg(db));
		return false;
	}
	if (*statement == NULL || tail[strspn(tail, " \t\r\n;")] != '\0') {
		give_up(outcome, FYKE_RULE_FAILED, "a rule is one query");
		return false;
	}
	return bind_numbers(*statement, rule, outcome);
}

bool fyke_findings_run_rule(sqlite3 *db, const struct fyke_rule *rule, struct fyke_findings *findings,
	struct fyke_rule_outcome *outcome)
{
	sqlite3_stmt *statement = NULL;
	int places[COLUMN_COUNT], step = SQLITE_DONE;
	int64_t began = now_us();
	bool good = true;

	if (prepare_rule(db, rule, &statement, outcome)) {
		find_columns(statement, places);
		while (good && (step = sqlite3_step(statement)) == SQLITE_ROW) {
			if (outcome->found++ < FYKE_FINDINGS_OF_RULE_MAX)
				good = take_row(findings, rule, db, statement, places);
			else
				outcome->left_out++;
		}
		if (good && step != SQLITE_DONE)
			give_up(outcome, FYKE_RULE_FAILED,
				step == SQLITE_INTERRUPT ? "it took too long" : sqlite3_errmsg(db));
	}
	sqlite3_finalize(statement);
	outcome->elapsed_us = now_us() - began;
	return good;
}

void fyke_findings_release(struct fyke_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		release_finding(&findings->list[i]);
	free(findings->list);
	free(findings->outcomes);
	*findings = (struct fyke_findings){.list = NULL};
}
