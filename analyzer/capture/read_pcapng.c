/*
 * The pcapng format (draft-ietf-opsawg-pcapng): sections of either byte order, interfaces that differ
 * in link type, snaplen and clock, enhanced, simple and the obsolete packet blocks; the comments on
 * sections, interfaces and packets, and who wrote them. All other blocks (names, statistics, secrets,
 * custom ones) are passed over with their comments, custom options likewise. A simple packet block has
 * no time: it gets that of the packet before it. Limits: FYKE_RECORD_LIMIT, FYKE_INTERFACES_LIMIT,
 * FYKE_COMMENTS_LIMIT, FYKE_COMMENT_LIMIT.
 */
#include "analyzer/capture/link.h"
#include "analyzer/capture/reader.h"

#include <stdlib.h>
#include <string.h>

#define SECTION_HEADER 0x0a0d0d0au
#define ORDER_MARK     0x1a2b3c4du
#define ORDER_TURNED   0x4d3c2b1au

enum { INTERFACE = 1, PACKET = 2, SIMPLE_PACKET = 3, ENHANCED_PACKET = 6 };
enum { BLOCK_FRAME = 12, OPTION_END = 0, OPTION_COMMENT = 1 };
enum { SHB_HARDWARE = 2, SHB_OS = 3, SHB_APPLICATION = 4, EPB_FLAGS = 2 };
enum {
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	IF_OS = 12,
	IF_FCSLEN = 13,
	IF_TSOFFSET = 14,
	IF_HARDWARE = 15
};

static const int64_t LATEST_NS = INT64_C(1) << 62;

bool fyke_pcapng_is(const uint8_t first[4])
{
	return memcmp(first, "\x0a\x0d\x0d\x0a", 4) == 0;
}

static enum fyke_parsed damaged_block(struct fyke_reader *reader, const char *what)
{
	char packet[27], offset[27];

	fyke_reader_damage(reader, "the block at byte %s, before packet %s, %s",
		fyke_number_text(fyke_reader_offset(reader), offset),
		fyke_number_text(reader->packets + 1, packet), what);
	return FYKE_PARSED_DAMAGE;
}

static void note_packet(struct fyke_reader *reader, const char *what)
{
	char packet[27], offset[27];

	fyke_reader_note(reader, "packet %s at byte %s %s", fyke_number_text(reader->packets + 1, packet),
		fyke_number_text(fyke_reader_offset(reader), offset), what);
}

/* One option; false at their end. */
static bool next_option(
	struct fyke_reader *reader, struct fyke_cursor *c, uint16_t *code, struct fyke_cursor *value)
{
	uint16_t length;

	if (fyke_cursor_left(c) < 4)
		return false;
	*code = fyke_reader_u16(reader, c);
	length = fyke_reader_u16(reader, c);
	if (*code == OPTION_END)
		return false;
	*value = fyke_cursor_carve(c, length);
	if (!fyke_cursor_ok(c))
		return false;
	(void)fyke_cursor_skip(c, (4 - length % 4u) % 4);
	return true;
}

/* Owned; "" where nothing is there; NULL when memory is out. */
static const char *copy_text(const struct fyke_cursor *value, size_t limit)
{
	size_t length = fyke_cursor_left(value);

	length = strnlen((const char *)value->at, length < limit ? length : limit);
	if (length == 0)
		return "";
	return strndup((const char *)value->at, length);
}

static void replace_text(const char **text, const struct fyke_cursor *value, size_t limit)
{
	if (*text[0] == '\0')
		*text = copy_text(value, limit);
}

/* The first of its kind, where there is any text. False when memory is out. */
static bool keep_text(const char **text, const struct fyke_cursor *value)
{
	size_t length = strnlen((const char *)value->at, fyke_cursor_left(value));

	if (*text != NULL || length == 0)
		return true;
	*text = strndup(
		(const char *)value->at, length < FYKE_DESCRIPTION_LIMIT ? length : FYKE_DESCRIPTION_LIMIT);
	return *text != NULL;
}

/* Comments that will be one text, a line each. */
struct comment_lines {
	char *text;
	size_t length;
	unsigned count; /* of this block */
};

/* One more line. False when memory is out. */
static bool keep_line(
	struct fyke_reader *reader, struct comment_lines *lines, const struct fyke_cursor *value)
{
	size_t length = strnlen((const char *)value->at, fyke_cursor_left(value));
	char offset[27], *grown;

	if (length == 0)
		return true;
	if (++lines->count > FYKE_COMMENTS_LIMIT || lines->length + length + 1 > FYKE_COMMENT_LIMIT) {
		fyke_reader_note(reader, "the block at byte %s has more comments than fyke keeps",
			fyke_number_text(fyke_reader_offset(reader), offset));
		return true;
	}
	grown = realloc(lines->text, lines->length + length + 2);
	if (grown == NULL)
		return false;
	lines->text = grown;
	if (lines->length > 0)
		grown[lines->length++] = '\n';
	memcpy(grown + lines->length, value->at, length);
	lines->length += length;
	grown[lines->length] = '\0';
	return true;
}

static int64_t offset_of(struct fyke_reader *reader, struct fyke_cursor *value)
{
	uint64_t first = fyke_reader_u32(reader, value);
	uint64_t second = fyke_reader_u32(reader, value);

	return (int64_t)(reader->big_endian ? first << 32 | second : second << 32 | first);
}

/* The string of if_filter, which begins with what the rest is: 0 for a string. */
static bool keep_filter(const char **text, struct fyke_cursor value)
{
	return fyke_cursor_left(&value) == 0 || fyke_cursor_u8(&value) != 0 || keep_text(text, &value);
}

static bool take_interface_option(struct fyke_reader *reader, struct fyke_reader_interface *interface,
	uint16_t code, struct fyke_cursor value)
{
	switch (code) {
	case IF_FILTER:
		return keep_filter(&interface->told.filter, value);
	case IF_OS:
		return keep_text(&interface->told.os, &value);
	case IF_HARDWARE:
		return keep_text(&interface->told.hardware, &value);
	case IF_NAME:
		replace_text(&interface->told.name, &value, FYKE_NAME_LIMIT);
		return interface->told.name != NULL;
	case IF_DESCRIPTION:
		replace_text(&interface->told.description, &value, FYKE_DESCRIPTION_LIMIT);
		return interface->told.description != NULL;
	case IF_TSRESOL:
		if (fyke_cursor_left(&value) >= 1)
			interface->resolution = fyke_cursor_u8(&value);
		return true;
	case IF_FCSLEN:
		interface->fcs_length = fyke_cursor_u8(&value);
		return true;
	case IF_TSOFFSET:
		if (fyke_cursor_left(&value) >= 8)
			interface->offset_s = offset_of(reader, &value);
		return true;
	default:
		return true;
	}
}

static bool take_interface(struct fyke_reader *reader, struct fyke_cursor *body)
{
	struct fyke_reader_interface *interface = fyke_reader_add_interface(reader);
	struct comment_lines comments = {0};
	struct fyke_cursor value;
	bool good = interface != NULL;
	uint16_t code;

	if (!good)
		return false;
	interface->told.link_type = fyke_link_normalize(fyke_reader_u16(reader, body));
	(void)fyke_cursor_skip(body, 2);
	interface->told.snaplen = fyke_reader_u32(reader, body);
	while (good && next_option(reader, body, &code, &value)) {
		if (code != OPTION_COMMENT)
			good = take_interface_option(reader, interface, code, value);
		else if (reader->texts != NULL)
			good = keep_line(reader, &comments, &value);
	}
	interface->told.comment = comments.text;
	if (interface->told.name == NULL)
		interface->told.name = "";
	if (interface->told.description == NULL)
		interface->told.description = "";
	return good;
}

static enum fyke_parsed parse_interface(struct fyke_reader *reader, struct fyke_cursor body)
{
	if (fyke_cursor_left(&body) < 8)
		return damaged_block(reader, "is too short to describe an interface");
	if (reader->interfaces_count >= FYKE_INTERFACES_LIMIT)
		return damaged_block(reader, "is one interface too many: there are 65,536 already");
	return take_interface(reader, &body) ? FYKE_PARSED_SKIP : FYKE_PARSED_MEMORY;
}

static bool take_section_option(
	struct fyke_reader_texts *texts, uint16_t code, const struct fyke_cursor *value)
{
	switch (code) {
	case SHB_HARDWARE:
		return keep_text(&texts->hardware, value);
	case SHB_OS:
		return keep_text(&texts->os, value);
	case SHB_APPLICATION:
		return keep_text(&texts->application, value);
	default:
		return true;
	}
}

static bool take_section(struct fyke_reader *reader, struct fyke_cursor *options)
{
	struct fyke_reader_texts *texts = reader->texts;
	struct comment_lines comments = {texts->comment, texts->comment_length, 0};
	struct fyke_cursor value;
	bool good = true;
	uint16_t code;

	while (good && next_option(reader, options, &code, &value)) {
		if (code == OPTION_COMMENT)
			good = keep_line(reader, &comments, &value);
		else
			good = take_section_option(texts, code, &value);
	}
	texts->comment = comments.text;
	texts->comment_length = comments.length;
	return good;
}

static enum fyke_parsed parse_section(struct fyke_reader *reader, struct fyke_cursor body)
{
	uint16_t major;

	if (fyke_cursor_left(&body) < 16)
		return damaged_block(reader, "is too short to begin a section");
	(void)fyke_cursor_skip(&body, 4);
	major = fyke_reader_u16(reader, &body);
	if (major != 1)
		return damaged_block(reader, "begins a section of an unknown version");
	reader->section = reader->interfaces_count;
	(void)fyke_cursor_skip(&body, 10); /* the minor version and the length of the section */
	if (reader->texts != NULL && !take_section(reader, &body))
		return FYKE_PARSED_MEMORY;
	return FYKE_PARSED_SKIP;
}

/* Clamped so that the difference of two times never overflows. */
static int64_t time_of(const struct fyke_reader_interface *interface, uint64_t ticks)
{
	static const uint64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
		1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000,
		1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
		10000000000000000000u};
	unsigned exponent = interface->resolution & 0x7f;
	__int128 time;

	if ((interface->resolution & 0x80) != 0)
		time = (__int128)((unsigned __int128)ticks * 1000000000 >> exponent);
	else if (exponent <= 9)
		time = (__int128)ticks * (__int128)powers[9 - exponent];
	else
		time = exponent - 9 < 20 ? (__int128)(ticks / powers[exponent - 9]) : 0;
	time += (__int128)interface->offset_s * 1000000000;
	if (time > LATEST_NS)
		return LATEST_NS;
	return time < -LATEST_NS ? -LATEST_NS : (int64_t)time;
}

static const struct fyke_reader_interface *interface_of(
	struct fyke_reader *reader, uint32_t id, struct fyke_frame *frame)
{
	const struct fyke_reader_interface *interface;

	if (id >= reader->interfaces_count - reader->section) {
		note_packet(reader, "names an interface that was not described, and is left out");
		return NULL;
	}
	interface = &reader->interfaces[reader->section + id];
	frame->interface = (uint32_t)(reader->section + id);
	frame->link_type = interface->told.link_type;
	return interface;
}

/* Of the packet that is being read. False when memory is out. */
static bool keep_comment(struct fyke_reader *reader, const struct fyke_cursor *value, unsigned *count)
{
	struct fyke_comment comment = {reader->packets + 1, (const char *)value->at, fyke_cursor_left(value)};

	while (comment.length > 0 && comment.text[comment.length - 1] == '\0')
		comment.length--;
	if (comment.length == 0)
		return true;
	if (++*count <= FYKE_COMMENTS_LIMIT)
		return fyke_block_comment(reader->room, comment);
	note_packet(reader, "has more than 256 comments; those behind are left out");
	return true;
}

/* Comments, and bits 5 to 8 of the flags: the frame check sequence of this packet, where they are not
 * 0. False when memory is out. */
static bool take_packet_options(struct fyke_reader *reader, struct fyke_cursor *options, unsigned *fcs_length)
{
	bool good = true, flags_seen = false;
	struct fyke_cursor value;
	unsigned comments = 0;
	uint16_t code;

	while (good && next_option(reader, options, &code, &value)) {
		if (code == EPB_FLAGS && !flags_seen && fyke_cursor_left(&value) >= 4) {
			unsigned told = fyke_reader_u32(reader, &value) >> 5 & 15;

			flags_seen = true;
			*fcs_length = told != 0 ? told : *fcs_length;
		} else if (code == OPTION_COMMENT && reader->texts != NULL) {
			good = keep_comment(reader, &value, &comments);
		}
	}
	return good;
}

static bool take_data(struct fyke_reader *reader, struct fyke_cursor *body, struct fyke_frame *frame,
	const struct fyke_reader_interface *interface)
{
	bool good = true;
	uint32_t captured = fyke_reader_u32(reader, body);
	uint32_t length = fyke_reader_u32(reader, body);
	unsigned fcs_length = interface->fcs_length;

	if (captured > fyke_cursor_left(body)) {
		note_packet(reader, "claims more bytes than its block has, and was shortened to those");
		captured = (uint32_t)fyke_cursor_left(body);
	}
	frame->data = fyke_cursor_take(body, captured);
	if (fyke_cursor_left(body) >= 4) {
		(void)fyke_cursor_skip(body, (4 - captured % 4) % 4);
		good = take_packet_options(reader, body, &fcs_length);
	}
	fyke_frame_lengths(frame, captured, length, fcs_length);
	return good;
}

/* Enhanced (6) and obsolete (2) packet blocks differ in their first word only. */
static enum fyke_parsed parse_packet(
	struct fyke_reader *reader, struct fyke_cursor body, struct fyke_frame *frame, bool enhanced)
{
	const struct fyke_reader_interface *interface;
	uint64_t ticks;
	uint32_t id;

	if (fyke_cursor_left(&body) < 20)
		return damaged_block(reader, "is too short for a packet");
	if (enhanced) {
		id = fyke_reader_u32(reader, &body);
	} else {
		id = fyke_reader_u16(reader, &body);
		(void)fyke_cursor_skip(&body, 2);
	}
	interface = interface_of(reader, id, frame);
	if (interface == NULL)
		return FYKE_PARSED_SKIP;
	ticks = (uint64_t)fyke_reader_u32(reader, &body) << 32;
	ticks |= fyke_reader_u32(reader, &body);
	frame->time_ns = time_of(interface, ticks);
	return take_data(reader, &body, frame, interface) ? FYKE_PARSED_FRAME : FYKE_PARSED_MEMORY;
}

static enum fyke_parsed parse_simple(
	struct fyke_reader *reader, struct fyke_cursor body, struct fyke_frame *frame)
{
	const struct fyke_reader_interface *interface;
	uint32_t length, captured;

	if (fyke_cursor_left(&body) < 4)
		return damaged_block(reader, "is too short for a packet");
	interface = interface_of(reader, 0, frame);
	if (interface == NULL)
		return FYKE_PARSED_SKIP;
	length = fyke_reader_u32(reader, &body);
	captured = length;
	if (interface->told.snaplen != 0 && captured > interface->told.snaplen)
		captured = interface->told.snaplen;
	if (captured > fyke_cursor_left(&body)) {
		note_packet(reader, "claims more bytes than its block has, and was shortened to those");
		captured = (uint32_t)fyke_cursor_left(&body);
	}
	frame->data = fyke_cursor_take(&body, captured);
	frame->time_ns = reader->last_time_ns;
	fyke_frame_lengths(frame, captured, length, interface->fcs_length);
	return FYKE_PARSED_FRAME;
}

/* The type, and for a section the byte order that everything in it has from here on. */
static bool take_type(struct fyke_reader *reader, struct fyke_cursor *c, uint32_t *type)
{
	struct fyke_cursor order = *c;
	uint32_t magic;

	*type = fyke_reader_u32(reader, c);
	if (*type != SECTION_HEADER)
		return true;
	(void)fyke_cursor_skip(&order, 8);
	magic = fyke_cursor_u32(&order);
	reader->big_endian = magic == ORDER_MARK;
	return magic == ORDER_MARK || magic == ORDER_TURNED;
}

static bool is_known(uint32_t type)
{
	return type == SECTION_HEADER || type == INTERFACE || type == PACKET || type == SIMPLE_PACKET ||
	       type == ENHANCED_PACKET;
}

static enum fyke_parsed parse_body(
	struct fyke_reader *reader, uint32_t type, struct fyke_cursor body, struct fyke_frame *frame)
{
	switch (type) {
	case ENHANCED_PACKET:
	case PACKET:
		return parse_packet(reader, body, frame, type == ENHANCED_PACKET);
	case SIMPLE_PACKET:
		return parse_simple(reader, body, frame);
	case INTERFACE:
		return parse_interface(reader, body);
	case SECTION_HEADER:
		return parse_section(reader, body);
	default:
		return FYKE_PARSED_SKIP;
	}
}

static enum fyke_parsed parse_block(
	struct fyke_reader *reader, struct fyke_cursor c, struct fyke_frame *frame, size_t *size)
{
	struct fyke_cursor body;
	uint32_t type, total;

	reader->in_packet = false;
	*size = BLOCK_FRAME;
	if (fyke_cursor_left(&c) < BLOCK_FRAME)
		return FYKE_PARSED_MORE;
	if (!take_type(reader, &c, &type))
		return damaged_block(reader, "begins a section without the mark of its byte order");
	total = fyke_reader_u32(reader, &c);
	if (total < BLOCK_FRAME || total % 4 != 0 || (is_known(type) && total > FYKE_RECORD_LIMIT))
		return damaged_block(reader, "has an impossible length");
	*size = total;
	if (!is_known(type) && total > FYKE_BLOCK_BYTES)
		return FYKE_PARSED_SKIP;
	reader->in_packet = type == ENHANCED_PACKET || type == PACKET || type == SIMPLE_PACKET;
	body = fyke_cursor_carve(&c, total - BLOCK_FRAME);
	if (!fyke_cursor_ok(&c) || fyke_cursor_left(&c) < 4)
		return FYKE_PARSED_MORE;
	if (fyke_reader_u32(reader, &c) != total)
		return damaged_block(reader, "ends with another length than it begins with");
	return parse_body(reader, type, body, frame);
}

enum fyke_status fyke_pcapng_start(struct fyke_reader *reader, struct fyke_error *error)
{
	struct fyke_cursor c = fyke_cursor(reader->room->bytes + reader->at, FYKE_PCAPNG_HEADER);
	uint32_t type;

	reader->parse = parse_block;
	reader->format = "pcapng";
	if (!take_type(reader, &c, &type))
		return fyke_error_set(error, FYKE_FAILED_FORMAT,
			"%s: begins like a pcapng file but has no valid mark of its byte order",
			reader->name);
	return FYKE_OK;
}
