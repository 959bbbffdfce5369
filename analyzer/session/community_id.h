/* Community ID v1 (SEMANTICS §5; the corelight/community-id-spec). */
#ifndef FYKE_SESSION_COMMUNITY_ID_H
#define FYKE_SESSION_COMMUNITY_ID_H

#include "analyzer/base/address.h"
#include "analyzer/session/session.h"

struct fyke_community_id_input {
	struct fyke_address source, destination;
	uint8_t protocol;
	bool has_ports; /* TCP, UDP, SCTP */
	uint16_t source_port, destination_port;
	bool is_icmp; /* ICMP or ICMPv6 by `protocol` 1 or 58 */
	uint8_t icmp_type, icmp_code;
};

/* What hashing needs, made once: looking an algorithm up costs more than using it. */
struct fyke_community_hasher;

/* NULL when memory is out or libcrypto has no SHA-1 to give. */
struct fyke_community_hasher *fyke_community_hasher_new(void);
void fyke_community_hasher_free(struct fyke_community_hasher *hasher);

/* Empty text when libcrypto fails. */
void fyke_community_id(struct fyke_community_hasher *hasher, const struct fyke_community_id_input *input,
	char text[FYKE_COMMUNITY_ID_TEXT]);

/* Fills in session->community_id where that is empty. */
void fyke_session_community_id(struct fyke_community_hasher *hasher, struct fyke_session *session);

#endif
