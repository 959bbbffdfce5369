/*
 * Writes frames as they were captured into a pcapng or pcap file that the caller has opened.
 * Failures stick: after the first, every call fails with the same sentence.
 */
#ifndef FYKE_CAPTURE_WRITER_H
#define FYKE_CAPTURE_WRITER_H

#include "analyzer/base/status.h"
#include "analyzer/capture/frame.h"
#include "analyzer/capture/source.h"

#include <stdio.h>

enum fyke_capture_writer_format { FYKE_CAPTURE_WRITER_PCAPNG, FYKE_CAPTURE_WRITER_PCAP };

struct fyke_capture_writer_options {
	FILE *file;	  /* borrowed; must outlive the writer, which never closes it */
	const char *name; /* for sentences; copied */
	enum fyke_capture_writer_format format;
	bool microseconds; /* else nanoseconds */
};

struct fyke_capture_writer;

/* Writes the header of a pcapng at once, that of a pcap with the first interface. */
FYKE_MUST_USE enum fyke_status fyke_capture_writer_new(const struct fyke_capture_writer_options *options,
	struct fyke_capture_writer **writer, struct fyke_error *error);

/* Tells of an interface; *index counts from 0. Its fcs_length is that of whole frames, 0 mostly. A pcap
 * has one link type: an interface of another is refused with FYKE_FAILED_USAGE, which does not stick. */
FYKE_MUST_USE enum fyke_status fyke_capture_writer_interface(struct fyke_capture_writer *writer,
	const struct fyke_source_interface *interface, unsigned fcs_length, uint32_t *index,
	struct fyke_error *error);

/* One frame of the interface `index` (not frame->interface). Times before 1970, and in a pcap after
 * 2106, are written as the nearest that the format has. */
FYKE_MUST_USE enum fyke_status fyke_capture_writer_frame(struct fyke_capture_writer *writer,
	const struct fyke_frame *frame, uint32_t index, struct fyke_error *error);

/* Brings all that was written to the descriptor. */
FYKE_MUST_USE enum fyke_status fyke_capture_writer_flush(
	struct fyke_capture_writer *writer, struct fyke_error *error);

uint64_t fyke_capture_writer_bytes(const struct fyke_capture_writer *writer); /* written so far */

/* Without flushing. NULL is allowed. */
void fyke_capture_writer_free(struct fyke_capture_writer *writer);

#endif
