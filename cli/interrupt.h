/* Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends the program at once. */
#ifndef FYKE_CLI_INTERRUPT_H
#define FYKE_CLI_INTERRUPT_H

#include <stdbool.h>

/* Catches SIGINT, SIGTERM and SIGHUP from now on; the flag becomes true at the first of them. */
const volatile bool *fyke_interrupt_catch(void);

#endif
