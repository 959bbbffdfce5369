/* Names of versions, groups and alerts. The long table of ciphers: tls_ciphers.c. */
#include "dissectors/shared/tls_names.h"

#include <stdio.h>

static const char *const groups_below_46[] = {[1] = "sect163k1",
	"sect163r1",
	"sect163r2",
	"sect193r1",
	"sect193r2",
	"sect233k1",
	"sect233r1",
	"sect239k1",
	"sect283k1",
	"sect283r1",
	"sect409k1",
	"sect409r1",
	"sect571k1",
	"sect571r1",
	"secp160k1",
	"secp160r1",
	"secp160r2",
	"secp192k1",
	"secp192r1",
	"secp224k1",
	"secp224r1",
	"secp256k1",
	"secp256r1",
	"secp384r1",
	"secp521r1",
	"brainpoolP256r1",
	"brainpoolP384r1",
	"brainpoolP512r1",
	"x25519",
	"x448",
	"brainpoolP256r1tls13",
	"brainpoolP384r1tls13",
	"brainpoolP512r1tls13",
	"GC256A",
	"GC256B",
	"GC256C",
	"GC256D",
	"GC512A",
	"GC512B",
	"GC512C",
	"curveSM2"};

static const struct {
	uint16_t number;
	const char *name;
} groups[] = {
	{0x0100, "ffdhe2048"},
	{0x0101, "ffdhe3072"},
	{0x0102, "ffdhe4096"},
	{0x0103, "ffdhe6144"},
	{0x0104, "ffdhe8192"},
	{0x0200, "MLKEM512"},
	{0x0201, "MLKEM768"},
	{0x0202, "MLKEM1024"},
	{0x11eb, "SecP256r1MLKEM768"},
	{0x11ec, "X25519MLKEM768"},
	{0x11ed, "SecP384r1MLKEM1024"},
	{0x11ee, "curveSM2MLKEM768"},
	{0x6399, "X25519Kyber768Draft00"},
	{0x639a, "SecP256r1Kyber768Draft00"},
	{0xfe30, "X25519Kyber512Draft00"},
	{0xfe31, "X25519Kyber768Draft00"},
	{0xff01, "arbitrary_explicit_prime_curves"},
	{0xff02, "arbitrary_explicit_char2_curves"},
};

const char *fyke_tls_group_name(uint16_t group)
{
	if (group < sizeof(groups_below_46) / sizeof(groups_below_46[0]))
		return groups_below_46[group];
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (groups[i].number == group)
			return groups[i].name;
	}
	return NULL;
}

static const char *const alerts[] = {
	[0] = "close_notify",
	[1] = "end_of_early_data",
	[10] = "unexpected_message",
	[20] = "bad_record_mac",
	[21] = "decryption_failed",
	[22] = "record_overflow",
	[30] = "decompression_failure",
	[40] = "handshake_failure",
	[41] = "no_certificate",
	[42] = "bad_certificate",
	[43] = "unsupported_certificate",
	[44] = "certificate_revoked",
	[45] = "certificate_expired",
	[46] = "certificate_unknown",
	[47] = "illegal_parameter",
	[48] = "unknown_ca",
	[49] = "access_denied",
	[50] = "decode_error",
	[51] = "decrypt_error",
	[52] = "too_many_cids_requested",
	[60] = "export_restriction",
	[70] = "protocol_version",
	[71] = "insufficient_security",
	[80] = "internal_error",
	[86] = "inappropriate_fallback",
	[90] = "user_canceled",
	[100] = "no_renegotiation",
	[109] = "missing_extension",
	[110] = "unsupported_extension",
	[111] = "certificate_unobtainable",
	[112] = "unrecognized_name",
	[113] = "bad_certificate_status_response",
	[114] = "bad_certificate_hash_value",
	[115] = "unknown_psk_identity",
	[116] = "certificate_required",
	[117] = "general_error",
	[120] = "no_application_protocol",
	[121] = "ech_required",
};

const char *fyke_tls_alert_name(uint8_t alert)
{
	return alert < sizeof(alerts) / sizeof(alerts[0]) ? alerts[alert] : NULL;
}

static const char *known_version(uint16_t version)
{
	switch (version) {
	case 0x0002:
		return "SSLv2";
	case 0x0300:
		return "SSLv3";
	case 0x0301:
		return "TLSv1.0";
	case 0x0302:
		return "TLSv1.1";
	case 0x0303:
		return "TLSv1.2";
	case 0x0304:
		return "TLSv1.3";
	case 0x0100: /* OpenSSL 0.9.8f and Cisco AnyConnect */
		return "DTLSv0.9";
	case 0xfeff:
		return "DTLSv1.0";
	case 0xfefd:
		return "DTLSv1.2";
	case 0xfefc:
		return "DTLSv1.3";
	default:
		return NULL;
	}
}

void fyke_tls_version_name(uint16_t version, char name[FYKE_TLS_NAME])
{
	const char *known = known_version(version);

	if (known != NULL)
		(void)snprintf(name, FYKE_TLS_NAME, "%s", known);
	else if (version >> 8 == 0x7f)
		(void)snprintf(name, FYKE_TLS_NAME, "TLSv1.3-draft%u", version & 0xffU);
	else
		(void)snprintf(name, FYKE_TLS_NAME, "0x%04x", version);
}
