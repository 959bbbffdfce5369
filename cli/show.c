/* The reports of one stored run, as analyze and monitor show them at their end. */
#include "cli/show.h"

#include "analyzer/base/version.h"
#include "cli/output.h"
#include "cli/words.h"
#include "reports/report.h"

#include <stdio.h>
#include <string.h>

static struct fyke_report_options options_for(const char *database, int64_t capture_id)
{
	return (struct fyke_report_options){.capture = capture_id,
		.version = FYKE_VERSION,
		.refusal_words = fyke_refusal_words,
		.database = database};
}

enum fyke_status fyke_show_summary(const char *path, int64_t capture_id, struct fyke_error *error)
{
	struct fyke_report_options options = options_for(path, capture_id);
	struct fyke_database *database;
	enum fyke_status status = fyke_database_open(path, FYKE_DATABASE_READ, &database, error);

	if (status != FYKE_OK)
		return status;
	options.screen = fyke_screen_of(stdout);
	status = fyke_report_text(database, &options, stdout, error);
	fyke_database_close(database);
	return status;
}

enum fyke_status fyke_show_json(
	const char *path, int64_t capture_id, const char *file, bool force, struct fyke_error *error)
{
	struct fyke_report_options options = options_for(path, capture_id);
	struct fyke_database *database;
	struct fyke_output output;
	enum fyke_status status = fyke_database_open(path, FYKE_DATABASE_READ, &database, error);

	if (status != FYKE_OK)
		return status;
	status = fyke_output_open(file, force, &output, error);
	if (status == FYKE_OK) {
		status = fyke_report_json(database, &options, output.file, error);
		if (status == FYKE_OK)
			status = fyke_output_commit(&output, error);
		else
			fyke_output_discard(&output);
	}
	fyke_database_close(database);
	return status;
}
