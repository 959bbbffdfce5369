/*
 * What a flow's payload says: its stream put in order where it is TCP, and the conversation over it.
 * Made with the first payload, gone as soon as nothing more is to be learned. Private to the engine.
 */
#ifndef FYKE_ANALYZER_ENGINE_TALK_H
#define FYKE_ANALYZER_ENGINE_TALK_H

#include "analyzer/dissect/conversation.h"
#include "analyzer/engine_parts.h"
#include "analyzer/tcp/stream.h"

struct fyke_talk {
	struct fyke_engine *engine;
	uint32_t flow;
	uint8_t ended; /* sides whose stream has ended: bits by enum fyke_endpoint */
	bool failed;   /* memory is out */
	bool heard;    /* since it was last settled */
	size_t held;   /* bytes that the engine has counted for it */
	struct fyke_dissection *conversation;
	struct fyke_stream stream; /* of TCP */
};

void fyke_engine_talk_init(struct fyke_engine *engine);
/* All talks are over. */
void fyke_engine_talk_release(struct fyke_engine *engine);

/* All functions that return bool say false when memory is out. */

/* A packet that the flow (and its TCP tracking) has taken. */
bool fyke_engine_talk_take(struct fyke_engine *engine, uint32_t index, const struct fyke_packet *packet,
	enum fyke_endpoint sender);

/* Nothing more will come: what is still to be said is said. */
bool fyke_engine_talk_end(struct fyke_engine *engine, uint32_t index);

/* What is known by now goes to the flow. */
bool fyke_engine_talk_look(struct fyke_engine *engine, uint32_t index);

/* Forgets it without a word. */
void fyke_engine_talk_drop(struct fyke_engine *engine, struct fyke_flow *flow);

#endif
