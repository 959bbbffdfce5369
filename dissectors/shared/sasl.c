/*
 * PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), XOAUTH2 and OAUTHBEARER (RFC 7628), EXTERNAL, and the user's
 * name of SCRAM (RFC 5802). Of other mechanisms only that they were used. What proves a password without
 * telling it (CRAM-MD5, SCRAM) counts as the secret: it can be tried against guesses.
 */
#include "dissectors/shared/sasl.h"

#include "dissectors/shared/base64.h"
#include "dissectors/shared/line.h"

#include <string.h>

enum { SECRET_MAX = 1024, USER_MAX = 256, MESSAGE_MAX = 2048 };

static const char *const mechanisms[] = {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "XOAUTH2", "OAUTHBEARER",
	"EXTERNAL", "ANONYMOUS", "NTLM", "GSSAPI", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS",
	"SCRAM-SHA-256-PLUS", "SCRAM-SHA-512"};

void fyke_sasl_begin(
	struct fyke_dissection *dissection, struct fyke_sasl *sasl, const char *name, size_t length)
{
	fyke_drop(dissection, &sasl->user);
	fyke_drop(dissection, &sasl->secret);
	sasl->steps = 0;
	sasl->mechanism = "unknown";
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (fyke_text_is(name, length, mechanisms[i]))
			sasl->mechanism = mechanisms[i];
	}
}

static void keep_user(struct fyke_dissection *d, struct fyke_sasl *sasl, const char *text, size_t length)
{
	fyke_keep(d, &sasl->user, text, length, USER_MAX);
}

static void keep_secret(struct fyke_dissection *d, struct fyke_sasl *sasl, const char *text, size_t length)
{
	fyke_keep(d, &sasl->secret, text, length, SECRET_MAX);
}

/* [authorization] NUL user NUL password */
static void read_plain(struct fyke_dissection *d, struct fyke_sasl *sasl, const char *text, size_t length)
{
	const char *first = memchr(text, '\0', length), *second;
	size_t left;

	if (first == NULL)
		return;
	left = length - (size_t)(first + 1 - text);
	second = left > 0 ? memchr(first + 1, '\0', left) : NULL;
	if (second == NULL)
		return;
	keep_user(d, sasl, first + 1, (size_t)(second - first - 1));
	keep_secret(d, sasl, second + 1, left - (size_t)(second - first));
}

/* user blank digest */
static void read_digest(struct fyke_dissection *d, struct fyke_sasl *sasl, const char *text, size_t length)
{
	size_t end = length;

	while (end > 0 && text[end - 1] != ' ')
		end--;
	if (end == 0)
		return;
	keep_user(d, sasl, text, end - 1);
	keep_secret(d, sasl, text + end, length - end);
}

/* A part of the text between `mark` and one of `ends`. */
static struct fyke_word_of part_of(const char *text, size_t length, const char *mark, const char *ends)
{
	const char *at = fyke_text_find(text, length, mark);
	struct fyke_word_of part = {NULL, 0};

	if (at == NULL)
		return part;
	part.text = at + fyke_word_length(mark);
	while (part.text + part.length < text + length && strchr(ends, part.text[part.length]) == NULL)
		part.length++;
	return part;
}

static void read_token(struct fyke_dissection *d, struct fyke_sasl *sasl, const char *text, size_t length)
{
	bool old = strcmp(sasl->mechanism, "XOAUTH2") == 0;
	struct fyke_word_of user = part_of(text, length, old ? "user=" : "a=", old ? "\1" : ",\1");
	struct fyke_word_of token = part_of(text, length, "Bearer ", "\1");

	if (user.text != NULL)
		keep_user(d, sasl, user.text, user.length);
	if (token.text != NULL)
		keep_secret(d, sasl, token.text, token.length);
}

static void read_scram(struct fyke_dissection *d, struct fyke_sasl *sasl, const char *text, size_t length)
{
	struct fyke_word_of user = part_of(text, length, "n=", ","), proof = part_of(text, length, "p=", ",");

	if (sasl->steps == 1 && user.text != NULL)
		keep_user(d, sasl, user.text, user.length);
	else if (sasl->steps == 2 && proof.text != NULL)
		keep_secret(d, sasl, proof.text, proof.length);
}

static void read_digest_md5(
	struct fyke_dissection *d, struct fyke_sasl *sasl, const char *text, size_t length)
{
	struct fyke_word_of user = part_of(text, length, "username=\"", "\"");
	struct fyke_word_of response = part_of(text, length, "response=", ",");

	if (user.text != NULL)
		keep_user(d, sasl, user.text, user.length);
	if (response.text != NULL)
		keep_secret(d, sasl, response.text, response.length);
}

static void read_step(struct fyke_dissection *d, struct fyke_sasl *sasl, const char *text, size_t length)
{
	const char *mechanism = sasl->mechanism;

	if (strcmp(mechanism, "PLAIN") == 0)
		read_plain(d, sasl, text, length);
	else if (strcmp(mechanism, "LOGIN") == 0 && sasl->steps == 1)
		keep_user(d, sasl, text, length);
	else if (strcmp(mechanism, "LOGIN") == 0 && sasl->steps == 2)
		keep_secret(d, sasl, text, length);
	else if (strcmp(mechanism, "CRAM-MD5") == 0)
		read_digest(d, sasl, text, length);
	else if (strcmp(mechanism, "DIGEST-MD5") == 0)
		read_digest_md5(d, sasl, text, length);
	else if (strcmp(mechanism, "XOAUTH2") == 0 || strcmp(mechanism, "OAUTHBEARER") == 0)
		read_token(d, sasl, text, length);
	else if (strncmp(mechanism, "SCRAM", 5) == 0)
		read_scram(d, sasl, text, length);
	else if (strcmp(mechanism, "EXTERNAL") == 0)
		keep_user(d, sasl, text, length);
}

void fyke_sasl_client(
	struct fyke_dissection *dissection, struct fyke_sasl *sasl, const char *text, size_t length)
{
	uint8_t message[MESSAGE_MAX + 3];
	size_t decoded;

	if (sasl->mechanism == NULL || (length == 1 && (text[0] == '*' || text[0] == '=')))
		return;
	if (!fyke_base64_decode(text, length, message, sizeof(message), &decoded))
		return;
	sasl->steps++;
	read_step(dissection, sasl, (const char *)message, decoded);
}

void fyke_sasl_end(struct fyke_dissection *dissection, struct fyke_sasl *sasl, enum fyke_login login)
{
	if (sasl->mechanism != NULL && (fyke_text_is_set(&sasl->user) || fyke_text_is_set(&sasl->secret))) {
		const struct fyke_credential credential = {.mechanism = sasl->mechanism,
			.user = fyke_text_of(&sasl->user),
			.secret = fyke_text_of(&sasl->secret),
			.login = login};

		fyke_credential(dissection, &credential);
	}
	fyke_drop(dissection, &sasl->secret);
	sasl->mechanism = NULL;
}
