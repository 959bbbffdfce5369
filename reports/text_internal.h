/* The summary's own parts. Of reports/text*.c alone. */
#ifndef FYKE_REPORTS_TEXT_INTERNAL_H
#define FYKE_REPORTS_TEXT_INTERNAL_H

#include "reports/facts.h"
#include "reports/report.h"

struct fyke_summary {
	struct sqlite3 *db;
	const struct fyke_report_options *options;
	const struct fyke_screen *screen;
	const struct fyke_facts *facts;
	int64_t capture_id; /* 0 = all */
	unsigned top;
	FILE *out;
	struct fyke_error *error;
};

/* What is said in pieces; what has no room is left out. */
struct fyke_sentence {
	char text[512];
	size_t at;
};

void fyke_say(struct fyke_sentence *sentence, const char *format, ...) FYKE_PRINTF(2, 3);

void fyke_summary_heading(const struct fyke_summary *s, const char *title, const char *more);
void fyke_summary_line(
	const struct fyke_summary *s, const char *label, enum fyke_paint paint, const char *text);

/* What a host is called: its name, else its maker, and its system where that is known; "" for nothing. */
void fyke_summary_called(const struct fyke_summary *s, const char *ip, char *text, size_t room);

/* Who wrote a capture's files, its interfaces, and what was written into them, as far as they say. */
FYKE_MUST_USE enum fyke_status fyke_summary_origin(const struct fyke_summary *s, int64_t capture_id);
FYKE_MUST_USE enum fyke_status fyke_summary_comments(const struct fyke_summary *s, int64_t capture_id);
/* What was said, as far as protocols are read. */
FYKE_MUST_USE enum fyke_status fyke_summary_contents(const struct fyke_summary *s);
void fyke_summary_tcp(const struct fyke_summary *s);
FYKE_MUST_USE enum fyke_status fyke_summary_isns(const struct fyke_summary *s);
FYKE_MUST_USE enum fyke_status fyke_summary_ports(const struct fyke_summary *s);
/* What was refused, and what is wrong with the files. */
FYKE_MUST_USE enum fyke_status fyke_summary_unread(const struct fyke_summary *s);
/* Commands that lead on from here. */
FYKE_MUST_USE enum fyke_status fyke_summary_findings(const struct fyke_summary *s, bool *any);
void fyke_summary_next(const struct fyke_summary *s, bool found);

#endif
