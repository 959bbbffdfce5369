/*
 * Of each name list the client's first name that the server has too is agreed on (RFC 4253 §7.1). Lists are
 * kept to LIST_MAX bytes until both sides have offered; HASSH is made of them whole.
 */
#include "dissectors/shared/ssh_offer.h"

#include "analyzer/base/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { LIST_MAX = 1000, COOKIE = 16 };

struct list {
	const uint8_t *bytes;
	uint32_t length;
};

/* The 16 bytes of an MD5, with a sign between them unless that is NUL. */
static void write_hex(const uint8_t bytes[16], char between, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 16; i++) {
		if (i > 0 && between != '\0')
			*out++ = between;
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

/* MD5 of key exchange, cipher, MAC and compression, joined by semicolons. */
static void make_hassh(const struct list lists[FYKE_SSH_LISTS], enum fyke_side side, char out[FYKE_SSH_HASSH])
{
	size_t back = side == FYKE_SERVER ? 1 : 0,
	       parts[4] = {FYKE_SSH_KEX, FYKE_SSH_CIPHER_C2S + back, FYKE_SSH_MAC_C2S + back,
		       FYKE_SSH_COMPRESSION_C2S + back};
	struct fyke_digest md5;
	uint8_t hash[FYKE_DIGEST_BYTES];

	fyke_digest_begin(&md5, FYKE_MD5);
	for (size_t i = 0; i < 4; i++) {
		if (i > 0)
			fyke_digest_add(&md5, ";", 1);
		fyke_digest_add(&md5, lists[parts[i]].bytes, lists[parts[i]].length);
	}
	(void)fyke_digest_end(&md5, hash);
	write_hex(hash, '\0', out);
}

/* The name at *at, which moves behind it. */
static struct list next_name(const struct fyke_text *list, uint32_t *at)
{
	struct list name = {(const uint8_t *)list->bytes + *at, 0};

	while (*at + name.length < list->length && list->bytes[*at + name.length] != ',')
		name.length++;
	*at += name.length + 1;
	return name;
}

static void agree(const struct fyke_text *client, const struct fyke_text *server, char out[FYKE_SSH_NAME])
{
	for (uint32_t i = 0; i < client->length;) {
		struct list wanted = next_name(client, &i);

		for (uint32_t j = 0; j < server->length;) {
			struct list offered = next_name(server, &j);

			if (wanted.length != offered.length || wanted.length >= FYKE_SSH_NAME ||
				wanted.length == 0 || memcmp(wanted.bytes, offered.bytes, wanted.length) != 0)
				continue;
			memcpy(out, wanted.bytes, wanted.length);
			out[wanted.length] = '\0';
			return;
		}
	}
}

void fyke_ssh_offer_take(struct fyke_dissection *dissection, struct fyke_ssh_offer *offer,
	enum fyke_side side, const uint8_t *bytes, size_t length)
{
	struct fyke_cursor c = fyke_cursor(bytes, length);
	struct list lists[FYKE_SSH_LISTS];

	(void)fyke_cursor_skip(&c, COOKIE);
	for (size_t i = 0; i < FYKE_SSH_LISTS; i++) {
		lists[i].length = fyke_cursor_u32(&c);
		lists[i].bytes = fyke_cursor_take(&c, lists[i].length);
	}
	if (!fyke_cursor_ok(&c) || offer->taken[side])
		return;
	offer->taken[side] = true;
	make_hassh(lists, side, offer->hassh[side]);
	for (size_t i = 0; i < FYKE_SSH_LISTS; i++)
		fyke_keep(dissection, &offer->list[side][i], lists[i].bytes, lists[i].length, LIST_MAX);
	if (!offer->taken[fyke_side_other(side)])
		return;
	for (size_t i = 0; i < FYKE_SSH_LISTS; i++) {
		agree(&offer->list[FYKE_CLIENT][i], &offer->list[FYKE_SERVER][i], offer->agreed[i]);
		fyke_drop(dissection, &offer->list[FYKE_CLIENT][i]);
		fyke_drop(dissection, &offer->list[FYKE_SERVER][i]);
	}
}

void fyke_ssh_offer_host_key(struct fyke_ssh_offer *offer, const uint8_t *bytes, size_t length)
{
	struct fyke_cursor c = fyke_cursor(bytes, length), type;
	uint32_t size = fyke_cursor_u32(&c);
	const uint8_t *key = fyke_cursor_take(&c, size);
	uint8_t hash[FYKE_DIGEST_BYTES];
	unsigned char text[48];

	if (key == NULL)
		return;
	/* a group exchange's modulus comes in a message of the same number: a key begins with its type */
	type = fyke_cursor(key, size);
	size = fyke_cursor_u32(&type);
	if (size < 4 || size > FYKE_SSH_NAME || fyke_cursor_take(&type, size) == NULL ||
		offer->fingerprint[0] != '\0')
		return;
	size = (uint32_t)(type.end - key);
	(void)fyke_digest_of(FYKE_SHA256, key, size, hash);
	(void)EVP_EncodeBlock(text, hash, FYKE_SHA256_BYTES);
	(void)snprintf(offer->fingerprint, sizeof(offer->fingerprint), "SHA256:%.43s", text);
	(void)fyke_digest_of(FYKE_MD5, key, size, hash);
	write_hex(hash, ':', offer->fingerprint_md5);
}

void fyke_ssh_offer_cipher1(struct fyke_ssh_offer *offer, uint8_t number)
{
	static const char *const names[] = {"none", "idea", "des", "3des", "tss", "rc4", "blowfish"};

	if (number < sizeof(names) / sizeof(names[0]))
		(void)snprintf(offer->agreed[FYKE_SSH_CIPHER_C2S], FYKE_SSH_NAME, "%s", names[number]);
}

bool fyke_ssh_offer_compresses(const struct fyke_ssh_offer *offer)
{
	return strncmp(offer->agreed[FYKE_SSH_COMPRESSION_S2C], "zlib", 4) == 0;
}

static struct fyke_value text_of(const char *text)
{
	return text[0] != '\0' ? fyke_word(text) : fyke_null();
}

void fyke_ssh_offer_values(const struct fyke_ssh_offer *offer, struct fyke_value *values)
{
	values[FYKE_SSH_FIELD_KEX] = text_of(offer->agreed[FYKE_SSH_KEX]);
	values[FYKE_SSH_FIELD_HOST_KEY] = text_of(offer->agreed[FYKE_SSH_HOST_KEY]);
	values[FYKE_SSH_FIELD_CIPHER] = text_of(offer->agreed[FYKE_SSH_CIPHER_C2S]);
	values[FYKE_SSH_FIELD_MAC] = text_of(offer->agreed[FYKE_SSH_MAC_C2S]);
	values[FYKE_SSH_FIELD_COMPRESSION] = text_of(offer->agreed[FYKE_SSH_COMPRESSION_C2S]);
	values[FYKE_SSH_FIELD_FINGERPRINT] = text_of(offer->fingerprint);
	values[FYKE_SSH_FIELD_MD5] = text_of(offer->fingerprint_md5);
	values[FYKE_SSH_FIELD_HASSH] = text_of(offer->hassh[FYKE_CLIENT]);
	values[FYKE_SSH_FIELD_HASSH_SERVER] = text_of(offer->hassh[FYKE_SERVER]);
}
