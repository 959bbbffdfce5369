/* A small script language for TCP segments, shared by the tests of the levels above decoding. */
#ifndef FYKE_TESTS_TCP_SEGMENTS_H
#define FYKE_TESTS_TCP_SEGMENTS_H

#include "analyzer/decode/packet.h"

/* From 10.0.0.1:40000 (client) to 10.0.0.2:80, or back. */
struct segment_spec {
	char from;	   /* 'c' or 's' */
	const char *flags; /* letters of S A F R P */
	uint32_t sequence, acknowledgment;
	uint32_t length;
	uint16_t window; /* 0 stands for 1000; WINDOW_ZERO for 0 */
	double seconds;
};

enum { WINDOW_ZERO = 0xffff };

/* The packet of a segment; frame numbers are the caller's. */
struct fyke_packet segment_packet(const struct segment_spec *spec, uint64_t frame);

#endif
