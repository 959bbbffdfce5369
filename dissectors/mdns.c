/* Multicast DNS, RFC 6762. */
#include "dissectors/shared/dns_talk.h"

static const struct fyke_dns_kind kind = {.protocol = "mdns", .lone = true};

static enum fyke_match probe(const struct fyke_opening *opening)
{
	return fyke_dns_probe(opening, false);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	if (!fyke_dns_take(dissection, fyke_state(dissection), &kind, input))
		return fyke_not_mine();
	return fyke_dns_rest(fyke_state(dissection));
}

static void end(struct fyke_dissection *dissection)
{
	fyke_dns_finish(dissection, fyke_state(dissection), &kind);
}

static const uint16_t ports[] = {5353, 0};
static const char *const services[] = {"mdns", NULL};

const struct fyke_dissector fyke_dissector_mdns = {
	.name = "mdns",
	.title = "Multicast DNS, RFC 6762",
	.doc = "Rows of table dns, with protocol mdns: every message is a row, since answers come from "
	       "elsewhere or unasked. Answers that a query already knows are left out.",
	.transports = FYKE_OVER_UDP,
	.ports = ports,
	.services = services,
	.tables = fyke_dns_tables,
	.state_size = sizeof(struct fyke_dns_talk),
	.memory_max = FYKE_DNS_MEMORY_MAX,
	.probe = probe,
	.feed = feed,
	.end = end,
};
