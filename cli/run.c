/* From a source and its counters to the facts of a run. */
#include "cli/run.h"

#include "analyzer/base/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINK_TYPE_NAME = sizeof(((struct fyke_capture_interface *)0)->link_type) };

static enum fyke_status out_of_memory(struct fyke_error *error)
{
	return fyke_error_set(error, FYKE_FAILED_MEMORY, "out of memory");
}

static bool fill_files(struct fyke_run *run, const struct fyke_source *source)
{
	size_t count;
	const struct fyke_source_file *files = fyke_source_files(source, &count);

	if (run->files == NULL && count > 0) {
		run->files = calloc(count, sizeof(*run->files));
		if (run->files == NULL)
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		struct fyke_capture_file *file = &run->files[i];

		*file = (struct fyke_capture_file){
			.name = files[i].name,
			.format = files[i].format,
			.damage = files[i].damage,
			.bytes = files[i].bytes,
			.first_frame = files[i].first_frame,
			.frames = files[i].frames,
			.application = files[i].application,
			.os = files[i].os,
			.hardware = files[i].hardware,
			.comment = files[i].comment,
		};
		memcpy(file->fingerprint, files[i].fingerprint, sizeof(file->fingerprint));
	}
	run->capture.files = run->files;
	run->capture.file_count = count;
	return true;
}

static void name_link_type(uint16_t link_type, char *text, size_t room)
{
	const char *name = fyke_link_type_name(link_type);

	if (name != NULL)
		(void)snprintf(text, room, "%s", name);
	else
		(void)snprintf(text, room, "link type %u", link_type);
}

static bool fill_interfaces(struct fyke_run *run, const struct fyke_source *source)
{
	size_t count;
	const struct fyke_source_interface *told = fyke_source_interfaces(source, &count);
	struct fyke_capture_interface *interfaces =
		reallocarray(run->interfaces, count + 1, sizeof(*interfaces));

	if (interfaces == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		interfaces[i] = (struct fyke_capture_interface){
			.name = told[i].name,
			.description = told[i].description,
			.comment = told[i].comment,
			.os = told[i].os,
			.hardware = told[i].hardware,
			.filter = told[i].filter,
			.snaplen = told[i].snaplen,
			.file = told[i].file,
		};
		name_link_type(told[i].link_type, interfaces[i].link_type, sizeof(interfaces[i].link_type));
	}
	run->capture.interfaces = run->interfaces = interfaces;
	run->capture.interface_count = count;
	return true;
}

static char *joined_names(const struct fyke_capture_file *files, size_t count)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s", i == 0 ? "" : ", ", files[i].name);
	return fclose(out) == 0 ? text : NULL;
}

enum fyke_status fyke_run_begin(struct fyke_run *run, const struct fyke_source *source, const char *interface,
	const char *options, struct fyke_error *error)
{
	*run = (struct fyke_run){.capture = {
					 .is_interface = interface != NULL,
					 .options = options,
					 .version = FYKE_VERSION,
					 .link_types = "",
					 .first_packet_us = FYKE_UNKNOWN,
					 .last_packet_us = FYKE_UNKNOWN,
					 .kernel_drops = FYKE_UNKNOWN,
					 .interface_drops = FYKE_UNKNOWN,
					 .status = FYKE_CAPTURE_RUNNING,
				 }};
	if ((interface == NULL && !fill_files(run, source)) || !fill_interfaces(run, source))
		return out_of_memory(error);
	run->name = interface == NULL ? joined_names(run->files, run->capture.file_count) : strdup(interface);
	run->capture.name = run->name;
	return run->name == NULL ? out_of_memory(error) : FYKE_OK;
}

static char *joined_link_types(const struct fyke_pipeline_counters *counters)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < counters->link_type_count; i++) {
		char name[LINK_TYPE_NAME];

		name_link_type(counters->link_types[i], name, sizeof(name));
		fprintf(out, "%s%s", i == 0 ? "" : ", ", name);
	}
	return fclose(out) == 0 ? text : NULL;
}

static void fill_refusals(struct fyke_run *run, const struct fyke_pipeline_counters *counters)
{
	size_t count = 0;

	for (int i = FYKE_REFUSAL_NONE + 1; i < FYKE_REFUSAL_COUNT; i++) {
		enum fyke_refusal refusal = (enum fyke_refusal)i;

		if (counters->refusals[i] == 0)
			continue;
		run->refusals[count++] = (struct fyke_capture_refusal){
			.name = fyke_refusal_name(refusal),
			.description = fyke_refusal_description(refusal),
			.is_damage = fyke_refusal_is_damage(refusal),
			.count = counters->refusals[i],
		};
	}
	run->capture.refusals = run->refusals;
	run->capture.refusal_count = count;
}

static int64_t floor_us(int64_t ns)
{
	if (ns == FYKE_UNKNOWN)
		return FYKE_UNKNOWN;
	return ns / 1000 - (ns % 1000 < 0);
}

static bool any_damage(const struct fyke_run *run)
{
	for (size_t i = 0; i < run->capture.file_count; i++) {
		if (run->files[i].damage != NULL)
			return true;
	}
	return false;
}

enum fyke_status fyke_run_update(struct fyke_run *run, struct fyke_source *source,
	const struct fyke_pipeline_counters *counters, enum fyke_capture_status status,
	struct fyke_error *error)
{
	struct fyke_capture *capture = &run->capture;
	struct fyke_source_counters read = fyke_source_counters(source);
	char *link_types = joined_link_types(counters);

	if (link_types == NULL || (!capture->is_interface && !fill_files(run, source)) ||
		!fill_interfaces(run, source)) {
		free(link_types);
		return out_of_memory(error);
	}
	free(run->link_types);
	capture->link_types = run->link_types = link_types;
	capture->first_packet_us = floor_us(counters->first_packet_ns);
	capture->last_packet_us = floor_us(counters->last_packet_ns);
	capture->packets = counters->frames;
	capture->bytes = counters->bytes;
	capture->filtered_packets = read.frames_filtered;
	capture->refused_packets = counters->refused;
	fill_refusals(run, counters);
	if (read.drops_known) {
		capture->kernel_drops = (int64_t)read.kernel_drops;
		capture->interface_drops = (int64_t)read.interface_drops;
	}
	capture->status = status == FYKE_CAPTURE_COMPLETE && any_damage(run) ? FYKE_CAPTURE_DAMAGED : status;
	return FYKE_OK;
}

void fyke_run_release(struct fyke_run *run)
{
	free(run->files);
	free(run->interfaces);
	free(run->name);
	free(run->link_types);
	*run = (struct fyke_run){0};
}
