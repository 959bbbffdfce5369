/*
 * MD5, SHA-1 and SHA-256 as values: nothing is allocated, looked up or locked for them, and they may be
 * abandoned at any time. The work is libcrypto's.
 */
#ifndef FYKE_BASE_DIGEST_H
#define FYKE_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum fyke_digest_kind { FYKE_MD5, FYKE_SHA1, FYKE_SHA256 };

enum { FYKE_MD5_BYTES = 16, FYKE_SHA1_BYTES = 20, FYKE_SHA256_BYTES = 32, FYKE_DIGEST_BYTES = 32 };

struct fyke_digest {
	enum fyke_digest_kind kind;
	uint64_t state[14];
};

void fyke_digest_begin(struct fyke_digest *digest, enum fyke_digest_kind kind);
void fyke_digest_add(struct fyke_digest *digest, const void *bytes, size_t length);
/* The same to an MD5 and a SHA-256 that were given the same bytes so far: a quarter less work than one by
 * one. */
void fyke_digest_add_both(
	struct fyke_digest *md5, struct fyke_digest *sha256, const void *bytes, size_t length);
/* Of all that was added; returns how many bytes. */
size_t fyke_digest_end(struct fyke_digest *digest, uint8_t bytes[FYKE_DIGEST_BYTES]);

/* The same of bytes that are all here. */
size_t fyke_digest_of(
	enum fyke_digest_kind kind, const void *bytes, size_t length, uint8_t out[FYKE_DIGEST_BYTES]);

/* Lower case, 2 * length characters and a NUL. */
void fyke_hex(const uint8_t *bytes, size_t length, char *text);

#endif
