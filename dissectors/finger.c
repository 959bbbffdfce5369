/* Finger, RFC 1288: one line, and its answer. */
#include "dissectors/dissector.h"
#include "dissectors/shared/query.h"

static const struct fyke_field fields[FYKE_QUERY_FIELDS] = {FYKE_QUERY_FIELD_LIST};
static const struct fyke_table table = {"finger", "one row per question", fields, FYKE_QUERY_FIELDS};
static const struct fyke_table *const tables[] = {&table, NULL};

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	return fyke_query_feed(dissection, fyke_state(dissection), input);
}

/* What is missing from the answer only makes it shorter. */
static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	(void)dissection;
	(void)lost;
	return input->side == FYKE_SERVER ? fyke_more(0) : fyke_done();
}

static void end(struct fyke_dissection *dissection)
{
	fyke_query_tell(dissection, fyke_state(dissection), &table);
}

static const uint16_t ports[] = {79, 0};
static const char *const services[] = {"finger", NULL};

const struct fyke_dissector fyke_dissector_finger = {
	.name = "finger",
	.title = "Finger, RFC 1288",
	.doc = "The question and the size of the answer. On its own port only.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.tables = tables,
	.state_size = sizeof(struct fyke_query),
	.probe = fyke_query_probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
