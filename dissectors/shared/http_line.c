/*
 * Start lines of HTTP/1 and the small grammar of its values.
 *
 * What counts as the start of a message in doubt: a status line with a version 0 or 1 and three digits; a
 * request line of one of the methods below with its version. Elsewhere any token is a method.
 */
#include "dissectors/shared/http_line.h"

#include <string.h>

enum { METHOD_MAX = 32, LINE_MAX_BYTES = 8192, TELLING_TARGET = 64, LANE = 16 };

/* A blank ends each. */
static const struct {
	const char *word;
	uint8_t length;
} methods[] = {
#define METHOD(word)                                                                                         \
	{                                                                                                    \
		word " ", sizeof(word)                                                                       \
	}
	/* clang-format off */
	METHOD("GET"), METHOD("POST"), METHOD("HEAD"), METHOD("PUT"), METHOD("DELETE"), METHOD("OPTIONS"),
	METHOD("CONNECT"), METHOD("TRACE"), METHOD("PATCH"), METHOD("PROPFIND"), METHOD("PROPPATCH"),
	METHOD("MKCOL"), METHOD("COPY"), METHOD("MOVE"), METHOD("LOCK"), METHOD("UNLOCK"),
	METHOD("REPORT"), METHOD("SEARCH"), METHOD("SUBSCRIBE"), METHOD("UNSUBSCRIBE"), METHOD("NOTIFY"),
	METHOD("POLL"), METHOD("BMOVE"), METHOD("BCOPY"), METHOD("BDELETE"), METHOD("BPROPFIND"),
	METHOD("BPROPPATCH"), METHOD("VERSION-CONTROL"), METHOD("CHECKOUT"), METHOD("CHECKIN"),
	METHOD("MERGE"), METHOD("MKACTIVITY"), METHOD("MKCALENDAR"), METHOD("ACL"), METHOD("PURGE"),
	METHOD("RPC_IN_DATA"), METHOD("RPC_OUT_DATA"), METHOD("LINK"), METHOD("UNLINK"),
	METHOD("CCM_POST"), METHOD("SOURCE"), METHOD("ORDERPATCH"), METHOD("UPDATE"), METHOD("LABEL"),
	METHOD("BASELINE-CONTROL"),
/* clang-format on */
#undef METHOD
};

static bool is_token(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* "HTTP/1.1", perhaps with text around it that does not count. */
static struct fyke_http_slice version_of(const char *bytes, size_t length)
{
	if (length < 8 || memcmp(bytes, "HTTP/", 5) != 0 || !is_digit(bytes[5]) || bytes[6] != '.' ||
		!is_digit(bytes[7]))
		return (struct fyke_http_slice){0};
	return (struct fyke_http_slice){bytes + 5, 3};
}

/* The version stands behind the last blank; blanks within the target are a sender's mistake. */
static void split_target(const char *bytes, size_t length, struct fyke_http_request_line *read)
{
	size_t at = length;

	while (at > 0 && bytes[at - 1] == ' ')
		at--;
	length = at;
	while (at > 0 && bytes[at - 1] != ' ')
		at--;
	read->version = version_of(bytes + at, length - at);
	if (read->version.bytes == NULL) {
		read->target = (struct fyke_http_slice){bytes, length};
		return;
	}
	while (at > 0 && bytes[at - 1] == ' ')
		at--;
	read->target = (struct fyke_http_slice){bytes, at};
}

/* Another protocol of the same make: RTSP/1.0, SIP/2.0, HTTPU … */
static bool is_foreign(const char *bytes, size_t length)
{
	size_t at = length;

	while (at > 0 && bytes[at - 1] != ' ')
		at--;
	if (at == 0 || length - at < 7 || !is_digit(bytes[length - 1]) || bytes[length - 2] != '.' ||
		!is_digit(bytes[length - 3]) || bytes[length - 4] != '/')
		return false;
	for (size_t i = at; i < length - 4; i++) {
		if (bytes[i] < 'A' || bytes[i] > 'Z')
			return false;
	}
	return memcmp(bytes + at, "HTTP", 4) != 0;
}

bool fyke_http_read_request_line(const char *line, size_t length, struct fyke_http_request_line *read)
{
	size_t method = 0;

	while (method < length && method < METHOD_MAX && is_token(line[method]))
		method++;
	if (method == 0 || method + 1 >= length || line[method] != ' ' || is_foreign(line, length))
		return false;
	*read = (struct fyke_http_request_line){.method = {line, method}};
	while (method + 1 < length && line[method] == ' ')
		method++;
	for (size_t i = method; i < length; i++) {
		if ((uint8_t)line[i] < 0x20 && line[i] != '\t')
			return false;
	}
	split_target(line + method, length - method, read);
	return read->target.length > 0 && (read->version.bytes != NULL || fyke_http_is(read->method, "get"));
}

bool fyke_http_read_status_line(const char *line, size_t length, struct fyke_http_status_line *read)
{
	size_t at = 8, digits = 0;

	*read = (struct fyke_http_status_line){.version = version_of(line, length)};
	if (length >= 4 && memcmp(line, "ICY ", 4) == 0) {
		read->version = (struct fyke_http_slice){line, 3};
		at = 3;
	}
	if (read->version.bytes == NULL)
		return false;
	while (at < length && (line[at] == ' ' || line[at] == '\t' || line[at] == '\r'))
		at++;
	for (; at < length && digits < 3 && is_digit(line[at]); at++, digits++)
		read->status = read->status * 10 + (line[at] - '0');
	while (at < length && line[at] == ' ')
		at++;
	read->reason = (struct fyke_http_slice){line + at, length - at};
	return true;
}

static enum fyke_match begins_with(const uint8_t *bytes, size_t length, const char *word, size_t word_length)
{
	size_t compared = length < word_length ? length : word_length;

	if (memcmp(bytes, word, compared) != 0)
		return FYKE_NO;
	return compared == word_length ? FYKE_YES : FYKE_MAYBE;
}

static enum fyke_match starts_response(const uint8_t *bytes, size_t length)
{
	enum fyke_match match = begins_with(bytes, length, "ICY 200 OK", 10);

	if (match != FYKE_NO)
		return match;
	match = begins_with(bytes, length, "HTTP/", 5);
	if (match != FYKE_YES)
		return match;
	for (size_t i = 5; i < length && i < 12; i++) {
		bool digit = is_digit((char)bytes[i]);

		if (i == 6 || i == 8 ? (char)bytes[i] != "HTTP/0.0 000"[i] : !digit)
			return FYKE_NO;
	}
	if (length < 13)
		return FYKE_MAYBE;
	return bytes[9] != '0' && (bytes[12] == ' ' || bytes[12] == '\r' || bytes[12] == '\n') ? FYKE_YES
											       : FYKE_NO;
}

/* As far as the first two bytes tell: all methods have more, in capitals. */
static bool may_begin_request(const uint8_t *bytes, size_t length)
{
	uint8_t c = bytes[0];

	return c >= 'A' && c <= 'V' && c != 'E' && c != 'F' && c != 'I' && c != 'J' && c != 'K' && c != 'Q' &&
	       (length < 2 || (bytes[1] >= 'A' && bytes[1] <= 'Z'));
}

static enum fyke_match known_method(const uint8_t *bytes, size_t length, size_t *method)
{
	enum fyke_match best = FYKE_NO;

	if (length > 0 && !may_begin_request(bytes, length))
		return FYKE_NO;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		enum fyke_match match;

		if (length > 0 && bytes[0] != (uint8_t)methods[i].word[0])
			continue;
		match = begins_with(bytes, length, methods[i].word, methods[i].length);
		*method = methods[i].length;
		if (match == FYKE_YES)
			return FYKE_YES;
		if (match == FYKE_MAYBE)
			best = FYKE_MAYBE;
	}
	return best;
}

static bool may_begin_target(uint8_t c)
{
	return c == '/' || c == '*' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '[';
}

static enum fyke_match starts_request(const uint8_t *bytes, size_t length)
{
	struct fyke_http_request_line read;
	struct fyke_http_slice line;
	size_t method, taken;
	enum fyke_match match = known_method(bytes, length, &method);

	if (match != FYKE_YES || length == method)
		return match == FYKE_YES ? FYKE_MAYBE : match;
	if (!may_begin_target(bytes[method]))
		return FYKE_NO;
	if (fyke_http_take_line(bytes, length < LINE_MAX_BYTES ? length : LINE_MAX_BYTES, &line, &taken)) {
		if (!fyke_http_read_request_line(line.bytes, line.length, &read))
			return FYKE_NO;
		return read.version.bytes != NULL ? FYKE_YES : FYKE_MAYBE;
	}
	for (size_t i = method; i < length; i++) {
		if (bytes[i] < 0x20 && bytes[i] != '\r')
			return FYKE_NO;
	}
	return length >= LINE_MAX_BYTES ? FYKE_NO : FYKE_MAYBE;
}

enum fyke_match fyke_http_starts(enum fyke_side side, const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return FYKE_MAYBE;
	return side == FYKE_SERVER ? starts_response(bytes, length) : starts_request(bytes, length);
}

static bool may_begin(enum fyke_side side, const uint8_t *bytes, size_t length)
{
	if (side == FYKE_CLIENT)
		return may_begin_request(bytes, length);
	return (bytes[0] == 'H' && (length < 2 || bytes[1] == 'T')) ||
	       (bytes[0] == 'I' && (length < 2 || bytes[1] == 'C'));
}

typedef uint8_t lane __attribute__((vector_size(LANE)));

static inline lane load(const uint8_t *bytes)
{
	lane loaded;

	memcpy(&loaded, bytes, sizeof(loaded));
	return loaded;
}

static inline lane are_capitals(lane bytes)
{
	return (lane)((lane)(bytes - 'A') <= 'Z' - 'A');
}

/* How many bytes nothing begins at, by LANE of them at a time, as far as the first two bytes of a start tell.
 */
static size_t count_barren(enum fyke_side side, const uint8_t *bytes, size_t length)
{
	size_t at = 0;

	for (; length - at > LANE; at += LANE) {
		lane first = load(bytes + at), second = load(bytes + at + 1);
		lane begins = side == FYKE_CLIENT ? are_capitals(first) & are_capitals(second)
						  : ((lane)(first == 'H') & (lane)(second == 'T')) |
							    ((lane)(first == 'I') & (lane)(second == 'C'));
		uint64_t words[LANE / 8];

		memcpy(words, &begins, sizeof(words));
		if ((words[0] | words[1]) != 0)
			break;
	}
	return at;
}

size_t fyke_http_find_start(enum fyke_side side, const uint8_t *bytes, size_t length)
{
	size_t method;

	for (size_t at = 0; at < length; at++) {
		enum fyke_match match;

		if (at % LANE == 0)
			at += count_barren(side, bytes + at, length - at);
		if (!may_begin(side, bytes + at, length - at))
			continue;
		match = fyke_http_starts(side, bytes + at, length - at);
		if (match == FYKE_YES)
			return at;
		/* without a version it is no start in doubt, unless its line is still to end */
		if (match == FYKE_MAYBE &&
			(side == FYKE_SERVER ||
				known_method(bytes + at, length - at, &method) == FYKE_MAYBE ||
				memchr(bytes + at, '\n', length - at) == NULL))
			return at;
	}
	return length;
}

bool fyke_http_take_line(const uint8_t *bytes, size_t length, struct fyke_http_slice *line, size_t *taken)
{
	const uint8_t *end = length > 0 ? memchr(bytes, '\n', length) : NULL;

	if (end == NULL)
		return false;
	*taken = (size_t)(end - bytes) + 1;
	line->bytes = (const char *)bytes;
	line->length = *taken - 1;
	if (line->length > 0 && line->bytes[line->length - 1] == '\r')
		line->length--;
	return true;
}

bool fyke_http_begins(struct fyke_http_slice slice, const char *word)
{
	size_t i = 0;

	for (; word[i] != '\0'; i++) {
		if (i >= slice.length || lower(slice.bytes[i]) != word[i])
			return false;
	}
	return true;
}

bool fyke_http_is(struct fyke_http_slice slice, const char *word)
{
	return slice.bytes != NULL && slice.length == __builtin_strlen(word) && fyke_http_begins(slice, word);
}

struct fyke_http_slice fyke_http_trimmed(struct fyke_http_slice slice)
{
	while (slice.length > 0 && (*slice.bytes == ' ' || *slice.bytes == '\t')) {
		slice.bytes++;
		slice.length--;
	}
	while (slice.length > 0 &&
		(slice.bytes[slice.length - 1] == ' ' || slice.bytes[slice.length - 1] == '\t'))
		slice.length--;
	return slice;
}

struct fyke_http_slice fyke_http_part(struct fyke_http_slice *rest, char separator)
{
	struct fyke_http_slice part = *rest;
	bool quoted = false;
	size_t at = 0;

	if (rest->length == 0)
		return part;
	for (; at < rest->length && (quoted || rest->bytes[at] != separator); at++) {
		if (rest->bytes[at] == '"')
			quoted = !quoted;
		else if (quoted && rest->bytes[at] == '\\' && at + 1 < rest->length)
			at++;
	}
	part.length = at;
	if (at < rest->length)
		at++;
	rest->bytes += at;
	rest->length -= at;
	return fyke_http_trimmed(part);
}

static struct fyke_http_slice unquoted(struct fyke_http_slice value)
{
	value = fyke_http_trimmed(value);
	if (value.length >= 2 && value.bytes[0] == '"' && value.bytes[value.length - 1] == '"') {
		value.bytes++;
		value.length -= 2;
	}
	return value;
}

struct fyke_http_slice fyke_http_parameter(struct fyke_http_slice value, char separator, const char *name)
{
	while (value.length > 0) {
		struct fyke_http_slice part = fyke_http_part(&value, separator);
		struct fyke_http_slice key = fyke_http_part(&part, '=');

		if (fyke_http_is(key, name))
			return unquoted(part);
	}
	return (struct fyke_http_slice){0};
}

int64_t fyke_http_number(struct fyke_http_slice slice)
{
	int64_t number = 0;

	if (slice.length == 0)
		return -1;
	for (size_t i = 0; i < slice.length; i++) {
		if (!is_digit(slice.bytes[i]) || number > (INT64_C(1) << 53) / 10)
			return -1;
		number = number * 10 + (slice.bytes[i] - '0');
	}
	return number;
}

struct fyke_http_slice fyke_http_last_part(struct fyke_http_slice target)
{
	size_t end = 0, begin;

	if (target.length == 0)
		return target;
	while (end < target.length && target.bytes[end] != '?' && target.bytes[end] != '#')
		end++;
	begin = end;
	while (begin > 0 && target.bytes[begin - 1] != '/')
		begin--;
	if (begin == 0) /* no path: CONNECT, OPTIONS * */
		end = 0;
	return (struct fyke_http_slice){target.bytes + begin, end - begin};
}
