/*
 * Where packets come from. A source gives blocks of frames in capture order until it ends; it knows
 * what it has read (files, interfaces, counters) and what was wrong with it.
 *
 * One thread drives a source. Blocks may be released on any thread.
 */
#ifndef FYKE_CAPTURE_SOURCE_H
#define FYKE_CAPTURE_SOURCE_H

#include "analyzer/base/status.h"
#include "analyzer/capture/frame.h"

#include <stdbool.h>

struct fyke_source;

enum fyke_source_result {
	FYKE_SOURCE_BLOCK,  /* *block is held for the caller, who releases it */
	FYKE_SOURCE_IDLE,   /* live only: nothing came within the read timeout */
	FYKE_SOURCE_END,    /* no more; see damage of the files */
	FYKE_SOURCE_FAILED, /* our own failure (I/O, memory), *error says which; what was given before stays
			       good */
};

/* One capture file of the run, in reading order. Strings are owned by the source. */
struct fyke_source_file {
	const char *name;     /* as given by the user; "-" for standard input */
	uint64_t bytes;	      /* on disk, compressed if it is; of standard input: read so far */
	char fingerprint[33]; /* XXH3-128 as DESIGN §5 says, hex; of standard input known at the end only, ""
				 before */
	uint64_t first_frame; /* number of its first frame, 0 while it has none */
	uint64_t frames;      /* frames read from it so far, filtered ones included */
	const char *damage; /* NULL, or one sentence: what is wrong and where ("cut in the middle of packet 17
			       at byte 2,304") */
	const char *format; /* "pcap", "pcap (ns)", "pcapng", "modified pcap", with " in gzip" and the like */
	/* What a pcapng says of who wrote it, and on what; untrusted bytes, NULL = not told. Complete when
	 * the file has been read. */
	const char *application, *os, *hardware;
	const char *comment; /* likewise; several are a line each */
};

struct fyke_source_interface {
	const char *name;	 /* "" when not known; untrusted bytes */
	const char *description; /* likewise */
	uint16_t link_type;
	uint32_t snaplen; /* 0 = no limit told */
	uint32_t file;	  /* index into the source's files; 0 when live */
	/* Untrusted bytes, NULL = not told. `filter` is what it was captured with; several comments are a
	 * line each. */
	const char *comment, *os, *hardware, *filter;
};

struct fyke_source_counters {
	uint64_t frames;	  /* read, filtered ones included */
	uint64_t frames_filtered; /* left out by the BPF filter */
	uint64_t bytes;		  /* sum of `length` of the frames that passed the filter */
	uint64_t input_bytes;	  /* consumed from files, as on disk, for progress */
	uint64_t input_bytes_all; /* of all files together, 0 when not known (a pipe) */
	uint64_t kernel_drops;	  /* live: ps_drop */
	uint64_t interface_drops; /* live: ps_ifdrop */
	bool drops_known;
};

struct fyke_source_options {
	const char *filter;	   /* BPF expression or NULL; compiled for each link type that occurs */
	uint64_t frame_limit;	   /* -c: stop after that many frames that passed the filter; 0 = no limit */
	uint32_t snaplen;	   /* -s: frames are cut to this when read; 0 = whole */
	const volatile bool *stop; /* may be NULL; when it becomes true the source ends as soon as it can
				      (signal-safe flag) */
	/* May be NULL. Called once, when all that needs rights is open and not a byte of it has been parsed:
	 * the place to drop privileges. A failure fails the opening. */
	enum fyke_status (*opened)(void *context, struct fyke_error *error);
	void *opened_context;
};

/* Opens files (pcap, pcapng; gzip, zstd, lz4; "-" = standard input), sorts them by the time of their
 * first packet (ties: order given) and checks that each is a capture. A file that cannot be opened,
 * or is none, fails the call with a sentence that names it. An empty capture is no failure. */
FYKE_MUST_USE enum fyke_status fyke_source_files_open(const char *const *names, size_t count,
	const struct fyke_source_options *options, struct fyke_source **source, struct fyke_error *error);

enum { FYKE_SOURCE_RINGS_MAX = 64 };

struct fyke_source_live_options {
	const char *interface;
	uint32_t buffer_mib; /* of each ring, 0 = default */
	uint32_t rings; /* that share what comes, a thread each; 0 and 1: one, read by the source's thread */
	int timeout_ms; /* longest wait of fyke_source_next, 0 = default (100) */
	bool promiscuous;
};

/* Opens an interface through libpcap (TPACKET ring on Linux). FYKE_FAILED_PERMISSION when the rights are
 * missing. */
FYKE_MUST_USE enum fyke_status fyke_source_live_open(const struct fyke_source_live_options *live,
	const struct fyke_source_options *options, struct fyke_source **source, struct fyke_error *error);

/* The next block. Frames of one block may belong to several interfaces but to one file. */
enum fyke_source_result fyke_source_next(
	struct fyke_source *source, struct fyke_block **block, struct fyke_error *error);

/* Borrowed until the next call of fyke_source_next or _free. */
const struct fyke_source_file *fyke_source_files(const struct fyke_source *source, size_t *count);
const struct fyke_source_interface *fyke_source_interfaces(const struct fyke_source *source, size_t *count);
struct fyke_source_counters fyke_source_counters(struct fyke_source *source);

/* What a user should be told besides the files' damage (the filter does not fit a link type, …): one
 * sentence, NULL behind the last. Their number only grows. */
const char *fyke_source_warning(const struct fyke_source *source, size_t index);

/* Blocks that are still held stay good. NULL is allowed. */
void fyke_source_free(struct fyke_source *source);

#endif
