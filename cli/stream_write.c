/*
 * Which form an event goes out in, and whether its side is wanted. The beginning is written with the
 * first event, so that a failure before it leaves standard output empty.
 */
#include "cli/stream.h"

static void begin(struct fyke_stream_writer *writer)
{
	if (writer->begun)
		return;
	writer->begun = true;
	writer->speaker = -1;
	writer->new_line = true;
	writer->screen = fyke_screen_of(writer->out);
	if (writer->form == FYKE_STREAM_JSON)
		fyke_stream_json_begin(writer);
	else if (writer->form != FYKE_STREAM_RAW)
		fyke_stream_text_begin(writer);
}

static const struct fyke_stream_listener *form_of(const struct fyke_stream_writer *writer)
{
	return writer->form == FYKE_STREAM_JSON ? &fyke_stream_json : &fyke_stream_text;
}

static void on_chunk(void *context, enum fyke_side side, const struct fyke_chunk *chunk)
{
	struct fyke_stream_writer *writer = context;

	begin(writer);
	if (!writer->wanted[side] || (writer->form == FYKE_STREAM_RAW && chunk->length == 0))
		return;
	if (writer->form == FYKE_STREAM_RAW)
		(void)fwrite(chunk->data, 1, chunk->length, writer->out);
	else
		form_of(writer)->chunk(writer, side, chunk);
}

static void on_conflict(void *context, enum fyke_side side, const struct fyke_conflict *conflict)
{
	struct fyke_stream_writer *writer = context;

	begin(writer);
	if (writer->wanted[side] && writer->form != FYKE_STREAM_RAW)
		form_of(writer)->conflict(writer, side, conflict);
}

static void on_urgent(void *context, enum fyke_side side, const struct fyke_urgent *urgent)
{
	struct fyke_stream_writer *writer = context;

	begin(writer);
	if (writer->wanted[side] && writer->form != FYKE_STREAM_RAW)
		form_of(writer)->urgent(writer, side, urgent);
}

struct fyke_stream_listener fyke_stream_write_listener(struct fyke_stream_writer *writer)
{
	return (struct fyke_stream_listener){on_chunk, on_conflict, on_urgent, writer};
}

void fyke_stream_write_end(struct fyke_stream_writer *writer, const struct fyke_stream_totals *totals)
{
	begin(writer);
	if (writer->form == FYKE_STREAM_JSON)
		fyke_stream_json_end(writer, totals);
	else if (writer->form != FYKE_STREAM_RAW)
		fyke_stream_text_end(writer, totals);
}
