/* The chains of certificates that both sides show (RFC 5246 §7.4.2), a row per certificate. */
#include "dissectors/shared/tls_handshake.h"

enum {
	SIDE,
	POSITION,
	SUBJECT,
	ISSUER,
	SAN,
	SERIAL,
	FINGERPRINT_SHA256,
	FINGERPRINT_SHA1,
	NOT_BEFORE_US,
	NOT_AFTER_US,
	EXPIRED,
	KEY_TYPE,
	KEY_CURVE,
	KEY_BITS,
	SIGNATURE_ALGORITHM,
	SELF_SIGNED,
	AUTHORITY,
	CERTIFICATE_BYTES,
	FIELD_COUNT,
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[SIDE] = {"side", FYKE_TYPE_TEXT, "who showed it: client, server"},
	[POSITION] = {"position", FYKE_TYPE_INTEGER, "in the chain: 0 is the side's own"},
	[SUBJECT] = {"subject", FYKE_TYPE_TEXT, "as RFC 2253 writes names; NULL where it could not be read"},
	[ISSUER] = {"issuer", FYKE_TYPE_TEXT, "likewise"},
	[SAN] = {"san", FYKE_TYPE_TEXT, "alternative names: DNS:…,IP:…,email:…,URI:…"},
	[SERIAL] = {"serial", FYKE_TYPE_TEXT, "hexadecimal"},
	[FINGERPRINT_SHA256] = {"fingerprint_sha256", FYKE_TYPE_TEXT, "of the whole certificate"},
	[FINGERPRINT_SHA1] = {"fingerprint_sha1", FYKE_TYPE_TEXT, "of the whole certificate"},
	[NOT_BEFORE_US] = {"not_before_us", FYKE_TYPE_INTEGER, "begin of its validity"},
	[NOT_AFTER_US] = {"not_after_us", FYKE_TYPE_INTEGER, "end of its validity"},
	[EXPIRED] = {"expired", FYKE_TYPE_BOOLEAN, "it had ended when this packet was sent"},
	[KEY_TYPE] = {"key_type", FYKE_TYPE_TEXT, "rsa, ec, dsa, ed25519 …"},
	[KEY_CURVE] = {"key_curve", FYKE_TYPE_TEXT, "of an ec key"},
	[KEY_BITS] = {"key_bits", FYKE_TYPE_INTEGER, "size of the key"},
	[SIGNATURE_ALGORITHM] = {"signature_algorithm", FYKE_TYPE_TEXT, "e.g. sha256WithRSAEncryption"},
	[SELF_SIGNED] = {"self_signed", FYKE_TYPE_BOOLEAN, "subject and issuer are the same"},
	[AUTHORITY] = {"authority", FYKE_TYPE_BOOLEAN, "it may issue others (basic constraints)"},
	[CERTIFICATE_BYTES] = {"certificate_bytes", FYKE_TYPE_INTEGER, "its length"},
};

const struct fyke_table fyke_table_certificates = {
	"certificates", "one row per certificate that a side showed in the clear", fields, FIELD_COUNT};

static struct fyke_value text(const char *bytes)
{
	return bytes[0] != '\0' ? fyke_word(bytes) : fyke_null();
}

static void tell(struct fyke_dissection *dissection, const struct fyke_certificate *certificate,
	const char *side, unsigned position, size_t length)
{
	bool read = fyke_text_is_set(&certificate->subject);
	struct fyke_value values[FIELD_COUNT] = {
		[SIDE] = fyke_word(side),
		[POSITION] = fyke_integer(position),
		[SUBJECT] = fyke_text_of(&certificate->subject),
		[ISSUER] = fyke_text_of(&certificate->issuer),
		[SAN] = fyke_text_of(&certificate->names),
		[SERIAL] = text(certificate->serial),
		[FINGERPRINT_SHA256] = text(certificate->sha256),
		[FINGERPRINT_SHA1] = text(certificate->sha1),
		[NOT_BEFORE_US] = fyke_integer_if(certificate->has_not_before, certificate->not_before_us),
		[NOT_AFTER_US] = fyke_integer_if(certificate->has_not_after, certificate->not_after_us),
		[EXPIRED] = fyke_integer_if(certificate->has_not_after,
			certificate->not_after_us < fyke_now(dissection).time_ns / 1000),
		[KEY_TYPE] = fyke_word(certificate->key_type),
		[KEY_CURVE] = fyke_word(certificate->curve),
		[KEY_BITS] = fyke_integer_if(certificate->key_bits > 0, certificate->key_bits),
		[SIGNATURE_ALGORITHM] = fyke_word(certificate->signature_algorithm),
		[SELF_SIGNED] = fyke_integer_if(read, certificate->self_signed),
		[AUTHORITY] = fyke_integer_if(read, certificate->authority),
		[CERTIFICATE_BYTES] = fyke_integer((int64_t)length),
	};

	fyke_record(dissection, &fyke_table_certificates, values);
}

/* A name that the client asked for and the certificate has says more than all those that it has. */
static void say_host(struct fyke_dissection *dissection, const struct fyke_tls_handshake *handshake)
{
	const struct fyke_text *sni = &handshake->hellos.sni;
	const struct fyke_address *ip = fyke_address_of(dissection, fyke_side_other(handshake->client));

	if (handshake->leaf.matches)
		fyke_host_says(dissection, ip, FYKE_HOST_NAME, sni->bytes, sni->length, "tls");
	else
		fyke_certificate_say_host(dissection, &handshake->leaf, ip);
}

static void take_leaf(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake, bool client,
	struct fyke_certificate *certificate)
{
	if (client) {
		fyke_drop(dissection, &handshake->client_subject);
		fyke_drop(dissection, &handshake->client_issuer);
		handshake->client_subject = certificate->subject;
		handshake->client_issuer = certificate->issuer;
		certificate->subject = certificate->issuer = (struct fyke_text){0};
		fyke_certificate_forget(dissection, certificate);
		return;
	}
	fyke_certificate_forget(dissection, &handshake->leaf);
	handshake->leaf = *certificate;
	say_host(dissection, handshake);
}

static void take(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake, bool client,
	unsigned position, struct fyke_cursor der)
{
	static const struct fyke_text nobody = {0};
	struct fyke_certificate certificate;
	bool is_leaf = position == 0;

	(void)fyke_certificate_read(
		dissection, der, is_leaf && !client ? &handshake->hellos.sni : &nobody, &certificate);
	tell(dissection, &certificate, client ? "client" : "server", position, fyke_cursor_left(&der));
	if (is_leaf)
		take_leaf(dissection, handshake, client, &certificate);
	else
		fyke_certificate_forget(dissection, &certificate);
}

void fyke_tls_take_certificate(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake,
	enum fyke_side side, struct fyke_cursor der)
{
	bool client = side == handshake->client;

	if (!handshake->begun || fyke_cursor_left(&der) == 0)
		return;
	take(dissection, handshake, client, 0, der);
	if (!client)
		handshake->chain_length = 1;
}

void fyke_tls_take_chain(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake,
	enum fyke_side side, struct fyke_cursor body)
{
	bool client = side == handshake->client;
	struct fyke_cursor list = fyke_cursor_carve(&body, fyke_cursor_u24(&body));
	unsigned count = 0;

	if (!handshake->begun)
		return;
	if (!client)
		handshake->certificate = true;
	while (fyke_cursor_left(&list) > 0) {
		struct fyke_cursor der = fyke_cursor_carve(&list, fyke_cursor_u24(&list));

		if (!fyke_cursor_ok(&list))
			break;
		if (count < FYKE_TLS_CHAIN_MAX && fyke_cursor_left(&der) > 0)
			take(dissection, handshake, client, count, der);
		count++;
	}
	if (!client)
		handshake->chain_length = count;
}
