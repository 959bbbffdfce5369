/* How much what both sides of a comparison have has shifted: rates, loss, delays, each with the size of the
 * effect. */
#include "reports/diff_internal.h"

#include "analyzer/base/text.h"
#include "reports/effect.h"
#include "reports/facts.h"
#include "reports/json_row.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MAX = 100 * 1000 };

struct shift {
	const char *measure, *effect, *word;
	char name[200];
	double old_value, new_value, size, low, high;
};

static void put_shift_text(struct fyke_diff *diff, const struct shift *shift)
{
	char text[500];

	if (diff->written++ == 0)
		fprintf(diff->out, "\nShifts of what stayed\n");
	if (strcmp(shift->effect, "rate_ratio") == 0)
		snprintf(text, sizeof(text), "%s: %s %.4g an hour, now %.4g: %.2f times (%.2f to %.2f)",
			shift->name, shift->measure, shift->old_value, shift->new_value, shift->size,
			shift->low, shift->high);
	else
		snprintf(text, sizeof(text), "%s: %s %.4g, now %.4g: %s (%s %.2f)", shift->name,
			shift->measure, shift->old_value, shift->new_value, shift->word, shift->effect,
			shift->size);
	fputs("  ", diff->out);
	fyke_screen_put(&diff->options->screen, text, 0, FYKE_PAINT_PLAIN, diff->out);
	fputc('\n', diff->out);
}

static bool put_shift(struct fyke_diff *diff, const struct shift *shift)
{
	bool known = strcmp(shift->effect, "rate_ratio") == 0;
	json_t *object;

	if (!diff->options->json) {
		put_shift_text(diff, shift);
		return true;
	}
	object = json_object();
	json_object_set_new(object, "name", fyke_json_text(shift->name, strlen(shift->name)));
	json_object_set_new(object, "measure", json_string(shift->measure));
	json_object_set_new(object, "old", json_real(shift->old_value));
	json_object_set_new(object, "new", json_real(shift->new_value));
	json_object_set_new(object, "effect", json_string(shift->effect));
	json_object_set_new(object, "size", json_real(shift->size));
	json_object_set_new(object, "low", known ? json_real(shift->low) : json_null());
	json_object_set_new(object, "high", known ? json_real(shift->high) : json_null());
	json_object_set_new(object, "word", json_string(shift->word));
	return fyke_diff_put(diff, object);
}

/* Sessions and bytes of each service that both sides have: told where the rate at least doubled or halved,
 * and that is more than chance. */
static bool shift_of_rates(struct fyke_diff *diff, const struct fyke_diff_service *service)
{
	const int64_t *n = service->n;
	double bytes[2] = {(double)service->bytes[0], (double)service->bytes[1]};
	struct fyke_effect_ratio ratio = fyke_effect_rates(n[0], diff->seconds[0], n[1], diff->seconds[1]);
	struct shift shift = {.effect = "rate_ratio",
		.measure = "sessions",
		.size = ratio.ratio,
		.low = ratio.low,
		.high = ratio.high};
	bool good = true;

	snprintf(shift.name, sizeof(shift.name), "%s", service->name);
	if ((ratio.ratio >= 2 && ratio.low > 1) || (ratio.ratio <= 0.5 && ratio.high < 1)) {
		shift.word = ratio.ratio >= 4 || ratio.ratio <= 0.25 ? "large" : "medium";
		shift.old_value = (double)n[0] * 3600 / diff->seconds[0];
		shift.new_value = (double)n[1] * 3600 / diff->seconds[1];
		good = put_shift(diff, &shift);
	}
	if (bytes[0] <= 0 || bytes[1] <= 0)
		return good;
	shift.measure = "bytes";
	shift.old_value = bytes[0] * 3600 / diff->seconds[0];
	shift.new_value = bytes[1] * 3600 / diff->seconds[1];
	shift.size = shift.new_value / shift.old_value;
	/* Bytes come in sessions: what sessions leave open, bytes leave open, too. */
	shift.low = shift.size * ratio.low / ratio.ratio;
	shift.high = shift.size * ratio.high / ratio.ratio;
	if ((shift.size >= 4 && shift.low > 1) || (shift.size <= 0.25 && shift.high < 1)) {
		shift.word = "large";
		good = good && put_shift(diff, &shift);
	}
	return good;
}

static enum fyke_status run_rates(struct fyke_diff *diff)
{
	for (size_t i = 0; i < diff->service_count; i++) {
		const struct fyke_diff_service *service = &diff->services[i];

		if (service->n[0] > 0 && service->n[1] > 0 && !shift_of_rates(diff, service))
			return fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
	}
	return FYKE_OK;
}

/* At most SAMPLES_MAX numbers of one side. */
static enum fyke_status read_samples(
	struct fyke_diff *diff, const char *schema, const char *column, int64_t *list, size_t *count)
{
	sqlite3_stmt *row;
	char *sql = sqlite3_mprintf("SELECT %s FROM %s.tcp AS t WHERE %s IS NOT NULL LIMIT %d", column,
		schema, column, SAMPLES_MAX);
	enum fyke_status status = fyke_facts_prepare(diff->db, sql, 0, &row, diff->error);

	*count = 0;
	while (status == FYKE_OK && fyke_facts_step(&row, &status, diff->error) && *count < SAMPLES_MAX)
		list[(*count)++] = sqlite3_column_int64(row, 0);
	sqlite3_free(sql);
	return status;
}

static enum fyke_status run_delay(struct fyke_diff *diff, const char *column, const char *measure)
{
	int64_t *samples = calloc(2 * SAMPLES_MAX, sizeof(*samples));
	size_t count[2] = {0, 0};
	int64_t middle[2];
	struct shift shift = {.measure = measure, .effect = "Cliff's delta"};
	enum fyke_status status;

	if (samples == NULL)
		return fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
	status = read_samples(diff, "main", column, samples, &count[0]);
	if (status == FYKE_OK)
		status = read_samples(diff, "later", column, samples + SAMPLES_MAX, &count[1]);
	if (status == FYKE_OK && count[0] >= 5 && count[1] >= 5) {
		shift.size = fyke_effect_cliff(samples, count[0], samples + SAMPLES_MAX, count[1]);
		shift.word = fyke_effect_cliff_word(shift.size);
		middle[0] = samples[count[0] / 2];
		middle[1] = samples[SAMPLES_MAX + count[1] / 2];
		shift.old_value = (double)middle[0] / 1e3;
		shift.new_value = (double)middle[1] / 1e3;
		snprintf(shift.name, sizeof(shift.name), "TCP");
		if (fabs(shift.size) >= 0.147 && !put_shift(diff, &shift))
			status = fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
	}
	free(samples);
	return status;
}

static enum fyke_status run_loss(struct fyke_diff *diff)
{
	static const char sql[] =
		"SELECT (SELECT sum(client_retransmitted_segments + server_retransmitted_segments) FROM "
		"main.tcp),"
		" (SELECT sum(client_packets + server_packets) FROM main.sessions WHERE transport = 'tcp'),"
		" (SELECT sum(client_retransmitted_segments + server_retransmitted_segments) FROM later.tcp),"
		" (SELECT sum(client_packets + server_packets) FROM later.sessions WHERE transport = 'tcp')";
	struct shift shift = {.measure = "% of packets sent again", .effect = "Cohen's h", .name = "TCP"};
	sqlite3_stmt *row;
	enum fyke_status status = fyke_facts_prepare(diff->db, sql, 0, &row, diff->error);

	while (status == FYKE_OK && fyke_facts_step(&row, &status, diff->error)) {
		double whole[2] = {sqlite3_column_double(row, 1), sqlite3_column_double(row, 3)};
		double share[2] = {sqlite3_column_double(row, 0), sqlite3_column_double(row, 2)};

		if (whole[0] < 100 || whole[1] < 100)
			continue;
		share[0] = fmin(1, share[0] / whole[0]);
		share[1] = fmin(1, share[1] / whole[1]);
		shift.size = fyke_effect_cohen(share[0], share[1]);
		shift.word = fyke_effect_cohen_word(shift.size);
		shift.old_value = share[0] * 100;
		shift.new_value = share[1] * 100;
		if (fabs(shift.size) >= 0.1 && !put_shift(diff, &shift))
			status = fyke_error_set(diff->error, FYKE_FAILED_MEMORY, "out of memory");
	}
	return status;
}

enum fyke_status fyke_diff_shifts(struct fyke_diff *diff)
{
	enum fyke_status status;

	diff->written = 0;
	if (diff->options->json)
		fprintf(diff->out, ",\n  \"shifts\": [");
	status = run_rates(diff);
	if (status == FYKE_OK)
		status = run_loss(diff);
	if (status == FYKE_OK)
		status = run_delay(diff, "t.handshake_us", "median handshake in ms");
	if (status == FYKE_OK)
		status = run_delay(diff, "t.server_rtt_mean_us", "median round trip to the client in ms");
	if (status == FYKE_OK)
		status = run_delay(diff, "t.client_rtt_mean_us", "median round trip to the server in ms");
	if (diff->options->json)
		fputs(diff->written > 0 ? "\n  ]" : "]", diff->out);
	return status;
}
