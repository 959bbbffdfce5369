/*
 * Inside of analyzer/capture: what file and live sources have in common. Each embeds a struct
 * fyke_source as its first member and fills in the operations.
 */
#ifndef FYKE_CAPTURE_ORIGIN_H
#define FYKE_CAPTURE_ORIGIN_H

#include "analyzer/capture/block.h"
#include "analyzer/capture/filter.h"
#include "analyzer/capture/source.h"

struct fyke_source_operations {
	enum fyke_source_result (*next)(
		struct fyke_source *source, struct fyke_block **block, struct fyke_error *error);
	void (*count)(struct fyke_source *source);   /* brings the counters up to date */
	void (*release)(struct fyke_source *source); /* frees its own and the struct */
};

struct fyke_source {
	const struct fyke_source_operations *operations;
	struct fyke_source_options options; /* its filter is not used after the opening */
	struct fyke_capture_filter *filter; /* NULL: none, or the kernel's */
	struct fyke_block_pool *pool;
	struct fyke_source_counters counters;
	struct fyke_source_file *files;
	size_t files_count;
	struct fyke_source_interface *interfaces; /* strings owned */
	size_t interfaces_count, interfaces_room;
};

/* Where the frames of a block come from. */
struct fyke_origin {
	uint32_t file;
	uint32_t interface_base;
};

FYKE_MUST_USE enum fyke_status fyke_source_init(struct fyke_source *source,
	const struct fyke_source_operations *operations, const struct fyke_source_options *options,
	struct fyke_error *error);

/* Numbers, filters and cuts the frames of a fresh block and counts them; ends it at the frame limit.
 * Returns how many frames were counted, those left out included. */
size_t fyke_source_admit(struct fyke_source *source, struct fyke_block_room *room, struct fyke_origin origin);

/* Whether the stop flag or the frame limit ends the source. */
bool fyke_source_is_over(const struct fyke_source *source);

/* Takes over the strings of `told` (malloc'ed, or the static ""). False when memory is out. */
bool fyke_source_add_interface(struct fyke_source *source, const struct fyke_source_interface *told_take);
void fyke_source_free_text(const char *text); /* such a string, or NULL */
void fyke_source_free_interface(const struct fyke_source_interface *told);

#endif
