/* One option of several commands. */
#include "cli/home_net.h"

#include "cli/command.h"
#include "findings/findings.h"

int fyke_home_net_check(const char *command, const char *text)
{
	struct fyke_networks networks;

	if (fyke_networks_parse(text, &networks))
		return FYKE_EXIT_DONE;
	return fyke_usage(command,
		"--home-net takes networks like 192.168.1.0/24,2001:db8::/32 (at most %d), not '%s'",
		FYKE_NETWORKS_MAX, text);
}

enum fyke_status fyke_home_net_set(struct fyke_database *database, const char *given, int64_t capture_id,
	bool *known, struct fyke_error *error)
{
	struct fyke_networks networks;
	bool unused;

	known = known == NULL ? &unused : known;
	if (given == NULL)
		return fyke_findings_take_home(database, capture_id, known, error);
	*known = true;
	if (!fyke_networks_parse(given, &networks))
		return fyke_error_set(error, FYKE_FAILED_USAGE, "--home-net: no list of networks");
	fyke_database_set_home(database, &networks);
	return FYKE_OK;
}
