/*
 * RMCP (DMTF ASF 2.0 §3.2) and IPMI 1.5 and 2.0 in it: one row per message. Of the key exchange of IPMI 2.0
 * (RAKP) the user's name; of version 1.5 the command. Encrypted messages are counted by their kind only.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

enum { ASF = 6, IPMI = 7, VERSION_2 = 6 };

enum { CLASS, KIND, NETWORK_FUNCTION, COMMAND, USER, ENCRYPTED, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[CLASS] = {"class", FYKE_TYPE_TEXT, "asf or ipmi"},
	[KIND] = {"kind", FYKE_TYPE_TEXT, "presence ping, rakp 1, ipmi …; NULL = other"},
	[NETWORK_FUNCTION] = {"network_function", FYKE_TYPE_INTEGER, "of a command; odd ones answer"},
	[COMMAND] = {"command", FYKE_TYPE_INTEGER, "the command's number"},
	[USER] = {"user", FYKE_TYPE_TEXT, "who begins a session"},
	[ENCRYPTED] = {"encrypted", FYKE_TYPE_BOOLEAN, "of IPMI 2.0"},
};

static const struct fyke_table table = {"rmcp", "one row per message", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

static const char *payload_name(unsigned type)
{
	static const char *const names[] = {
		"open session request", "open session response", "rakp 1", "rakp 2", "rakp 3", "rakp 4"};

	if (type >= 0x10 && type < 0x10 + sizeof(names) / sizeof(names[0]))
		return names[type - 0x10];
	return type == 0 ? "ipmi" : type == 1 ? "serial over lan" : NULL;
}

/* IPMI 1.5 §13.8: addresses and checksum around the function, then sequence and command. */
static void read_command(struct fyke_cursor *c, struct fyke_value *values)
{
	uint8_t function;

	(void)fyke_cursor_u8(c);
	function = fyke_cursor_u8(c) >> 2;
	(void)fyke_cursor_skip(c, 3);
	values[COMMAND] = fyke_integer(fyke_cursor_u8(c));
	values[NETWORK_FUNCTION] = fyke_integer(function);
	if (!fyke_cursor_ok(c))
		values[COMMAND] = values[NETWORK_FUNCTION] = fyke_null();
}

/* RAKP 1 (IPMI 2.0 §13.20): tag, session, 16 random bytes, role, the name. */
static void read_user(struct fyke_cursor *c, struct fyke_value *values)
{
	size_t length;
	const uint8_t *name;

	(void)fyke_cursor_skip(c, 27);
	length = fyke_cursor_u8(c);
	name = fyke_cursor_take(c, length);
	if (name != NULL && length > 0)
		values[USER] = fyke_bytes(name, length);
}

static void read_ipmi(struct fyke_cursor *c, struct fyke_value *values)
{
	uint8_t authentication = fyke_cursor_u8(c), payload;

	if (authentication != VERSION_2) {
		(void)fyke_cursor_skip(c, authentication == 0 ? 9 : 25); /* sequence, session, code, length */
		values[KIND] = fyke_word("ipmi");
		read_command(c, values);
		return;
	}
	payload = fyke_cursor_u8(c);
	(void)fyke_cursor_skip(c, 10); /* session, sequence, length */
	values[KIND] = fyke_word(payload_name(payload & 63));
	values[ENCRYPTED] = fyke_integer(payload >> 7);
	if ((payload & 0xbf) == 0)
		read_command(c, values);
	else if ((payload & 63) == 0x12)
		read_user(c, values);
}

static const char *asf_name(unsigned type)
{
	return type == 0x80 ? "presence ping" : type == 0x40 ? "presence pong" : NULL;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	struct fyke_value values[FIELD_COUNT] = {{0}};
	uint8_t class;

	if (fyke_cursor_u8(&c) != 6)
		return fyke_not_mine();
	(void)fyke_cursor_u16(&c);
	class = fyke_cursor_u8(&c) & 31;
	if (!fyke_cursor_ok(&c) || (class != ASF && class != IPMI))
		return fyke_not_mine();
	values[CLASS] = fyke_word(class == ASF ? "asf" : "ipmi");
	if (class == IPMI) {
		read_ipmi(&c, values);
	} else {
		(void)fyke_cursor_u32(&c);
		values[KIND] = fyke_word(asf_name(fyke_cursor_u8(&c)));
	}
	fyke_record(dissection, &table, values);
	return fyke_rest();
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length;

		if (length > 0 && (length < 4 || data[0] != 6 || data[1] != 0 ||
					  ((data[3] & 31) != ASF && (data[3] & 31) != IPMI)))
			return FYKE_NO;
	}
	return opening->on_port ? FYKE_YES : FYKE_MAYBE;
}

static const uint16_t ports[] = {623, 664, 0};
static const char *const services[] = {"asf-rmcp", "asf-secure-rmcp", NULL};

const struct fyke_dissector fyke_dissector_rmcp = {
	.name = "rmcp",
	.title = "Remote Management Control Protocol with IPMI, DMTF ASF 2.0",
	.doc = "One row per message on its own ports: presence, commands, and who begins a session.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.probe = probe,
	.feed = feed,
};
