/* What stands behind struct fyke_database; for database.c and restrict.c. */
#ifndef FYKE_STORAGE_DATABASE_INTERNAL_H
#define FYKE_STORAGE_DATABASE_INTERNAL_H

#include "storage/database.h"

#include <stdint.h>

struct fyke_database {
	struct sqlite3 *db;
	enum fyke_database_mode mode;
	int fd;
	struct fyke_networks home;
	/* of the statement that runs under fyke_database_restrict */
	uint64_t steps, steps_max;
	unsigned seconds_max;
	int64_t deadline_ns; /* by CLOCK_MONOTONIC */
};

#endif
