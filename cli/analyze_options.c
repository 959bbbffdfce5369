/* Options of `fyke analyze`: the list that gives its help, and what each of them sets. */
#include "cli/analyze_options.h"

#include "analyzer/capture/filter.h"
#include "analyzer/crew.h"
#include "cli/command.h"
#include "cli/home_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPTION_DATABASE,
	OPTION_READ,
	OPTION_FILTER,
	OPTION_COUNT,
	OPTION_SNAPLEN,
	OPTION_QUIET,
	OPTION_JSON,
	OPTION_FORCE,
	OPTION_AGAIN,
	OPTION_STATS,
	OPTION_SERVICES,
	OPTION_MEMORY,
	OPTION_THREADS,
	OPTION_TCP_TIMEOUT,
	OPTION_TCP_HALF_OPEN_TIMEOUT,
	OPTION_UDP_TIMEOUT,
	OPTION_HOME,
	OPTION_RULES,
	OPTION_USER,
	OPTION_OVERLAP_POLICY,
	OPTION_NO_DISSECT,
	OPTION_FILES,
	OPTION_NO_FILE_HASHES,
	OPTION_FILES_LIMIT,
	OPTION_FILES_COUNT,
	OPTION_STORE_PASSWORDS,
	OPTION_NO_FOLD,
	OPTION_NO_DATABASE,
	OPTION_END
};

static const struct fyke_option list[] = {
	[OPTION_DATABASE] = {'d', "database", "FILE", "the session database (fyke.db)"},
	[OPTION_READ] = {'r', "read", "FILE", "a capture file, like FILE without the option"},
	[OPTION_FILTER] = {'f', "filter", "EXPRESSION",
		"only packets that pass this BPF filter ('tcp port 80')"},
	[OPTION_COUNT] = {'c', "count", "N", "stop after N packets"},
	[OPTION_SNAPLEN] = {'s', "snaplen", "BYTES", "read only so much of each packet"},
	[OPTION_QUIET] = {'q', "quiet", NULL, "no progress, no summary"},
	[OPTION_JSON] = {0, "json", "FILE", "write the JSON report, too (- = here, instead of the summary)"},
	[OPTION_FORCE] = {0, "force", NULL, "let --json replace an existing file"},
	[OPTION_AGAIN] = {0, "again", NULL, "take files that another capture in the database holds already"},
	[OPTION_STATS] = {0, "stats", NULL, "counters and the sums that must come out, on standard error"},
	[OPTION_SERVICES] = {0, "services", "FILE",
		"names of ports as in /etc/services, over the built-in ones"},
	[OPTION_MEMORY] = {0, "memory", "SIZE",
		"most memory for open sessions (256M, 2G); the oldest go first"},
	[OPTION_THREADS] = {0, "threads", "N",
		"share the sessions among N threads (1): sooner done, for a little more work"},
	[OPTION_TCP_TIMEOUT] = {0, "tcp-timeout", "TIME", "silence that ends a TCP session (7440s)"},
	[OPTION_TCP_HALF_OPEN_TIMEOUT] = {0, "tcp-half-open-timeout", "TIME",
		"the same before the handshake is done (60s)"},
	[OPTION_UDP_TIMEOUT] = {0, "udp-timeout", "TIME", "silence that ends any other session (60s)"},
	[OPTION_HOME] = {0, "home-net", "NETWORKS",
		"networks that are your own: 192.168.1.0/24,2001:db8::/32"},
	[OPTION_RULES] = {0, "rules", "FOLDER", "rules of your own for findings, too: FOLDER/*.sql"},
	[OPTION_USER] = {0, "user", "NAME", "started as root: become NAME (else who called sudo, else fyke)"},
	[OPTION_OVERLAP_POLICY] = {0, "overlap-policy", "POLICY",
		"whose bytes count where segments differ (linux), or NETWORK=POLICY"},
	[OPTION_FILES] = {0, "files", "DIR", "save what sessions transfer as files in DIR"},
	[OPTION_NO_FILE_HASHES] = {0, "no-file-hashes", NULL, "no MD5 and SHA-256 of them: less work"},
	[OPTION_FILES_LIMIT] = {0, "files-limit", "SIZE", "at most so many bytes of them (1G)"},
	[OPTION_FILES_COUNT] = {0, "files-count", "N", "at most so many of them (10000)"},
	[OPTION_NO_DISSECT] = {0, "no-dissect", NULL, "do not look into what sessions carry"},
	[OPTION_STORE_PASSWORDS] = {0, "store-passwords", NULL,
		"store secrets that go by in the clear, not ***"},
	[OPTION_NO_FOLD] = {0, "no-fold", NULL,
		"a row for each unanswered or refused session, however many a scan leaves"},
	[OPTION_NO_DATABASE] = {0, "no-database", NULL, "store and show nothing: to measure the packet path"},
	[OPTION_END] = {0},
};

const struct fyke_command_help fyke_help_analyze = {
	.summary = "rebuild the sessions of capture files into the database",
	.usage = "[OPTIONS] FILE...",
	.about = "Reads pcap and pcapng, plain or compressed with gzip, zstd or lz4; - is standard input. "
		 "Several\n"
		 "files are one time line, in the order of their first packets. A second analysis of the "
		 "same files\n"
		 "replaces the first. Exit code 3: the input was damaged, held nothing, or nothing passed "
		 "the filter.\n",
	.options = list,
	.examples = "fyke analyze capture.pcapng\n"
		    "fyke analyze -d monday.db -f 'not port 22' monday-*.pcap.gz\n"
		    "tcpdump -r old.pcap -w - host 10.0.0.5 | fyke analyze -\n",
};

static bool wrong(int *result, const char *option, const char *value, const char *expected)
{
	*result = fyke_usage("analyze", "%s %s: %s is expected", option, value, expected);
	return false;
}

static bool take_duration(const char *option, const char *value, int64_t *ns, int *result)
{
	if (fyke_parse_duration(value, ns) && *ns > 0)
		return true;
	return wrong(result, option, value, "a time like 90s, 5min or 2h");
}

static bool take_threads(struct fyke_analyze_options *options, const char *value, int *result)
{
	uint64_t number = 0;

	if (!fyke_parse_count(value, FYKE_CREW_MAX, &number) || number == 0)
		return wrong(result, "--threads", value, "a number from 1 to 16");
	options->threads = (unsigned)number;
	return true;
}

/* Options without a letter that have a value. */
static bool take_long_value(struct fyke_analyze_options *options, int option, const char *value, int *result)
{
	switch (option) {
	case FYKE_OPTION(OPTION_JSON):
		options->json = value;
		return true;
	case FYKE_OPTION(OPTION_SERVICES):
		options->services = value;
		return true;
	case FYKE_OPTION(OPTION_HOME):
		options->home_net = value;
		*result = fyke_home_net_check("analyze", value);
		return *result == FYKE_EXIT_DONE;
	case FYKE_OPTION(OPTION_RULES):
		options->rules = value;
		return true;
	case FYKE_OPTION(OPTION_USER):
		options->user = value;
		return true;
	case FYKE_OPTION(OPTION_FILES):
		options->payload.files.directory = value;
		return true;
	case FYKE_OPTION(OPTION_FILES_LIMIT):
		return fyke_payload_take_files_limit(&options->payload, "analyze", value, result);
	case FYKE_OPTION(OPTION_FILES_COUNT):
		return fyke_payload_take_files_count(&options->payload, "analyze", value, result);
	case FYKE_OPTION(OPTION_OVERLAP_POLICY):
		return fyke_payload_take_policies(&options->payload, "analyze", value, result);
	case FYKE_OPTION(OPTION_MEMORY):
		if (fyke_parse_size(value, &options->engine.memory) && options->engine.memory >= 1 << 20)
			return true;
		return wrong(result, "--memory", value, "a size of at least 1M, like 256M or 2G,");
	case FYKE_OPTION(OPTION_THREADS):
		return take_threads(options, value, result);
	case FYKE_OPTION(OPTION_TCP_TIMEOUT):
		return take_duration("--tcp-timeout", value, &options->engine.tcp_idle_ns, result);
	case FYKE_OPTION(OPTION_TCP_HALF_OPEN_TIMEOUT):
		return take_duration(
			"--tcp-half-open-timeout", value, &options->engine.tcp_half_open_ns, result);
	default:
		return take_duration("--udp-timeout", value, &options->engine.udp_idle_ns, result);
	}
}

static bool take_letter(struct fyke_analyze_options *options, int option, const char *value, int *result)
{
	uint64_t number = 0;

	switch (option) {
	case 'd':
		options->database = value;
		return true;
	case 'r':
		options->files[options->file_count++] = value;
		return true;
	case 'f':
		options->filter = value;
		return true;
	case 'c':
		if (!fyke_parse_count(value, UINT64_MAX, &options->frame_limit) || options->frame_limit == 0)
			return wrong(result, "-c", value, "a number of packets from 1");
		return true;
	default:
		if (!fyke_parse_count(value, 1 << 24, &number) || number == 0)
			return wrong(result, "-s", value, "a number of bytes from 1 to 16777216");
		options->snaplen = (uint32_t)number;
		return true;
	}
}

static bool take(struct fyke_analyze_options *options, int option, const char *value, int *result)
{
	if (value != NULL && option < 256)
		return take_letter(options, option, value, result);
	if (value != NULL)
		return take_long_value(options, option, value, result);
	if (option == 'q')
		options->quiet = true;
	else if (option == FYKE_OPTION(OPTION_FORCE))
		options->force = true;
	else if (option == FYKE_OPTION(OPTION_AGAIN))
		options->again = true;
	else if (option == FYKE_OPTION(OPTION_NO_FOLD))
		options->no_fold = true;
	else if (option == FYKE_OPTION(OPTION_STATS))
		options->stats = true;
	else if (option == FYKE_OPTION(OPTION_NO_FILE_HASHES))
		options->payload.no_file_hashes = true;
	else if (option == FYKE_OPTION(OPTION_NO_DISSECT))
		options->payload.no_dissect = true;
	else if (option == FYKE_OPTION(OPTION_STORE_PASSWORDS))
		options->payload.store_passwords = true;
	else if (option == FYKE_OPTION(OPTION_NO_DATABASE))
		options->no_database = true;
	return true;
}

/* Once more through what was given, for captures.options. */
static void describe(struct fyke_analyze_options *options)
{
	char *text = options->shaping;
	size_t room = sizeof(options->shaping);
	const struct {
		const char *name;
		int64_t ns;
	} timeouts[] = {{"--tcp-timeout", options->engine.tcp_idle_ns},
		{"--tcp-half-open-timeout", options->engine.tcp_half_open_ns},
		{"--udp-timeout", options->engine.udp_idle_ns}};

	if (options->filter != NULL)
		(void)snprintf(text, room, "-f '%s' ", options->filter);
	if (options->frame_limit != 0)
		(void)snprintf(text + strlen(text), room - strlen(text), "-c %lu ",
			(unsigned long)options->frame_limit);
	if (options->snaplen != 0)
		(void)snprintf(text + strlen(text), room - strlen(text), "-s %u ", options->snaplen);
	if (options->engine.memory != 0)
		(void)snprintf(text + strlen(text), room - strlen(text), "--memory %lu ",
			(unsigned long)options->engine.memory);
	if (options->services != NULL)
		(void)snprintf(text + strlen(text), room - strlen(text), "--services %s ", options->services);
	for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
		if (timeouts[i].ns != 0)
			(void)snprintf(text + strlen(text), room - strlen(text), "%s %.9gs ",
				timeouts[i].name, (double)timeouts[i].ns / 1e9);
	}
	if (options->no_fold)
		(void)snprintf(text + strlen(text), room - strlen(text), "--no-fold ");
	fyke_payload_describe(&options->payload, text, room);
	if (*text != '\0' && text[strlen(text) - 1] == ' ')
		text[strlen(text) - 1] = '\0';
}

static bool check(const struct fyke_analyze_options *options, int *result)
{
	struct fyke_error error;

	if (options->file_count == 0) {
		*result = fyke_usage("analyze", "name a capture file (- is standard input)");
		return false;
	}
	if (options->filter != NULL && fyke_capture_filter_check(options->filter, &error) != FYKE_OK) {
		*result = fyke_fail("analyze", &error);
		return false;
	}
	return true;
}

bool fyke_analyze_options_parse(int argc, char **argv, struct fyke_analyze_options *options, int *result)
{
	struct fyke_arguments arguments;
	int option;

	*options = (struct fyke_analyze_options){.database = "fyke.db"};
	options->files = calloc((size_t)argc, sizeof(*options->files));
	if (options->files == NULL) {
		fyke_warn("analyze", "out of memory");
		*result = FYKE_EXIT_FAILED;
		return false;
	}
	fyke_options_begin(&arguments, argc, argv, &fyke_help_analyze);
	while ((option = fyke_options_next(&arguments)) != FYKE_OPTIONS_END) {
		if (option == FYKE_OPTIONS_STOP) {
			*result = arguments.exit;
			return false;
		}
		if (!take(options, option, arguments.value, result))
			return false;
	}
	for (int i = arguments.first; i < argc; i++)
		options->files[options->file_count++] = argv[i];
	describe(options);
	return check(options, result);
}

void fyke_analyze_options_release(struct fyke_analyze_options *options)
{
	free(options->files);
	options->files = NULL;
}
