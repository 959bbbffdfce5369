/*
 * JSON lines (one object a session, RFC 8259) straight from struct fyke_session, driven by the
 * declarations of the columns. Nothing is kept between two lines.
 */
#include "storage/jsonl.h"

#include "analyzer/base/text.h"
#include "storage/rows.h"
#include "storage/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

enum fyke_jsonl_group fyke_jsonl_place(const char *column, const char **key)
{
	*key = column;
	if (strcmp(column, "server_name") == 0)
		return FYKE_JSONL_TOP;
	if (starts_with(column, "client_")) {
		*key = column + strlen("client_");
		return FYKE_JSONL_CLIENT;
	}
	if (starts_with(column, "server_")) {
		*key = column + strlen("server_");
		return FYKE_JSONL_SERVER;
	}
	return FYKE_JSONL_TOP;
}

/* What must not stand in a string as it is, and what a terminal would act on: controls, C1 included.
 * The input is UTF-8. */
static void put_escaped(FILE *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == 0xc2 && i + 1 < length && (unsigned char)text[i + 1] < 0xa0)
			fprintf(out, "\\u%04x", (unsigned char)text[++i]);
		else if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < 0x20 || byte == 0x7f)
			fprintf(out, "\\u%04x", byte);
		else
			putc(byte, out);
	}
}

void fyke_jsonl_string(FILE *out, const char *text, size_t length)
{
	char small[512];
	size_t room = fyke_text_utf8(text, length, small, sizeof(small)) + 1;
	char *large = NULL;

	putc('"', out);
	if (room <= sizeof(small)) {
		put_escaped(out, small, room - 1);
	} else {
		large = malloc(room);
		if (large != NULL) {
			(void)fyke_text_utf8(text, length, large, room);
			put_escaped(out, large, room - 1);
		}
	}
	free(large);
	putc('"', out);
}

static void put_text(FILE *out, const char *text)
{
	if (text == NULL)
		fputs("null", out);
	else
		fyke_jsonl_string(out, text, strlen(text));
}

static void put_integer(FILE *out, enum fyke_type type, int64_t value)
{
	if (value == FYKE_UNKNOWN)
		fputs("null", out);
	else if (type == FYKE_TYPE_BOOLEAN)
		fputs(value != 0 ? "true" : "false", out);
	else
		fprintf(out, "%" PRId64, value);
}

static void put_address(FILE *out, const struct fyke_address *address)
{
	char text[FYKE_ADDRESS_TEXT];

	put_text(out, fyke_address_text(address, text) == 0 ? NULL : text);
}

static void put_mac(FILE *out, const struct fyke_session_side *side)
{
	char text[FYKE_MAC_TEXT];

	if (side->has_mac)
		fyke_mac_text(side->mac, text);
	put_text(out, side->has_mac ? text : NULL);
}

static void put_value(FILE *out, const struct fyke_column *column, const void *base)
{
	const void *member = (const char *)base + column->offset;

	switch ((enum fyke_column_source)column->source) {
	case FYKE_COLUMN_INTEGER:
		put_integer(out, column->type, *(const int64_t *)member);
		break;
	case FYKE_COLUMN_UNSIGNED:
		fprintf(out, "%" PRIu64, *(const uint64_t *)member);
		break;
	case FYKE_COLUMN_UNSIGNED32:
		fprintf(out, "%" PRIu32, *(const uint32_t *)member);
		break;
	case FYKE_COLUMN_BOOLEAN:
		fputs(*(const bool *)member ? "true" : "false", out);
		break;
	case FYKE_COLUMN_TIME:
		put_integer(out, column->type, fyke_rows_us(*(const int64_t *)member));
		break;
	case FYKE_COLUMN_NAME:
	case FYKE_COLUMN_TEXT:
		put_text(out, *(const char *const *)member);
		break;
	case FYKE_COLUMN_INLINE:
		put_text(out, *(const char *)member == '\0' ? NULL : member);
		break;
	case FYKE_COLUMN_ADDRESS:
		put_address(out, member);
		break;
	case FYKE_COLUMN_MAC:
		put_mac(out, member);
		break;
	case FYKE_COLUMN_STATE:
		put_text(out, fyke_state_name(*(const enum fyke_state *)member));
		break;
	case FYKE_COLUMN_END:
		put_text(out, fyke_end_name(*(const enum fyke_end *)member));
		break;
	default:
		fputs("null", out);
		break;
	}
}

static bool is_written(const struct fyke_column *column)
{
	switch ((enum fyke_column_source)column->source) {
	case FYKE_COLUMN_NONE:
	case FYKE_COLUMN_ID:
	case FYKE_COLUMN_CAPTURE:
	case FYKE_COLUMN_PARENT:
	case FYKE_COLUMN_QUOTES:
	case FYKE_COLUMN_FRAMES:
		return false;
	default:
		return true;
	}
}

/* The members of one group, separated by commas; whether there was any. */
static bool put_group(
	FILE *out, const struct fyke_schema_table *table, enum fyke_jsonl_group group, const void *base)
{
	bool any = false;

	for (size_t i = 0; i < table->column_count; i++) {
		const struct fyke_column *column = &table->columns[i];
		const char *key;

		if (!is_written(column) || fyke_jsonl_place(column->name, &key) != group)
			continue;
		fprintf(out, "%s\"%s\":", any ? "," : "", key);
		put_value(out, column, base);
		any = true;
	}
	return any;
}

static void put_object(FILE *out, const struct fyke_schema_table *table, const void *base)
{
	bool any = put_group(out, table, FYKE_JSONL_TOP, base);

	fprintf(out, "%s\"client\":{", any ? "," : "");
	(void)put_group(out, table, FYKE_JSONL_CLIENT, base);
	fputs("},\"server\":{", out);
	(void)put_group(out, table, FYKE_JSONL_SERVER, base);
	putc('}', out);
}

void fyke_jsonl_write(FILE *out, const struct fyke_session *session)
{
	putc('{', out);
	put_object(out, &fyke_schema_sessions, session);
	if (session->tcp == NULL) {
		fputs(",\"tcp\":null}\n", out);
		return;
	}
	fputs(",\"tcp\":{", out);
	put_object(out, &fyke_schema_tcp, session->tcp);
	fputs("}}\n", out);
}
