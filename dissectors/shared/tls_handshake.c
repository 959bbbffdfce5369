/*
 * The messages of a handshake that are in the clear: RFC 5246 §7.4, RFC 8446 §4, RFC 8422 §5.4 (the curve).
 * And the row that says what became of it.
 */
#include "dissectors/shared/tls_handshake.h"

#include <stdio.h>
#include <string.h>

enum {
	VERSION,
	CLIENT_VERSION,
	CIPHER,
	CURVE,
	SNI,
	CLIENT_ALPN,
	ALPN,
	RESUMED,
	ESTABLISHED,
	HELLO_RETRY,
	EARLY_DATA,
	ECH,
	ALERT,
	ALERT_SIDE,
	JA3,
	JA3S,
	JA4,
	SUBJECT,
	ISSUER,
	SAN,
	SERIAL,
	FINGERPRINT_SHA256,
	FINGERPRINT_SHA1,
	NOT_BEFORE_US,
	NOT_AFTER_US,
	KEY_TYPE,
	KEY_BITS,
	SIGNATURE_ALGORITHM,
	CHAIN_LENGTH,
	SELF_SIGNED,
	EXPIRED,
	NAME_MATCHES,
	CLIENT_SUBJECT,
	CLIENT_ISSUER,
	CARRIER,
	FIELD_COUNT,
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[VERSION] = {"version", FYKE_TYPE_TEXT,
		"agreed on: TLSv1.2, DTLSv1.2, SSLv3 …; NULL without a ServerHello"},
	[CLIENT_VERSION] = {"client_version", FYKE_TYPE_TEXT, "the highest that the client offers"},
	[CIPHER] = {"cipher", FYKE_TYPE_TEXT, "agreed on, by IANA's name"},
	[CURVE] = {"curve", FYKE_TYPE_TEXT, "the group of the key exchange, by IANA's name"},
	[SNI] = {"sni", FYKE_TYPE_TEXT, "the name that the client asks for"},
	[CLIENT_ALPN] = {"client_alpn", FYKE_TYPE_TEXT,
		"the protocols that the client offers, joined by commas"},
	[ALPN] = {"alpn", FYKE_TYPE_TEXT, "the protocol that the server chose; encrypted in TLS 1.3"},
	[RESUMED] = {"resumed", FYKE_TYPE_BOOLEAN,
		"the handshake took up an earlier session (id, ticket, key)"},
	[ESTABLISHED] = {"established", FYKE_TYPE_BOOLEAN, "both sides were seen to finish the handshake"},
	[HELLO_RETRY] = {"hello_retry", FYKE_TYPE_BOOLEAN, "the server asked for another ClientHello"},
	[EARLY_DATA] = {"early_data", FYKE_TYPE_BOOLEAN,
		"the client offers data before the handshake is over (0-RTT)"},
	[ECH] = {"ech", FYKE_TYPE_BOOLEAN,
		"the client sent an Encrypted Client Hello (or what looks like one)"},
	[ALERT] = {"alert", FYKE_TYPE_TEXT, "the last alert that was not encrypted, by IANA's name"},
	[ALERT_SIDE] = {"alert_side", FYKE_TYPE_TEXT, "who sent it: client, server"},
	[JA3] = {"ja3", FYKE_TYPE_TEXT, "fingerprint of the ClientHello"},
	[JA3S] = {"ja3s", FYKE_TYPE_TEXT, "fingerprint of the ServerHello"},
	[JA4] = {"ja4", FYKE_TYPE_TEXT, "fingerprint of the ClientHello"},
	[SUBJECT] = {"subject", FYKE_TYPE_TEXT, "of the server's certificate, as RFC 2253 writes names"},
	[ISSUER] = {"issuer", FYKE_TYPE_TEXT, "of the server's certificate"},
	[SAN] = {"san", FYKE_TYPE_TEXT, "alternative names of the server's certificate: DNS:…,IP:…"},
	[SERIAL] = {"serial", FYKE_TYPE_TEXT, "of the server's certificate, hexadecimal"},
	[FINGERPRINT_SHA256] = {"fingerprint_sha256", FYKE_TYPE_TEXT, "of the server's certificate"},
	[FINGERPRINT_SHA1] = {"fingerprint_sha1", FYKE_TYPE_TEXT, "of the server's certificate"},
	[NOT_BEFORE_US] = {"not_before_us", FYKE_TYPE_INTEGER,
		"begin of the server's certificate's validity"},
	[NOT_AFTER_US] = {"not_after_us", FYKE_TYPE_INTEGER, "end of the server's certificate's validity"},
	[KEY_TYPE] = {"key_type", FYKE_TYPE_TEXT, "of the server's certificate: rsa, ec, ed25519 …"},
	[KEY_BITS] = {"key_bits", FYKE_TYPE_INTEGER, "size of the server's key"},
	[SIGNATURE_ALGORITHM] = {"signature_algorithm", FYKE_TYPE_TEXT, "of the server's certificate"},
	[CHAIN_LENGTH] = {"chain_length", FYKE_TYPE_INTEGER, "certificates that the server sent"},
	[SELF_SIGNED] = {"self_signed", FYKE_TYPE_BOOLEAN, "the server's certificate names itself as issuer"},
	[EXPIRED] = {"expired", FYKE_TYPE_BOOLEAN,
		"the server's certificate had ended when this packet was sent"},
	[NAME_MATCHES] = {"name_matches", FYKE_TYPE_BOOLEAN,
		"the server's certificate is made out to the SNI"},
	[CLIENT_SUBJECT] = {"client_subject", FYKE_TYPE_TEXT, "of the client's certificate"},
	[CLIENT_ISSUER] = {"client_issuer", FYKE_TYPE_TEXT, "of the client's certificate"},
	[CARRIER] = {"carrier", FYKE_TYPE_TEXT, "the protocol that turned into TLS (STARTTLS, CONNECT)"},
};

const struct fyke_table fyke_table_tls = {"tls", "one row per handshake of TLS or DTLS", fields, FIELD_COUNT};
const struct fyke_table *const fyke_tables_of_tls[] = {&fyke_table_tls, &fyke_table_certificates, NULL};

/* ---- messages ---- */

static void begin(
	struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake, enum fyke_side client)
{
	if (handshake->begun)
		return;
	handshake->begun = true;
	handshake->client = client;
	handshake->moment = fyke_now(dissection);
}

static bool has_curve(const struct fyke_tls_hellos *hellos)
{
	const char *name = fyke_tls_cipher_name(hellos->cipher);

	return name != NULL && strstr(name, "ECDH") != NULL;
}

/* ServerECDHParams: type named_curve, number; if it is one is seen by the cipher, which may come later (DTLS)
 */
static void take_key_exchange(struct fyke_tls_hellos *hellos, struct fyke_cursor body)
{
	if (fyke_cursor_u8(&body) == 3)
		hellos->group = fyke_cursor_u16(&body);
}

static bool take_server_hello(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake,
	enum fyke_side side, struct fyke_cursor body)
{
	struct fyke_tls_hellos *hellos = &handshake->hellos;

	if (!fyke_tls_take_server_hello(dissection, hellos, body))
		return false;
	begin(dissection, handshake, fyke_side_other(side));
	fyke_confirm(dissection);
	handshake->resumed =
		fyke_tls_is_13(hellos) ? hellos->server_pre_shared_key : hellos->session_repeated;
	return true;
}

bool fyke_tls_wants(uint8_t type)
{
	switch (type) {
	case FYKE_TLS_CLIENT_HELLO:
	case FYKE_TLS_SERVER_HELLO:
	case FYKE_TLS_CERTIFICATE:
	case FYKE_TLS_SERVER_KEY_EXCHANGE:
		return true;
	default:
		return false;
	}
}

bool fyke_tls_message(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake,
	enum fyke_side side, uint8_t type, struct fyke_cursor body)
{
	switch (type) {
	case FYKE_TLS_CLIENT_HELLO:
		if (!fyke_tls_take_client_hello(dissection, &handshake->hellos, body, handshake->transport))
			return false;
		begin(dissection, handshake, side);
		fyke_confirm(dissection);
		return true;
	case FYKE_TLS_SERVER_HELLO:
		return take_server_hello(dissection, handshake, side, body);
	case FYKE_TLS_HELLO_RETRY:
		handshake->hellos.retry = true;
		return true;
	case FYKE_TLS_CERTIFICATE:
		fyke_tls_take_chain(dissection, handshake, side, body);
		return true;
	case FYKE_TLS_SERVER_KEY_EXCHANGE:
		take_key_exchange(&handshake->hellos, body);
		return true;
	case FYKE_TLS_SERVER_HELLO_DONE:
		handshake->hello_done = true;
		handshake->resumed = false;
		return true;
	default:
		return true;
	}
}

bool fyke_tls_message_ssl2(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake,
	enum fyke_side side, struct fyke_cursor body)
{
	struct fyke_tls_hello hello;

	if (!fyke_tls_client_hello_ssl2(body.at, fyke_cursor_left(&body), &hello))
		return false;
	begin(dissection, handshake, side);
	fyke_confirm(dissection);
	handshake->hellos.has_client = true;
	handshake->hellos.client_version = hello.version;
	return true;
}

void fyke_tls_alert(struct fyke_tls_handshake *handshake, enum fyke_side side, uint8_t alert)
{
	handshake->has_alert = true;
	handshake->alert_side = side;
	handshake->alert = alert;
}

void fyke_tls_server_encrypts(struct fyke_tls_handshake *handshake)
{
	if (handshake->hellos.has_server && !fyke_tls_is_13(&handshake->hellos) && !handshake->lost &&
		!handshake->hello_done && !handshake->certificate)
		handshake->resumed = true;
}

/* ---- the row ---- */

struct words {
	char version[FYKE_TLS_NAME], client_version[FYKE_TLS_NAME], cipher[8], group[8], alert[8];
};

static struct fyke_value word_or_number(const char *word, unsigned number, char text[8])
{
	if (word != NULL)
		return fyke_word(word);
	(void)snprintf(text, 8, "0x%04x", number & 0xffff);
	return fyke_word(text);
}

static struct fyke_value text_if(bool known, const char *text)
{
	return known && text[0] != '\0' ? fyke_word(text) : fyke_null();
}

static void fill_hellos(
	const struct fyke_tls_handshake *handshake, struct words *words, struct fyke_value *values)
{
	const struct fyke_tls_hellos *hellos = &handshake->hellos;
	bool answered = hellos->has_server || hellos->retry;

	if (hellos->version != 0) {
		fyke_tls_version_name(hellos->version, words->version);
		values[VERSION] = fyke_word(words->version);
		values[CIPHER] =
			word_or_number(fyke_tls_cipher_name(hellos->cipher), hellos->cipher, words->cipher);
	}
	if (handshake->cipher_ssl2 != 0)
		values[CIPHER] = fyke_word(fyke_tls_cipher_name_ssl2(handshake->cipher_ssl2));
	else if (hellos->version == 0x0002)
		values[CIPHER] = fyke_null();
	if (hellos->has_client) {
		fyke_tls_version_name(hellos->client_version, words->client_version);
		values[CLIENT_VERSION] = fyke_word(words->client_version);
	}
	if (hellos->group != 0 && (fyke_tls_is_13(hellos) || has_curve(hellos)))
		values[CURVE] =
			word_or_number(fyke_tls_group_name(hellos->group), hellos->group, words->group);
	values[SNI] = fyke_text_of(&hellos->sni);
	values[CLIENT_ALPN] = fyke_text_of(&hellos->client_alpn);
	values[ALPN] = fyke_text_of(&hellos->alpn);
	values[RESUMED] = fyke_integer_if(hellos->has_server, handshake->resumed);
	values[HELLO_RETRY] = fyke_integer_if(answered, hellos->retry);
	values[EARLY_DATA] = fyke_integer_if(hellos->has_client, hellos->early_data);
	values[ECH] = fyke_integer_if(hellos->has_client, hellos->ech);
	values[JA3] = text_if(hellos->has_client, hellos->ja3);
	values[JA3S] = text_if(answered, hellos->ja3s);
	values[JA4] = text_if(hellos->has_client, hellos->ja4);
}

static void fill_certificate(const struct fyke_tls_handshake *handshake, struct fyke_value *values)
{
	const struct fyke_certificate *leaf = &handshake->leaf;

	values[SUBJECT] = fyke_text_of(&leaf->subject);
	values[ISSUER] = fyke_text_of(&leaf->issuer);
	values[SAN] = fyke_text_of(&leaf->names);
	values[SERIAL] = text_if(true, leaf->serial);
	values[FINGERPRINT_SHA256] = text_if(true, leaf->sha256);
	values[FINGERPRINT_SHA1] = text_if(true, leaf->sha1);
	values[NOT_BEFORE_US] = fyke_integer_if(leaf->has_not_before, leaf->not_before_us);
	values[NOT_AFTER_US] = fyke_integer_if(leaf->has_not_after, leaf->not_after_us);
	values[KEY_TYPE] = fyke_word(leaf->key_type);
	values[KEY_BITS] = fyke_integer_if(leaf->key_bits > 0, leaf->key_bits);
	values[SIGNATURE_ALGORITHM] = fyke_word(leaf->signature_algorithm);
	values[CHAIN_LENGTH] = fyke_integer_if(handshake->chain_length > 0, handshake->chain_length);
	values[SELF_SIGNED] = fyke_integer_if(fyke_text_is_set(&leaf->subject), leaf->self_signed);
	values[EXPIRED] =
		fyke_integer_if(leaf->has_not_after, leaf->not_after_us < handshake->moment.time_ns / 1000);
	values[NAME_MATCHES] = fyke_integer_if(leaf->has_match, leaf->matches);
	values[CLIENT_SUBJECT] = fyke_text_of(&handshake->client_subject);
	values[CLIENT_ISSUER] = fyke_text_of(&handshake->client_issuer);
}

void fyke_tls_tell(struct fyke_dissection *dissection, struct fyke_tls_handshake *handshake)
{
	struct fyke_value values[FIELD_COUNT] = {{0}};
	struct words words;

	if (handshake->told || !handshake->begun)
		return;
	handshake->told = true;
	fill_hellos(handshake, &words, values);
	fill_certificate(handshake, values);
	values[ESTABLISHED] = fyke_integer(handshake->established);
	if (handshake->has_alert) {
		values[ALERT] =
			word_or_number(fyke_tls_alert_name(handshake->alert), handshake->alert, words.alert);
		values[ALERT_SIDE] =
			fyke_word(handshake->alert_side == handshake->client ? "client" : "server");
	}
	values[CARRIER] = fyke_word(fyke_carrier(dissection));
	fyke_record_at(dissection, &fyke_table_tls, handshake->moment, values);
}
