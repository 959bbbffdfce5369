/*
 * Capture files of any bytes: opened, read to the end and checked against what a source promises.
 * Every frame must be found again by its offset.
 * The first byte of an input is left out of the file; its lowest bits choose filter, cut and limit.
 */
#include "analyzer/capture/reread.h"
#include "analyzer/capture/source.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "broken: %s\n", what);
	abort();
}

static uint64_t check_frame(const struct fyke_frame *frame, uint64_t last, uint32_t snaplen)
{
	volatile uint8_t sum = 0;

	require(frame->number > last, "numbers ascend");
	require(frame->captured <= frame->length, "captured ≤ length");
	require(snaplen == 0 || frame->captured <= snaplen, "cut to the snaplen");
	require(frame->fcs_length <= frame->captured, "the check sequence is captured");
	require(frame->time_ns <= INT64_C(1) << 62 && frame->time_ns >= -(INT64_C(1) << 62),
		"time is bounded");
	for (uint32_t i = 0; i < frame->captured; i++)
		sum = (uint8_t)(sum + frame->data[i]); /* the sanitizer looks */
	return frame->number;
}

static uint64_t check_comments(const struct fyke_block *block, uint64_t last)
{
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < block->comment_count; i++) {
		const struct fyke_comment *comment = &block->comments[i];

		require(comment->frame >= last && comment->length > 0, "comments ascend and say something");
		require(block->count > 0 && comment->frame >= block->frames[0].number &&
				comment->frame <= block->frames[block->count - 1].number,
			"a comment is about a frame of its block");
		last = comment->frame;
		for (size_t c = 0; c < comment->length; c++)
			sum = (uint8_t)(sum + (uint8_t)comment->text[c]);
	}
	return last;
}

static size_t length_of(const char *text)
{
	return text == NULL ? 0 : strlen(text);
}

static void check_texts(
	const struct fyke_source_file *file, const struct fyke_source_interface *interfaces, size_t count)
{
	require(length_of(file->application) <= 256 && length_of(file->os) <= 256 &&
			length_of(file->hardware) <= 256 && length_of(file->comment) <= 128 * 1024,
		"texts of the file are bounded");
	for (size_t i = 0; i < count; i++) {
		require(length_of(interfaces[i].os) <= 256 && length_of(interfaces[i].hardware) <= 256 &&
				length_of(interfaces[i].filter) <= 256 &&
				length_of(interfaces[i].comment) <= 128 * 1024,
			"texts of an interface are bounded");
		require(interfaces[i].file == 0, "an interface is of the only file");
	}
}

static void check_end(struct fyke_source *source, uint64_t passed)
{
	struct fyke_source_counters counters = fyke_source_counters(source);
	size_t files_count, interfaces_count;
	const struct fyke_source_file *files = fyke_source_files(source, &files_count);
	const struct fyke_source_interface *interfaces = fyke_source_interfaces(source, &interfaces_count);

	check_texts(&files[0], interfaces, interfaces_count);
	require(files_count == 1, "one file");
	require(files[0].frames == counters.frames, "the file's frames are all frames");
	require(counters.frames == counters.frames_filtered + passed, "no frame is lost");
	require(counters.input_bytes <= counters.input_bytes_all, "no more is read than there is");
}

static void check_again(struct fyke_reread *reread, const struct fyke_frame *frame)
{
	struct fyke_frame again;

	require(fyke_reread_frame(reread, frame, &again, NULL) == FYKE_OK, "a frame is found again");
	require(again.captured == frame->captured && again.length == frame->length, "with its lengths");
	require(again.link_type == frame->link_type && again.interface == frame->interface, "and interface");
	require(memcmp(again.data, frame->data, frame->captured) == 0, "and bytes");
}

static void read_all(struct fyke_source *source, struct fyke_reread *reread, uint32_t snaplen)
{
	struct fyke_error error;
	struct fyke_block *block;
	uint64_t last = 0, passed = 0, commented = 0;
	enum fyke_source_result result;

	while ((result = fyke_source_next(source, &block, &error)) == FYKE_SOURCE_BLOCK) {
		for (size_t i = 0; i < block->count; i++) {
			last = check_frame(&block->frames[i], last, snaplen);
			check_again(reread, &block->frames[i]);
		}
		commented = check_comments(block, commented);
		passed += block->count;
		fyke_block_release(block);
	}
	require(result == FYKE_SOURCE_END, "bytes of a file never fail the source");
	check_end(source, passed);
	fyke_source_free(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int file = -1;
	static char name[40];
	const char *names[] = {name};
	struct fyke_source_options options = {0};
	struct fyke_source *source;
	struct fyke_reread *reread;
	struct fyke_error error;

	if (size < 2)
		return 0;
	if (file < 0) {
		file = memfd_create("fuzz", 0);
		(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	}
	options.filter = (data[0] & 1) != 0 ? "tcp port 80" : NULL;
	options.snaplen = (data[0] & 2) != 0 ? 40 : 0;
	options.frame_limit = (data[0] & 4) != 0 ? 3 : 0;
	if (ftruncate(file, 0) != 0 || pwrite(file, data + 1, size - 1, 0) != (ssize_t)(size - 1))
		return 0;
	if (fyke_source_files_open(names, 1, &options, &source, &error) != FYKE_OK)
		return 0;
	require(fyke_capture_reopen(name, &reread, &error) == FYKE_OK, "what was opened opens again");
	read_all(source, reread, options.snaplen);
	fyke_reread_free(reread);
	return 0;
}
