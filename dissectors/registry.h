/* All dissectors, in the order of list.def. */
#ifndef FYKE_DISSECTORS_REGISTRY_H
#define FYKE_DISSECTORS_REGISTRY_H

#include "dissectors/dissector.h"

enum { FYKE_TABLES_MAX = 192 }; /* with the final NULL; more than dissectors have */

/* Ends with NULL; static. */
const struct fyke_dissector *const *fyke_dissectors(void);

/* Their tables, each once, in the same order: at most `room`, with NULL behind them (room ≥ 1). Returns how
 * many there are. */
size_t fyke_dissector_tables(const struct fyke_table **tables, size_t room);

#endif
