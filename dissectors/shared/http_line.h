/*
 * Where HTTP/1 messages begin: request lines and status lines (RFC 9112 §3 and §4), read strictly where
 * it must be decided whether bytes are HTTP at all, leniently where that is known.
 */
#ifndef FYKE_DISSECTORS_SHARED_HTTP_LINE_H
#define FYKE_DISSECTORS_SHARED_HTTP_LINE_H

#include "analyzer/base/side.h"
#include "dissectors/dissector.h"

struct fyke_http_slice {
	const char *bytes; /* borrowed; NULL = not there */
	size_t length;
};

struct fyke_http_request_line {
	struct fyke_http_slice method, target;
	struct fyke_http_slice version; /* "1.1"; not there in HTTP/0.9 */
};

struct fyke_http_status_line {
	struct fyke_http_slice version, reason;
	int status;
};

/* `line` without its end. False: it is no such line. A status may have fewer than three digits, 0 = none. */
bool fyke_http_read_request_line(const char *line, size_t length, struct fyke_http_request_line *read);
bool fyke_http_read_status_line(const char *line, size_t length, struct fyke_http_status_line *read);

/* Whether bytes begin with a message of that side: NO, MAYBE (as far as they go), YES. */
enum fyke_match fyke_http_starts(enum fyke_side side, const uint8_t *bytes, size_t length);

/* The place of the first message that begins in `bytes`, or may begin with what is to come; `length` where
 * there is none. */
size_t fyke_http_find_start(enum fyke_side side, const uint8_t *bytes, size_t length);

/* One line of `bytes` without its end; *taken counts that too. False: the end is not there. */
bool fyke_http_take_line(const uint8_t *bytes, size_t length, struct fyke_http_slice *line, size_t *taken);

/* Equal without regard to the case of letters; `word` is lower case. */
bool fyke_http_is(struct fyke_http_slice slice, const char *word);
/* The same of its beginning. */
bool fyke_http_begins(struct fyke_http_slice slice, const char *word);
/* Without blanks at both ends. */
struct fyke_http_slice fyke_http_trimmed(struct fyke_http_slice slice);
/* What stands up to the first `separator`; *rest begins behind it. */
struct fyke_http_slice fyke_http_part(struct fyke_http_slice *rest, char separator);
/* The value of `name` (lower case) in "x; name=value; other="a b""; not there: NULL bytes. Escapes within
 * quotes stay as they are. */
struct fyke_http_slice fyke_http_parameter(struct fyke_http_slice value, char separator, const char *name);
/* A number without a sign; -1 where it is none, or above 2^53. */
int64_t fyke_http_number(struct fyke_http_slice slice);
/* The last part of a path without its query, "" where it ends with a slash. */
struct fyke_http_slice fyke_http_last_part(struct fyke_http_slice target);

#endif
