/*
 * Numbers of cards (ISO/IEC 7812, checked by Luhn's formula) and of bank accounts (ISO 13616: IBAN, checked
 * modulo 97) in text.
 *
 * A card's number is written without separators or in the groups that are printed on cards; the separators
 * (all blanks, all dashes, or all plus signs: blanks of a form) are the same. Groups of less than four digits
 * may follow (expiry, CVC), else it stands alone: what is part of a word, a decimal fraction, a path or a
 * longer row of groups is none. Issuers' prefixes count with the lengths that are issued today: 13 digits are
 * not, and every tenth barcode of that length would pass.
 *
 * Text is what has no control characters but white space: with the first one, all is forgotten.
 */
#include "analyzer/dissect/sensitive.h"

#include "analyzer/dissect/calm_text.h"

#include <string.h>

enum { SHOWN = 4, CARD_LEAST = 14, CARD_MOST = 19, GROUPS_MAX = 8 };

enum place {
	BETWEEN, /* a number may begin here */
	WORD,	 /* in something that is none */
	DIGITS,	 /* in a row of digits */
	PAUSE,	 /* behind a separator in such a row */
	DOT,	 /* behind a full stop that ends such a row, or makes it a fraction */
	ACCOUNT, /* in what may be an IBAN */
};

enum class { CONTROL = 1, DIGIT = 2, CAPITAL = 4, LETTER = 8, WORDY = 16 /* digits and letters */ };

/* Bytes above 127 are letters of some alphabet. */
static const uint8_t classes[256] = {[0 ... '\t' - 1] = CONTROL,
	['\r' + 1 ... ' ' - 1] = CONTROL,
	['0' ... '9'] = DIGIT | WORDY,
	['A' ... 'Z'] = CAPITAL | LETTER | WORDY,
	['a' ... 'z'] = LETTER | WORDY,
	['_'] = LETTER | WORDY,
	[0x80 ... 0xff] = LETTER | WORDY};

static bool is_digit(uint8_t byte)
{
	return (classes[byte] & DIGIT) != 0;
}

static bool is_capital(uint8_t byte)
{
	return (classes[byte] & CAPITAL) != 0;
}

static bool is_letter(uint8_t byte)
{
	return (classes[byte] & LETTER) != 0;
}

static bool is_separator(uint8_t byte)
{
	return byte == ' ' || byte == '-' || byte == '+';
}

/* What makes digits behind it a fraction, a phone number, a part of a path or of an identifier. */
static bool binds(uint8_t byte)
{
	return byte == '.' || byte == '+' || byte == '/' || byte == '-' || byte == '#' || byte == '%';
}

static void found(struct fyke_sensitive *scan, enum fyke_sensitive_kind kind, size_t length)
{
	struct fyke_sensitive_found *it = &scan->found[kind];

	if (it->count < UINT32_MAX)
		it->count++;
	if (it->count != 1)
		return;
	memset(it->masked, '*', length);
	memcpy(it->masked, scan->text, SHOWN);
	memcpy(it->masked + length - SHOWN, scan->text + length - SHOWN, SHOWN);
	it->masked[length] = '\0';
}

/* ---- cards ---- */

static bool is_luhn(const char *digits, size_t length)
{
	unsigned sum = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)(digits[length - 1 - i] - '0');

		digit = i % 2 == 1 ? 2 * digit : digit;
		sum += digit > 9 ? digit - 9 : digit;
	}
	return sum % 10 == 0;
}

static bool is_issued(const char *digits, size_t length)
{
	static const struct {
		uint16_t first, last; /* of the four first digits */
		uint8_t least, most;  /* digits */
	} issuers[] = {
		{4000, 4999, 16, 16},						  /* Visa */
		{2221, 2720, 16, 16}, {5100, 5599, 16, 16},			  /* Mastercard */
		{3400, 3499, 15, 15}, {3700, 3799, 15, 15},			  /* American Express */
		{3000, 3059, 14, 16}, {3600, 3699, 14, 16}, {3800, 3999, 14, 16}, /* Diners Club */
		{3528, 3589, 16, 16},						  /* JCB */
		{6011, 6011, 16, 19}, {6440, 6599, 16, 19},			  /* Discover, RuPay */
		{6200, 6299, 16, 19},						  /* UnionPay */
		{2200, 2204, 16, 19},						  /* Mir */
		{5018, 5020, 16, 19}, {5038, 5038, 16, 19}, {6304, 6304, 16, 19},
		{6759, 6763, 16, 19}, /* Maestro */
	};
	unsigned first = 0;

	for (size_t i = 0; i < 4; i++)
		first = first * 10 + (unsigned)(digits[i] - '0');
	for (size_t i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++) {
		if (first >= issuers[i].first && first <= issuers[i].last && length >= issuers[i].least &&
			length <= issuers[i].most)
			return true;
	}
	return false;
}

/* The digits of the first groups, if they are laid out as on a card and nothing but short groups follows;
 * else 0. */
static size_t laid_out(const struct fyke_sensitive *scan, const char *layout)
{
	size_t digits = 0, n = strlen(layout);

	if (scan->groups < n)
		return 0;
	for (size_t i = 0; i < scan->groups; i++) {
		if (i < n ? scan->group[i] != layout[i] - '0' : scan->group[i] >= 4)
			return 0;
		digits += i < n ? scan->group[i] : 0;
	}
	return digits;
}

static bool is_card(struct fyke_sensitive *scan, size_t length)
{
	if (length < CARD_LEAST || length > CARD_MOST || length > scan->length ||
		!is_issued(scan->text, length) || !is_luhn(scan->text, length))
		return false;
	found(scan, FYKE_SENSITIVE_CARD, length);
	return true;
}

static void judge_digits(struct fyke_sensitive *scan)
{
	static const char *const layouts[] = {"44443", "4444", "465", "464", NULL};

	if (scan->groups == 0)
		return;
	if (scan->group[0] >= CARD_LEAST) {
		for (size_t i = 1; i < scan->groups; i++) {
			if (scan->group[i] >= 4)
				return;
		}
		(void)is_card(scan, scan->group[0]);
		return;
	}
	for (size_t i = 0; layouts[i] != NULL && !is_card(scan, laid_out(scan, layouts[i])); i++)
		;
}

static void add_digit(struct fyke_sensitive *scan, uint8_t byte)
{
	uint8_t *group = &scan->group[scan->groups - 1];

	if (scan->length < sizeof(scan->text))
		scan->text[scan->length++] = (char)byte;
	if (*group < UINT8_MAX)
		(*group)++;
}

static void begin_group(struct fyke_sensitive *scan, uint8_t byte)
{
	scan->place = DIGITS;
	if (scan->groups == GROUPS_MAX) { /* a row longer than any number: a table */
		scan->group[GROUPS_MAX - 1] = UINT8_MAX;
		return;
	}
	scan->group[scan->groups++] = 0;
	add_digit(scan, byte);
}

/* ---- accounts ---- */

static uint8_t account_length(const char *country)
{
	/* of the registry of IBANs: country, length */
	static const char lengths[] = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ"
				      "27DK18DO28EE20EG29ES24FI18FK18"
				      "FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW"
				      "30KZ20LB28LC32LI21LT20LU20LV21"
				      "LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA"
				      "29RO24RS22RU33SA24SC31SD18SE24"
				      "SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

	for (size_t i = 0; i + 4 < sizeof(lengths); i += 4) {
		if (lengths[i] == country[0] && lengths[i + 1] == country[1])
			return (uint8_t)((lengths[i + 2] - '0') * 10 + lengths[i + 3] - '0');
	}
	return 0;
}

/* ISO 13616: the four first characters go to the end, letters count from 10, and the rest by 97 is 1. */
static bool is_account(const char *text, size_t length)
{
	unsigned rest = 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[(i + 4) % length];

		rest = c > '9' ? rest * 100 + (unsigned)(c - 'A') + 10 : rest * 10 + (unsigned)(c - '0');
		rest %= 97;
	}
	return rest == 1;
}

static void judge_account(struct fyke_sensitive *scan)
{
	if (scan->length >= CARD_LEAST && scan->length == scan->wanted &&
		is_account(scan->text, scan->length))
		found(scan, FYKE_SENSITIVE_IBAN, scan->length);
}

/* True: the byte belongs to it. */
static bool add_to_account(struct fyke_sensitive *scan, uint8_t byte)
{
	bool fits = scan->length < 2   ? is_capital(byte)
		    : scan->length < 4 ? is_digit(byte)
				       : is_digit(byte) || is_capital(byte);

	if (!fits || (scan->wanted > 0 && scan->length == scan->wanted))
		return false;
	scan->text[scan->length++] = (char)byte;
	if (scan->length == 2)
		scan->wanted = account_length(scan->text);
	return scan->length < 2 || scan->wanted > 0;
}

/* ---- the text ---- */

static void forget(struct fyke_sensitive *scan, enum place place)
{
	scan->length = scan->wanted = scan->groups = 0;
	scan->separator = 0;
	scan->place = (uint8_t)place;
}

/* A byte where nothing is going on. */
static void at_between(struct fyke_sensitive *scan, uint8_t byte)
{
	if (is_digit(byte) && !binds((uint8_t)scan->before)) {
		begin_group(scan, byte);
	} else if (is_capital(byte)) {
		scan->place = ACCOUNT;
		(void)add_to_account(scan, byte);
	} else if (is_digit(byte) || is_letter(byte)) {
		scan->place = WORD;
	}
}

static void at_digits(struct fyke_sensitive *scan, uint8_t byte)
{
	if (is_digit(byte)) {
		add_digit(scan, byte);
	} else if (is_letter(byte)) {
		forget(scan, WORD);
	} else if (is_separator(byte) && (scan->separator == 0 || scan->separator == (char)byte)) {
		scan->separator = (char)byte;
		scan->place = PAUSE;
	} else if (byte == '.') {
		scan->place = DOT;
	} else {
		judge_digits(scan);
		forget(scan, BETWEEN);
	}
}

static void at_pause(struct fyke_sensitive *scan, uint8_t byte)
{
	if (is_digit(byte)) {
		begin_group(scan, byte);
		return;
	}
	if (scan->separator != '-' || !is_letter(byte)) /* else an identifier: 4111-…-1111-abc */
		judge_digits(scan);
	forget(scan, BETWEEN);
	at_between(scan, byte);
}

static void at_dot(struct fyke_sensitive *scan, uint8_t byte)
{
	if (is_digit(byte) || is_letter(byte)) {
		forget(scan, WORD);
		return;
	}
	judge_digits(scan);
	forget(scan, BETWEEN);
}

/* Blanks stand behind every fourth character, or nowhere. */
static void at_account(struct fyke_sensitive *scan, uint8_t byte)
{
	if ((byte == ' ' || byte == '+') && scan->length % 4 == 0 && scan->length < scan->wanted &&
		scan->before != ' ' && scan->before != '+')
		return;
	if (add_to_account(scan, byte))
		return;
	if (!is_digit(byte) && !is_letter(byte)) {
		judge_account(scan);
		forget(scan, BETWEEN);
	} else {
		forget(scan, WORD);
	}
}

static void take(struct fyke_sensitive *scan, uint8_t byte)
{
	switch ((enum place)scan->place) {
	case BETWEEN:
		at_between(scan, byte);
		break;
	case WORD:
		if (!is_digit(byte) && !is_letter(byte))
			forget(scan, BETWEEN);
		break;
	case DIGITS:
		at_digits(scan, byte);
		break;
	case PAUSE:
		at_pause(scan, byte);
		break;
	case DOT:
		at_dot(scan, byte);
		break;
	case ACCOUNT:
		at_account(scan, byte);
		break;
	}
	scan->before = (char)byte;
}

/* How many bytes from here on change nothing: the rest of a word, or what stands between words. */
static size_t count_dull(const struct fyke_sensitive *scan, const uint8_t *bytes, size_t length)
{
	size_t i = 0;

	if (scan->place == WORD) {
		while (length - i >= 4 && (classes[bytes[i]] & classes[bytes[i + 1]] & classes[bytes[i + 2]] &
						  classes[bytes[i + 3]] & WORDY) != 0)
			i += 4;
		while (i < length && (classes[bytes[i]] & WORDY) != 0)
			i++;
	} else if (scan->place == BETWEEN) {
		while (i < length && classes[bytes[i]] == 0)
			i++;
	}
	return i;
}

/* ---- text in which nothing begins ---- */

/* After such a byte it does not matter what was before: a small letter is in a word, and a comma ends
 * everything. */
static bool settles(uint8_t byte)
{
	return !is_separator(byte) && byte != '.' && !is_digit(byte) && !is_capital(byte);
}

/*
 * Passes over calm text up to the last byte in it that settles what goes on behind it; returns how many
 * bytes. `bytes` has one before it. *calm is how much need not be looked at like this again.
 */
static size_t pass_calm(struct fyke_sensitive *scan, const uint8_t *bytes, size_t length, size_t *calm)
{
	size_t passed;

	*calm = fyke_calm_text(bytes, length);
	passed = *calm;
	while (passed > 0 && !settles(bytes[passed - 1]))
		passed--;
	if (passed > 0) {
		forget(scan, is_letter(bytes[passed - 1]) ? WORD : BETWEEN);
		scan->before = (char)bytes[passed - 1];
	}
	return passed;
}

/*
 * How many bytes from bytes[i] on change nothing that take() would have to see. Windows are tried from
 * *next_calm on, so that a byte is in two of them at most.
 */
static size_t pass_over(
	struct fyke_sensitive *scan, const uint8_t *bytes, size_t length, size_t i, size_t *next_calm)
{
	size_t calm, passed;

	if (i > 0 && i >= *next_calm && (scan->place == WORD || scan->place == BETWEEN)) {
		passed = pass_calm(scan, bytes + i, length - i, &calm);
		*next_calm = i + (calm > 0 ? calm : FYKE_CALM_WINDOW / 2);
		if (passed > 0)
			return passed;
	}
	passed = count_dull(scan, bytes + i, length - i);
	if (passed > 0)
		scan->before = (char)bytes[i + passed - 1];
	return passed;
}

void fyke_sensitive_scan(struct fyke_sensitive *scan, const uint8_t *bytes, size_t length)
{
	size_t next_calm = 0;

	for (size_t i = 0; i < length && !scan->is_binary; i++) {
		size_t passed = pass_over(scan, bytes, length, i, &next_calm);

		if (passed > 0) {
			i += passed - 1;
			continue;
		}
		if (classes[bytes[i]] == CONTROL) {
			*scan = (struct fyke_sensitive){.is_binary = true};
			return;
		}
		take(scan, bytes[i]);
	}
}

void fyke_sensitive_gap(struct fyke_sensitive *scan)
{
	forget(scan, WORD);
}

void fyke_sensitive_end(struct fyke_sensitive *scan)
{
	if (scan->place == DIGITS || scan->place == PAUSE || scan->place == DOT)
		judge_digits(scan);
	else if (scan->place == ACCOUNT)
		judge_account(scan);
	forget(scan, BETWEEN);
}
