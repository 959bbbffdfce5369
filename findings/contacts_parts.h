/* What contacts.c and contacts_folded.c share. Private to them. */
#ifndef FYKE_FINDINGS_CONTACTS_PARTS_H
#define FYKE_FINDINGS_CONTACTS_PARTS_H

#include "findings/contacts.h"
#include "storage/index.h"
#include "storage/rows.h"

struct contact {
	uint64_t key[2];
	int64_t first_id, said_bytes; /* of the session with the most payload, whose service counts */
	int64_t first_us, last_us, longest_us;
	int64_t client_bytes, server_bytes, client_payload, server_payload, client_packets, server_packets;
	int64_t client_resent, server_resent, resend_wait_us, handshake_us, handshake_least_us;
	int64_t established_us, established_id; /* of the earliest that was; 0 = none */
	int64_t ttl_change_us; /* when the first packet with another TTL of the server came; 0 = never */
	uint32_t client, server, service, content_service, server_name; /* places in the texts; 0 = NULL */
	int32_t port;							/* -1: none */
	uint32_t sessions, guessed, opened, established, refused, unanswered, half_open, brief, mismatches;
	uint32_t connects, fin_probes, null_probes, xmas_probes, ack_probes, handshakes;
	uint32_t low_ttls, middle_ttls,
		high_ttls; /* sessions by the TTL that the client's system begins with */
	uint32_t ttl_count, later_ttl_count, ttls_mixed;
	uint32_t sample, sample_count; /* the latest in `samples`, plus 1 */
	int16_t ttl, later_ttl;
	uint8_t protocol;
	struct fyke_rhythm rhythm;
};

struct sample {
	struct fyke_contact_sample what;
	uint32_t earlier; /* plus 1; 0 = none */
};

struct fyke_contacts {
	struct fyke_index contacts;
	struct sample *samples;
	size_t sample_count, sample_room;
	char *texts; /* one behind the other, each with its NUL */
	size_t text_used, text_room;
	struct fyke_rows rows;
	int64_t left_out;
};

/* What makes a contact. */
struct fyke_contact_name {
	int protocol, port; /* port: -1 = none */
	const char *client, *server;
};

/* The contact of a name, made when new; NULL when there are too many (counted). */
struct contact *fyke_contacts_at(
	struct fyke_contacts *all, const struct fyke_contact_name *name, bool *fresh);
/* A text's place; the same as `now` where it is the same text. 0: NULL, or memory is out. */
uint32_t fyke_contacts_keep_text(struct fyke_contacts *all, const char *text, uint32_t now);
/* False: memory is out. */
bool fyke_contacts_add_sample(
	struct fyke_contacts *all, struct contact *c, const struct fyke_contact_sample *sample);

/* contacts_folded.c: what folded sessions add. */
FYKE_MUST_USE enum fyke_status fyke_contacts_gather_folded(
	struct fyke_contacts *all, sqlite3 *db, int64_t capture_id, struct fyke_error *error);

#endif
