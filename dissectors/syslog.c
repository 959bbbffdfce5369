/*
 * Syslog in datagrams (RFC 5424, and the older form of RFC 3164): one row per message. Over TCP it is left
 * out.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum { PRIORITY_MAX = 191, MESSAGE_MAX = 4096 };

enum { FACILITY, SEVERITY, HOST, APP, MESSAGE, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[FACILITY] = {"facility", FYKE_TYPE_TEXT, "kern, user, daemon, local0 …"},
	[SEVERITY] = {"severity", FYKE_TYPE_TEXT, "emerg, alert, crit, err, warning, notice, info, debug"},
	[HOST] = {"host", FYKE_TYPE_TEXT,
		"whose message it is; of the older form only where a time stands before it"},
	[APP] = {"app", FYKE_TYPE_TEXT, "the program; RFC 5424 only"},
	[MESSAGE] = {"message", FYKE_TYPE_TEXT, "what follows the priority, at most 4,096 bytes"},
};

static const struct fyke_table table = {"syslog", "one row per message", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

/* "<34>": the priority; how many bytes it takes, 0 = none. */
static size_t priority_of(const uint8_t *data, size_t length, unsigned *priority)
{
	size_t at = 1;

	*priority = 0;
	if (length < 3 || data[0] != '<')
		return 0;
	for (; at < length && at < 4 && data[at] >= '0' && data[at] <= '9'; at++)
		*priority = *priority * 10 + (unsigned)(data[at] - '0');
	return at > 1 && at < length && data[at] == '>' && *priority <= PRIORITY_MAX ? at + 1 : 0;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "Oct 11 22:14:15 " */
static bool is_old_time(const uint8_t *text, size_t length)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	if (length < 16 || text[3] != ' ' || text[6] != ' ' || text[9] != ':' || text[12] != ':' ||
		text[15] != ' ')
		return false;
	for (size_t i = 0; i < 36; i += 3) {
		if (memcmp(text, months + i, 3) == 0)
			return true;
	}
	return false;
}

/* "1 2003-10-11T" or "1 - " */
static bool is_new_form(const uint8_t *text, size_t length)
{
	return length > 4 && text[0] == '1' && text[1] == ' ' &&
	       (text[2] == '-' || (is_digit(text[2]) && is_digit(text[3])));
}

/* The next word up to a space; "-" is none. */
static struct fyke_value word_of(struct fyke_cursor *c)
{
	const uint8_t *begin = c->at;
	size_t length = 0, left = fyke_cursor_left(c);

	while (length < left && begin[length] != ' ')
		length++;
	(void)fyke_cursor_skip(c, length < left ? length + 1 : length);
	return length == 0 || (length == 1 && *begin == '-') ? fyke_null() : fyke_bytes(begin, length);
}

static void read_head(const uint8_t *text, size_t length, struct fyke_value *values)
{
	struct fyke_cursor c = fyke_cursor(text, length);

	if (is_new_form(text, length)) {
		(void)word_of(&c);
		(void)word_of(&c);
		values[HOST] = word_of(&c);
		values[APP] = word_of(&c);
	} else if (is_old_time(text, length)) {
		(void)fyke_cursor_skip(&c, 16);
		values[HOST] = word_of(&c);
		/* many leave the host out and go on with the program */
		if (values[HOST].kind == FYKE_VALUE_BYTES &&
			values[HOST].bytes[values[HOST].length - 1] == ':')
			values[HOST] = fyke_null();
	}
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	static const char *const facilities[] = {"kern", "user", "mail", "daemon", "auth", "syslog", "lpr",
		"news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock", "local0",
		"local1", "local2", "local3", "local4", "local5", "local6", "local7"};
	static const char *const severities[] = {
		"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
	struct fyke_value values[FIELD_COUNT] = {{0}};
	unsigned priority;
	size_t at = priority_of(input->data, input->length, &priority), length = input->length - at;

	if (at == 0)
		return fyke_not_mine();
	values[FACILITY] = fyke_word(facilities[priority / 8]);
	values[SEVERITY] = fyke_word(severities[priority % 8]);
	read_head(input->data + at, length, values);
	while (length > 0 && (input->data[at + length - 1] == 0 || input->data[at + length - 1] == '\n'))
		length--;
	values[MESSAGE] = fyke_bytes(input->data + at, length < MESSAGE_MAX ? length : MESSAGE_MAX);
	fyke_record(dissection, &table, values);
	return fyke_rest();
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length, at;
		unsigned priority;

		at = priority_of(data, length, &priority);
		if (at > 0 && (opening->on_port || is_new_form(data + at, length - at) ||
				      is_old_time(data + at, length - at)))
			return FYKE_YES;
	}
	return FYKE_NO;
}

static const uint16_t ports[] = {514, 0};
static const char *const services[] = {"syslog", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("<")};

const struct fyke_dissector fyke_dissector_syslog = {
	.name = "syslog",
	.title = "Syslog, RFC 5424 and RFC 3164",
	.doc = "One row per message, over UDP.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.probe = probe,
	.feed = feed,
};
