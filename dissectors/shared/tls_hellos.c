/* Both hellos of a handshake, kept: what was offered and what was chosen. */
#include "dissectors/shared/tls_handshake.h"

#include <string.h>

enum { ALPN_TEXT_MAX = 512, SNI_MAX = 1024 };

static void keep_alpn(
	struct fyke_dissection *dissection, struct fyke_text *text, const struct fyke_cursor *alpn)
{
	char names[ALPN_TEXT_MAX];
	size_t length = fyke_tls_alpn_text(alpn, names, sizeof(names));

	if (length > 0)
		fyke_keep(dissection, text, names, length, sizeof(names));
}

static void keep_session(struct fyke_tls_hellos *hellos, const struct fyke_cursor *session)
{
	hellos->session_length = (uint8_t)fyke_cursor_left(session);
	if (hellos->session_length > 0)
		memcpy(hellos->session, session->at, hellos->session_length);
}

/* The hello that follows a HelloRetryRequest or HelloVerifyRequest says the same again: the first one counts.
 */
bool fyke_tls_take_client_hello(struct fyke_dissection *dissection, struct fyke_tls_hellos *hellos,
	struct fyke_cursor body, char transport)
{
	struct fyke_tls_hello hello;

	if (!fyke_tls_client_hello(body.at, fyke_cursor_left(&body), transport == 'd', &hello))
		return false;
	if (hellos->has_client)
		return true;
	hellos->has_client = true;
	hellos->client_version = hello.version;
	hellos->ech = hello.ech || hello.esni;
	hellos->early_data = hello.early_data;
	hellos->use_srtp = hello.use_srtp;
	keep_session(hellos, &hello.session);
	if (fyke_cursor_left(&hello.name) > 0) {
		fyke_keep(dissection, &hellos->sni, hello.name.at, fyke_cursor_left(&hello.name), SNI_MAX);
		fyke_name_server(dissection, hello.name.at, fyke_cursor_left(&hello.name));
	}
	keep_alpn(dissection, &hellos->client_alpn, &hello.alpn);
	fyke_tls_ja3(&hello, hellos->ja3);
	fyke_tls_ja4(&hello, transport, hellos->ja4);
	return true;
}

bool fyke_tls_take_server_hello(
	struct fyke_dissection *dissection, struct fyke_tls_hellos *hellos, struct fyke_cursor body)
{
	struct fyke_tls_hello hello;

	if (!fyke_tls_server_hello(body.at, fyke_cursor_left(&body), &hello))
		return false;
	hellos->has_server = !hello.retry;
	hellos->retry |= hello.retry;
	hellos->version = hello.version;
	hellos->cipher = hello.cipher;
	if (hello.group != 0)
		hellos->group = hello.group;
	hellos->server_pre_shared_key = hello.pre_shared_key;
	hellos->session_repeated = hellos->session_length > 0 &&
				   fyke_cursor_left(&hello.session) == hellos->session_length &&
				   memcmp(hello.session.at, hellos->session, hellos->session_length) == 0;
	keep_alpn(dissection, &hellos->alpn, &hello.alpn);
	fyke_tls_ja3s(&hello, hellos->ja3s);
	return true;
}

bool fyke_tls_is_13(const struct fyke_tls_hellos *hellos)
{
	uint16_t version = hellos->version;

	return version == 0x0304 || version == 0xfefc || version >> 8 == 0x7f || version >> 8 == 0x7e ||
	       version >> 8 == 0xfb; /* drafts and experiments */
}
