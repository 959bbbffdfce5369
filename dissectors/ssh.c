/*
 * SSH: the banners of both sides (RFC 4253 §4.2). What follows is the transport's own business.
 */
#include "dissectors/dissector.h"

#include <string.h>

enum { BANNER_MAX = 255 };

enum { CLIENT_BANNER, SERVER_BANNER, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[CLIENT_BANNER] = {"client", FYKE_TYPE_TEXT, "the client's banner"},
	[SERVER_BANNER] = {"server", FYKE_TYPE_TEXT, "the server's banner"},
};

static const struct fyke_table table = {"ssh", "one row per session", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

struct state {
	struct fyke_text banner[2]; /* by enum fyke_side */
};

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		size_t length = opening->side[side].length < 4 ? opening->side[side].length : 4;

		if (length > 0 && memcmp(opening->side[side].data, "SSH-", length) == 0)
			return length == 4 ? FYKE_YES : FYKE_MAYBE;
	}
	return opening->side[FYKE_CLIENT].length > 0 && opening->side[FYKE_SERVER].length > 0 ? FYKE_NO
											      : FYKE_MAYBE;
}

static void tell(struct fyke_dissection *dissection)
{
	const struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT];

	values[CLIENT_BANNER] = fyke_text_of(&state->banner[FYKE_CLIENT]);
	values[SERVER_BANNER] = fyke_text_of(&state->banner[FYKE_SERVER]);
	fyke_record(dissection, &table, values);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct fyke_text *banner = &state->banner[input->side];
	const uint8_t *end = input->length > 0 ? memchr(input->data, '\n', input->length) : NULL;

	size_t length;

	if (fyke_text_is_set(banner))
		return fyke_more(input->length);
	if (end == NULL)
		return input->length > BANNER_MAX ? fyke_not_mine() : fyke_more(0);
	length = (size_t)(end - input->data);
	if (length < 4 || memcmp(input->data, "SSH-", 4) != 0)
		return fyke_not_mine();
	if (length > 0 && input->data[length - 1] == '\r')
		length--;
	fyke_keep(dissection, banner, input->data, length, BANNER_MAX);
	fyke_product(dissection, input->side, banner->bytes, banner->length);
	if (!fyke_text_is_set(&state->banner[fyke_side_other(input->side)]))
		return fyke_more((uint64_t)(end - input->data) + 1);
	tell(dissection);
	return fyke_done();
}

static const uint16_t ports[] = {22, 0};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("SSH-")};

const struct fyke_dissector fyke_dissector_ssh = {
	.name = "ssh",
	.title = "Secure Shell, RFC 4253",
	.doc = "Both banners.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = 1,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
};
