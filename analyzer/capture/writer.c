/*
 * pcapng (one section, enhanced packet blocks) and classic pcap, in little-endian whatever the
 * machine. No comments, no statistics blocks.
 */
#include "analyzer/capture/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, ENHANCED_PACKET = 6 };
enum { IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9, IF_FCSLEN = 13, TEXT_LIMIT = 256, HEAD_ROOM = 768 };

struct fyke_capture_writer {
	struct fyke_capture_writer_options options;
	char *name;
	uint32_t interfaces;
	uint16_t link_type; /* of a pcap, once it has an interface */
	uint64_t bytes;
	struct fyke_error failure; /* status FYKE_OK while there is none */
};

/* Bytes that are put together before they are written; writers below never exceed the room. */
struct head {
	size_t length;
	uint8_t bytes[HEAD_ROOM];
};

static void put(struct head *head, const void *data, size_t length)
{
	if (length == 0 || length > sizeof(head->bytes) - head->length)
		return;
	memcpy(head->bytes + head->length, data, length);
	head->length += length;
}

static void put16(struct head *head, unsigned value)
{
	uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};

	put(head, bytes, sizeof(bytes));
}

static void put32(struct head *head, uint64_t value)
{
	put16(head, (unsigned)(value & 0xffff));
	put16(head, (unsigned)(value >> 16 & 0xffff));
}

static void put_padding(struct head *head, size_t length)
{
	static const uint8_t zero[4];

	put(head, zero, (4 - length % 4) % 4);
}

static void put_option(struct head *head, unsigned code, const void *data, size_t length)
{
	put16(head, code);
	put16(head, (unsigned)length);
	put(head, data, length);
	put_padding(head, length);
}

static void put_text(struct head *head, unsigned code, const char *text)
{
	size_t length = text == NULL ? 0 : strnlen(text, TEXT_LIMIT);

	if (length > 0)
		put_option(head, code, text, length);
}

/* Writes the block's length in its second word and at its end. */
static void close_block(struct head *head)
{
	size_t total = head->length + 4;
	struct head length = {0};

	put32(&length, total);
	memcpy(head->bytes + 4, length.bytes, 4);
	put(head, length.bytes, 4);
}

static enum fyke_status fail(struct fyke_capture_writer *writer, struct fyke_error *error)
{
	const char *words = errno == ENOSPC ? "the disk is full" : strerror(errno);

	(void)!fyke_error_set(
		&writer->failure, FYKE_FAILED_IO, "%s: cannot be written: %s", writer->name, words);
	return fyke_error_set(error, writer->failure.status, "%s", writer->failure.text);
}

static enum fyke_status failed_before(struct fyke_capture_writer *writer, struct fyke_error *error)
{
	return fyke_error_set(error, writer->failure.status, "%s", writer->failure.text);
}

static bool write_bytes(struct fyke_capture_writer *writer, const void *data, size_t length)
{
	errno = EIO;
	if (length > 0 && fwrite(data, 1, length, writer->options.file) != length)
		return false;
	writer->bytes += length;
	return true;
}

static enum fyke_status write_head(
	struct fyke_capture_writer *writer, const struct head *head, struct fyke_error *error)
{
	return write_bytes(writer, head->bytes, head->length) ? FYKE_OK : fail(writer, error);
}

static enum fyke_status write_section(struct fyke_capture_writer *writer, struct fyke_error *error)
{
	struct head head = {0};

	put32(&head, SECTION);
	put32(&head, 0);
	put32(&head, 0x1a2b3c4d);
	put16(&head, 1);
	put16(&head, 0);
	put32(&head, 0xffffffff); /* the section's length is not known */
	put32(&head, 0xffffffff);
	close_block(&head);
	return write_head(writer, &head, error);
}

enum fyke_status fyke_capture_writer_new(const struct fyke_capture_writer_options *options,
	struct fyke_capture_writer **made, struct fyke_error *error)
{
	struct fyke_capture_writer *writer = calloc(1, sizeof(*writer));
	enum fyke_status status = FYKE_OK;

	*made = NULL;
	if (writer == NULL || (writer->name = strdup(options->name)) == NULL) {
		free(writer);
		return fyke_error_set(
			error, FYKE_FAILED_MEMORY, "%s: no memory left to write it", options->name);
	}
	writer->options = *options;
	writer->options.name = writer->name;
	if (options->format == FYKE_CAPTURE_WRITER_PCAPNG)
		status = write_section(writer, error);
	if (status != FYKE_OK) {
		fyke_capture_writer_free(writer);
		return status;
	}
	*made = writer;
	return FYKE_OK;
}

static void put_interface(struct head *head, const struct fyke_capture_writer *writer,
	const struct fyke_source_interface *interface, unsigned fcs)
{
	uint8_t resolution = writer->options.microseconds ? 6 : 9, fcs_length = (uint8_t)fcs;

	put32(head, INTERFACE);
	put32(head, 0);
	put16(head, interface->link_type);
	put16(head, 0);
	put32(head, interface->snaplen);
	put_text(head, IF_NAME, interface->name);
	put_text(head, IF_DESCRIPTION, interface->description);
	put_option(head, IF_TSRESOL, &resolution, 1);
	if (fcs > 0)
		put_option(head, IF_FCSLEN, &fcs_length, 1);
	put_option(head, 0, NULL, 0);
	close_block(head);
}

static void put_file_header(struct head *head, const struct fyke_capture_writer *writer,
	const struct fyke_source_interface *interface, unsigned fcs)
{
	uint32_t link = interface->link_type;

	/* Told in units of 16 bits, up to 15 of them. */
	if (fcs > 0 && fcs % 2 == 0 && fcs <= 30)
		link |= 0x04000000 | (uint32_t)(fcs / 2) << 28;
	put32(head, writer->options.microseconds ? 0xa1b2c3d4 : 0xa1b23c4d);
	put16(head, 2);
	put16(head, 4);
	put32(head, 0);
	put32(head, 0);
	put32(head, interface->snaplen == 0 ? 262144 : interface->snaplen);
	put32(head, link);
}

enum fyke_status fyke_capture_writer_interface(struct fyke_capture_writer *writer,
	const struct fyke_source_interface *interface, unsigned fcs_length, uint32_t *index,
	struct fyke_error *error)
{
	struct head head = {0};
	enum fyke_status status = FYKE_OK;

	*index = writer->interfaces;
	if (writer->failure.status != FYKE_OK)
		return failed_before(writer, error);
	if (writer->options.format == FYKE_CAPTURE_WRITER_PCAPNG) {
		put_interface(&head, writer, interface, fcs_length);
		status = write_head(writer, &head, error);
	} else if (writer->interfaces == 0) {
		put_file_header(&head, writer, interface, fcs_length);
		writer->link_type = interface->link_type;
		status = write_head(writer, &head, error);
	} else if (interface->link_type != writer->link_type) {
		return fyke_error_set(error, FYKE_FAILED_USAGE,
			"%s: a pcap file has one link type, and %u follows on %u; write a pcapng file",
			writer->name, interface->link_type, writer->link_type);
	}
	if (status == FYKE_OK)
		writer->interfaces++;
	return status;
}

static void put_packet_block(struct head *head, const struct fyke_capture_writer *writer,
	const struct fyke_frame *frame, uint32_t index)
{
	uint64_t time = frame->time_ns < 0 ? 0 : (uint64_t)frame->time_ns;

	if (writer->options.microseconds)
		time /= 1000;
	put32(head, ENHANCED_PACKET);
	put32(head, 32 + ((uint64_t)frame->captured + 3) / 4 * 4);
	put32(head, index);
	put32(head, time >> 32);
	put32(head, time & 0xffffffff);
	put32(head, frame->captured);
	put32(head, frame->length);
}

static void put_packet_tail(struct head *head, const struct fyke_frame *frame)
{
	put_padding(head, frame->captured);
	put32(head, 32 + ((uint64_t)frame->captured + 3) / 4 * 4);
}

static void put_record(
	struct head *head, const struct fyke_capture_writer *writer, const struct fyke_frame *frame)
{
	uint64_t time = frame->time_ns < 0 ? 0 : (uint64_t)frame->time_ns;
	uint64_t seconds = time / 1000000000, fraction = time % 1000000000;

	if (seconds > UINT32_MAX) {
		seconds = UINT32_MAX;
		fraction = 999999999;
	}
	put32(head, seconds);
	put32(head, writer->options.microseconds ? fraction / 1000 : fraction);
	put32(head, frame->captured);
	put32(head, frame->length);
}

enum fyke_status fyke_capture_writer_frame(struct fyke_capture_writer *writer, const struct fyke_frame *frame,
	uint32_t index, struct fyke_error *error)
{
	struct head head, tail;

	head.length = tail.length = 0;
	if (writer->failure.status != FYKE_OK)
		return failed_before(writer, error);
	if (index >= writer->interfaces)
		return fyke_error_set(
			error, FYKE_FAILED_INTERNAL, "%s: a frame of an interface not told of", writer->name);
	if (writer->options.format == FYKE_CAPTURE_WRITER_PCAPNG) {
		put_packet_block(&head, writer, frame, index);
		put_packet_tail(&tail, frame);
	} else {
		put_record(&head, writer, frame);
	}
	if (!write_bytes(writer, head.bytes, head.length) ||
		!write_bytes(writer, frame->data, frame->captured) ||
		!write_bytes(writer, tail.bytes, tail.length))
		return fail(writer, error);
	return FYKE_OK;
}

enum fyke_status fyke_capture_writer_flush(struct fyke_capture_writer *writer, struct fyke_error *error)
{
	if (writer->failure.status != FYKE_OK)
		return failed_before(writer, error);
	return fflush(writer->options.file) == 0 ? FYKE_OK : fail(writer, error);
}

uint64_t fyke_capture_writer_bytes(const struct fyke_capture_writer *writer)
{
	return writer->bytes;
}

void fyke_capture_writer_free(struct fyke_capture_writer *writer)
{
	if (writer == NULL)
		return;
	free(writer->name);
	free(writer);
}
