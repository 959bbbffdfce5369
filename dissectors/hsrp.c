/*
 * Hot Standby Router Protocol (version 1 RFC 2281; version 2 as Cisco documents it). Hellos come all the
 * time, so there is a row when the sender's operation, state or priority changes.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

#include <string.h>

enum { LENGTH_1 = 20, LENGTH_2 = 42 };

enum {
	VERSION,
	OPERATION,
	STATE,
	GROUP,
	PRIORITY,
	HELLO_SECONDS,
	HOLD_SECONDS,
	VIRTUAL_IP,
	PASSWORD,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_INTEGER, "1 or 2"},
	[OPERATION] = {"operation", FYKE_TYPE_TEXT, "hello, coup or resign"},
	[STATE] = {"state", FYKE_TYPE_TEXT, "initial, learn, listen, speak, standby or active"},
	[GROUP] = {"group_number", FYKE_TYPE_INTEGER, "number of the group"},
	[PRIORITY] = {"priority", FYKE_TYPE_INTEGER, "the highest becomes active"},
	[HELLO_SECONDS] = {"hello_seconds", FYKE_TYPE_INTEGER, "between hellos; version 1"},
	[HOLD_SECONDS] = {"hold_seconds", FYKE_TYPE_INTEGER, "until an active one counts as gone; version 1"},
	[VIRTUAL_IP] = {"virtual_ip", FYKE_TYPE_TEXT, "the address that the group stands for"},
	[PASSWORD] = {"password", FYKE_TYPE_TEXT, "of version 1: *** unless secrets were asked for"},
};

static const struct fyke_table table = {
	"hsrp", "one row per change of what a router says", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	uint32_t said; /* operation, state, priority, plus 1 */
};

static const char *state_1(uint8_t state)
{
	switch (state) {
	case 0:
		return "initial";
	case 1:
		return "learn";
	case 2:
		return "listen";
	case 4:
		return "speak";
	case 8:
		return "standby";
	case 16:
		return "active";
	default:
		return NULL;
	}
}

static bool is_packet(const uint8_t *data, size_t length)
{
	if (length >= LENGTH_2 && data[0] == 1 && data[1] == 40)
		return data[2] == 2 && data[3] <= 2 && data[4] <= 6;
	/* who says hello holds longer than that, and calls the virtual address by its number */
	return length >= LENGTH_1 && data[0] == 0 && data[1] <= 2 && state_1(data[2]) != NULL &&
	       data[4] > data[3] && data[7] == 0 && data[16] != 0;
}

static void read_1(struct fyke_dissection *dissection, const uint8_t *data, struct fyke_value *values,
	struct fyke_phrase *ip)
{
	values[STATE] = fyke_word(state_1(data[2]));
	values[HELLO_SECONDS] = fyke_integer(data[3]);
	values[HOLD_SECONDS] = fyke_integer(data[4]);
	values[PRIORITY] = fyke_integer(data[5]);
	values[GROUP] = fyke_integer(data[6]);
	values[PASSWORD] = fyke_secret(dissection, data + 8, strnlen((const char *)data + 8, 8));
	fyke_phrase_ipv4(ip, data + 16);
}

static void read_2(const uint8_t *data, struct fyke_value *values, struct fyke_phrase *ip)
{
	static const char *const states[] = {
		"disabled", "initial", "learn", "listen", "speak", "standby", "active"};
	struct fyke_cursor c = fyke_cursor(data + 6, LENGTH_2 - 6);

	values[STATE] = fyke_word(states[data[4]]);
	values[GROUP] = fyke_integer(fyke_cursor_u16(&c));
	(void)fyke_cursor_skip(&c, 6); /* its hardware address */
	values[PRIORITY] = fyke_integer(fyke_cursor_u32(&c));
	if (data[5] == 4)
		fyke_phrase_ipv4(ip, data + 26);
	else
		fyke_phrase_ipv6(ip, data + 26);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	static const char *const operations[] = {"hello", "coup", "resign"};
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT] = {{0}};
	bool second;
	uint32_t said;
	char text[FYKE_ADDRESS_TEXT];
	struct fyke_phrase ip = fyke_phrase(text, sizeof(text));

	if (!is_packet(input->data, input->length))
		return fyke_not_mine();
	second = input->data[0] == 1;
	values[VERSION] = fyke_integer(second ? 2 : 1);
	values[OPERATION] = fyke_word(operations[input->data[second ? 3 : 1]]);
	if (second)
		read_2(input->data, values, &ip);
	else
		read_1(dissection, input->data, values, &ip);
	values[VIRTUAL_IP] = fyke_phrase_value(&ip);
	said = ((uint32_t)input->data[second ? 3 : 1] << 24 | (uint32_t)input->data[second ? 4 : 2] << 16 |
		       (uint32_t)(values[PRIORITY].integer & 0xffff)) +
	       1;
	if (said != state->said)
		fyke_record(dissection, &table, values);
	state->said = said;
	return fyke_more(input->length);
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		size_t length = opening->side[side].length;

		if (length > 0 && !is_packet(opening->side[side].data, length))
			return FYKE_NO;
	}
	return opening->on_port ? FYKE_LIKELY : FYKE_MAYBE;
}

static const uint16_t ports[] = {1985, 2029, 0};
static const char *const services[] = {"hsrp", "hsrpv6", NULL};

const struct fyke_dissector fyke_dissector_hsrp = {
	.name = "hsrp",
	.title = "Hot Standby Router Protocol, RFC 2281",
	.doc = "Versions 1 and 2 on their own ports: a row when what a router says changes.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
};
