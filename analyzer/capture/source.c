/* What all sources share: numbering, filter, cut, limit, counters and the lists that users see. */
#include "analyzer/capture/source.h"

#include "analyzer/base/grow.h"
#include "analyzer/capture/origin.h"

#include <stdlib.h>
#include <string.h>

enum fyke_status fyke_source_init(struct fyke_source *source, const struct fyke_source_operations *operations,
	const struct fyke_source_options *options, struct fyke_error *error)
{
	if (options != NULL)
		source->options = *options;
	source->operations = operations;
	source->pool = fyke_block_pool_new();
	if (source->pool == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left to read packets");
	return FYKE_OK;
}

bool fyke_source_is_over(const struct fyke_source *source)
{
	const struct fyke_source_options *options = &source->options;
	uint64_t passed = source->counters.frames - source->counters.frames_filtered;

	if (options->stop != NULL && *options->stop)
		return true;
	return options->frame_limit != 0 && passed >= options->frame_limit;
}

/* Fewer bytes are here now: of the check sequence, too. */
static void cut_frame(struct fyke_frame *frame, uint32_t snaplen)
{
	uint32_t lost;

	if (snaplen == 0 || frame->captured <= snaplen)
		return;
	lost = frame->captured - snaplen;
	frame->captured = snaplen;
	frame->fcs_length = frame->fcs_length > lost ? (uint8_t)(frame->fcs_length - lost) : 0;
}

/* The comments on frame `from` stay, under its new number; those on frames before it are left out. */
static void admit_comments(
	struct fyke_block_room *room, uint64_t from, uint64_t number, size_t *at, size_t *kept)
{
	for (; *at < room->block.comment_count && room->comments[*at].frame <= from; (*at)++) {
		if (room->comments[*at].frame != from)
			continue;
		room->comments[*kept] = room->comments[*at];
		room->comments[(*kept)++].frame = number;
	}
}

/* Nothing is left out or cut: only the numbers go on. */
static size_t admit_all(struct fyke_source *source, struct fyke_block_room *room, struct fyke_origin origin)
{
	uint64_t number = source->counters.frames, bytes = 0;

	for (size_t i = 0; i < room->block.count; i++) {
		struct fyke_frame *frame = &room->frames[i];

		frame->number = ++number;
		frame->file = origin.file;
		frame->interface += origin.interface_base;
		bytes += frame->length;
	}
	source->counters.frames = number;
	source->counters.bytes += bytes;
	return room->block.count;
}

size_t fyke_source_admit(struct fyke_source *source, struct fyke_block_room *room, struct fyke_origin origin)
{
	struct fyke_source_counters *counters = &source->counters;
	uint64_t limit = source->options.frame_limit;
	size_t seen = 0, kept = 0, comments_seen = 0, comments_kept = 0;

	if (limit == 0 && source->filter == NULL && source->options.snaplen == 0 &&
		room->block.comment_count == 0)
		return admit_all(source, room, origin);
	for (; seen < room->block.count; seen++) {
		struct fyke_frame *frame = &room->frames[seen];
		uint64_t from = frame->number;

		if (limit != 0 && counters->frames - counters->frames_filtered >= limit)
			break;
		frame->number = ++counters->frames;
		frame->file = origin.file;
		frame->interface += origin.interface_base;
		if (source->filter != NULL && !fyke_capture_filter_passes(source->filter, frame)) {
			counters->frames_filtered++;
			continue;
		}
		cut_frame(frame, source->options.snaplen);
		counters->bytes += frame->length;
		admit_comments(room, from, frame->number, &comments_seen, &comments_kept);
		if (kept != seen)
			room->frames[kept] = *frame;
		kept++;
	}
	room->block.count = kept;
	room->block.comment_count = comments_kept;
	return seen;
}

void fyke_source_free_text(const char *text)
{
	union {
		const char *given;
		char *owned;
	} string = {text};

	if (text != NULL && text[0] != '\0')
		free(string.owned);
}

void fyke_source_free_interface(const struct fyke_source_interface *told)
{
	fyke_source_free_text(told->name);
	fyke_source_free_text(told->description);
	fyke_source_free_text(told->comment);
	fyke_source_free_text(told->os);
	fyke_source_free_text(told->hardware);
	fyke_source_free_text(told->filter);
}

bool fyke_source_add_interface(struct fyke_source *source, const struct fyke_source_interface *told)
{
	struct fyke_source_interface *grown = fyke_grow(
		source->interfaces, source->interfaces_count, &source->interfaces_room, 4, sizeof(*grown));

	if (grown == NULL)
		return false;
	source->interfaces = grown;
	source->interfaces[source->interfaces_count++] = *told;
	return true;
}

enum fyke_source_result fyke_source_next(
	struct fyke_source *source, struct fyke_block **block, struct fyke_error *error)
{
	*block = NULL;
	return source->operations->next(source, block, error);
}

const struct fyke_source_file *fyke_source_files(const struct fyke_source *source, size_t *count)
{
	*count = source->files_count;
	return source->files;
}

const struct fyke_source_interface *fyke_source_interfaces(const struct fyke_source *source, size_t *count)
{
	*count = source->interfaces_count;
	return source->interfaces;
}

struct fyke_source_counters fyke_source_counters(struct fyke_source *source)
{
	source->operations->count(source);
	return source->counters;
}

const char *fyke_source_warning(const struct fyke_source *source, size_t index)
{
	return source->filter == NULL ? NULL : fyke_capture_filter_warning(source->filter, index);
}

void fyke_source_free(struct fyke_source *source)
{
	if (source == NULL)
		return;
	for (size_t i = 0; i < source->interfaces_count; i++)
		fyke_source_free_interface(&source->interfaces[i]);
	free(source->interfaces);
	fyke_capture_filter_free(source->filter);
	fyke_block_pool_drop(source->pool);
	source->operations->release(source);
}
