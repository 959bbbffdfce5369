/* Numbers of cards and accounts in text, however it is cut; what only looks alike is not taken for one. */
#include "analyzer/dissect/sensitive.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	uint32_t cards, accounts;
	const char *masked;
} samples[] = {
	{"4111111111111111", 1, 0, "4111********1111"},
	{"card=4111111111111111&cvc=123", 1, 0, NULL},
	{"pay 4111 1111 1111 1111 12/27, please", 1, 0, "4111********1111"},
	{"4111-1111-1111-1111", 1, 0, NULL},
	{"number=4111+1111+1111+1111&x=1", 1, 0, NULL},
	{"{\"pan\":\"5555555555554444\"}", 1, 0, "5555********4444"},
	{"3782 822463 10005", 1, 0, "3782*******0005"},
	{"378282246310005\n30569309025904\n3530111333300000\n6011111111111117\n", 4, 0, NULL},
	{"It is 4111111111111111.", 1, 0, NULL},
	{"4111111111111111 123", 1, 0, NULL},
	{"2223003122003222;2720990000000007", 2, 0, NULL},
	{"DE89370400440532013000", 0, 1, "DE89**************3000"},
	{"IBAN: DE89 3704 0044 0532 0130 00, BIC", 0, 1, NULL},
	{"GB82WEST12345698765432 and NO9386011117947 and MT84MALT011000012345MTLCAST001S", 0, 3,
		"GB82**************5432"},
	{"4111111111111111 DE89370400440532013000", 1, 1, NULL},
	/* look-alikes */
	{"4111111111111112", 0, 0, NULL},
	{"4111 1111 1111 1112", 0, 0, NULL},
	{"41111111111111111", 0, 0, NULL},
	{"94111111111111111", 0, 0, NULL},
	{"1234 4111 1111 1111 1111", 0, 0, NULL},
	{"4111 1111 1111 1111 4111", 0, 0, NULL},
	{"4111 1111 1111 1111 4111 1111 1111 1111 4111 1111 1111 1111", 0, 0, NULL},
	{"4111-1111 1111-1111", 0, 0, NULL},
	{"41 11 11 11 11 11 11 11", 0, 0, NULL},
	{"0.4111111111111111 4111111111111111.5", 0, 0, NULL},
	{"a4111111111111111 4111111111111111b 1_4111111111111111", 0, 0, NULL},
	{"+4111111111111111 tel:+49 30 1234 5678", 0, 0, NULL},
	{"/photos/4111111111111111", 0, 0, NULL},
	{"00000000-4111-1111-1111-111111111111", 0, 0, NULL},
	{"1700000000000000 1700000000000000000 20261125123456", 0, 0, NULL},
	{"9111111111111111 1111111111111117 0000000000000000", 0, 0, NULL},
	{"d41d8cd98f00b204e9800998ecf8427e 5d41402abc4b2a76b9719d911017c592", 0, 0, NULL},
	{"DE88370400440532013000", 0, 0, NULL},
	{"DE8937040044053201300 DE893704004405320130001 xDE89370400440532013000", 0, 0, NULL},
	{"XX89370400440532013000 DE89  3704 0044 0532 0130 00", 0, 0, NULL},
	{"4111111111111111\001", 0, 0, NULL},
};

static void check(const struct fyke_sensitive *scan, size_t i)
{
	const struct fyke_sensitive_found *card = &scan->found[FYKE_SENSITIVE_CARD],
					  *account = &scan->found[FYKE_SENSITIVE_IBAN];

	if (card->count != samples[i].cards || account->count != samples[i].accounts)
		fail_msg("\"%s\": %u cards, %u accounts", samples[i].text, card->count, account->count);
	if (samples[i].masked != NULL)
		assert_string_equal(card->count > 0 ? card->masked : account->masked, samples[i].masked);
}

static void scan_exactly(struct fyke_sensitive *scan, const char *text, size_t length)
{
	uint8_t *exact = malloc(length + (length == 0));

	assert_non_null(exact);
	memcpy(exact, text, length);
	fyke_sensitive_scan(scan, exact, length);
	free(exact);
}

static void test_sensitive_whole_and_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		size_t length = strlen(samples[i].text);

		for (size_t cut = 0; cut <= length; cut++) {
			struct fyke_sensitive scan = {0};

			scan_exactly(&scan, samples[i].text, cut);
			scan_exactly(&scan, samples[i].text + cut, length - cut);
			fyke_sensitive_end(&scan);
			check(&scan, i);
		}
	}
}

static void test_sensitive_hole(void **state)
{
	struct fyke_sensitive scan = {0};

	(void)state;
	scan_exactly(&scan, "4111 1111 ", 10);
	fyke_sensitive_gap(&scan);
	scan_exactly(&scan, "1111 1111 4111111111111111", 26);
	fyke_sensitive_end(&scan);
	assert_int_equal(scan.found[FYKE_SENSITIVE_CARD].count, 0);
	fyke_sensitive_gap(&scan);
	scan_exactly(&scan, "11\n4111111111111111\n", 20);
	fyke_sensitive_end(&scan);
	assert_int_equal(scan.found[FYKE_SENSITIVE_CARD].count, 1);
}

/* Digits without end, and separators: nothing overflows. */
static void test_sensitive_long(void **state)
{
	static const char *const pieces[] = {"4", "4 ", "4111-", "DE89", "DE89 ", "A", "4.", "4444 "};

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct fyke_sensitive scan = {0};

		for (int n = 0; n < 2000; n++)
			scan_exactly(&scan, pieces[i], strlen(pieces[i]));
		fyke_sensitive_end(&scan);
		assert_int_equal(scan.found[FYKE_SENSITIVE_CARD].count, 0);
		assert_int_equal(scan.found[FYKE_SENSITIVE_IBAN].count, 0);
	}
}

static const char *pick_word(unsigned *seed)
{
	static const char *const calm[] = {" ", "-", "+", ".", ",", "\n", "_", "A", "DE", "4", "12", " 12 ",
		"word", "a b-c.D ", "Words of a sentence, ", "\xc3\xa4", "<a href=\"x\">",
		"d41d8cd98f00b204"};
	static const char *const numbers[] = {"4111", "1111", "/", "#", " 12 4111 1111 1111 1111,",
		" 1-4111-1111-1111-1111 ", " 1.4111111111111111 ", " A4111111111111111 ",
		" 1.DE89370400440532013000 ", " NL91ABNA0417164300 ", "4111 1111 1111 1111 "};
	size_t any = (size_t)rand_r(seed), known = sizeof(samples) / sizeof(samples[0]) - 1;

	switch (rand_r(seed) % 64) {
	case 0:
		return samples[any % known].text;
	case 1:
	case 2:
		return numbers[any % (sizeof(numbers) / sizeof(numbers[0]))];
	default:
		return calm[any % (sizeof(calm) / sizeof(calm[0]))];
	}
}

/* Some text, with numbers and what looks like them now and then; returns its length. */
static size_t make_text(char *text, size_t room, unsigned *seed)
{
	size_t length = 0;

	for (;;) {
		const char *word = pick_word(seed);
		size_t n = strlen(word);

		if (length + n > room)
			return length;
		memcpy(text + length, word, n);
		length += n;
		if (rand_r(seed) % 1024 == 0 && length < room)
			text[length++] = (char)(rand_r(seed) % 256);
	}
}

/* Text in pieces too small to be passed over is looked at byte by byte; larger ones say the same. */
static void test_sensitive_passed_over(void **state)
{
	enum { ROOM = 3000, SMALL = 64 };
	unsigned seed = 1;
	uint32_t numbers = 0;
	char text[ROOM];

	(void)state;
	for (int n = 0; n < 20000; n++) {
		struct fyke_sensitive whole = {0}, small = {0};
		size_t length = make_text(text, 200 + (size_t)rand_r(&seed) % (ROOM - 200), &seed),
		       cut = (size_t)rand_r(&seed) % length;

		scan_exactly(&whole, text, cut);
		scan_exactly(&whole, text + cut, length - cut);
		for (size_t at = 0; at < length; at += SMALL)
			scan_exactly(&small, text + at, length - at < SMALL ? length - at : SMALL);
		fyke_sensitive_end(&whole);
		fyke_sensitive_end(&small);
		assert_int_equal(whole.is_binary, small.is_binary);
		assert_memory_equal(whole.found, small.found, sizeof(whole.found));
		numbers += small.found[FYKE_SENSITIVE_CARD].count + small.found[FYKE_SENSITIVE_IBAN].count;
	}
	assert_true(numbers > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sensitive_whole_and_cut),
		cmocka_unit_test(test_sensitive_hole),
		cmocka_unit_test(test_sensitive_long),
		cmocka_unit_test(test_sensitive_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
