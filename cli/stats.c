/* Counters as sums that must come out. */
#include "cli/stats.h"

#include "analyzer/base/text.h"

#include <sys/resource.h>

struct number {
	char text[FYKE_TEXT_NUMBER];
};

static const char *count(uint64_t value, struct number *number)
{
	return fyke_text_count((int64_t)value, number->text);
}

static const char *verdict(uint64_t whole, uint64_t parts)
{
	return whole == parts ? "" : "  (the sum is wrong: please report this)";
}

static void print_frames(
	FILE *out, const struct fyke_pipeline_counters *c, const struct fyke_source_counters *source)
{
	struct number a, b, d, e;

	fprintf(out, "frames      %s read = %s filtered out + %s decoded + %s refused%s\n",
		count(source->frames, &a), count(source->frames_filtered, &b), count(c->decoded, &d),
		count(c->refused, &e),
		verdict(source->frames, source->frames_filtered + c->decoded + c->refused));
	for (int i = 0; i < FYKE_REFUSAL_COUNT; i++) {
		if (c->refusals[i] > 0)
			fprintf(out, "  refused   %s: %s\n", count(c->refusals[i], &a),
				fyke_refusal_description((enum fyke_refusal)i));
		if (c->inner_refusals[i] > 0)
			fprintf(out, "  inside    %s packets that were read carry: %s\n",
				count(c->inner_refusals[i], &a),
				fyke_refusal_description((enum fyke_refusal)i));
	}
}

static void print_defrag(FILE *out, const struct fyke_defrag_counters *c)
{
	struct number a, b, d, e, f;

	if (c->fragments == 0)
		return;
	fprintf(out,
		"fragments   %s taken, %s datagrams made whole, %s fragments of datagrams that never were; "
		"%s overlap, %s of them with other bytes\n",
		count(c->fragments, &a), count(c->datagrams, &b), count(c->frames_incomplete, &d),
		count(c->overlaps, &e), count(c->conflicts, &f));
}

static void print_engine(FILE *out, const struct fyke_engine_counters *c)
{
	struct number a, b, d, e;
	char memory[FYKE_TEXT_NUMBER];

	fprintf(out, "sessions    %s from %s packets, at most %s open at once in %s, %s evicted\n",
		count(c->sessions, &a), count(c->packets, &b), count(c->sessions_open_most, &d),
		fyke_text_bytes((int64_t)c->memory_most, memory), count(c->evicted, &e));
	fprintf(out, "TCP payload %s bytes seen = %s stream + %s repeated + %s left out%s\n",
		count(c->tcp_payload_bytes, &a), count(c->tcp_stream_bytes, &b),
		count(c->tcp_repeated_bytes, &d), count(c->tcp_ignored_bytes, &e),
		verdict(c->tcp_payload_bytes,
			c->tcp_stream_bytes + c->tcp_repeated_bytes + c->tcp_ignored_bytes));
}

static void print_streams(FILE *out, const struct fyke_engine_counters *c)
{
	struct number a, b, d, e, f, g, h;

	if (c->streams == 0)
		return;
	fprintf(out,
		"streams     %s bytes put in order = %s delivered + %s again + %s in two versions + %s late "
		"+ "
		"%s left out + %s not needed%s\n",
		count(c->fed_bytes, &a), count(c->delivered_bytes, &b), count(c->duplicate_bytes, &d),
		count(c->conflicting_bytes, &e), count(c->late_bytes, &f), count(c->ignored_bytes, &g),
		count(c->dropped_bytes, &h),
		verdict(c->fed_bytes, c->delivered_bytes + c->duplicate_bytes + c->conflicting_bytes +
					      c->late_bytes + c->ignored_bytes + c->dropped_bytes));
}

static int64_t microseconds(struct timeval time)
{
	return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

static void print_cost(FILE *out, const struct fyke_source_counters *source, int64_t elapsed_ns)
{
	struct rusage usage = {0};
	char wall[FYKE_TEXT_NUMBER], cpu[FYKE_TEXT_NUMBER], memory[FYKE_TEXT_NUMBER];
	int64_t used;

	(void)getrusage(RUSAGE_SELF, &usage);
	used = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
	fprintf(out, "cost        %s, %s of processor time, %s of memory at most",
		fyke_text_duration(elapsed_ns / 1000, FYKE_TEXT_ASCII, wall),
		fyke_text_duration(used, FYKE_TEXT_ASCII, cpu),
		fyke_text_bytes((int64_t)usage.ru_maxrss * 1024, memory));
	if (source->frames > 0)
		fprintf(out, ", %.0f ns of processor time a frame",
			(double)used * 1000 / (double)source->frames);
	fputc('\n', out);
}

void fyke_stats_print(FILE *out, const struct fyke_pipeline_counters *counters,
	const struct fyke_source_counters *source, int64_t elapsed_ns)
{
	print_frames(out, counters, source);
	print_defrag(out, &counters->defrag);
	print_engine(out, &counters->engine);
	print_streams(out, &counters->engine);
	print_cost(out, source, elapsed_ns);
}
