/*
 * The classic pcap format (draft-ietf-opsawg-pcap): both byte orders, micro- and nanoseconds, the
 * "modified" one of Alexey Kuznetzov's patches (24-byte record headers), the swapped lengths of
 * versions before 2.4, and the frame check sequence told in the link-type field.
 */
#include "analyzer/capture/link.h"
#include "analyzer/capture/reader.h"

#include <stddef.h>

#define MICROSECONDS 0xa1b2c3d4u
#define NANOSECONDS  0xa1b23c4du
#define MODIFIED     0xa1b2cd34u

static uint32_t magic_of(const uint8_t first[4], bool big_endian)
{
	struct fyke_cursor c = fyke_cursor(first, 4);

	return big_endian ? fyke_cursor_u32(&c) : fyke_cursor_le32(&c);
}

static bool is_magic(uint32_t magic)
{
	return magic == MICROSECONDS || magic == NANOSECONDS || magic == MODIFIED;
}

bool fyke_pcap_is(const uint8_t first[4])
{
	return is_magic(magic_of(first, false)) || is_magic(magic_of(first, true));
}

/* Versions before 2.3 had the two lengths the other way round, 2.3 either way. */
static bool lengths_swapped(const struct fyke_reader *reader, uint32_t captured, uint32_t length)
{
	return reader->minor_version < 3 || (reader->minor_version == 3 && captured > length);
}

static enum fyke_parsed absurd(struct fyke_reader *reader, uint32_t captured)
{
	char packet[27], offset[27], bytes[27];

	fyke_reader_damage(reader, "packet %s at byte %s claims to be %s bytes long, which no packet is",
		fyke_number_text(reader->packets + 1, packet),
		fyke_number_text(fyke_reader_offset(reader), offset), fyke_number_text(captured, bytes));
	return FYKE_PARSED_DAMAGE;
}

static enum fyke_parsed parse_record(
	struct fyke_reader *reader, struct fyke_cursor c, struct fyke_frame *frame, size_t *size)
{
	uint32_t seconds, fraction, captured, length;
	const size_t header = reader->record_header, left = fyke_cursor_left(&c);
	const struct fyke_reader_interface *interface = &reader->interfaces[0];
	struct fyke_cursor fixed;

	*size = header;
	if (left < header)
		return FYKE_PARSED_MORE;
	/* Reads from a run of known length cost no checks. */
	fixed = fyke_cursor(c.at, 16);
	seconds = fyke_reader_u32(reader, &fixed);
	fraction = fyke_reader_u32(reader, &fixed);
	captured = fyke_reader_u32(reader, &fixed);
	length = fyke_reader_u32(reader, &fixed);
	if (lengths_swapped(reader, captured, length)) {
		uint32_t other = captured;

		captured = length;
		length = other;
	}
	if (captured > FYKE_RECORD_LIMIT)
		return absurd(reader, captured);
	*size = header + captured;
	if (left < header + captured)
		return FYKE_PARSED_MORE;
	frame->data = c.at + header;
	frame->time_ns = (int64_t)seconds * 1000000000 + (int64_t)fraction * reader->tick_ns;
	frame->link_type = interface->told.link_type;
	frame->interface = 0;
	fyke_frame_lengths(frame, captured, length, interface->fcs_length);
	return FYKE_PARSED_FRAME;
}

static void choose_format(struct fyke_reader *reader, uint32_t magic)
{
	reader->parse = parse_record;
	reader->in_packet = true;
	reader->tick_ns = magic == NANOSECONDS ? 1 : 1000;
	reader->record_header = magic == MODIFIED ? 24 : 16;
	if (magic == NANOSECONDS)
		reader->format = "pcap (ns)";
	else if (magic == MODIFIED)
		reader->format = "modified pcap";
	else
		reader->format = "pcap";
}

static enum fyke_status take_header(
	struct fyke_reader *reader, struct fyke_cursor *c, struct fyke_error *error)
{
	struct fyke_reader_interface *interface = fyke_reader_add_interface(reader);
	uint16_t major = fyke_reader_u16(reader, c);
	uint32_t link;

	if (interface == NULL)
		return fyke_error_set(
			error, FYKE_FAILED_MEMORY, "%s: no memory left to read it", reader->name);
	reader->minor_version = fyke_reader_u16(reader, c);
	if (major != 2)
		return fyke_error_set(error, FYKE_FAILED_FORMAT,
			"%s: is a pcap file of version %u.%d; 2.4 is the one that is used", reader->name,
			major, reader->minor_version);
	(void)fyke_cursor_skip(c, 8); /* time zone and accuracy: nobody ever set them */
	interface->told.snaplen = fyke_reader_u32(reader, c);
	link = fyke_reader_u32(reader, c);
	interface->told.link_type = fyke_link_normalize((uint16_t)(link & 0xffff));
	if ((link & 0x04000000) != 0)
		interface->fcs_length = (uint8_t)(2 * (link >> 28)); /* in units of 16 bits */
	return FYKE_OK;
}

enum fyke_status fyke_pcap_start(struct fyke_reader *reader, struct fyke_error *error)
{
	const uint8_t *first = reader->room->bytes + reader->at;
	struct fyke_cursor c = fyke_cursor(first, FYKE_PCAP_HEADER);
	enum fyke_status status;

	reader->big_endian = is_magic(magic_of(first, true));
	choose_format(reader, magic_of(first, reader->big_endian));
	(void)fyke_cursor_skip(&c, 4);
	status = take_header(reader, &c, error);
	reader->at += FYKE_PCAP_HEADER;
	return status;
}
