/*
 * The history string (SEMANTICS §1): which kinds of segments came, in which order, upper case from
 * the originator. It is bounded: what would not fit is dropped.
 */
#include "analyzer/tcp/parts.h"

#include <string.h>

/* Behind FYKE_TCP_SAID_ACK and FYKE_TCP_SAID_DATA. */
enum { SAID_FIN_RST = 4, SAID_ODD = 8, SAID_SYN = 16, SAID_FIN = 32, SAID_RST = 64 };

/* Letters only: '^' stays. */
static char turn_case(char letter)
{
	if (letter >= 'a' && letter <= 'z')
		return (char)(letter - 'a' + 'A');
	return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

const char *fyke_tcp_history(const struct fyke_tcp *tcp)
{
	return tcp->history_is_long ? tcp->history.more : tcp->history.letters;
}

/* Moves the letters to a block of their own. */
static bool lengthen(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp)
{
	char *more = fyke_blocks_zero(memory->blocks, FYKE_TCP_HISTORY);

	if (more == NULL)
		return false;
	memcpy(more, tcp->history.letters, sizeof(tcp->history.letters));
	tcp->history.more = more;
	tcp->history_is_long = true;
	return true;
}

static void append(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp, char letter)
{
	size_t length = strlen(fyke_tcp_history(tcp));

	if (length + 1 == FYKE_TCP_HISTORY ||
		(length + 1 == FYKE_TCP_HISTORY_SHORT && !tcp->history_is_long && !lengthen(memory, tcp)))
		return;
	(tcp->history_is_long ? tcp->history.more : tcp->history.letters)[length] = letter;
}

void fyke_tcp_history_start(struct fyke_tcp *tcp, bool flipped)
{
	if (flipped)
		tcp->history.letters[0] = '^';
}

void fyke_tcp_history_add(
	struct fyke_tcp_memory *memory, struct fyke_tcp *tcp, enum fyke_endpoint sender, char letter)
{
	append(memory, tcp, sender == tcp->client ? turn_case(letter) : letter);
}

static bool is_power_of_ten(uint32_t count)
{
	while (count >= 10 && count % 10 == 0)
		count /= 10;
	return count == 1;
}

void fyke_tcp_history_count(
	const struct fyke_tcp_segment *segment, enum fyke_endpoint sender, char letter, uint32_t *events)
{
	if (*events == UINT32_MAX)
		return;
	++*events;
	if (is_power_of_ten(*events))
		fyke_tcp_history_add(segment->memory, segment->tcp, sender, letter);
}

static void add_once(const struct fyke_tcp_segment *segment, uint8_t bit, char letter)
{
	if ((segment->own->history_said & bit) == 0)
		fyke_tcp_history_add(segment->memory, segment->tcp, segment->sender, letter);
	segment->own->history_said |= bit;
}

/* Again only with another sequence number. */
static void add_unless_repeated(
	const struct fyke_tcp_segment *segment, uint8_t bit, char letter, uint32_t *last, uint32_t sequence)
{
	struct fyke_tcp_side *own = segment->own;

	if ((own->history_said & bit) == 0 || *last != sequence)
		fyke_tcp_history_add(segment->memory, segment->tcp, segment->sender, letter);
	own->history_said |= bit;
	*last = sequence;
}

void fyke_tcp_history_flags(const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;
	uint32_t sequence = segment->header->sequence;

	if (segment->syn + segment->fin + segment->rst > 1) {
		if (segment->fin && segment->rst)
			add_once(segment, SAID_FIN_RST, 'i');
		else
			add_once(segment, SAID_ODD, 'q');
	} else if (segment->syn) {
		add_unless_repeated(
			segment, SAID_SYN, segment->ack ? 'h' : 's', &own->syn_sequence, sequence);
	} else if (segment->fin) {
		add_unless_repeated(segment, SAID_FIN, 'f', &own->fin_sequence, sequence + segment->length);
	} else if (segment->rst) {
		add_unless_repeated(segment, SAID_RST, 'r', &own->reset_sequence, sequence);
	} else if (segment->length > 0) {
		add_once(segment, FYKE_TCP_SAID_DATA, 'd');
	} else if (segment->ack) {
		add_once(segment, FYKE_TCP_SAID_ACK, 'a');
	}
}

void fyke_tcp_history_flip(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp)
{
	char turned[FYKE_TCP_HISTORY] = "^";
	const char *letters = fyke_tcp_history(tcp);
	size_t length = strlen(letters);

	for (size_t i = 0; i < length && i + 2 < sizeof(turned); i++)
		turned[i + 1] = turn_case(letters[i]);
	if (length + 1 < FYKE_TCP_HISTORY_SHORT)
		memcpy(tcp->history.letters, turned, length + 2);
	else if (tcp->history_is_long || lengthen(memory, tcp))
		memcpy(tcp->history.more, turned, sizeof(turned));
}

void fyke_tcp_note_partial(struct fyke_tcp_memory *memory, struct fyke_tcp *tcp, enum fyke_endpoint sender)
{
	fyke_tcp_history_add(memory, tcp, sender, 'x');
}
