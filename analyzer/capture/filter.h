/*
 * BPF filters (the language of pcap-filter(7)) on frames of any link type: libpcap compiles the
 * expression for each link type when the first frame of it comes. Host names in an expression are
 * resolved by the system, as libpcap does.
 */
#ifndef FYKE_CAPTURE_FILTER_H
#define FYKE_CAPTURE_FILTER_H

#include "analyzer/base/status.h"
#include "analyzer/capture/frame.h"

#include <stdbool.h>

/* Tests an expression before anything is opened: FYKE_FAILED_USAGE with libpcap's words when it is
 * right for no link type that expressions are written for. */
FYKE_MUST_USE enum fyke_status fyke_capture_filter_check(const char *expression, struct fyke_error *error);

struct fyke_capture_filter;

/* `expression` is copied; must have passed fyke_capture_filter_check. NULL when memory is out. */
struct fyke_capture_filter *fyke_capture_filter_new(const char *expression);
void fyke_capture_filter_free(struct fyke_capture_filter *filter);

/* Whether the frame passes. False too where the expression does not fit the frame's link type. */
bool fyke_capture_filter_passes(struct fyke_capture_filter *filter, const struct fyke_frame *frame);

/* One sentence for each link type that the expression does not fit; NULL behind the last. */
const char *fyke_capture_filter_warning(const struct fyke_capture_filter *filter, size_t index);

#endif
