/*
 * What the headers of a message say (RFC 9110), kept as far as somebody would look for it. Secrets
 * (Authorization, passwords in URIs, values of cookies) go to no text but FYKE_HTTP_SECRET.
 */
#include "dissectors/shared/base64.h"
#include "dissectors/shared/http_exchange.h"

#include <string.h>

enum {
	URI_MAX = 8192,
	VALUE_MAX = 1024,
	TYPE_MAX = 256,
	NAMES_MAX = 512, /* of cookies, of proxies */
	COOKIES_READ = 64,
	CREDENTIAL_MAX = 512,
};

struct rule {
	const char *name; /* lower case */
	void (*take)(struct fyke_http_exchange *exchange, enum fyke_side side, enum fyke_http_text text,
		struct fyke_http_slice name, struct fyke_http_slice value);
	enum fyke_http_text text[2]; /* by who sends it; FYKE_HTTP_TEXTS = nowhere */
};

/* ---- texts ---- */

/* Where the password stands in "scheme://user:password@host"; length 0: nowhere. */
static struct fyke_http_slice find_password(struct fyke_http_slice uri)
{
	const char *at = uri.length > 3 ? memmem(uri.bytes, uri.length, "://", 3) : NULL;
	const char *sign = NULL, *colon = NULL;

	if (at == NULL || memchr(uri.bytes, '?', (size_t)(at - uri.bytes)) != NULL)
		return (struct fyke_http_slice){0};
	for (const char *c = at + 3; c < uri.bytes + uri.length && *c != '/' && *c != '?' && *c != '#'; c++) {
		if (*c == '@')
			sign = c;
		if (*c == ':' && colon == NULL)
			colon = c + 1;
	}
	if (sign == NULL || colon == NULL || colon > sign)
		return (struct fyke_http_slice){0};
	return (struct fyke_http_slice){colon, (size_t)(sign - colon)};
}

void fyke_http_set(
	struct fyke_http_exchange *exchange, enum fyke_http_text text, struct fyke_http_slice value)
{
	struct fyke_dissection *dissection = exchange->dissection;
	struct fyke_text *to = &exchange->text[text];
	struct fyke_http_slice password = {0};

	if (text == FYKE_HTTP_URI || text == FYKE_HTTP_REFERRER || text == FYKE_HTTP_LOCATION ||
		text == FYKE_HTTP_ORIGIN)
		password = find_password(value);
	if (password.length == 0 || fyke_secrets_are_stored(dissection)) {
		fyke_keep(dissection, to, value.bytes, value.length, URI_MAX);
		return;
	}
	fyke_keep(dissection, to, value.bytes, (size_t)(password.bytes - value.bytes), URI_MAX);
	fyke_append(dissection, to, "***", 3, URI_MAX);
	fyke_append(dissection, to, password.bytes + password.length,
		value.length - (size_t)(password.bytes - value.bytes) - password.length, URI_MAX);
}

/* The first of several counts. */
static void take_first(struct fyke_http_exchange *exchange, enum fyke_side side, enum fyke_http_text text,
	struct fyke_http_slice name, struct fyke_http_slice value)
{
	(void)side;
	(void)name;
	if (value.length > VALUE_MAX && text != FYKE_HTTP_REFERRER && text != FYKE_HTTP_LOCATION)
		value.length = VALUE_MAX;
	if (!fyke_text_is_set(&exchange->text[text]))
		fyke_http_set(exchange, text, value);
}

static void append_item(struct fyke_http_exchange *exchange, enum fyke_http_text text,
	struct fyke_http_slice item, const char *separator)
{
	struct fyke_text *to = &exchange->text[text];

	if (item.length == 0)
		return;
	if (fyke_text_is_set(to))
		fyke_append(exchange->dissection, to, separator, 2, NAMES_MAX);
	fyke_append(exchange->dissection, to, item.bytes, item.length, NAMES_MAX);
}

/* Several are one list. */
static void take_list(struct fyke_http_exchange *exchange, enum fyke_side side, enum fyke_http_text text,
	struct fyke_http_slice name, struct fyke_http_slice value)
{
	(void)side;
	(void)name;
	append_item(exchange, text, value, ", ");
}

static void take_cookies(struct fyke_http_exchange *exchange, enum fyke_side side, enum fyke_http_text text,
	struct fyke_http_slice name, struct fyke_http_slice value)
{
	(void)name;
	for (int i = 0; i < (side == FYKE_CLIENT ? COOKIES_READ : 1) && value.length > 0; i++) {
		struct fyke_http_slice cookie = fyke_http_part(&value, ';');
		struct fyke_http_slice key = fyke_http_part(&cookie, '=');

		append_item(exchange, text, key, ", ");
	}
}

/* With its name, since several headers go there. */
static void take_proxied(struct fyke_http_exchange *exchange, enum fyke_side side, enum fyke_http_text text,
	struct fyke_http_slice name, struct fyke_http_slice value)
{
	(void)side;
	append_item(exchange, text, name, "; ");
	fyke_append(exchange->dissection, &exchange->text[text], ": ", 2, NAMES_MAX);
	fyke_append(exchange->dissection, &exchange->text[text], value.bytes, value.length, NAMES_MAX);
}

/* ---- framing ---- */

static void take_length(struct fyke_http_exchange *exchange, enum fyke_side side, enum fyke_http_text text,
	struct fyke_http_slice name, struct fyke_http_slice value)
{
	struct fyke_http_slice first = fyke_http_part(&value, ',');

	(void)text;
	(void)name;
	if (exchange->message[side].length < 0)
		exchange->message[side].length = fyke_http_number(first);
}

/* The last coding says how the message ends (RFC 9112 §6.3). */
static void take_coding(struct fyke_http_exchange *exchange, enum fyke_side side, enum fyke_http_text text,
	struct fyke_http_slice name, struct fyke_http_slice value)
{
	struct fyke_http_message *message = &exchange->message[side];

	(void)text;
	(void)name;
	while (value.length > 0) {
		struct fyke_http_slice coding = fyke_http_part(&value, ',');

		if (coding.length == 0 || fyke_http_is(coding, "identity"))
			continue;
		message->chunked = fyke_http_is(coding, "chunked");
	}
}

/* ---- logins ---- */

static void set_credential(struct fyke_http_exchange *exchange, const char *mechanism,
	struct fyke_http_slice user, struct fyke_http_slice secret)
{
	exchange->mechanism = mechanism;
	if (user.bytes != NULL)
		fyke_keep(exchange->dissection, &exchange->text[FYKE_HTTP_USERNAME], user.bytes, user.length,
			CREDENTIAL_MAX);
	if (secret.bytes != NULL)
		fyke_keep(exchange->dissection, &exchange->text[FYKE_HTTP_SECRET], secret.bytes,
			secret.length, CREDENTIAL_MAX);
}

static void take_basic(struct fyke_http_exchange *exchange, struct fyke_http_slice value)
{
	uint8_t plain[CREDENTIAL_MAX + 3];
	struct fyke_base64 base64 = {0};
	struct fyke_http_slice user, secret = {0};
	const char *colon;

	if (value.length > CREDENTIAL_MAX / 3 * 4)
		value.length = CREDENTIAL_MAX / 3 * 4;
	user.bytes = (const char *)plain;
	user.length = fyke_base64_more(&base64, value.bytes, value.length, plain);
	colon = user.length > 0 ? memchr(plain, ':', user.length) : NULL;
	if (colon != NULL) {
		secret.bytes = colon + 1;
		secret.length = user.length - (size_t)(colon + 1 - user.bytes);
		user.length = (size_t)(colon - user.bytes);
	}
	set_credential(exchange, "Basic", user, secret);
}

static void take_login(struct fyke_http_exchange *exchange, enum fyke_side side, enum fyke_http_text text,
	struct fyke_http_slice name, struct fyke_http_slice value)
{
	struct fyke_http_slice scheme = fyke_http_part(&value, ' '), none = {0};

	(void)side;
	(void)text;
	(void)name;
	value = fyke_http_trimmed(value);
	if (fyke_http_is(scheme, "basic"))
		take_basic(exchange, value);
	else if (fyke_http_is(scheme, "digest"))
		set_credential(exchange, "Digest", fyke_http_parameter(value, ',', "username"),
			fyke_http_parameter(value, ',', "response"));
	else if (fyke_http_is(scheme, "bearer"))
		set_credential(exchange, "Bearer", none, value);
	else if (fyke_http_is(scheme, "ntlm") || fyke_http_is(scheme, "negotiate"))
		return; /* a handshake of its own: no secret goes by in the clear */
	else if (value.length > 0)
		set_credential(exchange, "Authorization", none, value);
}

/* ---- which header goes where ---- */

#define NOWHERE FYKE_HTTP_TEXTS

static const struct rule rules[] = {
	{"host", take_first, {FYKE_HTTP_HOST, NOWHERE}},
	{"user-agent", take_first, {FYKE_HTTP_USER_AGENT, NOWHERE}},
	{"referer", take_first, {FYKE_HTTP_REFERRER, NOWHERE}},
	{"origin", take_first, {FYKE_HTTP_ORIGIN, NOWHERE}},
	{"content-type", take_first, {FYKE_HTTP_REQUEST_TYPE, FYKE_HTTP_TYPE}},
	{"content-length", take_length, {NOWHERE, NOWHERE}},
	{"transfer-encoding", take_coding, {NOWHERE, NOWHERE}},
	{"content-encoding", take_first, {FYKE_HTTP_REQUEST_ENCODING, FYKE_HTTP_ENCODING}},
	{"content-disposition", take_first, {FYKE_HTTP_REQUEST_DISPOSITION, FYKE_HTTP_DISPOSITION}},
	{"content-range", take_first, {FYKE_HTTP_REQUEST_RANGE, FYKE_HTTP_CONTENT_RANGE}},
	{"range", take_first, {FYKE_HTTP_RANGE, NOWHERE}},
	{"server", take_first, {NOWHERE, FYKE_HTTP_SERVER}},
	{"location", take_first, {NOWHERE, FYKE_HTTP_LOCATION}},
	{"www-authenticate", take_list, {NOWHERE, FYKE_HTTP_AUTHENTICATE}},
	{"proxy-authenticate", take_list, {NOWHERE, FYKE_HTTP_AUTHENTICATE}},
	{"authorization", take_login, {FYKE_HTTP_SECRET, NOWHERE}},
	{"proxy-authorization", take_login, {FYKE_HTTP_SECRET, NOWHERE}},
	{"cookie", take_cookies, {FYKE_HTTP_COOKIES, NOWHERE}},
	{"set-cookie", take_cookies, {NOWHERE, FYKE_HTTP_SET_COOKIES}},
	{"upgrade", take_list, {FYKE_HTTP_UPGRADE, FYKE_HTTP_UPGRADED}},
	{"via", take_proxied, {FYKE_HTTP_PROXIED, NOWHERE}},
	{"forwarded", take_proxied, {FYKE_HTTP_PROXIED, NOWHERE}},
	{"x-forwarded-for", take_proxied, {FYKE_HTTP_PROXIED, NOWHERE}},
	{"x-forwarded-from", take_proxied, {FYKE_HTTP_PROXIED, NOWHERE}},
	{"client-ip", take_proxied, {FYKE_HTTP_PROXIED, NOWHERE}},
	{"xroxy-connection", take_proxied, {FYKE_HTTP_PROXIED, NOWHERE}},
	{"proxy-connection", take_proxied, {FYKE_HTTP_PROXIED, NOWHERE}},
	{"sec-websocket-protocol", take_list, {FYKE_HTTP_SOCKET_PROTOCOLS, FYKE_HTTP_SOCKET_PROTOCOL}},
	{"sec-websocket-extensions", take_list, {FYKE_HTTP_SOCKET_EXTENSIONS, FYKE_HTTP_SOCKET_EXTENSION}},
	{"sec-websocket-version", take_first, {FYKE_HTTP_SOCKET_VERSION, NOWHERE}},
};

void fyke_http_take_header(struct fyke_http_exchange *exchange, enum fyke_side side,
	struct fyke_http_slice name, struct fyke_http_slice value)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *rule = &rules[i];
		enum fyke_http_text text = rule->text[side];

		if (!fyke_http_is(name, rule->name))
			continue;
		if (text != NOWHERE || rule->take == take_length || rule->take == take_coding)
			rule->take(exchange, side, text, name, value);
		return;
	}
}

/* ---- what a whole head says ---- */

static uint32_t hash_of(struct fyke_http_slice text)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < text.length; i++)
		hash = (hash ^ (uint8_t)text.bytes[i]) * 16777619U;
	return hash;
}

/* Told again only when it changed: a connection carries many requests. */
static void tell_product(struct fyke_http_exchange *exchange, enum fyke_side side,
	struct fyke_http_common *common, struct fyke_http_slice product)
{
	uint32_t hash = hash_of(product);

	if (product.length == 0 || common->said[side] == hash)
		return;
	common->said[side] = hash;
	fyke_product(exchange->dissection, side, product.bytes, product.length);
}

/* "http://user@host:80/path" → "host:80" */
static struct fyke_http_slice host_of(struct fyke_http_slice uri)
{
	const char *at =
		uri.length > 3 && uri.bytes[0] != '/' ? memmem(uri.bytes, uri.length, "://", 3) : NULL;
	struct fyke_http_slice host = {0};
	const char *end;

	if (at == NULL)
		return host;
	host.bytes = at + 3;
	host.length = uri.length - (size_t)(at + 3 - uri.bytes);
	for (size_t i = 0; i < host.length; i++) {
		if (host.bytes[i] == '/' || host.bytes[i] == '?')
			host.length = i;
	}
	end = host.length > 0 ? memrchr(host.bytes, '@', host.length) : NULL;
	if (end != NULL) {
		host.length -= (size_t)(end + 1 - host.bytes);
		host.bytes = end + 1;
	}
	return host;
}

static void name_server(struct fyke_http_exchange *exchange)
{
	struct fyke_http_slice host = fyke_http_get(exchange, FYKE_HTTP_HOST);
	const char *colon = host.length > 0 ? memrchr(host.bytes, ':', host.length) : NULL;
	const char *bracket = host.length > 0 ? memrchr(host.bytes, ']', host.length) : NULL;

	if (colon != NULL && (bracket == NULL || colon > bracket))
		host.length = (size_t)(colon - host.bytes);
	fyke_name_server(exchange->dissection, host.bytes, host.length);
}

static void take_uri_login(struct fyke_http_exchange *exchange, struct fyke_http_slice uri)
{
	struct fyke_http_slice password = find_password(uri), user = {0};
	const char *begin;

	if (password.length == 0 || exchange->mechanism != NULL)
		return;
	begin = memmem(uri.bytes, uri.length, "://", 3);
	user.bytes = begin + 3;
	user.length = (size_t)(password.bytes - 1 - user.bytes);
	set_credential(exchange, "URI", user, password);
}

void fyke_http_set_target(struct fyke_http_exchange *exchange, struct fyke_http_slice target)
{
	fyke_http_set(exchange, FYKE_HTTP_URI, target);
	take_uri_login(exchange, target);
}

void fyke_http_end_head(
	struct fyke_http_exchange *exchange, enum fyke_side side, struct fyke_http_common *common)
{
	bool proxied = fyke_text_is_set(&exchange->text[FYKE_HTTP_PROXIED]);

	if (side == FYKE_SERVER) {
		tell_product(exchange, side, common, fyke_http_get(exchange, FYKE_HTTP_SERVER));
		return;
	}
	if (!fyke_text_is_set(&exchange->text[FYKE_HTTP_HOST])) {
		struct fyke_http_slice host = host_of(fyke_http_get(exchange, FYKE_HTTP_URI));

		if (host.bytes != NULL)
			fyke_http_set(exchange, FYKE_HTTP_HOST, host);
	}
	name_server(exchange);
	if (!proxied) /* else it is a program of somebody behind the proxy */
		tell_product(exchange, side, common, fyke_http_get(exchange, FYKE_HTTP_USER_AGENT));
}
