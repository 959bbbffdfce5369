/*
 * The terminal while the live table is on it: alternate screen, no echo, restored at the end, at
 * Ctrl-C (in the signal handler, so that even a second one leaves a usable terminal) and at Ctrl-Z.
 */
#ifndef FYKE_CLI_LIVE_SCREEN_H
#define FYKE_CLI_LIVE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* Whether standard output is a terminal that can show a table. */
bool fyke_live_screen_possible(void);

/* One screen at a time. Call after the handlers of SIGINT, SIGTERM and SIGHUP are in place: they are
 * called as before once the terminal is restored. */
void fyke_live_screen_enter(void);
/* Harmless when the screen was left already. */
void fyke_live_screen_leave(void);

/* False once it was left (by a signal). */
bool fyke_live_screen_active(void);

void fyke_live_screen_size(unsigned *columns, unsigned *rows);

/* Puts a screenful in place at one go. */
void fyke_live_screen_show(const char *text, size_t length);

/* The next key pressed, or 0. Never waits. */
char fyke_live_screen_key(void);

#endif
