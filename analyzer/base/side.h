/* The two sides of a session, by role. */
#ifndef FYKE_BASE_SIDE_H
#define FYKE_BASE_SIDE_H

enum fyke_side { FYKE_CLIENT = 0, FYKE_SERVER = 1 };

static inline enum fyke_side fyke_side_other(enum fyke_side side)
{
	return side == FYKE_CLIENT ? FYKE_SERVER : FYKE_CLIENT;
}

#endif
