/*
 * Bytes of segments with a wrong checksum, kept until it is known whether the receiver took them (as fyke_tcp
 * judges it). A bounded number waits on each side, within the streams' budget; with a further one the oldest
 * is given up.
 */
#ifndef FYKE_TCP_STREAM_DOUBT_H
#define FYKE_TCP_STREAM_DOUBT_H

#include "analyzer/tcp/stream.h"

/* Keeps a copy. `tcp` has taken the packet. */
void fyke_stream_doubt(struct fyke_stream *stream, const struct fyke_tcp *tcp,
	const struct fyke_packet *packet, enum fyke_endpoint sender);

/* Feeds what `tcp` has come to believe, forgets what it never will. Before the acknowledgment that proves it
 * is passed on. */
void fyke_stream_doubts_settle(struct fyke_stream *stream, const struct fyke_tcp *tcp);

void fyke_stream_doubts_release(struct fyke_stream *stream);

#endif
