/* Sorting many items by a number in each, byte by byte (least significant digit first): cheaper than
 * comparing them, where millions of sessions come in nearly the order that is wanted. */
#ifndef FYKE_BASE_RADIX_H
#define FYKE_BASE_RADIX_H

#include <stdbool.h>
#include <stddef.h>

/* `count` items of `size` bytes, each of which has a uint64_t at `key`. Ascending, and stable: of two keys
 * the lesser one is sorted by first. False when memory is out: nothing has moved then. */
bool fyke_radix_sort(void *items, size_t count, size_t size, size_t key);

#endif
