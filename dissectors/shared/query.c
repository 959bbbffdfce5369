/* The answer is counted, not kept. */
#include "dissectors/shared/query.h"

#include <string.h>

/* Questions are typed in ASCII, and no browser's (HTTP/0.9). */
static bool is_question(const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (data[i] >= 0x80)
			return false;
	}
	/* a word, an option, an address; or a line end alone */
	if (length > 0 && !((data[0] | 0x20) >= 'a' && (data[0] | 0x20) <= 'z') &&
		!(data[0] >= '0' && data[0] <= '9') && memchr("-/@=!?\"\r\n ", data[0], 10) == NULL)
		return false;
	return !(length >= 5 && memcmp(data, "GET /", 5) == 0);
}

static bool is_text(const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((data[i] < 0x20 && data[i] != '\t' && data[i] != '\r' && data[i] != '\n' &&
			    data[i] != '\f') ||
			data[i] == 0x7f)
			return false;
	}
	return true;
}

enum fyke_match fyke_query_probe(const struct fyke_opening *opening)
{
	const uint8_t *client = opening->side[FYKE_CLIENT].data;
	size_t length = opening->side[FYKE_CLIENT].length;
	const uint8_t *end = length > 0 ? memchr(client, '\n', length) : NULL;

	if (length > FYKE_QUERY_MAX || !is_text(client, length) || !is_question(client, length) ||
		!is_text(opening->side[FYKE_SERVER].data, opening->side[FYKE_SERVER].length))
		return FYKE_NO;
	if (end != NULL && end + 1 != client + length) /* one line, and nothing behind it */
		return FYKE_NO;
	if (opening->complete && end == NULL)
		return FYKE_NO;
	return FYKE_MAYBE;
}

struct fyke_verdict fyke_query_feed(
	struct fyke_dissection *dissection, struct fyke_query *query, const struct fyke_input *input)
{
	struct fyke_line line;

	if (input->side == FYKE_SERVER) {
		query->answer_bytes += (int64_t)input->length;
		for (size_t i = 0; i < input->length; i++)
			query->answer_lines += input->data[i] == '\n';
		return fyke_more(input->length);
	}
	if (fyke_text_is_set(&query->line))
		return input->length > 0 ? fyke_done() : fyke_more(0);
	if (!fyke_line_take(&query->lines, input, &line))
		return fyke_line_wait(&line);
	query->moment = fyke_now(dissection);
	fyke_keep(dissection, &query->line, line.text, line.length, FYKE_QUERY_MAX);
	fyke_confirm(dissection);
	return fyke_more(line.consumed);
}

void fyke_query_tell(
	struct fyke_dissection *dissection, const struct fyke_query *query, const struct fyke_table *table)
{
	struct fyke_value values[FYKE_QUERY_FIELDS];

	if (!fyke_text_is_set(&query->line))
		return;
	values[FYKE_QUERY_TEXT] = fyke_text_of(&query->line);
	values[FYKE_QUERY_BYTES] = fyke_integer(query->answer_bytes);
	values[FYKE_QUERY_LINES] = fyke_integer(query->answer_lines);
	fyke_record_at(dissection, table, query->moment, values);
}
