/* The summary's later parts: TCP's health, open ports, what could not be read, what to type next. */
#include "reports/text_internal.h"

#include "analyzer/base/address.h"
#include "analyzer/base/text.h"

#include <ctype.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static void say_counted(struct fyke_sentence *sentence, int64_t count, const char *one, const char *many)
{
	char number[FYKE_TEXT_NUMBER];

	if (count > 0)
		fyke_say(sentence, "%s%s %s", sentence->at > 0 ? ", " : "", fyke_text_count(count, number),
			count == 1 ? one : many);
}

static void say_count(struct fyke_sentence *sentence, int64_t count, const char *what)
{
	say_counted(sentence, count, what, what);
}

static void show_handshakes(const struct fyke_summary *s)
{
	const int64_t *states = s->facts->tcp_states;
	struct fyke_sentence sentence = {0};
	int64_t completed = states[FYKE_STATE_S1] + states[FYKE_STATE_S2] + states[FYKE_STATE_S3] +
			    states[FYKE_STATE_SF] + states[FYKE_STATE_RSTO] + states[FYKE_STATE_RSTR];
	int64_t unanswered = states[FYKE_STATE_S0] + states[FYKE_STATE_SH] + states[FYKE_STATE_RSTOS0];

	say_count(&sentence, completed, "established");
	say_count(&sentence, states[FYKE_STATE_REJ], "refused");
	say_count(&sentence, unanswered, "unanswered");
	say_count(&sentence, s->facts->tcp_sessions - completed - states[FYKE_STATE_REJ] - unanswered,
		"seen in part");
	fyke_summary_line(s, "connections", FYKE_PAINT_PLAIN, sentence.text);
}

static void show_samples(const struct fyke_summary *s, const char *label, const struct fyke_samples *samples)
{
	char a[FYKE_TEXT_NUMBER], b[FYKE_TEXT_NUMBER], c[FYKE_TEXT_NUMBER];
	unsigned flags = s->screen->flags;
	struct fyke_sentence sentence = {0};

	if (samples->count == 0)
		return;
	fyke_say(&sentence, "median %s, 95 %% within %s, longest %s",
		fyke_text_duration(fyke_samples_at(samples, 500), flags, a),
		fyke_text_duration(fyke_samples_at(samples, 950), flags, b),
		fyke_text_duration(samples->most, flags, c));
	fyke_summary_line(s, label, FYKE_PAINT_PLAIN, sentence.text);
}

static int64_t sum(const struct fyke_summary *s, enum fyke_facts_tcp_counter counter)
{
	return s->facts->tcp[counter].known ? s->facts->tcp[counter].value : 0;
}

static void show_retransmissions(const struct fyke_summary *s)
{
	char a[FYKE_TEXT_NUMBER], b[FYKE_TEXT_NUMBER], c[FYKE_TEXT_NUMBER];
	int64_t segments = sum(s, FYKE_FACTS_retransmitted_segments);
	struct fyke_sentence sentence = {0}, causes = {0};

	if (!s->facts->tcp[FYKE_FACTS_retransmitted_segments].known)
		return;
	if (segments == 0) {
		fyke_summary_line(s, "retransmitted", FYKE_PAINT_GOOD, "nothing");
		return;
	}
	fyke_say(&sentence, "%s segment%s, %s, %s of TCP's packets", fyke_text_count(segments, a),
		segments == 1 ? "" : "s", fyke_text_bytes(sum(s, FYKE_FACTS_retransmitted_bytes), b),
		fyke_text_percent(segments, s->facts->tcp_packets, c));
	fyke_summary_line(s, "retransmitted",
		segments * 50 > s->facts->tcp_packets ? FYKE_PAINT_BAD : FYKE_PAINT_PLAIN, sentence.text);
	say_count(&causes, sum(s, FYKE_FACTS_timeout_retransmissions), "after a timeout");
	say_count(&causes, sum(s, FYKE_FACTS_fast_retransmissions), "fast");
	say_count(&causes, sum(s, FYKE_FACTS_sack_retransmissions), "by SACK");
	say_counted(&causes, sum(s, FYKE_FACTS_tail_probe_retransmissions), "tail-loss probe",
		"tail-loss probes");
	say_count(
		&causes, sum(s, FYKE_FACTS_other_retransmissions), "following a timeout or of unknown cause");
	if (causes.at > 0)
		fyke_summary_line(s, "", FYKE_PAINT_DIM, causes.text);
}

void fyke_summary_tcp(const struct fyke_summary *s)
{
	char a[FYKE_TEXT_NUMBER], b[FYKE_TEXT_NUMBER];
	struct fyke_sentence gaps = {0}, windows = {0};

	fyke_summary_heading(s, "TCP", NULL);
	show_handshakes(s);
	show_samples(s, "handshake", &s->facts->handshake_us);
	show_samples(s, "round trip", &s->facts->rtt_us);
	show_retransmissions(s);
	if (sum(s, FYKE_FACTS_gaps) > 0) {
		say_counted(&gaps, sum(s, FYKE_FACTS_gaps), "gap", "gaps");
		fyke_say(&gaps, ", %s of the streams were never seen",
			fyke_text_bytes(sum(s, FYKE_FACTS_missing_bytes), b));
		fyke_summary_line(s, "missing", FYKE_PAINT_WARN, gaps.text);
	}
	say_counted(&windows, sum(s, FYKE_FACTS_zero_windows), "closed window", "closed windows");
	say_counted(&windows, sum(s, FYKE_FACTS_window_fulls), "time full", "times full");
	if (windows.at > 0)
		fyke_summary_line(s, "windows", FYKE_PAINT_PLAIN, windows.text);
	if (sum(s, FYKE_FACTS_conflicting_bytes) > 0) {
		struct fyke_sentence conflict = {0};

		fyke_say(&conflict, "%s were sent twice with other contents",
			fyke_text_bytes(sum(s, FYKE_FACTS_conflicting_bytes), a));
		fyke_summary_line(s, "conflicts", FYKE_PAINT_BAD, conflict.text);
	}
	if (s->facts->bad_checksums > 0) {
		struct fyke_sentence checksums = {0};

		say_counted(&checksums, s->facts->bad_checksums, "packet with a wrong checksum",
			"packets with a wrong checksum");
		fyke_summary_line(s, "checksums", FYKE_PAINT_WARN, checksums.text);
	}
}

static const char refusal_query[] = "SELECT j.key, sum(j.value) FROM captures AS c, json_each(CASE WHEN "
				    "json_valid(c.refusals) THEN c.refusals ELSE"
				    " '{}' END) AS j WHERE (?1 = 0 OR c.id = ?1) AND j.type = 'integer' "
				    "GROUP BY j.key ORDER BY 2 DESC, 1";

static const char damage_query[] =
	"SELECT name, damage FROM files WHERE (?1 = 0 OR capture_id = ?1) AND damage IS NOT NULL ORDER BY id";

static const char *refusal_words(const struct fyke_summary *s, const char *name)
{
	const char *words =
		name == NULL || s->options->refusal_words == NULL ? NULL : s->options->refusal_words(name);

	return words != NULL ? words : name != NULL ? name : "";
}

static enum fyke_status show_refusals(const struct fyke_summary *s, bool *headed)
{
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(s->db, refusal_query, s->capture_id, &row, s->error);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, s->error)) {
		const char *reason = (const char *)sqlite3_column_text(row, 0);
		char number[FYKE_TEXT_NUMBER];

		if (!*headed)
			fyke_summary_heading(s, "Not read", "packets, by reason");
		*headed = true;
		fprintf(s->out, "  %14s ", fyke_text_count(sqlite3_column_int64(row, 1), number));
		fyke_screen_put(s->screen, refusal_words(s, reason), 0, FYKE_PAINT_PLAIN, s->out);
		fputc('\n', s->out);
	}
	return status;
}

enum fyke_status fyke_summary_unread(const struct fyke_summary *s)
{
	bool headed = false;
	sqlite3_stmt *row;
	enum fyke_status status = show_refusals(s, &headed);

	if (status == FYKE_OK)
		status = fyke_facts_prepare(s->db, damage_query, s->capture_id, &row, s->error);
	if (status != FYKE_OK)
		return status;
	while (fyke_facts_step(&row, &status, s->error)) {
		const char *damage = (const char *)sqlite3_column_text(row, 1);

		if (!headed)
			fyke_summary_heading(s, "Not read", NULL);
		headed = true;
		fyke_summary_line(s, "damaged", FYKE_PAINT_BAD, damage == NULL ? "" : damage);
	}
	return status;
}

/* A word for a shell: in quotes where it must be. Unprintable bytes make it no suggestion at all. */
static bool shell_word(const char *text, char *out, size_t room)
{
	size_t at = 0;
	bool plain = text[0] != '\0' && text[0] != '-';

	for (size_t i = 0; text[i] != '\0'; i++) {
		if (!isprint((unsigned char)text[i]) || text[i] == '\'')
			return false;
		plain = plain && (isalnum((unsigned char)text[i]) || strchr("._-/:+@%,", text[i]) != NULL);
	}
	if (strlen(text) + 3 > room)
		return false;
	if (!plain)
		out[at++] = '\'';
	memcpy(out + at, text, strlen(text));
	at += strlen(text);
	if (!plain)
		out[at++] = '\'';
	out[at] = '\0';
	return true;
}

static void suggest(const struct fyke_summary *s, const char *command, const char *why)
{
	char path[512] = "fyke.db";
	size_t width;

	if (s->options->database != NULL && !shell_word(s->options->database, path, sizeof(path)))
		return;
	fputs("  fyke ", s->out);
	if (strcmp(path, "fyke.db") != 0)
		fprintf(s->out, "%.*s -d %s%s", (int)strcspn(command, " "), command, path,
			command + strcspn(command, " "));
	else
		fputs(command, s->out);
	width = strlen("  fyke ") + strlen(command) + 2 + strlen(why) +
		(strcmp(path, "fyke.db") != 0 ? strlen(" -d ") + strlen(path) : 0);
	fputs(s->screen->width > 0 && width > s->screen->width ? "\n      " : "  ", s->out);
	fyke_screen_put(s->screen, why, 0, FYKE_PAINT_DIM, s->out);
	fputc('\n', s->out);
}

void fyke_summary_next(const struct fyke_summary *s, bool found)
{
	const struct fyke_facts *f = s->facts;
	struct fyke_address address;
	char command[128], host[FYKE_ADDRESS_TEXT];

	fyke_summary_heading(s, "Next", NULL);
	if (f->hosts.count > 0 && fyke_address_parse(f->hosts.entries[0].key, &address)) {
		fyke_address_text(&address, host);
		snprintf(command, sizeof(command), "query 'host %s'", host);
		suggest(s, command, "what the top talker did");
	}
	if (sum(s, FYKE_FACTS_retransmitted_segments) > 0)
		suggest(s, "query 'retransmissions > 0' --sort -retransmissions",
			"where segments were sent again");
	if (f->tcp_states[FYKE_STATE_REJ] > 0 || f->tcp_states[FYKE_STATE_S0] > 0)
		suggest(s, "query 'tcp and state S0,REJ'", "connections that nobody accepted");
	if (found)
		suggest(s, "findings", "what was found, what else it may be, and what to do");
	suggest(s, "ports --close", "which ports to close or fence in");
	suggest(s, "report --json report.json", "all of this for programs");
}
