/* Elasticsearch between its nodes (transport protocol): "ES", length, request id, status, version.
 * Recognised; what follows is not read. */
#include "dissectors/dissector.h"

enum { HEAD = 19, MESSAGE_MAX = 1 << 30 };

/* A ping is "ES" and a length of -1. */
static enum fyke_match fits(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint16_t magic = fyke_cursor_u16(&c);
	uint32_t size = fyke_cursor_u32(&c);

	if (!fyke_cursor_ok(&c))
		return data[0] == 'E' && (length < 2 || data[1] == 'S') ? FYKE_MAYBE : FYKE_NO;
	return magic == 0x4553 && (size == UINT32_MAX || (size >= HEAD - 6 && size < MESSAGE_MAX)) ? FYKE_YES
												   : FYKE_NO;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		enum fyke_match one;

		if (opening->side[side].length == 0)
			continue;
		one = fits(opening->side[side].data, opening->side[side].length);
		if (one == FYKE_NO)
			return FYKE_NO;
		if (one == FYKE_YES)
			match = one;
	}
	return match;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	enum fyke_match match = input->length > 0 ? fits(input->data, input->length) : FYKE_MAYBE;

	if (match == FYKE_NO)
		return fyke_not_mine();
	if (match == FYKE_MAYBE)
		return fyke_more(0);
	fyke_confirm(dissection);
	return fyke_done();
}

static const uint16_t ports[] = {9300, 0};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("ES")};

const struct fyke_dissector fyke_dissector_elasticsearch = {
	.name = "elasticsearch",
	.title = "Elasticsearch transport protocol",
	.doc = "Recognised between nodes, not read; what clients say is HTTP.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = 1,
	.probe = probe,
	.feed = feed,
};
