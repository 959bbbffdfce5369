/* A sample that clang-tidy must refuse. */
#include <string.h>

int changing_global = 3;

unsigned long f(void);

unsigned long f(void)
{
	char text[8] = "abc";
	const char *pointer = text;

	memset(text, 0, sizeof(pointer));
	return sizeof(sizeof(text));
}
