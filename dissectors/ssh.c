/*
 * SSH (RFC 4253): both banners, what KEXINIT offers and what is agreed, the server's host key, HASSH, and
 * SSH-1's banner and cipher. Behind NEWKEYS only sizes are left: whether somebody logged in is inferred
 * from them (auth_of_server).
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/line.h"
#include "dissectors/shared/ssh_offer.h"

#include <string.h>

enum { BANNER_MAX = 255, JUNK_LINES_MAX = 64, PACKET_MAX = 35000 };
enum { SSH_NEWKEYS = 21, SSH_KEXINIT = 20, SSH_KEX_REPLY = 31, SSH_GEX_REPLY = 33 };

enum {
	VERSION,
	CLIENT_BANNER,
	SERVER_BANNER,
	OFFER,
	AUTH_SUCCESS = OFFER + FYKE_SSH_OFFER_FIELDS,
	AUTH_ATTEMPTS,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_INTEGER, "1 or 2"},
	[CLIENT_BANNER] = {"client", FYKE_TYPE_TEXT, "the client's banner"},
	[SERVER_BANNER] = {"server", FYKE_TYPE_TEXT, "the server's banner"},
	FYKE_SSH_OFFER_FIELD_LIST(OFFER),
	[AUTH_SUCCESS] = {"auth_success", FYKE_TYPE_BOOLEAN, "inferred from sizes; NULL: they do not tell"},
	[AUTH_ATTEMPTS] = {"auth_attempts", FYKE_TYPE_INTEGER, "likewise: answers to attempts"},
};

static const struct fyke_table table = {"ssh", "one row per session", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum phase { BANNER, PACKETS, ENCRYPTED };

struct side_state {
	struct fyke_text banner;
	struct fyke_lines lines;
	enum phase phase;
	uint8_t junk_lines;
	uint64_t frame;	 /* whose bytes are counted */
	uint64_t length; /* of its encrypted bytes */
};

struct state {
	struct side_state side[2];
	struct fyke_ssh_offer offer;
	struct fyke_moment begun;
	unsigned version;
	/* inference */
	uint64_t accept_size, failure_size; /* 0 = not seen */
	unsigned attempts;
	enum fyke_login login;
};

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_NO;

	for (int side = 0; side < 2; side++) {
		size_t length = opening->side[side].length < 4 ? opening->side[side].length : 4;

		if (length == 0)
			match = match == FYKE_NO ? FYKE_MAYBE : match;
		else if (memcmp(opening->side[side].data, "SSH-", length) == 0)
			return length == 4 ? FYKE_YES : FYKE_MAYBE;
	}
	/* a server may say other lines first (RFC 4253 §4.2) */
	if (fyke_text_find((const char *)opening->side[FYKE_SERVER].data, opening->side[FYKE_SERVER].length,
		    "\nSSH-") != NULL)
		return FYKE_YES;
	return opening->on_port ? FYKE_MAYBE : match;
}

/* ---- authentication ---- */

/*
 * The server's answers, by size: SERVICE_ACCEPT comes first; USERAUTH_SUCCESS is a packet with 16 bytes
 * less in whatever cipher; the answers to failed attempts have all one size, for they list the same methods.
 * Compression makes sizes tell nothing.
 */
static void judge(struct state *state, uint64_t size)
{
	if (state->accept_size == 0) {
		state->accept_size = size;
		return;
	}
	if (size + 16 == state->accept_size) {
		state->attempts++;
		state->login = FYKE_LOGIN_ACCEPTED;
	} else if (state->failure_size == 0) {
		state->failure_size = size;
		state->login = FYKE_LOGIN_REFUSED;
	} else if (size == state->failure_size) {
		state->attempts++;
	}
}

/* Encrypted bytes, counted by the frames that brought them; a frame is one message as a rule. */
static struct fyke_verdict take_encrypted(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct side_state *own = &state->side[input->side];
	bool before_request = state->side[FYKE_CLIENT].frame == 0;

	if (input->length == 0)
		return fyke_more(0);
	if (own->frame != input->frame && own->length > 0 && input->side == FYKE_SERVER)
		judge(state, own->length);
	if (own->frame != input->frame)
		own->length = 0;
	own->frame = input->frame;
	if (input->side == FYKE_CLIENT || !before_request) /* EXT_INFO comes unasked (RFC 8308) */
		own->length += input->length;
	return state->login == FYKE_LOGIN_ACCEPTED ? fyke_done() : fyke_more(input->length);
}

/* ---- what is said ---- */

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT];
	bool told;

	if (state->begun.frame == 0)
		return;
	if (state->side[FYKE_SERVER].length > 0 && state->login != FYKE_LOGIN_ACCEPTED)
		judge(state, state->side[FYKE_SERVER].length);
	fyke_ssh_offer_values(&state->offer, values + OFFER);
	told = state->accept_size > 0 && !fyke_ssh_offer_compresses(&state->offer);
	values[VERSION] = fyke_integer_if(state->version > 0, state->version);
	values[CLIENT_BANNER] = fyke_text_of(&state->side[FYKE_CLIENT].banner);
	values[SERVER_BANNER] = fyke_text_of(&state->side[FYKE_SERVER].banner);
	values[AUTH_SUCCESS] = fyke_integer_if(
		told && state->login != FYKE_LOGIN_UNKNOWN, state->login == FYKE_LOGIN_ACCEPTED);
	values[AUTH_ATTEMPTS] = fyke_integer_if(told, state->attempts);
	fyke_record_at(dissection, &table, state->begun, values);
}

/* ---- banners ---- */

static unsigned version_of(const struct fyke_text *banner)
{
	if (fyke_text_begins(banner->bytes, banner->length, "SSH-1.99"))
		return 3; /* either */
	return fyke_text_begins(banner->bytes, banner->length, "SSH-1.") ? 1 : 2;
}

static void agree_on_version(struct state *state)
{
	const struct fyke_text *client = &state->side[FYKE_CLIENT].banner;
	const struct fyke_text *server = &state->side[FYKE_SERVER].banner;
	unsigned both = 3;

	if (fyke_text_is_set(client))
		both &= version_of(client);
	if (fyke_text_is_set(server))
		both &= version_of(server);
	state->version = both == 3 ? 2 : both;
}

static void take_banner(
	struct fyke_dissection *dissection, enum fyke_side side, const char *text, size_t length)
{
	struct state *state = fyke_state(dissection);
	struct fyke_text *banner = &state->side[side].banner;
	const char *nul = memchr(text, '\0', length);

	if (nul != NULL)
		length = (size_t)(nul - text);
	fyke_keep(dissection, banner, text, length, BANNER_MAX);
	fyke_product(dissection, side, banner->bytes, banner->length);
	if (state->begun.frame == 0)
		state->begun = fyke_now(dissection);
	state->side[side].phase = PACKETS;
	agree_on_version(state);
}

static struct fyke_verdict feed_banner(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct side_state *own = &state->side[input->side];
	struct fyke_line line;

	if (!fyke_line_take(&own->lines, input, &line))
		return fyke_line_wait(&line);
	if (line.length >= 4 && memcmp(line.text, "SSH-", 4) == 0)
		take_banner(dissection, input->side, line.text, line.length);
	else if (own->junk_lines++ > JUNK_LINES_MAX)
		return state->begun.frame != 0 ? fyke_done() : fyke_not_mine();
	return fyke_more(line.consumed);
}

/* ---- packets in the clear ---- */

static void take_packet(
	struct fyke_dissection *dissection, enum fyke_side side, const uint8_t *payload, size_t length)
{
	struct state *state = fyke_state(dissection);
	uint8_t type = payload[0];

	if (type == SSH_KEXINIT)
		fyke_ssh_offer_take(dissection, &state->offer, side, payload + 1, length - 1);
	else if ((type == SSH_KEX_REPLY || type == SSH_GEX_REPLY) && side == FYKE_SERVER)
		fyke_ssh_offer_host_key(&state->offer, payload + 1, length - 1);
	else if (type == SSH_NEWKEYS)
		state->side[side].phase = ENCRYPTED;
}

/* SSH-1: length, padding, type, data, checksum. The client's third message chooses the cipher, and what
 * follows is encrypted. */
static struct fyke_verdict feed_version1(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_cursor c = fyke_cursor(input->data, input->length);
	uint32_t length = fyke_cursor_u32(&c);
	uint8_t type, cipher;

	if (!fyke_cursor_ok(&c))
		return fyke_more(0);
	if (length > PACKET_MAX)
		return fyke_done();
	(void)fyke_cursor_skip(&c, 8 - length % 8);
	type = fyke_cursor_u8(&c);
	cipher = fyke_cursor_u8(&c);
	if (!fyke_cursor_ok(&c))
		return fyke_more(0);
	if (input->side == FYKE_CLIENT) {
		if (type == 3)
			fyke_ssh_offer_cipher1(&state->offer, cipher);
		return fyke_done();
	}
	return fyke_more((uint64_t)4 + 8 - length % 8 + length);
}

static struct fyke_verdict feed_packets(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_cursor c = fyke_cursor(input->data, input->length), packet;
	uint32_t length = fyke_cursor_u32(&c);
	uint8_t padding;

	if (!fyke_cursor_ok(&c))
		return fyke_more(0);
	if (length < 2 || length > PACKET_MAX)
		return fyke_done();
	packet = fyke_cursor_carve(&c, length);
	if (!fyke_cursor_ok(&c))
		return fyke_need(0, (size_t)length + 4);
	padding = fyke_cursor_u8(&packet);
	if (fyke_cursor_left(&packet) <= padding)
		return fyke_done();
	take_packet(dissection, input->side, packet.at, fyke_cursor_left(&packet) - padding);
	return fyke_more((uint64_t)length + 4);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);

	switch (state->side[input->side].phase) {
	case BANNER:
		return feed_banner(dissection, input);
	case PACKETS:
		/* which version it is the other banner may still have to tell */
		if (state->version == 1)
			return feed_version1(dissection, input);
		return feed_packets(dissection, input);
	default:
		return take_encrypted(dissection, input);
	}
}

/* Within the handshake nothing can be told behind a hole, but for the other side's banner. */
static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);
	struct side_state *own = &state->side[input->side];

	if (own->phase == ENCRYPTED)
		own->length += lost;
	else
		own->phase = ENCRYPTED;
	own->frame = input->frame;
	return fyke_text_is_set(&state->side[fyke_side_other(input->side)].banner) ? fyke_done()
										   : fyke_more(0);
}

static const uint16_t ports[] = {22, 2222, 0};
static const char *const services[] = {"ssh", "sftp", "netconf-ssh", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("SSH-")};

const struct fyke_dissector fyke_dissector_ssh = {
	.name = "ssh",
	.title = "Secure Shell, RFC 4253",
	.doc = "Both banners, the algorithms agreed on, the fingerprint of the host key, HASSH of both "
	       "sides, "
	       "and whether the login succeeded as the sizes of encrypted packets tell it (the server's "
	       "answers to failed attempts are of equal size). The encrypted part is not read.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(struct state),
	.buffer_max = PACKET_MAX + 4, /* packets before NEWKEYS are read whole (RFC 4253 §6.1) */
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
