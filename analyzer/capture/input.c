/*
 * Bytes out of a descriptor. Plain files go by read() straight into the caller's block: a mapping
 * would fault when somebody shortens the file meanwhile. Compressed ones pass a buffer. Everything
 * streams, so that what a small file expands to never lies in memory at once.
 */
#include "analyzer/capture/input.h"

#include "analyzer/capture/fingerprint.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { RAW_SIZE = 128 * 1024, MAGIC_LENGTH = 4, POLL_MS = 200 };

struct fyke_input {
	struct fyke_input_options options;
	bool regular, stopped, ended;
	enum fyke_compression compression;
	struct fyke_decompressor *decompressor;
	uint64_t consumed;
	XXH3_state_t *hash;
	char damage[160];
	size_t raw_at, raw_end;
	uint8_t raw[RAW_SIZE];
};

static bool should_stop(struct fyke_input *input)
{
	if (input->options.stop != NULL && *input->options.stop)
		input->stopped = true;
	return input->stopped;
}

/* A pipe may be silent for ever: wait in slices so that the stop flag is seen. */
static bool wait_for_bytes(struct fyke_input *input)
{
	struct pollfd waiting = {.fd = input->options.fd, .events = POLLIN};

	if (input->regular || input->options.stop == NULL)
		return true;
	while (!should_stop(input)) {
		int ready = poll(&waiting, 1, POLL_MS);

		if (ready > 0 || (ready < 0 && errno != EINTR))
			return true;
	}
	return false;
}

/* One read(); *got is 0 at the end and when stopped. */
static enum fyke_status read_raw(
	struct fyke_input *input, uint8_t *to, size_t size, size_t *got, struct fyke_error *error)
{
	ssize_t result = -1;

	*got = 0;
	while (!should_stop(input) && wait_for_bytes(input)) {
		result = read(input->options.fd, to, size);
		if (result >= 0 || errno != EINTR)
			break;
	}
	if (input->stopped)
		return FYKE_OK;
	if (result < 0)
		return fyke_error_set(error, FYKE_FAILED_IO, "%s: cannot be read: %s", input->options.name,
			strerror(errno));
	*got = (size_t)result;
	input->consumed += *got;
	if (input->hash != NULL && *got > 0)
		(void)XXH3_128bits_update(input->hash, to, *got);
	return FYKE_OK;
}

static enum fyke_status refill(struct fyke_input *input, struct fyke_error *error)
{
	size_t got;
	enum fyke_status status;

	input->raw_at = input->raw_end = 0;
	status = read_raw(input, input->raw, sizeof(input->raw), &got, error);
	input->raw_end = got;
	return status;
}

static enum fyke_status read_magic(struct fyke_input *input, struct fyke_error *error)
{
	size_t got = 1;

	while (input->raw_end < MAGIC_LENGTH && got > 0) {
		enum fyke_status status = read_raw(
			input, input->raw + input->raw_end, sizeof(input->raw) - input->raw_end, &got, error);

		if (status != FYKE_OK)
			return status;
		input->raw_end += got;
	}
	input->compression = fyke_compression_of(input->raw, input->raw_end);
	if (input->compression == FYKE_PLAIN)
		return FYKE_OK;
	input->decompressor = fyke_decompressor_new(input->compression);
	if (input->decompressor == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: no memory left to decompress it",
			input->options.name);
	return FYKE_OK;
}

enum fyke_status fyke_input_new(
	const struct fyke_input_options *options, struct fyke_input **made, struct fyke_error *error)
{
	struct fyke_input *input = calloc(1, sizeof(*input));
	enum fyke_status status;
	struct stat about;

	*made = NULL;
	if (input != NULL && options->hash_all)
		input->hash = XXH3_createState();
	if (input == NULL || (options->hash_all && input->hash == NULL)) {
		free(input);
		return fyke_error_set(
			error, FYKE_FAILED_MEMORY, "%s: no memory left to read it", options->name);
	}
	if (input->hash != NULL)
		(void)XXH3_128bits_reset(input->hash);
	input->options = *options;
	input->regular = fstat(options->fd, &about) == 0 && S_ISREG(about.st_mode);
	status = read_magic(input, error);
	if (status != FYKE_OK) {
		fyke_input_free(input);
		return status;
	}
	*made = input;
	return FYKE_OK;
}

void fyke_input_free(struct fyke_input *input)
{
	if (input == NULL)
		return;
	fyke_decompressor_free(input->decompressor);
	(void)XXH3_freeState(input->hash);
	free(input);
}

static enum fyke_status read_plain(
	struct fyke_input *input, uint8_t *to, size_t size, size_t *got, struct fyke_error *error)
{
	size_t buffered = input->raw_end - input->raw_at;

	if (buffered == 0)
		return read_raw(input, to, size, got, error);
	*got = buffered < size ? buffered : size;
	memcpy(to, input->raw + input->raw_at, *got);
	input->raw_at += *got;
	return FYKE_OK;
}

static void note_damage(struct fyke_input *input, const char *problem)
{
	const char *name = fyke_compression_name(input->compression);

	input->ended = true;
	if (problem == NULL)
		(void)snprintf(input->damage, sizeof(input->damage), "the %s data end early", name);
	else
		(void)snprintf(
			input->damage, sizeof(input->damage), "the %s data are damaged (%s)", name, problem);
}

/* More raw bytes, or the end: clean between two members, damage inside one. */
static enum fyke_status refill_or_end(struct fyke_input *input, struct fyke_error *error)
{
	enum fyke_status status = refill(input, error);

	if (status != FYKE_OK || input->raw_end > 0)
		return status;
	input->ended = true;
	if (!input->stopped && !fyke_decompressor_between(input->decompressor))
		note_damage(input, NULL);
	return FYKE_OK;
}

static enum fyke_status read_packed(
	struct fyke_input *input, uint8_t *to, size_t size, size_t *got, struct fyke_error *error)
{
	*got = 0;
	while (*got == 0 && !input->ended) {
		struct fyke_coding coding = {
			input->raw + input->raw_at, input->raw_end - input->raw_at, to, size};
		const char *problem = fyke_decompressor_step(input->decompressor, &coding);
		bool idle = coding.in_left == input->raw_end - input->raw_at && coding.out_left == size;
		enum fyke_status status = FYKE_OK;

		input->raw_at = input->raw_end - coding.in_left;
		*got = size - coding.out_left;
		if (problem != NULL)
			note_damage(input, problem);
		else if (*got == 0 && coding.in_left == 0)
			status = refill_or_end(input, error);
		else if (idle)
			note_damage(input, "no progress");
		if (status != FYKE_OK)
			return status;
	}
	return FYKE_OK;
}

enum fyke_status fyke_input_read(
	struct fyke_input *input, uint8_t *to, size_t size, size_t *got, struct fyke_error *error)
{
	size_t all = 0;

	do {
		enum fyke_status status;
		size_t some = 0;

		if (input->decompressor != NULL)
			status = read_packed(input, to + all, size - all, &some, error);
		else
			status = read_plain(input, to + all, size - all, &some, error);
		if (status != FYKE_OK)
			return status;
		all += some;
		if (some == 0)
			break;
	} while (input->regular && all < size);
	*got = all;
	return FYKE_OK;
}

const char *fyke_input_damage(const struct fyke_input *input)
{
	return input->damage[0] == '\0' ? NULL : input->damage;
}

enum fyke_compression fyke_input_compression(const struct fyke_input *input)
{
	return input->compression;
}

bool fyke_input_stopped(const struct fyke_input *input)
{
	return input->stopped;
}

uint64_t fyke_input_consumed(const struct fyke_input *input)
{
	return input->consumed;
}

void fyke_input_hash(const struct fyke_input *input, char text[33])
{
	text[0] = '\0';
	if (input->hash != NULL)
		fyke_fingerprint_text(input->hash, text);
}
