/*
 * The public key of a certificate: a walk over the DER (X.690 §8, RFC 5280 §4.1) to its algorithm and size.
 *
 * It stands before libcrypto's parser, which decodes keys on its own: whatever could make that dear (curves
 * by their parameters, numbers of many thousand bits) is refused here.
 */
#include "dissectors/shared/tls_certificate.h"

#include <string.h>

enum {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_VERSION = 0xa0,
	KEY_BYTES_MAX = 4 * 1024, /* RSA of 16,384 bits takes 2 KiB */
	BITS_MAX = 16 * 1024,
};

/* One value of DER; its tag, 0 at a fault. */
static uint8_t next_value(struct fyke_cursor *c, struct fyke_cursor *content)
{
	uint8_t tag = fyke_cursor_u8(c), first = fyke_cursor_u8(c);
	size_t length = first;

	if (first == 0x81)
		length = fyke_cursor_u8(c);
	else if (first == 0x82)
		length = fyke_cursor_u16(c);
	else if (first >= 0x80)
		fyke_cursor_bad(c);
	*content = fyke_cursor_carve(c, length);
	return fyke_cursor_ok(c) ? tag : 0;
}

static bool enter(struct fyke_cursor *c, uint8_t tag, struct fyke_cursor *content)
{
	return next_value(c, content) == tag;
}

static unsigned bits_of(struct fyke_cursor number)
{
	while (fyke_cursor_left(&number) > 0 && *number.at == 0)
		(void)fyke_cursor_u8(&number);
	if (fyke_cursor_left(&number) == 0)
		return 0;
	return (unsigned)fyke_cursor_left(&number) * 8 - (unsigned)(__builtin_clz(*number.at) - 24);
}

struct algorithm {
	const char *oid;
	size_t length;
	const char *type;
	unsigned bits; /* 0: it is to be seen */
};

#define OID(bytes) bytes, sizeof(bytes) - 1

static const struct algorithm algorithms[] = {
	{OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), "rsa", 0},
	{OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), "rsa-pss", 0},
	{OID("\x2a\x86\x48\xce\x3d\x02\x01"), "ec", 0},
	{OID("\x2a\x86\x48\xce\x38\x04\x01"), "dsa", 0},
	{OID("\x2b\x65\x70"), "ed25519", 256},
	{OID("\x2b\x65\x71"), "ed448", 456},
	{OID("\x2b\x65\x6e"), "x25519", 256},
	{OID("\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01"), "dh", 0},
	{OID("\x2a\x85\x03\x02\x02\x13"), "gost2001", 256},
	{OID("\x2a\x85\x03\x07\x01\x01\x01\x01"), "gost2012", 256},
	{OID("\x2a\x85\x03\x07\x01\x01\x01\x02"), "gost2012", 512},
};

static const struct algorithm curves[] = {
	{OID("\x2a\x86\x48\xce\x3d\x03\x01\x07"), "secp256r1", 256},
	{OID("\x2b\x81\x04\x00\x22"), "secp384r1", 384},
	{OID("\x2b\x81\x04\x00\x23"), "secp521r1", 521},
	{OID("\x2b\x81\x04\x00\x0a"), "secp256k1", 256},
	{OID("\x2b\x81\x04\x00\x21"), "secp224r1", 224},
	{OID("\x2a\x86\x48\xce\x3d\x03\x01\x01"), "secp192r1", 192},
	{OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x07"), "brainpoolP256r1", 256},
	{OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0b"), "brainpoolP384r1", 384},
	{OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0d"), "brainpoolP512r1", 512},
	{OID("\x2a\x81\x1c\xcf\x55\x01\x82\x2d"), "sm2", 256},
};

static const struct algorithm *named(
	const struct algorithm *list, size_t count, const struct fyke_cursor *oid)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].length == fyke_cursor_left(oid) &&
			memcmp(list[i].oid, oid->at, list[i].length) == 0)
			return &list[i];
	}
	return NULL;
}

/* RSAPublicKey (RFC 8017 §A.1.1): modulus, exponent */
static bool read_rsa(struct fyke_cursor key, struct fyke_certificate *certificate)
{
	struct fyke_cursor sequence, modulus;

	if (!enter(&key, DER_SEQUENCE, &sequence) || !enter(&sequence, DER_INTEGER, &modulus))
		return false;
	certificate->key_bits = bits_of(modulus);
	return certificate->key_bits <= BITS_MAX;
}

/* Dss-Parms and DomainParameters (RFC 3279 §2.3): p first */
static bool read_prime(struct fyke_cursor parameters, struct fyke_certificate *certificate)
{
	struct fyke_cursor sequence, prime;

	if (enter(&parameters, DER_SEQUENCE, &sequence) && enter(&sequence, DER_INTEGER, &prime))
		certificate->key_bits = bits_of(prime);
	return certificate->key_bits <= BITS_MAX;
}

/* RFC 5480 §2.1.1: only curves by name */
static bool read_curve(struct fyke_cursor parameters, struct fyke_certificate *certificate)
{
	const struct algorithm *curve;
	struct fyke_cursor oid;

	if (!enter(&parameters, DER_OID, &oid))
		return false;
	curve = named(curves, sizeof(curves) / sizeof(curves[0]), &oid);
	if (curve != NULL) {
		certificate->curve = curve->type;
		certificate->key_bits = curve->bits;
	}
	return true;
}

/* SubjectPublicKeyInfo */
static bool read_key(struct fyke_cursor info, struct fyke_certificate *certificate)
{
	const struct algorithm *algorithm;
	struct fyke_cursor identifier, oid, key;

	if (fyke_cursor_left(&info) > KEY_BYTES_MAX || !enter(&info, DER_SEQUENCE, &identifier) ||
		!enter(&identifier, DER_OID, &oid) || !enter(&info, DER_BIT_STRING, &key))
		return false;
	(void)fyke_cursor_u8(&key); /* unused bits */
	algorithm = named(algorithms, sizeof(algorithms) / sizeof(algorithms[0]), &oid);
	if (algorithm == NULL)
		return true;
	certificate->key_type = algorithm->type;
	certificate->key_bits = algorithm->bits;
	if (certificate->key_type[0] == 'r')
		return read_rsa(key, certificate);
	if (certificate->key_type[0] == 'd')
		return read_prime(identifier, certificate);
	return algorithm->bits > 0 || read_curve(identifier, certificate);
}

bool fyke_certificate_key(struct fyke_cursor der, struct fyke_certificate *certificate)
{
	struct fyke_cursor whole, body, part;
	uint8_t tag;

	if (!enter(&der, DER_SEQUENCE, &whole) || !enter(&whole, DER_SEQUENCE, &body))
		return false;
	tag = next_value(&body, &part);
	if (tag == DER_VERSION)
		tag = next_value(&body, &part);
	if (tag != DER_INTEGER)
		return false;
	/* signature, issuer, validity, subject */
	for (int i = 0; i < 4; i++) {
		if (!enter(&body, DER_SEQUENCE, &part))
			return false;
	}
	return enter(&body, DER_SEQUENCE, &part) && read_key(part, certificate);
}
