/*
 * `fyke analyze FILE...`: captures in, sessions into the database, a summary on the terminal.
 *
 * The order matters: files are opened with the rights that we came with, then rights are dropped,
 * then the first byte is parsed, then the database is created.
 */
#include "cli/analyze_options.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/privileges.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/show.h"
#include "cli/stats.h"
#include "dissectors/registry.h"
#include "findings/findings.h"
#include "storage/writer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char command[] = "analyze";

struct analysis {
	struct fyke_analyze_options options;
	const volatile bool *stop;
	struct fyke_source *source;
	struct fyke_services *services;
	struct fyke_writer *writer; /* NULL with --no-database */
	struct fyke_run run;
	struct fyke_file_directory *files; /* NULL without --files */
	struct fyke_findings_ready *ready; /* NULL: nothing is yet */
	struct fyke_progress progress;
	struct fyke_pipeline_counters counters;
	int64_t capture_id, elapsed_ns;
};

static enum fyke_status discard_tick(void *context, struct fyke_tick *tick, struct fyke_error *error)
{
	(void)context;
	(void)error;
	fyke_tick_free(tick);
	return FYKE_OK;
}

static void show_progress(void *context, const struct fyke_pipeline_counters *counters,
	const struct fyke_source_counters *source)
{
	fyke_progress_update(context, counters->frames, source);
}

/* Files are open, nothing has been parsed. */
static enum fyke_status drop_rights(void *context, struct fyke_error *error)
{
	struct analysis *analysis = context;
	const struct fyke_analyze_options *options = &analysis->options;
	const char *writable[] = {options->no_database ? NULL : options->database, options->json};
	const char *readable[] = {options->services, options->rules};
	const struct fyke_confinement confinement = {.writable = writable,
		.writable_count = sizeof(writable) / sizeof(writable[0]),
		.readable = readable,
		.readable_count = sizeof(readable) / sizeof(readable[0]),
		.directory = options->payload.files.directory};
	enum fyke_status status = fyke_privileges_drop(options->user, options->quiet ? NULL : command, error);

	if (status == FYKE_OK)
		status = fyke_file_directory_open(&options->payload.files, &analysis->files, error);
	if (status == FYKE_OK)
		fyke_privileges_confine(&confinement);
	return status;
}

static enum fyke_status check_outputs(const struct fyke_analyze_options *options, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (options->json != NULL)
		status = fyke_output_check(
			options->json, options->force, options->files, options->file_count, error);
	if (status == FYKE_OK && !options->no_database)
		status = fyke_output_not_input(options->database, options->files, options->file_count, error);
	return status;
}

static enum fyke_status open_source(struct analysis *analysis, struct fyke_error *error)
{
	struct fyke_analyze_options *options = &analysis->options;
	const struct fyke_source_options source = {
		.filter = options->filter,
		.frame_limit = options->frame_limit,
		.snaplen = options->snaplen,
		.stop = analysis->stop,
		.opened = drop_rights,
		.opened_context = analysis,
	};

	return fyke_source_files_open(options->files, options->file_count, &source, &analysis->source, error);
}

static enum fyke_status open_writer(struct analysis *analysis, struct fyke_error *error)
{
	const struct fyke_table *tables[FYKE_TABLES_MAX];
	const struct fyke_writer_options writer = {.path = analysis->options.database,
		.tables = tables,
		.again = analysis->options.again,
		.no_fold = analysis->options.no_fold,
		.home_net = analysis->options.home_net};

	if (analysis->options.no_database)
		return FYKE_OK;
	fyke_dissector_tables(tables, FYKE_TABLES_MAX);
	return fyke_writer_open(&writer, &analysis->run.capture, &analysis->writer, error);
}

static enum fyke_status prepare(struct analysis *analysis, struct fyke_error *error)
{
	enum fyke_status status = check_outputs(&analysis->options, error);

	if (status == FYKE_OK)
		status = open_source(analysis, error);
	if (status == FYKE_OK && analysis->options.rules != NULL)
		status = fyke_rules_check(analysis->options.rules, error);
	if (status == FYKE_OK)
		status = fyke_services_new(analysis->options.services, &analysis->services, error);
	if (status == FYKE_OK)
		status = fyke_run_begin(
			&analysis->run, analysis->source, NULL, analysis->options.shaping, error);
	if (status == FYKE_OK)
		status = open_writer(analysis, error);
	return status;
}

static int64_t monotonic_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static enum fyke_status run_pipeline(struct analysis *analysis, struct fyke_error *error)
{
	struct fyke_pipeline_options pipeline = {
		.engine = analysis->options.engine,
		.threads = analysis->options.threads,
		.progress = show_progress,
		.progress_context = &analysis->progress,
	};
	struct fyke_sink sink = {.take = discard_tick};
	enum fyke_status status;

	pipeline.engine.services = analysis->services;
	fyke_payload_apply(&analysis->options.payload, &pipeline.engine);
	pipeline.engine.file_store = fyke_file_directory_store(analysis->files);
	if (analysis->writer != NULL)
		sink = fyke_writer_sink(analysis->writer);
	fyke_progress_begin(&analysis->progress, analysis->options.quiet);
	status = fyke_pipeline_run(analysis->source, &pipeline, &sink, &analysis->counters, error);
	fyke_progress_end(&analysis->progress);
	return status;
}

static struct fyke_findings_job rules_job(const struct analysis *analysis)
{
	return (struct fyke_findings_job){.path = analysis->options.database,
		.capture_id = analysis->capture_id,
		.rules_folder = analysis->options.rules,
		.derived = true,
		.threads = FYKE_FINDINGS_THREADS_MAX,
		.ready = analysis->ready};
}

/* What rules read is made ready beside the indices. */
static void prepare_rules(void *context)
{
	struct analysis *analysis = context;
	const struct fyke_findings_job job = rules_job(analysis);

	analysis->ready = fyke_findings_make_ready(&job);
}

static enum fyke_status run_rules(const struct analysis *analysis, struct fyke_error *error)
{
	const struct fyke_findings_job job = rules_job(analysis);
	char told[512];
	enum fyke_status status = fyke_findings_update(&job, told, error);

	if (status == FYKE_OK && told[0] != '\0')
		fyke_warn(command, "%s", told);
	return status;
}

/* Stores what the run was, also when it failed: what was good stays. The first failure is the one told. */
static enum fyke_status finish(struct analysis *analysis, enum fyke_status ran, struct fyke_error *error)
{
	enum fyke_capture_status how =
		ran != FYKE_OK || *analysis->stop ? FYKE_CAPTURE_INTERRUPTED : FYKE_CAPTURE_COMPLETE;
	struct fyke_error later;
	enum fyke_status status;

	status = fyke_run_update(&analysis->run, analysis->source, &analysis->counters, how, &later);
	if (analysis->writer != NULL) {
		const struct fyke_writer_meanwhile meanwhile = {prepare_rules, analysis};
		struct fyke_writer *writer = analysis->writer;
		enum fyke_status stored;

		analysis->writer = NULL;
		analysis->capture_id = fyke_writer_capture_id(writer);
		stored = fyke_writer_finish(writer, &analysis->run.capture, &meanwhile, &analysis->capture_id,
			status == FYKE_OK ? &later : NULL);
		status = status == FYKE_OK ? stored : status;
		if (status == FYKE_OK)
			status = run_rules(analysis, &later);
		else
			fyke_findings_ready_free(analysis->ready);
	}
	if (ran != FYKE_OK)
		return ran;
	if (status != FYKE_OK)
		*error = later;
	return status;
}

static enum fyke_status show(const struct analysis *analysis, struct fyke_error *error)
{
	const struct fyke_analyze_options *options = &analysis->options;
	bool json_on_stdout = options->json != NULL && strcmp(options->json, "-") == 0;
	enum fyke_status status = FYKE_OK;

	if (options->no_database)
		return FYKE_OK;
	if (!options->quiet && !json_on_stdout)
		status = fyke_show_summary(options->database, analysis->capture_id, error);
	if (status == FYKE_OK && options->json != NULL)
		status = fyke_show_json(
			options->database, analysis->capture_id, options->json, options->force, error);
	return status;
}

static void warn_of_source(const struct analysis *analysis)
{
	const char *warning;

	for (size_t i = 0; (warning = fyke_source_warning(analysis->source, i)) != NULL; i++)
		fyke_warn(command, "%s", warning);
}

/* What the user should know in one sentence, whatever the summary says; returns the exit code. */
static int verdict(const struct analysis *analysis)
{
	const struct fyke_capture *capture = &analysis->run.capture;
	int result = FYKE_EXIT_DONE;

	warn_of_source(analysis);
	for (size_t i = 0; i < capture->file_count; i++) {
		const struct fyke_capture_file *file = &capture->files[i];

		if (file->damage == NULL)
			continue;
		fyke_warn(command, "%s: %s", strcmp(file->name, "-") == 0 ? "standard input" : file->name,
			file->damage);
		result = FYKE_EXIT_DAMAGED;
	}
	if (*analysis->stop) {
		fyke_warn(command, "interrupted: what had been read by then is stored");
		return FYKE_EXIT_FAILED;
	}
	if (capture->packets > 0)
		return result;
	if (capture->filtered_packets > 0)
		fyke_warn(command, "no packet passed the filter \"%s\"", analysis->options.filter);
	else
		fyke_warn(command, "%s: holds no packet", capture->name);
	return FYKE_EXIT_DAMAGED;
}

static void release(struct analysis *analysis)
{
	fyke_source_free(analysis->source);
	fyke_services_free(analysis->services);
	fyke_run_release(&analysis->run);
	fyke_analyze_options_release(&analysis->options);
}

static int analyze(struct analysis *analysis)
{
	struct fyke_error error = {0};
	int64_t begin = monotonic_ns();
	int result;

	if (prepare(analysis, &error) != FYKE_OK)
		return fyke_fail(command, &error);
	if (finish(analysis, run_pipeline(analysis, &error), &error) != FYKE_OK)
		return fyke_fail(command, &error);
	analysis->elapsed_ns = monotonic_ns() - begin;
	if (show(analysis, &error) != FYKE_OK)
		return fyke_fail(command, &error);
	result = verdict(analysis);
	if (analysis->options.stats) {
		struct fyke_source_counters source = fyke_source_counters(analysis->source);

		fflush(stdout);
		fyke_stats_print(stderr, &analysis->counters, &source, analysis->elapsed_ns);
	}
	return result;
}

int fyke_command_analyze(int argc, char **argv)
{
	struct analysis analysis = {0};
	int result = FYKE_EXIT_DONE;

	/* A reader that leaves must not end the analysis before it is stored. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (fyke_analyze_options_parse(argc, argv, &analysis.options, &result)) {
		analysis.stop = fyke_interrupt_catch();
		result = analyze(&analysis);
		if (!fyke_file_directory_close(analysis.files, command) && result == FYKE_EXIT_DONE)
			result = FYKE_EXIT_FAILED;
	}
	release(&analysis);
	return result;
}
