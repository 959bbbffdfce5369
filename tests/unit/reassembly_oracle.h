/*
 * A receiver as a byte array: the table of overlap policies, row by row, and nothing clever. Each byte
 * knows which segment it came from; delivery goes on as long as bytes are there.
 */
#ifndef FYKE_TESTS_REASSEMBLY_ORACLE_H
#define FYKE_TESTS_REASSEMBLY_ORACLE_H

#include "analyzer/tcp/policy.h"

#include <stdbool.h>
#include <stdint.h>

enum { ORACLE_SPACE = 256, ORACLE_SEGMENTS = 64 };

struct oracle {
	enum fyke_policy policy;
	int next;		 /* not delivered yet */
	int owner[ORACLE_SPACE]; /* segment, -1 = none */
	uint8_t value[ORACLE_SPACE];
	bool known[ORACLE_SPACE]; /* false for a gap, once `next` is past it */
	int start[ORACLE_SEGMENTS], end[ORACLE_SEGMENTS], count;
	unsigned conflicting, duplicate; /* bytes */
};

void oracle_init(struct oracle *oracle, enum fyke_policy policy);
void oracle_segment(struct oracle *oracle, int start, int end, const uint8_t *bytes);
/* Gives up all holes: `next` is behind the last byte. */
void oracle_finish(struct oracle *oracle);

#endif
