/*
 * Root is for opening what needs root, and for nothing else (DESIGN §7). Order in a command:
 * open interfaces and input files, fyke_privileges_drop, fyke_privileges_confine, then create outputs
 * and read the first byte. Both before any thread starts.
 */
#ifndef FYKE_CLI_PRIVILEGES_H
#define FYKE_CLI_PRIVILEGES_H

#include "analyzer/base/status.h"

#include <stddef.h>

/* Fails when the program file is setuid or setgid (real and effective ids differ). */
FYKE_MUST_USE enum fyke_status fyke_privileges_refuse_setuid(struct fyke_error *error);

/* Started as root: becomes `user` (may be NULL), else SUDO_UID:SUDO_GID, else the user `fyke`, for
 * good; where none of these exists it stays root with only the capabilities that files need, and says
 * so under the name of `command` (NULL = silently). Not root: gives up every capability. no_new_privs
 * in every case. */
FYKE_MUST_USE enum fyke_status fyke_privileges_drop(
	const char *user, const char *command, struct fyke_error *error);

/* Which paths the process will still open. All may be NULL or "-" where there is nothing to open. */
struct fyke_confinement {
	const char *const
		*writable; /* files that will be created or changed: their directories are allowed */
	size_t writable_count;
	const char *directory;	     /* files will be created and changed within it; it exists */
	const char *const *readable; /* files or directories that will only be read */
	size_t readable_count;
};

/* Landlock: from now on only these, SQLite's directories for temporary files, and reading the system's
 * own files below /usr, /etc, /proc, /sys and /dev. No TCP connection is made or accepted. A kernel without
 * Landlock changes nothing: confinement is an extra wall, not a promise. */
void fyke_privileges_confine(const struct fyke_confinement *confinement);

#endif
