/* `fyke protocols`: what is read today, from the tables that the reading itself uses. */
#include "analyzer/classify/registry.h"
#include "analyzer/decode/decode.h"
#include "analyzer/session/transport.h"
#include "cli/command.h"
#include "cli/protocols_content.h"

#include <stdio.h>
#include <string.h>

static const struct fyke_option options[] = {
	{0, "markdown", NULL, "write docs/protocols.md, the page with every field"},
	{0},
};

const struct fyke_command_help fyke_help_protocols = {
	.summary = "list what fyke reads: protocols and their fields, link types, tunnels, transports",
	.usage = "[OPTIONS] [NAME...]",
	.about = "With names: all about these protocols, field by field.\n",
	.options = options,
	.examples = "fyke protocols ssh\n",
};

enum { COLUMN = 78, INDENT = 2 };

/* Words separated by commas, broken at the column. */
struct list {
	int column;
	bool first;
};

static void begin(struct list *list, const char *title)
{
	printf("%s\n%*s", title, INDENT, "");
	*list = (struct list){INDENT, true};
}

static void item(struct list *list, const char *name)
{
	int width = (int)strlen(name) + (list->first ? 0 : 2);

	if (!list->first) {
		putchar(',');
		if (list->column + width > COLUMN) {
			printf("\n%*s", INDENT, "");
			list->column = INDENT;
		} else {
			putchar(' ');
		}
	}
	fputs(name, stdout);
	list->column += width;
	list->first = false;
}

static void end(void)
{
	fputs("\n\n", stdout);
}

static bool named_before(uint16_t link_type, const char *name)
{
	for (uint16_t i = 0; i < link_type; i++) {
		if (fyke_link_type_is_read(i) && strcmp(fyke_link_type_name(i), name) == 0)
			return true;
	}
	return false;
}

static void print_link_types(void)
{
	struct list list;

	begin(&list, "Link types of captures");
	for (uint16_t i = 0; i < 1024; i++) {
		if (fyke_link_type_is_read(i) && !named_before(i, fyke_link_type_name(i)))
			item(&list, fyke_link_type_name(i));
	}
	end();
}

static void print_fixed(const char *title, const char *const *names)
{
	struct list list;

	begin(&list, title);
	for (; *names != NULL; names++)
		item(&list, *names);
	end();
}

static void print_tunnels(void)
{
	struct list list;

	begin(&list, "Tunnels (the session inside names the one that carries it)");
	for (int i = FYKE_TUNNEL_NONE + 1; i < FYKE_TUNNEL_COUNT; i++)
		item(&list, fyke_tunnel_name((enum fyke_tunnel)i));
	end();
}

static void print_transports(void)
{
	struct list list;

	begin(&list, "Sessions of (any other IP protocol goes by its number)");
	for (int i = 0; i < 256; i++) {
		const char *name = fyke_transport_name((uint8_t)i);

		if (strncmp(name, "ip-", 3) != 0)
			item(&list, name);
	}
	end();
}

static void print_all(void)
{
	static const char *const link_layers[] = {
		"802.1Q and QinQ", "802.1ah (PBB)", "MPLS", "PPPoE", "LLC/SNAP", NULL};
	static const char *const network[] = {
		"IPv4 with options", "IPv6 with extension headers", "fragments of both", NULL};

	print_link_types();
	print_fixed("Between link and network", link_layers);
	print_fixed("Network", network);
	print_tunnels();
	print_transports();
	puts("Protocols, told by content on any port; below each its tables and their columns");
	fyke_protocols_list(stdout);
	printf("\nService names\n  %zu entries of the IANA registry, and yours (--services FILE)\n",
		fyke_registry_count);
}

static int show(char *const *names, int count)
{
	for (int i = 0; i < count; i++) {
		const struct fyke_dissector *dissector = fyke_protocols_find(names[i]);
		const char *near = fyke_protocols_nearest(names[i]);

		if (dissector == NULL && near != NULL)
			return fyke_usage("protocols", "there is no protocol \"%s\": did you mean \"%s\"?",
				names[i], near);
		if (dissector == NULL)
			return fyke_usage("protocols", "there is no protocol \"%s\"", names[i]);
		if (i > 0)
			putchar('\n');
		fyke_protocols_show(stdout, dissector);
	}
	return FYKE_EXIT_DONE;
}

int fyke_command_protocols(int argc, char **argv)
{
	struct fyke_arguments arguments;
	bool markdown = false;

	fyke_options_begin(&arguments, argc, argv, &fyke_help_protocols);
	for (int option; (option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END;) {
		if (option != FYKE_OPTION(0))
			return arguments.exit;
		markdown = true;
	}
	if (arguments.first < argc)
		return markdown ? fyke_usage("protocols", "--markdown takes no names")
				: show(argv + arguments.first, argc - arguments.first);
	if (markdown)
		fyke_protocols_write_docs(stdout);
	else
		print_all();
	return FYKE_EXIT_DONE;
}
