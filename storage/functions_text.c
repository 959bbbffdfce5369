/*
 * SQL functions about words, for rules: fyke_domain(name), the part of a DNS name that somebody registered,
 * fyke_entropy(text), in bits per character, and fyke_count(3, 'login'), which says "3 logins".
 *
 * The registered part is guessed, without a list of public suffixes: the last two labels; three where the
 * last has two letters and the one before at most three (example.co.uk, example.com.au).
 */
#include "storage/functions.h"

#include "storage/sql.h"

#include <math.h>
#include <string.h>

/* Where the last `labels` labels begin. */
static size_t last_labels(const char *name, size_t length, unsigned labels)
{
	size_t at = length;

	while (at > 0) {
		if (name[at - 1] == '.' && --labels == 0)
			break;
		at--;
	}
	return at;
}

static void domain_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const char *name = (const char *)sqlite3_value_text(argv[0]);
	size_t length, one, two;

	(void)argc;
	if (name == NULL)
		return;
	length = strlen(name);
	if (length > 0 && name[length - 1] == '.')
		length--;
	one = last_labels(name, length, 1);
	two = last_labels(name, length, 2);
	if (length - one == 2 && one > two && one - two - 1 <= 3)
		two = last_labels(name, length, 3);
	sqlite3_result_text(context, name + two, (int)(length - two), SQLITE_TRANSIENT);
}

static void entropy_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const unsigned char *text = sqlite3_value_text(argv[0]);
	unsigned counts[256] = {0};
	double entropy = 0;
	size_t length;

	(void)argc;
	if (text == NULL)
		return;
	length = (size_t)sqlite3_value_bytes(argv[0]);
	for (size_t i = 0; i < length; i++)
		counts[text[i]]++;
	for (size_t i = 0; i < 256; i++) {
		double share = (double)counts[i] / (double)length;

		if (counts[i] > 0)
			entropy -= share * log2(share);
	}
	sqlite3_result_double(context, entropy);
}

/* The plural with an s, or as given. */
static void count_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	sqlite3_int64 number = sqlite3_value_int64(argv[0]);
	const char *one = (const char *)sqlite3_value_text(argv[1]);
	const char *many = argc > 2 ? (const char *)sqlite3_value_text(argv[2]) : NULL;
	char *text;

	if (one == NULL || sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	if (number == 1)
		text = sqlite3_mprintf("1 %s", one);
	else
		text = sqlite3_mprintf(
			"%lld %s%s", number, many != NULL ? many : one, many != NULL ? "" : "s");
	if (text == NULL)
		sqlite3_result_error_nomem(context);
	else
		sqlite3_result_text(context, text, -1, sqlite3_free);
}

enum fyke_status fyke_functions_register_text(sqlite3 *db, struct fyke_error *error)
{
	const struct {
		const char *name;
		int arguments;
		void (*function)(sqlite3_context *, int, sqlite3_value **);
	} list[] = {{"fyke_domain", 1, domain_function}, {"fyke_entropy", 1, entropy_function},
		{"fyke_count", 2, count_function}, {"fyke_count", 3, count_function}};
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (sqlite3_create_function_v2(db, list[i].name, list[i].arguments, flags, NULL,
			    list[i].function, NULL, NULL, NULL) != SQLITE_OK)
			return fyke_sql_failed(db, error);
	}
	return FYKE_OK;
}
