/*
 * Keys by HKDF (RFC 5869) with TLS 1.3's labels (RFC 8446 §7.1), header protection by AES-ECB (RFC 9001
 * §5.4.3), payload by AES-128-GCM (§5.3). Initial packets know no other algorithms.
 */
#include "dissectors/shared/quic_crypto.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { SALT = 20, SECRET = 32, SAMPLE = 16 };

struct salt {
	uint32_t first, last; /* versions */
	uint8_t bytes[SALT];
};

static const struct salt salts[] = {
	/* RFC 9001 §5.2 */
	{0x00000001, 0x00000001,
		{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c,
			0xad, 0xcc, 0xbb, 0x7f, 0x0a}},
	{0xff000021, 0xff000022,
		{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c,
			0xad, 0xcc, 0xbb, 0x7f, 0x0a}},
	/* RFC 9369 §3.3.1 and an earlier draft */
	{0x6b3343cf, 0x6b3343cf,
		{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d,
			0xcb, 0xf9, 0xbd, 0x2e, 0xd9}},
	{0x709a50c4, 0x709a50c4,
		{0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d, 0x62, 0xca, 0x57, 0x04, 0x06,
			0xea, 0x7a, 0xe3, 0xe5, 0xd3}},
	/* drafts of version 1 */
	{0xff00001d, 0xff000020,
		{0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11,
			0xe0, 0x43, 0x90, 0xa8, 0x99}},
	{0xff000017, 0xff00001c,
		{0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63,
			0x65, 0xbe, 0xf9, 0xf5, 0x02}},
	{0xff000016, 0xff000016,
		{0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e,
			0xbd, 0x7a, 0x02, 0x64, 0x4a}},
	/* mvfst: as drafts 22 and 27 */
	{0xfaceb001, 0xfaceb001,
		{0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e,
			0xbd, 0x7a, 0x02, 0x64, 0x4a}},
	{0xfaceb002, 0xfaceb00e,
		{0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63,
			0x65, 0xbe, 0xf9, 0xf5, 0x02}},
	/* Q050, T050, T051 */
	{0x51303530, 0x51303530,
		{0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94, 0x5c, 0xfc, 0xdb, 0xd3, 0xa7,
			0xf0, 0xd3, 0xb5, 0x6b, 0x45}},
	{0x54303530, 0x54303530,
		{0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43, 0xa2, 0x36,
			0x7c, 0x60, 0x48, 0x83, 0x10}},
	{0x54303531, 0x54303531,
		{0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12, 0x4f, 0xc8,
			0xcc, 0xda, 0x6e, 0x03, 0x3d}},
};

static const uint8_t *salt_of(uint32_t version)
{
	/* reserved ones, to force negotiation (RFC 9000 §15): their first packets are as in version 1 */
	if ((version & 0x0f0f0f0f) == 0x0a0a0a0a)
		return salts[0].bytes;
	for (size_t i = 0; i < sizeof(salts) / sizeof(salts[0]); i++) {
		if (version >= salts[i].first && version <= salts[i].last)
			return salts[i].bytes;
	}
	return NULL;
}

static bool hmac(const uint8_t *key, size_t key_length, struct fyke_cursor text, uint8_t sum[SECRET])
{
	unsigned length = 0;

	return HMAC(EVP_sha256(), key, (int)key_length, text.at, fyke_cursor_left(&text), sum, &length) !=
		       NULL &&
	       length == SECRET;
}

/* HKDF-Expand-Label without context, of at most one block */
static bool expand(const uint8_t secret[SECRET], const char *label, uint8_t *out, size_t length)
{
	uint8_t info[40], block[SECRET];
	size_t label_length = 0;

	while (label[label_length] != '\0' && label_length < 24)
		label_length++;
	info[0] = 0;
	info[1] = (uint8_t)length;
	info[2] = (uint8_t)(label_length + 6);
	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, label_length);
	info[9 + label_length] = 0;
	info[10 + label_length] = 1;
	if (!hmac(secret, SECRET, fyke_cursor(info, label_length + 11), block))
		return false;
	memcpy(out, block, length);
	return true;
}

bool fyke_quic_initial_keys(
	uint32_t version, struct fyke_cursor cid, enum fyke_side side, struct fyke_quic_keys *keys)
{
	const uint8_t *salt = salt_of(version);
	bool two = version == 0x6b3343cf || version == 0x709a50c4;
	uint8_t initial[SECRET], secret[SECRET];

	return salt != NULL && hmac(salt, SALT, cid, initial) &&
	       expand(initial, side == FYKE_CLIENT ? "client in" : "server in", secret, SECRET) &&
	       expand(secret, two ? "quicv2 key" : "quic key", keys->key, sizeof(keys->key)) &&
	       expand(secret, two ? "quicv2 iv" : "quic iv", keys->iv, sizeof(keys->iv)) &&
	       expand(secret, two ? "quicv2 hp" : "quic hp", keys->hp, sizeof(keys->hp));
}

/* RFC 9001 §5.4.1: the mask is the sample, encrypted */
static bool make_mask(
	EVP_CIPHER_CTX *cipher, const uint8_t hp[16], const uint8_t *sample, uint8_t mask[SAMPLE])
{
	int length = 0;

	return EVP_EncryptInit_ex(cipher, EVP_aes_128_ecb(), NULL, hp, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(cipher, 0) == 1 &&
	       EVP_EncryptUpdate(cipher, mask, &length, sample, SAMPLE) == 1 && length == SAMPLE;
}

/* `out` begins with the header, of `header` bytes; the payload goes behind it. */
static bool open_payload(EVP_CIPHER_CTX *cipher, const struct fyke_quic_keys *keys, uint32_t number,
	struct fyke_cursor packet, size_t header, uint8_t *out)
{
	size_t payload = fyke_cursor_left(&packet) - header - FYKE_QUIC_TAG;
	uint8_t nonce[12], tag[FYKE_QUIC_TAG];
	int length = 0;

	memcpy(nonce, keys->iv, sizeof(nonce));
	for (int i = 0; i < 4; i++)
		nonce[8 + i] ^= (uint8_t)(number >> (24 - 8 * i));
	memcpy(tag, packet.at + header + payload, sizeof(tag));
	return EVP_DecryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, keys->key, nonce) == 1 &&
	       EVP_DecryptUpdate(cipher, NULL, &length, out, (int)header) == 1 &&
	       EVP_DecryptUpdate(cipher, out + header, &length, packet.at + header, (int)payload) == 1 &&
	       EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag) == 1 &&
	       EVP_DecryptFinal_ex(cipher, out + header + payload, &length) == 1;
}

/* The packet number is taken as it stands: Initial packets are few, their numbers are never cut (RFC 9000
 * §17.1). */
static size_t unmask(
	struct fyke_cursor packet, size_t number_at, const uint8_t *mask, uint8_t *out, uint32_t *number)
{
	size_t number_length;

	memcpy(out, packet.at, number_at + 4);
	out[0] ^= mask[0] & 0x0f;
	number_length = (size_t)(out[0] & 3) + 1;
	*number = 0;
	for (size_t i = 0; i < number_length; i++) {
		out[number_at + i] ^= mask[1 + i];
		*number = *number << 8 | out[number_at + i];
	}
	return number_at + number_length;
}

struct fyke_cursor fyke_quic_open(
	const struct fyke_quic_keys *keys, struct fyke_cursor packet, size_t number_at, uint8_t *out)
{
	size_t length = fyke_cursor_left(&packet), header;
	struct fyke_cursor payload = fyke_cursor(NULL, 0);
	EVP_CIPHER_CTX *cipher;
	uint8_t mask[SAMPLE];
	uint32_t number;

	if (length > INT32_MAX || number_at > length || length - number_at < 4 + SAMPLE)
		return payload;
	cipher = EVP_CIPHER_CTX_new();
	if (cipher != NULL && make_mask(cipher, keys->hp, packet.at + number_at + 4, mask)) {
		header = unmask(packet, number_at, mask, out, &number);
		if (length >= header + FYKE_QUIC_TAG &&
			open_payload(cipher, keys, number, packet, header, out))
			payload = fyke_cursor(out + header, length - header - FYKE_QUIC_TAG);
	}
	EVP_CIPHER_CTX_free(cipher);
	ERR_clear_error();
	return payload;
}
