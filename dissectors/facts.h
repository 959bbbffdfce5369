/*
 * What a dissector says: records of its tables, and facts that all protocols have in common.
 *
 * Bytes are copied in the call. Text may be any bytes: what is not UTF-8 is escaped by whoever writes it.
 * Everything is bounded here: texts to FYKE_FACT_TEXT_MAX bytes, the rest as each function says.
 */
#ifndef FYKE_DISSECTORS_FACTS_H
#define FYKE_DISSECTORS_FACTS_H

#include "analyzer/base/address.h"
#include "analyzer/base/field.h"
#include "analyzer/base/moment.h"
#include "analyzer/base/side.h"
#include "dissectors/keep.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fyke_dissection;

enum { FYKE_FACT_TEXT_MAX = 16 * 1024 };

/* ---- values of records ---- */

static inline struct fyke_value fyke_null(void)
{
	return (struct fyke_value){.kind = FYKE_VALUE_NULL};
}

static inline struct fyke_value fyke_integer(int64_t integer)
{
	return (struct fyke_value){.kind = FYKE_VALUE_INTEGER, .integer = integer};
}

/* NULL unless `known`. */
static inline struct fyke_value fyke_integer_if(bool known, int64_t integer)
{
	return known ? fyke_integer(integer) : fyke_null();
}

/* Borrowed until the record is made; NULL bytes give NULL. */
static inline struct fyke_value fyke_bytes(const void *bytes, size_t length)
{
	if (bytes == NULL)
		return fyke_null();
	return (struct fyke_value){.kind = FYKE_VALUE_BYTES,
		.length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length,
		.bytes = bytes};
}

static inline struct fyke_value fyke_text_of(const struct fyke_text *text)
{
	return fyke_bytes(text->bytes, text->length);
}

/* A NUL-terminated constant, or NULL. */
static inline struct fyke_value fyke_word(const char *word)
{
	return fyke_bytes(word, word == NULL ? 0 : __builtin_strlen(word));
}

/* A secret: "***" unless the user asked for secrets (--store-passwords). */
struct fyke_value fyke_secret(const struct fyke_dissection *dissection, const void *bytes, size_t length);
bool fyke_secrets_are_stored(const struct fyke_dissection *dissection);

/* One row of `table`, a table of the running dissector; field_count values. With the frame and time of
 * the bytes in work, or with those given. The first record confirms the protocol. */
void fyke_record(
	struct fyke_dissection *dissection, const struct fyke_table *table, const struct fyke_value *values);

struct fyke_moment fyke_now(const struct fyke_dissection *dissection);
void fyke_record_at(struct fyke_dissection *dissection, const struct fyke_table *table,
	struct fyke_moment moment, const struct fyke_value *values);

/* ---- the session ---- */

/* The bytes are this protocol's beyond doubt: sessions.content_service says so. */
void fyke_confirm(struct fyke_dissection *dissection);
bool fyke_is_confirmed(const struct fyke_dissection *dissection);
/* Likewise, by another name (static) for what it turned out to be. */
void fyke_confirm_as(struct fyke_dissection *dissection, const char *content_service);

/* The name that the client knows the server by (SNI, Host); the first one counts. */
void fyke_name_server(struct fyke_dissection *dissection, const void *name, size_t length);

/* Which transport carries it; addresses and ports of a side. */
unsigned fyke_transport_of(const struct fyke_dissection *dissection); /* one of enum fyke_transport */
const struct fyke_address *fyke_address_of(const struct fyke_dissection *dissection, enum fyke_side side);
uint16_t fyke_port_of(const struct fyke_dissection *dissection, enum fyke_side side);
/* The dissector that this one took over from (FYKE_BECOMES): its name, or NULL. */
const char *fyke_carrier(const struct fyke_dissection *dissection);

/* ---- sessions to come ---- */

enum { FYKE_EXPECT_NOTE_MAX = 256 };

/* A session to or from (ip, port) is to be taken by this dissector (FTP data, TFTP, RTP). Forgotten after
 * five minutes of packet time. */
struct fyke_expectation {
	unsigned transport; /* one of enum fyke_transport */
	struct fyke_address ip;
	uint16_t port;
	const char *dissector; /* name; static */
	const void *note;      /* what the dissector is to know: copied, ≤ FYKE_EXPECT_NOTE_MAX bytes */
	size_t note_length;
};

void fyke_expect(struct fyke_dissection *dissection, const struct fyke_expectation *expectation);
/* In a session that was expected: the note, NULL otherwise. */
const void *fyke_expected_note(const struct fyke_dissection *dissection, size_t *length);
/* In a session that was expected: the session that expected it, for a field of FYKE_TYPE_SESSION. */
struct fyke_value fyke_expected_by(const struct fyke_dissection *dissection);

/* ---- hosts ---- */

enum fyke_host_fact { FYKE_HOST_NAME, FYKE_HOST_MAC, FYKE_HOST_VENDOR, FYKE_HOST_OS, FYKE_HOST_PRODUCT };

/* Something that the traffic says about the host at `ip`. `source`: where it stands, e.g. "dns" (static). */
void fyke_host_says(struct fyke_dissection *dissection, const struct fyke_address *ip,
	enum fyke_host_fact fact, const void *value, size_t length, const char *source);
/* What a side's program calls itself: of the server also the product of its port. */
void fyke_product(struct fyke_dissection *dissection, enum fyke_side side, const void *value, size_t length);

/* ---- secrets in the clear ---- */

enum fyke_login { FYKE_LOGIN_UNKNOWN, FYKE_LOGIN_ACCEPTED, FYKE_LOGIN_REFUSED };

/* A user's name and a secret went by in the clear. `user` may be unset; `mechanism` is static: "USER/PASS",
 * "PLAIN", "Basic" …; the secret is stored only if the user asked for that. */
struct fyke_credential {
	const char *mechanism;
	struct fyke_value user, secret; /* bytes, or NULL; the secret as it is, unmasked */
	enum fyke_login login;
};

void fyke_credential(struct fyke_dissection *dissection, const struct fyke_credential *credential);
/* The same of an earlier moment: the server's answer came later. */
void fyke_credential_at(struct fyke_dissection *dissection, struct fyke_moment moment,
	const struct fyke_credential *credential);

/* ---- files ---- */

struct fyke_file; /* one that is being transferred */

struct fyke_file_about {
	enum fyke_side sender;
	struct fyke_value name; /* as told, untrusted; NULL = not told */
	struct fyke_value type; /* media type as told */
	int64_t size;		/* of all of it as told, -1 = not told */
	bool is_range;		/* only a range of the file goes by: */
	int64_t offset;		/* where in it the first byte stands */
	bool is_no_file; /* text of a message, a field of a form: no record and no hash, only searched */
};

/* Begins a file; NULL when too many are open: the other calls take that. At the end it becomes a record of
 * transferred_files: size, missing bytes, sniffed type, MD5, SHA-256; and one of sensitive_numbers, if there
 * are numbers of cards or accounts in it. */
struct fyke_file *fyke_file_begin(struct fyke_dissection *dissection, const struct fyke_file_about *about);
void fyke_file_data(
	struct fyke_dissection *dissection, struct fyke_file *file, const void *bytes, size_t length);
void fyke_file_missing(struct fyke_dissection *dissection, struct fyke_file *file, uint64_t length);
/* `complete`: by the protocol, the last byte was told as such. Frees it. What is open at the dissector's end
 * ends incomplete. */
void fyke_file_end(struct fyke_dissection *dissection, struct fyke_file *file, bool complete);

#endif
