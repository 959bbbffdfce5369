/* See the header. Deliberately slow and plain. */
#include "tests/unit/reassembly_oracle.h"

#include <assert.h>
#include <string.h>

/* Rows: the case; columns: first, last, bsd and windows, linux, solaris. */
static const char table[7][5] = {
	{'O', 'N', 'O', 'O', 'O'}, /* ns=os, ne<oe */
	{'O', 'N', 'O', 'O', 'N'}, /* ns=os, ne=oe */
	{'O', 'N', 'O', 'N', 'N'}, /* ns=os, ne>oe */
	{'O', 'N', 'N', 'N', 'O'}, /* ns<os, ne<oe */
	{'O', 'N', 'N', 'N', 'N'}, /* ns<os, ne>=oe */
	{'O', 'N', 'O', 'O', 'O'}, /* ns>os, ne<=oe */
	{'O', 'N', 'O', 'O', 'N'}, /* ns>os, ne>oe */
};

static int column_of(enum fyke_policy policy)
{
	switch (policy) {
	case FYKE_POLICY_FIRST:
		return 0;
	case FYKE_POLICY_LAST:
		return 1;
	case FYKE_POLICY_BSD:
	case FYKE_POLICY_WINDOWS:
		return 2;
	case FYKE_POLICY_LINUX:
		return 3;
	case FYKE_POLICY_SOLARIS:
		return 4;
	case FYKE_POLICY_COUNT:
		break;
	}
	assert(false);
	return -1;
}

static int row_of(int ns, int ne, int os, int oe)
{
	if (ns == os)
		return ne < oe ? 0 : ne == oe ? 1 : 2;
	if (ns < os)
		return ne < oe ? 3 : 4;
	return ne <= oe ? 5 : 6;
}

void oracle_init(struct oracle *oracle, enum fyke_policy policy)
{
	memset(oracle, 0, sizeof(*oracle));
	oracle->policy = policy;
	for (int i = 0; i < ORACLE_SPACE; i++)
		oracle->owner[i] = -1;
}

/* The stretch of bytes around `at` that are still of the same segment; Linux goes by the segment as it
 * came. */
static void bounds_of(const struct oracle *oracle, const int *owner, int at, int *os, int *oe)
{
	int segment = owner[at];

	if (oracle->policy == FYKE_POLICY_LINUX) {
		*os = oracle->start[segment];
		*oe = oracle->end[segment];
		return;
	}
	for (*os = at; *os > oracle->next && owner[*os - 1] == segment;)
		--*os;
	for (*oe = at + 1; *oe < ORACLE_SPACE && owner[*oe] == segment;)
		++*oe;
}

static void settle(struct oracle *oracle)
{
	while (oracle->next < ORACLE_SPACE && oracle->owner[oracle->next] >= 0)
		oracle->known[oracle->next++] = true;
}

void oracle_segment(struct oracle *oracle, int start, int end, const uint8_t *bytes)
{
	int before[ORACLE_SPACE], segment = oracle->count++;

	assert(oracle->count <= ORACLE_SEGMENTS && end <= ORACLE_SPACE);
	oracle->start[segment] = start;
	oracle->end[segment] = end;
	memcpy(before, oracle->owner, sizeof(before));
	for (int at = start; at < end; at++) {
		uint8_t byte = bytes[at - start];
		int os, oe;

		if (before[at] >= 0) {
			if (oracle->value[at] == byte)
				oracle->duplicate++;
			else
				oracle->conflicting++;
			if (at < oracle->next)
				continue;
			bounds_of(oracle, before, at, &os, &oe);
			if (table[row_of(start, end, os, oe)][column_of(oracle->policy)] == 'O')
				continue;
		}
		oracle->owner[at] = segment;
		oracle->value[at] = byte;
	}
	settle(oracle);
}

void oracle_finish(struct oracle *oracle)
{
	int last = ORACLE_SPACE;

	while (last > 0 && oracle->owner[last - 1] < 0)
		last--;
	for (; oracle->next < last; oracle->next++)
		oracle->known[oracle->next] = oracle->owner[oracle->next] >= 0;
}
