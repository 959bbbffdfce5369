/* --home-net: the networks that are one's own. */
#ifndef FYKE_CLI_HOME_NET_H
#define FYKE_CLI_HOME_NET_H

#include "storage/database.h"

/* FYKE_EXIT_DONE, or FYKE_EXIT_USAGE when it was told that this is no list of networks. */
int fyke_home_net_check(const char *command, const char *text);

/* What was given counts; where nothing was, what the capture was analyzed with. *known (may be NULL): there
 * is either. */
FYKE_MUST_USE enum fyke_status fyke_home_net_set(struct fyke_database *database, const char *given,
	int64_t capture_id, bool *known, struct fyke_error *error);

#endif
