/*
 * What one session lets know of others: those that it announces (FTP data, RTP). A bounded table of the
 * latest; the oldest of a bucket goes.
 */
#ifndef FYKE_ANALYZER_ENGINE_EXPECT_H
#define FYKE_ANALYZER_ENGINE_EXPECT_H

#include "analyzer/flow/flow.h"
#include "dissectors/dissector.h"

struct fyke_expected {
	unsigned transport; /* 0 = empty */
	struct fyke_address ip;
	uint16_t port;
	const char *dissector;
	struct fyke_flow_reference by;
	int64_t time_ns;
	uint16_t note_length;
	uint8_t note[FYKE_EXPECT_NOTE_MAX];
};

struct fyke_engine_expect {
	struct fyke_expected *expected; /* made when first needed */
};

void fyke_engine_expect_release(struct fyke_engine_expect *expect);

/* False: memory is out. */
bool fyke_engine_expect_add(struct fyke_engine_expect *expect, const struct fyke_expectation *expectation,
	const struct fyke_flow_reference *by, int64_t time_ns);
/* NULL: nobody expects a session there. Of TCP an expectation is met once. */
struct fyke_expected *fyke_engine_expect_find(struct fyke_engine_expect *expect, unsigned transport,
	const struct fyke_address *ip, uint16_t port, int64_t time_ns);
static inline void fyke_engine_expect_met(struct fyke_expected *expected)
{
	if (expected->transport == FYKE_OVER_TCP)
		expected->transport = 0;
}

#endif
