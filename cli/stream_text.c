/*
 * A stream for people: both sides as they spoke, or as hexadecimal bytes. Every byte of the stream is
 * untrusted and goes through fyke_text_terminal.
 */
#include "cli/stream.h"

#include "analyzer/base/text.h"

#include <inttypes.h>
#include <string.h>

#define PAUSE_NS ((int64_t)1000000000) /* a silence that is worth a new heading */

static const char *const side_names[] = {"client", "server"};

static void heading(struct fyke_stream_writer *writer, const char *text)
{
	fyke_screen_put(&writer->screen, text, 0, FYKE_PAINT_DIM, writer->out);
	fputc('\n', writer->out);
}

void fyke_stream_text_begin(struct fyke_stream_writer *writer)
{
	const struct fyke_stream_session *session = writer->session;
	char text[512], time[FYKE_TEXT_TIME];

	(void)snprintf(text, sizeof(text), "session %" PRId64 "  %s  %s > %s  %s  %s", session->id,
		session->is_tcp ? "tcp" : "udp", session->name[FYKE_CLIENT], session->name[FYKE_SERVER],
		session->service, fyke_text_time(session->start_us, 6, time));
	fyke_screen_put(&writer->screen, text, 0, FYKE_PAINT_BOLD, writer->out);
	fputc('\n', writer->out);
}

static void flush_line(struct fyke_stream_writer *writer, bool end)
{
	char shown[4 * FYKE_STREAM_LINE + 8];
	size_t length = writer->line_length;

	if (end && length > 0 && writer->line[length - 1] == '\r')
		length--;
	(void)fyke_text_terminal(writer->line, length, 0, writer->screen.flags, shown, sizeof(shown));
	if (writer->new_line)
		fputs(writer->speaker == FYKE_CLIENT ? "> " : "< ", writer->out);
	fputs(shown, writer->out);
	writer->line_length = 0;
	writer->new_line = false;
	if (!end)
		return;
	fputc('\n', writer->out);
	writer->new_line = true;
}

/* How many bytes of an unfinished UTF-8 character end the line: they wait for the rest of it. */
static size_t unfinished(const char *line, size_t length)
{
	for (size_t back = 1; back <= 3 && back <= length; back++) {
		unsigned char byte = (unsigned char)line[length - back];

		if (byte >= 0xc0)
			return back < (byte >= 0xf0 ? 4u : byte >= 0xe0 ? 3u : 2u) ? back : 0;
		if (byte < 0x80)
			return 0;
	}
	return 0;
}

static void put_bytes(struct fyke_stream_writer *writer, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (data[i] == '\n') {
			flush_line(writer, true);
			continue;
		}
		if (writer->line_length == sizeof(writer->line)) {
			char rest[4];
			size_t waits = unfinished(writer->line, writer->line_length);

			writer->line_length -= waits;
			memcpy(rest, writer->line + writer->line_length, waits);
			flush_line(writer, false);
			memcpy(writer->line, rest, waits);
			writer->line_length = waits;
		}
		writer->line[writer->line_length++] = (char)data[i];
	}
}

static void end_line(struct fyke_stream_writer *writer)
{
	if (writer->line_length > 0 || !writer->new_line)
		flush_line(writer, true);
}

static void note(struct fyke_stream_writer *writer, const char *text)
{
	end_line(writer);
	fyke_screen_put(&writer->screen, text, 0, FYKE_PAINT_WARN, writer->out);
	fputc('\n', writer->out);
}

static const char *cause_words(enum fyke_gap_cause cause)
{
	switch (cause) {
	case FYKE_GAP_ACKNOWLEDGED:
		return "the receiver has them, the capture does not";
	case FYKE_GAP_NEVER_ACKNOWLEDGED:
		return "never seen, never acknowledged";
	case FYKE_GAP_CUT:
		return "cut off when they were captured";
	case FYKE_GAP_BUDGET:
		return "not waited for: too much was held behind them";
	case FYKE_GAP_NONE:
	case FYKE_GAP_COUNT:
		break;
	}
	return "";
}

static void note_gap(struct fyke_stream_writer *writer, enum fyke_side side, const struct fyke_chunk *chunk)
{
	char text[256], bytes[FYKE_TEXT_NUMBER];

	(void)snprintf(text, sizeof(text), "[%s: %s %s missing at byte %" PRId64 ": %s]", side_names[side],
		fyke_text_count((int64_t)chunk->gap, bytes), chunk->gap == 1 ? "byte" : "bytes",
		chunk->offset - (int64_t)chunk->gap, cause_words(chunk->cause));
	note(writer, text);
}

/* Time since the session began: "12.345678 s". */
static void put_heading(
	struct fyke_stream_writer *writer, enum fyke_side side, const struct fyke_chunk *chunk)
{
	int64_t us = chunk->time_ns / 1000 - writer->session->start_us;
	char text[256];

	(void)snprintf(text, sizeof(text),
		"-- %s, %s%" PRId64 ".%06" PRId64 " s, frame %" PRIu64 ", byte %" PRId64, side_names[side],
		us < 0 ? "-" : "", (us < 0 ? -us : us) / 1000000, (us < 0 ? -us : us) % 1000000, chunk->frame,
		chunk->offset);
	heading(writer, text);
}

static void put_hex_line(FILE *out, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < 16; i++) {
		if (i < length)
			fprintf(out, " %02x", bytes[i]);
		else
			fputs("   ", out);
		if (i == 7)
			fputc(' ', out);
	}
	fputs("  |", out);
	for (size_t i = 0; i < length; i++)
		fputc(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.', out);
	fputs("|\n", out);
}

static void put_hex(struct fyke_stream_writer *writer, enum fyke_side side, const struct fyke_chunk *chunk)
{
	for (size_t at = 0; at < chunk->length; at += 16) {
		size_t part = chunk->length - at < 16 ? chunk->length - at : 16;

		fprintf(writer->out, "%s %08" PRIx64 " ", side == FYKE_CLIENT ? ">" : "<",
			(uint64_t)chunk->offset + at);
		put_hex_line(writer->out, chunk->data + at, part);
	}
}

static void on_chunk(void *context, enum fyke_side side, const struct fyke_chunk *chunk)
{
	struct fyke_stream_writer *writer = context;
	bool turn = writer->speaker != (int)side || chunk->time_ns - writer->spoke_ns > PAUSE_NS ||
		    !writer->session->is_tcp;

	if (chunk->gap > 0)
		note_gap(writer, side, chunk);
	if (chunk->length > 0 && turn) {
		end_line(writer);
		put_heading(writer, side, chunk);
		writer->speaker = (int)side;
	}
	if (chunk->length > 0)
		writer->spoke_ns = chunk->time_ns;
	if (writer->form == FYKE_STREAM_HEX)
		put_hex(writer, side, chunk);
	else
		put_bytes(writer, chunk->data, chunk->length);
}

static void quote(const uint8_t *bytes, size_t length, char *out, size_t room)
{
	(void)fyke_text_terminal((const char *)bytes, length, 0, FYKE_TEXT_ASCII, out, room);
}

static void on_conflict(void *context, enum fyke_side side, const struct fyke_conflict *conflict)
{
	struct fyke_stream_writer *writer = context;
	char before[4 * FYKE_CONFLICT_SAMPLE + 8], after[4 * FYKE_CONFLICT_SAMPLE + 8], text[1024];
	char count[FYKE_TEXT_NUMBER];

	quote(conflict->before, conflict->sample, before, sizeof(before));
	quote(conflict->after, conflict->sample, after, sizeof(after));
	(void)snprintf(text, sizeof(text),
		"[%s: two versions of %s %s at byte %" PRId64 ": \"%s\" first, \"%s\" in frame %" PRIu64
		"; %s the %s]",
		side_names[side], fyke_text_count((int64_t)conflict->differing, count),
		conflict->differing == 1 ? "byte" : "bytes", conflict->offset, before, after, conflict->frame,
		conflict->settled ? "the receiver had read" : "this receiver reads",
		conflict->after_wins ? "later one" : "first one");
	note(writer, text);
}

static void on_urgent(void *context, enum fyke_side side, const struct fyke_urgent *urgent)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "[%s: urgent data up to byte %" PRId64 "]", side_names[side],
		urgent->offset);
	note(context, text);
}

const struct fyke_stream_listener fyke_stream_text = {
	.chunk = on_chunk, .conflict = on_conflict, .urgent = on_urgent};

void fyke_stream_text_end(struct fyke_stream_writer *writer, const struct fyke_stream_totals *totals)
{
	end_line(writer);
	for (int side = 0; side < 2; side++) {
		const struct fyke_reassembly_counters *counters = &totals->side[side];
		char text[256], bytes[FYKE_TEXT_NUMBER], gap[FYKE_TEXT_NUMBER];
		uint64_t missing = 0;

		for (int cause = 0; cause < FYKE_GAP_COUNT; cause++)
			missing += counters->gap_bytes[cause];
		if (!writer->wanted[side])
			continue;
		(void)snprintf(text, sizeof(text), "-- %s: %s bytes, %s missing, %" PRIu64 " in two versions",
			side_names[side], fyke_text_count((int64_t)counters->delivered, bytes),
			fyke_text_count((int64_t)missing, gap), counters->conflicting);
		heading(writer, text);
	}
}
