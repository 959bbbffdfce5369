/* Statements of SQL for records: cut, and without the passwords that some hold. */
#ifndef FYKE_DISSECTORS_SHARED_SQL_H
#define FYKE_DISSECTORS_SHARED_SQL_H

#include "dissectors/dissector.h"

enum { FYKE_SQL_MAX = 2048 };

/* Keeps a statement, at most FYKE_SQL_MAX bytes of it. What is quoted behind IDENTIFIED BY or PASSWORD
 * becomes *** unless secrets are stored. */
void fyke_sql_keep(
	struct fyke_dissection *dissection, struct fyke_text *text, const void *statement, size_t length);

#endif
