/*
 * SSDP (UPnP Device Architecture 2.0 §1): HTTP's form in datagrams. One row per message.
 */
#include "dissectors/dissector.h"

#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 512, LINES_MAX = 64 };

enum { METHOD, STATUS, TARGET, NOTIFICATION, USN, SERVER, USER_AGENT, LOCATION, MAX_WAIT, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[METHOD] = {"method", FYKE_TYPE_TEXT, "M-SEARCH or NOTIFY; NULL = an answer"},
	[STATUS] = {"status", FYKE_TYPE_INTEGER, "of an answer"},
	[TARGET] = {"target", FYKE_TYPE_TEXT, "what is looked for or offered (ST, NT)"},
	[NOTIFICATION] = {"notification", FYKE_TYPE_TEXT, "ssdp:alive, ssdp:byebye … (NTS)"},
	[USN] = {"usn", FYKE_TYPE_TEXT, "unique name of the service"},
	[SERVER] = {"server", FYKE_TYPE_TEXT, "system and product of who offers"},
	[USER_AGENT] = {"user_agent", FYKE_TYPE_TEXT, "system and product of who looks"},
	[LOCATION] = {"location", FYKE_TYPE_TEXT, "where the description is"},
	[MAX_WAIT] = {"max_wait", FYKE_TYPE_TEXT, "how long answers may take (MX)"},
};

static const struct fyke_table table = {"ssdp", "one row per message", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

static bool begins(const uint8_t *data, size_t length, const char *word)
{
	size_t size = __builtin_strlen(word);

	return length >= size && memcmp(data, word, size) == 0;
}

static void read_header(const char *line, size_t length, struct fyke_value *values)
{
	static const struct {
		const char *name;
		int field;
	} names[] = {{"ST", TARGET}, {"NT", TARGET}, {"NTS", NOTIFICATION}, {"USN", USN}, {"SERVER", SERVER},
		{"USER-AGENT", USER_AGENT}, {"LOCATION", LOCATION}, {"MX", MAX_WAIT}};
	const char *colon = memchr(line, ':', length), *value;
	size_t name_length, left;

	if (colon == NULL)
		return;
	name_length = (size_t)(colon - line);
	value = colon + 1;
	left = length - name_length - 1;
	while (left > 0 && *value == ' ') {
		value++;
		left--;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (__builtin_strlen(names[i].name) == name_length &&
			strncasecmp(line, names[i].name, name_length) == 0 && left > 0)
			values[names[i].field] = fyke_bytes(value, left < TEXT_MAX ? left : TEXT_MAX);
	}
}

static void read_headers(const uint8_t *data, size_t length, struct fyke_value *values)
{
	const char *at = (const char *)data, *end = at + length;

	for (int i = 0; i < LINES_MAX && at < end; i++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t line = (size_t)((newline != NULL ? newline : end) - at);

		if (i > 0)
			read_header(at, line > 0 && at[line - 1] == '\r' ? line - 1 : line, values);
		at += line + 1;
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_value values[FIELD_COUNT] = {{0}};

	if (begins(input->data, input->length, "M-SEARCH "))
		values[METHOD] = fyke_word("M-SEARCH");
	else if (begins(input->data, input->length, "NOTIFY "))
		values[METHOD] = fyke_word("NOTIFY");
	else if (begins(input->data, input->length, "HTTP/1.1 200"))
		values[STATUS] = fyke_integer(200);
	else
		return fyke_not_mine();
	read_headers(input->data, input->length, values);
	if (values[SERVER].kind == FYKE_VALUE_BYTES)
		fyke_host_says(dissection, fyke_address_of(dissection, input->side), FYKE_HOST_PRODUCT,
			values[SERVER].bytes, values[SERVER].length, "ssdp");
	fyke_record(dissection, &table, values);
	return fyke_rest();
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length;

		if (begins(data, length, "M-SEARCH * HTTP/1.") || begins(data, length, "NOTIFY * HTTP/1.") ||
			(begins(data, length, "HTTP/1.1 200 ") &&
				(opening->on_port || memmem(data, length, "\r\nUSN:", 6) != NULL ||
					memmem(data, length, "\r\nST:", 5) != NULL)))
			return FYKE_YES;
	}
	return FYKE_NO;
}

static const uint16_t ports[] = {1900, 0};
static const char *const services[] = {"ssdp", NULL};
static const struct fyke_signature signatures[] = {
	FYKE_EITHER_SAYS("M-SEARCH "), FYKE_EITHER_SAYS("NOTIFY "), FYKE_EITHER_SAYS("HTTP/1.1 ")};

const struct fyke_dissector fyke_dissector_ssdp = {
	.name = "ssdp",
	.title = "Simple Service Discovery Protocol, UPnP Device Architecture",
	.doc = "One row per search, announcement or answer; of headers those that tell what and where.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.probe = probe,
	.feed = feed,
};
