/* Transport checksums: the Internet checksum (RFC 1071) and SCTP's CRC32c (RFC 9260 appendix A). */
#ifndef FYKE_DECODE_CHECKSUM_H
#define FYKE_DECODE_CHECKSUM_H

#include "analyzer/decode/layers.h"

/* Judges `length` bytes at `data`, a header whose checksum field stands at `field`, under a pseudo
 * header, or without one (`pseudo` NULL: ICMP). */
enum fyke_checksum fyke_checksum_internet(const uint8_t *data, uint32_t length, const uint8_t *field,
	const struct fyke_pseudo *pseudo, uint8_t protocol);

/* CRC32c over an SCTP packet of `length` ≥ 12 bytes; the field itself counts as zero. */
enum fyke_checksum fyke_checksum_sctp(const uint8_t *data, uint32_t length);

/* Sum of 16-bit words in the machine's byte order, folded; an odd last byte is padded. */
uint16_t fyke_checksum_sum(const uint8_t *data, size_t length, uint64_t start);

#endif
