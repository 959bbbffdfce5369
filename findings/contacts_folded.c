/* Folded sessions into contacts: as contacts.c counts rows, for sessions that are a SYN and perhaps a reset.
 */
#include "findings/contacts_parts.h"

#include "storage/folded.h"

#include <string.h>

enum { TCP = 6, SYN = 2, ACK = 16 };

static void count_kind(struct contact *c, const struct fyke_folded *folded)
{
	const struct fyke_folded_kind *kind = &folded->kind;
	int ttl = folded->ttl[FYKE_CLIENT];

	c->client_bytes += kind->bytes[FYKE_CLIENT];
	c->server_bytes += kind->bytes[FYKE_SERVER];
	c->client_packets += kind->packets[FYKE_CLIENT];
	c->server_packets += kind->packets[FYKE_SERVER];
	c->sessions++;
	c->unanswered += kind->packets[FYKE_SERVER] == 0;
	c->refused += kind->state == FYKE_STATE_REJ;
	c->half_open += strcmp(kind->history, "S") == 0;
	c->connects += (kind->tcp_flags[FYKE_CLIENT] & (SYN | ACK)) == (SYN | ACK);
	c->low_ttls += ttl >= 60 && ttl <= 64;
	c->middle_ttls += ttl >= 124 && ttl <= 128;
	c->high_ttls += ttl > 250;
}

static bool take(void *context, int64_t id, const struct fyke_folded *folded)
{
	struct fyke_contacts *all = context;
	const struct fyke_contact_sample sample = {folded->start_us, folded->kind.bytes[FYKE_CLIENT]};
	char client[FYKE_ADDRESS_TEXT], server[FYKE_ADDRESS_TEXT];
	const struct fyke_contact_name name = {TCP, folded->port[FYKE_SERVER], client, server};
	int64_t lasted_us = (int64_t)((uint64_t)folded->end_us - (uint64_t)folded->start_us);
	struct contact *c;
	bool fresh;

	(void)fyke_address_text(&folded->ip[FYKE_CLIENT], client);
	(void)fyke_address_text(&folded->ip[FYKE_SERVER], server);
	c = fyke_contacts_at(all, &name, &fresh);
	if (c == NULL)
		return true;
	if (fresh || folded->start_us < c->first_us) {
		c->first_us = folded->start_us;
		c->first_id = id;
	}
	if (fresh || folded->end_us > c->last_us)
		c->last_us = folded->end_us;
	if (lasted_us > c->longest_us)
		c->longest_us = lasted_us;
	if (fresh)
		c->service = fyke_contacts_keep_text(all, folded->service, 0);
	count_kind(c, folded);
	return fyke_contacts_add_sample(all, c, &sample);
}

enum fyke_status fyke_contacts_gather_folded(
	struct fyke_contacts *all, sqlite3 *db, int64_t capture_id, struct fyke_error *error)
{
	return fyke_folded_each(db, capture_id, take, all, error);
}
