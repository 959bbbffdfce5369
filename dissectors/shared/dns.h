/*
 * Messages of the DNS (RFC 1035 §4) and of what shares its form: mDNS, LLMNR, NetBIOS names (RFC 1002 §4.2).
 *
 * A reader goes through header, questions and records in order. Names are in presentation form
 * (RFC 1035 §5.1, RFC 4343 §2.1) without the last dot: a dot or backslash within a label has a backslash
 * in front, control bytes and what is not UTF-8 are \DDD; the root is ".".
 */
#ifndef FYKE_DISSECTORS_SHARED_DNS_H
#define FYKE_DISSECTORS_SHARED_DNS_H

#include "analyzer/base/cursor.h"
#include "dissectors/shared/phrase.h"

enum {
	FYKE_DNS_HEADER = 12,
	FYKE_DNS_NAME_ROOM = 1024, /* any name's text fits */
	FYKE_DNS_OPT = 41,
};

enum fyke_dns_section { FYKE_DNS_ANSWER, FYKE_DNS_AUTHORITY, FYKE_DNS_ADDITIONAL, FYKE_DNS_SECTIONS };

struct fyke_dns_reader {
	struct fyke_cursor cursor;
	const uint8_t *message; /* borrowed */
	size_t length;
	bool netbios; /* first labels are encoded as RFC 1001 §14.1 has it */
	uint16_t id, flags;
	uint16_t questions;		     /* that the header announces */
	uint16_t records[FYKE_DNS_SECTIONS]; /* likewise */
	uint32_t read;			     /* records read so far */
};

struct fyke_dns_question {
	uint16_t type, class;
	char text[FYKE_DNS_NAME_ROOM];
	size_t length;
};

struct fyke_dns_record {
	enum fyke_dns_section section;
	uint16_t type, class;
	uint32_t ttl;
	struct fyke_cursor data;
	char owner[FYKE_DNS_NAME_ROOM];
	size_t owner_length;
};

/* False where there is no whole header. */
bool fyke_dns_begin(struct fyke_dns_reader *reader, const uint8_t *message, size_t length);

/* The next question; as often as `questions` says. False: it is not there, or wrong. */
bool fyke_dns_next_question(struct fyke_dns_reader *reader, struct fyke_dns_question *question);

/* The next record. False: there is none, or it is wrong (the cursor tells). */
bool fyke_dns_next_record(struct fyke_dns_reader *reader, struct fyke_dns_record *record);

/* Reads a name at the cursor, which runs over the message; `out` may be NULL. False: not well-formed. */
bool fyke_dns_name(const struct fyke_dns_reader *reader, struct fyke_cursor *cursor, struct fyke_phrase *out);

/* The value of a record in presentation form; what is not known or not well-formed as RFC 3597 has it. */
void fyke_dns_data(
	const struct fyke_dns_reader *reader, const struct fyke_dns_record *record, struct fyke_phrase *out);

/* "A", "TYPE65534" … */
void fyke_dns_type(uint16_t type, struct fyke_phrase *out);
void fyke_dns_netbios_type(uint16_t type, struct fyke_phrase *out);
void fyke_dns_class(uint16_t class, struct fyke_phrase *out);
void fyke_dns_rcode(unsigned rcode, struct fyke_phrase *out);
bool fyke_dns_type_is_known(uint16_t type);
/* The letters of its fields (dns_rdata.c); NULL where they are not known. */
const char *fyke_dns_fields(uint16_t type);

/* IN, CH, HS, NONE, ANY, also with the bit that mDNS puts in front. */
bool fyke_dns_class_is_known(uint16_t class);

/* The whole of it is a message without a fault, with nothing behind. */
bool fyke_dns_is_message(const uint8_t *message, size_t length, bool netbios);

/* The address that a name under in-addr.arpa or ip6.arpa stands for. */
bool fyke_dns_reverse(const char *name, size_t length, struct fyke_address *address);

static inline unsigned fyke_dns_opcode(const struct fyke_dns_reader *reader)
{
	return reader->flags >> 11 & 15;
}

static inline bool fyke_dns_is_response(const struct fyke_dns_reader *reader)
{
	return reader->flags >> 15 != 0;
}

#endif
