/* Events in the order of their time; of equal times the one that was added first. */
#ifndef FYKE_BENCH_TRACES_QUEUE_H
#define FYKE_BENCH_TRACES_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

enum { BLOCKS = 3 };

enum what { STEP, DATA_AT_TAP, DATA_AT_CLIENT, ACK_AT_TAP, ACK_AT_SERVER, TICK };

/* `index`: of a piece; the piece expected next (acknowledgments); the step of a handshake. */
struct event {
	uint64_t time_us, serial;
	enum what what;
	uint32_t talk, index;
	bool again, timeout;
	uint16_t ip_id;
	uint32_t clock, echo;
	unsigned blocks;
	uint32_t block[BLOCKS][2];
};

struct queue;

struct queue *queue_new(void);
void queue_free(struct queue *queue);
void queue_add(struct queue *queue, const struct event *event);
bool queue_take(struct queue *queue, struct event *event);

#endif
