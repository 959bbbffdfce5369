/*
 * Our own failures. Bad traffic is never one of them: it is a fact or a counter.
 */
#ifndef FYKE_BASE_STATUS_H
#define FYKE_BASE_STATUS_H

#define FYKE_MUST_USE	  __attribute__((warn_unused_result))
#define FYKE_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum fyke_status {
	FYKE_OK = 0,
	FYKE_FAILED_MEMORY,
	FYKE_FAILED_IO,	    /* file, pipe or interface: the text has errno's words */
	FYKE_FAILED_FORMAT, /* what was opened is not what it should be */
	FYKE_FAILED_PERMISSION,
	FYKE_FAILED_USAGE, /* a wrong option, filter or expression of the user's */
	FYKE_FAILED_DATABASE,
	FYKE_FAILED_INTERNAL, /* a broken invariant of our own */
};

/* A failure and one sentence for the user: what, where, and what to do if that is known. Embedded;
 * needs no release. Untrusted bytes in the text have been made printable by fyke_error_set. */
struct fyke_error {
	enum fyke_status status;
	char text[1024];
};

/* Fills *error (may be NULL) and returns status, so that `return fyke_error_set(...)` reads well.
 * Control bytes in the finished text become '?'. */
FYKE_MUST_USE enum fyke_status fyke_error_set(
	struct fyke_error *error, enum fyke_status status, const char *format, ...) FYKE_PRINTF(3, 4);

#endif
