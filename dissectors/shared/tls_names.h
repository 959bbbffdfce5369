/* The names that IANA's registries of TLS give to numbers. All are static; NULL: not registered. */
#ifndef FYKE_SHARED_TLS_NAMES_H
#define FYKE_SHARED_TLS_NAMES_H

#include <stddef.h>
#include <stdint.h>

enum { FYKE_TLS_NAME = 24 }; /* room for any name of a version or an unregistered number */

/* RFC 8446 Appendix B.4 and IANA's "TLS Cipher Suites"; retired and private ones that are seen in the wild
 * too.
 */
const char *fyke_tls_cipher_name(uint16_t cipher);
/* SSL 2's kinds of cipher are three bytes long. */
const char *fyke_tls_cipher_name_ssl2(uint32_t cipher);
/* "TLS Supported Groups" */
const char *fyke_tls_group_name(uint16_t group);
/* "TLS Alerts": RFC 8446 §6 */
const char *fyke_tls_alert_name(uint8_t alert);

/* "SSLv2" "SSLv3" "TLSv1.0" … "DTLSv1.3", "TLSv1.3-draft18"; what is none of them as 0x1234. */
void fyke_tls_version_name(uint16_t version, char name[FYKE_TLS_NAME]);

/* The reserved values of RFC 8701 (0x0a0a, 0x1a1a …). */
static inline int fyke_tls_is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

#endif
