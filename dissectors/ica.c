/* Citrix ICA: recognised by the magic that the server begins with; what follows is not read. */
#include "dissectors/dissector.h"

#include <string.h>

enum { MAGIC = 7 };
static const uint8_t magic[MAGIC] = {0x7f, 0x7f, 'I', 'C', 'A', 0x00, 0x7f};

static enum fyke_match probe(const struct fyke_opening *opening)
{
	for (int side = 0; side < 2; side++) {
		size_t length =
			opening->side[side].length < MAGIC - 1 ? opening->side[side].length : MAGIC - 1;

		if (length > 0 && memcmp(opening->side[side].data, magic, length) != 0)
			return FYKE_NO;
		if (length == MAGIC - 1)
			return FYKE_YES;
	}
	return FYKE_MAYBE;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	if (input->length < MAGIC - 1)
		return input->end ? fyke_not_mine() : fyke_need(0, MAGIC - 1);
	if (memcmp(input->data, magic, MAGIC - 1) != 0)
		return fyke_not_mine();
	fyke_confirm(dissection);
	return fyke_done();
}

static const uint16_t ports[] = {1494, 2598, 0};
static const char *const services[] = {"ica", "citriximaclient", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x7f\x7fICA")};

const struct fyke_dissector fyke_dissector_ica = {
	.name = "ica",
	.title = "Citrix Independent Computing Architecture",
	.doc = "Recognised, not read.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = 1,
	.probe = probe,
	.feed = feed,
};
