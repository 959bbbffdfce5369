/* The registry's services for tests (known_services.h). */
#include "tests/unit/known_services.h"

#include <stddef.h>

struct fyke_services *services;

int services_setup(void **state)
{
	(void)state;
	return fyke_services_new(NULL, &services, NULL) == FYKE_OK ? 0 : -1;
}

int services_teardown(void **state)
{
	(void)state;
	fyke_services_free(services);
	return 0;
}
