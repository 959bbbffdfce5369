/*
 * Values in filters: numbers with units, durations, instants (ISO 8601 and a few words).
 * Everything is UTC unless the text has an offset; nothing here asks the clock.
 */
#include "storage/filter_value.h"

#include "analyzer/base/text.h"
#include "storage/filter.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const int64_t day_us = 86400000000;

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit sizes[] = {{"", 1}, {"b", 1}, {"k", 1000}, {"kb", 1000}, {"m", 1000000},
	{"mb", 1000000}, {"g", 1000000000}, {"gb", 1000000000}, {"t", 1000000000000}, {"tb", 1000000000000},
	{"ki", 1024}, {"kib", 1024}, {"mi", 1048576}, {"mib", 1048576}, {"gi", 1073741824},
	{"gib", 1073741824}, {"ti", 1099511627776}, {"tib", 1099511627776}, {NULL, 0}};

static const struct unit spans[] = {{"us", 1}, {"µs", 1}, {"usec", 1}, {"ms", 1000}, {"msec", 1000},
	{"s", 1000000}, {"sec", 1000000}, {"secs", 1000000}, {"second", 1000000}, {"seconds", 1000000},
	{"m", 60000000}, {"min", 60000000}, {"mins", 60000000}, {"minute", 60000000}, {"minutes", 60000000},
	{"h", 3600000000}, {"hour", 3600000000}, {"hours", 3600000000}, {"d", 86400000000},
	{"day", 86400000000}, {"days", 86400000000}, {"w", 604800000000}, {"week", 604800000000},
	{"weeks", 604800000000}, {NULL, 0}};

static const struct unit *find_unit(const struct unit *units, const char *name)
{
	for (; units->name != NULL; units++) {
		if (strcasecmp(units->name, name) == 0)
			return units;
	}
	return NULL;
}

/* Digits with an optional sign and fraction; *rest is what follows. Whole numbers stay exact. */
static bool scan_number(const char *text, int64_t *whole, double *fraction, const char **rest)
{
	char *end;
	const char *digits = *text == '-' || *text == '+' ? text + 1 : text;

	if (!isdigit((unsigned char)*digits))
		return false;
	errno = 0;
	*whole = strtoll(text, &end, 10);
	*fraction = 0;
	if (errno != 0)
		return false;
	if (*end == '.' && isdigit((unsigned char)end[1])) {
		double scale = *text == '-' ? -0.1 : 0.1;

		for (end++; isdigit((unsigned char)*end); end++, scale /= 10)
			*fraction += scale * (*end - '0');
	}
	*rest = end;
	return true;
}

static bool scale(int64_t whole, double fraction, int64_t factor, int64_t *value)
{
	double rest = fraction * (double)factor;
	int64_t rounded = (int64_t)(rest < 0 ? rest - 0.5 : rest + 0.5);

	return !__builtin_mul_overflow(whole, factor, value) &&
	       !__builtin_add_overflow(*value, rounded, value);
}

bool fyke_filter_number(const char *text, int64_t *value)
{
	const struct unit *unit;
	const char *rest;
	double fraction;
	int64_t whole;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && isxdigit((unsigned char)text[2])) {
		char *end;

		errno = 0;
		*value = strtoll(text, &end, 16);
		return errno == 0 && *end == '\0';
	}
	if (!scan_number(text, &whole, &fraction, &rest))
		return false;
	unit = find_unit(sizes, rest);
	return unit != NULL && scale(whole, fraction, unit->factor, value);
}

bool fyke_filter_duration(const char *text, int64_t bare_us, int64_t *us)
{
	const struct unit *unit;
	const char *rest;
	double fraction;
	int64_t whole;

	if (!scan_number(text, &whole, &fraction, &rest))
		return false;
	while (*rest == ' ')
		rest++;
	if (*rest == '\0')
		return bare_us != 0 && scale(whole, fraction, bare_us, us);
	unit = find_unit(spans, rest);
	return unit != NULL && scale(whole, fraction, unit->factor, us);
}

/* Exactly `count` digits. */
static bool digits(const char **at, unsigned count, unsigned *value)
{
	*value = 0;
	for (unsigned i = 0; i < count; i++, (*at)++) {
		if (!isdigit((unsigned char)**at))
			return false;
		*value = *value * 10 + (unsigned)(**at - '0');
	}
	return true;
}

static bool scan_date(const char **at, int64_t *us)
{
	static const unsigned lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned year, month, day;

	if (!digits(at, 4, &year) || *(*at)++ != '-' || !digits(at, 2, &month) || *(*at)++ != '-' ||
		!digits(at, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1])
		return false;
	if (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
		return false;
	*us = fyke_text_days(year, month, day) * day_us;
	return true;
}

/* HH:MM[:SS[.fraction]] */
static bool scan_clock(const char **at, int64_t *us)
{
	unsigned hour, minute, second = 0;
	int64_t fraction = 0, place = 100000;

	if (!digits(at, 2, &hour) || *(*at)++ != ':' || !digits(at, 2, &minute) || hour > 23 || minute > 59)
		return false;
	if (**at == ':') {
		(*at)++;
		if (!digits(at, 2, &second) || second > 60)
			return false;
	}
	if (**at == '.' && isdigit((unsigned char)(*at)[1])) {
		for ((*at)++; isdigit((unsigned char)**at); (*at)++, place /= 10)
			fraction += place * (**at - '0');
	}
	*us = ((int64_t)hour * 3600 + minute * 60 + second) * 1000000 + fraction;
	return true;
}

/* Z, +HH, +HH:MM or +HHMM up to the end of the text; nothing is UTC. */
static bool scan_offset(const char *at, int64_t *us)
{
	bool negative = *at == '-';
	unsigned hours, minutes = 0;

	*us = 0;
	while (*at == ' ')
		at++;
	if (*at == '\0' || strcasecmp(at, "Z") == 0 || strcasecmp(at, "UTC") == 0)
		return true;
	negative = *at == '-';
	if ((*at != '+' && *at != '-') || (at++, !digits(&at, 2, &hours)))
		return false;
	if (*at == ':')
		at++;
	if (*at != '\0' && !digits(&at, 2, &minutes))
		return false;
	*us = ((int64_t)hours * 3600 + minutes * 60) * 1000000 * (negative ? -1 : 1);
	return *at == '\0' && hours <= 14 && minutes < 60;
}

/* A clock time and offset behind a date, or nothing. */
static bool rest_of_day(const char *at, int64_t day, int64_t *us, int64_t *span_us)
{
	int64_t clock = 0, offset;

	*span_us = 0;
	if (*at == '\0') {
		*us = day;
		*span_us = day_us;
		return true;
	}
	if ((*at != 'T' && *at != 't' && *at != ' ') || (at++, !scan_clock(&at, &clock)) ||
		!scan_offset(at, &offset))
		return false;
	*us = day + clock - offset;
	return true;
}

static bool is_ago(const char *text, int64_t now_us, int64_t *us)
{
	char span[64];
	size_t length = strlen(text);
	int64_t back;

	if (length >= sizeof(span))
		return false;
	if (length > 4 && strcasecmp(text + length - 4, " ago") == 0) {
		memcpy(span, text, length - 4);
		span[length - 4] = '\0';
		return fyke_filter_duration(span, 0, &back) && !__builtin_sub_overflow(now_us, back, us);
	}
	return text[0] == '-' && fyke_filter_duration(text, 0, &back) &&
	       !__builtin_add_overflow(now_us, back, us);
}

bool fyke_filter_instant(const char *text, int64_t now_us, int64_t *us, int64_t *span_us)
{
	int64_t today = now_us - ((now_us % day_us) + day_us) % day_us, whole, offset;
	const char *at = text;
	double fraction;

	*span_us = 0;
	if (strcasecmp(text, "now") == 0) {
		*us = now_us;
		return true;
	}
	if (strncasecmp(text, "today", 5) == 0)
		return rest_of_day(text + 5, today, us, span_us);
	if (strncasecmp(text, "yesterday", 9) == 0)
		return rest_of_day(text + 9, today - day_us, us, span_us);
	if (is_ago(text, now_us, us))
		return true;
	if (text[0] == '@')
		return scan_number(text + 1, &whole, &fraction, &at) && *at == '\0' &&
		       scale(whole, fraction, 1000000, us);
	if (scan_date(&at, us))
		return rest_of_day(at, *us, us, span_us);
	at = text;
	if (!scan_clock(&at, us) || !scan_offset(at, &offset))
		return false;
	*us += today - offset;
	return true;
}

bool fyke_filter_time(const char *text, int64_t now_us, int64_t *us)
{
	int64_t span_us;

	return fyke_filter_instant(text, now_us, us, &span_us);
}
