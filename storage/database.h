/*
 * The session database: opening, schema version and migrations, SQL functions, and the authorizer
 * under which SQL of the user's runs. The contract is docs/database.md.
 */
#ifndef FYKE_STORAGE_DATABASE_H
#define FYKE_STORAGE_DATABASE_H

#include "analyzer/base/network.h"
#include "analyzer/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;
struct fyke_database;

#define FYKE_DATABASE_APPLICATION_ID 0x66796B65
enum { FYKE_DATABASE_SCHEMA_VERSION = 4 };

/* Once in a process, before it opens a database or starts a thread: SQLite is not to keep account of its
 * memory, for which it would take a lock with each piece. */
void fyke_database_spare_locks(void);

enum fyke_database_mode {
	FYKE_DATABASE_READ,  /* must exist; nothing is ever changed */
	FYKE_DATABASE_WRITE, /* created (0600) when absent, migrated forward when older */
};

enum {						      /* limits of SQL of the user's */
	FYKE_DATABASE_STEPS_MAX = 1000 * 1000 * 1000, /* of SQLite's machine, for one statement */
	FYKE_DATABASE_SECONDS_MAX = 60,
};

/* Failures are sentences: no such file, not a database, a database of another program, a schema newer
 * than this fyke, locked, no permission, read-only. Registers fyke_uid(), fyke_frames(), fyke_origin() and
 * what queries need; trusted_schema off, defensive mode on. */
FYKE_MUST_USE enum fyke_status fyke_database_open(const char *path, enum fyke_database_mode mode,
	struct fyke_database **database, struct fyke_error *error);
/* The same in a process that may hold the database open already, and therefore knows what it is: no
 * descriptor but SQLite's own is opened, for closing one would drop the locks of the other connection, and
 * the next program that closes the database would take away its -wal. */
FYKE_MUST_USE enum fyke_status fyke_database_open_again(const char *path, enum fyke_database_mode mode,
	struct fyke_database **database, struct fyke_error *error);
/* The networks that are one's own, for the SQL function fyke_origin(); copied. None: each host's own. */
void fyke_database_set_home(struct fyke_database *database, const struct fyke_networks *home);
const struct fyke_networks *fyke_database_home(const struct fyke_database *database); /* borrowed */
struct sqlite3 *fyke_database_handle(struct fyke_database *database);		      /* borrowed */
void fyke_database_close(struct fyke_database *database);			      /* NULL is allowed */

/* From now on this connection runs reading SQL only (SELECT, READ, FUNCTION, RECURSIVE), each statement
 * bounded by FYKE_DATABASE_STEPS_MAX and FYKE_DATABASE_SECONDS_MAX (then it fails as interrupted).
 * For --sql and rules of users. */
FYKE_MUST_USE enum fyke_status fyke_database_restrict(
	struct fyke_database *database, struct fyke_error *error);

/* The same with other limits. */
FYKE_MUST_USE enum fyke_status fyke_database_restrict_to(
	struct fyke_database *database, uint64_t steps, unsigned seconds, struct fyke_error *error);

/* A descriptor of the database's file, opened before SQLite's own and closed after it (closing any
 * descriptor of a file drops the process's POSIX locks on it): for locks of our own. -1 when reading, and
 * when opened again. */
int fyke_database_descriptor(const struct fyke_database *database);

#endif
