/*
 * Certificates by an ASN.1 template of our own. libcrypto's X509 looks for a decoder of the key and runs it
 * whenever a certificate is read, which costs ten times all the rest, and nothing here wants to use a key.
 */
#include "dissectors/shared/tls_x509.h"

#include <openssl/asn1t.h>
#include <openssl/x509v3.h>

ASN1_SEQUENCE(FYKE_X509_BODY) =
	{
		ASN1_EXP_OPT(struct fyke_x509_body, version, ASN1_INTEGER, 0),
		ASN1_SIMPLE(struct fyke_x509_body, serial, ASN1_INTEGER),
		ASN1_SIMPLE(struct fyke_x509_body, signature, X509_ALGOR),
		ASN1_SIMPLE(struct fyke_x509_body, issuer, X509_NAME),
		ASN1_SIMPLE(struct fyke_x509_body, validity, X509_VAL),
		ASN1_SIMPLE(struct fyke_x509_body, subject, X509_NAME),
		ASN1_SIMPLE(struct fyke_x509_body, key, ASN1_SEQUENCE),
		ASN1_IMP_OPT(struct fyke_x509_body, issuer_uid, ASN1_BIT_STRING, 1),
		ASN1_IMP_OPT(struct fyke_x509_body, subject_uid, ASN1_BIT_STRING, 2),
		ASN1_EXP_SEQUENCE_OF_OPT(struct fyke_x509_body, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END_name(struct fyke_x509_body, FYKE_X509_BODY)

		ASN1_SEQUENCE(FYKE_X509) =
			{
				ASN1_SIMPLE(struct fyke_x509, body, FYKE_X509_BODY),
				ASN1_SIMPLE(struct fyke_x509, signature, X509_ALGOR),
				ASN1_SIMPLE(struct fyke_x509, value, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END_name(struct fyke_x509, FYKE_X509)

				struct fyke_x509
			* fyke_x509_read(const uint8_t *der, size_t length)
{
	return (struct fyke_x509 *)(void *)ASN1_item_d2i(NULL, &der, (long)length, ASN1_ITEM_rptr(FYKE_X509));
}

void fyke_x509_free(struct fyke_x509 *x509)
{
	ASN1_item_free((ASN1_VALUE *)(void *)x509, ASN1_ITEM_rptr(FYKE_X509));
}

/* The rules of wildcards are libcrypto's: it is asked about a certificate that has the names and nothing
 * else. */
bool fyke_x509_matches(const struct fyke_x509 *x509, const char *name, size_t length)
{
	X509 *names = X509_new();
	const STACK_OF(X509_EXTENSION) *extensions = x509->body->extensions;
	bool matches = false, whole;
	int at = -1;

	if (names == NULL)
		return false;
	whole = X509_set_subject_name(names, x509->body->subject) == 1;
	while ((at = X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, at)) >= 0)
		whole &= X509_add_ext(names, X509v3_get_ext(extensions, at), -1) == 1;
	if (whole)
		matches = X509_check_host(names, name, length, 0, NULL) == 1;
	X509_free(names);
	return matches;
}
