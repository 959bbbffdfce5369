/* Text in lines: a label, and words behind it that are wrapped where the screen ends. */
#ifndef FYKE_REPORTS_WRAP_H
#define FYKE_REPORTS_WRAP_H

#include "reports/screen.h"

struct fyke_wrap {
	const struct fyke_screen *screen;
	FILE *out;
	unsigned indent; /* blanks before the label */
	unsigned label;	 /* columns that labels take, the blank behind included */
};

/* `text` is untrusted. The label may be "". */
void fyke_wrap_put(const struct fyke_wrap *wrap, const char *label, enum fyke_paint paint, const char *text);

#endif
