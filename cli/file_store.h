/*
 * The directory of --files: what sessions transferred, each in a file of its own.
 *
 * Names are made here: the number of the frame that brought the first bytes, a number among the files of
 * that frame, and an ending by what the bytes are ("1234-1.png"). What is not whole ends in ".part": it holds
 * the beginning, up to the first hole. Nothing that is there is ever replaced.
 */
#ifndef FYKE_CLI_FILE_STORE_H
#define FYKE_CLI_FILE_STORE_H

#include "analyzer/base/status.h"
#include "analyzer/dissect/file_store.h"

enum { FYKE_FILE_STORE_COUNT = 10000 };
#define FYKE_FILE_STORE_BYTES (UINT64_C(1) << 30)

struct fyke_file_store_options {
	const char *directory; /* made when it is not there; NULL: no files are saved */
	uint64_t count, bytes; /* at most; 0 = the defaults above */
};

struct fyke_file_directory;

/* With the rights that are to write. *out is NULL when no directory is asked for. */
FYKE_MUST_USE enum fyke_status fyke_file_directory_open(const struct fyke_file_store_options *options,
	struct fyke_file_directory **out, struct fyke_error *error);

/* What the engines are given; NULL for NULL. Safe from several threads. */
const struct fyke_file_store *fyke_file_directory_store(const struct fyke_file_directory *directory);

/* Tells under the name of `command` what could not be saved; false: writing failed. Frees it; NULL is
 * allowed. */
bool fyke_file_directory_close(struct fyke_file_directory *directory, const char *command);

#endif
