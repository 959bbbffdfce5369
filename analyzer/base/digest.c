/*
 * libcrypto's older interface to MD5 and SHA-256: the newer one (EVP) allocates for every digest and looks
 * its method up under a lock, which costs more than the digest of a short text.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "analyzer/base/digest.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(((struct fyke_digest *)NULL)->state), "SHA-256 does not fit");
_Static_assert(sizeof(MD5_CTX) <= sizeof(((struct fyke_digest *)NULL)->state), "MD5 does not fit");

static SHA256_CTX *sha256_of(struct fyke_digest *digest)
{
	return (SHA256_CTX *)(void *)digest->state;
}

static MD5_CTX *md5_of(struct fyke_digest *digest)
{
	return (MD5_CTX *)(void *)digest->state;
}

void fyke_digest_begin(struct fyke_digest *digest, enum fyke_digest_kind kind)
{
	digest->kind = kind;
	if (kind == FYKE_MD5)
		(void)MD5_Init(md5_of(digest));
	else
		(void)SHA256_Init(sha256_of(digest));
}

void fyke_digest_add(struct fyke_digest *digest, const void *bytes, size_t length)
{
	if (digest->kind == FYKE_MD5)
		(void)MD5_Update(md5_of(digest), bytes, length);
	else
		(void)SHA256_Update(sha256_of(digest), bytes, length);
}

size_t fyke_digest_end(struct fyke_digest *digest, uint8_t bytes[FYKE_DIGEST_BYTES])
{
	if (digest->kind == FYKE_MD5) {
		(void)MD5_Final(bytes, md5_of(digest));
		return FYKE_MD5_BYTES;
	}
	(void)SHA256_Final(bytes, sha256_of(digest));
	return FYKE_SHA256_BYTES;
}

size_t fyke_digest_of(
	enum fyke_digest_kind kind, const void *bytes, size_t length, uint8_t out[FYKE_DIGEST_BYTES])
{
	struct fyke_digest digest;

	fyke_digest_begin(&digest, kind);
	fyke_digest_add(&digest, bytes, length);
	return fyke_digest_end(&digest, out);
}

void fyke_hex(const uint8_t *bytes, size_t length, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * length] = '\0';
}
