/*
 * Both streams of one TCP connection: its packets in, chunks in order out (reassembly.h says how).
 *
 * - Data on a SYN (RFC 7413) count from offset 0 once the other side acknowledged them, or when nothing
 *   says that it did not. Data on a FIN are data; those on a RST are left out, like segments with a wrong
 *   checksum (unless the other side acknowledged them, stream_doubt.h) and the byte of a keep-alive.
 * - Urgent data stay in the stream (RFC 6093); where they end is told.
 * - Without a SYN the stream begins where the other side's acknowledgment or the first segment says;
 *   earlier bytes that come late are ignored.
 */
#ifndef FYKE_TCP_STREAM_H
#define FYKE_TCP_STREAM_H

#include "analyzer/tcp/reassembly.h"
#include "analyzer/tcp/tcp.h"

struct fyke_urgent {
	enum fyke_endpoint side;
	int64_t offset; /* of the last urgent byte */
	uint64_t frame;
	int64_t time_ns;
};

struct fyke_stream_options {
	enum fyke_policy policy[2]; /* of the receiver of each side's data, by its sender's endpoint */
	uint64_t memory;	    /* budget of each side, 0 = only the shared one's */
	bool keeps_recent;
	/* Where a side without a SYN begins, when that is known from elsewhere (an offset of fyke_tcp's);
	 * INT64_MIN where not. */
	int64_t start[2];
	const struct fyke_stream_sink *sink;
	void (*urgent)(void *context, const struct fyke_urgent *urgent); /* may be NULL */
	void *context;
};

struct fyke_syn_data;
struct fyke_stream_doubt;

struct fyke_stream {
	struct fyke_reassembly side[2];	     /* by the sender's endpoint */
	int64_t window[2];		     /* largest that the receiver of this side's data offered */
	struct fyke_syn_data *syn[2];	     /* not acknowledged yet */
	struct fyke_stream_doubt *doubts[2]; /* with a wrong checksum, not acknowledged yet; stream_doubt.h */
	int64_t start[2];
	uint64_t left_out; /* payload bytes that never were the stream's */
	void (*urgent)(void *context, const struct fyke_urgent *urgent);
	void *context;
};

void fyke_stream_init(struct fyke_stream *stream, struct fyke_stream_memory *memory,
	const struct fyke_stream_options *options);

/* The packet that `tcp` has just taken (fyke_tcp_take). */
void fyke_stream_take(struct fyke_stream *stream, const struct fyke_tcp *tcp,
	const struct fyke_packet *packet, enum fyke_endpoint sender);

/* Nothing more will come: both sides' ends are told. */
void fyke_stream_finish(struct fyke_stream *stream, uint64_t frame, int64_t time_ns);
void fyke_stream_release(struct fyke_stream *stream);

#endif
