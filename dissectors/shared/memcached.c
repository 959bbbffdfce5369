/* Tables of memcached's words, its binary header, and the first look at what may be either. */
#include "dissectors/shared/memcached.h"

#include <string.h>

static const struct fyke_memcached_verb verbs[] = {{"get", 1, 0, true}, {"gets", 1, 0, true},
	{"gat", 2, 0, true}, {"gats", 2, 0, true}, {"set", 1, 4, false}, {"add", 1, 4, false},
	{"replace", 1, 4, false}, {"append", 1, 4, false}, {"prepend", 1, 4, false}, {"cas", 1, 4, false},
	{"delete", 1, 0, false}, {"incr", 1, 0, false}, {"decr", 1, 0, false}, {"touch", 1, 0, false},
	{"stats", 0, 0, false}, {"version", 0, 0, false}, {"flush_all", 0, 0, false},
	{"verbosity", 0, 0, false}, {"quit", 0, 0, false}, {"mg", 1, 0, false}, {"ms", 1, 2, false},
	{"md", 1, 0, false}, {"ma", 1, 0, false}, {"me", 1, 0, false}, {"mn", 0, 0, false},
	{"slabs", 0, 0, false}, {"lru", 0, 0, false}, {"lru_crawler", 0, 0, false},
	{"cache_memlimit", 0, 0, false}, {"config", 0, 0, false}};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

/* First words of replies; those up to ME are failures. */
static const char *const replies[] = {"ERROR", "CLIENT_ERROR", "SERVER_ERROR", "NOT_STORED", "NOT_FOUND",
	"EXISTS", "BUSY", "BADCLASS", "NOSPARE", "NOTFULL", "UNSAFE", "EN", "NS", "EX", "NF", "ME", "STORED",
	"DELETED", "TOUCHED", "OK", "VERSION", "RESET", "SAME", "HD", "MN", "VA", "END", "VALUE", "STAT",
	"ITEM", "CONFIG", "PREFIX"};

enum { FAILURES = 16 };
_Static_assert(sizeof(replies) / sizeof(replies[0]) == FYKE_MEMCACHED_REPLIES, "replies");

bool fyke_memcached_is(struct fyke_word_of word, const char *name)
{
	return word.length == fyke_word_length(name) && memcmp(word.text, name, word.length) == 0;
}

const struct fyke_memcached_verb *fyke_memcached_verb(struct fyke_word_of word)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (fyke_memcached_is(word, verbs[i].name))
			return &verbs[i];
	}
	return NULL;
}

size_t fyke_memcached_reply(struct fyke_word_of word)
{
	size_t i = 0;

	while (i < FYKE_MEMCACHED_REPLIES && !fyke_memcached_is(word, replies[i]))
		i++;
	return i;
}

bool fyke_memcached_is_failure(size_t reply)
{
	return reply < FAILURES;
}

static const char *const opcodes[] = {"get", "set", "add", "replace", "delete", "increment", "decrement",
	"quit", "flush", "getq", "noop", "version", "getk", "getkq", "append", "prepend", "stat", "setq",
	"addq", "replaceq", "deleteq", "incrementq", "decrementq", "quitq", "flushq", "appendq", "prependq",
	"verbosity", "touch", "gat", "gatq", NULL, "sasl_list_mechs", "sasl_auth", "sasl_step"};

enum { OPCODES = sizeof(opcodes) / sizeof(opcodes[0]) };

const char *fyke_memcached_opcode(uint8_t opcode)
{
	return opcode < OPCODES && opcodes[opcode] != NULL ? opcodes[opcode] : "other";
}

const char *fyke_memcached_status(uint16_t status)
{
	static const char *const names[] = {"no error", "key not found", "key exists", "value too large",
		"invalid arguments", "item not stored", "not a number", "wrong vbucket"};

	switch (status) {
	case 0x20:
		return "authentication error";
	case 0x21:
		return "authentication continues";
	case 0x81:
		return "unknown command";
	case 0x82:
		return "out of memory";
	case 0x83:
		return "not supported";
	case 0x84:
		return "internal error";
	case 0x85:
		return "busy";
	case 0x86:
		return "temporary failure";
	default:
		return status < 8 ? names[status] : "other";
	}
}

bool fyke_memcached_packet(
	const uint8_t *data, size_t length, enum fyke_side side, struct fyke_memcached_packet *packet)
{
	struct fyke_cursor c = fyke_cursor(data, length);

	if (fyke_cursor_u8(&c) != (side == FYKE_CLIENT ? 0x80 : 0x81))
		return false;
	packet->opcode = fyke_cursor_u8(&c);
	packet->key = fyke_cursor_u16(&c);
	packet->extras = fyke_cursor_u8(&c);
	packet->type = fyke_cursor_u8(&c);
	packet->status = fyke_cursor_u16(&c);
	packet->body = fyke_cursor_u32(&c);
	packet->opaque = fyke_cursor_u32(&c);
	fyke_cursor_skip(&c, 8 + (size_t)packet->extras);
	packet->rest = c;
	return packet->opcode <= 0x60 && packet->key <= FYKE_MEMCACHED_KEY && packet->extras <= 32 &&
	       packet->type <= 5 && packet->body <= FYKE_MEMCACHED_BODY &&
	       (length < 12 || (uint32_t)packet->key + packet->extras <= packet->body);
}

bool fyke_memcached_number(struct fyke_word_of word, int64_t *value)
{
	size_t digits;

	*value = fyke_text_number(word.text, word.length, &digits);
	return word.length > 0 && digits == word.length;
}

bool fyke_memcached_plain(
	const struct fyke_memcached_packet *packet, struct fyke_word_of *user, struct fyke_word_of *secret)
{
	size_t length = packet->body - packet->key - packet->extras;
	const char *data = (const char *)packet->rest.at, *at, *end;

	if (length > fyke_cursor_left(&packet->rest))
		length = fyke_cursor_left(&packet->rest);
	end = data + length;
	at = length > 0 ? memchr(data, 0, length) : NULL;
	if (at == NULL)
		return false;
	user->text = at + 1;
	at = memchr(user->text, 0, (size_t)(end - user->text));
	if (at == NULL)
		return false;
	user->length = (size_t)(at - user->text);
	*secret = (struct fyke_word_of){at + 1, (size_t)(end - at) - 1};
	return true;
}

bool fyke_memcached_is_datagram(const uint8_t *data, size_t length)
{
	struct fyke_cursor c = fyke_cursor(data, length);
	uint16_t number, total, reserved;

	fyke_cursor_skip(&c, 2);
	number = fyke_cursor_u16(&c);
	total = fyke_cursor_u16(&c);
	reserved = fyke_cursor_u16(&c);
	return fyke_cursor_ok(&c) && number < total && reserved == 0;
}

static enum fyke_match probe_packet(const uint8_t *data, size_t length, enum fyke_side side)
{
	struct fyke_memcached_packet packet;

	if (!fyke_memcached_packet(data, length, side, &packet))
		return FYKE_NO;
	return length >= FYKE_MEMCACHED_HEAD ? FYKE_YES : FYKE_MAYBE;
}

/* Words in a line behind its first that are decimal numbers. */
static unsigned numbers(const struct fyke_line *line, size_t at)
{
	unsigned count = 0;
	size_t digits;

	while (at < line->length) {
		struct fyke_word_of word = fyke_line_word(line->text, line->length, &at);

		if (fyke_text_number(word.text, word.length, &digits) >= 0 && digits == word.length)
			count++;
	}
	return count;
}

/* Lines that store or bring a value have numbers enough to be sure; others need both sides. */
static enum fyke_match probe_line(const uint8_t *data, size_t length, enum fyke_side side)
{
	struct fyke_lines lines = {0};
	struct fyke_input input = {.side = side, .data = data, .length = length};
	struct fyke_line line;
	struct fyke_word_of word;
	const struct fyke_memcached_verb *verb;
	size_t at = 0, digits;

	if (!fyke_line_take(&lines, &input, &line)) {
		length -= data[length - 1] == '\r'; /* its LF is still to come */
		return fyke_text_is_plain(data, length) && length < 2048 ? FYKE_MAYBE : FYKE_NO;
	}
	if (line.length == 0 || fyke_line_is_junk(&lines))
		return FYKE_NO;
	word = fyke_line_word(line.text, line.length, &at);
	if (side == FYKE_CLIENT) {
		verb = fyke_memcached_verb(word);
		if (verb == NULL || (verb->key > 0 && at == line.length))
			return FYKE_NO;
		return verb->size == 4 && numbers(&line, at) >= 3 ? FYKE_YES : FYKE_MAYBE;
	}
	if (fyke_memcached_is(word, "VALUE") && numbers(&line, at) >= 2)
		return FYKE_YES;
	if (fyke_memcached_reply(word) < FYKE_MEMCACHED_REPLIES)
		return FYKE_MAYBE;
	fyke_text_number(word.text, word.length, &digits);
	return digits == word.length ? FYKE_MAYBE : FYKE_NO;
}

static bool answers_statistics(const uint8_t *data, size_t length)
{
	static const char *const openings[] = {"STAT ", "VERSION ", "STORED\r\n", "END\r\n"};

	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
		size_t whole = fyke_word_length(openings[i]);

		if (length >= whole && memcmp(data, openings[i], whole) == 0)
			return true;
	}
	return false;
}

static enum fyke_match probe_side(const struct fyke_opening *opening, enum fyke_side side)
{
	const uint8_t *data = opening->side[side].data;
	size_t length = opening->side[side].length;

	if (length == 0)
		return FYKE_MAYBE;
	if (opening->transport == FYKE_OVER_UDP) {
		if (!opening->on_port || length <= 8 || !fyke_memcached_is_datagram(data, length))
			return FYKE_NO;
		if (data[2] != 0 || data[3] != 0)
			return FYKE_MAYBE;
		data += 8;
		length -= 8;
	}
	return (data[0] & 0xfe) == 0x80 ? probe_packet(data, length, side) : probe_line(data, length, side);
}

enum fyke_match fyke_memcached_probe(const struct fyke_opening *opening)
{
	enum fyke_match client = probe_side(opening, FYKE_CLIENT), server = probe_side(opening, FYKE_SERVER);
	size_t head = opening->transport == FYKE_OVER_UDP ? 8 : 0;

	if (client == FYKE_NO || server == FYKE_NO)
		return FYKE_NO;
	if (client == FYKE_YES || server == FYKE_YES)
		return FYKE_YES;
	if (opening->side[FYKE_CLIENT].length > head + 4 && opening->side[FYKE_SERVER].length > head &&
		memchr(opening->side[FYKE_CLIENT].data, '\n', opening->side[FYKE_CLIENT].length) != NULL &&
		answers_statistics(
			opening->side[FYKE_SERVER].data + head, opening->side[FYKE_SERVER].length - head))
		return FYKE_YES;
	return FYKE_MAYBE;
}

void fyke_memcached_version(struct fyke_dissection *dissection, const void *version, size_t length)
{
	char product[64] = "memcached ";

	if (length == 0 || length > sizeof(product) - 10)
		return;
	memcpy(product + 10, version, length);
	fyke_product(dissection, FYKE_SERVER, product, 10 + length);
}
