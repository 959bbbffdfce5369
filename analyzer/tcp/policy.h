/*
 * Whose bytes a receiver keeps when two segments bring different ones for the same place (SEMANTICS
 * of overlap: Paxson and Shankar, "Active Mapping", 2003; Novak and Sturges, 2007).
 *
 * Of a new segment N = [ns,ne) and stored bytes O = [os,oe) the table says who wins where they overlap:
 *
 *	case            first  last  bsd, windows  linux  solaris
 *	ns=os, ne<oe    O      N     O             O      O
 *	ns=os, ne=oe    O      N     O             O      N
 *	ns=os, ne>oe    O      N     O             N      N
 *	ns<os, ne<oe    O      N     N             N      O
 *	ns<os, ne>=oe   O      N     N             N      N
 *	ns>os, ne<=oe   O      N     O             O      O
 *	ns>os, ne>oe    O      N     O             O      N
 */
#ifndef FYKE_TCP_POLICY_H
#define FYKE_TCP_POLICY_H

#include <stdbool.h>
#include <stdint.h>

enum fyke_policy {
	FYKE_POLICY_LINUX = 0, /* the default */
	FYKE_POLICY_FIRST,
	FYKE_POLICY_LAST,
	FYKE_POLICY_BSD,
	FYKE_POLICY_WINDOWS,
	FYKE_POLICY_SOLARIS,
	FYKE_POLICY_COUNT
};

struct fyke_span_bounds {
	int64_t start, end;
};

const char *fyke_policy_name(enum fyke_policy policy);
bool fyke_policy_parse(const char *name, enum fyke_policy *policy); /* false: no such policy */

/* Whether the new segment's bytes replace the stored ones; they overlap. */
bool fyke_policy_new_wins(
	enum fyke_policy policy, struct fyke_span_bounds new, struct fyke_span_bounds stored);

/* Which bounds stored bytes have for the next comparison. Linux keeps segments as they came (sk_buffs
 * overlap in its queue, and the one that begins first is read): true. The others cut them to what is
 * kept of them (tcp_reass): false. */
bool fyke_policy_keeps_bounds(enum fyke_policy policy);

#endif
