/* Protocols of one line and its answer, after which the server closes: Finger, Whois. */
#ifndef FYKE_DISSECTORS_SHARED_QUERY_H
#define FYKE_DISSECTORS_SHARED_QUERY_H

#include "dissectors/shared/line.h"

enum { FYKE_QUERY_MAX = 512 };

struct fyke_query {
	struct fyke_lines lines;
	struct fyke_text line;
	struct fyke_moment moment;
	int64_t answer_bytes, answer_lines;
};

enum { FYKE_QUERY_TEXT, FYKE_QUERY_BYTES, FYKE_QUERY_LINES, FYKE_QUERY_FIELDS };

#define FYKE_QUERY_FIELD_LIST                                                                                \
	[FYKE_QUERY_TEXT] = {"query", FYKE_TYPE_TEXT, "the client's line"},                                  \
	[FYKE_QUERY_BYTES] = {"answer_bytes", FYKE_TYPE_INTEGER, "that were seen"},                          \
	[FYKE_QUERY_LINES] = {"answer_lines", FYKE_TYPE_INTEGER, "likewise"}

/* MAYBE when the client's one line and the server's answer are text as far as they came, else NO. */
enum fyke_match fyke_query_probe(const struct fyke_opening *opening);
struct fyke_verdict fyke_query_feed(
	struct fyke_dissection *dissection, struct fyke_query *query, const struct fyke_input *input);
/* A row of a table with these fields, when there was a question. */
void fyke_query_tell(
	struct fyke_dissection *dissection, const struct fyke_query *query, const struct fyke_table *table);

#endif
