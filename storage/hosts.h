/*
 * What sessions prove about hosts and ports: sums kept in memory while sessions are written, and merged
 * into the tables `hosts` and `ports` at each flush, at the end, and when memory is full.
 */
#ifndef FYKE_STORAGE_HOSTS_H
#define FYKE_STORAGE_HOSTS_H

#include "analyzer/session/session.h"
#include "storage/isn_samples.h"
#include "storage/known.h"
#include "storage/ports.h"
#include "storage/rows.h"

enum {
	FYKE_HOSTS_MAX = 128 * 1024,
	FYKE_HOSTS_SILENT_MAX = 64 * 1024, /* that never said anything and whose sessions are folded */
	FYKE_HOSTS_LISTED_MAX = 1024 * 1024,
	FYKE_HOSTS_SAMPLES_MAX = 1024 * 1024, /* of initial sequence numbers */
};

struct fyke_hosts {
	struct fyke_index hosts;
	struct fyke_index listed; /* addresses that have, or will have, a row; where there are silent ones */
	size_t silent;
	struct fyke_ports ports;
	struct fyke_known known;      /* names, makers, systems, products */
	struct fyke_vendors *vendors; /* of known */
	struct fyke_isn_samples samples;
	bool unsampled; /* hosts.isn_… stays empty: there was no room, or not all samples are at hand */
	bool written;	/* some were */
	struct fyke_host_place *places;
	int64_t capture_id;
	struct fyke_rows rows;
};

void fyke_hosts_init(struct fyke_hosts *hosts, struct fyke_names *names);
void fyke_hosts_release(struct fyke_hosts *hosts);
FYKE_MUST_USE enum fyke_status fyke_hosts_attach(
	struct fyke_hosts *hosts, sqlite3 *db, struct fyke_error *error);

/* Takes a session into account that is being written as row `id`; `before` is what it said when it was
 * written last, NULL when it is new. False: memory is full, write first and call again. */
bool fyke_hosts_add(struct fyke_hosts *hosts, const struct fyke_session *session,
	const struct fyke_session *before, int64_t id);
/* The same of one that goes into a block. Of servers that never say anything only so many are counted; a
 * flood has one for each address there is. */
bool fyke_hosts_add_folded(struct fyke_hosts *hosts, const struct fyke_session *session);
bool fyke_hosts_are_full(const struct fyke_hosts *hosts);
/* Rows are to be written before all sessions are known: what is told of sequence numbers is left to
 * derive.h. */
void fyke_hosts_stop_sampling(struct fyke_hosts *hosts);

/* Merges what has come since the last time into the tables, within the caller's transaction. */
FYKE_MUST_USE enum fyke_status fyke_hosts_write(
	struct fyke_hosts *hosts, sqlite3 *db, int64_t capture_id, struct fyke_error *error);

#endif
