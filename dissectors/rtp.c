/*
 * RTP (RFC 3550): streams by side and source, with what is lost of them. Known by what SIP or RTSP announced;
 * by itself only when several datagrams in a row have one source and ascending numbers.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum { SOURCES = 4, PROVEN = 3, STEP_MAX = 8, REPEATS_MAX = 16, HEADER = 12, ALIEN_MAX = 3 };

enum {
	CONTROL,
	MEDIA,
	SENDER,
	SSRC,
	PAYLOAD_TYPE,
	CODEC,
	PACKETS,
	BYTES,
	LOST,
	FIRST_SEQUENCE,
	DURATION,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[CONTROL] = {"control_session_id", FYKE_TYPE_SESSION, "the session that announced it"},
	[MEDIA] = {"media", FYKE_TYPE_TEXT, "audio, video … as announced"},
	[SENDER] = {"sender", FYKE_TYPE_TEXT, "client or server"},
	[SSRC] = {"ssrc", FYKE_TYPE_INTEGER, "the source's number"},
	[PAYLOAD_TYPE] = {"payload_type", FYKE_TYPE_INTEGER, "of its first packet"},
	[CODEC] = {"codec", FYKE_TYPE_TEXT, "where the type has a fixed meaning (RFC 3551)"},
	[PACKETS] = {"packets", FYKE_TYPE_INTEGER, "that were seen"},
	[BYTES] = {"media_bytes", FYKE_TYPE_INTEGER, "behind their headers"},
	[LOST] = {"lost_packets", FYKE_TYPE_INTEGER, "numbers that were not seen"},
	[FIRST_SEQUENCE] = {"first_sequence", FYKE_TYPE_INTEGER, "of the first packet"},
	[DURATION] = {"duration_us", FYKE_TYPE_INTEGER, "from the first packet to the last"},
};

static const struct fyke_table table = {"rtp", "one row per source of media", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct source {
	uint32_t ssrc;
	uint8_t type;
	uint16_t first, highest;
	uint32_t cycles; /* of the numbers, in 65536 */
	uint64_t packets, bytes;
	struct fyke_moment begun;
	int64_t last_ns;
};

struct state {
	struct source source[2][SOURCES];
	uint8_t count[2];
	uint8_t in_row, repeats, aliens;
	bool proven;
};

struct packet {
	uint8_t type;
	uint16_t sequence;
	uint32_t ssrc;
	size_t payload;
};

/* False: no RTP. Types 72 to 76 with their bit set are RTCP's (RFC 5761). */
static bool read_packet(const uint8_t *data, size_t length, struct packet *packet)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint8_t first = fyke_cursor_u8(&c);

	packet->type = fyke_cursor_u8(&c);
	packet->sequence = fyke_cursor_u16(&c);
	(void)fyke_cursor_u32(&c);
	packet->ssrc = fyke_cursor_u32(&c);
	(void)fyke_cursor_skip(&c, (size_t)4 * (first & 15));
	if (first & 0x10) {
		(void)fyke_cursor_u16(&c);
		(void)fyke_cursor_skip(&c, (size_t)4 * fyke_cursor_u16(&c));
	}
	packet->payload = fyke_cursor_left(&c);
	if (!fyke_cursor_ok(&c) || first >> 6 != 2 || (packet->type >= 192 && packet->type <= 223))
		return false;
	packet->type &= 0x7f;
	return true;
}

/* Types with a meaning, or of those that are given out by agreement; up to three contributing sources. */
static bool is_likely(const uint8_t *data, size_t length)
{
	struct packet packet;

	return length > HEADER && (data[0] & 0xec) == 0x80 && read_packet(data, length, &packet) &&
	       packet.ssrc != 0 && packet.payload > 0 &&
	       (packet.type <= 18 || (packet.type >= 25 && packet.type <= 34) || packet.type >= 96);
}

/* Believed for a first look: feed takes it back when what follows does not fit. */
static enum fyke_match probe(const struct fyke_opening *opening)
{
	bool any = false;

	if (opening->port[FYKE_CLIENT] < 1024 || opening->port[FYKE_SERVER] < 1024)
		return FYKE_NO;
	for (int side = 0; side < 2; side++) {
		if (opening->side[side].length == 0)
			continue;
		if (!is_likely(opening->side[side].data, opening->side[side].length))
			return FYKE_NO;
		any = true;
	}
	return any ? FYKE_YES : FYKE_MAYBE;
}

static const char *codec_of(uint8_t type)
{
	static const char *const names[] = {[0] = "PCMU",
		[3] = "GSM",
		[4] = "G723",
		[5] = "DVI4",
		[6] = "DVI4",
		[7] = "LPC",
		[8] = "PCMA",
		[9] = "G722",
		[10] = "L16",
		[11] = "L16",
		[12] = "QCELP",
		[13] = "CN",
		[14] = "MPA",
		[15] = "G728",
		[16] = "DVI4",
		[17] = "DVI4",
		[18] = "G729",
		[25] = "CelB",
		[26] = "JPEG",
		[28] = "nv",
		[31] = "H261",
		[32] = "MPV",
		[33] = "MP2T",
		[34] = "H263"};

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

static void tell_source(struct fyke_dissection *dissection, enum fyke_side side, const struct source *source)
{
	struct fyke_value values[FIELD_COUNT];
	size_t length;
	const char *note = fyke_expected_note(dissection, &length);
	int64_t expected = (int64_t)source->cycles * 65536 + source->highest - source->first + 1;

	values[CONTROL] = fyke_expected_by(dissection);
	values[MEDIA] = length > 0 ? fyke_bytes(note, length) : fyke_null();
	values[SENDER] = fyke_word(side == FYKE_CLIENT ? "client" : "server");
	values[SSRC] = fyke_integer(source->ssrc);
	values[PAYLOAD_TYPE] = fyke_integer(source->type);
	values[CODEC] = fyke_word(codec_of(source->type));
	values[PACKETS] = fyke_integer((int64_t)source->packets);
	values[BYTES] = fyke_integer((int64_t)source->bytes);
	values[LOST] =
		fyke_integer(expected > (int64_t)source->packets ? expected - (int64_t)source->packets : 0);
	values[FIRST_SEQUENCE] = fyke_integer(source->first);
	values[DURATION] = fyke_integer((source->last_ns - source->begun.time_ns) / 1000);
	fyke_record_at(dissection, &table, source->begun, values);
}

/* NULL: there are too many. */
static struct source *source_of(
	struct fyke_dissection *dissection, enum fyke_side side, const struct packet *packet)
{
	struct state *state = fyke_state(dissection);
	struct source *source;

	for (size_t i = 0; i < state->count[side]; i++) {
		if (state->source[side][i].ssrc == packet->ssrc)
			return &state->source[side][i];
	}
	if (state->count[side] == SOURCES)
		return NULL;
	source = &state->source[side][state->count[side]++];
	*source = (struct source){.ssrc = packet->ssrc,
		.type = packet->type,
		.first = packet->sequence,
		.highest = packet->sequence,
		.begun = fyke_now(dissection)};
	return source;
}

/* How far the number is ahead; a number behind leaves the highest where it is. */
static int advance(struct source *source, uint16_t sequence)
{
	int16_t ahead = (int16_t)(uint16_t)(sequence - source->highest);

	if (ahead > 0) {
		source->cycles += sequence < source->highest;
		source->highest = sequence;
	}
	return ahead;
}

/* Not announced: so many packets of one source, each a little ahead of the one before; some come twice. */
static bool is_refuted(struct state *state, const struct source *source, int ahead)
{
	if (source == NULL || ahead < -STEP_MAX || ahead > STEP_MAX || state->repeats > REPEATS_MAX)
		return true;
	state->in_row = (uint8_t)(state->in_row + (ahead > 0));
	state->repeats = (uint8_t)(state->repeats + (source->packets > 0 && ahead <= 0));
	state->proven = state->in_row >= PROVEN;
	return false;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	bool announced = fyke_expected_by(dissection).kind != FYKE_VALUE_NULL;
	struct packet packet;
	struct source *source;
	int ahead;

	if (input->length == 0)
		return fyke_more(0);
	if (!read_packet(input->data, input->length, &packet)) {
		/* STUN, DTLS, RTCP and fillers come on the same path */
		state->aliens = (uint8_t)(state->aliens < ALIEN_MAX ? state->aliens + 1 : ALIEN_MAX);
		return state->proven || (announced && state->aliens < ALIEN_MAX) ? fyke_more(input->length)
										 : fyke_not_mine();
	}
	source = source_of(dissection, input->side, &packet);
	ahead = source != NULL ? advance(source, packet.sequence) : 0;
	if (announced)
		state->proven = true;
	else if (!state->proven && is_refuted(state, source, ahead))
		return fyke_not_mine();
	if (source == NULL)
		return fyke_more(input->length);
	source->packets++;
	source->bytes += packet.payload;
	source->last_ns = input->time_ns;
	if (state->proven)
		fyke_confirm(dissection);
	return fyke_more(input->length);
}

static void end(struct fyke_dissection *dissection)
{
	const struct state *state = fyke_state(dissection);

	if (!state->proven)
		return;
	for (int side = 0; side < 2; side++) {
		for (size_t i = 0; i < state->count[side]; i++)
			tell_source(dissection, (enum fyke_side)side, &state->source[side][i]);
	}
}

static const char *const services[] = {"rtp", "avt-profile-1", NULL};

const struct fyke_dissector fyke_dissector_rtp = {
	.name = "rtp",
	.title = "Real-Time Transport Protocol, RFC 3550",
	.doc = "Sources of media with their packets and losses, up to 4 a side. Recognised where SIP or RTSP "
	       "announced it, by itself only after 4 packets of one source in order.",
	.transports = FYKE_OVER_UDP,
	.services = services,
	.anywhere = true,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.end = end,
};
