/*
 * A message's body on its way: unpacked where its Content-Encoding is gzip or deflate, taken apart where it
 * is multipart, and handed on as files. Where it cannot be unpacked its bytes are counted as they are.
 */
#ifndef FYKE_DISSECTORS_SHARED_HTTP_BODY_H
#define FYKE_DISSECTORS_SHARED_HTTP_BODY_H

#include "dissectors/shared/inflate.h"
#include "dissectors/shared/multipart.h"

/* What its head said of it; borrowed for the call, the target for the body's life. */
struct fyke_http_body_about {
	enum fyke_side sender;
	struct fyke_http_slice type, encoding, disposition, range, target;
	int64_t length;	 /* as told, -1 = not told */
	bool not_a_file; /* count it only */
};

struct fyke_http_body {
	struct fyke_dissection *dissection;
	struct fyke_file *file;
	struct fyke_inflate *inflate;
	struct fyke_multipart *multipart;
	enum fyke_side sender;
	struct fyke_http_slice target;
	uint64_t bytes;	  /* unpacked */
	uint64_t encoded; /* as they were transferred */
	bool partial;	  /* a range of the whole */
	bool packed;	  /* with gzip or deflate */
	bool missing;	  /* bytes of it */
	bool broken;	  /* what comes is not made sense of any more */
	bool open;
};

void fyke_http_body_begin(struct fyke_dissection *dissection, struct fyke_http_body *body,
	const struct fyke_http_body_about *about, struct fyke_inflate_budget *budget);
void fyke_http_body_data(struct fyke_http_body *body, const uint8_t *bytes, size_t length);
void fyke_http_body_missing(struct fyke_http_body *body, uint64_t length);
/* `complete`: its end was told. Nothing happens to one that is not open. */
void fyke_http_body_end(struct fyke_http_body *body, bool complete);

/* The name in a Content-Disposition (RFC 6266), decoded, at most `room` bytes; its length, 0 = none. */
size_t fyke_http_filename(struct fyke_http_slice disposition, char *out, size_t room);

#endif
