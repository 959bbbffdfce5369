/*
 * Conversations made of bytes: the first says who is asked (a dissector by its place in the list, or the
 * probes), the second over what; then pieces follow: a byte of flags and side, a length, the bytes.
 * Every dissector in the list is reached, the one that was added last too.
 */
#include "analyzer/dissect/conversation.h"
#include "dissectors/registry.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 4 << 20, FLAG_SERVER = 1, FLAG_END = 2, FLAG_GAP = 4, FLAG_CUT = 8, FLAG_LONG = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool take_record(void *context, const struct fyke_table *table, const struct fyke_moment *moment,
	const struct fyke_value *values)
{
	unsigned *sum = context;

	(void)moment;
	for (size_t i = 0; i < table->field_count; i++) {
		if (values[i].kind != FYKE_VALUE_BYTES)
			continue;
		for (uint32_t j = 0; j < values[i].length; j++)
			*sum += (uint8_t)values[i].bytes[j];
	}
	return true;
}

static const struct fyke_dissect_sink sink = {.record = take_record};

static struct fyke_dissection *start(
	const struct fyke_dissect_lookup *lookup, uint8_t who, uint8_t how, unsigned *sum)
{
	static const uint8_t client[4] = {192, 0, 2, 1}, server[4] = {198, 51, 100, 2};
	const struct fyke_dissector *const *list = fyke_dissectors();
	size_t count = 0;
	struct fyke_conversation_options options = {.lookup = lookup,
		.sink = &sink,
		.context = sum,
		.transport = (how & 1) != 0 ? FYKE_OVER_UDP : FYKE_OVER_TCP,
		.roles_guessed = (how & 2) != 0,
		.stores_secrets = (how & 4) != 0,
		.ip = {fyke_address_ipv4(client), fyke_address_ipv4(server)},
		.port = {40000, 1}};

	while (list[count] != NULL)
		count++;
	if (who < 2 * count) { /* asked directly, or probed on its own port */
		const struct fyke_dissector *dissector = list[who % count];

		if ((dissector->transports & options.transport) == 0)
			options.transport = dissector->transports & (FYKE_OVER_TCP | FYKE_OVER_UDP);
		if (who < count)
			options.expected = dissector;
		if (dissector->ports != NULL)
			options.port[FYKE_SERVER] = dissector->ports[0];
	}
	return fyke_conversation_new(&options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fyke_dissect_lookup *lookup;
	struct fyke_dissection *conversation;
	uint64_t offset[2] = {0};
	unsigned sum = 0;
	size_t at = 2;

	if (size < 2)
		return 0;
	lookup = fyke_dissect_lookup_new(fyke_dissectors());
	conversation = start(lookup, data[0], data[1], &sum);
	while (at + 2 <= size) {
		uint8_t flags = data[at];
		size_t length = (size_t)data[at + 1] << ((flags & FLAG_LONG) != 0 ? 4 : 0);
		enum fyke_side side = (flags & FLAG_SERVER) != 0 ? FYKE_SERVER : FYKE_CLIENT;
		struct fyke_conversation_piece piece = {.side = side,
			.frame = at,
			.gap = (flags & FLAG_GAP) != 0 ? length + 1 : 0,
			.end = (flags & FLAG_END) != 0,
			.cut = (flags & FLAG_CUT) != 0};
		uint8_t *own;

		at += 2;
		if (length > size - at)
			length = size - at;
		own = malloc(length + (length == 0)); /* exact, so that a read past the end shows */
		if (length > 0)
			memcpy(own, data + at, length);
		at += length;
		offset[side] += piece.gap;
		piece.offset = offset[side];
		piece.data = length > 0 ? own : NULL;
		piece.length = length;
		offset[side] += length;
		fyke_conversation_take(conversation, &piece);
		require(fyke_conversation_held(conversation) < HELD_MAX);
		free(own);
	}
	fyke_conversation_end(conversation);
	require(fyke_conversation_is_over(conversation));
	fyke_conversation_free(conversation);
	fyke_dissect_lookup_free(lookup);
	return (int)(sum & 0);
}
