/*
 * Bodies of several parts between boundaries (RFC 2046 §5.1), as they come: multipart/form-data,
 * multipart/byteranges and the like. Parts within parts are one part.
 */
#ifndef FYKE_DISSECTORS_SHARED_MULTIPART_H
#define FYKE_DISSECTORS_SHARED_MULTIPART_H

#include "dissectors/shared/http_line.h"

enum { FYKE_MULTIPART_BOUNDARY_MAX = 200, FYKE_MULTIPART_HEADER_MAX = 512, FYKE_MULTIPART_HEADERS = 3 };

/* The values of a part's headers; a part without one has NULL there. */
struct fyke_multipart_part {
	struct fyke_http_slice disposition, type, range;
};

struct fyke_multipart_sink {
	void (*begin)(void *context, const struct fyke_multipart_part *part);
	void (*data)(void *context, const uint8_t *bytes, size_t length); /* borrowed for the call */
	void (*end)(void *context, bool complete);
};

struct fyke_multipart;

/* NULL when memory is used up or there is no usable boundary. `sink` is borrowed for its life. */
struct fyke_multipart *fyke_multipart_new(struct fyke_dissection *dissection, struct fyke_http_slice boundary,
	const struct fyke_multipart_sink *sink, void *context);
void fyke_multipart_take(struct fyke_multipart *multipart, const uint8_t *bytes, size_t length);
/* Nothing more comes: an open part ends incomplete. Frees it. */
void fyke_multipart_end(struct fyke_dissection *dissection, struct fyke_multipart *multipart);

#endif
