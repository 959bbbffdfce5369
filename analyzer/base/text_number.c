/*
 * Numbers, sizes, durations and instants as people read them (declared in text.h). Dates are those of
 * the proleptic Gregorian calendar in UTC; nothing here asks the clock or the locale.
 */
#include "analyzer/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *fyke_text_count(int64_t value, char out[FYKE_TEXT_NUMBER])
{
	char digits[24];
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, size);
	size_t at = 0;

	if (value < 0)
		out[at++] = '-';
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

const char *fyke_text_bytes(int64_t bytes, char out[FYKE_TEXT_NUMBER])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	size_t unit = 0;

	/* 999.95 would be printed as 1000.0 */
	while ((value >= 999.95 || value <= -999.95) && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1000;
		unit++;
	}
	if (unit == 0)
		snprintf(out, FYKE_TEXT_NUMBER, "%" PRId64 " B", bytes);
	else
		snprintf(out, FYKE_TEXT_NUMBER, "%.1f %s", value, units[unit]);
	return out;
}

/* Three digits that matter: 1.23, 12.3, 123. */
static void three_digits(double value, const char *unit, char out[FYKE_TEXT_NUMBER])
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(out, FYKE_TEXT_NUMBER, "%.*f", decimals, value);
	if (strchr(out, '.') != NULL) {
		size_t end = strlen(out);

		while (out[end - 1] == '0')
			end--;
		out[out[end - 1] == '.' ? end - 1 : end] = '\0';
	}
	snprintf(out + strlen(out), FYKE_TEXT_NUMBER - strlen(out), " %s", unit);
}

static void two_units(int64_t seconds, int64_t size, const char *const names[2], char out[FYKE_TEXT_NUMBER])
{
	int64_t lower = size == 60 ? 1 : size == 3600 ? 60 : 3600;
	int64_t rest = seconds % size / lower;

	if (rest == 0)
		snprintf(out, FYKE_TEXT_NUMBER, "%" PRId64 " %s", seconds / size, names[0]);
	else
		snprintf(out, FYKE_TEXT_NUMBER, "%" PRId64 " %s %" PRId64 " %s", seconds / size, names[0],
			rest, names[1]);
}

const char *fyke_text_duration(int64_t us, unsigned flags, char out[FYKE_TEXT_NUMBER])
{
	int64_t seconds = us / 1000000;

	if (us < 0)
		snprintf(out, FYKE_TEXT_NUMBER, "%" PRId64 " %s", us,
			(flags & FYKE_TEXT_ASCII) != 0 ? "us" : "µs");
	else if (us == 0)
		snprintf(out, FYKE_TEXT_NUMBER, "0 s");
	else if (us < 1000)
		snprintf(out, FYKE_TEXT_NUMBER, "%" PRId64 " %s", us,
			(flags & FYKE_TEXT_ASCII) != 0 ? "us" : "µs");
	else if (us < 999500)
		three_digits((double)us / 1e3, "ms", out);
	else if (us < 59950000)
		three_digits((double)us / 1e6, "s", out);
	else if (seconds < 3600)
		two_units(seconds < 60 ? 60 : seconds, 60, (const char *const[]){"min", "s"}, out);
	else if (seconds < 86400)
		two_units(seconds, 3600, (const char *const[]){"h", "min"}, out);
	else
		two_units(seconds, 86400, (const char *const[]){"d", "h"}, out);
	return out;
}

const char *fyke_text_percent(int64_t part, int64_t whole, char out[FYKE_TEXT_NUMBER])
{
	double percent = whole == 0 ? 0 : 100.0 * (double)part / (double)whole;

	if (whole == 0)
		snprintf(out, FYKE_TEXT_NUMBER, "-");
	else if (part > 0 && percent < 0.05)
		snprintf(out, FYKE_TEXT_NUMBER, "< 0.1 %%");
	else
		snprintf(out, FYKE_TEXT_NUMBER, "%.1f %%", percent);
	return out;
}

int64_t fyke_text_days(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year; /* years that begin in March have the leap day last */
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t of_era = shifted - era * 146097;
	int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t m = (5 * of_year + 2) / 153;

	*day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

const char *fyke_text_time(int64_t us, unsigned digits, char out[FYKE_TEXT_TIME])
{
	int64_t rest = us % 1000000, seconds = us / 1000000, year;
	unsigned month, day, of_day;
	char fraction[12] = "";

	if (rest < 0) {
		rest += 1000000;
		seconds--;
	}
	of_day = (unsigned)((seconds % 86400 + 86400) % 86400);
	date_of((seconds - (int64_t)of_day) / 86400, &year, &month, &day);
	if (year < 0 || year > 9999) {
		snprintf(out, FYKE_TEXT_TIME, "%" PRId64, us);
		return out;
	}
	if (digits == 3)
		snprintf(fraction, sizeof(fraction), ".%03u", (unsigned)(rest / 1000));
	else if (digits == 6)
		snprintf(fraction, sizeof(fraction), ".%06u", (unsigned)rest);
	snprintf(out, FYKE_TEXT_TIME, "%04u-%02u-%02uT%02u:%02u:%02u%sZ", (unsigned)year, month, day,
		of_day / 3600, of_day / 60 % 60, of_day % 60, fraction);
	return out;
}
