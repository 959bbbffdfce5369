/*
 * Hellos of TLS: RFC 5246 §7.4.1, RFC 8446 §4.1 and §4.2, RFC 6066 §3 (SNI), RFC 7301 (ALPN), RFC 9849 (ECH),
 * RFC 9001 §8.2 (QUIC's parameters). The drafts up to 21 of TLS 1.3 had a ServerHello of their own.
 */
#include "dissectors/shared/tls_hello.h"

#include "dissectors/shared/tls_names.h"

#include <string.h>

/* RFC 8446 §4.1.3: SHA-256 of "HelloRetryRequest" in place of the random */
static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
	0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2,
	0xc8, 0xa8, 0x33, 0x9c};

static struct fyke_cursor list_u8(struct fyke_cursor *c)
{
	return fyke_cursor_carve(c, fyke_cursor_u8(c));
}

static struct fyke_cursor list_u16(struct fyke_cursor *c)
{
	return fyke_cursor_carve(c, fyke_cursor_u16(c));
}

static void read_name(struct fyke_cursor content, struct fyke_tls_hello *hello)
{
	struct fyke_cursor names = list_u16(&content);

	while (fyke_cursor_left(&names) > 0 && fyke_cursor_left(&hello->name) == 0) {
		uint8_t type = fyke_cursor_u8(&names);
		struct fyke_cursor name = list_u16(&names);

		if (!fyke_cursor_ok(&names))
			return;
		if (type == 0)
			hello->name = name;
	}
}

/* Later drafts of TLS 1.3 come after earlier ones; DTLS counts downwards. */
static unsigned rank(uint16_t version)
{
	if (version >> 8 == 0x7f)
		return 0x0304;
	if (version >> 8 == 0xfe)
		return (unsigned)0xffff - version;
	return version;
}

static void read_versions(struct fyke_cursor content, struct fyke_tls_hello *hello)
{
	struct fyke_cursor versions = hello->versions = list_u8(&content);
	unsigned best = 0;

	while (fyke_cursor_left(&versions) >= 2) {
		uint16_t version = fyke_cursor_u16(&versions);

		/* private experiments (0xfb17) beside the real ones do not count */
		if (fyke_tls_is_grease(version) || version >> 8 == 0xfb || version >> 8 == 0x7e)
			continue;
		if (rank(version) > best || (rank(version) == best && version < hello->version)) {
			best = rank(version);
			hello->version = version;
		}
	}
}

static void read_common(uint16_t type, struct fyke_cursor content, struct fyke_tls_hello *hello)
{
	switch (type) {
	case FYKE_TLS_ALPN:
		hello->alpn = list_u16(&content);
		break;
	case FYKE_TLS_POINT_FORMATS:
		hello->point_formats = list_u8(&content);
		break;
	case FYKE_TLS_SUPPORTED_GROUPS:
		hello->groups = list_u16(&content);
		break;
	case FYKE_TLS_SIGNATURE_ALGORITHMS:
		hello->signatures = list_u16(&content);
		break;
	case FYKE_TLS_QUIC_PARAMETERS:
	case FYKE_TLS_QUIC_PARAMETERS_DRAFT:
		hello->quic_parameters = content;
		break;
	case FYKE_TLS_PRE_SHARED_KEY:
		hello->pre_shared_key = true;
		break;
	case FYKE_TLS_SESSION_TICKET:
		hello->ticket = fyke_cursor_left(&content) > 0;
		break;
	case FYKE_TLS_EARLY_DATA:
		hello->early_data = true;
		break;
	case FYKE_TLS_USE_SRTP:
		hello->use_srtp = true;
		break;
	case FYKE_TLS_ECH:
		hello->ech = true;
		break;
	case FYKE_TLS_ESNI:
		hello->esni = true;
		break;
	case FYKE_TLS_NEXT_PROTOCOL:
		hello->next_protocol = true;
		break;
	default:
		break;
	}
}

/* What ends within an extension is taken as far as it goes. */
static void read_extensions(struct fyke_tls_hello *hello, bool client)
{
	struct fyke_cursor extensions = hello->extensions;

	while (fyke_cursor_left(&extensions) > 0) {
		uint16_t type = fyke_cursor_u16(&extensions);
		struct fyke_cursor content = list_u16(&extensions);

		if (!fyke_cursor_ok(&extensions))
			return;
		if (client && type == FYKE_TLS_SERVER_NAME)
			read_name(content, hello);
		else if (client && type == FYKE_TLS_SUPPORTED_VERSIONS)
			read_versions(content, hello);
		else if (!client && type == FYKE_TLS_SUPPORTED_VERSIONS && fyke_cursor_left(&content) >= 2)
			hello->version = fyke_cursor_u16(&content);
		else if (!client && type == FYKE_TLS_KEY_SHARE)
			hello->group = fyke_cursor_u16(&content);
		else
			read_common(type, content, hello);
	}
}

/* The block's length may be a lie: then it is what there is. */
static void read_block(struct fyke_cursor *c, struct fyke_tls_hello *hello, bool client)
{
	uint16_t length = fyke_cursor_u16(c);
	size_t left = fyke_cursor_left(c);

	hello->extensions = fyke_cursor_carve(c, length < left ? length : left);
	read_extensions(hello, client);
}

bool fyke_tls_client_hello(const uint8_t *body, size_t length, bool cookie, struct fyke_tls_hello *hello)
{
	struct fyke_cursor c = fyke_cursor(body, length);

	*hello = (struct fyke_tls_hello){0};
	hello->legacy_version = hello->version = fyke_cursor_u16(&c);
	(void)fyke_cursor_skip(&c, 32);
	hello->session = list_u8(&c);
	if (cookie)
		(void)list_u8(&c);
	hello->ciphers = list_u16(&c);
	(void)list_u8(&c); /* compression */
	if (!fyke_cursor_ok(&c) || fyke_cursor_left(&hello->session) > 32)
		return false;
	read_block(&c, hello, true);
	return true;
}

bool fyke_tls_server_hello(const uint8_t *body, size_t length, struct fyke_tls_hello *hello)
{
	struct fyke_cursor c = fyke_cursor(body, length);
	const uint8_t *random;
	bool old_draft;

	*hello = (struct fyke_tls_hello){0};
	hello->legacy_version = hello->version = fyke_cursor_u16(&c);
	old_draft = hello->version == 0x0304 || (hello->version >= 0x7f0e && hello->version <= 0x7f15);
	random = fyke_cursor_take(&c, 32);
	if (!old_draft)
		hello->session = list_u8(&c);
	hello->cipher = fyke_cursor_u16(&c);
	if (!old_draft)
		(void)fyke_cursor_u8(&c); /* compression */
	if (!fyke_cursor_ok(&c) || fyke_cursor_left(&hello->session) > 32)
		return false;
	hello->retry = memcmp(random, retry_random, sizeof(retry_random)) == 0;
	read_block(&c, hello, false);
	return true;
}

bool fyke_tls_client_hello_ssl2(const uint8_t *body, size_t length, struct fyke_tls_hello *hello)
{
	struct fyke_cursor c = fyke_cursor(body, length);
	uint16_t ciphers, session, challenge;
	uint8_t type;

	*hello = (struct fyke_tls_hello){0};
	type = fyke_cursor_u8(&c);
	hello->legacy_version = hello->version = fyke_cursor_u16(&c);
	ciphers = fyke_cursor_u16(&c);
	session = fyke_cursor_u16(&c);
	challenge = fyke_cursor_u16(&c);
	hello->ciphers = fyke_cursor_carve(&c, ciphers);
	hello->session = fyke_cursor_carve(&c, session);
	(void)fyke_cursor_skip(&c, challenge);
	return fyke_cursor_ok(&c) && fyke_cursor_left(&c) == 0 && type == 1 && ciphers % 3 == 0 &&
	       ciphers > 0 && (session == 0 || session == 16) && challenge >= 16 && challenge <= 32;
}

size_t fyke_tls_alpn_text(const struct fyke_cursor *alpn, char *text, size_t room)
{
	struct fyke_cursor names = *alpn;
	size_t length = 0;

	while (fyke_cursor_left(&names) > 0) {
		struct fyke_cursor name = list_u8(&names);
		size_t left = fyke_cursor_left(&name);

		if (!fyke_cursor_ok(&names) || length + left + 2 > room)
			break;
		if (length > 0)
			text[length++] = ',';
		if (left > 0)
			memcpy(text + length, name.at, left);
		length += left;
	}
	return length;
}
