/*
 * Inside of analyzer/capture: one capture file as blocks of frames. The reader owns the window over
 * the file's bytes (a block being filled); a format looks at the bytes there and says what they are.
 *
 *     block:  | frames already found | record in part |      free      |
 *             0                      at               end              size
 *
 * When a block is given away, the part of a record behind `at` moves to the front of the next.
 * Frames leave with the file's own numbers: `number` from 1 in this file, `interface` in this file.
 */
#ifndef FYKE_CAPTURE_READER_H
#define FYKE_CAPTURE_READER_H

#include "analyzer/base/cursor.h"
#include "analyzer/capture/block.h"
#include "analyzer/capture/input.h"
#include "analyzer/capture/source.h"

enum { FYKE_RECORD_LIMIT = 16 * 1024 * 1024 }; /* bytes; a larger record is damage */
enum { FYKE_INTERFACES_LIMIT = 65536 };	       /* of one file */
enum { FYKE_NAME_LIMIT = 128, FYKE_DESCRIPTION_LIMIT = 256 };
enum { FYKE_COMMENTS_LIMIT = 256 };	  /* of one packet, section or interface */
enum { FYKE_COMMENT_LIMIT = 128 * 1024 }; /* bytes of the comments on a file or an interface together */

enum fyke_parsed {
	FYKE_PARSED_FRAME,  /* *frame is filled, *size bytes are used */
	FYKE_PARSED_SKIP,   /* *size bytes are to be passed over, more than are here perhaps */
	FYKE_PARSED_MORE,   /* *size bytes are needed in one piece */
	FYKE_PARSED_DAMAGE, /* the reader's damage says what; nothing after this can be read */
	FYKE_PARSED_MEMORY,
};

struct fyke_reader;

/* Looks at the bytes from the reader's `at` on. Fills of the frame all but number and file_offset. */
typedef enum fyke_parsed fyke_parse(
	struct fyke_reader *reader, struct fyke_cursor bytes, struct fyke_frame *frame, size_t *size);

/* What an interface says about its packets. */
struct fyke_reader_interface {
	struct fyke_source_interface told; /* strings owned */
	uint8_t fcs_length;
	uint8_t resolution; /* if_tsresol: 10^-n, or 2^-n with the top bit set */
	int64_t offset_s;   /* if_tsoffset */
};

/* What a file says about itself: of each the first section that says it, and the comments of all of
 * them, a line each. Owned; NULL where nothing is said. */
struct fyke_reader_texts {
	const char *application, *os, *hardware;
	char *comment;
	size_t comment_length;
};

void fyke_reader_texts_release(struct fyke_reader_texts *texts); /* leaves it empty */

struct fyke_reader {
	struct fyke_input *input;
	struct fyke_block_pool *pool;	 /* borrowed */
	const char *name;		 /* borrowed */
	struct fyke_reader_texts *texts; /* borrowed; NULL: neither these nor comments are wanted */
	struct fyke_block_room *room;
	size_t at, end;
	uint64_t base; /* offset in the file of the block's first byte */
	uint64_t skip; /* bytes still to be passed over */
	bool ended;
	uint64_t packets; /* found so far */
	char damage[480]; /* "" or a sentence */
	bool in_packet;	  /* what the last MORE was about: a packet, or another block */
	struct fyke_reader_interface *interfaces;
	size_t interfaces_count, interfaces_room;

	const char *format;
	fyke_parse *parse;
	bool big_endian;
	/* pcap */
	uint32_t tick_ns;
	size_t record_header;
	int minor_version;
	/* pcapng */
	size_t section; /* first interface of the running section */
	int64_t last_time_ns;
};

enum fyke_reader_result { FYKE_READER_BLOCK, FYKE_READER_END, FYKE_READER_FAILED };

/* Takes the input over, reads as far as the format and the file header go. On failure the sentence
 * names the file and, where it is no capture, what it seems to be. */
FYKE_MUST_USE enum fyke_status fyke_reader_new(struct fyke_input *input_take, const char *name,
	struct fyke_block_pool *pool, struct fyke_reader **reader, struct fyke_error *error);
void fyke_reader_free(struct fyke_reader *reader);

/* A block with at least one frame, held once for the caller. */
enum fyke_reader_result fyke_reader_next(
	struct fyke_reader *reader, struct fyke_block_room **room, struct fyke_error *error);

/* For the formats. `_note`: a lie that could be corrected, reading goes on; only the first is told.
 * `_damage`: reading ends with it. Both are clauses without a full stop. */
void fyke_reader_note(struct fyke_reader *reader, const char *format, ...) FYKE_PRINTF(2, 3);
void fyke_reader_damage(struct fyke_reader *reader, const char *format, ...) FYKE_PRINTF(2, 3);
uint64_t fyke_reader_offset(const struct fyke_reader *reader);			     /* of `at` in the file */
const char *fyke_number_text(uint64_t number, char text[27]);			     /* "2,304" */
struct fyke_reader_interface *fyke_reader_add_interface(struct fyke_reader *reader); /* NULL: no memory */

static inline uint16_t fyke_reader_u16(const struct fyke_reader *reader, struct fyke_cursor *c)
{
	return reader->big_endian ? fyke_cursor_u16(c) : fyke_cursor_le16(c);
}

static inline uint32_t fyke_reader_u32(const struct fyke_reader *reader, struct fyke_cursor *c)
{
	return reader->big_endian ? fyke_cursor_u32(c) : fyke_cursor_le32(c);
}

/* Makes lengths agree and sets the frame's data and FCS from them. */
static inline void fyke_frame_lengths(
	struct fyke_frame *frame, uint32_t captured, uint32_t length, unsigned fcs_length)
{
	uint32_t cut;

	if (length < captured)
		length = captured;
	cut = length - captured;
	frame->captured = captured;
	frame->length = length;
	frame->fcs_length =
		fcs_length > cut && fcs_length - cut <= captured ? (uint8_t)(fcs_length - cut) : 0;
}

/* The formats. `_is`: whether the first 4 bytes are theirs. `_start`: reads the file header at `at`. */
enum { FYKE_PCAP_HEADER = 24, FYKE_PCAPNG_HEADER = 12 };
bool fyke_pcap_is(const uint8_t first[4]);
FYKE_MUST_USE enum fyke_status fyke_pcap_start(struct fyke_reader *reader, struct fyke_error *error);
bool fyke_pcapng_is(const uint8_t first[4]);
FYKE_MUST_USE enum fyke_status fyke_pcapng_start(struct fyke_reader *reader, struct fyke_error *error);

#endif
