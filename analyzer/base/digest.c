/*
 * libcrypto's older interface to MD5, SHA-1 and SHA-256: the newer one (EVP) allocates for every digest and
 * looks its method up under a lock, which costs more than the digest of a short text.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "analyzer/base/digest.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

enum { BLOCK = 64 }; /* of both */

_Static_assert(MD5_CBLOCK == BLOCK && SHA256_CBLOCK == BLOCK, "the blocks differ");
_Static_assert(sizeof(SHA256_CTX) <= sizeof(((struct fyke_digest *)NULL)->state), "SHA-256 does not fit");
_Static_assert(sizeof(SHA_CTX) <= sizeof(((struct fyke_digest *)NULL)->state), "SHA-1 does not fit");
_Static_assert(sizeof(MD5_CTX) <= sizeof(((struct fyke_digest *)NULL)->state), "MD5 does not fit");

static SHA256_CTX *sha256_of(struct fyke_digest *digest)
{
	return (SHA256_CTX *)(void *)digest->state;
}

static SHA_CTX *sha1_of(struct fyke_digest *digest)
{
	return (SHA_CTX *)(void *)digest->state;
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
	else if (kind == FYKE_SHA1)
		(void)SHA1_Init(sha1_of(digest));
	else
		(void)SHA256_Init(sha256_of(digest));
}

void fyke_digest_add(struct fyke_digest *digest, const void *bytes, size_t length)
{
	if (digest->kind == FYKE_MD5)
		(void)MD5_Update(md5_of(digest), bytes, length);
	else if (digest->kind == FYKE_SHA1)
		(void)SHA1_Update(sha1_of(digest), bytes, length);
	else
		(void)SHA256_Update(sha256_of(digest), bytes, length);
}

static void add_to_both(MD5_CTX *md5, SHA256_CTX *sha256, const void *bytes, size_t length)
{
	if (length == 0)
		return;
	(void)MD5_Update(md5, bytes, length);
	(void)SHA256_Update(sha256, bytes, length);
}

/* As the Update functions count: bits, in two halves. */
static void count(unsigned *low, unsigned *high, size_t length)
{
	uint64_t bits = ((uint64_t)*high << 32 | *low) + ((uint64_t)length << 3);

	*low = (unsigned)(bits & UINT32_MAX);
	*high = (unsigned)(bits >> 32);
}

/*
 * MD5 is a chain in which each step waits for the one before, so that most of the processor idles. Block by
 * block in turns SHA-256 runs in that time. Blocks that come in pieces go the way through Update.
 */
void fyke_digest_add_both(
	struct fyke_digest *md5, struct fyke_digest *sha256, const void *bytes, size_t length)
{
	MD5_CTX *first = md5_of(md5);
	SHA256_CTX *second = sha256_of(sha256);
	const uint8_t *at = bytes;
	size_t missing = first->num > 0 ? BLOCK - first->num : 0, whole;

	if (missing > length)
		missing = length;
	add_to_both(first, second, at, missing);
	at += missing;
	length -= missing;
	whole = length - length % BLOCK;
	count(&first->Nl, &first->Nh, whole);
	count(&second->Nl, &second->Nh, whole);
	for (const uint8_t *end = at + whole; at < end; at += BLOCK) {
		MD5_Transform(first, at);
		SHA256_Transform(second, at);
	}
	add_to_both(first, second, at, length - whole);
}

size_t fyke_digest_end(struct fyke_digest *digest, uint8_t bytes[FYKE_DIGEST_BYTES])
{
	if (digest->kind == FYKE_MD5) {
		(void)MD5_Final(bytes, md5_of(digest));
		return FYKE_MD5_BYTES;
	}
	if (digest->kind == FYKE_SHA1) {
		(void)SHA1_Final(bytes, sha1_of(digest));
		return FYKE_SHA1_BYTES;
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
