/*
 * The protection of QUIC's Initial packets (RFC 9001 §5, RFC 9369 §3.3): its keys follow from the client's
 * first destination connection id, so that whoever sees that packet can open them.
 */
#ifndef FYKE_SHARED_QUIC_CRYPTO_H
#define FYKE_SHARED_QUIC_CRYPTO_H

#include "analyzer/base/cursor.h"
#include "analyzer/base/side.h"

enum { FYKE_QUIC_CID_MAX = 20, FYKE_QUIC_TAG = 16 };

struct fyke_quic_keys {
	uint8_t key[16], iv[12], hp[16];
};

/* Keys of packets that `side` sends. False: the version has none that are known, or libcrypto failed. */
bool fyke_quic_initial_keys(
	uint32_t version, struct fyke_cursor cid, enum fyke_side side, struct fyke_quic_keys *keys);

/* Opens a packet: `packet` is all of it, from the first byte to the end that its Length tells; the packet
 * number begins at `number_at`. Writes the header without protection, then the payload, to `out`, which has
 * room for the packet. The payload is empty when it cannot be opened. */
struct fyke_cursor fyke_quic_open(
	const struct fyke_quic_keys *keys, struct fyke_cursor packet, size_t number_at, uint8_t *out);

#endif
