/* XXH3-128 over the size and samples of a file; see the header for which. */
#include "analyzer/capture/fingerprint.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, SAMPLE = 4096, SAMPLES = 64, BUFFER = 64 * 1024 };

struct work {
	int fd;
	XXH3_state_t *state;
	uint8_t buffer[BUFFER];
};

/* Hashes what is there of the range: a file that shrinks meanwhile is no failure. */
static bool hash_range(struct work *work, uint64_t offset, uint64_t length)
{
	while (length > 0) {
		size_t want = length < BUFFER ? (size_t)length : (size_t)BUFFER;
		ssize_t got = pread(work->fd, work->buffer, want, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		(void)XXH3_128bits_update(work->state, work->buffer, (size_t)got);
		offset += (uint64_t)got;
		length -= (uint64_t)got;
	}
	return true;
}

static bool hash_samples(struct work *work, uint64_t size)
{
	bool good = hash_range(work, 0, MIB) && hash_range(work, size - MIB, MIB);

	for (uint64_t i = 0; i < SAMPLES && good; i++)
		good = hash_range(work, (size - SAMPLE) / (SAMPLES - 1) * i, SAMPLE);
	return good;
}

static bool hash_file(struct work *work, uint64_t size)
{
	uint8_t size_bytes[8];

	for (int i = 0; i < 8; i++)
		size_bytes[i] = (uint8_t)(size >> 8 * i);
	(void)XXH3_128bits_reset(work->state);
	(void)XXH3_128bits_update(work->state, size_bytes, sizeof(size_bytes));
	return size <= 2 * MIB ? hash_range(work, 0, size) : hash_samples(work, size);
}

void fyke_fingerprint_text(const XXH3_state_t *state, char text[33])
{
	static const char digits[] = "0123456789abcdef";
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
	for (size_t i = 0; i < sizeof(canonical.digest); i++) {
		text[2 * i] = digits[canonical.digest[i] >> 4];
		text[2 * i + 1] = digits[canonical.digest[i] & 15];
	}
	text[32] = '\0';
}

enum fyke_status fyke_fingerprint_file(int fd, const char *name, char text[33], struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;
	struct stat about;
	struct work *work = malloc(sizeof(*work));

	if (work == NULL || (work->state = XXH3_createState()) == NULL) {
		free(work);
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: no memory left to read it", name);
	}
	work->fd = fd;
	if (fstat(fd, &about) != 0 || !hash_file(work, (uint64_t)about.st_size))
		status = fyke_error_set(
			error, FYKE_FAILED_IO, "%s: cannot be read: %s", name, strerror(errno));
	else
		fyke_fingerprint_text(work->state, text);
	(void)XXH3_freeState(work->state);
	free(work);
	return status;
}
