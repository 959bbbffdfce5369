/* One compiled program per link type, found again by a short list: captures have few of them, and a
 * file made up to have thousands gets PROGRAMS_LIMIT. */
#include "analyzer/capture/filter.h"

#include "analyzer/capture/link.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SNAPLEN = 262144, PROBLEM_SIZE = 512, PROGRAMS_LIMIT = 256 };

struct program {
	struct program *next;
	uint16_t link_type;
	bool fits;
	struct bpf_program code;
	char warning[PROBLEM_SIZE];
};

struct fyke_capture_filter {
	char *expression;
	struct program *programs;
	size_t count;
	struct program unfit; /* stands in when memory is out, and behind PROGRAMS_LIMIT */
};

/* True and *code (to be freed with pcap_freecode), or false and libpcap's words. */
static bool compile(
	const char *expression, uint16_t link_type, struct bpf_program *code, char problem[PROBLEM_SIZE])
{
	pcap_t *handle = pcap_open_dead(fyke_link_to_dlt(link_type), SNAPLEN);
	bool good;

	if (handle == NULL) {
		(void)snprintf(problem, PROBLEM_SIZE, "no memory left");
		return false;
	}
	good = pcap_compile(handle, code, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!good)
		(void)snprintf(problem, PROBLEM_SIZE, "%s", pcap_geterr(handle));
	pcap_close(handle);
	return good;
}

enum fyke_status fyke_capture_filter_check(const char *expression, struct fyke_error *error)
{
	/* Ethernet first: its words are the ones to show. The others know more primitives:
	 * 802.11, PPP, PF's log, SS7, ATM. */
	static const uint16_t link_types[] = {1, 105, 9, 117, 140, 123};
	char first[PROBLEM_SIZE] = "", problem[PROBLEM_SIZE];
	struct bpf_program code;

	for (size_t i = 0; i < sizeof(link_types) / sizeof(link_types[0]); i++) {
		if (compile(expression, link_types[i], &code, i == 0 ? first : problem)) {
			pcap_freecode(&code);
			return FYKE_OK;
		}
	}
	return fyke_error_set(error, FYKE_FAILED_USAGE, "the filter “%s” is wrong: %s", expression, first);
}

struct fyke_capture_filter *fyke_capture_filter_new(const char *expression)
{
	struct fyke_capture_filter *filter = calloc(1, sizeof(*filter));

	if (filter == NULL)
		return NULL;
	filter->expression = strdup(expression);
	if (filter->expression == NULL) {
		free(filter);
		return NULL;
	}
	return filter;
}

void fyke_capture_filter_free(struct fyke_capture_filter *filter)
{
	if (filter == NULL)
		return;
	while (filter->programs != NULL) {
		struct program *next = filter->programs->next;

		if (filter->programs->fits)
			pcap_freecode(&filter->programs->code);
		free(filter->programs);
		filter->programs = next;
	}
	free(filter->expression);
	free(filter);
}

static struct program *add_program(struct fyke_capture_filter *filter, uint16_t link_type)
{
	struct program *program = filter->count < PROGRAMS_LIMIT ? calloc(1, sizeof(*program)) : NULL;
	char problem[PROBLEM_SIZE];

	if (program == NULL) {
		(void)snprintf(filter->unfit.warning, sizeof(filter->unfit.warning),
			"the filter left packets out: too many link types, or no memory left to compile it");
		return &filter->unfit;
	}
	program->link_type = link_type;
	program->fits = compile(filter->expression, link_type, &program->code, problem);
	if (!program->fits)
		(void)snprintf(program->warning, sizeof(program->warning),
			"the filter does not fit packets of link type %u, which are left out: %.400s",
			link_type, problem);
	program->next = filter->programs;
	filter->programs = program;
	filter->count++;
	return program;
}

bool fyke_capture_filter_passes(struct fyke_capture_filter *filter, const struct fyke_frame *frame)
{
	struct program *program = filter->programs;

	while (program != NULL && program->link_type != frame->link_type)
		program = program->next;
	if (program == NULL)
		program = add_program(filter, frame->link_type);
	return program->fits &&
	       bpf_filter(program->code.bf_insns, frame->data, frame->length, frame->captured) != 0;
}

const char *fyke_capture_filter_warning(const struct fyke_capture_filter *filter, size_t index)
{
	for (const struct program *program = filter->programs; program != NULL; program = program->next) {
		if (!program->fits && index-- == 0)
			return program->warning;
	}
	return index == 0 && filter->unfit.warning[0] != '\0' ? filter->unfit.warning : NULL;
}
