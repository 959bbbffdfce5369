/*
 * The history string (SEMANTICS §1): which kinds of segments came, in which order, upper case from
 * the originator. It is bounded: what would not fit is dropped.
 */
#include "analyzer/tcp/parts.h"

#include <string.h>

enum {
	DONE_ACK = 1,
	DONE_DATA = 2,
	DONE_FIN_RST = 4,
	DONE_ODD = 8,
	DONE_SYN = 16,
	DONE_FIN = 32,
	DONE_RST = 64
};

/* Letters only: '^' stays. */
static char turn_case(char letter)
{
	if (letter >= 'a' && letter <= 'z')
		return (char)(letter - 'a' + 'A');
	return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static void append(struct fyke_tcp *tcp, char letter)
{
	size_t length = strlen(tcp->history);

	if (length + 1 < sizeof(tcp->history))
		tcp->history[length] = letter;
}

void fyke_tcp_history_start(struct fyke_tcp *tcp, bool flipped)
{
	if (flipped)
		append(tcp, '^');
}

void fyke_tcp_history_add(struct fyke_tcp *tcp, enum fyke_endpoint sender, char letter)
{
	append(tcp, sender == tcp->client ? turn_case(letter) : letter);
}

static bool is_power_of_ten(uint32_t count)
{
	while (count >= 10 && count % 10 == 0)
		count /= 10;
	return count == 1;
}

void fyke_tcp_history_count(struct fyke_tcp *tcp, enum fyke_endpoint sender, char letter, uint32_t *events)
{
	if (*events == UINT32_MAX)
		return;
	++*events;
	if (is_power_of_ten(*events))
		fyke_tcp_history_add(tcp, sender, letter);
}

static void add_once(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment, uint8_t bit, char letter)
{
	if ((segment->own->history_done & bit) == 0)
		fyke_tcp_history_add(tcp, segment->sender, letter);
	segment->own->history_done |= bit;
}

/* Again only with another sequence number. */
static void add_unless_repeated(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment, uint8_t bit,
	char letter, uint32_t *last, uint32_t sequence)
{
	struct fyke_tcp_side *own = segment->own;

	if ((own->history_done & bit) == 0 || *last != sequence)
		fyke_tcp_history_add(tcp, segment->sender, letter);
	own->history_done |= bit;
	*last = sequence;
}

void fyke_tcp_history_flags(struct fyke_tcp *tcp, const struct fyke_tcp_segment *segment)
{
	struct fyke_tcp_side *own = segment->own;
	uint32_t sequence = segment->header->sequence;

	if (segment->syn + segment->fin + segment->rst > 1) {
		if (segment->fin && segment->rst)
			add_once(tcp, segment, DONE_FIN_RST, 'i');
		else
			add_once(tcp, segment, DONE_ODD, 'q');
	} else if (segment->syn) {
		add_unless_repeated(
			tcp, segment, DONE_SYN, segment->ack ? 'h' : 's', &own->syn_sequence, sequence);
	} else if (segment->fin) {
		add_unless_repeated(
			tcp, segment, DONE_FIN, 'f', &own->fin_sequence, sequence + segment->length);
	} else if (segment->rst) {
		add_unless_repeated(tcp, segment, DONE_RST, 'r', &own->reset_sequence, sequence);
	} else if (segment->length > 0) {
		add_once(tcp, segment, DONE_DATA, 'd');
	} else if (segment->ack) {
		add_once(tcp, segment, DONE_ACK, 'a');
	}
}

void fyke_tcp_history_flip(struct fyke_tcp *tcp)
{
	char turned[FYKE_TCP_HISTORY] = "^";

	for (size_t i = 0; tcp->history[i] != '\0' && i + 2 < sizeof(turned); i++)
		turned[i + 1] = turn_case(tcp->history[i]);
	memcpy(tcp->history, turned, sizeof(turned));
}

void fyke_tcp_note_partial(struct fyke_tcp *tcp, enum fyke_endpoint sender)
{
	fyke_tcp_history_add(tcp, sender, 'x');
}
