/* SASL exchanges (RFC 4422) of text protocols: who logs in, with which secret, and how it went. */
#ifndef FYKE_DISSECTORS_SHARED_SASL_H
#define FYKE_DISSECTORS_SHARED_SASL_H

#include "dissectors/dissector.h"

struct fyke_sasl {
	const char *mechanism; /* static; NULL = none under way */
	unsigned steps;	       /* that the client has made */
	struct fyke_text user, secret;
};

/* The client asks for a mechanism. */
void fyke_sasl_begin(
	struct fyke_dissection *dissection, struct fyke_sasl *sasl, const char *name, size_t length);
/* What the client sends, in base64. */
void fyke_sasl_client(
	struct fyke_dissection *dissection, struct fyke_sasl *sasl, const char *text, size_t length);
/* How it ended: tells a credential where there was one. The user is kept until the next begins. */
void fyke_sasl_end(struct fyke_dissection *dissection, struct fyke_sasl *sasl, enum fyke_login login);

#endif
