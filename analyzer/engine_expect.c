/*
 * A set-associative table. Its hash has no secret: who floods a bucket makes fyke forget an expectation of
 * the same bucket, nothing else.
 */
#include "analyzer/engine_expect.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { WAYS = 8, EXPECTED_SETS = 128 };

#define EXPECTED_NS (INT64_C(300) * 1000000000)

static size_t bucket_of(const struct fyke_address *ip, uint32_t salt, size_t sets)
{
	return (size_t)(XXH3_64bits_withSeed(ip->bytes, sizeof(ip->bytes), salt) % sets) * WAYS;
}

void fyke_engine_expect_release(struct fyke_engine_expect *expect)
{
	free(expect->expected);
}

static uint32_t salt_of(unsigned transport, uint16_t port)
{
	return transport << 16 | port;
}

static bool is_for(const struct fyke_expected *expected, unsigned transport, const struct fyke_address *ip,
	uint16_t port)
{
	return expected->transport == transport && expected->port == port &&
	       fyke_address_compare(&expected->ip, ip) == 0;
}

bool fyke_engine_expect_add(struct fyke_engine_expect *expect, const struct fyke_expectation *expectation,
	const struct fyke_flow_reference *by, int64_t time_ns)
{
	struct fyke_expected *set, *place;

	if (expect->expected == NULL)
		expect->expected = calloc((size_t)EXPECTED_SETS * WAYS, sizeof(*expect->expected));
	if (expect->expected == NULL)
		return false;
	set = expect->expected +
	      bucket_of(&expectation->ip, salt_of(expectation->transport, expectation->port), EXPECTED_SETS);
	place = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (is_for(&set[i], expectation->transport, &expectation->ip, expectation->port)) {
			place = &set[i];
			break;
		}
		if (place->transport != 0 && (set[i].transport == 0 || set[i].time_ns < place->time_ns))
			place = &set[i];
	}
	*place = (struct fyke_expected){.transport = expectation->transport,
		.ip = expectation->ip,
		.port = expectation->port,
		.dissector = expectation->dissector,
		.by = *by,
		.time_ns = time_ns,
		.note_length = (uint16_t)expectation->note_length};
	if (expectation->note_length > 0)
		memcpy(place->note, expectation->note, expectation->note_length);
	return true;
}

struct fyke_expected *fyke_engine_expect_find(struct fyke_engine_expect *expect, unsigned transport,
	const struct fyke_address *ip, uint16_t port, int64_t time_ns)
{
	struct fyke_expected *set;

	if (expect->expected == NULL)
		return NULL;
	set = expect->expected + bucket_of(ip, salt_of(transport, port), EXPECTED_SETS);
	for (size_t i = 0; i < WAYS; i++) {
		if (is_for(&set[i], transport, ip, port) && time_ns - set[i].time_ns <= EXPECTED_NS)
			return &set[i];
	}
	return NULL;
}
