/* The overlap policies, row by row of the table in the header. */
#include "analyzer/tcp/policy.h"

#include <stddef.h>
#include <string.h>

static const char *const names[FYKE_POLICY_COUNT] = {
	[FYKE_POLICY_LINUX] = "linux",
	[FYKE_POLICY_FIRST] = "first",
	[FYKE_POLICY_LAST] = "last",
	[FYKE_POLICY_BSD] = "bsd",
	[FYKE_POLICY_WINDOWS] = "windows",
	[FYKE_POLICY_SOLARIS] = "solaris",
};

const char *fyke_policy_name(enum fyke_policy policy)
{
	return names[policy];
}

bool fyke_policy_parse(const char *name, enum fyke_policy *policy)
{
	for (size_t i = 0; i < FYKE_POLICY_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*policy = (enum fyke_policy)i;
			return true;
		}
	}
	return false;
}

static bool solaris(struct fyke_span_bounds new, struct fyke_span_bounds stored)
{
	if (new.start > stored.start)
		return new.end > stored.end;
	return new.end >= stored.end;
}

bool fyke_policy_new_wins(
	enum fyke_policy policy, struct fyke_span_bounds new, struct fyke_span_bounds stored)
{
	switch (policy) {
	case FYKE_POLICY_LAST:
		return true;
	case FYKE_POLICY_BSD:
	case FYKE_POLICY_WINDOWS:
		return new.start < stored.start;
	case FYKE_POLICY_LINUX:
		return new.start < stored.start || (new.start == stored.start &&new.end > stored.end);
	case FYKE_POLICY_SOLARIS:
		return solaris(new, stored);
	case FYKE_POLICY_FIRST:
	case FYKE_POLICY_COUNT:
		break;
	}
	return false;
}

bool fyke_policy_keeps_bounds(enum fyke_policy policy)
{
	return policy == FYKE_POLICY_LINUX;
}
