/* A packet as captured, and the block of bytes that it lies in. */
#ifndef FYKE_CAPTURE_FRAME_H
#define FYKE_CAPTURE_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct fyke_frame {
	uint64_t number; /* from 1, through all files; a frame that the filter leaves out keeps its number */
	int64_t time_ns; /* since the epoch; clamped to ±2^62, so that differences never overflow */
	const uint8_t *data;  /* `captured` bytes, borrowed from the block */
	uint32_t captured;    /* bytes that are here */
	uint32_t length;      /* bytes that were on the wire; ≥ captured, or the reader has corrected it */
	uint16_t link_type;   /* LINKTYPE_… of tcpdump.org, not libpcap's DLT_ */
	uint8_t fcs_length;   /* bytes of frame check sequence at the end, 0 if none or not known */
	uint32_t interface;   /* index into the source's interfaces */
	uint32_t file;	      /* index into the source's files; 0 when live */
	uint64_t file_offset; /* of the record's header in the file's uncompressed bytes */
};

/* What somebody wrote about a packet into the capture (pcapng). */
struct fyke_comment {
	uint64_t frame;	  /* number of a frame of the same block */
	const char *text; /* untrusted, borrowed from the block; no NUL behind it */
	size_t length;	  /* > 0 */
};

/* Frames of one piece of input. Reference-counted: whoever keeps a pointer into it holds it. */
struct fyke_block {
	const struct fyke_frame *frames; /* ascending numbers */
	size_t count;			 /* may be 0 */
	const struct fyke_comment
		*comments; /* in the order of their frames; several of one frame are possible */
	size_t comment_count;
};

/* Thread-safe (atomic count); the last release frees or recycles the block. */
void fyke_block_hold(struct fyke_block *block);
void fyke_block_release(struct fyke_block *block);

#endif
