/*
 * Conversations made of bytes: the first says who is asked (a dissector by its place in the list, or the
 * probes), the second over what; then pieces follow: a byte of flags and side, a length (two bytes when
 * FLAG_WIDE), the bytes. talk_seeds makes such inputs of the talks.
 * Every dissector in the list is reached, the one that was added last too.
 */
#include "analyzer/dissect/conversation.h"
#include "dissectors/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HELD_MAX = 4 << 20,
	FLAG_SERVER = 1,
	FLAG_END = 2,
	FLAG_GAP = 4,
	FLAG_CUT = 8,
	FLAG_LONG = 16,
	FLAG_WIDE = 32
};
enum { HOW_UDP = 1, HOW_GUESSED = 2, HOW_SECRETS = 4, HOW_FORGETS = 8, HOW_SAVES = 16 };

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

static void take_expectation(void *context, const struct fyke_expectation *expectation)
{
	unsigned *sum = context;

	for (size_t i = 0; i < expectation->note_length; i++)
		*sum += ((const uint8_t *)expectation->note)[i];
}

static const struct fyke_dissect_sink sink = {.record = take_record, .expect = take_expectation};

static void *begin_file(void *context, uint64_t frame)
{
	(void)context;
	(void)frame;
	return malloc(1); /* so that one that is never ended shows */
}

static void take_file_data(void *context, void *handle, const uint8_t *bytes, size_t length)
{
	unsigned *sum = context;

	(void)handle;
	for (size_t i = 0; i < length; i++)
		*sum += bytes[i];
}

static void take_file_gap(void *context, void *handle, uint64_t missing)
{
	(void)context;
	(void)handle;
	require(missing > 0);
}

static void end_file(void *context, void *handle, const char *type, bool complete, char *name, size_t room)
{
	(void)context;
	(void)complete;
	free(handle);
	(void)snprintf(name, room, "%s", type == NULL ? "" : type);
}

static void discard_file(void *context, void *handle)
{
	(void)context;
	free(handle);
}

/* Whose conversation it is, and how it is held. */
static void choose(struct fyke_conversation_options *options, uint8_t who, uint8_t how)
{
	static const uint8_t client[4] = {192, 0, 2, 1}, server[4] = {198, 51, 100, 2};
	const struct fyke_dissector *const *list = fyke_dissectors();
	size_t count = 0;

	options->transport = (how & HOW_UDP) != 0 ? FYKE_OVER_UDP : FYKE_OVER_TCP;
	options->roles_guessed = (how & HOW_GUESSED) != 0;
	options->stores_secrets = (how & HOW_SECRETS) != 0;
	options->ip[FYKE_CLIENT] = fyke_address_ipv4(client);
	options->ip[FYKE_SERVER] = fyke_address_ipv4(server);
	options->port[FYKE_CLIENT] = 40000;
	options->port[FYKE_SERVER] = 1;
	while (list[count] != NULL)
		count++;
	if (who < 2 * count) { /* asked directly, or probed on its own port */
		const struct fyke_dissector *dissector = list[who % count];

		if ((dissector->transports & options->transport) == 0)
			options->transport = dissector->transports & (FYKE_OVER_TCP | FYKE_OVER_UDP);
		if (who < count)
			options->expected = dissector;
		if (dissector->ports != NULL)
			options->port[FYKE_SERVER] = dissector->ports[0];
	}
}

/* A new one in the place of one that rests. */
static struct fyke_dissection *resume(
	struct fyke_dissection *conversation, const struct fyke_conversation_options *options)
{
	struct fyke_conversation_options own = *options;

	own.expected = fyke_conversation_resting(conversation);
	own.resumes = fyke_conversation_service(conversation);
	fyke_conversation_free(conversation);
	return fyke_conversation_new(&own);
}

/* The piece at data[0]; returns how many bytes tell it, 0 = none. */
static size_t take_piece(
	struct fyke_dissection *conversation, uint64_t offset[2], const uint8_t *data, size_t size)
{
	uint8_t flags = size > 0 ? data[0] : 0;
	size_t head = (flags & FLAG_WIDE) != 0 ? 3 : 2, length;
	enum fyke_side side = (flags & FLAG_SERVER) != 0 ? FYKE_SERVER : FYKE_CLIENT;
	struct fyke_conversation_piece piece = {
		.side = side, .frame = size, .end = (flags & FLAG_END) != 0, .cut = (flags & FLAG_CUT) != 0};
	uint8_t *own;

	if (size < head)
		return 0;
	length = (flags & FLAG_WIDE) != 0 ? (size_t)data[1] << 8 | data[2]
					  : (size_t)data[1] << ((flags & FLAG_LONG) != 0 ? 4 : 0);
	piece.gap = (flags & FLAG_GAP) != 0 ? length + 1 : 0;
	if (length > size - head)
		length = size - head;
	own = malloc(length + (length == 0)); /* exact, so that a read past the end shows */
	if (length > 0)
		memcpy(own, data + head, length);
	offset[side] += piece.gap;
	piece.offset = offset[side];
	piece.data = length > 0 ? own : NULL;
	piece.length = length;
	offset[side] += length;
	fyke_conversation_take(conversation, &piece);
	require(fyke_conversation_held(conversation) < HELD_MAX);
	free(own);
	return head + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned sum = 0;
	const struct fyke_file_store store = {
		&sum, begin_file, take_file_data, take_file_gap, end_file, discard_file};
	struct fyke_dissect_memory memory;
	struct fyke_conversation_options options = {.memory = &memory, .sink = &sink, .context = &sum};
	struct fyke_dissect_lookup *lookup;
	struct fyke_dissection *conversation;
	uint64_t offset[2] = {0};
	size_t at = 2, taken;

	if (size < 2)
		return 0;
	fyke_dissect_memory_init(&memory);
	lookup = fyke_dissect_lookup_new(fyke_dissectors());
	options.lookup = lookup;
	options.store = (data[1] & HOW_SAVES) != 0 ? &store : NULL;
	choose(&options, data[0], data[1]);
	conversation = fyke_conversation_new(&options);
	while ((taken = take_piece(conversation, offset, data + at, size - at)) > 0) {
		at += taken;
		if ((data[1] & HOW_FORGETS) != 0 && fyke_conversation_resting(conversation) != NULL)
			conversation = resume(conversation, &options);
	}
	fyke_conversation_end(conversation);
	require(fyke_conversation_is_over(conversation));
	fyke_conversation_free(conversation);
	fyke_dissect_memory_release(&memory);
	fyke_dissect_lookup_free(lookup);
	return (int)(sum & 0);
}
