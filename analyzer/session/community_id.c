/*
 * Community ID v1: a name for a flow that tools share. SHA-1 comes from libcrypto; base64 is done
 * here over exactly 20 bytes.
 */
#include "analyzer/session/community_id.h"

#include "analyzer/decode/icmp_pairs.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { SHA1_LENGTH = 20, DCCP = 33 /* has ports, but not in the ID */ };

struct fyke_community_hasher {
	EVP_MD *algorithm;
	EVP_MD_CTX *context;
};

struct fyke_community_hasher *fyke_community_hasher_new(void)
{
	struct fyke_community_hasher *hasher = calloc(1, sizeof(*hasher));

	if (hasher == NULL)
		return NULL;
	hasher->algorithm = EVP_MD_fetch(NULL, "SHA1", NULL);
	hasher->context = EVP_MD_CTX_new();
	if (hasher->algorithm == NULL || hasher->context == NULL) {
		fyke_community_hasher_free(hasher);
		return NULL;
	}
	return hasher;
}

void fyke_community_hasher_free(struct fyke_community_hasher *hasher)
{
	if (hasher == NULL)
		return;
	EVP_MD_CTX_free(hasher->context);
	EVP_MD_free(hasher->algorithm);
	free(hasher);
}

struct endpoints {
	const struct fyke_address *a, *b;
	uint16_t port_a, port_b;
	bool with_ports, one_way;
};

static struct endpoints endpoints_of(const struct fyke_community_id_input *input)
{
	struct endpoints e = {&input->source, &input->destination, input->source_port,
		input->destination_port, input->has_ports, false};

	if (input->is_icmp) {
		int counterpart = fyke_icmp_counterpart(input->protocol, input->icmp_type);

		e.with_ports = true;
		e.port_a = input->icmp_type;
		e.port_b = counterpart >= 0 ? (uint16_t)counterpart : input->icmp_code;
		e.one_way = counterpart < 0;
	}
	return e;
}

static void order(struct endpoints *e)
{
	int compared = fyke_address_compare(e->a, e->b);

	if (e->one_way || compared < 0 || (compared == 0 && e->port_a <= e->port_b))
		return;
	*e = (struct endpoints){e->b, e->a, e->port_b, e->port_a, e->with_ports, e->one_way};
}

static size_t put(uint8_t *out, size_t at, const void *data, size_t length)
{
	memcpy(out + at, data, length);
	return at + length;
}

static size_t put_u16(uint8_t *out, size_t at, uint16_t value)
{
	out[at] = (uint8_t)(value >> 8);
	out[at + 1] = (uint8_t)value;
	return at + 2;
}

static void base64(const uint8_t digest[SHA1_LENGTH], char *text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (int i = 0; i < SHA1_LENGTH; i += 3) {
		uint32_t last = i + 2 < SHA1_LENGTH ? digest[i + 2] : 0;
		uint32_t bits = (uint32_t)digest[i] << 16 | (uint32_t)digest[i + 1] << 8 | last;

		*text++ = alphabet[bits >> 18];
		*text++ = alphabet[bits >> 12 & 63];
		*text++ = alphabet[bits >> 6 & 63];
		*text++ = i + 2 < SHA1_LENGTH ? alphabet[bits & 63] : '=';
	}
	*text = '\0';
}

void fyke_community_id(struct fyke_community_hasher *hasher, const struct fyke_community_id_input *input,
	char text[FYKE_COMMUNITY_ID_TEXT])
{
	struct endpoints e = endpoints_of(input);
	size_t address = input->source.family == FYKE_ADDRESS_IPV4 ? 4 : 16;
	uint8_t bytes[2 + 16 + 16 + 2 + 4] = {0}; /* the seed is 0 */
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t length = 2;

	order(&e);
	length = put(bytes, length, e.a->bytes, address);
	length = put(bytes, length, e.b->bytes, address);
	bytes[length++] = input->protocol;
	bytes[length++] = 0;
	if (e.with_ports) {
		length = put_u16(bytes, length, e.port_a);
		length = put_u16(bytes, length, e.port_b);
	}
	text[0] = '\0';
	if (EVP_DigestInit_ex2(hasher->context, hasher->algorithm, NULL) != 1 ||
		EVP_DigestUpdate(hasher->context, bytes, length) != 1 ||
		EVP_DigestFinal_ex(hasher->context, digest, NULL) != 1)
		return;
	memcpy(text, "1:", 2);
	base64(digest, text + 2);
}

void fyke_session_community_id(struct fyke_community_hasher *hasher, struct fyke_session *session)
{
	const struct fyke_session_side *client = &session->side[FYKE_CLIENT],
				       *server = &session->side[FYKE_SERVER];
	bool is_icmp = session->icmp_type != FYKE_UNKNOWN;
	const struct fyke_community_id_input input = {.source = client->ip,
		.destination = server->ip,
		.protocol = (uint8_t)session->ip_protocol,
		.has_ports = client->port != FYKE_UNKNOWN && session->ip_protocol != DCCP,
		.source_port = (uint16_t)client->port,
		.destination_port = (uint16_t)server->port,
		.is_icmp = is_icmp,
		.icmp_type = is_icmp ? (uint8_t)session->icmp_type : 0,
		.icmp_code = is_icmp ? (uint8_t)session->icmp_code : 0};

	if (session->community_id[0] == '\0')
		fyke_community_id(hasher, &input, session->community_id);
}
