/* The five bytes in front of a record of TLS over a stream (RFC 8446 §5.1), and what they say of an opening.
 */
#ifndef FYKE_SHARED_TLS_RECORD_H
#define FYKE_SHARED_TLS_RECORD_H

#include "dissectors/dissector.h"

enum {
	FYKE_TLS_CHANGE_CIPHER_SPEC = 20,
	FYKE_TLS_ALERT = 21,
	FYKE_TLS_HANDSHAKE = 22,
	FYKE_TLS_APPLICATION_DATA = 23,
	FYKE_TLS_HEARTBEAT = 24,

	FYKE_TLS_RECORD_HEADER = 5,
	FYKE_TLS_RECORD_MAX = 16384 + 2048, /* RFC 5246 §6.2.3 */
};

struct fyke_tls_record {
	uint8_t type;
	uint16_t length;
};

/* False: it cannot be one, or there are fewer than five bytes. */
bool fyke_tls_read_record(const uint8_t *data, size_t length, struct fyke_tls_record *record);

enum fyke_match fyke_tls_probe(const struct fyke_opening *opening);

#endif
