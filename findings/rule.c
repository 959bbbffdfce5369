/* Reads a rule's header: lines of comment in front of the query, each "-- key: words". */
#include "findings/rule.h"

#include <stdlib.h>
#include <string.h>

static const char *const severity_names[FYKE_SEVERITY_COUNT] = {"info", "low", "medium", "high", "critical"};

const char *fyke_severity_name(enum fyke_severity severity)
{
	return severity_names[severity];
}

bool fyke_severity_find(const char *name, enum fyke_severity *severity)
{
	for (int i = 0; i < FYKE_SEVERITY_COUNT; i++) {
		if (strcmp(name, severity_names[i]) == 0) {
			*severity = (enum fyke_severity)i;
			return true;
		}
	}
	return false;
}

struct reader {
	const char *at;
	struct fyke_rule *rule;
	struct fyke_error *error;
};

static enum fyke_status wrong(const struct reader *reader, const char *what)
{
	return fyke_error_set(reader->error, FYKE_FAILED_USAGE, "rule %s: %s", reader->rule->name, what);
}

static enum fyke_status out_of_memory(const struct reader *reader)
{
	return fyke_error_set(reader->error, FYKE_FAILED_MEMORY, "out of memory");
}

static size_t line_length(const char *at)
{
	return strcspn(at, "\n");
}

static const char *next_line(const char *at)
{
	size_t length = line_length(at);

	return at + length + (at[length] == '\n');
}

/* Whether the line goes on with the one before: a comment that is indented. */
static bool goes_on(const char *at)
{
	return strncmp(at, "--  ", 4) == 0;
}

/* The words of a key, its further lines joined by blanks; reader->at goes behind them. NULL: no memory. */
static char *take_words(struct reader *reader, const char *begin)
{
	const char *end = next_line(begin);
	char *words;
	size_t used = 0;

	while (goes_on(end))
		end = next_line(end);
	words = malloc((size_t)(end - begin) + 1);
	for (const char *line = begin; words != NULL && line < end; line = next_line(line)) {
		const char *from = line == begin ? line : line + 2;
		size_t length = line_length(from), blank = strspn(from, " \t");

		blank = blank < length ? blank : length;
		if (used > 0 && blank < length)
			words[used++] = ' ';
		memcpy(words + used, from + blank, length - blank);
		used += length - blank;
		while (used > 0 && strchr(" \t\r", words[used - 1]) != NULL)
			used--;
	}
	if (words != NULL)
		words[used] = '\0';
	reader->at = end;
	return words;
}

/* "ports = 15   how many" */
static enum fyke_status take_number(struct reader *reader, char *words)
{
	struct fyke_rule *rule = reader->rule;
	struct fyke_rule_number *number = &rule->numbers[rule->number_count];
	char *equals = strchr(words, '='), *end = NULL;

	if (rule->number_count == FYKE_RULE_NUMBERS_MAX)
		return wrong(reader, "has too many lines `with:`");
	if (equals == NULL)
		return wrong(reader, "`with:` takes name = number, and what it is");
	number->value = strtod(equals + 1, &end);
	number->name = strndup(words, strcspn(words, " ="));
	if (number->name == NULL)
		return out_of_memory(reader);
	rule->number_count++;
	number->doc = strdup(end + strspn(end, " \t"));
	if (number->doc == NULL)
		return out_of_memory(reader);
	if (end == equals + 1 || number->name[0] == '\0')
		return wrong(reader, "`with:` takes name = number, and what it is");
	return FYKE_OK;
}

static enum fyke_status take_severity(struct reader *reader, const char *words)
{
	if (fyke_severity_find(words, &reader->rule->severity))
		return FYKE_OK;
	return wrong(reader, "severity is info, low, medium, high or critical");
}

static enum fyke_status keep(struct reader *reader, char **place, char *words)
{
	if (*place != NULL) {
		free(words);
		return wrong(reader, "says one thing twice");
	}
	*place = words;
	return FYKE_OK;
}

static enum fyke_status take_key(struct reader *reader, const char *key, size_t length, const char *value)
{
	struct fyke_rule *rule = reader->rule;
	const struct {
		const char *name;
		char **place;
	} texts[] = {{"title", &rule->title}, {"meaning", &rule->meaning}, {"innocent", &rule->innocent},
		{"advice", &rule->advice}};
	char *words = take_words(reader, value);
	enum fyke_status status;

	if (words == NULL)
		return out_of_memory(reader);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strncmp(key, texts[i].name, length) == 0 && texts[i].name[length] == '\0')
			return keep(reader, texts[i].place, words);
	}
	if (length == 8 && strncmp(key, "severity", length) == 0)
		status = take_severity(reader, words);
	else if (length == 4 && strncmp(key, "with", length) == 0)
		status = take_number(reader, words);
	else
		status = FYKE_OK; /* a comment like any other */
	free(words);
	return status;
}

/* A line "-- key: value"; other comments are passed over. */
static enum fyke_status take_line(struct reader *reader)
{
	const char *key = reader->at + 2 + strspn(reader->at + 2, " \t");
	size_t length = strspn(key, "abcdefghijklmnopqrstuvwxyz");

	if (length > 0 && key[length] == ':')
		return take_key(reader, key, length, key + length + 1);
	reader->at = next_line(reader->at);
	return FYKE_OK;
}

static enum fyke_status check(const struct reader *reader)
{
	const struct fyke_rule *rule = reader->rule;

	if (rule->title == NULL || rule->meaning == NULL || rule->innocent == NULL || rule->advice == NULL)
		return wrong(reader, "its head needs title, severity, meaning, innocent and advice");
	if (rule->severity == FYKE_SEVERITY_COUNT)
		return wrong(reader, "its head has no severity");
	if (rule->sql[strspn(rule->sql, " \t\r\n")] == '\0')
		return wrong(reader, "has no query");
	return FYKE_OK;
}

enum fyke_status fyke_rule_parse(
	const char *name, const char *text, struct fyke_rule *rule, struct fyke_error *error)
{
	struct reader reader = {.at = text, .rule = rule, .error = error};
	enum fyke_status status = FYKE_OK;

	*rule = (struct fyke_rule){.severity = FYKE_SEVERITY_COUNT, .name = strdup(name)};
	if (rule->name == NULL)
		return out_of_memory(&reader);
	while (status == FYKE_OK && strncmp(reader.at, "--", 2) == 0)
		status = take_line(&reader);
	if (status == FYKE_OK) {
		rule->sql = strdup(reader.at);
		status = rule->sql == NULL ? out_of_memory(&reader) : check(&reader);
	}
	if (status != FYKE_OK)
		fyke_rule_release(rule);
	return status;
}

void fyke_rule_release(struct fyke_rule *rule)
{
	free(rule->name);
	free(rule->title);
	free(rule->meaning);
	free(rule->innocent);
	free(rule->advice);
	free(rule->sql);
	for (size_t i = 0; i < rule->number_count; i++) {
		free(rule->numbers[i].name);
		free(rule->numbers[i].doc);
	}
	*rule = (struct fyke_rule){.name = NULL};
}
