/*
 * Records of live sessions, which come in parts, until the session's line is written at its end. Bounded:
 * what does not fit is counted instead.
 */
#ifndef FYKE_STORAGE_JSON_KEPT_H
#define FYKE_STORAGE_JSON_KEPT_H

#include "analyzer/base/status.h"
#include "analyzer/session/session.h"
#include "storage/json_buffer.h"

#include <stdbool.h>

struct fyke_json_kept;

/* NULL when memory is out. `bytes_max`: of all texts together; `ascii`: as of a buffer. */
struct fyke_json_kept *fyke_json_kept_new(size_t bytes_max, bool ascii);
void fyke_json_kept_free(struct fyke_json_kept *kept); /* NULL is allowed */

/* Keeps what an open session brought. False when memory is out. */
FYKE_MUST_USE bool fyke_json_kept_add(struct fyke_json_kept *kept, const struct fyke_session *session);

/* Appends all records of a session that ended, those kept and those that it brings, and forgets it. With
 * "records_lost": N behind them where N did not fit. */
void fyke_json_kept_append(
	struct fyke_json_kept *kept, const struct fyke_session *session, struct fyke_json_buffer *out);

#endif
