/*
 * A bounds-checked reader over borrowed bytes: the only way that wire and file bytes are read.
 *
 * Every primitive is checked against the end. The first failure sticks: later reads give zero and
 * leave `at` where it was, so a parser may read a whole header and look at the fault once.
 * SHORT means that the bytes are not here (yet, or cut); BAD that those which are here are wrong.
 */
#ifndef FYKE_BASE_CURSOR_H
#define FYKE_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fyke_fault { FYKE_FAULT_NONE = 0, FYKE_FAULT_SHORT, FYKE_FAULT_BAD };

struct fyke_cursor {
	const uint8_t *at; /* borrowed, next byte */
	const uint8_t *end;
	enum fyke_fault fault;
};

static inline struct fyke_cursor fyke_cursor(const uint8_t *data, size_t length)
{
	return (struct fyke_cursor){data, length == 0 ? data : data + length, FYKE_FAULT_NONE};
}

/* Bytes that can still be read: none after a fault, so that a loop over them ends. */
static inline size_t fyke_cursor_left(const struct fyke_cursor *c)
{
	return c->fault == FYKE_FAULT_NONE ? (size_t)(c->end - c->at) : 0;
}

static inline bool fyke_cursor_ok(const struct fyke_cursor *c)
{
	return c->fault == FYKE_FAULT_NONE;
}

/* Marks what was read as wrong; a SHORT that came first stays. */
static inline void fyke_cursor_bad(struct fyke_cursor *c)
{
	if (c->fault == FYKE_FAULT_NONE)
		c->fault = FYKE_FAULT_BAD;
}

/* The checked primitive: `length` bytes, or NULL with the fault SHORT. */
static inline const uint8_t *fyke_cursor_take(struct fyke_cursor *c, size_t length)
{
	const uint8_t *here = c->at;

	if (c->fault != FYKE_FAULT_NONE || (size_t)(c->end - c->at) < length) {
		if (c->fault == FYKE_FAULT_NONE)
			c->fault = FYKE_FAULT_SHORT;
		return NULL;
	}
	if (length > 0) /* nothing may be taken from no bytes at all, which may be NULL */
		c->at += length;
	return here;
}

static inline bool fyke_cursor_skip(struct fyke_cursor *c, size_t length)
{
	return fyke_cursor_take(c, length) != NULL;
}

/* A child over the next `length` bytes. A failed carve poisons the parent and gives an empty,
 * faulty child; a fault inside the child stays there. */
static inline struct fyke_cursor fyke_cursor_carve(struct fyke_cursor *c, size_t length)
{
	const uint8_t *here = fyke_cursor_take(c, length);

	if (here == NULL)
		return (struct fyke_cursor){c->at, c->at, c->fault};
	return fyke_cursor(here, length);
}

/* Big-endian integers; zero on a fault. */
static inline uint8_t fyke_cursor_u8(struct fyke_cursor *c)
{
	const uint8_t *p = fyke_cursor_take(c, 1);

	if (p == NULL)
		return 0;
	return p[0];
}

static inline uint16_t fyke_cursor_u16(struct fyke_cursor *c)
{
	const uint8_t *p = fyke_cursor_take(c, 2);

	if (p == NULL)
		return 0;
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t fyke_cursor_u24(struct fyke_cursor *c)
{
	const uint8_t *p = fyke_cursor_take(c, 3);

	if (p == NULL)
		return 0;
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t fyke_cursor_u32(struct fyke_cursor *c)
{
	const uint8_t *p = fyke_cursor_take(c, 4);

	if (p == NULL)
		return 0;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t fyke_cursor_u64(struct fyke_cursor *c)
{
	uint64_t high = fyke_cursor_u32(c);

	return high << 32 | fyke_cursor_u32(c);
}

/* Little-endian integers. */
static inline uint16_t fyke_cursor_le16(struct fyke_cursor *c)
{
	const uint8_t *p = fyke_cursor_take(c, 2);

	if (p == NULL)
		return 0;
	return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t fyke_cursor_le32(struct fyke_cursor *c)
{
	const uint8_t *p = fyke_cursor_take(c, 4);

	if (p == NULL)
		return 0;
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t fyke_cursor_le64(struct fyke_cursor *c)
{
	uint64_t low = fyke_cursor_le32(c);

	return low | (uint64_t)fyke_cursor_le32(c) << 32;
}

#endif
