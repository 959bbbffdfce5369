/* Synthetic ticks and a database in a directory of its own, for the tests of storage/. */
#ifndef FYKE_TESTS_STORAGE_SUPPORT_H
#define FYKE_TESTS_STORAGE_SUPPORT_H

#include "analyzer/session/capture.h"
#include "analyzer/session/sink.h"
#include "storage/database.h"
#include "storage/writer.h"

#include <sqlite3.h>

struct scene {
	char directory[64];
	char path[96]; /* of the database, which is not there yet */
};

/* cmocka's setup and teardown; *state is a struct scene. */
int scene_setup(void **state);
int scene_teardown(void **state);

/* xorshift; the same numbers for the same seed. */
uint64_t random_next(uint64_t *seed);

/* All unknown; TCP between 10.0.0.1:40000 and 10.0.0.2:80 with one packet each way. In the tick's arena. */
struct fyke_session *session_new(struct fyke_tick *tick, uint64_t frame, uint32_t ordinal);
struct fyke_session_tcp *session_add_tcp(struct fyke_tick *tick, struct fyke_session *session);
void session_set_ips(struct fyke_session *session, const char *client, const char *server);
void session_set_history(struct fyke_session *session, enum fyke_state state, const char *history);
/* Every member set to something, drawn from the seed. */
void session_randomize(struct fyke_tick *tick, struct fyke_session *session, uint64_t *seed);
/* values: of the table's fields, copied. Appends to the session's records. */
struct fyke_record *session_add_record(struct fyke_tick *tick, struct fyke_session *session,
	const struct fyke_table *table, uint32_t n, const struct fyke_value *values);
struct fyke_value value_integer(int64_t value);
struct fyke_value value_text(const char *text);

struct fyke_tick *tick_new(uint64_t number); /* room for 4096 sessions */
void tick_add_time(struct fyke_tick *tick, int64_t second, const char *service, uint64_t packets);

/* A capture of files with these fingerprints (NULL ends the list), complete; or of interface eth0. */
struct fyke_capture capture_of(
	struct fyke_capture_file *files, size_t count, const char *const *fingerprints);
struct fyke_capture capture_live(void);

struct fyke_writer *writer_of(const struct scene *scene, const struct fyke_capture *capture, bool live);
void writer_take(struct fyke_writer *writer, struct fyke_tick *tick);
int64_t writer_done(struct fyke_writer *writer, const struct fyke_capture *capture);
/* One capture from one tick: opened, written, finished. */
int64_t store(const struct scene *scene, struct fyke_tick *tick, const char *fingerprint);

/* Over a plain connection of its own; the text is good until the next call. "NULL" for NULL. */
const char *ask(const struct scene *scene, const char *sql);
int64_t ask_number(const struct scene *scene, const char *sql);
void run_sql(const struct scene *scene, const char *sql);
void assert_sound(const struct scene *scene); /* integrity_check, foreign_key_check */

#endif
