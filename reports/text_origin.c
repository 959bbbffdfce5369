/*
 * The summary's lines about where a capture comes from: the program that wrote it, its interfaces, and what
 * people have written into it. Of each the first few; texts are anybody's, so they are cut as well.
 */
#include "reports/text_internal.h"

#include "analyzer/base/text.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { INTERFACES_SHOWN = 6, COMMENTS_SHOWN = 3 };

/* A text in one line of at most 200 characters. */
#define ONE_LINE(text)                                                                                       \
	"trim(replace(replace(replace(substr(" text                                                          \
	", 1, 200), char(13), ''), char(10), ' '), '  ', ' ')) || CASE WHEN "                                \
	"length(" text ") > 200 THEN ' ...' ELSE '' END"

static const char writer_query[] =
	"SELECT substr(ifnull(application, 'a program'), 1, 120) || ifnull(' on ' || substr(os, 1, 80), ''),"
	" count(*) OVER () FROM files WHERE capture_id = ?1 AND (application IS NOT NULL OR os IS NOT NULL)"
	" GROUP BY application, os ORDER BY min(position) LIMIT 1";

/* Windows names its devices by numbers, and describes them by names. */
static const char interface_query[] =
	"SELECT substr(CASE WHEN name LIKE '\\Device\\%' THEN ifnull(description, name) ELSE name END, 1, 60)"
	" || CASE WHEN (SELECT count(DISTINCT link_type) FROM interfaces WHERE capture_id = ?1) > 1"
	" THEN ' (' || link_type || ')' ELSE '' END, count(*) OVER () FROM interfaces"
	" WHERE capture_id = ?1 AND file_id IS NOT NULL AND name IS NOT NULL"
	" GROUP BY 1 ORDER BY min(position) LIMIT ?2";

static const char file_comment_query[] =
	"SELECT " ONE_LINE("text") ", count(*) OVER () FROM comments WHERE capture_id = ?1 AND frame IS NULL"
				   " ORDER BY n LIMIT ?2";

static const char packet_comment_query[] =
	"SELECT " ONE_LINE("text") ", count(*) OVER (), frame FROM comments"
				   " WHERE capture_id = ?1 AND frame IS NOT NULL ORDER BY n LIMIT ?2";

static enum fyke_status prepare(
	const struct fyke_summary *s, const char *sql, int64_t capture_id, int most, sqlite3_stmt **row)
{
	enum fyke_status status = fyke_facts_prepare(s->db, sql, capture_id, row, s->error);

	if (status == FYKE_OK && most > 0)
		sqlite3_bind_int(*row, 2, most);
	return status;
}

static const char *text_at(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text == NULL ? "" : text;
}

static enum fyke_status show_writer(const struct fyke_summary *s, int64_t capture_id)
{
	sqlite3_stmt *row;
	enum fyke_status status = prepare(s, writer_query, capture_id, 0, &row);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, s->error)) {
		int64_t others = sqlite3_column_int64(row, 1) - 1;
		char number[FYKE_TEXT_NUMBER], text[1024];

		snprintf(text, sizeof(text), "%.900s", text_at(row, 0));
		if (others > 0)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), ", and %s others",
				fyke_text_count(others, number));
		fyke_summary_line(s, "written by", FYKE_PAINT_PLAIN, text);
	}
	return status;
}

static enum fyke_status show_interfaces(const struct fyke_summary *s, int64_t capture_id)
{
	sqlite3_stmt *row;
	enum fyke_status status = prepare(s, interface_query, capture_id, INTERFACES_SHOWN, &row);
	int64_t all = 0, shown = 0;
	char number[FYKE_TEXT_NUMBER], *text;
	size_t length;
	FILE *line = open_memstream(&text, &length);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, s->error)) {
		all = sqlite3_column_int64(row, 1);
		if (line != NULL)
			fprintf(line, "%s%s", shown > 0 ? ", " : "", text_at(row, 0));
		shown++;
	}
	if (line != NULL && all > shown)
		fprintf(line, " and %s more", fyke_text_count(all - shown, number));
	if (line == NULL || fclose(line) != 0)
		return fyke_error_set(s->error, FYKE_FAILED_MEMORY, "out of memory");
	if (status == FYKE_OK && shown > 0)
		fyke_summary_line(s, shown > 1 ? "interfaces" : "interface", FYKE_PAINT_PLAIN, text);
	free(text);
	return status;
}

static void tell_rest(const struct fyke_summary *s, int64_t all, int64_t shown)
{
	char number[FYKE_TEXT_NUMBER], text[64];

	if (all <= shown)
		return;
	snprintf(text, sizeof(text), "... and %s more", fyke_text_count(all - shown, number));
	fyke_summary_line(s, "", FYKE_PAINT_DIM, text);
}

static enum fyke_status show_file_comments(const struct fyke_summary *s, int64_t capture_id)
{
	sqlite3_stmt *row;
	enum fyke_status status = prepare(s, file_comment_query, capture_id, COMMENTS_SHOWN, &row);
	int64_t all = 0, shown = 0;

	for (; status == FYKE_OK && fyke_facts_step(&row, &status, s->error); shown++) {
		all = sqlite3_column_int64(row, 1);
		fyke_summary_line(s, shown == 0 ? "comment" : "", FYKE_PAINT_PLAIN, text_at(row, 0));
	}
	tell_rest(s, all, shown);
	return status;
}

static enum fyke_status show_packet_comments(const struct fyke_summary *s, int64_t capture_id)
{
	sqlite3_stmt *row;
	enum fyke_status status = prepare(s, packet_comment_query, capture_id, COMMENTS_SHOWN, &row);
	char number[FYKE_TEXT_NUMBER], text[64];
	int64_t all = 0, shown = 0;

	for (; status == FYKE_OK && fyke_facts_step(&row, &status, s->error); shown++) {
		all = sqlite3_column_int64(row, 1);
		if (shown == 0) {
			snprintf(text, sizeof(text), "%s on packets", fyke_text_count(all, number));
			fyke_summary_line(s, "comments", FYKE_PAINT_PLAIN, text);
		}
		snprintf(text, sizeof(text), "packet %lld", (long long)sqlite3_column_int64(row, 2));
		fyke_summary_line(s, text, FYKE_PAINT_PLAIN, text_at(row, 0));
	}
	tell_rest(s, all, shown);
	return status;
}

enum fyke_status fyke_summary_origin(const struct fyke_summary *s, int64_t capture_id)
{
	enum fyke_status status = show_writer(s, capture_id);

	return status == FYKE_OK ? show_interfaces(s, capture_id) : status;
}

enum fyke_status fyke_summary_comments(const struct fyke_summary *s, int64_t capture_id)
{
	enum fyke_status status = show_file_comments(s, capture_id);

	return status == FYKE_OK ? show_packet_comments(s, capture_id) : status;
}
