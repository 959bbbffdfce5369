/* The JSON Schemas of what commands write (reports/NAME.schema.json), as text within the binary. */
#ifndef FYKE_REPORTS_SCHEMAS_H
#define FYKE_REPORTS_SCHEMAS_H

#include <stddef.h>

struct fyke_json_schema {
	const char *name, *text;
};

extern const struct fyke_json_schema fyke_json_schemas[];
extern const size_t fyke_json_schema_count;

#endif
