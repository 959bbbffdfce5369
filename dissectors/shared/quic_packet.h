/* QUIC's packets as they stand in datagrams: what all versions have in common (RFC 8999), the long headers of
 * RFC 9000 §17.2 and RFC 9369 §3.2, and Google's before there was a standard. */
#ifndef FYKE_SHARED_QUIC_PACKET_H
#define FYKE_SHARED_QUIC_PACKET_H

#include "dissectors/dissector.h"
#include "dissectors/shared/quic_crypto.h"

enum { FYKE_QUIC_VERSION_NAME = 16 };

enum fyke_quic_kind {
	FYKE_QUIC_NONE, /* not understood: the datagram's rest is passed over */
	FYKE_QUIC_SHORT,
	FYKE_QUIC_NEGOTIATION,
	FYKE_QUIC_INITIAL,
	FYKE_QUIC_ZERO_RTT,
	FYKE_QUIC_HANDSHAKE,
	FYKE_QUIC_RETRY,
	FYKE_QUIC_GOOGLE, /* until Q046: its payload is not encrypted while it says hello */
};

struct fyke_quic_packet {
	enum fyke_quic_kind kind;
	uint32_t version;
	struct fyke_cursor dcid, scid;
	struct fyke_cursor whole;  /* of those with a length: the packet; of negotiation: the versions */
	size_t number_at;	   /* of Initial: where in `whole` the packet number begins */
	struct fyke_cursor frames; /* of Google's */
};

/* The packet at the front of the datagram; moves behind it. */
struct fyke_quic_packet fyke_quic_read(struct fyke_cursor *datagram);

/* A version that is in use and whose packets are understood. */
bool fyke_quic_is_known(uint32_t version);
bool fyke_quic_is_google(uint32_t version); /* with the crypto of Google: Q043 to Q050 */
/* "1" "2" "draft-29" "Q046" …, else 0x12345678. */
void fyke_quic_version_name(uint32_t version, char name[FYKE_QUIC_VERSION_NAME]);

/* RFC 9000 §16 */
uint64_t fyke_quic_varint(struct fyke_cursor *c);

enum fyke_match fyke_quic_probe(const struct fyke_opening *opening);

#endif
