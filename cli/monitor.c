/*
 * `fyke monitor -i INTERFACE`: live packets, sessions into the database while they happen.
 *
 * The order matters: the interface is opened with the rights that we came with, then rights are
 * dropped, then the first packet is looked at and files are created.
 */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/monitor_options.h"
#include "cli/monitor_rules.h"
#include "cli/monitor_save.h"
#include "cli/monitor_view.h"
#include "cli/output.h"
#include "cli/privileges.h"
#include "cli/run.h"
#include "cli/show.h"
#include "cli/stats.h"
#include "dissectors/registry.h"
#include "storage/writer.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char command[] = "monitor";

struct monitor {
	struct fyke_monitor_options options;
	const volatile bool *interrupted;
	volatile bool stop; /* interrupted, or the time is over, or nobody listens any more */
	struct fyke_source *source;
	struct fyke_services *services;
	struct fyke_writer *writer; /* NULL with --no-database */
	struct fyke_sink store;	    /* of the writer */
	struct fyke_findings_job job;
	struct fyke_monitor_rules *rules;  /* NULL with --no-database */
	struct fyke_monitor_save *save;	   /* NULL without -w */
	struct fyke_file_directory *files; /* NULL without --files */
	struct fyke_monitor_view view;
	struct fyke_run run;
	struct fyke_pipeline_counters counters;
	int64_t begin_ns, flushed_ns, capture_id;
	bool told_disk;
};

static enum fyke_status check_outputs(const struct fyke_monitor_options *options, struct fyke_error *error)
{
	const char *outputs[] = {options->save};
	enum fyke_status status;

	if (options->save == NULL)
		return FYKE_OK;
	status = fyke_output_check(options->save, options->force, NULL, 0, error);
	if (status == FYKE_OK && !options->no_database)
		status = fyke_output_not_input(options->database, outputs, 1, error);
	return status;
}

static enum fyke_status open_source(struct monitor *monitor, struct fyke_error *error)
{
	const struct fyke_monitor_options *options = &monitor->options;
	const struct fyke_source_live_options live = {.interface = options->interface,
		.buffer_mib = options->buffer_mib,
		.rings = options->rings,
		.promiscuous = !options->not_promiscuous};
	const struct fyke_source_options source = {.filter = options->filter,
		.frame_limit = options->frame_limit,
		.snaplen = options->snaplen,
		.stop = &monitor->stop};

	return fyke_source_live_open(&live, &source, &monitor->source, error);
}

static enum fyke_status drop_rights(struct monitor *monitor, struct fyke_error *error)
{
	const struct fyke_monitor_options *options = &monitor->options;
	const char *writable[] = {options->no_database ? NULL : options->database, options->save};
	const char *readable[] = {options->services, options->rules};
	const struct fyke_confinement confinement = {.writable = writable,
		.writable_count = sizeof(writable) / sizeof(writable[0]),
		.readable = readable,
		.readable_count = sizeof(readable) / sizeof(readable[0]),
		.directory = options->payload.files.directory};
	enum fyke_status status = fyke_privileges_drop(options->user, options->quiet ? NULL : command, error);

	if (status == FYKE_OK)
		status = fyke_file_directory_open(&options->payload.files, &monitor->files, error);
	if (status == FYKE_OK)
		fyke_privileges_confine(&confinement);
	return status;
}

static enum fyke_status open_writer(struct monitor *monitor, struct fyke_error *error)
{
	const struct fyke_table *tables[FYKE_TABLES_MAX];
	const struct fyke_writer_options options = {.path = monitor->options.database,
		.tables = tables,
		.live = true,
		.no_fold = monitor->options.no_fold,
		.home_net = monitor->options.home_net,
		.keep_us = monitor->options.keep_ns / 1000,
		.max_bytes = monitor->options.max_bytes};
	enum fyke_status status;

	if (monitor->options.no_database)
		return FYKE_OK;
	fyke_dissector_tables(tables, FYKE_TABLES_MAX);
	status = fyke_writer_open(&options, &monitor->run.capture, &monitor->writer, error);
	if (status != FYKE_OK)
		return status;
	monitor->store = fyke_writer_sink(monitor->writer);
	monitor->job = (struct fyke_findings_job){.path = monitor->options.database,
		.capture_id = fyke_writer_capture_id(monitor->writer),
		.rules_folder = monitor->options.rules};
	return fyke_monitor_rules_start(
		&monitor->job, monitor->options.rules_every_ns, &monitor->rules, error);
}

static enum fyke_status prepare(struct monitor *monitor, struct fyke_error *error)
{
	const struct fyke_monitor_options *options = &monitor->options;
	enum fyke_status status = check_outputs(options, error);

	if (status == FYKE_OK)
		status = open_source(monitor, error);
	if (status == FYKE_OK)
		status = drop_rights(monitor, error);
	if (status == FYKE_OK && options->rules != NULL)
		status = fyke_rules_check(options->rules, error);
	if (status == FYKE_OK)
		status = fyke_services_new(options->services, &monitor->services, error);
	if (status == FYKE_OK)
		status = fyke_run_begin(
			&monitor->run, monitor->source, options->interface, options->shaping, error);
	if (status == FYKE_OK && options->save != NULL)
		status = fyke_monitor_save_open(
			options->save, options->force, monitor->source, &monitor->save, error);
	if (status == FYKE_OK)
		status = open_writer(monitor, error);
	return status;
}

/* The sink of the pipeline: the view looks at a tick, the database keeps it. */
static enum fyke_status take(void *context, struct fyke_tick *tick, struct fyke_error *error)
{
	struct monitor *monitor = context;

	fyke_monitor_view_take(&monitor->view, tick);
	if (monitor->writer != NULL)
		return monitor->store.take(monitor->store.context, tick, error);
	fyke_tick_free(tick);
	return FYKE_OK;
}

static enum fyke_status tap(void *context, const struct fyke_block *block, struct fyke_error *error)
{
	struct monitor *monitor = context;
	int64_t now_ns = fyke_monitor_clock_ns();
	enum fyke_status status = fyke_monitor_save_tap(monitor->save, block, error);

	if (status != FYKE_OK || now_ns - monitor->flushed_ns < monitor->options.flush_ns)
		return status;
	monitor->flushed_ns = now_ns;
	return fyke_monitor_save_flush(monitor->save, error);
}

static void progress(void *context, const struct fyke_pipeline_counters *counters,
	const struct fyke_source_counters *source)
{
	struct monitor *monitor = context;
	struct fyke_writer_counters stored;

	if (monitor->writer != NULL)
		stored = fyke_writer_counters(monitor->writer);
	fyke_monitor_view_update(&monitor->view, counters, source, monitor->writer == NULL ? NULL : &stored);
	if (monitor->writer != NULL && stored.disk_nearly_full && !monitor->told_disk) {
		monitor->told_disk = true;
		if (monitor->view.kind != FYKE_VIEW_TABLE)
			fyke_warn(command, "the disk is nearly full: nothing is stored any more");
	}
	if (*monitor->interrupted || monitor->view.ends)
		monitor->stop = true;
	if (monitor->options.duration_ns != 0 &&
		fyke_monitor_clock_ns() - monitor->begin_ns >= monitor->options.duration_ns)
		monitor->stop = true;
}

static enum fyke_status run_pipeline(struct monitor *monitor, struct fyke_error *error)
{
	struct fyke_pipeline_options pipeline = {.engine = monitor->options.engine,
		.live = true,
		.flush_ns = monitor->options.flush_ns,
		.progress = progress,
		.progress_context = monitor};
	const struct fyke_sink sink = {.context = monitor, .take = take};
	enum fyke_status status;

	pipeline.engine.services = monitor->services;
	fyke_payload_apply(&monitor->options.payload, &pipeline.engine);
	pipeline.engine.file_store = fyke_file_directory_store(monitor->files);
	if (monitor->save != NULL) {
		pipeline.tap = tap;
		pipeline.tap_context = monitor;
	}
	status = fyke_monitor_view_begin(&monitor->view, &monitor->options, error);
	if (status == FYKE_OK)
		status = fyke_pipeline_run(monitor->source, &pipeline, &sink, &monitor->counters, error);
	fyke_monitor_view_end(&monitor->view);
	return status;
}

static enum fyke_status run_rules(const struct monitor *monitor, struct fyke_error *error)
{
	char told[512];
	enum fyke_status status = fyke_findings_update(&monitor->job, told, error);

	if (status == FYKE_OK && told[0] != '\0')
		fyke_warn(command, "%s", told);
	return status;
}

/* Stores what the run was, also when it failed: what was good stays. The first failure is the one told. */
static enum fyke_status finish(struct monitor *monitor, enum fyke_status ran, struct fyke_error *error)
{
	enum fyke_capture_status how = ran == FYKE_OK ? FYKE_CAPTURE_COMPLETE : FYKE_CAPTURE_INTERRUPTED;
	struct fyke_error later;
	bool save_broken = monitor->save != NULL && fyke_monitor_save_broken_pipe(monitor->save);
	enum fyke_status status =
		fyke_run_update(&monitor->run, monitor->source, &monitor->counters, how, &later);
	enum fyke_status next = fyke_monitor_save_close(monitor->save, status == FYKE_OK ? &later : NULL);

	monitor->save = NULL;
	status = status == FYKE_OK && !save_broken ? next : status;
	fyke_monitor_rules_stop(monitor->rules);
	monitor->rules = NULL;
	if (monitor->writer != NULL) {
		next = fyke_writer_finish(monitor->writer, &monitor->run.capture, NULL, &monitor->capture_id,
			status == FYKE_OK ? &later : NULL);
		monitor->writer = NULL;
		status = status == FYKE_OK ? next : status;
		if (status == FYKE_OK)
			status = run_rules(monitor, &later);
	}
	if (ran != FYKE_OK && !save_broken)
		return ran;
	if (status != FYKE_OK)
		*error = later;
	return status;
}

static void tell_of_drops(const struct monitor *monitor)
{
	const struct fyke_capture *capture = &monitor->run.capture;

	if (capture->kernel_drops > 0)
		fyke_warn(command,
			"the kernel dropped %" PRId64
			" packets that fyke did not fetch in time: -B (a larger buffer), -s or -f help",
			capture->kernel_drops);
	if (capture->interface_drops > 0)
		fyke_warn(command, "the interface dropped %" PRId64 " packets", capture->interface_drops);
}

static enum fyke_status show(const struct monitor *monitor, struct fyke_error *error)
{
	const struct fyke_monitor_options *options = &monitor->options;
	const struct fyke_capture *capture = &monitor->run.capture;
	bool stdout_is_data = options->jsonl || (options->save != NULL && strcmp(options->save, "-") == 0);
	const char *warning;

	for (size_t i = 0; (warning = fyke_source_warning(monitor->source, i)) != NULL; i++)
		fyke_warn(command, "%s", warning);
	tell_of_drops(monitor);
	if (options->quiet)
		return FYKE_OK;
	if (!options->no_database && !stdout_is_data)
		return fyke_show_summary(options->database, monitor->capture_id, error);
	fprintf(stderr, "%" PRIu64 " packets, %" PRIu64 " sessions\n", capture->packets,
		monitor->counters.engine.sessions);
	return FYKE_OK;
}

static void print_stats(const struct monitor *monitor)
{
	struct fyke_source_counters source = fyke_source_counters(monitor->source);

	if (!monitor->options.stats)
		return;
	fflush(stdout);
	fyke_stats_print(stderr, &monitor->counters, &source, fyke_monitor_clock_ns() - monitor->begin_ns);
}

static int watch(struct monitor *monitor)
{
	struct fyke_error error = {0}, later;
	enum fyke_status ran;

	if (prepare(monitor, &error) != FYKE_OK) {
		(void)!fyke_monitor_save_close(monitor->save, NULL);
		return fyke_fail(command, &error);
	}
	if (!monitor->options.quiet)
		fprintf(stderr, "Listening; Ctrl-C ends.\n");
	monitor->begin_ns = fyke_monitor_clock_ns();
	ran = finish(monitor, run_pipeline(monitor, &error), &error);
	if (ran == FYKE_OK && monitor->view.failed)
		ran = fyke_error_set(
			&error, FYKE_FAILED_IO, "standard output: %s", strerror(monitor->view.failure));
	/* After a failure of the capture what was stored is shown all the same. */
	if (show(monitor, ran == FYKE_OK ? &error : &later) != FYKE_OK && ran == FYKE_OK)
		return fyke_fail(command, &error);
	print_stats(monitor);
	return ran == FYKE_OK ? FYKE_EXIT_DONE : fyke_fail(command, &error);
}

static void release(struct monitor *monitor)
{
	fyke_source_free(monitor->source);
	fyke_services_free(monitor->services);
	fyke_run_release(&monitor->run);
}

int fyke_command_monitor(int argc, char **argv)
{
	struct monitor monitor = {0};
	int result = FYKE_EXIT_DONE;

	/* A reader that leaves must not end the monitor before all is stored. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (fyke_monitor_options_parse(argc, argv, &monitor.options, &result)) {
		monitor.interrupted = fyke_interrupt_catch();
		result = watch(&monitor);
		if (!fyke_file_directory_close(monitor.files, command) && result == FYKE_EXIT_DONE)
			result = FYKE_EXIT_FAILED;
	}
	release(&monitor);
	return result;
}
