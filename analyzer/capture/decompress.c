/*
 * Streaming decompression: RFC 1952 (zlib), RFC 8878 (libzstd), the LZ4 frame format (liblz4).
 * Members follow each other without limit; zero padding behind gzip is skipped, as tapes and block
 * devices leave it. Memory is bounded by the libraries' windows: zstd's at 128 MiB, its own default.
 */
#include "analyzer/capture/decompress.h"

#define ZLIB_CONST 1

#include <limits.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

struct fyke_decompressor {
	enum fyke_compression compression;
	bool between;
	z_stream gzip;
	ZSTD_DCtx *zstd;
	LZ4F_dctx *lz4;
};

static bool starts(const uint8_t *first, size_t length, const void *magic, size_t magic_length)
{
	return length >= magic_length && memcmp(first, magic, magic_length) == 0;
}

enum fyke_compression fyke_compression_of(const uint8_t *first, size_t length)
{
	if (starts(first, length, "\x1f\x8b", 2))
		return FYKE_GZIP;
	if (starts(first, length, "\x28\xb5\x2f\xfd", 4))
		return FYKE_ZSTD;
	if (starts(first, length, "\x04\x22\x4d\x18", 4))
		return FYKE_LZ4;
	/* pzstd and seekable zstd may begin with a skippable frame: 0x184D2A50 to 5F. */
	if (length >= 4 && first[0] >> 4 == 5 && starts(first + 1, length - 1, "\x2a\x4d\x18", 3))
		return FYKE_ZSTD;
	return FYKE_PLAIN;
}

const char *fyke_compression_name(enum fyke_compression compression)
{
	static const char *const names[] = {NULL, "gzip", "zstd", "lz4"};

	return names[compression];
}

static bool start(struct fyke_decompressor *d)
{
	switch (d->compression) {
	case FYKE_GZIP:
		return inflateInit2(&d->gzip, 15 + 16) == Z_OK;
	case FYKE_ZSTD:
		d->zstd = ZSTD_createDCtx();
		return d->zstd != NULL;
	case FYKE_LZ4:
		return !LZ4F_isError(LZ4F_createDecompressionContext(&d->lz4, LZ4F_VERSION));
	case FYKE_PLAIN:
		break;
	}
	return false;
}

struct fyke_decompressor *fyke_decompressor_new(enum fyke_compression compression)
{
	struct fyke_decompressor *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->compression = compression;
	if (!start(d)) {
		free(d);
		return NULL;
	}
	return d;
}

void fyke_decompressor_free(struct fyke_decompressor *d)
{
	if (d == NULL)
		return;
	if (d->compression == FYKE_GZIP)
		(void)inflateEnd(&d->gzip);
	(void)ZSTD_freeDCtx(d->zstd);
	(void)LZ4F_freeDecompressionContext(d->lz4);
	free(d);
}

static uInt at_most_uint(size_t length)
{
	return length > UINT_MAX ? UINT_MAX : (uInt)length;
}

static void skip_zeros(struct fyke_coding *coding)
{
	while (coding->in_left > 0 && *coding->in == 0) {
		coding->in++;
		coding->in_left--;
	}
}

static const char *inflate_problem(struct fyke_decompressor *d, int result)
{
	if (result == Z_OK || result == Z_BUF_ERROR)
		return NULL;
	if (result == Z_STREAM_END) {
		d->between = true;
		return inflateReset(&d->gzip) == Z_OK ? NULL : "cannot start the next member";
	}
	if (result == Z_NEED_DICT)
		return "needs a dictionary";
	return d->gzip.msg != NULL ? d->gzip.msg : "invalid data";
}

static const char *step_gzip(struct fyke_decompressor *d, struct fyke_coding *coding)
{
	const char *problem;
	uInt in, out;

	if (d->between)
		skip_zeros(coding);
	if (d->between && coding->in_left == 0)
		return NULL;
	d->between = false;
	in = at_most_uint(coding->in_left);
	out = at_most_uint(coding->out_left);
	d->gzip.next_in = coding->in;
	d->gzip.avail_in = in;
	d->gzip.next_out = coding->out;
	d->gzip.avail_out = out;
	problem = inflate_problem(d, inflate(&d->gzip, Z_NO_FLUSH));
	coding->in += in - d->gzip.avail_in;
	coding->in_left -= in - d->gzip.avail_in;
	coding->out += out - d->gzip.avail_out;
	coding->out_left -= out - d->gzip.avail_out;
	return problem;
}

static const char *step_zstd(struct fyke_decompressor *d, struct fyke_coding *coding)
{
	ZSTD_inBuffer in = {coding->in, coding->in_left, 0};
	ZSTD_outBuffer out = {coding->out, coding->out_left, 0};
	size_t result = ZSTD_decompressStream(d->zstd, &out, &in);

	coding->in += in.pos;
	coding->in_left -= in.pos;
	coding->out += out.pos;
	coding->out_left -= out.pos;
	if (ZSTD_isError(result))
		return ZSTD_getErrorName(result);
	d->between = result == 0;
	return NULL;
}

static const char *step_lz4(struct fyke_decompressor *d, struct fyke_coding *coding)
{
	size_t in = coding->in_left, out = coding->out_left;
	size_t result = LZ4F_decompress(d->lz4, coding->out, &out, coding->in, &in, NULL);

	if (LZ4F_isError(result))
		return LZ4F_getErrorName(result);
	coding->in += in;
	coding->in_left -= in;
	coding->out += out;
	coding->out_left -= out;
	d->between = result == 0;
	return NULL;
}

const char *fyke_decompressor_step(struct fyke_decompressor *d, struct fyke_coding *coding)
{
	/* Without input the libraries would already ask for the next member's header. */
	if (d->between && coding->in_left == 0)
		return NULL;
	switch (d->compression) {
	case FYKE_GZIP:
		return step_gzip(d, coding);
	case FYKE_ZSTD:
		return step_zstd(d, coding);
	case FYKE_LZ4:
		return step_lz4(d, coding);
	case FYKE_PLAIN:
		break;
	}
	return "not compressed";
}

bool fyke_decompressor_between(const struct fyke_decompressor *d)
{
	return d->between;
}
