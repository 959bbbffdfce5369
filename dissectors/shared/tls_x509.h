/* The parts of a certificate (RFC 5280 §4.1) by libcrypto's types, without decoding its key. */
#ifndef FYKE_SHARED_TLS_X509_H
#define FYKE_SHARED_TLS_X509_H

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fyke_x509_body {
	ASN1_INTEGER *version, *serial;
	X509_ALGOR *signature;
	X509_NAME *issuer, *subject;
	X509_VAL *validity;
	ASN1_STRING *key; /* the DER of SubjectPublicKeyInfo */
	ASN1_BIT_STRING *issuer_uid, *subject_uid;
	STACK_OF(X509_EXTENSION) * extensions;
};

struct fyke_x509 {
	struct fyke_x509_body *body;
	X509_ALGOR *signature;
	ASN1_BIT_STRING *value;
};

/* NULL: it is none. */
struct fyke_x509 *fyke_x509_read(const uint8_t *der, size_t length);
void fyke_x509_free(struct fyke_x509 *x509);

/* Whether it is made out to this host (RFC 6125), as X509_check_host() finds. */
bool fyke_x509_matches(const struct fyke_x509 *x509, const char *name, size_t length);

#endif
