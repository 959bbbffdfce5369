/* Header blocks of HTTP/2 unpacked (HPACK, RFC 7541) by nghttp2, in the dissector's memory. */
#ifndef FYKE_DISSECTORS_SHARED_HPACK_H
#define FYKE_DISSECTORS_SHARED_HPACK_H

#include "dissectors/shared/http_line.h"

enum { FYKE_HPACK_TABLE_MAX = 64 * 1024 }; /* a larger table is not followed */

struct fyke_hpack; /* of one direction */

struct fyke_hpack *fyke_hpack_new(struct fyke_dissection *dissection); /* NULL when memory is used up */

/* The table may grow to `size` bytes (SETTINGS_HEADER_TABLE_SIZE of the receiver). */
void fyke_hpack_allow(struct fyke_hpack *hpack, uint32_t size);

typedef void fyke_hpack_sink(void *context, struct fyke_http_slice name, struct fyke_http_slice value);

/* A piece of a block; the last one ends it. False: damaged, nothing more can be unpacked. */
bool fyke_hpack_take(struct fyke_hpack *hpack, const uint8_t *bytes, size_t length, bool last,
	fyke_hpack_sink *sink, void *context);

#endif
