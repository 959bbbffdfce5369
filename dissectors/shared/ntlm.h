/*
 * NTLM ([MS-NLMP]) and Kerberos tickets inside other protocols' authentication (SMB, DCE/RPC, HTTP, LDAP,
 * TDS …): who logs in as whom, and what the server says of itself. One record of table `ntlm` per login.
 */
#ifndef FYKE_DISSECTORS_SHARED_NTLM_H
#define FYKE_DISSECTORS_SHARED_NTLM_H

#include "dissectors/dissector.h"

extern const struct fyke_table fyke_table_ntlm; /* belongs in the list of whoever calls fyke_ntlm_… */

struct fyke_ntlm {
	struct fyke_moment moment; /* of the latest message */
	bool challenged, authenticated;
	bool v1, null_session;
	struct fyke_text user, domain, host;
	struct fyke_text server_name, server_domain, server_dns, server_dns_domain, server_forest;
	struct fyke_text server_os; /* "10.0.14393" */
};

/* Looks for an NTLM message in a blob (in SPNEGO or bare) and remembers it; true: there was one. */
bool fyke_ntlm_read(
	struct fyke_dissection *dissection, struct fyke_ntlm *ntlm, const uint8_t *blob, size_t length);

/* Tells the login: accepted 1, refused 0, not known -1; `status` may be NULL. Forgets it. */
void fyke_ntlm_tell(
	struct fyke_dissection *dissection, struct fyke_ntlm *ntlm, int accepted, const char *status);

/* "domain\user" of an authenticated login into `out`; 0: there is none. */
size_t fyke_ntlm_user(const struct fyke_ntlm *ntlm, char *out, size_t room);

/* The contents of a Kerberos PrincipalName (RFC 4120 §5.2.2), its parts joined by "/"; 0: none. */
size_t fyke_principal_text(struct fyke_cursor name, char *out, size_t room);

/* A Kerberos ticket in a blob (AP-REQ): its service as "service/host@REALM"; 0: there is none. */
size_t fyke_ticket_service(const uint8_t *blob, size_t length, char *out, size_t room);

#endif
