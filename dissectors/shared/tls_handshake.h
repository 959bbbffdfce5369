/*
 * What the handshakes of TLS and DTLS tell, message by message, and the tables `tls` and `certificates`.
 * QUIC uses the hellos alone.
 */
#ifndef FYKE_SHARED_TLS_HANDSHAKE_H
#define FYKE_SHARED_TLS_HANDSHAKE_H

#include "dissectors/shared/tls_certificate.h"
#include "dissectors/shared/tls_finger.h"
#include "dissectors/shared/tls_names.h"

enum {
	FYKE_TLS_CLIENT_HELLO = 1,
	FYKE_TLS_SERVER_HELLO = 2,
	FYKE_TLS_HELLO_VERIFY = 3,
	FYKE_TLS_HELLO_RETRY = 6, /* of drafts of TLS 1.3 */
	FYKE_TLS_CERTIFICATE = 11,
	FYKE_TLS_SERVER_KEY_EXCHANGE = 12,
	FYKE_TLS_SERVER_HELLO_DONE = 14,
	FYKE_TLS_FINISHED = 20,

	FYKE_TLS_MESSAGE_MAX =
		64 * 1024,	 /* longer messages are passed over: chains of certificates have 2 to 20 KiB
				  */
	FYKE_TLS_CHAIN_MAX = 16, /* certificates of one message that are told */
};

/* Both hellos of a handshake. */
struct fyke_tls_hellos {
	bool has_client, has_server, retry;
	bool ech, early_data, use_srtp, server_pre_shared_key;
	uint16_t client_version, version, cipher, group; /* group 0: not told */
	struct fyke_text sni, client_alpn, alpn;
	uint8_t session[32], session_length; /* the client's id */
	bool session_repeated;		     /* by the server */
	char ja3[FYKE_JA3], ja3s[FYKE_JA3], ja4[FYKE_JA4];
};

/* Takes a hello's body; false: it is none. `transport` as JA4 has it. */
bool fyke_tls_take_client_hello(struct fyke_dissection *dissection, struct fyke_tls_hellos *hellos,
	struct fyke_cursor body, char transport);
bool fyke_tls_take_server_hello(
	struct fyke_dissection *dissection, struct fyke_tls_hellos *hellos, struct fyke_cursor body);
/* TLS 1.3, one of its drafts, or DTLS 1.3 was agreed on. */
bool fyke_tls_is_13(const struct fyke_tls_hellos *hellos);

struct fyke_tls_handshake {
	struct fyke_tls_hellos hellos;
	struct fyke_moment moment; /* of the first hello */
	enum fyke_side client;	   /* who said ClientHello */
	char transport;		   /* as JA4 has it */
	bool begun, told;
	bool certificate, hello_done, lost; /* seen of the server; a message was lost */
	bool established, resumed;
	bool has_alert;
	enum fyke_side alert_side;
	uint8_t alert;
	unsigned chain_length;
	uint32_t cipher_ssl2;
	struct fyke_certificate leaf; /* the server's */
	struct fyke_text client_subject, client_issuer;
};

extern const struct fyke_table fyke_table_tls, fyke_table_certificates;
extern const struct fyke_table *const fyke_tables_of_tls[];

/* A message of the handshake in the clear. False: it is a hello that is none. */
bool fyke_tls_message(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake,
	enum fyke_side side, uint8_t type, struct fyke_cursor body);
/* Its body is of interest (others need not be kept). */
bool fyke_tls_wants(uint8_t type);
/* SSL 2's ClientHello, from its type on. */
bool fyke_tls_message_ssl2(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake,
	enum fyke_side side, struct fyke_cursor body);
void fyke_tls_alert(struct fyke_tls_handshake *handshake, enum fyke_side side, uint8_t alert);
/* The server turned to encryption (ChangeCipherSpec). */
void fyke_tls_server_encrypts(struct fyke_tls_handshake *handshake);
/* The chain of a Certificate message's body, or one certificate without a list around it (SSL 2). */
void fyke_tls_take_chain(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake,
	enum fyke_side side, struct fyke_cursor body);
void fyke_tls_take_certificate(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake,
	enum fyke_side side, struct fyke_cursor der);

/* Makes the row, once, if there was any hello. */
void fyke_tls_tell(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake);

#endif
