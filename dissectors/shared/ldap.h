/* LDAP's messages: what is remembered of them, and the records. */
#ifndef FYKE_DISSECTORS_SHARED_LDAP_H
#define FYKE_DISSECTORS_SHARED_LDAP_H

#include "dissectors/shared/asn1.h"
#include "dissectors/shared/ntlm.h"

enum { FYKE_LDAP_PENDING = 16, FYKE_LDAP_NAME = 512, FYKE_LDAP_FILTER = 1024 };

struct fyke_ldap_pending {
	bool open, sasl, simple, tls;
	uint8_t operation;
	int64_t id, version; /* version -1 = none */
	int64_t scope, aliases;
	uint32_t entries;
	struct fyke_moment moment;
	struct fyke_text object, argument, filter, attributes, secret;
};

struct fyke_ldap {
	struct fyke_ldap_pending pending[FYKE_LDAP_PENDING];
	struct fyke_ntlm ntlm;
	uint8_t next;
	bool sasl, starts_tls, lost[2];
};

extern const struct fyke_table fyke_table_ldap, fyke_table_ldap_search;

bool fyke_ldap_is_operation(uint8_t tag, bool request);
/* One message, from its SEQUENCE on, as far as it is here. */
void fyke_ldap_message(struct fyke_dissection *dissection, struct fyke_ldap *ldap, enum fyke_side side,
	const uint8_t *bytes, size_t length);
void fyke_ldap_end(struct fyke_dissection *dissection, struct fyke_ldap *ldap);

/* A filter (RFC 4511 §4.5.1.7) as text (RFC 4515), nested at most 16 deep. */
void fyke_ldap_filter(struct fyke_dissection *dissection, struct fyke_text *text, struct fyke_cursor *c);

#endif
