/*
 * Plain ANSI (ECMA-48) and the xterm sequences that every terminal of today knows; a screenful is one
 * write between the marks of a synchronized update, and lines are overwritten, never cleared first.
 */
#include "cli/live_screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
#define LEAVE "\x1b[?7h\x1b[?25h\x1b[?1049l"
#define BEGIN "\x1b[?2026h\x1b[H"
#define END   "\x1b[?2026l"

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDING_COUNT = sizeof(ending) / sizeof(ending[0]) };

/* A signal handler must find its way without arguments. */
/* NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables) */
static volatile sig_atomic_t active, stopped;
static bool has_termios;
static struct termios before;
static struct sigaction actions_before[ENDING_COUNT];
/* NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables) */

bool fyke_live_screen_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0 && term[0] != '\0';
}

static void write_all(const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDOUT_FILENO, text, length);

		if (written < 0 && errno == EINTR && active)
			continue;
		if (written <= 0)
			return;
		text += written;
		length -= (size_t)written;
	}
}

static bool in_foreground(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* Async-signal-safe. */
static void leave(void)
{
	if (!active)
		return;
	active = 0;
	write_all(LEAVE, sizeof(LEAVE) - 1);
	if (has_termios)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void silence_keys(void)
{
	struct termios now = before;

	now.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	now.c_cc[VMIN] = 0;
	now.c_cc[VTIME] = 0;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

static void on_ending(int number)
{
	int saved = errno;

	leave();
	for (size_t i = 0; i < ENDING_COUNT; i++) {
		if (ending[i] != number)
			continue;
		(void)sigaction(number, &actions_before[i], NULL);
		(void)raise(number); /* delivered when this handler returns */
		/* … to the handler of before, which falls back to the usual effect for the second time */
	}
	errno = saved;
}

static void on_stop(int number)
{
	int saved = errno;

	stopped = active;
	leave();
	(void)raise(number); /* SA_RESETHAND: this time it stops us */
	errno = saved;
}

static void catch_stop(void)
{
	struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND | SA_RESTART};

	sigemptyset(&action.sa_mask);
	(void)sigaction(SIGTSTP, &action, NULL);
}

static void take_terminal(void)
{
	has_termios = isatty(STDIN_FILENO) && in_foreground() && tcgetattr(STDIN_FILENO, &before) == 0;
	active = 1;
	if (has_termios)
		silence_keys();
	write_all(ENTER, sizeof(ENTER) - 1);
}

void fyke_live_screen_enter(void)
{
	struct sigaction action = {.sa_handler = on_ending};

	sigemptyset(&action.sa_mask);
	take_terminal();
	for (size_t i = 0; i < ENDING_COUNT; i++) {
		(void)sigaction(ending[i], NULL, &actions_before[i]);
		if (actions_before[i].sa_handler != SIG_IGN)
			(void)sigaction(ending[i], &action, NULL);
	}
	catch_stop();
}

void fyke_live_screen_leave(void)
{
	stopped = 0;
	leave();
}

bool fyke_live_screen_active(void)
{
	if (stopped && in_foreground()) { /* back from Ctrl-Z */
		stopped = 0;
		catch_stop();
		take_terminal();
	}
	return active;
}

void fyke_live_screen_size(unsigned *columns, unsigned *rows)
{
	struct winsize size;

	*columns = 80;
	*rows = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
		*columns = size.ws_col;
		*rows = size.ws_row;
	}
}

void fyke_live_screen_show(const char *text, size_t length)
{
	if (!active)
		return;
	write_all(BEGIN, sizeof(BEGIN) - 1);
	if (active)
		write_all(text, length);
	if (active)
		write_all(END, sizeof(END) - 1);
}

char fyke_live_screen_key(void)
{
	struct pollfd poll_input = {.fd = STDIN_FILENO, .events = POLLIN};
	char key;

	if (!active || !has_termios || !in_foreground() || poll(&poll_input, 1, 0) != 1)
		return 0;
	return read(STDIN_FILENO, &key, 1) == 1 ? key : 0;
}
