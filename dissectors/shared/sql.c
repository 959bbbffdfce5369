/* Passwords in statements: IDENTIFIED BY '…', IDENTIFIED WITH x AS/BY '…', PASSWORD '…', PASSWORD = '…',
 * PASSWORD('…'). */
#include "dissectors/shared/sql.h"

#include <ctype.h>
#include <string.h>

static bool is_word(const char *at, const char *end, const char *word, size_t length)
{
	return (size_t)(end - at) >= length && strncasecmp(at, word, length) == 0;
}

/* The quote that opens a secret behind a telling word at `at`, or NULL. */
static const char *secret_behind(const char *at, const char *end)
{
	static const char between[] = " \t\r\n=(";
	bool identified = is_word(at, end, "identified", 10);

	if (!identified && !is_word(at, end, "password", 8))
		return NULL;
	at += identified ? 10 : 8;
	for (int i = 0; identified && i < 8 && at < end && *at != '\'' && *at != '"'; i++) {
		while (at < end && isspace((unsigned char)*at))
			at++;
		while (at < end && (isalnum((unsigned char)*at) || *at == '_'))
			at++;
	}
	while (at < end && *at != '\0' && strchr(between, *at) != NULL)
		at++;
	return at < end && (*at == '\'' || *at == '"') ? at : NULL;
}

static const char *quote_end(const char *quote, const char *end)
{
	const char *at = quote + 1;

	while (at < end && *at != *quote)
		at += *at == '\\' && at + 1 < end ? 2 : 1;
	return at < end ? at : end;
}

void fyke_sql_keep(
	struct fyke_dissection *dissection, struct fyke_text *text, const void *statement, size_t length)
{
	const char *at = statement, *end = at + length, *done = at;

	fyke_keep(dissection, text, "", 0, FYKE_SQL_MAX);
	if (fyke_secrets_are_stored(dissection))
		at = end;
	for (; at < end && text->length < FYKE_SQL_MAX; at++) {
		const char *quote =
			(*at | 0x20) == 'i' || (*at | 0x20) == 'p' ? secret_behind(at, end) : NULL;

		if (quote == NULL)
			continue;
		fyke_append(dissection, text, done, (size_t)(quote + 1 - done), FYKE_SQL_MAX);
		fyke_append(dissection, text, "***", 3, FYKE_SQL_MAX);
		done = quote_end(quote, end);
		at = done < end ? done : end - 1;
	}
	fyke_append(dissection, text, done, (size_t)(end - done), FYKE_SQL_MAX);
}
