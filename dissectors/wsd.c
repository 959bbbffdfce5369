/*
 * WS-Discovery (OASIS, 2009; the draft of 2005 that Windows speaks): SOAP in datagrams. One row per message;
 * of the XML only the text of a few elements is looked for, whatever their prefix.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum { TEXT_MAX = 512, TAG_MAX = 64 };

enum { ACTION, MESSAGE_ID, RELATES_TO, ADDRESS, KINDS, XADDRS, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[ACTION] = {"action", FYKE_TYPE_TEXT, "Probe, ProbeMatches, Hello, Bye, Resolve …"},
	[MESSAGE_ID] = {"message_id", FYKE_TYPE_TEXT, "the message's own id"},
	[RELATES_TO] = {"relates_to", FYKE_TYPE_TEXT, "of an answer: the id of what it answers"},
	[ADDRESS] = {"address", FYKE_TYPE_TEXT, "first address in it: of answers mostly whom they go to"},
	[KINDS] = {"types", FYKE_TYPE_TEXT, "kinds of devices that are looked for or offered"},
	[XADDRS] = {"xaddrs", FYKE_TYPE_TEXT, "where the device is to be reached"},
};

static const struct fyke_table table = {"wsd", "one row per message", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

static bool is_name(uint8_t c)
{
	return c > ' ' && c != '<' && c != '>' && c != '/' && c != '"';
}

/* The name of the element that begins at `at` (behind its "<"), without prefix. */
static struct fyke_cursor element_at(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *name = at, *behind = at;

	for (; behind < end && behind - at < TAG_MAX && is_name(*behind); behind++) {
		if (*behind == ':')
			name = behind + 1;
	}
	return fyke_cursor(name, (size_t)(behind - name));
}

static void keep(struct fyke_value *value, const uint8_t *text, size_t length)
{
	while (length > 0 && (*text <= ' ')) {
		text++;
		length--;
	}
	while (length > 0 && text[length - 1] <= ' ')
		length--;
	if (length > 0 && value->kind == FYKE_VALUE_NULL)
		*value = fyke_bytes(text, length < TEXT_MAX ? length : TEXT_MAX);
}

static void take_element(
	const struct fyke_cursor *name, const uint8_t *text, size_t length, struct fyke_value *values)
{
	static const char *const names[FIELD_COUNT] = {
		"Action", "MessageID", "RelatesTo", "Address", "Types", "XAddrs"};

	for (int i = 0; i < FIELD_COUNT; i++) {
		size_t size = __builtin_strlen(names[i]);

		if (fyke_cursor_left(name) == size && memcmp(name->at, names[i], size) == 0)
			keep(&values[i], text, length);
	}
}

static void read_elements(const uint8_t *data, size_t length, struct fyke_value *values)
{
	const uint8_t *at = data, *end = data + length;

	while (at < end && (at = memchr(at, '<', (size_t)(end - at))) != NULL) {
		struct fyke_cursor name = element_at(at + 1, end);
		const uint8_t *text = memchr(at, '>', (size_t)(end - at)), *next;

		if (text == NULL)
			return;
		text++;
		next = text < end ? memchr(text, '<', (size_t)(end - text)) : NULL;
		if (next == NULL)
			return;
		take_element(&name, text, (size_t)(next - text), values);
		at = next;
	}
}

/* What stands behind the last slash of the action's URI. */
static void shorten(struct fyke_value *action)
{
	for (uint32_t i = action->kind == FYKE_VALUE_BYTES ? action->length : 0; i > 0; i--) {
		if (action->bytes[i - 1] == '/') {
			*action = fyke_bytes(action->bytes + i, action->length - i);
			return;
		}
	}
}

static bool is_message(const uint8_t *data, size_t length)
{
	static const char draft[] = "schemas.xmlsoap.org/ws/2005/04/discovery",
			  final[] = "docs.oasis-open.org/ws-dd/";

	return length > 40 && data[0] == '<' &&
	       (memmem(data, length, draft, sizeof(draft) - 1) != NULL ||
		       memmem(data, length, final, sizeof(final) - 1) != NULL);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_value values[FIELD_COUNT] = {{0}};

	if (!is_message(input->data, input->length))
		return fyke_not_mine();
	read_elements(input->data, input->length, values);
	shorten(&values[ACTION]);
	fyke_record(dissection, &table, values);
	return fyke_rest();
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		if (is_message(opening->side[side].data, opening->side[side].length))
			return FYKE_YES;
	}
	return FYKE_NO;
}

static const uint16_t ports[] = {3702, 0};
static const char *const services[] = {"ws-discovery", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("<?xml"), FYKE_EITHER_SAYS("<soap")};

const struct fyke_dissector fyke_dissector_wsd = {
	.name = "wsd",
	.title = "Web Services Dynamic Discovery",
	.doc = "One row per message over UDP: what is looked for, offered, and where.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.probe = probe,
	.feed = feed,
};
