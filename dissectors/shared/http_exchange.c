/*
 * Bodies of an exchange, and its row.
 */
#include "dissectors/shared/http_exchange.h"

#include <string.h>

enum {
	STREAM,
	METHOD,
	HOST,
	URI,
	VERSION,
	USER_AGENT,
	REFERRER,
	ORIGIN,
	STATUS,
	REASON,
	RESPONSE_VERSION,
	CONTENT_TYPE,
	SERVER,
	REQUEST_CONTENT_TYPE,
	REQUEST_BODY_BYTES,
	RESPONSE_BODY_BYTES,
	REQUEST_ENCODING,
	REQUEST_ENCODED_BYTES,
	CONTENT_ENCODING,
	RESPONSE_ENCODED_BYTES,
	USERNAME,
	AUTHENTICATE,
	PROXIED,
	REQUEST_FILENAME,
	FILENAME,
	LOCATION,
	RANGE,
	CONTENT_RANGE,
	COOKIES,
	SET_COOKIES,
	UPGRADE,
	DEPTH,
	RESPONSE_FRAME,
	RESPONSE_US,
	LATENCY_US,
	COMPLETE,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[STREAM] = {"stream", FYKE_TYPE_INTEGER, "HTTP/2: the stream; NULL in HTTP/1"},
	[METHOD] = {"method", FYKE_TYPE_TEXT, "NULL: the request was not seen"},
	[HOST] = {"host", FYKE_TYPE_TEXT, "the Host header (HTTP/2: :authority), else the host of the URI"},
	[URI] = {"uri", FYKE_TYPE_TEXT, "the target of the request as it was sent; a password in it is ***"},
	[VERSION] = {"version", FYKE_TYPE_TEXT, "of the request: 0.9 1.0 1.1 2"},
	[USER_AGENT] = {"user_agent", FYKE_TYPE_TEXT, "User-Agent"},
	[REFERRER] = {"referrer", FYKE_TYPE_TEXT, "Referer"},
	[ORIGIN] = {"origin", FYKE_TYPE_TEXT, "Origin"},
	[STATUS] = {"status", FYKE_TYPE_INTEGER,
		"of the final response; NULL: none was seen. Interim ones (100 to 199) are left out, 101 "
		"counts"},
	[REASON] = {"reason", FYKE_TYPE_TEXT, "the words behind the status"},
	[RESPONSE_VERSION] = {"response_version", FYKE_TYPE_TEXT, "of the response: 1.0 1.1 2, ICY"},
	[CONTENT_TYPE] = {"content_type", FYKE_TYPE_TEXT, "Content-Type of the response"},
	[SERVER] = {"server", FYKE_TYPE_TEXT, "Server"},
	[REQUEST_CONTENT_TYPE] = {"request_content_type", FYKE_TYPE_TEXT, "Content-Type of the request"},
	[REQUEST_BODY_BYTES] = {"request_body_bytes", FYKE_TYPE_INTEGER,
		"of the request's body as far as it was seen, without chunks, unpacked where it is gzip or "
		"deflate; NULL: the request was not seen"},
	[RESPONSE_BODY_BYTES] = {"response_body_bytes", FYKE_TYPE_INTEGER, "likewise of the response's"},
	[REQUEST_ENCODING] = {"request_content_encoding", FYKE_TYPE_TEXT, "Content-Encoding of the request"},
	[REQUEST_ENCODED_BYTES] = {"request_encoded_bytes", FYKE_TYPE_INTEGER,
		"of the request's body as it was sent, without chunks, where it is packed with gzip or "
		"deflate"},
	[CONTENT_ENCODING] = {"content_encoding", FYKE_TYPE_TEXT, "Content-Encoding of the response"},
	[RESPONSE_ENCODED_BYTES] = {"response_encoded_bytes", FYKE_TYPE_INTEGER,
		"likewise of the response's"},
	[USERNAME] = {"username", FYKE_TYPE_TEXT,
		"of Basic or Digest authentication, or in the URI; its secret: table credentials"},
	[AUTHENTICATE] = {"authenticate", FYKE_TYPE_TEXT,
		"what the server asks for: WWW-Authenticate or Proxy-Authenticate"},
	[PROXIED] = {"proxied", FYKE_TYPE_TEXT,
		"headers of the request that tell of a proxy: Via, X-Forwarded-For, Forwarded, Client-IP …"},
	[REQUEST_FILENAME] = {"request_filename", FYKE_TYPE_TEXT,
		"the file's name in the request's Content-Disposition"},
	[FILENAME] = {"filename", FYKE_TYPE_TEXT, "the file's name in the response's Content-Disposition"},
	[LOCATION] = {"location", FYKE_TYPE_TEXT, "Location; a password in it is ***"},
	[RANGE] = {"range", FYKE_TYPE_TEXT, "the Range that was asked for"},
	[CONTENT_RANGE] = {"content_range", FYKE_TYPE_TEXT, "Content-Range of the response"},
	[COOKIES] = {"cookies", FYKE_TYPE_TEXT, "names of the cookies that the client sent, without values"},
	[SET_COOKIES] = {"set_cookies", FYKE_TYPE_TEXT, "names of the cookies that the server set"},
	[UPGRADE] = {"upgrade", FYKE_TYPE_TEXT,
		"the protocol that the server changed to; else those that the client offered"},
	[DEPTH] = {"depth", FYKE_TYPE_INTEGER, "the number of the exchange within its session, from 1"},
	[RESPONSE_FRAME] = {"response_frame", FYKE_TYPE_INTEGER, "the frame in which the response began"},
	[RESPONSE_US] = {"response_us", FYKE_TYPE_INTEGER, "when it began, in microseconds since 1970"},
	[LATENCY_US] = {"latency_us", FYKE_TYPE_INTEGER,
		"from the end of the request to the beginning of the response, in microseconds; NULL where "
		"the "
		"response did not wait for that"},
	[COMPLETE] = {"complete", FYKE_TYPE_BOOLEAN,
		"1 where both messages were seen to their ends and nothing of them is missing"},
};

const struct fyke_table fyke_http_table = {
	"http", "one row per request and its response", fields, FIELD_COUNT};

enum { BODY_OF_REQUEST = FYKE_CLIENT, BODY_OF_RESPONSE = FYKE_SERVER };

struct fyke_http_exchange *fyke_http_exchange_new(
	struct fyke_dissection *dissection, struct fyke_http_common *common)
{
	struct fyke_http_exchange *exchange = fyke_take(dissection, sizeof(*exchange));

	if (exchange == NULL)
		return NULL;
	exchange->dissection = dissection;
	exchange->number = ++common->count;
	exchange->message[0].length = exchange->message[1].length = -1;
	return exchange;
}

static void begin_body(
	struct fyke_http_exchange *exchange, enum fyke_side side, struct fyke_http_common *common)
{
	bool request = side == FYKE_CLIENT;
	const struct fyke_http_body_about about = {.sender = side,
		.type = fyke_http_get(exchange, request ? FYKE_HTTP_REQUEST_TYPE : FYKE_HTTP_TYPE),
		.encoding =
			fyke_http_get(exchange, request ? FYKE_HTTP_REQUEST_ENCODING : FYKE_HTTP_ENCODING),
		.disposition = fyke_http_get(
			exchange, request ? FYKE_HTTP_REQUEST_DISPOSITION : FYKE_HTTP_DISPOSITION),
		.range = fyke_http_get(exchange, request ? FYKE_HTTP_REQUEST_RANGE : FYKE_HTTP_CONTENT_RANGE),
		.target = fyke_http_get(exchange, FYKE_HTTP_URI),
		.length = exchange->message[side].length};

	fyke_http_body_begin(exchange->dissection, &exchange->message[side].body, &about, &common->budget);
}

void fyke_http_take_body(struct fyke_http_exchange *exchange, enum fyke_side side,
	struct fyke_http_common *common, const uint8_t *bytes, size_t length)
{
	struct fyke_http_body *body = &exchange->message[side].body;

	if (length == 0)
		return;
	if (!body->open)
		begin_body(exchange, side, common);
	fyke_http_body_data(body, bytes, length);
}

void fyke_http_miss_body(struct fyke_http_exchange *exchange, enum fyke_side side,
	struct fyke_http_common *common, uint64_t length)
{
	struct fyke_http_body *body = &exchange->message[side].body;

	if (!body->open)
		begin_body(exchange, side, common);
	fyke_http_body_missing(body, length);
}

void fyke_http_end_message(struct fyke_http_exchange *exchange, enum fyke_side side, bool complete)
{
	struct fyke_http_message *message = &exchange->message[side];

	if (message->closed)
		return;
	fyke_http_body_end(&message->body, complete);
	message->ended = fyke_now(exchange->dissection);
	message->closed = true;
	message->done = complete && message->seen && !message->torn && !message->body.missing;
}

void fyke_http_forget_response(struct fyke_http_exchange *exchange)
{
	for (int i = FYKE_HTTP_REASON; i < FYKE_HTTP_TEXTS; i++) {
		if (i < FYKE_HTTP_SOCKET_PROTOCOLS || i > FYKE_HTTP_SOCKET_VERSION)
			fyke_drop(exchange->dissection, &exchange->text[i]);
	}
	exchange->status = 0;
	exchange->message[FYKE_SERVER] = (struct fyke_http_message){.length = -1};
}

/* ---- the row ---- */

static struct fyke_value text_of(const struct fyke_http_exchange *exchange, enum fyke_http_text text)
{
	return fyke_text_of(&exchange->text[text]);
}

static void fill_texts(const struct fyke_http_exchange *exchange, struct fyke_value *values)
{
	static const struct {
		int field;
		enum fyke_http_text text;
	} pairs[] = {{METHOD, FYKE_HTTP_METHOD}, {HOST, FYKE_HTTP_HOST}, {URI, FYKE_HTTP_URI},
		{VERSION, FYKE_HTTP_VERSION}, {USER_AGENT, FYKE_HTTP_USER_AGENT},
		{REFERRER, FYKE_HTTP_REFERRER}, {ORIGIN, FYKE_HTTP_ORIGIN}, {REASON, FYKE_HTTP_REASON},
		{RESPONSE_VERSION, FYKE_HTTP_RESPONSE_VERSION}, {CONTENT_TYPE, FYKE_HTTP_TYPE},
		{SERVER, FYKE_HTTP_SERVER}, {REQUEST_CONTENT_TYPE, FYKE_HTTP_REQUEST_TYPE},
		{REQUEST_ENCODING, FYKE_HTTP_REQUEST_ENCODING}, {CONTENT_ENCODING, FYKE_HTTP_ENCODING},
		{USERNAME, FYKE_HTTP_USERNAME}, {AUTHENTICATE, FYKE_HTTP_AUTHENTICATE},
		{PROXIED, FYKE_HTTP_PROXIED}, {LOCATION, FYKE_HTTP_LOCATION}, {RANGE, FYKE_HTTP_RANGE},
		{CONTENT_RANGE, FYKE_HTTP_CONTENT_RANGE}, {COOKIES, FYKE_HTTP_COOKIES},
		{SET_COOKIES, FYKE_HTTP_SET_COOKIES}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		values[pairs[i].field] = text_of(exchange, pairs[i].text);
	values[UPGRADE] =
		text_of(exchange, fyke_text_is_set(&exchange->text[FYKE_HTTP_UPGRADED]) ? FYKE_HTTP_UPGRADED
											: FYKE_HTTP_UPGRADE);
}

static void fill_bodies(const struct fyke_http_exchange *exchange, struct fyke_value *values)
{
	static const int plain[2] = {
		[BODY_OF_REQUEST] = REQUEST_BODY_BYTES, [BODY_OF_RESPONSE] = RESPONSE_BODY_BYTES};
	static const int encoded[2] = {
		[BODY_OF_REQUEST] = REQUEST_ENCODED_BYTES, [BODY_OF_RESPONSE] = RESPONSE_ENCODED_BYTES};

	for (int side = 0; side < 2; side++) {
		const struct fyke_http_message *message = &exchange->message[side];

		values[plain[side]] = fyke_integer_if(message->seen, (int64_t)message->body.bytes);
		values[encoded[side]] = fyke_integer_if(message->body.packed, (int64_t)message->body.encoded);
	}
}

static void fill_times(const struct fyke_http_exchange *exchange, struct fyke_value *values)
{
	const struct fyke_http_message *request = &exchange->message[FYKE_CLIENT];
	const struct fyke_http_message *response = &exchange->message[FYKE_SERVER];
	int64_t begun_us = response->begun.time_ns / 1000 - (response->begun.time_ns % 1000 < 0);
	int64_t latency_ns = response->begun.time_ns - request->ended.time_ns;

	values[RESPONSE_FRAME] = fyke_integer_if(response->seen, (int64_t)response->begun.frame);
	values[RESPONSE_US] = fyke_integer_if(response->seen, begun_us);
	values[LATENCY_US] =
		fyke_integer_if(request->seen && request->done && response->seen && latency_ns >= 0 &&
					request->ended.frame <= response->begun.frame,
			latency_ns / 1000);
}

static enum fyke_login login_of(const struct fyke_http_exchange *exchange)
{
	if (exchange->status == 401 || exchange->status == 407)
		return FYKE_LOGIN_REFUSED;
	/* a refusal that knows the user, or a fault, says nothing of the secret */
	return exchange->status >= 200 && exchange->status < 400 ? FYKE_LOGIN_ACCEPTED : FYKE_LOGIN_UNKNOWN;
}

static void tell_login(const struct fyke_http_exchange *exchange)
{
	const struct fyke_credential credential = {.mechanism = exchange->mechanism,
		.user = text_of(exchange, FYKE_HTTP_USERNAME),
		.secret = text_of(exchange, FYKE_HTTP_SECRET),
		.login = login_of(exchange)};

	if (exchange->mechanism != NULL)
		fyke_credential_at(exchange->dissection, exchange->message[FYKE_CLIENT].begun, &credential);
}

void fyke_http_exchange_tell(struct fyke_http_exchange *exchange)
{
	const struct fyke_http_message *request = &exchange->message[FYKE_CLIENT];
	const struct fyke_http_message *response = &exchange->message[FYKE_SERVER];
	struct fyke_value values[FIELD_COUNT] = {{0}};
	char name[2][256];
	size_t length[2];

	fyke_http_end_message(exchange, FYKE_CLIENT, false);
	fyke_http_end_message(exchange, FYKE_SERVER, false);
	fill_texts(exchange, values);
	fill_bodies(exchange, values);
	fill_times(exchange, values);
	length[0] = fyke_http_filename(
		fyke_http_get(exchange, FYKE_HTTP_REQUEST_DISPOSITION), name[0], sizeof(name[0]));
	length[1] =
		fyke_http_filename(fyke_http_get(exchange, FYKE_HTTP_DISPOSITION), name[1], sizeof(name[1]));
	values[REQUEST_FILENAME] = fyke_bytes(length[0] > 0 ? name[0] : NULL, length[0]);
	values[FILENAME] = fyke_bytes(length[1] > 0 ? name[1] : NULL, length[1]);
	values[STREAM] = fyke_integer_if(exchange->stream != 0, exchange->stream);
	values[STATUS] = fyke_integer_if(exchange->status != 0, exchange->status);
	values[DEPTH] = fyke_integer(exchange->number);
	values[COMPLETE] = fyke_integer(request->done && response->done);
	fyke_record_at(exchange->dissection, &fyke_http_table,
		request->seen ? request->begun : response->begun, values);
	tell_login(exchange);
	fyke_http_exchange_free(exchange);
}

void fyke_http_exchange_free(struct fyke_http_exchange *exchange)
{
	fyke_http_body_end(&exchange->message[FYKE_CLIENT].body, false);
	fyke_http_body_end(&exchange->message[FYKE_SERVER].body, false);
	for (int i = 0; i < FYKE_HTTP_TEXTS; i++)
		fyke_drop(exchange->dissection, &exchange->text[i]);
	fyke_give(exchange->dissection, exchange);
}
