/* Failure texts: bounded, and printable whatever a file name or a peer put into them. */
#include "analyzer/base/status.h"

#include <stdarg.h>
#include <stdio.h>

enum fyke_status fyke_error_set(struct fyke_error *error, enum fyke_status status, const char *format, ...)
{
	va_list arguments;

	if (error == NULL)
		return status;
	error->status = status;
	va_start(arguments, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	for (char *c = error->text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	return status;
}
