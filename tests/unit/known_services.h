/* The registry's services, made once for the tests of a program that runs engines. */
#ifndef FYKE_TESTS_KNOWN_SERVICES_H
#define FYKE_TESTS_KNOWN_SERVICES_H

#include "analyzer/classify/services.h"

extern struct fyke_services *services;

/* cmocka's setup and teardown of a group. */
int services_setup(void **state);
int services_teardown(void **state);

#endif
