/*
 * One request and its response, whichever version of HTTP carries them: what their heads say, their bodies,
 * and the row of table `http` that it becomes.
 */
#ifndef FYKE_DISSECTORS_SHARED_HTTP_EXCHANGE_H
#define FYKE_DISSECTORS_SHARED_HTTP_EXCHANGE_H

#include "dissectors/shared/http_body.h"

/* What is kept of both heads, as text. */
enum fyke_http_text {
	FYKE_HTTP_METHOD,
	FYKE_HTTP_HOST,
	FYKE_HTTP_URI,
	FYKE_HTTP_VERSION,
	FYKE_HTTP_USER_AGENT,
	FYKE_HTTP_REFERRER,
	FYKE_HTTP_ORIGIN,
	FYKE_HTTP_REQUEST_TYPE,
	FYKE_HTTP_REQUEST_ENCODING,
	FYKE_HTTP_REQUEST_DISPOSITION,
	FYKE_HTTP_REQUEST_RANGE,
	FYKE_HTTP_RANGE,
	FYKE_HTTP_USERNAME,
	FYKE_HTTP_SECRET,
	FYKE_HTTP_PROXIED,
	FYKE_HTTP_COOKIES,
	FYKE_HTTP_UPGRADE,
	FYKE_HTTP_REASON,
	FYKE_HTTP_RESPONSE_VERSION,
	FYKE_HTTP_TYPE,
	FYKE_HTTP_ENCODING,
	FYKE_HTTP_DISPOSITION,
	FYKE_HTTP_CONTENT_RANGE,
	FYKE_HTTP_SERVER,
	FYKE_HTTP_LOCATION,
	FYKE_HTTP_AUTHENTICATE,
	FYKE_HTTP_SET_COOKIES,
	FYKE_HTTP_UPGRADED,
	FYKE_HTTP_SOCKET_PROTOCOLS, /* WebSocket, RFC 6455 */
	FYKE_HTTP_SOCKET_EXTENSIONS,
	FYKE_HTTP_SOCKET_VERSION,
	FYKE_HTTP_SOCKET_PROTOCOL,
	FYKE_HTTP_SOCKET_EXTENSION,
	FYKE_HTTP_TEXTS
};

/* One of its two messages. */
struct fyke_http_message {
	struct fyke_moment begun, ended;
	int64_t length; /* Content-Length, -1 = not told */
	bool seen;	/* its head, or part of it */
	bool closed;	/* nothing more comes of it */
	bool done;	/* it was seen to its end */
	bool torn;	/* bytes of its head are missing */
	bool chunked;
	struct fyke_http_body body;
};

struct fyke_http_exchange {
	struct fyke_http_exchange *next; /* its owner's */
	struct fyke_dissection *dissection;
	uint32_t stream;		     /* of HTTP/2 */
	uint32_t number;		     /* within the session, from 1 */
	int status;			     /* 0 = none */
	const char *mechanism;		     /* of a login */
	struct fyke_http_message message[2]; /* by who sends it */
	struct fyke_text text[FYKE_HTTP_TEXTS];
};

/* What a session's exchanges have in common; zeroed at first. */
struct fyke_http_common {
	struct fyke_inflate_budget budget;
	uint32_t count;	  /* of exchanges */
	uint32_t said[2]; /* what was last told of each side's program */
};

extern const struct fyke_table fyke_http_table;

/* NULL when memory is used up. */
struct fyke_http_exchange *fyke_http_exchange_new(
	struct fyke_dissection *dissection, struct fyke_http_common *common);

/* A header of `side`'s message. */
void fyke_http_take_header(struct fyke_http_exchange *exchange, enum fyke_side side,
	struct fyke_http_slice name, struct fyke_http_slice value);
/* Sets a text; the password of a URI is masked. */
void fyke_http_set(
	struct fyke_http_exchange *exchange, enum fyke_http_text text, struct fyke_http_slice value);
/* The request's target; a login that stands in it is kept. */
void fyke_http_set_target(struct fyke_http_exchange *exchange, struct fyke_http_slice target);

static inline struct fyke_http_slice fyke_http_get(
	const struct fyke_http_exchange *exchange, enum fyke_http_text text)
{
	return (struct fyke_http_slice){exchange->text[text].bytes, exchange->text[text].length};
}

/* All headers of `side`'s message are there. */
void fyke_http_end_head(
	struct fyke_http_exchange *exchange, enum fyke_side side, struct fyke_http_common *common);
/* Body bytes as they were transferred, without chunks. */
void fyke_http_take_body(struct fyke_http_exchange *exchange, enum fyke_side side,
	struct fyke_http_common *common, const uint8_t *bytes, size_t length);
void fyke_http_miss_body(struct fyke_http_exchange *exchange, enum fyke_side side,
	struct fyke_http_common *common, uint64_t length);
void fyke_http_end_message(struct fyke_http_exchange *exchange, enum fyke_side side, bool complete);

/* It was an interim one (RFC 9110 §15.2): the request is still to be answered. */
void fyke_http_forget_response(struct fyke_http_exchange *exchange);

/* Makes the row, and frees it. */
void fyke_http_exchange_tell(struct fyke_http_exchange *exchange);
/* Frees it without a word. */
void fyke_http_exchange_free(struct fyke_http_exchange *exchange);

#endif
