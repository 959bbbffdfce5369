/* What frames claim about addresses on the link, and what becomes of it: who took an address from whom. */
#include "analyzer/neighbours.h"

#include "tests/unit/decode_bytes.h"

#define ME	  "020000000001"
#define PEER	  "020000000002"
#define ALL	  "ffffffffffff"
#define ARP	  "0806 0001 0800 06 04"
#define IP_1	  "c0a80701"
#define IP_2	  "c0a80702"
#define NOT_KNOWN "000000000000"

static struct fyke_claim claim_in(const struct bytes *bytes)
{
	struct fyke_decoded decoded;

	decode_whole(1, bytes, &decoded);
	return decoded.claim;
}

static struct fyke_claim claim_of(const char *hex)
{
	struct bytes bytes = from_hex(hex);

	return claim_in(&bytes);
}

static void expect_claim(const char *hex, enum fyke_claim_kind kind, const char *ip, uint8_t mac_end)
{
	struct fyke_claim claim = claim_of(hex);
	char text[FYKE_ADDRESS_TEXT];

	assert_int_equal(claim.kind, kind);
	if (kind == FYKE_CLAIM_NONE)
		return;
	(void)fyke_address_text(&claim.ip, text);
	assert_string_equal(text, ip);
	assert_int_equal(claim.mac[5], mac_end);
	assert_int_equal(claim.frame, 7);
	assert_int_equal(claim.time_ns, 99);
}

static void arp_claims_the_sender(void **state)
{
	(void)state;
	expect_claim(ALL ME ARP "0001" ME IP_1 NOT_KNOWN IP_2, FYKE_CLAIM_REQUEST, "192.168.7.1", 1);
	expect_claim(PEER ME ARP "0002" ME IP_1 PEER IP_2, FYKE_CLAIM_REPLY, "192.168.7.1", 1);
	expect_claim(ALL ME ARP "0001" ME IP_1 NOT_KNOWN IP_1, FYKE_CLAIM_ANNOUNCEMENT, "192.168.7.1", 1);
	expect_claim(ALL ME ARP "0002" ME IP_1 ALL IP_1, FYKE_CLAIM_ANNOUNCEMENT, "192.168.7.1", 1);
}

static void what_claims_nothing(void **state)
{
	(void)state;
	/* a probe, a group, no address, a cut frame, hardware of another length, another operation */
	expect_claim(ALL ME ARP "0001" ME "00000000" NOT_KNOWN IP_1, FYKE_CLAIM_NONE, NULL, 0);
	expect_claim(ALL ME ARP "0002"
				"010000000001" IP_1 PEER IP_2,
		FYKE_CLAIM_NONE, NULL, 0);
	expect_claim(ALL ME ARP "0002" NOT_KNOWN IP_1 PEER IP_2, FYKE_CLAIM_NONE, NULL, 0);
	expect_claim(ALL ME ARP "0002" ME IP_1 PEER "c0a8", FYKE_CLAIM_NONE, NULL, 0);
	expect_claim(ALL ME "0806 0001 0800 08 04"
			    "0002" ME IP_1 PEER IP_2,
		FYKE_CLAIM_NONE, NULL, 0);
	expect_claim(ALL ME ARP "0003" ME IP_1 PEER IP_2, FYKE_CLAIM_NONE, NULL, 0);
}

static void another_sender_and_vlan(void **state)
{
	struct fyke_claim claim = claim_of(ALL PEER "8100 0007" ARP "0002" ME IP_1 PEER IP_2);

	(void)state;
	assert_int_equal(claim.kind, FYKE_CLAIM_REPLY);
	assert_true(claim.is_foreign);
	assert_int_equal(claim.vlan, 7);
	assert_false(claim_of(ALL ME ARP "0002" ME IP_1 PEER IP_2).is_foreign);
}

/* fe80::1 to ff02::1 or fe80::2; `rest` from the type on, its checksum zero: that of a wrong one claims
 * nothing. */
#define IPV6(length, hops, to) "86dd 60000000" length "3a" hops "fe80000000000000 0000000000000001" to
#define TO_ALL		       "ff02000000000000 0000000000000001"
#define TO_PEER		       "fe80000000000000 0000000000000002"
#define TARGET		       "fe80000000000000 0000000000000009"

static void put_sum(struct bytes *bytes)
{
	uint8_t *ip = bytes->data + 14, *icmp = ip + 40;
	size_t length = bytes->length - 54;
	uint32_t sum = (uint32_t)length + 58;

	for (size_t i = 0; i < 32; i += 2)
		sum += (uint32_t)(ip[8 + i] << 8 | ip[9 + i]);
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(icmp[i] << 8 | icmp[i + 1]);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	icmp[2] = (uint8_t)(~sum >> 8);
	icmp[3] = (uint8_t)~sum;
}

static struct fyke_claim discovery(const char *hex, bool is_summed)
{
	struct bytes bytes = from_hex(hex);

	if (is_summed)
		put_sum(&bytes);
	return claim_in(&bytes);
}

#define SOLICITATION  ALL ME IPV6("0020", "ff", TO_ALL) "87000000 00000000" TARGET "0101" ME
#define ADVERTISEMENT "88000000 60000000" TARGET "0201" ME

static void neighbour_discovery_claims(void **state)
{
	struct fyke_claim claim = discovery(SOLICITATION, true);
	char text[FYKE_ADDRESS_TEXT];

	(void)state;
	assert_int_equal(claim.kind, FYKE_CLAIM_REQUEST);
	(void)fyke_address_text(&claim.ip, text);
	assert_string_equal(text, "fe80::1");
	claim = discovery(PEER ME IPV6("0020", "ff", TO_PEER) ADVERTISEMENT, true);
	assert_int_equal(claim.kind, FYKE_CLAIM_REPLY);
	(void)fyke_address_text(&claim.ip, text);
	assert_string_equal(text, "fe80::9");
	assert_int_equal(discovery(ALL ME IPV6("0020", "ff", TO_ALL) ADVERTISEMENT, true).kind,
		FYKE_CLAIM_ANNOUNCEMENT);
	claim = discovery(
		ALL ME IPV6("0018", "ff", TO_ALL) "86000000 40000708 00000000 00000000 0101" ME, true);
	assert_int_equal(claim.kind, FYKE_CLAIM_ANNOUNCEMENT);
	(void)fyke_address_text(&claim.ip, text);
	assert_string_equal(text, "fe80::1");
}

static void discovery_that_is_not_believed(void **state)
{
	(void)state;
	/* a wrong sum; passed on by a router; an option without length; none at all */
	assert_int_equal(discovery(SOLICITATION, false).kind, FYKE_CLAIM_NONE);
	assert_int_equal(
		discovery(ALL ME IPV6("0020", "fe", TO_ALL) ADVERTISEMENT, true).kind, FYKE_CLAIM_NONE);
	assert_int_equal(
		discovery(ALL ME IPV6("0020", "ff", TO_ALL) "88000000 00000000" TARGET "0200" ME, true).kind,
		FYKE_CLAIM_NONE);
	assert_int_equal(discovery(ALL ME IPV6("0018", "ff", TO_ALL) "88000000 00000000" TARGET, true).kind,
		FYKE_CLAIM_NONE);
}

static void say(struct fyke_neighbours *neighbours, uint8_t ip_end, uint8_t mac_end, int64_t time_ns)
{
	static uint64_t frame;
	struct fyke_claim claim = {.kind = FYKE_CLAIM_REPLY,
		.frame = ++frame,
		.time_ns = time_ns,
		.ip = fyke_address_ipv4((const uint8_t[]){192, 168, 7, ip_end}),
		.mac = {2, 0, 0, 0, 0, mac_end},
		.vlan = -1};

	fyke_neighbours_take(neighbours, &claim);
}

static const struct fyke_neighbour *find(const struct fyke_tick *tick, uint8_t ip_end, uint8_t mac_end)
{
	for (size_t i = 0; i < tick->neighbour_count; i++) {
		if (tick->neighbours[i].ip.bytes[3] == ip_end && tick->neighbours[i].mac[5] == mac_end)
			return &tick->neighbours[i];
	}
	return NULL;
}

static void takeovers_are_counted(void **state)
{
	struct fyke_neighbours *neighbours = fyke_neighbours_new();
	struct fyke_tick *tick = fyke_tick_new();

	(void)state;
	say(neighbours, 1, 1, 0);
	say(neighbours, 2, 9, 5);
	say(neighbours, 1, 1, 100);
	say(neighbours, 1, 2, 1100);
	say(neighbours, 1, 2, 1200);
	say(neighbours, 1, 1, 1500);
	say(neighbours, 1, 2, 1600);
	assert_true(fyke_neighbours_hand_over(neighbours, tick, true));
	assert_int_equal(tick->neighbour_count, 3);
	assert_int_equal(find(tick, 1, 1)->replies, 3);
	assert_int_equal(find(tick, 1, 1)->takeovers, 1);
	assert_int_equal(find(tick, 1, 1)->takeover_silence_ns, 300);
	assert_int_equal(find(tick, 1, 2)->takeovers, 2);
	assert_int_equal(find(tick, 1, 2)->takeover_silence_ns, 100);
	assert_int_equal(find(tick, 1, 2)->taken_from[5], 1);
	assert_int_equal(find(tick, 2, 9)->takeovers, 0);
	fyke_tick_free(tick);
	fyke_neighbours_free(neighbours);
}

/* What was told once is not told again, but who holds an address is remembered. */
static void only_news_is_told(void **state)
{
	struct fyke_neighbours *neighbours = fyke_neighbours_new();
	struct fyke_tick *ticks[3] = {fyke_tick_new(), fyke_tick_new(), fyke_tick_new()};

	(void)state;
	say(neighbours, 1, 1, 0);
	assert_true(fyke_neighbours_hand_over(neighbours, ticks[0], true));
	assert_true(fyke_neighbours_hand_over(neighbours, ticks[1], true));
	say(neighbours, 1, 2, 10);
	assert_true(fyke_neighbours_hand_over(neighbours, ticks[2], true));
	assert_int_equal(ticks[0]->neighbour_count, 1);
	assert_int_equal(ticks[1]->neighbour_count, 0);
	assert_int_equal(ticks[2]->neighbour_count, 1);
	assert_int_equal(ticks[2]->neighbours[0].takeovers, 1);
	for (int i = 0; i < 3; i++)
		fyke_tick_free(ticks[i]);
	fyke_neighbours_free(neighbours);
}

/* More stations for one address than there are places: each is told all the same. */
static void none_is_lost(void **state)
{
	struct fyke_neighbours *neighbours = fyke_neighbours_new();
	struct fyke_tick *tick = fyke_tick_new();

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		say(neighbours, 1, (uint8_t)i, i);
	assert_true(fyke_neighbours_hand_over(neighbours, tick, true));
	assert_int_equal(tick->neighbour_count, 100);
	for (uint8_t i = 0; i < 100; i++)
		assert_int_equal(find(tick, 1, i)->replies, 1);
	fyke_tick_free(tick);
	fyke_neighbours_free(neighbours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_claims_the_sender),
		cmocka_unit_test(what_claims_nothing),
		cmocka_unit_test(another_sender_and_vlan),
		cmocka_unit_test(neighbour_discovery_claims),
		cmocka_unit_test(discovery_that_is_not_believed),
		cmocka_unit_test(takeovers_are_counted),
		cmocka_unit_test(only_news_is_told),
		cmocka_unit_test(none_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
