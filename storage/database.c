/*
 * Opening the session database: what lies there is looked at before SQLite touches it, so that another
 * program's file stays as it is.
 *
 * A new database is made in one transaction before WAL is turned on: whatever moment a crash chooses,
 * the file is empty or ours.
 */
#include "storage/database.h"

#include "storage/database_internal.h"
#include "storage/functions.h"
#include "storage/schema.h"
#include "storage/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 10 * 1000, HEADER_LENGTH = 100, APPLICATION_ID_AT = 68 };

/* SQLite prints and takes the number signed; ours is positive. */
static const char header_magic[16] = "SQLite format 3";

void fyke_database_spare_locks(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum fyke_status errno_failure(const char *path, const char *doing, struct fyke_error *error)
{
	enum fyke_status status =
		errno == EACCES || errno == EPERM || errno == EROFS ? FYKE_FAILED_PERMISSION : FYKE_FAILED_IO;

	return fyke_error_set(error, status, "%s: cannot %s the database: %s", path, doing, strerror(errno));
}

static uint32_t big_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static enum fyke_status check_header(int fd, const char *path, bool write, struct fyke_error *error)
{
	uint8_t header[HEADER_LENGTH] = {0};
	ssize_t length = pread(fd, header, sizeof(header), 0);

	if (length < 0)
		return errno_failure(path, "read", error);
	if (length == 0 && write)
		return FYKE_OK;
	if (length == 0)
		return fyke_error_set(error, FYKE_FAILED_FORMAT, "%s: is empty: no session database", path);
	if (length < HEADER_LENGTH || memcmp(header, header_magic, sizeof(header_magic)) != 0)
		return fyke_error_set(error, FYKE_FAILED_FORMAT, "%s: is not a database", path);
	if (big_endian(header + APPLICATION_ID_AT) != FYKE_DATABASE_APPLICATION_ID)
		return fyke_error_set(error, FYKE_FAILED_FORMAT,
			"%s: is a database of another program; fyke leaves it alone", path);
	return FYKE_OK;
}

/* Opens (when writing, makes) the file and looks whether it may be ours. */
static enum fyke_status open_file(const char *path, bool write, int *fd, struct fyke_error *error)
{
	int flags = O_CLOEXEC | O_NONBLOCK | (write ? O_RDWR | O_CREAT : O_RDONLY);
	struct stat about;

	*fd = open(path, flags, 0600);
	if (*fd < 0 && errno == ENOENT && !write)
		return fyke_error_set(error, FYKE_FAILED_IO,
			"%s: no such database; `fyke analyze` and `fyke monitor` make one", path);
	if (*fd < 0 && errno == EISDIR)
		return fyke_error_set(error, FYKE_FAILED_FORMAT, "%s: is a directory, not a database", path);
	if (*fd < 0)
		return errno_failure(path, write ? "open or create" : "open", error);
	if (fstat(*fd, &about) != 0)
		return errno_failure(path, "open", error);
	if (!S_ISREG(about.st_mode))
		return fyke_error_set(error, FYKE_FAILED_FORMAT, "%s: is not a database but a %s", path,
			S_ISDIR(about.st_mode) ? "directory" : "device or pipe");
	return check_header(*fd, path, write, error);
}

static bool is_empty_beside(const char *path, const char *suffix)
{
	char *name = sqlite3_mprintf("%s%s", path, suffix);
	struct stat about;
	bool empty = name != NULL && (stat(name, &about) != 0 || about.st_size == 0);

	sqlite3_free(name);
	return empty;
}

static int connect_immutable(const char *path, sqlite3 **db)
{
	sqlite3_str *uri = sqlite3_str_new(NULL);
	char *text;
	int result = SQLITE_NOMEM;

	sqlite3_str_appendall(uri, "file:");
	for (const char *c = path; *c != '\0'; c++) {
		if (strchr("?#%", *c) != NULL)
			sqlite3_str_appendf(uri, "%%%02x", *c);
		else
			sqlite3_str_appendchar(uri, 1, *c);
	}
	sqlite3_str_appendall(uri, "?immutable=1");
	text = sqlite3_str_finish(uri);
	if (text != NULL)
		result = sqlite3_open_v2(
			text, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
	sqlite3_free(text);
	return result;
}

static bool can_read(sqlite3 *db)
{
	return sqlite3_exec(db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL) == SQLITE_OK;
}

/* A connection that reads is opened for writing where that may be (query_only keeps it from it), for
 * one that cannot write leaves -wal and -shm behind. On a read-only medium the file is taken as it is. */
static int connect_reading(const char *path, sqlite3 **db)
{
	static const int flags[] = {SQLITE_OPEN_READWRITE, SQLITE_OPEN_READONLY};
	int result = SQLITE_OK;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		/* One thread at a time uses a connection: locks around each value would cost a quarter. */
		result = sqlite3_open_v2(path, db, flags[i] | SQLITE_OPEN_NOMUTEX, NULL);
		if (result == SQLITE_OK) {
			sqlite3_busy_timeout(*db, BUSY_MS);
			if (can_read(*db) || sqlite3_errcode(*db) == SQLITE_BUSY)
				return SQLITE_OK;
		}
		if (!is_empty_beside(path, "-wal") && i == 1)
			return result;
		sqlite3_close(*db);
		*db = NULL;
	}
	return connect_immutable(path, db);
}

static enum fyke_status configure(struct fyke_database *database, struct fyke_error *error)
{
	sqlite3 *db = database->db;

	sqlite3_extended_result_codes(db, 0);
	sqlite3_busy_timeout(db, BUSY_MS);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	if (database->mode == FYKE_DATABASE_READ &&
		fyke_sql_run(db, "PRAGMA query_only = ON; PRAGMA cache_size = -16384", error) != FYKE_OK)
		return error != NULL ? error->status : FYKE_FAILED_DATABASE;
	return fyke_functions_register(db, &database->home, error);
}

static enum fyke_status create_in_transaction(sqlite3 *db, struct fyke_error *error)
{
	char *marks = sqlite3_mprintf("PRAGMA application_id = %d; PRAGMA user_version = %d",
		FYKE_DATABASE_APPLICATION_ID, FYKE_DATABASE_SCHEMA_VERSION);
	enum fyke_status status = FYKE_FAILED_MEMORY;

	if (marks != NULL)
		status = fyke_sql_run(db, marks, error);
	sqlite3_free(marks);
	return status == FYKE_OK ? fyke_schema_create(db, error) : status;
}

/* Two programs may meet here: whoever comes second finds the schema made. */
static enum fyke_status create(sqlite3 *db, struct fyke_error *error)
{
	enum fyke_status status = fyke_sql_run(
		db, "PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL; BEGIN EXCLUSIVE", error);

	if (status != FYKE_OK)
		return status;
	if (fyke_sql_number(db, "SELECT count(*) FROM sqlite_schema", 0) == 0)
		status = create_in_transaction(db, error);
	if (status == FYKE_OK)
		return fyke_sql_run(db, "COMMIT", error);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

static enum fyke_status set_version(sqlite3 *db, struct fyke_error *error)
{
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendf(sql, "PRAGMA user_version = %d", FYKE_DATABASE_SCHEMA_VERSION);
	return fyke_sql_run_built(db, sql, error);
}

static bool is_older(sqlite3 *db)
{
	int64_t version = fyke_sql_number(db, "PRAGMA user_version", -1);

	return version > 0 && version < FYKE_DATABASE_SCHEMA_VERSION;
}

static enum fyke_status bring_forward(sqlite3 *db, struct fyke_error *error)
{
	enum fyke_status status = fyke_sql_run(db, "BEGIN EXCLUSIVE", error);

	if (status != FYKE_OK)
		return status;
	if (is_older(db))
		status = fyke_schema_complete(db, error);
	if (status == FYKE_OK)
		status = set_version(db, error);
	if (status == FYKE_OK)
		return fyke_sql_run(db, "COMMIT", error);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

static enum fyke_status check_version(sqlite3 *db, const char *path, struct fyke_error *error)
{
	int64_t version = fyke_sql_number(db, "PRAGMA user_version", -1);

	if (version < 0)
		return fyke_sql_failed(db, error);
	if (version > FYKE_DATABASE_SCHEMA_VERSION)
		return fyke_error_set(error, FYKE_FAILED_FORMAT,
			"%s: made by a newer fyke (schema %lld, this one knows %d); use that one", path,
			(long long)version, FYKE_DATABASE_SCHEMA_VERSION);
	if (version > 0 && version < FYKE_DATABASE_SCHEMA_VERSION)
		return fyke_error_set(error, FYKE_FAILED_FORMAT,
			"%s: made by an older fyke (schema %lld); `fyke findings --save` brings it forward "
			"to %d",
			path, (long long)version, FYKE_DATABASE_SCHEMA_VERSION);
	if (version < FYKE_DATABASE_SCHEMA_VERSION)
		return fyke_error_set(error, FYKE_FAILED_FORMAT, "%s: has schema %lld, which no fyke made",
			path, (long long)version);
	return FYKE_OK;
}

static enum fyke_status prepare_for_writing(sqlite3 *db, struct fyke_error *error)
{
	enum fyke_status status = FYKE_OK;

	if (fyke_sql_number(db, "SELECT count(*) FROM sqlite_schema", -1) == 0)
		status = create(db, error);
	else if (is_older(db))
		status = bring_forward(db, error);
	if (status == FYKE_OK)
		status = fyke_sql_run(db,
			"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF;"
			"PRAGMA cache_size = -65536; PRAGMA secure_delete = FAST",
			error);
	return status;
}

static enum fyke_status open_connection(
	struct fyke_database *database, const char *path, struct fyke_error *error)
{
	bool write = database->mode == FYKE_DATABASE_WRITE;
	int result = write ? sqlite3_open_v2(
				     path, &database->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)
			   : connect_reading(path, &database->db);
	enum fyke_status status;

	if (database->db == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: out of memory", path);
	if (result != SQLITE_OK)
		return fyke_sql_failed(database->db, error);
	status = configure(database, error);
	if (status == FYKE_OK && !can_read(database->db))
		status = fyke_sql_failed(database->db, error);
	if (status == FYKE_OK && write)
		status = prepare_for_writing(database->db, error);
	if (status == FYKE_OK)
		status = check_version(database->db, path, error);
	sqlite3_db_config(database->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return status;
}

/* `touch`: the file is looked at before SQLite opens it. */
static enum fyke_status open_it(const char *path, enum fyke_database_mode mode, bool touch,
	struct fyke_database **database, struct fyke_error *error)
{
	struct fyke_database *made = calloc(1, sizeof(*made));
	enum fyke_status status = FYKE_OK;

	*database = NULL;
	if (made == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: out of memory", path);
	made->mode = mode;
	made->fd = -1;
	if (touch)
		status = open_file(path, mode == FYKE_DATABASE_WRITE, &made->fd, error);
	if (status == FYKE_OK && touch && mode == FYKE_DATABASE_READ) {
		close(made->fd);
		made->fd = -1;
	}
	if (status == FYKE_OK)
		status = open_connection(made, path, error);
	if (status != FYKE_OK) {
		fyke_database_close(made);
		return status;
	}
	*database = made;
	return FYKE_OK;
}

enum fyke_status fyke_database_open(const char *path, enum fyke_database_mode mode,
	struct fyke_database **database, struct fyke_error *error)
{
	return open_it(path, mode, true, database, error);
}

enum fyke_status fyke_database_open_again(const char *path, enum fyke_database_mode mode,
	struct fyke_database **database, struct fyke_error *error)
{
	return open_it(path, mode, false, database, error);
}

void fyke_database_set_home(struct fyke_database *database, const struct fyke_networks *home)
{
	database->home = *home;
}

const struct fyke_networks *fyke_database_home(const struct fyke_database *database)
{
	return &database->home;
}

struct sqlite3 *fyke_database_handle(struct fyke_database *database)
{
	return database->db;
}

int fyke_database_descriptor(const struct fyke_database *database)
{
	return database->fd;
}

void fyke_database_close(struct fyke_database *database)
{
	if (database == NULL)
		return;
	sqlite3_close_v2(database->db);
	if (database->fd >= 0)
		close(database->fd);
	free(database);
}
