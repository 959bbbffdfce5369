/*
 * Scripts of fragments: each step of eight bytes is one fragment, an expiry or a recycling. Datagrams that
 * come out are read in full; the conservation of fragments holds after every step, and memory keeps within
 * its budget.
 */
#include "analyzer/defrag/defrag.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 8, MEMORY = 40000, DATAGRAMS = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check(const struct fyke_defrag *defrag)
{
	struct fyke_defrag_counters counters = fyke_defrag_counters(defrag);

	require(counters.fragments ==
		counters.frames_whole + counters.frames_incomplete + counters.frames_held);
	/* A list of pieces may double above it. */
	require(counters.memory <= 2 * MEMORY);
}

static void read_datagram(const struct fyke_datagram *datagram)
{
	unsigned sum = 0;

	require(datagram->captured <= datagram->length && datagram->length <= 65535);
	require(datagram->network.is_fragmented);
	for (uint32_t i = 0; i < datagram->length; i++)
		sum += datagram->data[i];
	for (int i = 0; i < 6 && datagram->network.source_mac != NULL; i++)
		sum += datagram->network.source_mac[i];
	require(sum <= 255u * 65541);
}

static void add(struct fyke_defrag *defrag, const uint8_t step[STEP], int64_t time_ns)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct fyke_fragment fragment = {.id = step[1] & 7u, .next_header = 17};
	struct fyke_datagram datagram;
	uint32_t length = 1 + step[4] * (step[5] & 1 ? 32u : 8u);
	uint8_t *bytes = malloc(length);

	require(bytes != NULL);
	memset(bytes, step[6], length);
	bytes[0] = step[7];
	fragment.packet.source.family = step[1] & 8 ? FYKE_ADDRESS_IPV6 : FYKE_ADDRESS_IPV4;
	fragment.packet.destination.family = fragment.packet.source.family;
	fragment.packet.source_mac = step[1] & 16 ? mac : NULL;
	fragment.packet.time_ns = time_ns;
	fragment.packet.ip_bytes = length + 20;
	fragment.offset = (uint32_t)(step[2] | (step[3] & 0x1f) << 8) * 8;
	fragment.more = (step[3] & 0x80) != 0;
	fragment.length = length;
	fragment.captured = step[5] & 2 ? length / 2 : length;
	fragment.data = bytes;
	if (fragment.offset + length <= 65535 && fyke_defrag_add(defrag, &fragment, &datagram))
		read_datagram(&datagram);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fyke_defrag_options options = {.memory = MEMORY, .datagrams = DATAGRAMS};
	struct fyke_defrag *defrag;
	int64_t time_ns = 0;

	if (size < STEP)
		return 0;
	options.policy = (enum fyke_defrag_policy)(data[0] % 6);
	require(fyke_defrag_new(&options, &defrag) == FYKE_OK);
	for (data++, size--; size >= STEP; data += STEP, size -= STEP) {
		time_ns += (int64_t)(data[0] >> 2) * 100000000;
		if ((data[0] & 3) == 1)
			fyke_defrag_expire(defrag, time_ns);
		else if ((data[0] & 3) == 2)
			fyke_defrag_recycle(defrag);
		else
			add(defrag, data, time_ns);
		check(defrag);
	}
	fyke_defrag_drain(defrag);
	check(defrag);
	require(fyke_defrag_counters(defrag).memory == 0);
	fyke_defrag_free(defrag);
	return 0;
}
