/* Values in filters: numbers with units, instants. Of storage/filter*.c alone. */
#ifndef FYKE_STORAGE_FILTER_VALUE_H
#define FYKE_STORAGE_FILTER_VALUE_H

#include "analyzer/base/network.h"

#include <stdbool.h>
#include <stdint.h>

/* Plain, 0x…, or with k M G T (kB MB GB TB), Ki Mi Gi Ti (KiB …), B. False: no such number. */
bool fyke_filter_number(const char *text, int64_t *value);
/* A number with us ms s min h d w or their words; `bare_us` is the unit of a number without (0: not allowed).
 */
bool fyke_filter_duration(const char *text, int64_t bare_us, int64_t *us);
/* See filter.h. *span_us: the length of what was named, a day for a date, else 0. */
bool fyke_filter_instant(const char *text, int64_t now_us, int64_t *us, int64_t *span_us);

#endif
