/* Words and packets of memcached's protocols, and how they are known by their first bytes. */
#ifndef FYKE_DISSECTORS_SHARED_MEMCACHED_H
#define FYKE_DISSECTORS_SHARED_MEMCACHED_H

#include "dissectors/shared/line.h"

enum {
	FYKE_MEMCACHED_HEAD = 24,
	FYKE_MEMCACHED_KEY = 250,
	FYKE_MEMCACHED_BODY = 1 << 30,
	FYKE_MEMCACHED_REPLIES = 32
};

struct fyke_memcached_verb {
	const char *name;
	uint8_t key, size; /* which words those are; 0 = none */
	bool keys;	   /* all the others are keys */
};

bool fyke_memcached_is(struct fyke_word_of word, const char *name);
/* A command of the text protocol, or NULL. */
const struct fyke_memcached_verb *fyke_memcached_verb(struct fyke_word_of word);
/* Which reply of the text protocol the word begins; FYKE_MEMCACHED_REPLIES = none. */
size_t fyke_memcached_reply(struct fyke_word_of word);
bool fyke_memcached_is_failure(size_t reply);

/* The whole word is a decimal number. */
bool fyke_memcached_number(struct fyke_word_of word, int64_t *value);

/* The binary protocol. */
struct fyke_memcached_packet {
	uint8_t opcode, extras, type;
	uint16_t key, status;
	uint32_t body, opaque;
	struct fyke_cursor rest; /* behind the extras, as far as it is here */
};

/* False: no such packet of this side. What is not here yet reads as zero. */
bool fyke_memcached_packet(
	const uint8_t *data, size_t length, enum fyke_side side, struct fyke_memcached_packet *packet);
const char *fyke_memcached_opcode(uint8_t opcode);
const char *fyke_memcached_status(uint16_t status);

/* SASL PLAIN (RFC 4616) in what is behind a packet's key: who acts, who logs in, the secret. */
bool fyke_memcached_plain(
	const struct fyke_memcached_packet *packet, struct fyke_word_of *user, struct fyke_word_of *secret);

/* The header of a datagram. */
bool fyke_memcached_is_datagram(const uint8_t *data, size_t length);
enum fyke_match fyke_memcached_probe(const struct fyke_opening *opening);
/* The server's version is its product. */
void fyke_memcached_version(struct fyke_dissection *dissection, const void *version, size_t length);

#endif
