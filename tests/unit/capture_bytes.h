/* For the capture tests: capture files put together in memory, and a source read to its end. */
#ifndef FYKE_TESTS_CAPTURE_BYTES_H
#define FYKE_TESTS_CAPTURE_BYTES_H

#include "analyzer/capture/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct bytes {
	uint8_t *data;
	size_t length, room;
	bool big_endian;
};

static inline void put(struct bytes *b, const void *data, size_t length)
{
	if (b->length + length > b->room) {
		b->room = (b->length + length) * 2;
		b->data = realloc(b->data, b->room);
		assert_non_null(b->data);
	}
	if (length > 0)
		memcpy(b->data + b->length, data, length);
	b->length += length;
}

static inline void put8(struct bytes *b, unsigned value)
{
	uint8_t byte = (uint8_t)value;

	put(b, &byte, 1);
}

static inline void put16(struct bytes *b, unsigned value)
{
	put8(b, b->big_endian ? value >> 8 : value);
	put8(b, b->big_endian ? value : value >> 8);
}

static inline void put32(struct bytes *b, uint32_t value)
{
	put16(b, b->big_endian ? value >> 16 : value & 0xffff);
	put16(b, b->big_endian ? value & 0xffff : value >> 16);
}

static inline void set32(struct bytes *b, size_t at, uint32_t value)
{
	struct bytes four = {.big_endian = b->big_endian};

	put32(&four, value);
	memcpy(b->data + at, four.data, 4);
	free(four.data);
}

/* `length` bytes that depend on `seed` and on their place. */
static inline void put_pattern(struct bytes *b, size_t length, unsigned seed)
{
	for (size_t i = 0; i < length; i++)
		put8(b, (unsigned)(seed * 31 + i * 7));
}

static inline bool is_pattern(const uint8_t *data, size_t length, unsigned seed)
{
	for (size_t i = 0; i < length; i++) {
		if (data[i] != (uint8_t)(seed * 31 + i * 7))
			return false;
	}
	return true;
}

static inline void pcap_header(struct bytes *b, uint32_t magic, uint32_t link)
{
	put32(b, magic);
	put16(b, 2);
	put16(b, 4);
	put32(b, 0);
	put32(b, 0);
	put32(b, 65535);
	put32(b, link);
}

static inline void pcap_packet(
	struct bytes *b, uint32_t seconds, uint32_t fraction, uint32_t length, unsigned seed)
{
	put32(b, seconds);
	put32(b, fraction);
	put32(b, length);
	put32(b, length);
	put_pattern(b, length, seed);
}

/* A pcapng block around `body`, which is freed. */
static inline void ng_block(struct bytes *b, uint32_t type, struct bytes body)
{
	size_t padding = (4 - body.length % 4) % 4;
	uint32_t total = (uint32_t)(12 + body.length + padding);

	put32(b, type);
	put32(b, total);
	put(b, body.data, body.length);
	put(b, "\0\0\0", padding);
	put32(b, total);
	free(body.data);
}

static inline void ng_option(struct bytes *b, unsigned code, const void *data, size_t length)
{
	put16(b, code);
	put16(b, (unsigned)length);
	put(b, data, length);
	put(b, "\0\0\0", (4 - length % 4) % 4);
}

static inline void ng_section(struct bytes *b, bool big_endian)
{
	struct bytes body = {.big_endian = big_endian};

	b->big_endian = big_endian;
	put32(&body, 0x1a2b3c4d);
	put16(&body, 1);
	put16(&body, 0);
	put32(&body, 0xffffffff);
	put32(&body, 0xffffffff);
	ng_block(b, 0x0a0d0d0a, body);
}

static inline struct bytes ng_interface_body(const struct bytes *b, unsigned link, uint32_t snaplen)
{
	struct bytes body = {.big_endian = b->big_endian};

	put16(&body, link);
	put16(&body, 0);
	put32(&body, snaplen);
	return body;
}

static inline void ng_interface(struct bytes *b, unsigned link, uint32_t snaplen)
{
	ng_block(b, 1, ng_interface_body(b, link, snaplen));
}

static inline struct bytes ng_packet_body(
	const struct bytes *b, uint32_t id, uint64_t ticks, uint32_t captured, uint32_t length)
{
	struct bytes body = {.big_endian = b->big_endian};

	put32(&body, id);
	put32(&body, (uint32_t)(ticks >> 32));
	put32(&body, (uint32_t)ticks);
	put32(&body, captured);
	put32(&body, length);
	return body;
}

static inline void ng_packet(struct bytes *b, uint32_t id, uint64_t ticks, uint32_t length, unsigned seed)
{
	struct bytes body = ng_packet_body(b, id, ticks, length, length);

	put_pattern(&body, length, seed);
	ng_block(b, 6, body);
}

/* A file in memory with a name that it can be opened by. */
struct memory_file {
	int fd;
	char name[40];
};

static inline struct memory_file memory_file(const void *data, size_t length)
{
	struct memory_file file = {.fd = memfd_create("capture", MFD_CLOEXEC)};

	assert_true(file.fd >= 0);
	for (size_t at = 0; at < length;) {
		ssize_t written = write(file.fd, (const uint8_t *)data + at, length - at);

		assert_true(written > 0);
		at += (size_t)written;
	}
	(void)snprintf(file.name, sizeof(file.name), "/proc/self/fd/%d", file.fd);
	return file;
}

/* All that a source gave. */
struct reading {
	struct fyke_frame *frames; /* their data are copies */
	size_t count, room;
	struct fyke_source_counters counters;
	char damage[512], format[64], fingerprint[33], warning[512];
	size_t interfaces_count, files_count;
	struct fyke_source_interface interfaces[8]; /* the first ones */
	struct fyke_source_file files[4];	    /* names and texts are not to be used */
	char names[8][160], descriptions[8][300];
	enum fyke_source_result result;
	struct fyke_error error;
};

static inline void keep_frame(struct reading *r, const struct fyke_frame *frame)
{
	uint8_t *copy = malloc(frame->captured + 1);

	if (r->count == r->room) {
		r->room = r->room == 0 ? 64 : r->room * 2;
		r->frames = realloc(r->frames, r->room * sizeof(*r->frames));
		assert_non_null(r->frames);
	}
	assert_non_null(copy);
	memcpy(copy, frame->data, frame->captured);
	r->frames[r->count] = *frame;
	r->frames[r->count++].data = copy;
}

static inline void keep_lists(struct reading *r, struct fyke_source *source)
{
	const struct fyke_source_interface *interfaces = fyke_source_interfaces(source, &r->interfaces_count);
	const struct fyke_source_file *files = fyke_source_files(source, &r->files_count);
	const char *warning = fyke_source_warning(source, 0);

	for (size_t i = 0; i < r->interfaces_count && i < 8; i++) {
		r->interfaces[i] = interfaces[i];
		(void)snprintf(r->names[i], sizeof(r->names[i]), "%s", interfaces[i].name);
		(void)snprintf(
			r->descriptions[i], sizeof(r->descriptions[i]), "%s", interfaces[i].description);
	}
	for (size_t i = 0; i < r->files_count && i < 4; i++)
		r->files[i] = files[i];
	(void)snprintf(r->damage, sizeof(r->damage), "%s", files[0].damage != NULL ? files[0].damage : "");
	(void)snprintf(r->format, sizeof(r->format), "%s", files[0].format);
	(void)snprintf(r->fingerprint, sizeof(r->fingerprint), "%s", files[0].fingerprint);
	(void)snprintf(r->warning, sizeof(r->warning), "%s", warning != NULL ? warning : "");
	r->counters = fyke_source_counters(source);
}

static inline struct reading read_source(struct fyke_source *source)
{
	struct reading r = {0};
	struct fyke_block *block;

	while ((r.result = fyke_source_next(source, &block, &r.error)) == FYKE_SOURCE_BLOCK) {
		for (size_t i = 0; i < block->count; i++)
			keep_frame(&r, &block->frames[i]);
		fyke_block_release(block);
	}
	keep_lists(&r, source);
	fyke_source_free(source);
	return r;
}

static inline struct reading read_names(
	const char *const *names, size_t count, const struct fyke_source_options *options)
{
	struct fyke_source *source = NULL;
	struct fyke_error error = {0};

	if (fyke_source_files_open(names, count, options, &source, &error) != FYKE_OK)
		fail_msg("not opened: %s", error.text);
	return read_source(source);
}

/* Reads bytes as a file; they are freed. */
static inline struct reading read_bytes(struct bytes bytes, const struct fyke_source_options *options)
{
	struct memory_file file = memory_file(bytes.data, bytes.length);
	const char *names[] = {file.name};
	struct reading r = read_names(names, 1, options);

	(void)close(file.fd);
	free(bytes.data);
	return r;
}

static inline void free_reading(struct reading *r)
{
	for (size_t i = 0; i < r->count; i++) {
		union {
			const uint8_t *given;
			uint8_t *owned;
		} data = {r->frames[i].data};

		free(data.owned);
	}
	free(r->frames);
}

/* The status with which bytes are refused as a file; the text in *error. */
static inline enum fyke_status refusal(const void *data, size_t length, struct fyke_error *error)
{
	struct memory_file file = memory_file(data, length);
	const char *names[] = {file.name};
	struct fyke_source *source = NULL;
	enum fyke_status status = fyke_source_files_open(names, 1, NULL, &source, error);

	fyke_source_free(source);
	(void)close(file.fd);
	return status;
}

static inline void assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("“%s” is not in “%s”", part, text);
}

#endif
