/* What both sides of SSH offer in KEXINIT (RFC 4253 §7.1), what is agreed of it, and HASSH. */
#ifndef FYKE_DISSECTORS_SHARED_SSH_OFFER_H
#define FYKE_DISSECTORS_SHARED_SSH_OFFER_H

#include "dissectors/dissector.h"

enum fyke_ssh_list {
	FYKE_SSH_KEX,
	FYKE_SSH_HOST_KEY,
	FYKE_SSH_CIPHER_C2S,
	FYKE_SSH_CIPHER_S2C,
	FYKE_SSH_MAC_C2S,
	FYKE_SSH_MAC_S2C,
	FYKE_SSH_COMPRESSION_C2S,
	FYKE_SSH_COMPRESSION_S2C,
	FYKE_SSH_LISTS
};

enum { FYKE_SSH_NAME = 64, FYKE_SSH_HASSH = 33, FYKE_SSH_FINGERPRINT = 60, FYKE_SSH_MD5 = 48 };

struct fyke_ssh_offer {
	struct fyke_text list[2][FYKE_SSH_LISTS]; /* by enum fyke_side; dropped once it is agreed */
	bool taken[2];
	char agreed[FYKE_SSH_LISTS][FYKE_SSH_NAME]; /* "" = nothing */
	char hassh[2][FYKE_SSH_HASSH];
	char fingerprint[FYKE_SSH_FINGERPRINT], fingerprint_md5[FYKE_SSH_MD5];
};

/* Fields of a table, and their values in this order. */
enum {
	FYKE_SSH_FIELD_KEX,
	FYKE_SSH_FIELD_HOST_KEY,
	FYKE_SSH_FIELD_CIPHER,
	FYKE_SSH_FIELD_MAC,
	FYKE_SSH_FIELD_COMPRESSION,
	FYKE_SSH_FIELD_FINGERPRINT,
	FYKE_SSH_FIELD_MD5,
	FYKE_SSH_FIELD_HASSH,
	FYKE_SSH_FIELD_HASSH_SERVER,
	FYKE_SSH_OFFER_FIELDS
};

#define FYKE_SSH_OFFER_FIELD_LIST(first)                                                                     \
	[(first) + FYKE_SSH_FIELD_KEX] = {"kex", FYKE_TYPE_TEXT, "the key exchange agreed on"},              \
		   [(first) + FYKE_SSH_FIELD_HOST_KEY] = {"host_key", FYKE_TYPE_TEXT,                        \
			   "the host key's algorithm agreed on"},                                            \
		   [(first) + FYKE_SSH_FIELD_CIPHER] = {"cipher", FYKE_TYPE_TEXT,                            \
			   "agreed on for what the client sends"},                                           \
		   [(first) + FYKE_SSH_FIELD_MAC] = {"mac", FYKE_TYPE_TEXT,                                  \
			   "likewise; without effect where the cipher authenticates by itself"},             \
		   [(first) + FYKE_SSH_FIELD_COMPRESSION] = {"compression", FYKE_TYPE_TEXT, "likewise"},     \
		   [(first) + FYKE_SSH_FIELD_FINGERPRINT] = {"host_key_sha256", FYKE_TYPE_TEXT,              \
			   "of the server's host key, as ssh-keygen shows it"},                              \
		   [(first) + FYKE_SSH_FIELD_MD5] = {"host_key_md5", FYKE_TYPE_TEXT,                         \
			   "likewise, as older programs show it"},                                           \
		   [(first) + FYKE_SSH_FIELD_HASSH] = {"hassh", FYKE_TYPE_TEXT, "of the client"},            \
		   [(first) + FYKE_SSH_FIELD_HASSH_SERVER] = {                                               \
			   "hassh_server", FYKE_TYPE_TEXT, "of the server"}

/* KEXINIT behind its type. */
void fyke_ssh_offer_take(struct fyke_dissection *dissection, struct fyke_ssh_offer *offer,
	enum fyke_side side, const uint8_t *bytes, size_t length);
/* The server's reply of the key exchange behind its type: its host key comes first. */
void fyke_ssh_offer_host_key(struct fyke_ssh_offer *offer, const uint8_t *bytes, size_t length);
/* The cipher that an SSH-1 client chose. */
void fyke_ssh_offer_cipher1(struct fyke_ssh_offer *offer, uint8_t number);
bool fyke_ssh_offer_compresses(const struct fyke_ssh_offer *offer);
/* FYKE_SSH_OFFER_FIELDS values, borrowed from the offer. */
void fyke_ssh_offer_values(const struct fyke_ssh_offer *offer, struct fyke_value *values);

#endif
