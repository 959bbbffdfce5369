/* When something was seen, and in which frame. */
#ifndef FYKE_BASE_MOMENT_H
#define FYKE_BASE_MOMENT_H

#include <stdint.h>

struct fyke_moment {
	uint64_t frame;
	int64_t time_ns;
};

#endif
