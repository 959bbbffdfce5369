/* v=0 … lines of one letter, '=' and a value. Of each medium: m=, c=, and a=rtcp: (RFC 3605), a=rtcp-mux. */
#include "dissectors/shared/sdp.h"

#include <string.h>

enum { MEDIA_MAX = 16, FORMATS_MAX = 512 };

enum { SESSION_NAME, ORIGIN, TOOL, MEDIA, IP, PORT, CONTROL_PORT, PROTOCOL, FORMATS, CODECS, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[SESSION_NAME] = {"session_name", FYKE_TYPE_TEXT, "s="},
	[ORIGIN] = {"origin", FYKE_TYPE_TEXT, "o="},
	[TOOL] = {"tool", FYKE_TYPE_TEXT, "a=tool: of the session"},
	[MEDIA] = {"media", FYKE_TYPE_TEXT, "audio, video, image …; NULL: none is described"},
	[IP] = {"media_ip", FYKE_TYPE_TEXT, "where it is to be sent, as written"},
	[PORT] = {"media_port", FYKE_TYPE_INTEGER, "likewise; 0 = refused"},
	[CONTROL_PORT] = {"control_port", FYKE_TYPE_INTEGER, "of RTCP"},
	[PROTOCOL] = {"protocol", FYKE_TYPE_TEXT, "RTP/AVP, RTP/SAVPF …"},
	[FORMATS] = {"formats", FYKE_TYPE_TEXT, "payload types offered"},
	[CODECS] = {"codecs", FYKE_TYPE_TEXT, "by a=rtpmap, joined by blanks"},
};

const struct fyke_table fyke_table_sdp = {
	"sdp", "one row per medium of a session description (in SIP and RTSP)", fields, FIELD_COUNT};

struct medium {
	struct fyke_word_of line, connection;
	struct fyke_text codecs;
	uint16_t control_port;
	bool mux;
};

struct description {
	struct fyke_word_of name, origin, connection, tool;
	struct medium media[MEDIA_MAX];
	size_t count;
};

static void take_rtpmap(struct fyke_dissection *dissection, struct medium *medium, struct fyke_word_of value)
{
	size_t at = 0;
	struct fyke_word_of codec;

	(void)fyke_line_word(value.text, value.length, &at);
	codec = fyke_line_word(value.text, value.length, &at);
	if (fyke_text_is_set(&medium->codecs))
		fyke_append(dissection, &medium->codecs, " ", 1, FORMATS_MAX);
	fyke_append(dissection, &medium->codecs, codec.text, codec.length, FORMATS_MAX);
}

static struct fyke_word_of behind(struct fyke_word_of value, size_t length)
{
	return (struct fyke_word_of){value.text + length, value.length - length};
}

static void take_attribute(
	struct fyke_dissection *dissection, struct description *description, struct fyke_word_of value)
{
	struct medium *medium = description->count > 0 ? &description->media[description->count - 1] : NULL;
	size_t digits;

	if (medium == NULL) {
		if (fyke_text_begins(value.text, value.length, "tool:"))
			description->tool = behind(value, 5);
		return;
	}
	if (fyke_text_begins(value.text, value.length, "rtpmap:"))
		take_rtpmap(dissection, medium, behind(value, 7));
	else if (fyke_text_is(value.text, value.length, "rtcp-mux"))
		medium->mux = true;
	else if (fyke_text_begins(value.text, value.length, "rtcp:"))
		medium->control_port = (uint16_t)fyke_text_number(
			value.text + 5, value.length - 5 < 5 ? value.length - 5 : 5, &digits);
}

static void take_line(struct fyke_dissection *dissection, struct description *description, char letter,
	struct fyke_word_of value)
{
	struct medium *medium = description->count > 0 ? &description->media[description->count - 1] : NULL;

	switch (letter) {
	case 's':
		description->name = value;
		break;
	case 'o':
		description->origin = value;
		break;
	case 'c':
		if (medium != NULL)
			medium->connection = value;
		else
			description->connection = value;
		break;
	case 'm':
		if (description->count < MEDIA_MAX)
			description->media[description->count++] = (struct medium){.line = value};
		break;
	case 'a':
		take_attribute(dissection, description, value);
		break;
	default:
		break;
	}
}

void fyke_sdp_expect(struct fyke_dissection *dissection, const struct fyke_address *ip, uint16_t port,
	uint16_t control, struct fyke_word_of note)
{
	struct fyke_expectation expectation = {.transport = FYKE_OVER_UDP,
		.ip = *ip,
		.port = port,
		.dissector = "rtp",
		.note = note.text,
		.note_length = note.length};

	fyke_expect(dissection, &expectation);
	expectation.port = control;
	expectation.dissector = "rtcp";
	fyke_expect(dissection, &expectation);
}

/* IN IP4 address[/ttl] */
static struct fyke_word_of address_of(struct fyke_word_of connection)
{
	size_t at = 0;
	struct fyke_word_of word;
	const char *slash;

	(void)fyke_line_word(connection.text, connection.length, &at);
	(void)fyke_line_word(connection.text, connection.length, &at);
	word = fyke_line_word(connection.text, connection.length, &at);
	slash = word.length > 0 ? memchr(word.text, '/', word.length) : NULL;
	if (slash != NULL)
		word.length = (size_t)(slash - word.text);
	return word;
}

static bool parse(struct fyke_word_of text, struct fyke_address *ip)
{
	char copy[FYKE_ADDRESS_TEXT];

	if (text.length == 0 || text.length >= sizeof(copy) || memchr(text.text, '\0', text.length) != NULL)
		return false;
	memcpy(copy, text.text, text.length);
	copy[text.length] = '\0';
	return fyke_address_parse(copy, ip);
}

static struct fyke_value value_of(struct fyke_word_of word)
{
	return word.length > 0 ? fyke_bytes(word.text, word.length) : fyke_null();
}

static void tell_medium(struct fyke_dissection *dissection, const struct description *description,
	const struct medium *medium, struct fyke_value *values)
{
	size_t at = 0, digits;
	const struct fyke_word_of line = medium->line;
	struct fyke_word_of media = fyke_line_word(line.text, line.length, &at);
	struct fyke_word_of number = fyke_line_word(line.text, line.length, &at);
	struct fyke_word_of protocol = fyke_line_word(line.text, line.length, &at);
	int64_t port = fyke_text_number(number.text, number.length, &digits);
	bool rtp = fyke_text_find(protocol.text, protocol.length, "RTP/") != NULL;
	struct fyke_word_of where =
		address_of(medium->connection.length > 0 ? medium->connection : description->connection);
	uint16_t control = medium->control_port;
	struct fyke_address ip;

	if (port < 0 || port > UINT16_MAX)
		return;
	if (control == 0 && !medium->mux && port != 0)
		control = (uint16_t)(port + 1);
	values[MEDIA] = value_of(media);
	values[IP] = value_of(where);
	values[PORT] = fyke_integer(port);
	values[CONTROL_PORT] = fyke_integer_if(rtp && port != 0 && control != 0, control);
	values[PROTOCOL] = value_of(protocol);
	values[FORMATS] = value_of((struct fyke_word_of){line.text + at, line.length - at});
	values[CODECS] = fyke_text_of(&medium->codecs);
	fyke_record(dissection, &fyke_table_sdp, values);
	if (rtp && port != 0 && parse(where, &ip))
		fyke_sdp_expect(dissection, &ip, (uint16_t)port, control, media);
}

static void read_lines(
	struct fyke_dissection *dissection, struct description *description, const char *text, size_t length)
{
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t size = end != NULL ? (size_t)(end - text) : length, taken = size + (end != NULL);

		if (size > 0 && text[size - 1] == '\r')
			size--;
		if (size >= 2 && text[1] == '=')
			take_line(
				dissection, description, text[0], (struct fyke_word_of){text + 2, size - 2});
		text += taken;
		length -= taken;
	}
}

void fyke_sdp_take(struct fyke_dissection *dissection, const uint8_t *text, size_t length)
{
	struct description description = {.count = 0};
	struct fyke_value values[FIELD_COUNT] = {{0}};

	read_lines(dissection, &description, (const char *)text, length);
	values[SESSION_NAME] = value_of(description.name);
	values[ORIGIN] = value_of(description.origin);
	values[TOOL] = value_of(description.tool);
	for (size_t i = 0; i < description.count; i++) {
		tell_medium(dissection, &description, &description.media[i], values);
		fyke_drop(dissection, &description.media[i].codecs);
	}
}
