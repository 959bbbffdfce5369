/*
 * The window over a capture file that both formats share: filling blocks, keeping records in one
 * piece, passing over what nobody needs, and the words for damage. Limits: FYKE_RECORD_LIMIT,
 * FYKE_INTERFACES_LIMIT.
 *
 * Bytes of a plain file stand at the same place within a page in their block as in the file wherever there is
 * room to, so that the kernel copies whole pages: that is twice as fast as copying across them.
 */
#include "analyzer/capture/reader.h"

#include "analyzer/base/grow.h"
#include "analyzer/capture/origin.h"
#include "analyzer/capture/recognise.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *fyke_number_text(uint64_t number, char text[27])
{
	char digits[21];
	int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	char *out = text;

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return text;
}

void fyke_reader_note(struct fyke_reader *reader, const char *format, ...)
{
	va_list arguments;

	if (reader->damage[0] != '\0')
		return;
	va_start(arguments, format);
	(void)vsnprintf(reader->damage, sizeof(reader->damage), format, arguments);
	va_end(arguments);
}

void fyke_reader_damage(struct fyke_reader *reader, const char *format, ...)
{
	size_t noted = strlen(reader->damage);
	va_list arguments;

	if (noted > 0)
		noted += (size_t)snprintf(reader->damage + noted, sizeof(reader->damage) - noted, "; then ");
	if (noted >= sizeof(reader->damage))
		return;
	va_start(arguments, format);
	(void)vsnprintf(reader->damage + noted, sizeof(reader->damage) - noted, format, arguments);
	va_end(arguments);
}

uint64_t fyke_reader_offset(const struct fyke_reader *reader)
{
	return reader->base + reader->at;
}

struct fyke_reader_interface *fyke_reader_add_interface(struct fyke_reader *reader)
{
	struct fyke_reader_interface *added, *grown = fyke_grow(reader->interfaces, reader->interfaces_count,
						     &reader->interfaces_room, 4, sizeof(*grown));

	if (grown == NULL)
		return NULL;
	reader->interfaces = grown;
	added = &reader->interfaces[reader->interfaces_count++];
	*added = (struct fyke_reader_interface){.told = {.name = "", .description = ""}, .resolution = 6};
	return added;
}

void fyke_reader_texts_release(struct fyke_reader_texts *texts)
{
	fyke_source_free_text(texts->application);
	fyke_source_free_text(texts->os);
	fyke_source_free_text(texts->hardware);
	free(texts->comment);
	*texts = (struct fyke_reader_texts){0};
}

void fyke_reader_free(struct fyke_reader *reader)
{
	if (reader == NULL)
		return;
	for (size_t i = 0; i < reader->interfaces_count; i++)
		fyke_source_free_interface(&reader->interfaces[i].told);
	free(reader->interfaces);
	if (reader->room != NULL)
		fyke_block_release(&reader->room->block);
	fyke_input_free(reader->input);
	free(reader);
}

static bool fill(struct fyke_reader *reader, size_t *got, struct fyke_error *error)
{
	struct fyke_block_room *room = reader->room;

	if (fyke_input_read(reader->input, room->bytes + reader->end, room->size - reader->end, got, error) !=
		FYKE_OK)
		return false;
	reader->end += *got;
	return true;
}

/* Where the unread bytes go in a block of `size` in which `need` bytes from them on must fit: to the place
 * within a page that they have in the file, else to the front. */
static size_t place_of(const struct fyke_reader *reader, size_t size, size_t need)
{
	size_t place = (size_t)(fyke_reader_offset(reader) % FYKE_PAGE);

	return place + need <= size ? place : 0;
}

/* The unread bytes were moved to `place` of `room`, which is the reader's from now on. */
static void settle(struct fyke_reader *reader, struct fyke_block_room *room, size_t place)
{
	size_t left = reader->end - reader->at;

	reader->room = room;
	reader->base += reader->at;
	reader->base -= place;
	reader->at = place;
	reader->end = place + left;
}

/* Replaces the block by one with room for `need` bytes from the unread ones on. */
static bool move_on(struct fyke_reader *reader, size_t need)
{
	struct fyke_block_room *next = fyke_block_take(reader->pool, need);
	size_t place;

	if (next == NULL)
		return false;
	place = place_of(reader, next->size, need);
	memcpy(next->bytes + place, reader->room->bytes + reader->at, reader->end - reader->at);
	settle(reader, next, place);
	return true;
}

/* After this `need` bytes fit behind `at`. The block has no frames. */
static bool make_room(struct fyke_reader *reader, size_t need)
{
	struct fyke_block_room *room = reader->room;
	size_t left = reader->end - reader->at;
	bool special = room->size != FYKE_BLOCK_BYTES;

	if (need <= FYKE_BLOCK_BYTES && left <= FYKE_BLOCK_BYTES && !special) {
		size_t place = place_of(reader, room->size, need > left ? need : left + 1);

		memmove(room->bytes + place, room->bytes + reader->at, left);
		settle(reader, room, place);
		return true;
	}
	if (special && need > FYKE_BLOCK_BYTES && reader->at + need <= room->size)
		return true;
	if (!move_on(reader, need > left ? need : left))
		return false;
	fyke_block_release(&room->block);
	return true;
}

static size_t pass_over(struct fyke_reader *reader)
{
	size_t left = reader->end - reader->at;
	size_t now = reader->skip < left ? (size_t)reader->skip : left;

	reader->at += now;
	reader->skip -= now;
	return left - now;
}

static void take_frame(struct fyke_reader *reader, struct fyke_frame *frame, size_t size)
{
	frame->number = ++reader->packets;
	frame->file = 0;
	frame->file_offset = fyke_reader_offset(reader);
	reader->last_time_ns = frame->time_ns;
	reader->room->block.count++;
	reader->at += size;
}

/* Finds all frames that lie whole in the block. *need: what the record after them wants. */
static bool parse_block(struct fyke_reader *reader, size_t *need)
{
	struct fyke_block_room *room = reader->room;

	*need = 1;
	while (!reader->ended && room->block.count < room->frames_room && pass_over(reader) > 0) {
		struct fyke_frame *frame = &room->frames[room->block.count];
		struct fyke_cursor bytes = fyke_cursor(room->bytes + reader->at, reader->end - reader->at);
		size_t size = 0;

		switch (reader->parse(reader, bytes, frame, &size)) {
		case FYKE_PARSED_FRAME:
			take_frame(reader, frame, size);
			break;
		case FYKE_PARSED_SKIP:
			reader->skip = size;
			break;
		case FYKE_PARSED_MORE:
			*need = size;
			return true;
		case FYKE_PARSED_DAMAGE:
			reader->ended = true;
			break;
		case FYKE_PARSED_MEMORY:
			return false;
		}
	}
	return true;
}

/* The end of the bytes: right between two records, or inside one. */
static void note_end(struct fyke_reader *reader)
{
	const char *packed = fyke_input_damage(reader->input);
	bool inside = reader->end > reader->at || reader->skip > 0;
	char packet[27], offset[27];

	reader->ended = true;
	if (fyke_input_stopped(reader->input) || (!inside && packed == NULL))
		return;
	(void)fyke_number_text(reader->packets + 1, packet);
	(void)fyke_number_text(fyke_reader_offset(reader), offset);
	if (!inside)
		fyke_reader_damage(reader, "%s before packet %s", packed, packet);
	else if (reader->end > reader->at && reader->in_packet)
		fyke_reader_damage(reader, "%s in the middle of packet %s at byte %s",
			packed != NULL ? packed : "cut", packet, offset);
	else
		fyke_reader_damage(reader, "%s in the middle of a block, before packet %s, at byte %s",
			packed != NULL ? packed : "cut", packet, offset);
}

static bool no_memory(const struct fyke_reader *reader, struct fyke_error *error)
{
	(void)!fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: no memory left to read it", reader->name);
	return false;
}

static bool give(struct fyke_reader *reader, struct fyke_block_room **given, struct fyke_error *error)
{
	struct fyke_block_room *full = reader->room;
	size_t left = reader->end - reader->at;

	if (!move_on(reader, left + 1))
		return no_memory(reader, error);
	*given = full;
	return true;
}

enum fyke_reader_result fyke_reader_next(
	struct fyke_reader *reader, struct fyke_block_room **room, struct fyke_error *error)
{
	for (;;) {
		size_t need, got;

		if (!parse_block(reader, &need)) {
			(void)no_memory(reader, error);
			return FYKE_READER_FAILED;
		}
		if (reader->room->block.count > 0)
			return give(reader, room, error) ? FYKE_READER_BLOCK : FYKE_READER_FAILED;
		if (reader->ended)
			return FYKE_READER_END;
		if (!make_room(reader, need)) {
			(void)no_memory(reader, error);
			return FYKE_READER_FAILED;
		}
		if (!fill(reader, &got, error))
			return FYKE_READER_FAILED;
		if (got == 0)
			note_end(reader);
	}
}

/* Reads until `want` bytes are there, or the end. */
static bool read_first(struct fyke_reader *reader, size_t want, struct fyke_error *error)
{
	size_t got = 1;

	while (reader->end < want && got > 0) {
		if (!fill(reader, &got, error))
			return false;
	}
	return true;
}

static enum fyke_status refuse(struct fyke_reader *reader, struct fyke_error *error)
{
	const char *packing = fyke_compression_name(fyke_input_compression(reader->input));
	const char *packed = fyke_input_damage(reader->input);
	const char *what;

	if (!read_first(reader, FYKE_RECOGNISE_BYTES, error))
		return FYKE_FAILED_IO;
	what = fyke_recognise(reader->room->bytes, reader->end);
	if (packed != NULL && reader->end < FYKE_PCAP_HEADER)
		return fyke_error_set(error, FYKE_FAILED_FORMAT, "%s: %s before the capture in them begins",
			reader->name, packed);
	if (reader->end == 0)
		return fyke_error_set(error, FYKE_FAILED_FORMAT, "%s: %s: not even a capture header",
			reader->name, packing == NULL ? "is empty" : "holds nothing once decompressed");
	return fyke_error_set(error, FYKE_FAILED_FORMAT,
		"%s: is not a capture file%s%s%s%s%s (fyke reads pcap and pcapng, also in gzip, zstd or lz4)",
		reader->name, packing != NULL ? " once its " : "", packing != NULL ? packing : "",
		packing != NULL ? " is undone" : "", what != NULL ? ": it looks like " : "",
		what != NULL ? what : "");
}

static enum fyke_status start(struct fyke_reader *reader, struct fyke_error *error)
{
	const uint8_t *first = reader->room->bytes;
	bool pcap, pcapng;

	if (!read_first(reader, FYKE_PCAPNG_HEADER, error))
		return FYKE_FAILED_IO;
	if (fyke_input_stopped(reader->input)) { /* the user did not wait for the first bytes */
		reader->ended = true;
		reader->format = "nothing";
		return FYKE_OK;
	}
	pcap = reader->end >= 4 && fyke_pcap_is(first);
	pcapng = reader->end >= 4 && fyke_pcapng_is(first);
	if (!pcap && !pcapng)
		return refuse(reader, error);
	if (!read_first(reader, pcap ? FYKE_PCAP_HEADER : FYKE_PCAPNG_HEADER, error))
		return FYKE_FAILED_IO;
	if (reader->end < (pcap ? FYKE_PCAP_HEADER : FYKE_PCAPNG_HEADER))
		return fyke_error_set(error, FYKE_FAILED_FORMAT,
			"%s: is cut within its file header: %zu bytes are all there is", reader->name,
			reader->end);
	return pcap ? fyke_pcap_start(reader, error) : fyke_pcapng_start(reader, error);
}

enum fyke_status fyke_reader_new(struct fyke_input *input, const char *name, struct fyke_block_pool *pool,
	struct fyke_reader **made, struct fyke_error *error)
{
	struct fyke_reader *reader = calloc(1, sizeof(*reader));
	enum fyke_status status = FYKE_FAILED_MEMORY;

	*made = NULL;
	if (reader == NULL) {
		fyke_input_free(input);
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: no memory left to read it", name);
	}
	reader->input = input;
	reader->name = name;
	reader->pool = pool;
	reader->room = fyke_block_take(pool, FYKE_BLOCK_BYTES);
	if (reader->room == NULL)
		(void)no_memory(reader, error);
	else
		status = start(reader, error);
	if (status != FYKE_OK) {
		fyke_reader_free(reader);
		return status;
	}
	*made = reader;
	return FYKE_OK;
}
