/* Opening databases that are not as they should be, functions, and SQL of the user's. */
#include "storage/database.h"

#include "analyzer/decode/packet.h"
#include "storage/docs.h"
#include "storage/schema.h"
#include "tests/unit/storage_support.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void write_file(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void expect_refused(
	const char *path, enum fyke_database_mode mode, enum fyke_status expected, const char *words)
{
	struct fyke_database *database = NULL;
	struct fyke_error error = {.text = ""};

	assert_int_equal(fyke_database_open(path, mode, &database, &error), expected);
	assert_null(database);
	if (strstr(error.text, words) == NULL || strstr(error.text, path) == NULL)
		fail_msg("\"%s\" lacks \"%s\" or the path", error.text, words);
}

static struct fyke_database *opened(const struct scene *scene, enum fyke_database_mode mode)
{
	struct fyke_database *database = NULL;
	struct fyke_error error = {.text = ""};

	if (fyke_database_open(scene->path, mode, &database, &error) != FYKE_OK)
		fail_msg("%s", error.text);
	return database;
}

static void test_database_missing(void **state)
{
	struct scene *scene = *state;
	char path[160];

	expect_refused(scene->path, FYKE_DATABASE_READ, FYKE_FAILED_IO, "no such database");
	assert_int_equal(access(scene->path, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s/nowhere/fyke.db", scene->directory);
	expect_refused(path, FYKE_DATABASE_WRITE, FYKE_FAILED_IO, "No such file or directory");
	expect_refused(scene->directory, FYKE_DATABASE_READ, FYKE_FAILED_FORMAT, "directory");
	expect_refused(scene->directory, FYKE_DATABASE_WRITE, FYKE_FAILED_FORMAT, "directory");
	expect_refused("/dev/null", FYKE_DATABASE_WRITE, FYKE_FAILED_FORMAT, "device or pipe");
	assert_int_equal(mkfifo(scene->path, 0600), 0);
	expect_refused(scene->path, FYKE_DATABASE_READ, FYKE_FAILED_FORMAT, "device or pipe");
	expect_refused(scene->path, FYKE_DATABASE_WRITE, FYKE_FAILED_FORMAT, "device or pipe");
}

static void test_database_not_a_database(void **state)
{
	struct scene *scene = *state;
	char text[4096];

	memset(text, 'x', sizeof(text));
	write_file(scene->path, "", 0);
	expect_refused(scene->path, FYKE_DATABASE_READ, FYKE_FAILED_FORMAT, "is empty");
	for (size_t length = 1; length <= sizeof(text); length = length * 3 + 1) {
		write_file(scene->path, text, length);
		expect_refused(scene->path, FYKE_DATABASE_READ, FYKE_FAILED_FORMAT, "is not a database");
		expect_refused(scene->path, FYKE_DATABASE_WRITE, FYKE_FAILED_FORMAT, "is not a database");
	}
	fyke_database_close(NULL);
}

static void test_database_empty_file_becomes_ours(void **state)
{
	struct scene *scene = *state;

	write_file(scene->path, "", 0);
	fyke_database_close(opened(scene, FYKE_DATABASE_WRITE));
	assert_int_equal(ask_number(scene, "PRAGMA application_id"), FYKE_DATABASE_APPLICATION_ID);
}

static size_t read_file(const char *path, char *bytes, size_t room)
{
	FILE *file = fopen(path, "rb");
	size_t length;

	assert_non_null(file);
	length = fread(bytes, 1, room, file);
	(void)fclose(file);
	return length;
}

static void test_database_of_another_program(void **state)
{
	static char before[65536], after[65536];
	struct scene *scene = *state;
	sqlite3 *db = NULL;
	size_t length;

	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE sessions(id)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	length = read_file(scene->path, before, sizeof(before));
	expect_refused(scene->path, FYKE_DATABASE_READ, FYKE_FAILED_FORMAT, "another program");
	expect_refused(scene->path, FYKE_DATABASE_WRITE, FYKE_FAILED_FORMAT, "another program");
	assert_int_equal(read_file(scene->path, after, sizeof(after)), length);
	assert_memory_equal(before, after, length);
}

/* Whether this process holds SQLite's shared lock on the file, as another process sees it. */
static bool is_locked(const char *path)
{
	enum { SHARED_AT = 0x40000002, SHARED_LENGTH = 510 };
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SHARED_AT, .l_len = SHARED_LENGTH};
	pid_t child = fork();
	int status = 0, fd;

	if (child == 0) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		_exit(fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == 1;
}

static void test_database_opened_again_keeps_locks(void **state)
{
	static const enum fyke_database_mode modes[] = {FYKE_DATABASE_READ, FYKE_DATABASE_WRITE};
	struct scene *scene = *state;
	struct fyke_database *first = opened(scene, FYKE_DATABASE_WRITE), *second;

	assert_true(is_locked(scene->path));
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		second = NULL;
		assert_int_equal(fyke_database_open_again(scene->path, modes[i], &second, NULL), FYKE_OK);
		assert_int_equal(fyke_database_descriptor(second), -1);
		fyke_database_close(second);
		assert_true(is_locked(scene->path));
	}
	fyke_database_close(first);
	assert_false(is_locked(scene->path));
}

static void test_database_newer_schema(void **state)
{
	struct scene *scene = *state;

	fyke_database_close(opened(scene, FYKE_DATABASE_WRITE));
	run_sql(scene, "PRAGMA user_version = 99");
	expect_refused(scene->path, FYKE_DATABASE_READ, FYKE_FAILED_FORMAT, "newer fyke (schema 99");
	expect_refused(scene->path, FYKE_DATABASE_WRITE, FYKE_FAILED_FORMAT, "newer fyke (schema 99");
}

static void test_database_made_right(void **state)
{
	struct scene *scene = *state;
	struct stat about;

	fyke_database_close(opened(scene, FYKE_DATABASE_WRITE));
	assert_int_equal(stat(scene->path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	assert_string_equal(ask(scene, "PRAGMA journal_mode"), "wal");
	assert_int_equal(ask_number(scene, "PRAGMA auto_vacuum"), 2);
	assert_int_equal(ask_number(scene, "PRAGMA page_size"), 16384);
	assert_int_equal(ask_number(scene, "PRAGMA user_version"), FYKE_DATABASE_SCHEMA_VERSION);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main'"
					   " AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite%'"),
		0);
	assert_int_equal(ask_number(scene, "SELECT count(*) FROM all_hosts, all_ports, session_list"), 0);
	assert_sound(scene);
}

/* Every key that refers to sessions has an index, or removing sessions would take a scan for each. */
static void test_database_references_are_indexed(void **state)
{
	struct scene *scene = *state;

	fyke_database_close(opened(scene, FYKE_DATABASE_WRITE));
	assert_string_equal(
		ask(scene,
			"SELECT group_concat(m.name || '.' || f.\"from\" || ' ' || f.on_delete, ', ') FROM"
			" sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE f.\"table\" = 'sessions'"
			" AND f.on_delete NOT IN ('CASCADE', 'SET NULL')"),
		"NULL");
}

static void test_database_reading_leaves_nothing(void **state)
{
	struct scene *scene = *state;
	struct fyke_database *database;
	char name[128];

	fyke_database_close(opened(scene, FYKE_DATABASE_WRITE));
	database = opened(scene, FYKE_DATABASE_READ);
	assert_int_not_equal(
		sqlite3_exec(fyke_database_handle(database), "DELETE FROM sessions", NULL, NULL, NULL),
		SQLITE_OK);
	fyke_database_close(database);
	(void)snprintf(name, sizeof(name), "%s-wal", scene->path);
	assert_int_equal(access(name, F_OK), -1);
	(void)snprintf(name, sizeof(name), "%s-shm", scene->path);
	assert_int_equal(access(name, F_OK), -1);
}

/* In a child without root's rights: opens, and returns the status (or 100 + it when words are missing). */
static int open_as_nobody(const struct scene *scene, enum fyke_database_mode mode, const char *words)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct fyke_database *database = NULL;
		struct fyke_error error = {.text = ""};
		enum fyke_status result;

		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(99);
		result = fyke_database_open(scene->path, mode, &database, &error);
		fyke_database_close(database);
		_exit((int)result + (strstr(error.text, words) == NULL ? 100 : 0));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_database_without_rights(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(chmod(scene->directory, 0755), 0);
	fyke_database_close(opened(scene, FYKE_DATABASE_WRITE));
	if (geteuid() == 0)
		assert_int_equal(open_as_nobody(scene, FYKE_DATABASE_READ, "Permission denied"),
			FYKE_FAILED_PERMISSION);
	assert_int_equal(chmod(scene->path, 0444), 0);
	assert_int_equal(chmod(scene->directory, 0555), 0);
	/* Neither file nor directory can be written, and yet it can be read. */
	assert_int_equal(open_as_nobody(scene, FYKE_DATABASE_READ, ""), FYKE_OK);
	assert_int_equal(
		open_as_nobody(scene, FYKE_DATABASE_WRITE, "Permission denied"), FYKE_FAILED_PERMISSION);
	assert_int_equal(chmod(scene->path, 0666), 0);
	/* A file that can be written in a directory that cannot. */
	if (geteuid() == 0)
		assert_int_equal(open_as_nobody(scene, FYKE_DATABASE_WRITE, "or its directory is read-only"),
			FYKE_FAILED_PERMISSION);
	assert_int_equal(unlink(scene->path) == 0 || geteuid() != 0, 1);
	if (geteuid() == 0)
		assert_int_equal(open_as_nobody(scene, FYKE_DATABASE_WRITE, "Permission denied"),
			FYKE_FAILED_PERMISSION);
	assert_int_equal(chmod(scene->directory, 0700), 0);
}

static void test_database_damaged_inside(void **state)
{
	struct scene *scene = *state;
	struct fyke_database *database = NULL;
	struct fyke_error error = {.text = ""};
	FILE *file;

	fyke_database_close(opened(scene, FYKE_DATABASE_WRITE));
	file = fopen(scene->path, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, 100, SEEK_SET), 0);
	for (int i = 0; i < 16000; i++)
		(void)fputc(0xa5, file);
	(void)fclose(file);
	assert_int_equal(
		fyke_database_open(scene->path, FYKE_DATABASE_READ, &database, &error), FYKE_FAILED_FORMAT);
	assert_non_null(strstr(error.text, "damaged"));
	assert_int_equal(
		fyke_database_open(scene->path, FYKE_DATABASE_WRITE, &database, &error), FYKE_FAILED_FORMAT);
}

static int run_restricted(struct fyke_database *database, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(fyke_database_handle(database), sql, -1, &statement, NULL);

	while (result == SQLITE_OK || result == SQLITE_ROW)
		result = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return result;
}

static void test_database_restricted(void **state)
{
	static const char *const forbidden[] = {"INSERT INTO sessions(id) VALUES(1)",
		"UPDATE captures SET name = 'x'", "DELETE FROM sessions", "REPLACE INTO hosts VALUES(1)",
		"CREATE TABLE x(a)", "CREATE TEMP TABLE x(a)", "CREATE VIEW x AS SELECT 1",
		"CREATE TEMP VIEW x AS SELECT 1", "CREATE TRIGGER x AFTER INSERT ON tcp BEGIN SELECT 1; END",
		"DROP TABLE tcp", "DROP VIEW session_list", "DROP INDEX sessions_birth",
		"ALTER TABLE tcp RENAME TO x", "CREATE INDEX x ON tcp(client_mss)",
		"ATTACH '/tmp/fyke-evil.db' AS x", "ATTACH ':memory:' AS x", "DETACH main", "VACUUM",
		"VACUUM INTO '/tmp/fyke-evil.db'", "PRAGMA journal_mode = DELETE", "PRAGMA query_only = OFF",
		"PRAGMA user_version", "PRAGMA writable_schema = ON", "SELECT * FROM pragma_user_version",
		"SELECT * FROM pragma_database_list", "SELECT load_extension('/tmp/x.so')",
		"CREATE VIRTUAL TABLE x USING fts5(a)", "BEGIN", "COMMIT", "SAVEPOINT x", "ANALYZE",
		"REINDEX", "WITH x AS (SELECT 1) DELETE FROM sessions", "SELECT fts3_tokenizer('x', 'y')",
		"SELECT * FROM sessions WHERE load_extension('x')"};
	static const char *const allowed[] = {"SELECT count(*) FROM sessions", "SELECT * FROM session_list",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9) SELECT i FROM n",
		"EXPLAIN QUERY PLAN SELECT * FROM tcp", "SELECT * FROM fyke_frames(1)", "SELECT fyke_uid(1)",
		"SELECT name FROM sqlite_schema", "SELECT json_extract('{\"a\":1}', '$.a')",
		"SELECT rank() OVER (ORDER BY id) FROM sessions", "SELECT * FROM json_each('[1,2]')",
		"VALUES(1)"};
	struct fyke_database *database;

	store(*state, tick_new(0), "aa");
	database = opened(*state, FYKE_DATABASE_READ);
	assert_int_equal(fyke_database_restrict(database, NULL), FYKE_OK);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		if (run_restricted(database, forbidden[i]) == SQLITE_DONE)
			fail_msg("allowed: %s", forbidden[i]);
	}
	assert_int_equal(access("/tmp/fyke-evil.db", F_OK), -1);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (run_restricted(database, allowed[i]) != SQLITE_DONE)
			fail_msg("%s: %s", allowed[i], sqlite3_errmsg(fyke_database_handle(database)));
	}
	fyke_database_close(database);
}

/* Also where our own function runs a statement inside: it must not start the count anew. */
static void test_database_restricted_ends_endless_queries(void **state)
{
	static const char *const endless[] = {
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(fyke_uid(1)) "
		"FROM n"};
	struct fyke_database *database;

	store(*state, tick_new(0), "aa");
	for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
		database = opened(*state, FYKE_DATABASE_READ);
		assert_int_equal(fyke_database_restrict_to(database, 3000000, 60, NULL), FYKE_OK);
		assert_int_equal(run_restricted(database, endless[i]), SQLITE_INTERRUPT);
		assert_int_equal(run_restricted(database, "SELECT 1"), SQLITE_DONE);
		fyke_database_close(database);
	}
	database = opened(*state, FYKE_DATABASE_READ);
	assert_int_equal(fyke_database_restrict(database, NULL), FYKE_OK);
	assert_int_equal(run_restricted(database, "SELECT length(zeroblob(1000000000))"), SQLITE_TOOBIG);
	fyke_database_close(database);
}

static const char *first_text(struct fyke_database *database, const char *sql)
{
	static char answer[4096];
	sqlite3_stmt *statement = NULL;

	assert_int_equal(
		sqlite3_prepare_v2(fyke_database_handle(database), sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	(void)snprintf(answer, sizeof(answer), "%s",
		sqlite3_column_text(statement, 0) == NULL ? "NULL"
							  : (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return answer;
}

static void test_database_frames_function(void **state)
{
	static const uint8_t good[] = {5, 1, 2, 0x80, 1}, cut[] = {5, 1, 0x80},
			     overflowing[] = {5, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
				     1},
			     long_one[] = {
				     5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1};
	static const struct {
		const uint8_t *bytes;
		uint32_t length;
	} lists[] = {{good, sizeof(good)}, {cut, sizeof(cut)}, {overflowing, sizeof(overflowing)},
		{long_one, sizeof(long_one)}, {good, 0}};
	const struct fyke_value first[] = {value_integer(0), value_text("\x05\x01\x02")};
	const struct fyke_value second[] = {value_integer(1), value_text("\xc8\x01\x07")};
	struct fyke_tick *tick = tick_new(0);
	struct fyke_database *database;
	struct fyke_session *session;

	for (uint32_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		session = session_new(tick, 10 + i, 0);
		session->frames = lists[i].bytes;
		session->frames_length = lists[i].length;
	}
	session = session_new(tick, 50, 0);
	session_add_record(tick, session, &fyke_table_session_frames, 1, second);
	session_add_record(tick, session, &fyke_table_session_frames, 0, first);
	store(*state, tick, "aa");
	database = opened(*state, FYKE_DATABASE_READ);
	assert_int_equal(fyke_database_restrict(database, NULL), FYKE_OK);
	assert_string_equal(
		first_text(database, "SELECT group_concat(frame) FROM fyke_frames(1)"), "5,6,8,136");
	assert_string_equal(first_text(database, "SELECT group_concat(frame) FROM fyke_frames(2)"), "5,6");
	assert_string_equal(first_text(database, "SELECT group_concat(frame) FROM fyke_frames(3)"), "5,6");
	assert_string_equal(first_text(database, "SELECT group_concat(frame) FROM fyke_frames(4)"), "5");
	assert_string_equal(first_text(database, "SELECT group_concat(frame) FROM fyke_frames(5)"), "NULL");
	assert_string_equal(
		first_text(database, "SELECT group_concat(frame) FROM fyke_frames(6)"), "5,6,8,200,207");
	assert_string_equal(first_text(database, "SELECT group_concat(frame) FROM fyke_frames(77)"), "NULL");
	assert_string_equal(first_text(database, "SELECT count(*) FROM fyke_frames"), "0");
	assert_string_equal(
		first_text(database, "SELECT group_concat(s.id || ':' || f.frame) FROM sessions s,"
				     " fyke_frames(s.id) f WHERE f.frame = 6"),
		"1:6,2:6,3:6,6:6");
	fyke_database_close(database);
}

static void test_database_uid_function(void **state)
{
	struct fyke_tick *tick = tick_new(0);
	struct fyke_database *database;
	char first[64];

	session_new(tick, 1, 0);
	session_new(tick, 1, 1);
	store(*state, tick, "00112233445566778899aabbccddeeff");
	database = opened(*state, FYKE_DATABASE_READ);
	(void)snprintf(first, sizeof(first), "%s", first_text(database, "SELECT fyke_uid(1)"));
	assert_int_equal(strlen(first), 20);
	/* A constant: whoever changes it renames all sessions of the world. */
	assert_string_equal(
		first, first_text(database, "SELECT fyke_uid('00112233445566778899aabbccddeeff', 1, 0)"));
	assert_string_not_equal(first, first_text(database, "SELECT fyke_uid(2)"));
	assert_string_equal(first_text(database, "SELECT fyke_uid(99)"), "NULL");
	assert_string_equal(first_text(database, "SELECT fyke_uid(NULL, 1, 0)"), "NULL");
	fyke_database_close(database);
}

static void test_database_locked(void **state)
{
	struct scene *scene = *state;
	struct fyke_database *database;
	struct fyke_error error = {.text = ""};
	sqlite3 *db = NULL;

	fyke_database_close(opened(scene, FYKE_DATABASE_WRITE));
	database = opened(scene, FYKE_DATABASE_WRITE);
	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_busy_timeout(fyke_database_handle(database), 50);
	assert_int_equal(sqlite3_exec(fyke_database_handle(database), "BEGIN IMMEDIATE", NULL, NULL, NULL),
		SQLITE_BUSY);
	assert_int_equal(
		fyke_schema_make_indices(fyke_database_handle(database), &error), FYKE_FAILED_DATABASE);
	assert_non_null(strstr(error.text, "locked by another program"));
	sqlite3_close(db);
	fyke_database_close(database);
}

static void test_database_docs_name_everything(void **state)
{
	char *text = NULL;
	size_t length = 0, count;
	FILE *out = open_memstream(&text, &length);
	const struct fyke_docs_word *tunnels = fyke_docs_tunnels(&count);

	(void)state;
	fyke_storage_write_docs(out);
	(void)fclose(out);
	assert_non_null(strstr(text, "| `client_retransmitted_segments` | integer |"));
	assert_non_null(strstr(text, "## session_frames"));
	assert_non_null(strstr(text, "`RSTOS0`"));
	assert_int_equal(count, FYKE_TUNNEL_COUNT - 1);
	for (size_t i = 0; i < count; i++) {
		enum fyke_tunnel tunnel = (enum fyke_tunnel)(i + 1);

		assert_string_equal(tunnels[i].name, fyke_tunnel_name(tunnel));
		assert_int_equal(strstr(tunnels[i].description, "keeps sessions apart") != NULL,
			fyke_tunnel_separates(tunnel));
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_database_missing, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_database_not_a_database, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_database_empty_file_becomes_ours, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_database_of_another_program, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_database_newer_schema, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_database_made_right, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_database_references_are_indexed, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_database_reading_leaves_nothing, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_database_without_rights, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_database_damaged_inside, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_database_restricted, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_database_restricted_ends_endless_queries, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_database_frames_function, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_database_uid_function, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_database_locked, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_database_opened_again_keeps_locks, scene_setup, scene_teardown),
		cmocka_unit_test(test_database_docs_name_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
