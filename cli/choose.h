/* Choosing sessions by words of the command line, the same in every command. */
#ifndef FYKE_CLI_CHOOSE_H
#define FYKE_CLI_CHOOSE_H

#include "analyzer/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/* The words joined by blanks, so that quotes around a whole filter may be left out. Owned by the
 * caller; NULL when memory is out. */
char *fyke_choose_join(char **words, int count);

/* For struct fyke_filter_options: the ports of a service by the registry. The context is a struct
 * fyke_services *, NULL at first, which the caller frees. */
size_t fyke_choose_ports_of(void *context, const char *service, uint16_t *ports, size_t room);

/* Called for each session, ascending by id. Another status than FYKE_OK ends it. */
typedef enum fyke_status fyke_choose_function(void *context, int64_t session_id, struct fyke_error *error);

/* Those that the filter matches (an empty one: all). Where the filter is wrong, that is told
 * on standard error under the command's name, and error->text is empty. */
FYKE_MUST_USE enum fyke_status fyke_choose_sessions(struct sqlite3 *db, const char *command,
	const char *filter, fyke_choose_function *function, void *context, struct fyke_error *error);

/* The exit code for a failure that may have been told already. */
int fyke_choose_fail(const char *command, const struct fyke_error *error);

/* The one session that a word names: its id. FYKE_FAILED_USAGE where it is none, or not there. */
FYKE_MUST_USE enum fyke_status fyke_choose_one(
	struct sqlite3 *db, const char *word, int64_t *session_id, struct fyke_error *error);

#endif
