/* Options of `fyke monitor`: the list that gives its help, and what each of them sets. */
#include "cli/monitor_options.h"

#include "analyzer/capture/source.h"

#include "analyzer/capture/filter.h"
#include "cli/command.h"
#include "cli/home_net.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char command[] = "monitor";

/* clang-format off */
enum {
	OPTION_JSONL, OPTION_FLUSH, OPTION_KEEP, OPTION_MAX_SIZE, OPTION_DURATION, OPTION_USER, OPTION_MEMORY,
	OPTION_SERVICES, OPTION_TCP_TIMEOUT, OPTION_TCP_HALF_OPEN_TIMEOUT, OPTION_UDP_TIMEOUT, OPTION_FORCE,
	OPTION_STATS, OPTION_NO_DATABASE, OPTION_OVERLAP_POLICY, OPTION_NO_DISSECT, OPTION_FILES,
	OPTION_NO_FILE_HASHES, OPTION_FILES_LIMIT, OPTION_FILES_COUNT, OPTION_STORE_PASSWORDS,
	OPTION_HOME, OPTION_RULES, OPTION_RULES_EVERY, OPTION_RINGS, OPTION_NO_FOLD,
	LETTERS /* list[LETTERS] is the first that has a letter */
};

static const struct fyke_option list[] = {
	[OPTION_JSONL] = {0, "jsonl", NULL, "one JSON object per ended session, here, instead of the table"},
	[OPTION_FLUSH] = {0, "flush", "TIME", "store what changed in open sessions this often (2s)"},
	[OPTION_KEEP] = {0, "keep", "TIME", "forget sessions that ended longer ago (30d)"},
	[OPTION_MAX_SIZE] = {0, "max-size", "SIZE", "forget the oldest sessions when the database grows over this (10G)"},
	[OPTION_DURATION] = {0, "duration", "TIME", "stop after that time"},
	[OPTION_USER] = {0, "user", "NAME", "started as root: become this user (else who called sudo, else \"fyke\")"},
	[OPTION_MEMORY] = {0, "memory", "SIZE", "most memory for open sessions (256M, 2G); the oldest go first"},
	[OPTION_SERVICES] = {0, "services", "FILE", "names of ports, in the form of /etc/services, over the built-in ones"},
	[OPTION_TCP_TIMEOUT] = {0, "tcp-timeout", "TIME", "silence that ends a TCP session (7440s)"},
	[OPTION_TCP_HALF_OPEN_TIMEOUT] = {0, "tcp-half-open-timeout", "TIME", "the same before the handshake is done (60s)"},
	[OPTION_UDP_TIMEOUT] = {0, "udp-timeout", "TIME", "silence that ends any other session (60s)"},
	[OPTION_FORCE] = {0, "force", NULL, "let -w replace an existing file"},
	[OPTION_STATS] = {0, "stats", NULL, "print counters and the sums that must come out, on standard error"},
	[OPTION_NO_DATABASE] = {0, "no-database", NULL, "store nothing: the table, --jsonl or -w only"},
	[OPTION_OVERLAP_POLICY] = {0, "overlap-policy", "POLICY",
		"whose bytes receivers keep where segments differ (linux), or NETWORK=POLICY"},
	[OPTION_FILES] = {0, "files", "DIR", "save what sessions transfer as files in DIR"},
	[OPTION_NO_FILE_HASHES] = {0, "no-file-hashes", NULL, "no MD5 and SHA-256 of them: less work"},
	[OPTION_FILES_LIMIT] = {0, "files-limit", "SIZE", "at most so many bytes of them (1G)"},
	[OPTION_FILES_COUNT] = {0, "files-count", "N", "at most so many of them (10000)"},
	[OPTION_NO_DISSECT] = {0, "no-dissect", NULL, "do not look into what sessions carry"},
	[OPTION_STORE_PASSWORDS] = {0, "store-passwords", NULL,
		"store secrets that go by in the clear, not ***"},
	[OPTION_HOME] = {0, "home-net", "NETWORKS", "networks that are your own: 192.168.1.0/24,2001:db8::/32"},
	[OPTION_RULES] = {0, "rules", "FOLDER", "rules of your own for findings, too: FOLDER/*.sql"},
	[OPTION_RULES_EVERY] = {0, "rules-every", "TIME", "run the rules this often, and at the end (5min)"},
	[OPTION_RINGS] = {0, "rings", "N", "share the packets among N rings of the kernel, each emptied by a thread (1)"},
	[OPTION_NO_FOLD] = {0, "no-fold", NULL, "a row for each unanswered or refused session, however many a scan leaves"},
	[LETTERS] = {'i', "interface", "NAME", "listen here (`fyke interfaces` lists them)"},
	{'d', "database", "FILE", "the session database (fyke.db)"},
	{'f', "filter", "EXPRESSION", "only packets that pass this BPF filter ('tcp port 80')"},
	{'w', "write", "FILE", "write the packets to a capture, too (pcapng; pcap if named .pcap; - = here)"},
	{'c', "count", "N", "stop after N packets"},
	{'s', "snaplen", "BYTES", "capture only so much of each packet"},
	{'p', "no-promiscuous", NULL, "do not ask the interface for other hosts' packets"},
	{'B', "buffer", "MIB", "size of the kernel's buffer, or of each of its rings (32)"},
	{'q', "quiet", NULL, "no table, no progress, no summary"},
	{0},
};
/* clang-format on */

const struct fyke_command_help fyke_help_monitor = {
	.summary = "rebuild the sessions of a live interface, into the database and a table",
	.usage = "-i INTERFACE [OPTIONS]",
	.about = "Shows the busiest sessions while it runs; what it has seen is in the database a few "
		 "seconds later,\n"
		 "for `fyke query` in another window. Ctrl-C ends it: everything is stored, a summary "
		 "follows.\n"
		 "In the table: q ends, s changes the order.\n",
	.options = list,
	.examples = "sudo fyke monitor -i eth0\n"
		    "sudo fyke monitor -i eth0 -f 'not port 22' --keep 30d --max-size 10G -q &\n"
		    "sudo fyke monitor -i eth0 --jsonl | jq 'select(.state == \"REJ\")'\n",
};

static bool wrong(int *result, const char *option, const char *value, const char *expected)
{
	*result = fyke_usage(command, "%s %s: %s is expected", option, value, expected);
	return false;
}

static bool take_duration(const char *option, const char *value, int64_t *ns, int *result)
{
	if (fyke_parse_duration(value, ns) && *ns > 0)
		return true;
	return wrong(result, option, value, "a time like 90s, 5min or 2h");
}

static bool take_size(const char *option, const char *value, uint64_t *bytes, int *result)
{
	if (fyke_parse_size(value, bytes) && *bytes >= 1 << 20)
		return true;
	return wrong(result, option, value, "a size of at least 1M, like 256M or 2G,");
}

static bool take_number(const char *option, const char *value, uint64_t most, uint64_t *number, int *result)
{
	char expected[64];

	if (fyke_parse_count(value, most, number) && *number > 0)
		return true;
	(void)snprintf(expected, sizeof(expected), "a number from 1 to %" PRIu64, most);
	return wrong(result, option, value, expected);
}

static bool take_rings(struct fyke_monitor_options *options, const char *value, int *result)
{
	uint64_t number = 0;
	bool good = take_number("--rings", value, FYKE_SOURCE_RINGS_MAX, &number, result);

	options->rings = (uint32_t)number;
	return good;
}

static bool take_flag(struct fyke_monitor_options *options, int option)
{
	switch (option) {
	case 'p':
		options->not_promiscuous = true;
		break;
	case 'q':
		options->quiet = true;
		break;
	case FYKE_OPTION(OPTION_JSONL):
		options->jsonl = true;
		break;
	case FYKE_OPTION(OPTION_FORCE):
		options->force = true;
		break;
	case FYKE_OPTION(OPTION_NO_FILE_HASHES):
		options->payload.no_file_hashes = true;
		break;
	case FYKE_OPTION(OPTION_NO_DISSECT):
		options->payload.no_dissect = true;
		break;
	case FYKE_OPTION(OPTION_STORE_PASSWORDS):
		options->payload.store_passwords = true;
		break;
	case FYKE_OPTION(OPTION_NO_FOLD):
		options->no_fold = true;
		break;
	case FYKE_OPTION(OPTION_STATS):
		options->stats = true;
		break;
	default:
		options->no_database = true;
		break;
	}
	return true;
}

static bool take_letter(struct fyke_monitor_options *options, int option, const char *value, int *result)
{
	uint64_t number = 0;
	bool good = true;

	switch (option) {
	case 'i':
		options->interface = value;
		break;
	case 'd':
		options->database = value;
		break;
	case 'f':
		options->filter = value;
		break;
	case 'w':
		options->save = value;
		break;
	case 'c':
		good = take_number("-c", value, INT64_MAX, &options->frame_limit, result);
		break;
	case 's':
		good = take_number("-s", value, 1 << 24, &number, result);
		options->snaplen = (uint32_t)number;
		break;
	default:
		good = take_number("-B", value, 2000, &number, result);
		options->buffer_mib = (uint32_t)number;
		break;
	}
	return good;
}

static bool take_long(struct fyke_monitor_options *options, int option, const char *value, int *result)
{
	switch (option) {
	case FYKE_OPTION(OPTION_FLUSH):
		return take_duration("--flush", value, &options->flush_ns, result);
	case FYKE_OPTION(OPTION_KEEP):
		return take_duration("--keep", value, &options->keep_ns, result);
	case FYKE_OPTION(OPTION_MAX_SIZE):
		return take_size("--max-size", value, &options->max_bytes, result);
	case FYKE_OPTION(OPTION_DURATION):
		return take_duration("--duration", value, &options->duration_ns, result);
	case FYKE_OPTION(OPTION_FILES):
		options->payload.files.directory = value;
		return true;
	case FYKE_OPTION(OPTION_FILES_LIMIT):
		return fyke_payload_take_files_limit(&options->payload, command, value, result);
	case FYKE_OPTION(OPTION_FILES_COUNT):
		return fyke_payload_take_files_count(&options->payload, command, value, result);
	case FYKE_OPTION(OPTION_OVERLAP_POLICY):
		return fyke_payload_take_policies(&options->payload, command, value, result);
	case FYKE_OPTION(OPTION_HOME):
		options->home_net = value;
		*result = fyke_home_net_check(command, value);
		return *result == FYKE_EXIT_DONE;
	case FYKE_OPTION(OPTION_RULES):
		options->rules = value;
		return true;
	case FYKE_OPTION(OPTION_RULES_EVERY):
		return take_duration("--rules-every", value, &options->rules_every_ns, result);
	case FYKE_OPTION(OPTION_RINGS):
		return take_rings(options, value, result);
	case FYKE_OPTION(OPTION_USER):
		options->user = value;
		return true;
	case FYKE_OPTION(OPTION_MEMORY):
		return take_size("--memory", value, &options->engine.memory, result);
	case FYKE_OPTION(OPTION_SERVICES):
		options->services = value;
		return true;
	case FYKE_OPTION(OPTION_TCP_TIMEOUT):
		return take_duration("--tcp-timeout", value, &options->engine.tcp_idle_ns, result);
	case FYKE_OPTION(OPTION_TCP_HALF_OPEN_TIMEOUT):
		return take_duration(
			"--tcp-half-open-timeout", value, &options->engine.tcp_half_open_ns, result);
	default:
		return take_duration("--udp-timeout", value, &options->engine.udp_idle_ns, result);
	}
}

FYKE_PRINTF(2, 3) static void add(struct fyke_monitor_options *options, const char *format, ...)
{
	size_t used = strlen(options->shaping);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(options->shaping + used, sizeof(options->shaping) - used, format, arguments);
	va_end(arguments);
}

/* Once more through what was given, for captures.options. */
static void describe(struct fyke_monitor_options *options)
{
	const struct {
		const char *name;
		int64_t ns;
	} times[] = {{"--keep", options->keep_ns}, {"--tcp-timeout", options->engine.tcp_idle_ns},
		{"--tcp-half-open-timeout", options->engine.tcp_half_open_ns},
		{"--udp-timeout", options->engine.udp_idle_ns}};

	if (options->filter != NULL)
		add(options, "-f '%s' ", options->filter);
	if (options->frame_limit != 0)
		add(options, "-c %" PRIu64 " ", options->frame_limit);
	if (options->snaplen != 0)
		add(options, "-s %" PRIu32 " ", options->snaplen);
	if (options->not_promiscuous)
		add(options, "-p ");
	if (options->engine.memory != 0)
		add(options, "--memory %" PRIu64 " ", options->engine.memory);
	if (options->max_bytes != 0)
		add(options, "--max-size %" PRIu64 " ", options->max_bytes);
	if (options->services != NULL)
		add(options, "--services %s ", options->services);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (times[i].ns != 0)
			add(options, "%s %.9gs ", times[i].name, (double)times[i].ns / 1e9);
	}
	fyke_payload_describe(&options->payload, options->shaping, sizeof(options->shaping));
	if (options->shaping[0] != '\0' && options->shaping[strlen(options->shaping) - 1] == ' ')
		options->shaping[strlen(options->shaping) - 1] = '\0';
}

static bool check(const struct fyke_monitor_options *options, int *result)
{
	struct fyke_error error;

	if (options->interface == NULL)
		*result = fyke_usage(command, "name an interface: -i eth0 (`fyke interfaces` lists them)");
	else if (options->jsonl && options->save != NULL && strcmp(options->save, "-") == 0)
		*result = fyke_usage(command, "--jsonl and -w - both want standard output");
	else if (options->save != NULL && !options->no_database &&
		 strcmp(options->save, options->database) == 0)
		*result = fyke_usage(command, "-w and -d name the same file");
	else if (options->filter != NULL && fyke_capture_filter_check(options->filter, &error) != FYKE_OK)
		*result = fyke_fail(command, &error);
	else
		return true;
	return false;
}

bool fyke_monitor_options_parse(int argc, char **argv, struct fyke_monitor_options *options, int *result)
{
	struct fyke_arguments arguments;
	int option;

	*options = (struct fyke_monitor_options){.database = "fyke.db",
		.flush_ns = INT64_C(2000000000),
		.rules_every_ns = INT64_C(300000000000)};
	fyke_options_begin(&arguments, argc, argv, &fyke_help_monitor);
	while ((option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END) {
		bool good;

		if (option == FYKE_OPTIONS_STOP) {
			*result = arguments.exit;
			return false;
		}
		if (arguments.value == NULL)
			good = take_flag(options, option);
		else if (option < FYKE_OPTION(0))
			good = take_letter(options, option, arguments.value, result);
		else
			good = take_long(options, option, arguments.value, result);
		if (!good)
			return false;
	}
	if (arguments.first < argc) {
		*result = fyke_usage(command, "\"%s\": an interface is named by -i", argv[arguments.first]);
		return false;
	}
	describe(options);
	return check(options, result);
}
