/*
 * A certificate (RFC 5280) as facts. The DER comes from the wire: it is bounded and looked over before
 * libcrypto sees it, and keys are never decoded further than their size.
 */
#ifndef FYKE_SHARED_TLS_CERTIFICATE_H
#define FYKE_SHARED_TLS_CERTIFICATE_H

#include "dissectors/dissector.h"

enum {
	FYKE_CERTIFICATE_MAX = 32 * 1024,  /* larger ones are not parsed: real ones have at most a few KiB */
	FYKE_CERTIFICATE_NAMES = 4 * 1024, /* of the text of all alternative names */
};

struct fyke_certificate {
	struct fyke_text subject, issuer; /* RFC 2253, last part of the name first, UTF-8 */
	struct fyke_text names;		  /* subjectAltName: "DNS:a,IP:1.2.3.4,email:…,URI:…" */
	struct fyke_text common_name;
	char serial[2 * 32 + 1];   /* upper-case hexadecimal; "" when longer than 32 bytes */
	char sha1[41], sha256[65]; /* of the DER, lower case */
	int64_t not_before_us, not_after_us;
	const char *key_type;		 /* "rsa" "ec" …: static, NULL when unknown */
	const char *curve;		 /* of an ec key; static, NULL when unknown */
	unsigned key_bits;		 /* 0 = unknown */
	const char *signature_algorithm; /* static */
	bool has_not_before, has_not_after, self_signed, authority;
	bool has_match, matches; /* against the name that it was asked for */
};

/* `wanted`: the name that the client asked for, may be empty. False: it is no certificate that is understood;
 * the fingerprints are filled in all the same. Texts belong to the dissection: forget them below. */
bool fyke_certificate_read(struct fyke_dissection *dissection, struct fyke_cursor der,
	const struct fyke_text *wanted, struct fyke_certificate *certificate);
void fyke_certificate_forget(struct fyke_dissection *dissection, struct fyke_certificate *certificate);

/* The first names of hosts that it is made out to (subjectAltName, else the common name), wildcards left out:
 * said as names of the host at `ip`. */
void fyke_certificate_say_host(struct fyke_dissection *dissection, const struct fyke_certificate *certificate,
	const struct fyke_address *ip);

/* Type, size and curve of the key, from the certificate's DER. False: the DER is not one, or its key
 * is of a kind that is not to be decoded (parameters of a curve spelled out, RSA beyond 16,384 bits). */
bool fyke_certificate_key(struct fyke_cursor der, struct fyke_certificate *certificate);

#endif
