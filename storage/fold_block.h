/*
 * Half-open sessions, many to a BLOB: what their rows in `sessions` would say, each told by how it differs
 * from the one before. The format (docs/database.md tells it too):
 *
 *   byte 1 (version), byte 4 or 6 (address family), then for each session a byte of bits (enum below), with
 *   BIT_MORE a second one, and behind them what the bits announce, in the order of fold_block.c's functions.
 *   Numbers are varints (analyzer/base/varint.h), differences of either sign zigzagged.
 */
#ifndef FYKE_STORAGE_FOLD_BLOCK_H
#define FYKE_STORAGE_FOLD_BLOCK_H

#include "analyzer/base/status.h"
#include "analyzer/session/session.h"

enum {
	FYKE_FOLD_SESSIONS_MAX = 4096, /* of a block */
	FYKE_FOLD_BYTES_MAX = 96 * 1024,
	FYKE_FOLD_ROW_MAX = 1024,
	FYKE_FOLD_KINDS_MAX = 255,
	FYKE_FOLD_HISTORY = 8,
	FYKE_FOLD_SERVICE = 64,
};

/* What many sessions have in common. Compared as bytes: no padding. */
struct fyke_folded_kind {
	uint32_t bytes[2]; /* these by enum fyke_side */
	uint16_t tcp_flags[2];
	int16_t vlan; /* -1 = none */
	uint8_t packets[2];
	uint8_t mac[2][6];
	uint8_t has_mac[2];
	uint8_t state, end_reason; /* enum fyke_state, enum fyke_end */
	char history[FYKE_FOLD_HISTORY];
};

struct fyke_folded {
	struct fyke_folded_kind kind;
	uint64_t first_frame, last_frame;
	uint32_t first_ordinal;
	int64_t start_us, end_us, updated_us;
	struct fyke_address ip[2];
	uint16_t port[2];
	uint8_t ttl[2];
	char service[FYKE_FOLD_SERVICE]; /* by its port; "" = none */
	const uint8_t *frames;		 /* NULL: the first and the last are all there are */
	uint32_t frames_length;
};

/* Whether a session, once it has ended, is of this kind and nothing of it would be lost; fills *folded, which
 * borrows frames. */
bool fyke_folded_of(const struct fyke_session *session, struct fyke_folded *folded);
/* The way back: *session borrows from *folded; its Community ID stays empty. `frames` has room for its list.
 */
void fyke_folded_session(
	const struct fyke_folded *folded, uint8_t frames[2 * 10], struct fyke_session *session);

struct fyke_fold_writer {
	uint8_t *bytes; /* FYKE_FOLD_BYTES_MAX */
	size_t length;
	uint32_t sessions;
	struct fyke_folded before;
	struct fyke_folded_kind kinds[FYKE_FOLD_KINDS_MAX];
	uint8_t slots[512]; /* by hash: 1 + place in kinds */
	unsigned kind_count, kind;
};

/* Starts an empty block; `bytes` is borrowed. */
void fyke_fold_writer_start(struct fyke_fold_writer *writer, uint8_t *bytes, uint8_t address_family);
/* False: the block is full, nothing was written. All of a block are of one address family. */
bool fyke_fold_writer_add(struct fyke_fold_writer *writer, const struct fyke_folded *folded);

/* Reads a block, which may be damaged: it ends where it makes no sense any more. */
struct fyke_fold_reader {
	const uint8_t *at, *end;
	uint8_t family;
	struct fyke_folded row; /* the present one */
	struct fyke_folded_kind kinds[FYKE_FOLD_KINDS_MAX];
	unsigned kind_count;
};

void fyke_fold_reader_start(struct fyke_fold_reader *reader, const uint8_t *bytes, size_t length);
bool fyke_fold_reader_next(struct fyke_fold_reader *reader);

#endif
