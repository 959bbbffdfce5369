/* The unit of hand-over between engine and sink. */
#include "analyzer/session/sink.h"

#include <stdlib.h>

struct fyke_tick *fyke_tick_new(void)
{
	return calloc(1, sizeof(struct fyke_tick));
}

void fyke_tick_free(struct fyke_tick *tick)
{
	if (tick == NULL)
		return;
	fyke_arena_release(&tick->arena);
	free(tick);
}
