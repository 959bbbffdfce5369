/* Wraps at blanks; a word that is wider than a line has a line of its own. */
#include "reports/wrap.h"

#include "analyzer/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 96, ROOM_LEAST = 24 };

static void put_word(const struct fyke_wrap *wrap, const char *text, size_t length, enum fyke_paint paint)
{
	char *word = strndup(text, length);

	if (word != NULL)
		fyke_screen_put(wrap->screen, word, 0, paint, wrap->out);
	free(word);
}

void fyke_wrap_put(const struct fyke_wrap *wrap, const char *label, enum fyke_paint paint, const char *text)
{
	unsigned width = wrap->screen->width > 0 ? wrap->screen->width : WIDTH;
	unsigned begin = wrap->indent + wrap->label, column = 0;
	unsigned room = width > begin + ROOM_LEAST ? width - begin : ROOM_LEAST;

	fprintf(wrap->out, "%*s", (int)wrap->indent, "");
	fyke_screen_put(wrap->screen, label, 0, FYKE_PAINT_DIM, wrap->out);
	if (strlen(label) < wrap->label)
		fprintf(wrap->out, "%*s", (int)(wrap->label - strlen(label)), "");
	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		unsigned wide = fyke_text_width(text, length);

		if (column > 0 && column + 1 + wide > room) {
			fprintf(wrap->out, "\n%*s", (int)begin, "");
			column = 0;
		} else if (column > 0) {
			fputc(' ', wrap->out);
			column++;
		}
		put_word(wrap, text, length, paint);
		column += wide;
		text += length + (text[length] == ' ');
	}
	fputc('\n', wrap->out);
}
