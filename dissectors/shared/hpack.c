/*
 * nghttp2's inflater with memory that is counted. It asks for memory by size and gives it back without,
 * so each piece has its size in front.
 */
#include "dissectors/shared/hpack.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

enum { FIELDS_MAX = 2000, TABLE_SIZE = 4096 };

struct fyke_hpack {
	struct fyke_dissection *dissection;
	nghttp2_hd_inflater *inflater;
	nghttp2_mem memory;
	uint32_t allowed;
	unsigned fields; /* of the running block */
};

union sized {
	size_t size;
	max_align_t align;
};

static void *take(size_t size, void *context)
{
	struct fyke_dissection *dissection = context;
	union sized *memory;

	if (size > SIZE_MAX - sizeof(*memory))
		return NULL;
	memory = fyke_take(dissection, sizeof(*memory) + size);
	if (memory == NULL)
		return NULL;
	memory->size = size;
	return memory + 1;
}

static void give(void *memory, void *context)
{
	struct fyke_dissection *dissection = context;

	if (memory != NULL)
		fyke_give(dissection, (union sized *)memory - 1);
}

static void *take_array(size_t count, size_t size, void *context)
{
	return size != 0 && count > SIZE_MAX / size ? NULL : take(count * size, context);
}

static void *take_anew(void *memory, size_t size, void *context)
{
	size_t old = memory != NULL ? ((union sized *)memory - 1)->size : 0;
	void *grown = take(size, context);

	if (grown == NULL)
		return NULL;
	if (old > 0)
		memcpy(grown, memory, old < size ? old : size);
	give(memory, context);
	return grown;
}

struct fyke_hpack *fyke_hpack_new(struct fyke_dissection *dissection)
{
	struct fyke_hpack *hpack = fyke_take(dissection, sizeof(*hpack));

	if (hpack == NULL)
		return NULL;
	hpack->dissection = dissection;
	hpack->memory = (nghttp2_mem){dissection, take, give, take_array, take_anew};
	hpack->allowed = TABLE_SIZE;
	if (nghttp2_hd_inflate_new2(&hpack->inflater, &hpack->memory) == 0)
		return hpack;
	fyke_give(dissection, hpack);
	return NULL;
}

/* Only growth is followed: a table that is to shrink says so itself in the next block, and when that is
 * sent this side cannot know. */
void fyke_hpack_allow(struct fyke_hpack *hpack, uint32_t size)
{
	if (size > FYKE_HPACK_TABLE_MAX)
		size = FYKE_HPACK_TABLE_MAX;
	if (size > hpack->allowed && nghttp2_hd_inflate_change_table_size(hpack->inflater, size) == 0)
		hpack->allowed = size;
}

bool fyke_hpack_take(struct fyke_hpack *hpack, const uint8_t *bytes, size_t length, bool last,
	fyke_hpack_sink *sink, void *context)
{
	for (;;) {
		nghttp2_nv field;
		int flags = 0;
		ssize_t taken = nghttp2_hd_inflate_hd2(hpack->inflater, &field, &flags, bytes, length, last);

		if (taken < 0 || hpack->fields > FIELDS_MAX)
			return false;
		bytes += taken;
		length -= (size_t)taken;
		if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
			hpack->fields++;
			sink(context, (struct fyke_http_slice){(const char *)field.name, field.namelen},
				(struct fyke_http_slice){(const char *)field.value, field.valuelen});
		} else if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
			hpack->fields = 0;
			return nghttp2_hd_inflate_end_headers(hpack->inflater) == 0;
		} else if (length == 0) {
			return !last;
		}
	}
}
