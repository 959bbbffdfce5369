/* NetBIOS name service, RFC 1001 and 1002. */
#include "dissectors/shared/dns_talk.h"

static const struct fyke_dns_kind kind = {.protocol = "nbns", .netbios = true};

static enum fyke_match probe(const struct fyke_opening *opening)
{
	return fyke_dns_probe(opening, true);
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

static const uint16_t ports[] = {137, 0};
static const char *const services[] = {"netbios-ns", NULL};

const struct fyke_dissector fyke_dissector_nbns = {
	.name = "nbns",
	.title = "NetBIOS name service, RFC 1001 and 1002",
	.doc = "Rows of table dns, with protocol nbns; names as NAME<kind>. Queries to the broadcast address "
	       "and their answers are rows of two sessions. Names and hardware addresses of node status "
	       "answers become facts about hosts.",
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
