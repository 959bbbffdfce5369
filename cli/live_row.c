/*
 * Lines of the live table. Columns that do not fit a narrow terminal are left out from the right in
 * the order of `wanted`; what room is left goes to the two endpoints.
 */
#include "cli/live_row.h"

#include "analyzer/base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum { LINE_ROOM = 1024, ENDPOINT_ROOM = 96, ENDPOINT_LEAST = 21, ENDPOINT_MOST = 47 };

void fyke_live_entry_fill(struct fyke_live_entry *entry, const struct fyke_session *session)
{
	const char *service = session->service == NULL ? "" : session->service;

	for (int side = 0; side < 2; side++) {
		entry->ip[side] = session->side[side].ip;
		entry->port[side] = session->side[side].port;
		entry->bytes[side] =
			session->side[side].bytes == FYKE_UNKNOWN ? 0 : session->side[side].bytes;
	}
	entry->start_ns = session->start_ns;
	entry->transport = session->transport;
	entry->state = session->state;
	entry->ended = session->ended;
	entry->retransmissions = FYKE_UNKNOWN;
	for (int side = 0; side < 2 && session->tcp != NULL; side++) {
		int64_t more = session->tcp->side[side].retransmitted_segments;

		if (more != FYKE_UNKNOWN)
			entry->retransmissions =
				more + (entry->retransmissions == FYKE_UNKNOWN ? 0 : entry->retransmissions);
	}
	(void)snprintf(entry->service, sizeof(entry->service), "%s", service);
}

/* `text`, cut or filled up to `width` columns. */
static void put_cell(
	FILE *out, const char *text, unsigned width, bool right, const struct fyke_live_look *look)
{
	char cell[LINE_ROOM];
	unsigned flags = look->ascii ? FYKE_TEXT_ASCII : 0;
	size_t length = fyke_text_terminal(text, strlen(text), width, flags, cell, sizeof(cell));
	unsigned taken = length < sizeof(cell) ? fyke_text_width(cell, length) : width;
	int fill = taken < width ? (int)(width - taken) : 0;

	fprintf(out, "%*s%s%*s", right ? fill : 0, "", cell, right ? 0 : fill, "");
}

/* A whole line of formatted text. */
FYKE_PRINTF(3, 4)
static void put_line(FILE *out, const struct fyke_live_look *look, const char *format, ...)
{
	char text[LINE_ROOM];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	put_cell(out, text, look->columns, false, look);
}

/* The port always stays; a long address is cut. */
static void endpoint(const struct fyke_live_entry *entry, int side, unsigned width,
	const struct fyke_live_look *look, char text[ENDPOINT_ROOM])
{
	char address[FYKE_ADDRESS_TEXT], port[24] = "";
	const char *cut = look->ascii ? "~" : "…";
	bool bracket = entry->ip[side].family == FYKE_ADDRESS_IPV6 && entry->port[side] != FYKE_UNKNOWN;
	size_t length = fyke_address_text(&entry->ip[side], address), room;

	if (entry->port[side] != FYKE_UNKNOWN)
		(void)snprintf(port, sizeof(port), "%s:%" PRId64, bracket ? "]" : "", entry->port[side]);
	room = strlen(port) + bracket;
	room = width > room ? width - room : 1;
	if (length <= room)
		cut = "";
	else
		address[room - 1] = '\0';
	(void)snprintf(text, ENDPOINT_ROOM, "%s%s%s%s", bracket ? "[" : "", address, cut, port);
}

enum column { SERVICE, STATE, RATE, TOTAL, UP, DOWN, RESENT, COLUMN_COUNT };

static const struct {
	const char *title;
	unsigned width;
	bool right;
} columns[COLUMN_COUNT] = {
	[SERVICE] = {"SERVICE", 9, false},
	[STATE] = {"STATE", 6, false},
	[RATE] = {"RATE", 10, true},
	[TOTAL] = {"TOTAL", 8, true},
	[UP] = {"UP", 10, true},
	[DOWN] = {"DOWN", 10, true},
	[RESENT] = {"RESENT", 6, true},
};

/* Which columns a terminal of that width shows, and how wide an endpoint is. */
static unsigned layout(const struct fyke_live_look *look, bool shown[COLUMN_COUNT])
{
	static const enum column wanted[] = {SERVICE, TOTAL, RATE, STATE, RESENT, UP, DOWN};
	unsigned used = 2 * (ENDPOINT_LEAST + 1), left, width;

	memset(shown, 0, COLUMN_COUNT * sizeof(shown[0]));
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (used + columns[wanted[i]].width + 1 > look->columns + 1)
			break;
		shown[wanted[i]] = true;
		used += columns[wanted[i]].width + 1;
	}
	if (shown[UP] && !shown[DOWN]) { /* one without the other says little */
		shown[UP] = false;
		used -= columns[UP].width + 1;
	}
	left = look->columns > used ? look->columns - used : 0;
	width = ENDPOINT_LEAST + left / 2;
	if (look->columns <
		2 * ENDPOINT_LEAST + 2) /* two halves and the space between; nothing fits below 3 */
		return look->columns < 3 ? 0 : (look->columns - 1) / 2;
	return width > ENDPOINT_MOST ? ENDPOINT_MOST : width;
}

static void put_titles(const struct fyke_live_look *look, FILE *out)
{
	bool shown[COLUMN_COUNT];
	unsigned width = layout(look, shown);

	if (width == 0)
		return;
	if (look->colour)
		fputs("\x1b[1m", out);
	put_cell(out, "CLIENT", width, false, look);
	putc(' ', out);
	put_cell(out, "SERVER", width, false, look);
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (!shown[i])
			continue;
		putc(' ', out);
		put_cell(out, columns[i].title, columns[i].width, columns[i].right, look);
	}
	if (look->colour)
		fputs("\x1b[0m", out);
}

static void rate_text(double rate, char out[FYKE_TEXT_NUMBER])
{
	char bytes[FYKE_TEXT_NUMBER];

	out[0] = '\0';
	if (rate >= 1)
		(void)snprintf(out, FYKE_TEXT_NUMBER, "%.29s/s", fyke_text_bytes((int64_t)rate, bytes));
}

static const char *cell_text(
	const struct fyke_live_entry *entry, enum column column, char out[FYKE_TEXT_NUMBER])
{
	switch (column) {
	case SERVICE:
		return entry->service[0] != '\0' ? entry->service : entry->transport;
	case STATE:
		return fyke_state_name(entry->state);
	case TOTAL:
		return fyke_text_bytes(entry->bytes[0] + entry->bytes[1], out);
	case RESENT:
		out[0] = '\0';
		return entry->retransmissions > 0 ? fyke_text_count(entry->retransmissions, out) : out;
	case UP:
		rate_text(entry->rate[FYKE_CLIENT], out);
		return out;
	case DOWN:
		rate_text(entry->rate[FYKE_SERVER], out);
		return out;
	default:
		rate_text(entry->rate[0] + entry->rate[1], out);
		return out;
	}
}

void fyke_live_row_draw(const struct fyke_live_entry *entry, const struct fyke_live_look *look, FILE *out)
{
	bool shown[COLUMN_COUNT];
	unsigned width = layout(look, shown);
	char text[ENDPOINT_ROOM], number[FYKE_TEXT_NUMBER];

	if (width == 0)
		return;
	if (look->colour && entry->ended)
		fputs("\x1b[2m", out);
	endpoint(entry, FYKE_CLIENT, width, look, text);
	put_cell(out, text, width, false, look);
	putc(' ', out);
	endpoint(entry, FYKE_SERVER, width, look, text);
	put_cell(out, text, width, false, look);
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (!shown[i])
			continue;
		putc(' ', out);
		put_cell(out, cell_text(entry, (enum column)i, number), columns[i].width, columns[i].right,
			look);
	}
	if (look->colour && entry->ended)
		fputs("\x1b[0m", out);
}

static void put_first_line(
	const struct fyke_live_totals *totals, const struct fyke_live_look *look, FILE *out)
{
	int64_t seconds = totals->elapsed_ns / 1000000000;

	put_line(out, look, "fyke monitor %.64s%s%.256s%s%.256s  %" PRId64 ":%02" PRId64 ":%02" PRId64,
		totals->interface, totals->filter == NULL ? "" : "  filter ",
		totals->filter == NULL ? "" : totals->filter, totals->database == NULL ? "" : "  into ",
		totals->database == NULL ? "" : totals->database, seconds / 3600, seconds / 60 % 60,
		seconds % 60);
}

static void put_packets(const struct fyke_live_totals *totals, const struct fyke_live_look *look, FILE *out)
{
	char packets[FYKE_TEXT_NUMBER], bytes[FYKE_TEXT_NUMBER], rate[FYKE_TEXT_NUMBER];
	double bits = (double)totals->bits_per_second;
	unsigned step = 0;
	static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};

	for (; bits >= 1000 && step < 4; step++)
		bits /= 1000;
	put_line(out, look, "%s packets, %s   %s packets/s, %.*f %s",
		fyke_text_count((int64_t)totals->packets, packets),
		fyke_text_bytes((int64_t)totals->bytes, bytes),
		fyke_text_count((int64_t)totals->packets_per_second, rate), step > 0, bits, units[step]);
}

static void put_sessions(const struct fyke_live_totals *totals, const struct fyke_live_look *look, FILE *out)
{
	char seen[FYKE_TEXT_NUMBER], open[FYKE_TEXT_NUMBER], stored[FYKE_TEXT_NUMBER];

	put_line(out, look, "%s sessions, %s open, %s stored",
		fyke_text_count((int64_t)totals->sessions, seen),
		fyke_text_count((int64_t)totals->sessions_open, open),
		fyke_text_count((int64_t)totals->stored, stored));
}

static void put_losses(const struct fyke_live_totals *totals, const struct fyke_live_look *look, FILE *out)
{
	char kernel[FYKE_TEXT_NUMBER] = "?", interface[FYKE_TEXT_NUMBER] = "?", refused[FYKE_TEXT_NUMBER];

	if (totals->drops_known) {
		(void)fyke_text_count((int64_t)totals->kernel_drops, kernel);
		(void)fyke_text_count((int64_t)totals->interface_drops, interface);
	}
	put_line(out, look, "packets dropped by kernel %s, by interface %s, not read %s", kernel, interface,
		fyke_text_count((int64_t)totals->refused, refused));
}

void fyke_live_head_draw(
	unsigned line, const struct fyke_live_totals *totals, const struct fyke_live_look *look, FILE *out)
{
	switch (line) {
	case 0:
		put_first_line(totals, look, out);
		break;
	case 1:
		put_packets(totals, look, out);
		break;
	case 2:
		put_sessions(totals, look, out);
		break;
	case 3:
		put_losses(totals, look, out);
		break;
	case 4:
		put_titles(look, out);
		break;
	default:
		break;
	}
}

void fyke_live_foot_draw(const struct fyke_live_totals *totals, enum fyke_live_order order,
	const struct fyke_live_look *look, FILE *out)
{
	static const char *const orders[] = {"bytes of the last seconds", "bytes in all", "latest start"};

	if (totals->warning != NULL) {
		if (look->colour)
			fputs("\x1b[1;31m", out);
		put_line(out, look, "%.900s", totals->warning);
		if (look->colour)
			fputs("\x1b[0m", out);
		return;
	}
	put_line(out, look, "q ends, s sorts (now by %s)", orders[order]);
}
