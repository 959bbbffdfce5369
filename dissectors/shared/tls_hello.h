/*
 * ClientHello and ServerHello as they stand in their handshake messages (RFC 5246 §7.4.1, RFC 8446 §4.1), the
 * same in TLS, DTLS and QUIC. Nothing is copied: cursors point into the message.
 */
#ifndef FYKE_SHARED_TLS_HELLO_H
#define FYKE_SHARED_TLS_HELLO_H

#include "analyzer/base/cursor.h"

enum {
	FYKE_TLS_SERVER_NAME = 0,
	FYKE_TLS_SUPPORTED_GROUPS = 10,
	FYKE_TLS_POINT_FORMATS = 11,
	FYKE_TLS_SIGNATURE_ALGORITHMS = 13,
	FYKE_TLS_USE_SRTP = 14,
	FYKE_TLS_ALPN = 16,
	FYKE_TLS_SESSION_TICKET = 35,
	FYKE_TLS_PRE_SHARED_KEY = 41,
	FYKE_TLS_EARLY_DATA = 42,
	FYKE_TLS_SUPPORTED_VERSIONS = 43,
	FYKE_TLS_KEY_SHARE = 51,
	FYKE_TLS_QUIC_PARAMETERS = 57,
	FYKE_TLS_NEXT_PROTOCOL = 13172,
	FYKE_TLS_ESNI = 0xffce,
	FYKE_TLS_ECH = 0xfe0d,
	FYKE_TLS_QUIC_PARAMETERS_DRAFT = 0xffa5,
};

/* Lists are those of numbers of two bytes, without their own length; an empty cursor: not there. */
struct fyke_tls_hello {
	uint16_t legacy_version;
	uint16_t version;	       /* server: what was chosen; client: the highest that is offered */
	uint16_t cipher;	       /* server: what was chosen */
	uint16_t group;		       /* server of TLS 1.3: of the key share; 0 = none */
	struct fyke_cursor session;    /* id */
	struct fyke_cursor ciphers;    /* client: list */
	struct fyke_cursor extensions; /* raw: type, length, content … */
	struct fyke_cursor name;       /* client: SNI */
	struct fyke_cursor alpn;       /* names, each with its length in front */
	struct fyke_cursor groups, signatures, versions; /* lists */
	struct fyke_cursor point_formats;		 /* bytes */
	struct fyke_cursor quic_parameters;
	bool early_data, pre_shared_key, ticket, use_srtp, ech, esni, next_protocol;
	bool retry; /* server: a HelloRetryRequest */
};

/* The body of a message, without its header. `cookie`: DTLS's hello has one. False: it is not one, or ends
 * before its extensions; of these what can be read is filled in. */
bool fyke_tls_client_hello(const uint8_t *body, size_t length, bool cookie, struct fyke_tls_hello *hello);
bool fyke_tls_server_hello(const uint8_t *body, size_t length, struct fyke_tls_hello *hello);
/* Of SSL 2's form of the hello (RFC 5246 Appendix E.2), from its message type on. Its ciphers are of three
 * bytes: `ciphers` has them raw. */
bool fyke_tls_client_hello_ssl2(const uint8_t *body, size_t length, struct fyke_tls_hello *hello);

/* The names of ALPN as text, joined by commas; the length without NUL, cut at `room`. */
size_t fyke_tls_alpn_text(const struct fyke_cursor *alpn, char *text, size_t room);

#endif
