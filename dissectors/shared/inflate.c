/*
 * zlib's inflate over memory that is counted.
 *
 * "deflate" in HTTP is zlib by the book and bare deflate from many servers: a zlib stream begins with a byte
 * whose lower half is 8, which no bare deflate stream can begin with in practice (a stored block with
 * padding bits set).
 */
#include "dissectors/shared/inflate.h"

#include <zlib.h>

enum { PIECE = 8 * 1024 };

struct fyke_inflate {
	struct fyke_dissection *dissection;
	struct fyke_inflate_budget *budget;
	z_stream z;
	bool started, whole;
};

static void *take_memory(void *context, unsigned count, unsigned size)
{
	struct fyke_inflate *packed = context;

	if (size != 0 && count > FYKE_INFLATE_MEMORY / size)
		return NULL;
	return fyke_take(packed->dissection, (size_t)count * size);
}

static void give_memory(void *context, void *memory)
{
	struct fyke_inflate *packed = context;

	fyke_give(packed->dissection, memory);
}

struct fyke_inflate *fyke_inflate_new(struct fyke_dissection *dissection, struct fyke_inflate_budget *budget)
{
	struct fyke_inflate *packed = fyke_take(dissection, sizeof(*packed));

	if (packed == NULL)
		return NULL;
	packed->dissection = dissection;
	packed->budget = budget;
	packed->z.zalloc = take_memory;
	packed->z.zfree = give_memory;
	packed->z.opaque = packed;
	return packed;
}

static bool start(struct fyke_inflate *packed, uint8_t first)
{
	int window = first == 0x1f ? 15 + 16 : (first & 0x0f) == 8 ? 15 : -15;

	packed->started = inflateInit2(&packed->z, window) == Z_OK;
	return packed->started;
}

/* At whole steps only, so that it does not depend on how the bytes came. */
static bool is_within_budget(const struct fyke_inflate_budget *budget)
{
	return budget->out % FYKE_INFLATE_STEP != 0 || budget->out / FYKE_INFLATE_RATIO <= budget->in;
}

static uInt room_of(const struct fyke_inflate_budget *budget)
{
	uint64_t left = FYKE_INFLATE_STEP - budget->out % FYKE_INFLATE_STEP;

	return left < PIECE ? (uInt)left : PIECE;
}

/* A gzip file may have several members, one behind the other. */
static bool begin_next_member(struct fyke_inflate *packed)
{
	packed->whole = true;
	if (packed->z.avail_in == 0 || packed->z.next_in[0] != 0x1f)
		return false;
	packed->whole = false;
	return inflateReset(&packed->z) == Z_OK;
}

bool fyke_inflate_take(struct fyke_inflate *packed, const uint8_t *bytes, size_t length,
	fyke_inflate_sink *sink, void *context)
{
	uint8_t piece[PIECE];
	uInt before, room;
	int result;

	if (length == 0 || packed->whole)
		return true;
	if (length > UINT32_MAX || (!packed->started && !start(packed, bytes[0])))
		return false;
	packed->z.next_in = (z_const Bytef *)(uintptr_t)bytes;
	packed->z.avail_in = (uInt)length;
	do {
		packed->z.next_out = piece;
		packed->z.avail_out = room = room_of(packed->budget);
		before = packed->z.avail_in;
		result = inflate(&packed->z, Z_NO_FLUSH);
		packed->budget->in += before - packed->z.avail_in;
		packed->budget->out += room - packed->z.avail_out;
		if (packed->z.avail_out < room)
			sink(context, piece, room - packed->z.avail_out);
		if (result == Z_STREAM_END && !begin_next_member(packed))
			return true;
		if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
			return false;
		if (packed->z.avail_out < room && !is_within_budget(packed->budget))
			return false;
	} while (packed->z.avail_in > 0 || packed->z.avail_out == 0);
	return true;
}

bool fyke_inflate_is_whole(const struct fyke_inflate *packed)
{
	return packed->whole;
}

void fyke_inflate_free(struct fyke_inflate *packed)
{
	if (packed == NULL)
		return;
	if (packed->started)
		(void)inflateEnd(&packed->z);
	fyke_give(packed->dissection, packed);
}
