/*
 * Random access over the formats' own parsers: the reader is kept for what it has learnt (byte order,
 * interfaces), the bytes come from pread(). Compressed files have no places to go to: there the
 * reader runs, and starts again when an earlier frame is asked for.
 */
#include "analyzer/capture/reread.h"

#include "analyzer/capture/fingerprint.h"
#include "analyzer/capture/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW = 64 * 1024, NG_SECTION = 0x0a0d0d0a, NG_INTERFACE = 1, NG_SIMPLE_PACKET = 3 };

struct section {
	uint64_t offset;
	size_t first_interface;
	bool big_endian;
};

struct fyke_reread {
	char *name;
	int fd;
	struct fyke_block_pool *pool;
	struct fyke_reader *reader;
	bool packed;
	bool ended;		       /* packed: the reader has nothing more */
	struct fyke_block_room *block; /* packed: the one that was reached */
	/* pcapng: what lies before `walked` */
	struct section *sections;
	size_t sections_count;
	size_t interfaces_expected; /* 0 = not known */
	uint64_t walked;
	/* where fyke_reread_number() stands: before frame `next`, at `place`; 0 = nowhere */
	uint64_t next, place, beginning;
	bool time_known; /* of the frame before, as simple packet blocks have none of their own */
	/* bytes at `at` of the file */
	uint8_t *bytes;
	size_t size, have;
	uint64_t at, read;
};

static enum fyke_status no_memory(const struct fyke_reread *reread, struct fyke_error *error)
{
	return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: no memory left to read it", reread->name);
}

static enum fyke_status changed(const struct fyke_reread *reread, struct fyke_error *error)
{
	return fyke_error_set(error, FYKE_FAILED_FORMAT,
		"%s: is not the file any more that was analyzed: the packet is not where it was",
		reread->name);
}

static enum fyke_status start(struct fyke_reread *reread, struct fyke_error *error)
{
	struct fyke_input_options options = {.fd = reread->fd, .name = reread->name};
	struct fyke_input *input;
	enum fyke_status status;

	fyke_reader_free(reread->reader);
	reread->reader = NULL;
	reread->ended = false;
	if (lseek(reread->fd, 0, SEEK_SET) != 0)
		return fyke_error_set(
			error, FYKE_FAILED_IO, "%s: cannot be read: %s", reread->name, strerror(errno));
	status = fyke_input_new(&options, &input, error);
	if (status != FYKE_OK)
		return status;
	reread->packed = fyke_input_compression(input) != FYKE_PLAIN;
	status = fyke_reader_new(input, reread->name, reread->pool, &reread->reader, error);
	if (status == FYKE_OK)
		reread->beginning = fyke_reader_offset(reread->reader);
	return status;
}

static enum fyke_status open_again(struct fyke_reread *reread, struct fyke_error *error)
{
	struct stat about;

	reread->fd = open(reread->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (reread->fd < 0 || fstat(reread->fd, &about) != 0)
		return fyke_error_set(error, errno == EACCES ? FYKE_FAILED_PERMISSION : FYKE_FAILED_IO,
			"%s: cannot be opened again: %s", reread->name, strerror(errno));
	if (!S_ISREG(about.st_mode))
		return fyke_error_set(error, FYKE_FAILED_USAGE,
			"%s: is no regular file, so its packets cannot be read a second time", reread->name);
	return start(reread, error);
}

enum fyke_status fyke_capture_reopen(const char *name, struct fyke_reread **made, struct fyke_error *error)
{
	struct fyke_reread *reread;
	enum fyke_status status;

	*made = NULL;
	if (strcmp(name, "-") == 0)
		return fyke_error_set(error, FYKE_FAILED_USAGE,
			"the capture came from standard input, so its packets cannot be read a second time");
	reread = calloc(1, sizeof(*reread));
	if (reread == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: no memory left to read it", name);
	reread->fd = -1;
	reread->name = strdup(name);
	reread->pool = fyke_block_pool_new();
	reread->size = WINDOW;
	reread->bytes = malloc(WINDOW);
	if (reread->name == NULL || reread->pool == NULL || reread->bytes == NULL)
		status = fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: no memory left to read it", name);
	else
		status = open_again(reread, error);
	if (status != FYKE_OK) {
		fyke_reread_free(reread);
		return status;
	}
	*made = reread;
	return FYKE_OK;
}

void fyke_reread_free(struct fyke_reread *reread)
{
	if (reread == NULL)
		return;
	if (reread->block != NULL)
		fyke_block_release(&reread->block->block);
	fyke_reader_free(reread->reader);
	fyke_block_pool_drop(reread->pool);
	if (reread->fd >= 0)
		(void)close(reread->fd);
	free(reread->sections);
	free(reread->bytes);
	free(reread->name);
	free(reread);
}

enum fyke_status fyke_reread_fingerprint(struct fyke_reread *reread, char text[33], struct fyke_error *error)
{
	return fyke_fingerprint_file(reread->fd, reread->name, text, error);
}

/* Fills the window from `offset` on, as far as the file goes. */
static enum fyke_status load(
	struct fyke_reread *reread, uint64_t offset, size_t want, struct fyke_error *error)
{
	if (want > reread->size) {
		uint8_t *grown = realloc(reread->bytes, want);

		if (grown == NULL)
			return no_memory(reread, error);
		reread->bytes = grown;
		reread->size = want;
	}
	reread->at = offset;
	reread->have = 0;
	while (reread->have < reread->size) {
		ssize_t got = pread(reread->fd, reread->bytes + reread->have, reread->size - reread->have,
			(off_t)(offset + reread->have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fyke_error_set(error, FYKE_FAILED_IO, "%s: cannot be read: %s", reread->name,
				strerror(errno));
		if (got == 0)
			break;
		reread->have += (size_t)got;
		reread->read += (uint64_t)got;
	}
	return FYKE_OK;
}

/* At least `want` bytes at `offset`; *bytes is all that the window has, less at the file's end. */
static enum fyke_status see(struct fyke_reread *reread, uint64_t offset, size_t want,
	struct fyke_cursor *bytes, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (offset < reread->at || offset - reread->at > reread->have ||
		reread->have - (size_t)(offset - reread->at) < want)
		status = load(reread, offset, want, error);
	if (status == FYKE_OK)
		*bytes = fyke_cursor(
			reread->bytes + (offset - reread->at), reread->have - (size_t)(offset - reread->at));
	return status;
}

/* Runs the format's parser on the record at `offset`; it has *size bytes. */
static enum fyke_status parse_at(struct fyke_reread *reread, uint64_t offset, enum fyke_parsed *parsed,
	struct fyke_frame *frame, size_t *size, struct fyke_error *error)
{
	struct fyke_cursor bytes;
	size_t asked;

	*size = 1;
	do {
		enum fyke_status status;

		asked = *size;
		status = see(reread, offset, asked, &bytes, error);
		if (status != FYKE_OK)
			return status;
		*parsed = reread->reader->parse(reread->reader, bytes, frame, size);
	} while (*parsed == FYKE_PARSED_MORE && *size > asked);
	return *parsed == FYKE_PARSED_MEMORY ? no_memory(reread, error) : FYKE_OK;
}

static enum fyke_status add_section(struct fyke_reread *reread, struct fyke_error *error)
{
	struct section *grown;
	size_t count = reread->sections_count;

	if ((count & (count - 1)) == 0) { /* room is the next power of two */
		grown = reallocarray(reread->sections, count == 0 ? 1 : count * 2, sizeof(*grown));
		if (grown == NULL)
			return no_memory(reread, error);
		reread->sections = grown;
	}
	reread->sections[reread->sections_count++] = (struct section){
		reread->walked, reread->reader->interfaces_count, reread->reader->big_endian};
	return FYKE_OK;
}

static void enter_section(struct fyke_reread *reread, const struct section *section)
{
	reread->reader->big_endian = section->big_endian;
	reread->reader->section = section->first_interface;
}

/* Reads what matters of the block at `walked` and steps behind it. */
static enum fyke_status walk_block(struct fyke_reread *reread, struct fyke_error *error)
{
	struct fyke_reader *reader = reread->reader;
	enum fyke_parsed parsed = FYKE_PARSED_SKIP;
	struct fyke_frame unused;
	struct fyke_cursor bytes;
	enum fyke_status status = see(reread, reread->walked, FYKE_PCAPNG_HEADER, &bytes, error);
	uint32_t type, total;
	size_t size;

	if (status != FYKE_OK)
		return status;
	type = fyke_reader_u32(reader, &bytes);
	if (type == NG_SECTION || type == NG_INTERFACE) {
		status = parse_at(reread, reread->walked, &parsed, &unused, &size, error);
		if (status != FYKE_OK || parsed != FYKE_PARSED_SKIP)
			return status != FYKE_OK ? status : changed(reread, error);
		if (type == NG_SECTION)
			status = add_section(reread, error);
		if (status == FYKE_OK) /* the window and the byte order may be others now */
			status = see(reread, reread->walked + 4, 4, &bytes, error);
		if (status != FYKE_OK)
			return status;
	}
	total = fyke_reader_u32(reader, &bytes);
	if (!fyke_cursor_ok(&bytes) || total < 12 || total % 4 != 0)
		return changed(reread, error);
	reread->walked += total;
	return FYKE_OK;
}

/* Behind the last interface there is nothing to learn any more. */
static bool knows_all(const struct fyke_reread *reread)
{
	return reread->interfaces_expected != 0 &&
	       reread->reader->interfaces_count >= reread->interfaces_expected;
}

static enum fyke_status find_section(struct fyke_reread *reread, uint64_t offset, struct fyke_error *error)
{
	size_t at;

	if (reread->sections_count > 0)
		enter_section(reread, &reread->sections[reread->sections_count - 1]);
	while (reread->walked < offset && !knows_all(reread)) {
		enum fyke_status status = walk_block(reread, error);

		if (status != FYKE_OK)
			return status;
	}
	for (at = reread->sections_count; at > 0 && reread->sections[at - 1].offset > offset; at--)
		;
	if (at == 0)
		return changed(reread, error);
	enter_section(reread, &reread->sections[at - 1]);
	return FYKE_OK;
}

static enum fyke_status plain_frame(struct fyke_reread *reread, const struct fyke_frame *wanted,
	struct fyke_frame *frame, struct fyke_error *error)
{
	bool pcapng = reread->reader->record_header == 0;
	enum fyke_status status = FYKE_OK;
	enum fyke_parsed parsed;
	size_t size;

	reread->next = 0;
	if (pcapng)
		status = find_section(reread, wanted->file_offset, error);
	reread->reader->last_time_ns = wanted->time_ns; /* a simple packet block has no time of its own */
	if (status == FYKE_OK)
		status = parse_at(reread, wanted->file_offset, &parsed, frame, &size, error);
	if (status == FYKE_OK && parsed != FYKE_PARSED_FRAME)
		status = changed(reread, error);
	return status;
}

static const struct fyke_frame *frame_in(const struct fyke_block_room *room, uint64_t offset)
{
	size_t low = 0, high = room->block.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (room->frames[middle].file_offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < room->block.count && room->frames[low].file_offset == offset ? &room->frames[low] : NULL;
}

static bool reaches(const struct fyke_block_room *room, uint64_t offset)
{
	return room != NULL && room->frames[room->block.count - 1].file_offset >= offset;
}

static enum fyke_status packed_restart(struct fyke_reread *reread, struct fyke_error *error)
{
	fyke_block_release(&reread->block->block);
	reread->block = NULL;
	return start(reread, error);
}

static enum fyke_status packed_block(struct fyke_reread *reread, struct fyke_error *error)
{
	if (reread->block != NULL)
		fyke_block_release(&reread->block->block);
	reread->block = NULL;
	if (reread->ended) {
		enum fyke_status status = start(reread, error);

		if (status != FYKE_OK)
			return status;
	}
	switch (fyke_reader_next(reread->reader, &reread->block, error)) {
	case FYKE_READER_FAILED:
		return error == NULL ? FYKE_FAILED_IO : error->status;
	case FYKE_READER_END:
		reread->ended = true;
		return changed(reread, error);
	case FYKE_READER_BLOCK:
		break;
	}
	return FYKE_OK;
}

static enum fyke_status packed_frame(struct fyke_reread *reread, const struct fyke_frame *wanted,
	struct fyke_frame *frame, struct fyke_error *error)
{
	const struct fyke_frame *found;
	enum fyke_status status = FYKE_OK;

	if (reread->block != NULL && reread->block->frames[0].file_offset > wanted->file_offset)
		status = packed_restart(reread, error);
	while (status == FYKE_OK && !reaches(reread->block, wanted->file_offset))
		status = packed_block(reread, error);
	if (status != FYKE_OK)
		return status;
	found = reread->block == NULL ? NULL : frame_in(reread->block, wanted->file_offset);
	if (found == NULL)
		return changed(reread, error);
	*frame = *found;
	return FYKE_OK;
}

static int64_t microseconds(int64_t time_ns)
{
	return time_ns >= 0 ? time_ns / 1000 : -((999 - time_ns) / 1000);
}

enum fyke_status fyke_reread_frame(struct fyke_reread *reread, const struct fyke_frame *wanted,
	struct fyke_frame *frame, struct fyke_error *error)
{
	const struct fyke_frame asked = *wanted; /* the caller may give one struct for both */
	enum fyke_status status;
	uint32_t lost;

	if (reread->packed)
		status = packed_frame(reread, &asked, frame, error);
	else
		status = plain_frame(reread, &asked, frame, error);
	if (status != FYKE_OK)
		return status;
	if (microseconds(frame->time_ns) != microseconds(asked.time_ns) || frame->captured < asked.captured)
		return changed(reread, error);
	lost = frame->captured - asked.captured;
	frame->captured = asked.captured;
	frame->fcs_length = frame->fcs_length > lost ? (uint8_t)(frame->fcs_length - lost) : 0;
	frame->number = asked.number;
	frame->file = asked.file;
	frame->file_offset = asked.file_offset;
	return FYKE_OK;
}

void fyke_reread_expect(struct fyke_reread *reread, size_t interfaces)
{
	reread->interfaces_expected = interfaces;
}

const struct fyke_source_interface *fyke_reread_interface(
	const struct fyke_reread *reread, uint32_t index, unsigned *fcs_length)
{
	const struct fyke_reader *reader = reread->reader;

	if (index >= reader->interfaces_count)
		return NULL;
	*fcs_length = reader->interfaces[index].fcs_length;
	return &reader->interfaces[index].told;
}

uint64_t fyke_reread_bytes(const struct fyke_reread *reread)
{
	return reread->read;
}

static void stand_at(struct fyke_reread *reread, uint64_t number, uint64_t offset)
{
	reread->next = number;
	reread->place = offset;
	reread->time_known = number == 1;
	if (number == 1)
		reread->reader->last_time_ns = 0;
}

/* At a block that describes a section or an interface: steps behind it, each is learnt once. */
static enum fyke_status pass_description(struct fyke_reread *reread, uint32_t *type, struct fyke_error *error)
{
	struct fyke_cursor bytes;
	enum fyke_status status = FYKE_OK;
	uint32_t total;

	if (reread->place > 0 || reread->sections_count > 0) /* else at the very first block */
		status = find_section(reread, reread->place, error);
	if (status == FYKE_OK)
		status = see(reread, reread->place, 8, &bytes, error);
	if (status != FYKE_OK)
		return status;
	*type = fyke_reader_u32(reread->reader, &bytes);
	total = fyke_reader_u32(reread->reader, &bytes);
	if (*type != NG_SECTION && *type != NG_INTERFACE)
		return FYKE_OK;
	if (reread->place < reread->walked) {
		reread->place += total;
		return total < FYKE_PCAPNG_HEADER ? changed(reread, error) : FYKE_OK;
	}
	reread->walked = reread->place;
	status = walk_block(reread, error);
	reread->place = reread->walked;
	return status;
}

static enum fyke_status step(struct fyke_reread *reread, struct fyke_frame *frame, struct fyke_error *error)
{
	bool pcapng = reread->reader->record_header == 0;

	for (;;) {
		enum fyke_status status = FYKE_OK;
		enum fyke_parsed parsed;
		uint32_t type = 0;
		size_t size;

		if (pcapng)
			status = pass_description(reread, &type, error);
		if (status == FYKE_OK && (type == NG_SECTION || type == NG_INTERFACE))
			continue;
		if (status == FYKE_OK && type == NG_SIMPLE_PACKET && !reread->time_known)
			return FYKE_FAILED_INTERNAL;
		if (status == FYKE_OK)
			status = parse_at(reread, reread->place, &parsed, frame, &size, error);
		if (status != FYKE_OK)
			return status;
		if (parsed != FYKE_PARSED_FRAME && parsed != FYKE_PARSED_SKIP)
			return changed(reread, error);
		frame->file_offset = reread->place;
		reread->place += size;
		if (parsed == FYKE_PARSED_SKIP)
			continue;
		frame->number = reread->next++;
		reread->reader->last_time_ns = frame->time_ns;
		reread->time_known = true;
		return FYKE_OK;
	}
}

static enum fyke_status step_to(struct fyke_reread *reread, uint64_t number,
	const struct fyke_reread_mark *mark, struct fyke_frame *frame, struct fyke_error *error)
{
	enum fyke_status status;

	do {
		status = step(reread, frame, error);
		if (status == FYKE_OK && frame->number == mark->number && frame->file_offset != mark->offset)
			status = changed(reread, error);
	} while (status == FYKE_OK && frame->number < number);
	return status;
}

static enum fyke_status plain_number(struct fyke_reread *reread, uint64_t number,
	const struct fyke_reread_mark *mark, struct fyke_frame *frame, struct fyke_error *error)
{
	enum fyke_status status;

	if (reread->next == 0 || reread->next > number || reread->next < mark->number)
		stand_at(reread, mark->number == 0 ? 1 : mark->number,
			mark->number == 0 ? reread->beginning : mark->offset);
	status = step_to(reread, number, mark, frame, error);
	if (status == FYKE_FAILED_INTERNAL) {
		stand_at(reread, 1, reread->beginning);
		status = step_to(reread, number, mark, frame, error);
	}
	if (status != FYKE_OK)
		reread->next = 0;
	return status;
}

static enum fyke_status packed_number(struct fyke_reread *reread, uint64_t number,
	const struct fyke_reread_mark *mark, struct fyke_frame *frame, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (reread->block != NULL && reread->block->frames[0].number > number)
		status = packed_restart(reread, error);
	while (status == FYKE_OK &&
		(reread->block == NULL ||
			reread->block->frames[reread->block->block.count - 1].number < number))
		status = packed_block(reread, error);
	if (status != FYKE_OK)
		return status;
	*frame = reread->block->frames[number - reread->block->frames[0].number];
	return frame->number == mark->number && frame->file_offset != mark->offset ? changed(reread, error)
										   : FYKE_OK;
}

enum fyke_status fyke_reread_number(struct fyke_reread *reread, uint64_t number,
	const struct fyke_reread_mark *mark, struct fyke_frame *frame, struct fyke_error *error)
{
	if (number == 0 || mark->number > number)
		return fyke_error_set(
			error, FYKE_FAILED_INTERNAL, "%s: has no such packet number", reread->name);
	if (reread->packed)
		return packed_number(reread, number, mark, frame, error);
	return plain_number(reread, number, mark, frame, error);
}
