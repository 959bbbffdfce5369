/* Fingerprints of hellos: JA3, JA3S and JA4. */
#ifndef FYKE_SHARED_TLS_FINGER_H
#define FYKE_SHARED_TLS_FINGER_H

#include "dissectors/shared/tls_hello.h"

enum { FYKE_JA3 = 33, FYKE_JA4 = 37 }; /* with their NULs */

/* Lower-case hexadecimal MD5; "" when libcrypto has none. */
void fyke_tls_ja3(const struct fyke_tls_hello *client, char text[FYKE_JA3]);
void fyke_tls_ja3s(const struct fyke_tls_hello *server, char text[FYKE_JA3]);

/* `transport`: 't' TLS over TCP, 'q' QUIC, 'd' DTLS. "" for a hello with more ciphers, extensions or
 * signature algorithms than real ones have (512). */
void fyke_tls_ja4(const struct fyke_tls_hello *client, char transport, char text[FYKE_JA4]);

#endif
