/* The hello of Google's own QUIC crypto: a map of four-letter tags. */
#ifndef FYKE_SHARED_QUIC_GOOGLE_H
#define FYKE_SHARED_QUIC_GOOGLE_H

#include "analyzer/base/cursor.h"

struct fyke_quic_google {
	struct fyke_cursor name, user_agent; /* SNI, UAID; empty where not told */
};

/* `message` begins with CHLO. False: it does not, or ends too early. */
bool fyke_quic_google_hello(struct fyke_cursor message, struct fyke_quic_google *hello);

/* The message at the front of a stream frame among the frames of a packet until Q046; empty when there is
 * none. */
struct fyke_cursor fyke_quic_google_stream(struct fyke_cursor frames);

#endif
