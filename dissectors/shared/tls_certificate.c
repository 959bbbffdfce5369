/*
 * Certificates by libcrypto: names, validity, alternative names, fingerprints (RFC 5280).
 *
 * Nothing is verified: a signature is no fact about the traffic. What libcrypto makes here is freed here; its
 * input is at most FYKE_CERTIFICATE_MAX bytes whose key was looked at before (tls_key.c).
 */
#include "dissectors/shared/tls_certificate.h"

#include "analyzer/base/digest.h"
#include "analyzer/base/text.h"
#include "dissectors/shared/tls_x509.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NAME_BYTES = 1024, HOST_NAMES = 4, HOST_NAME_BYTES = 253, ALTERNATIVES_MAX = 256, TEXTS = 4 };

static void to_capital_hex(const uint8_t *bytes, size_t length, char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < length; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * length] = '\0';
}

static void sum(struct fyke_cursor der, enum fyke_digest_kind kind, char *text)
{
	uint8_t bytes[FYKE_DIGEST_BYTES];

	fyke_hex(bytes, fyke_digest_of(kind, der.at, fyke_cursor_left(&der), bytes), text);
}

static void keep_name(struct fyke_dissection *dissection, const X509_NAME *name, struct fyke_text *text)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	long length;

	if (bio == NULL)
		return;
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		length = BIO_get_mem_data(bio, &bytes);
		fyke_keep(dissection, text, bytes, length > 0 ? (size_t)length : 0, NAME_BYTES);
	}
	BIO_free(bio);
}

static void keep_common_name(
	struct fyke_dissection *dissection, const X509_NAME *name, struct fyke_text *text)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const ASN1_STRING *value = at >= 0 ? X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)) : NULL;

	if (value != NULL && ASN1_STRING_length(value) > 0)
		fyke_keep(dissection, text, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value),
			NAME_BYTES);
}

static bool time_of(const ASN1_TIME *time, int64_t *us)
{
	struct tm tm;
	int64_t days;

	if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	days = fyke_text_days((int64_t)tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday);
	*us = ((days * 24 + tm.tm_hour) * 60 + tm.tm_min) * 60000000 + (int64_t)tm.tm_sec * 1000000;
	return true;
}

static void read_serial(const ASN1_INTEGER *serial, struct fyke_certificate *certificate)
{
	int length = ASN1_STRING_length(serial);

	if (length > 0 && (size_t)length * 2 < sizeof(certificate->serial))
		to_capital_hex(ASN1_STRING_get0_data(serial), (size_t)length, certificate->serial);
}

/* ---- alternative names ---- */

static void add_alternative(struct fyke_dissection *dissection, struct fyke_text *names, const char *kind,
	const void *bytes, size_t length)
{
	char text[16];
	int kind_length = snprintf(text, sizeof(text), "%s%s:", names->length > 0 ? "," : "", kind);

	if (names->length + (size_t)kind_length + length > FYKE_CERTIFICATE_NAMES)
		return;
	fyke_append(dissection, names, text, (size_t)kind_length, FYKE_CERTIFICATE_NAMES);
	fyke_append(dissection, names, bytes, length, FYKE_CERTIFICATE_NAMES);
}

static void add_ip(struct fyke_dissection *dissection, struct fyke_text *names, const ASN1_STRING *ip)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(ip);
	char text[FYKE_ADDRESS_TEXT];
	struct fyke_address address;

	if (ASN1_STRING_length(ip) == 4)
		address = fyke_address_ipv4(bytes);
	else if (ASN1_STRING_length(ip) == 16)
		address = fyke_address_ipv6(bytes);
	else
		return;
	add_alternative(dissection, names, "IP", text, fyke_address_text(&address, text));
}

static void add_general_name(
	struct fyke_dissection *dissection, struct fyke_text *names, const GENERAL_NAME *name)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const char *kind = type == GEN_DNS ? "DNS" : type == GEN_EMAIL ? "email" : "URI";

	if (type == GEN_IPADD)
		add_ip(dissection, names, value);
	else if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI)
		add_alternative(dissection, names, kind, ASN1_STRING_get0_data(value),
			(size_t)ASN1_STRING_length(value));
}

static void read_alternatives(
	struct fyke_dissection *dissection, const struct fyke_x509 *x509, struct fyke_text *names)
{
	GENERAL_NAMES *all = X509V3_get_d2i(x509->body->extensions, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(all) && i < ALTERNATIVES_MAX; i++)
		add_general_name(dissection, names, sk_GENERAL_NAME_value(all, i));
	GENERAL_NAMES_free(all);
}

static void read_constraints(const struct fyke_x509 *x509, struct fyke_certificate *certificate)
{
	BASIC_CONSTRAINTS *constraints =
		X509V3_get_d2i(x509->body->extensions, NID_basic_constraints, NULL, NULL);

	certificate->authority = constraints != NULL && constraints->ca != 0;
	BASIC_CONSTRAINTS_free(constraints);
}

/* ---- the whole ---- */

static void read_x509(struct fyke_dissection *dissection, const struct fyke_x509 *x509,
	const struct fyke_text *wanted, struct fyke_certificate *certificate)
{
	const struct fyke_x509_body *body = x509->body;
	int signature = OBJ_obj2nid(x509->signature->algorithm);

	keep_name(dissection, body->subject, &certificate->subject);
	keep_name(dissection, body->issuer, &certificate->issuer);
	keep_common_name(dissection, body->subject, &certificate->common_name);
	read_serial(body->serial, certificate);
	certificate->has_not_before = time_of(body->validity->notBefore, &certificate->not_before_us);
	certificate->has_not_after = time_of(body->validity->notAfter, &certificate->not_after_us);
	certificate->self_signed = X509_NAME_cmp(body->subject, body->issuer) == 0;
	certificate->signature_algorithm = signature != NID_undef ? OBJ_nid2ln(signature) : NULL;
	read_alternatives(dissection, x509, &certificate->names);
	read_constraints(x509, certificate);
	if (wanted->length > 0) {
		certificate->has_match = true;
		certificate->matches = fyke_x509_matches(x509, wanted->bytes, wanted->length);
	}
}

static bool read_whole(struct fyke_dissection *dissection, struct fyke_cursor der,
	const struct fyke_text *wanted, struct fyke_certificate *certificate)
{
	struct fyke_x509 *x509;

	sum(der, FYKE_SHA1, certificate->sha1);
	if (!fyke_certificate_key(der, certificate))
		return false;
	x509 = fyke_x509_read(der.at, fyke_cursor_left(&der));
	if (x509 != NULL) {
		read_x509(dissection, x509, wanted, certificate);
		fyke_x509_free(x509);
	}
	ERR_clear_error();
	return x509 != NULL;
}

/* ---- those that were read before ---- */

static void texts_of(struct fyke_certificate *certificate, struct fyke_text *texts[TEXTS])
{
	texts[0] = &certificate->subject;
	texts[1] = &certificate->issuer;
	texts[2] = &certificate->common_name;
	texts[3] = &certificate->names;
}

/* What is told of a certificate hangs on its bytes and on the name that was asked for. */
static void make_key(const uint8_t sha256[FYKE_DIGEST_BYTES], const struct fyke_text *wanted, uint8_t *key)
{
	struct fyke_digest digest;

	fyke_digest_begin(&digest, FYKE_SHA256);
	fyke_digest_add(&digest, sha256, FYKE_SHA256_BYTES);
	if (wanted->length > 0)
		fyke_digest_add(&digest, wanted->bytes, wanted->length);
	(void)fyke_digest_end(&digest, key);
}

/* The certificate, then the bytes of its texts. */
static void learn(
	struct fyke_dissection *dissection, const uint8_t *key, struct fyke_certificate *certificate)
{
	struct fyke_text *texts[TEXTS];
	size_t length = sizeof(*certificate);
	char *at;

	texts_of(certificate, texts);
	for (int i = 0; i < TEXTS; i++)
		length += texts[i]->length;
	at = fyke_learn(dissection, key, length);
	if (at == NULL)
		return;
	memcpy(at, certificate, sizeof(*certificate));
	at += sizeof(*certificate);
	for (int i = 0; i < TEXTS; i++) {
		if (texts[i]->length > 0)
			memcpy(at, texts[i]->bytes, texts[i]->length);
		at += texts[i]->length;
	}
}

static bool recall(
	struct fyke_dissection *dissection, const uint8_t *key, struct fyke_certificate *certificate)
{
	size_t length;
	const char *at = fyke_recall(dissection, key, &length);
	struct fyke_text *texts[TEXTS];

	if (at == NULL)
		return false;
	memcpy(certificate, at, sizeof(*certificate));
	at += sizeof(*certificate);
	texts_of(certificate, texts);
	for (int i = 0; i < TEXTS; i++) {
		struct fyke_text known = *texts[i];

		*texts[i] = (struct fyke_text){0};
		if (fyke_text_is_set(&known)) /* of which only the length counts: the bytes were another's */
			fyke_keep(dissection, texts[i], at, known.length, known.length);
		at += known.length;
	}
	return true;
}

bool fyke_certificate_read(struct fyke_dissection *dissection, struct fyke_cursor der,
	const struct fyke_text *wanted, struct fyke_certificate *certificate)
{
	uint8_t sha256[FYKE_DIGEST_BYTES], key[FYKE_DIGEST_BYTES];
	size_t length = fyke_cursor_left(&der);

	*certificate = (struct fyke_certificate){0};
	if (length == 0 || length > FYKE_CERTIFICATE_MAX)
		return false;
	(void)fyke_digest_of(FYKE_SHA256, der.at, length, sha256);
	make_key(sha256, wanted, key);
	if (recall(dissection, key, certificate))
		return true;
	fyke_hex(sha256, FYKE_SHA256_BYTES, certificate->sha256);
	if (!read_whole(dissection, der, wanted, certificate))
		return false;
	learn(dissection, key, certificate);
	return true;
}

void fyke_certificate_forget(struct fyke_dissection *dissection, struct fyke_certificate *certificate)
{
	fyke_drop(dissection, &certificate->subject);
	fyke_drop(dissection, &certificate->issuer);
	fyke_drop(dissection, &certificate->names);
	fyke_drop(dissection, &certificate->common_name);
	*certificate = (struct fyke_certificate){0};
}

/* ---- names of the host ---- */

/* Letters, digits, '-', '_' and at least one dot, not an address. */
static bool is_host_name(const char *name, size_t length)
{
	bool dot = false, letter = false;

	if (length == 0 || length > HOST_NAME_BYTES || name[length - 1] == '.')
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = name[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		letter |= is_letter;
		dot |= c == '.';
		if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
			return false;
	}
	return dot && letter;
}

void fyke_certificate_say_host(struct fyke_dissection *dissection, const struct fyke_certificate *certificate,
	const struct fyke_address *ip)
{
	const char *at = certificate->names.bytes;
	const char *end = at != NULL ? at + certificate->names.length : NULL;
	unsigned said = 0;

	while (at < end && said < HOST_NAMES) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t length = (size_t)((comma != NULL ? comma : end) - at);

		if (length > 4 && memcmp(at, "DNS:", 4) == 0 && is_host_name(at + 4, length - 4)) {
			fyke_host_says(dissection, ip, FYKE_HOST_NAME, at + 4, length - 4, "tls");
			said++;
		}
		at += length + 1;
	}
	if (certificate->names.length == 0 &&
		is_host_name(certificate->common_name.bytes, certificate->common_name.length))
		fyke_host_says(dissection, ip, FYKE_HOST_NAME, certificate->common_name.bytes,
			certificate->common_name.length, "tls");
}
