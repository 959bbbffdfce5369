/* Inside of analyzer/capture: gzip, zstd and lz4 (frame format) as streams, concatenated members included. */
#ifndef FYKE_CAPTURE_DECOMPRESS_H
#define FYKE_CAPTURE_DECOMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fyke_compression { FYKE_PLAIN, FYKE_GZIP, FYKE_ZSTD, FYKE_LZ4 };

/* By the magic at the start; FYKE_PLAIN where none is there. */
enum fyke_compression fyke_compression_of(const uint8_t *first, size_t length);

/* "gzip" and so on; NULL for FYKE_PLAIN. */
const char *fyke_compression_name(enum fyke_compression compression);

struct fyke_decompressor;

/* What goes in and what comes out; both sides advance. */
struct fyke_coding {
	const uint8_t *in;
	size_t in_left;
	uint8_t *out;
	size_t out_left;
};

/* NULL when memory is out. */
struct fyke_decompressor *fyke_decompressor_new(enum fyke_compression compression);
void fyke_decompressor_free(struct fyke_decompressor *decompressor);

/* One step. NULL when all is well; else what is wrong with the input, in the library's words (static).
 * A step that neither consumes nor produces needs more input or more room. */
const char *fyke_decompressor_step(struct fyke_decompressor *decompressor, struct fyke_coding *coding);

/* Whether the input may end here: no member is open. */
bool fyke_decompressor_between(const struct fyke_decompressor *decompressor);

#endif
