/* The rules together: those of the build, and a folder of the user's. */
#include "findings/rule.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_card(const struct fyke_rule *rule)
{
	return strncmp(rule->name, "card-", 5) == 0;
}

/* Cards read what the others found, so they come last. */
static int compare(const void *a, const void *b)
{
	const struct fyke_rule *left = a, *right = b;

	if (is_card(left) != is_card(right))
		return is_card(left) ? 1 : -1;
	return strcmp(left->name, right->name);
}

const struct fyke_rule *fyke_rules_find(const struct fyke_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (strcmp(rules->list[i].name, name) == 0)
			return &rules->list[i];
	}
	return NULL;
}

/* Takes `rule` over, in the place of one of the same name. */
static enum fyke_status put(struct fyke_rules *rules, struct fyke_rule *rule, struct fyke_error *error)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (strcmp(rules->list[i].name, rule->name) == 0) {
			fyke_rule_release(&rules->list[i]);
			rules->list[i] = *rule;
			return FYKE_OK;
		}
	}
	if (rules->count == FYKE_RULES_MAX) {
		fyke_rule_release(rule);
		return fyke_error_set(error, FYKE_FAILED_USAGE, "more than %d rules", FYKE_RULES_MAX);
	}
	rules->list[rules->count++] = *rule;
	return FYKE_OK;
}

static enum fyke_status load_builtin(struct fyke_rules *rules, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	for (size_t i = 0; status == FYKE_OK && i < fyke_builtin_rule_count; i++) {
		struct fyke_rule rule;

		status =
			fyke_rule_parse(fyke_builtin_rules[i].name, fyke_builtin_rules[i].text, &rule, error);
		if (status != FYKE_OK)
			return status;
		rule.builtin = true;
		status = put(rules, &rule, error);
	}
	return status;
}

/* The whole file; NULL with errno, EFBIG where it is no text of a rule's size. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t length;

	if (file == NULL)
		return NULL;
	text = malloc(FYKE_RULE_TEXT_MAX + 1);
	length = text == NULL ? 0 : fread(text, 1, FYKE_RULE_TEXT_MAX + 1, file);
	if (text != NULL &&
		(ferror(file) != 0 || length > FYKE_RULE_TEXT_MAX || memchr(text, '\0', length) != NULL)) {
		errno = ferror(file) != 0 ? EIO : EFBIG;
		free(text);
		text = NULL;
	}
	if (text != NULL)
		text[length] = '\0';
	(void)fclose(file);
	return text;
}

static enum fyke_status load_file(
	const char *folder, const char *file, struct fyke_rules *rules, struct fyke_error *error)
{
	struct fyke_rule rule;
	enum fyke_status status;
	char path[4096], name[256], *text;

	if (snprintf(path, sizeof(path), "%s/%s", folder, file) >= (int)sizeof(path))
		return fyke_error_set(error, FYKE_FAILED_IO, "%s: its path is too long", file);
	snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - 4), file);
	text = read_text(path);
	if (text == NULL)
		return fyke_error_set(error, FYKE_FAILED_IO, "%s: cannot read the rule: %s", path,
			errno == EFBIG ? "it is no text, or too long" : strerror(errno));
	status = fyke_rule_parse(name, text, &rule, error);
	free(text);
	return status == FYKE_OK ? put(rules, &rule, error) : status;
}

static bool is_rule_file(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 4 && strcmp(name + length - 4, ".sql") == 0;
}

static enum fyke_status load_folder(const char *folder, struct fyke_rules *rules, struct fyke_error *error)
{
	DIR *directory = opendir(folder);
	enum fyke_status status = FYKE_OK;
	const struct dirent *entry;

	if (directory == NULL)
		return fyke_error_set(error, FYKE_FAILED_IO, "%s: cannot read the folder of rules: %s",
			folder, strerror(errno));
	while (status == FYKE_OK && (entry = readdir(directory)) != NULL) {
		if (is_rule_file(entry->d_name))
			status = load_file(folder, entry->d_name, rules, error);
	}
	(void)closedir(directory);
	return status;
}

enum fyke_status fyke_rules_load(const char *folder, struct fyke_rules *rules, struct fyke_error *error)
{
	enum fyke_status status;

	*rules = (struct fyke_rules){.list = calloc(FYKE_RULES_MAX, sizeof(*rules->list))};
	if (rules->list == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
	status = load_builtin(rules, error);
	if (status == FYKE_OK && folder != NULL)
		status = load_folder(folder, rules, error);
	if (status != FYKE_OK) {
		fyke_rules_release(rules);
		return status;
	}
	qsort(rules->list, rules->count, sizeof(*rules->list), compare);
	return FYKE_OK;
}

enum fyke_status fyke_rules_check(const char *folder, struct fyke_error *error)
{
	struct fyke_rules rules;
	enum fyke_status status = fyke_rules_load(folder, &rules, error);

	if (status == FYKE_OK)
		fyke_rules_release(&rules);
	return status;
}

void fyke_rules_release(struct fyke_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		fyke_rule_release(&rules->list[i]);
	free(rules->list);
	*rules = (struct fyke_rules){.list = NULL};
}
