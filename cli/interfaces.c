/* `fyke interfaces`: where packets could be captured. */
#include "analyzer/capture/interfaces.h"

#include "analyzer/base/text.h"
#include "analyzer/decode/decode.h"
#include "cli/command.h"
#include "cli/privileges.h"

#include <stdio.h>
#include <string.h>

const struct fyke_command_help fyke_help_interfaces = {
	.summary = "list the interfaces that monitor can listen on",
	.usage = "",
	.about = "The likeliest comes first. Some kinds are listed only with the rights to capture (sudo).\n",
};

static const char *state_of(const struct fyke_interface *interface)
{
	if (!interface->up)
		return "down";
	return interface->running ? "up" : "no link";
}

static const char *kind_of(const struct fyke_interface *interface)
{
	if (interface->loopback)
		return "loopback";
	if (interface->wireless)
		return "wireless";
	if (interface->link_type >= 0 && interface->link_type <= UINT16_MAX &&
		fyke_link_type_name((uint16_t)interface->link_type) != NULL)
		return fyke_link_type_name((uint16_t)interface->link_type);
	return "-";
}

static void print_text(const char *text)
{
	char shown[512];

	(void)fyke_text_terminal(text, strlen(text), 0, 0, shown, sizeof(shown));
	fputs(shown, stdout);
}

static void print_interface(const struct fyke_interface *interface)
{
	char name[128];

	(void)fyke_text_terminal(interface->name, strlen(interface->name), 0, 0, name, sizeof(name));
	printf("%-16s  %-8s  %-14s  %-17s ", name, state_of(interface), kind_of(interface),
		interface->mac[0] == '\0' ? "-" : interface->mac);
	for (size_t i = 0; i < interface->addresses_count; i++)
		printf(" %s", interface->addresses[i]);
	if (interface->addresses_count == 0)
		fputs(" -", stdout);
	if (interface->description[0] != '\0') {
		fputs("  ", stdout);
		print_text(interface->description);
	}
	putchar('\n');
}

int fyke_command_interfaces(int argc, char **argv)
{
	struct fyke_arguments arguments;
	struct fyke_interfaces interfaces;
	struct fyke_error error;

	fyke_options_begin(&arguments, argc, argv, &fyke_help_interfaces);
	if (fyke_options_next(&arguments) != FYKE_OPTIONS_END)
		return arguments.exit;
	if (arguments.first < argc)
		return fyke_usage("interfaces", "takes no argument");
	if (fyke_interfaces_list(&interfaces, &error) != FYKE_OK)
		return fyke_fail("interfaces", &error);
	if (fyke_privileges_drop(NULL, NULL, &error) != FYKE_OK) {
		fyke_interfaces_release(&interfaces);
		return fyke_fail("interfaces", &error);
	}
	if (interfaces.count == 0)
		fyke_warn("interfaces", "none is visible; capturing needs root or cap_net_raw");
	else
		printf("%-16s  %-8s  %-14s  %-17s  %s\n", "NAME", "STATE", "KIND", "MAC", "ADDRESSES");
	for (size_t i = 0; i < interfaces.count; i++)
		print_interface(&interfaces.items[i]);
	fyke_interfaces_release(&interfaces);
	return FYKE_EXIT_DONE;
}
