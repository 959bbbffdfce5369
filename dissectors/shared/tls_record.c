/*
 * Records' headers, and the probe.
 *
 * A hello or an alert is beyond doubt; so is a record of application data (type, version and bounded length
 * are 26 bits) or a header on each side: captures begin in the middle, too.
 */
#include "dissectors/shared/tls_record.h"

#include "dissectors/shared/tls_hello.h"
#include "dissectors/shared/tls_names.h"

bool fyke_tls_read_record(const uint8_t *data, size_t length, struct fyke_tls_record *record)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint8_t major, minor;

	record->type = fyke_cursor_u8(&c);
	major = fyke_cursor_u8(&c);
	minor = fyke_cursor_u8(&c);
	record->length = fyke_cursor_u16(&c);
	return fyke_cursor_ok(&c) && record->type >= FYKE_TLS_CHANGE_CIPHER_SPEC &&
	       record->type <= FYKE_TLS_HEARTBEAT && major == 3 && minor <= 4 &&
	       record->length <= FYKE_TLS_RECORD_MAX &&
	       (record->length > 0 || record->type == FYKE_TLS_APPLICATION_DATA) &&
	       (record->length == 1 || record->type != FYKE_TLS_CHANGE_CIPHER_SPEC);
}

enum { ENCRYPTED_ALERT_MAX = 64 };

/* How far a side's first bytes look like TLS. */
enum look { SILENT, NEVER, BEGINNING, HEADER, SURE };

/* The beginning of a message within the first record: type, length, version. */
static enum look look_at_handshake(struct fyke_cursor c)
{
	uint8_t type = fyke_cursor_u8(&c);
	uint32_t length = fyke_cursor_u24(&c);
	uint8_t major = fyke_cursor_u8(&c);
	bool hello = type == 1 || type == 2;

	if (!fyke_cursor_ok(&c))
		return hello ? BEGINNING : HEADER;
	return hello && length >= 38 && length <= 0x10000 && (major == 3 || major == 0x7f) ? SURE : HEADER;
}

static enum look look_at_alert(struct fyke_cursor c)
{
	uint8_t level = fyke_cursor_u8(&c), alert = fyke_cursor_u8(&c);

	if (!fyke_cursor_ok(&c))
		return BEGINNING;
	return (level == 1 || level == 2) && fyke_tls_alert_name(alert) != NULL ? SURE : HEADER;
}

/* Five bytes are not here yet. */
static enum look look_at_beginning(struct fyke_cursor c)
{
	uint8_t type = fyke_cursor_u8(&c), major = fyke_cursor_u8(&c);

	if (type < FYKE_TLS_CHANGE_CIPHER_SPEC || type > FYKE_TLS_HEARTBEAT)
		return NEVER;
	return !fyke_cursor_ok(&c) || major == 3 ? BEGINNING : NEVER;
}

static enum look look_at_record(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	struct fyke_tls_record record;

	if (length < FYKE_TLS_RECORD_HEADER)
		return look_at_beginning(c);
	if (!fyke_tls_read_record(data, length, &record))
		return NEVER;
	(void)fyke_cursor_skip(&c, FYKE_TLS_RECORD_HEADER);
	if (record.type == FYKE_TLS_HANDSHAKE)
		return look_at_handshake(c);
	if (record.type == FYKE_TLS_ALERT && record.length == 2)
		return look_at_alert(c);
	if (record.type == FYKE_TLS_APPLICATION_DATA && record.length > 16)
		return SURE;
	if (record.type == FYKE_TLS_ALERT && record.length <= ENCRYPTED_ALERT_MAX)
		return SURE;
	return HEADER;
}

/* A whole ClientHello of SSL 2's form, at the beginning of what a side says. */
static enum look look_at_ssl2(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint16_t head = fyke_cursor_u16(&c);
	struct fyke_tls_hello hello;
	struct fyke_cursor body;

	if (length > 0 && (data[0] & 0x80) == 0)
		return NEVER;
	body = fyke_cursor_carve(&c, head & 0x7fff);
	if (!fyke_cursor_ok(&c))
		return (length > 2 && data[2] != 1) || (length > 3 && data[3] != 0 && data[3] != 3)
			       ? NEVER
			       : BEGINNING;
	return fyke_tls_client_hello_ssl2(body.at, fyke_cursor_left(&body), &hello) &&
			       (hello.version == 2 || hello.version >> 8 == 3)
		       ? SURE
		       : NEVER;
}

static enum look look_at(const uint8_t *data, size_t length)
{
	enum look look;

	if (length == 0)
		return SILENT;
	look = look_at_record(data, length);
	return look == NEVER ? look_at_ssl2(data, length) : look;
}

enum fyke_match fyke_tls_probe(const struct fyke_opening *opening)
{
	enum look client = look_at(opening->side[FYKE_CLIENT].data, opening->side[FYKE_CLIENT].length);
	enum look server = look_at(opening->side[FYKE_SERVER].data, opening->side[FYKE_SERVER].length);

	if (client == SURE || server == SURE || (client == HEADER && server == HEADER))
		return FYKE_YES;
	/* the other side may yet say a hello: to a server that speaks in the clear, for example */
	if ((client == NEVER || server == NEVER) && (opening->complete || client == server))
		return FYKE_NO;
	return FYKE_MAYBE;
}
