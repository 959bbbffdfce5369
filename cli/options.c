/* Options by getopt_long, whose messages are replaced by our own; sizes, durations and counts. */
#include "cli/options.h"

#include "analyzer/base/text.h"
#include "cli/command.h"

#include <ctype.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void fyke_options_begin(
	struct fyke_arguments *arguments, int argc, char **argv, const struct fyke_command_help *help)
{
	*arguments = (struct fyke_arguments){.argc = argc, .argv = argv, .help = help, .first = argc};
	optind = 0; /* glibc: start afresh, also its hidden state */
	opterr = 0;
}

enum { HELP = 1, SHORT_MAX = 2 * FYKE_OPTIONS_MAX + 4 };

struct getopt_tables {
	char letters[SHORT_MAX];
	struct option names[FYKE_OPTIONS_MAX + 2];
};

static void fill_tables(const struct fyke_option *options, struct getopt_tables *tables)
{
	char *letter = tables->letters;
	struct option *name = tables->names;
	bool has_h = false;

	*letter++ = ':'; /* a missing value is told apart from an unknown option */
	for (int i = 0; options != NULL && options[i].name != NULL && i < FYKE_OPTIONS_MAX; i++) {
		const struct fyke_option *o = &options[i];
		int value = o->letter != 0 ? o->letter : FYKE_OPTION(i);

		*name++ = (struct option){
			o->name, o->argument == NULL ? no_argument : required_argument, NULL, value};
		if (o->letter == 0)
			continue;
		has_h = has_h || o->letter == 'h';
		*letter++ = o->letter;
		if (o->argument != NULL)
			*letter++ = ':';
	}
	if (!has_h)
		*letter++ = 'h';
	*name++ = (struct option){"help", no_argument, NULL, HELP};
	*letter = '\0';
	*name = (struct option){0};
}

static const char *nearest_option(const char *word, const struct fyke_option *options)
{
	const char *names[FYKE_OPTIONS_MAX + 2] = {NULL};
	int count = 0;

	for (int i = 0; options != NULL && options[i].name != NULL && count < FYKE_OPTIONS_MAX; i++) {
		if (options[i].help != NULL)
			names[count++] = options[i].name;
	}
	names[count++] = "help";
	return fyke_text_nearest(word, names);
}

/* getopt says '?' for an unknown option, an ambiguous beginning, and a value where none belongs. */
static void tell_unknown(const struct fyke_arguments *arguments)
{
	const char *name = arguments->argv[0], *word = arguments->argv[optind > 0 ? optind - 1 : 0], *near;
	size_t length;

	if (optopt > 0 && optopt < 256 && (word[0] != '-' || word[1] != '-')) {
		fyke_usage(name, "unknown option -%c", optopt);
		return;
	}
	length = strcspn(word, "=");
	if (optopt != 0) {
		fyke_usage(name, "option %.*s takes no value", (int)length, word);
		return;
	}
	near = nearest_option(word + 2, arguments->help->options);
	if (near != NULL)
		fyke_usage(name, "unknown option %.*s: did you mean --%s?", (int)length, word, near);
	else
		fyke_usage(name, "unknown option %.*s", (int)length, word);
}

static int stop(struct fyke_arguments *arguments, int exit_code)
{
	arguments->exit = exit_code;
	return FYKE_OPTIONS_STOP;
}

int fyke_options_next(struct fyke_arguments *arguments)
{
	struct getopt_tables tables;
	const struct fyke_option *options = arguments->help->options;
	int result;

	fill_tables(options, &tables);
	result = getopt_long(arguments->argc, arguments->argv, tables.letters, tables.names, NULL);
	arguments->value = optarg;
	if (result == -1) {
		arguments->first = optind;
		return FYKE_OPTIONS_END;
	}
	if (result == '?') {
		tell_unknown(arguments);
		return stop(arguments, FYKE_EXIT_USAGE);
	}
	if (result == ':') {
		fyke_usage(arguments->argv[0], "option %s needs a value", arguments->argv[optind - 1]);
		return stop(arguments, FYKE_EXIT_USAGE);
	}
	if (result == HELP || (result == 'h' && strchr(tables.letters, 'h')[1] != ':'))
		return stop(arguments, fyke_command_print_help(arguments->argv[0], arguments->help));
	return result;
}

bool fyke_parse_count(const char *text, uint64_t most, uint64_t *count)
{
	uint64_t value = 0;

	if (*text == '\0')
		return false;
	for (const char *c = text; *c != '\0'; c++) {
		unsigned digit = (unsigned)(*c - '0');

		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (value > most)
		return false;
	*count = value;
	return true;
}

/* A decimal number at the start of text: digits and perhaps a fraction, nothing else that strtod knows. */
static bool parse_number(const char *text, double *value, const char **rest)
{
	const char *c = text;
	bool fraction = false;

	for (; isdigit((unsigned char)*c) || (*c == '.' && !fraction); c++)
		fraction = fraction || *c == '.';
	if (c == text || c - text > 24 || !isdigit((unsigned char)*text))
		return false;
	*value = 0;
	for (const char *d = text; d < c && *d != '.'; d++)
		*value = *value * 10 + (*d - '0');
	if (fraction) {
		double place = 0.1;

		for (const char *d = strchr(text, '.') + 1; d < c; d++, place /= 10)
			*value += place * (*d - '0');
	}
	*rest = c;
	return true;
}

struct unit {
	const char *name;
	double factor;
};

static bool parse_with_unit(const char *text, const struct unit *units, double *value)
{
	const char *rest;

	if (!parse_number(text, value, &rest))
		return false;
	for (; units->name != NULL; units++) {
		if (strcasecmp(rest, units->name) == 0) {
			*value *= units->factor;
			return true;
		}
	}
	return false;
}

bool fyke_parse_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {{"", 1}, {"b", 1}, {"k", 0x1p10}, {"kb", 0x1p10}, {"kib", 0x1p10},
		{"m", 0x1p20}, {"mb", 0x1p20}, {"mib", 0x1p20}, {"g", 0x1p30}, {"gb", 0x1p30},
		{"gib", 0x1p30}, {"t", 0x1p40}, {"tb", 0x1p40}, {"tib", 0x1p40}, {NULL, 0}};
	double value;

	if (!parse_with_unit(text, units, &value) || value >= 0x1p63)
		return false;
	*bytes = (uint64_t)value;
	return true;
}

bool fyke_parse_duration(const char *text, int64_t *ns)
{
	static const struct unit units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1},
		{"m", 60e9}, {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}, {"w", 604800e9}, {NULL, 0}};
	double value;

	if (!parse_with_unit(text, units, &value) || value >= 0x1p63)
		return false;
	*ns = (int64_t)llround(value);
	return true;
}
