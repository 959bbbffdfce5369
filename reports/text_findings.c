/* The summary's list of findings: the gravest first, a line each. */
#include "reports/text_internal.h"

#include <sqlite3.h>

/* Of each rule the gravest, and how many there are: ten passwords in clear text must not hide a scan. */
static const char query[] =
	"WITH ranked AS (SELECT id, severity, title, subject, count(*) OVER (PARTITION BY rule) AS n, CASE "
	"severity"
	" WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END AS "
	"rank,"
	" row_number() OVER (PARTITION BY rule ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' "
	"THEN 1"
	" WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END, id) AS place FROM findings"
	" WHERE (?1 = 0 OR capture_id = ?1) AND status <> 'gone')"
	" SELECT severity, title, subject, n FROM ranked WHERE place = 1 ORDER BY rank, id";

static const char *text_at(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text == NULL ? "" : text;
}

static enum fyke_paint paint_of(const char *severity)
{
	if (severity[0] == 'h' || severity[0] == 'c')
		return FYKE_PAINT_BAD;
	return severity[0] == 'm' ? FYKE_PAINT_WARN : FYKE_PAINT_PLAIN;
}

static void put(const struct fyke_summary *s, sqlite3_stmt *row)
{
	int64_t more = sqlite3_column_int64(row, 3) - 1;
	char label[16], text[560];
	int length;

	snprintf(label, sizeof(label), "%.12s", text_at(row, 0));
	length = snprintf(text, sizeof(text), "%.250s: %.200s", text_at(row, 1), text_at(row, 2));
	if (more > 0 && length > 0)
		snprintf(text + length, sizeof(text) - (size_t)length, "; %lld more of this kind",
			(long long)more);
	fyke_summary_line(s, label, paint_of(text_at(row, 0)), text);
}

enum fyke_status fyke_summary_findings(const struct fyke_summary *s, bool *any)
{
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(s->db, query, s->capture_id, &row, s->error);
	int64_t kinds = 0, left_out = 0;

	while (status == FYKE_OK && fyke_facts_step(&row, &status, s->error)) {
		if (kinds == 0)
			fyke_summary_heading(s, "Findings", "evidence, no verdict: fyke findings tells more");
		if (kinds++ < (int64_t)s->top)
			put(s, row);
		else
			left_out += sqlite3_column_int64(row, 3);
	}
	if (left_out > 0)
		fprintf(s->out, "  ... and %lld more\n", (long long)left_out);
	*any = kinds > 0;
	return status;
}
