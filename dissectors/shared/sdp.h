/* Session descriptions (SDP, RFC 8866): what media are announced, and where they are to come. */
#ifndef FYKE_DISSECTORS_SHARED_SDP_H
#define FYKE_DISSECTORS_SHARED_SDP_H

#include "dissectors/shared/line.h"

/* A row per medium; shared by the dissectors that see descriptions. */
extern const struct fyke_table fyke_table_sdp;

/* Tells every medium of a description, and has RTP and RTCP expected at their addresses. */
void fyke_sdp_take(struct fyke_dissection *dissection, const uint8_t *text, size_t length);

/* RTP at an address and port; RTCP at `control`, unless that is 0. The note is the media's name. */
void fyke_sdp_expect(struct fyke_dissection *dissection, const struct fyke_address *ip, uint16_t port,
	uint16_t control, struct fyke_word_of note);

#endif
