/*
 * How a host chooses the initial sequence numbers of its TCP connections. One that can be foretold lets a
 * stranger who sees nothing take part in a connection (RFC 6528, CERT CA-2001-09).
 */
#ifndef FYKE_STORAGE_ISN_H
#define FYKE_STORAGE_ISN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fyke_isn_kind {
	FYKE_ISN_FEW,	    /* too few connections to tell */
	FYKE_ISN_CONSTANT,  /* always the same */
	FYKE_ISN_CLOCK,	    /* rises with time alone */
	FYKE_ISN_STEP,	    /* rises a little with each connection */
	FYKE_ISN_TRUNCATED, /* some of its 32 bits never change */
	FYKE_ISN_RFC6528,   /* a secret of addresses and ports, plus a clock */
	FYKE_ISN_RANDOM,    /* nothing of all this was seen */
	FYKE_ISN_KIND_COUNT
};

const char *fyke_isn_kind_name(enum fyke_isn_kind kind);

enum { FYKE_ISN_SAMPLES_LEAST = 12, FYKE_ISN_SAMPLES_MAX = 4096, FYKE_ISN_EVIDENCE = 160 };

struct fyke_isn_sample {
	int64_t time_us;
	uint64_t connection; /* the same for the same addresses and ports */
	uint32_t isn;
};

struct fyke_isn_verdict {
	enum fyke_isn_kind kind;
	size_t samples;
	char evidence[FYKE_ISN_EVIDENCE];
};

/* One sample for each connection, at most FYKE_ISN_SAMPLES_MAX; puts them in order of time. `room` has place
 * for as many. */
struct fyke_isn_verdict fyke_isn_judge(
	struct fyke_isn_sample *samples, size_t count, struct fyke_isn_sample *room);

#endif
