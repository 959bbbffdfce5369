/* A sample that clang-tidy must refuse. */
#include <string.h>

int changing_global = 3;

void f(int *numbers);

void f(int *numbers)
{
	memset(numbers, '0', 8);
}
