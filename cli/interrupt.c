/* The one mutable global: the flag that a signal handler may set. */
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile bool interrupted; /* NOLINT(cppcoreguidelines-avoid-non-const-global-variables) */

static void interrupt(int number)
{
	(void)number;
	interrupted = true;
}

const volatile bool *fyke_interrupt_catch(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	/* SA_RESETHAND: the second signal has its usual effect. */
	struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction before;

		/* nohup stays nohup */
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	}
	return &interrupted;
}
