/*
 * Transactions of the DNS and its kin, and the table that all of them share: a query waits for the answer
 * of the same id and question; what stays alone is told alone.
 */
#ifndef FYKE_DISSECTORS_SHARED_DNS_TALK_H
#define FYKE_DISSECTORS_SHARED_DNS_TALK_H

#include "dissectors/dissector.h"
#include "dissectors/shared/dns.h"

enum {
	FYKE_DNS_WAITING_MAX = 64,	/* queries of a session that wait for their answers */
	FYKE_DNS_MEMORY_MAX = 64 << 10, /* their texts */
};

struct fyke_dns_kind {
	const char *protocol; /* the dissector's name */
	bool netbios;
	bool lone; /* answers come from elsewhere, or to nobody's question: queries do not wait */
};

struct fyke_dns_waiting;

/* A dissector's state, or part of it. */
struct fyke_dns_talk {
	struct fyke_dns_waiting *first, *last;
	unsigned count;
};

extern const struct fyke_table fyke_dns_table;
extern const struct fyke_table *const fyke_dns_tables[];

/* Takes a message. False: it is none. */
bool fyke_dns_take(struct fyke_dissection *dissection, struct fyke_dns_talk *talk,
	const struct fyke_dns_kind *kind, const struct fyke_input *input);

/* Tells what still waits. */
void fyke_dns_finish(
	struct fyke_dissection *dissection, struct fyke_dns_talk *talk, const struct fyke_dns_kind *kind);

/* The probe of all of them for datagrams: YES where either is a message without a fault. */
enum fyke_match fyke_dns_probe(const struct fyke_opening *opening, bool netbios);

/* After a datagram: where no query waits nothing needs to be remembered. */
static inline struct fyke_verdict fyke_dns_rest(const struct fyke_dns_talk *talk)
{
	return talk->count == 0 ? fyke_rest() : fyke_more(0);
}

/* What a record says of a host; `name` is what was asked for, or the record's owner. */
void fyke_dns_facts(struct fyke_dissection *dissection, const struct fyke_dns_kind *kind,
	const struct fyke_dns_reader *reader, const struct fyke_dns_record *record, enum fyke_side sender,
	struct fyke_value name);

#endif
