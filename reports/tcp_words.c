/* Letters, names and sentences for what stands in tcp_events. A kind that is not known is told as it is. */
#include "reports/tcp_life.h"

#include "analyzer/base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct word {
	const char *kind;
	char letter;
	const char *name;
};

/* In the order in which they win a cell of the sketch. */
static const struct word words[] = {
	{"conflict", 'C', "bytes that differ from those sent before"},
	{"timeout_retransmission", 'T', "timeout: nothing was acknowledged in time"},
	{"go_back_n", 'G', "sent again in the wake of a timeout"},
	{"fast_retransmission", 'F', "fast retransmission"},
	{"sack_retransmission", 'S', "retransmission into a SACK hole"},
	{"tail_loss_probe", 'P', "tail-loss probe"},
	{"unknown_retransmission", 'U', "retransmission, cause not seen"},
	{"syn_retransmission", 's', "SYN again"},
	{"fin_retransmission", 'f', "FIN again"},
	{"zero_window", 'z', "window closed"},
	{"window_probe", 'w', "probe of a closed window"},
	{"window_full", 'W', "window filled"},
	{"keep_alive", 'k', "keep-alive"},
	{"reordering", 'r', "overtaken on the way"},
	{"capture_duplicate", 'd', "captured twice"},
	{"reset_ignored", 'R', "went on after its own reset"},
	{"outside_window", 'o', "far outside the window"},
	{"checksum_believed", 'b', "wrong checksum, but received"},
	{"other_syn_ack", 'a', "another answer to the SYN"},
	{"gap", 'g', "never seen"},
	{"not_assembled", 'm', "no memory to wait for earlier bytes"},
	{"rtt_limited", 'l', "too much on its way to follow each segment"},
};

static const struct word *find(const char *kind)
{
	for (size_t i = 0; kind != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].kind, kind) == 0)
			return &words[i];
	}
	return NULL;
}

char fyke_tcp_word_letter(const char *kind)
{
	const struct word *word = find(kind);

	return word == NULL ? ' ' : word->letter;
}

const char *fyke_tcp_word_name(const char *kind)
{
	const struct word *word = find(kind);

	return word == NULL ? (kind == NULL ? "?" : kind) : word->name;
}

static const char *const sides[] = {"client", "server"};

static bool says(const struct fyke_tcp_life_event *event, const char *words_of_rule)
{
	return event->evidence != NULL && strstr(event->evidence, words_of_rule) != NULL;
}

static void tell_range(FILE *out, const struct fyke_tcp_life_event *event)
{
	char from[FYKE_TEXT_NUMBER], to[FYKE_TEXT_NUMBER];

	if (event->length <= 0) {
		fprintf(out, "byte %s", fyke_text_count(event->offset, from));
		return;
	}
	fprintf(out, "bytes %s to %s", fyke_text_count(event->offset, from),
		fyke_text_count(event->offset + event->length - 1, to));
}

static void tell_wait(FILE *out, const struct fyke_tcp_life_event *event)
{
	char waited[FYKE_TEXT_NUMBER], timer[FYKE_TEXT_NUMBER];

	if (event->waited_us < 0)
		return;
	fprintf(out, "Nothing was acknowledged for %s",
		fyke_text_duration(event->waited_us, FYKE_TEXT_ASCII, waited));
	if (event->timer_us > 0)
		fprintf(out, "; the sender's timer is estimated at %s",
			fyke_text_duration(event->timer_us, FYKE_TEXT_ASCII, timer));
	fputs(". ", out);
}

static void tell_loss(FILE *out, const struct fyke_tcp_life_event *event)
{
	char frame[FYKE_TEXT_NUMBER];

	if (event->spurious) {
		fputs("It was not needed: the receiver had acknowledged these bytes already. ", out);
		return;
	}
	if (event->original > 0 && event->lost == FYKE_TCP_LOST_BEYOND)
		fprintf(out, "The original (frame %s) passed here, so it was lost beyond the tap. ",
			fyke_text_count(event->original, frame));
	else if (event->lost == FYKE_TCP_LOST_BEYOND)
		fputs("The original passed here, so it was lost beyond the tap. ", out);
	else if (event->lost == FYKE_TCP_LOST_BEFORE)
		fputs("The original was never seen: lost before the tap, or not captured. ", out);
}

static void tell_fast(FILE *out, const struct fyke_tcp_life_event *event, const char *receiver)
{
	char count[FYKE_TEXT_NUMBER], at[FYKE_TEXT_NUMBER], sacked[FYKE_TEXT_NUMBER];

	fyke_text_count(event->offset, at);
	fyke_text_count(event->sacked, sacked);
	tell_range(out, event);
	if (says(event, "three duplicate ACKs") && event->duplicate_acks > 0)
		fprintf(out,
			" sent again after %s duplicate ACKs: so often the %s said that it was missing byte "
			"%s. ",
			fyke_text_count(event->duplicate_acks, count), receiver, at);
	else if (says(event, "sent later had arrived"))
		fputs(" sent again without waiting: segments that were sent later had arrived, so these had"
		      " not. ",
			out);
	else if (event->sacked >= 0)
		fprintf(out,
			" sent again without waiting: the %s had reported later bytes as arrived (up to %s, "
			"by"
			" selective ACKs), so these were missing. ",
			receiver, sacked);
	else
		fprintf(out,
			" sent again without waiting: the %s's acknowledgment of the repair before stopped at"
			" byte %s, so that was missing, too. ",
			receiver, at);
}

static void tell_sack(FILE *out, const struct fyke_tcp_life_event *event, const char *receiver)
{
	char sacked[FYKE_TEXT_NUMBER];

	tell_range(out, event);
	fprintf(out, " sent again: by its selective ACKs the %s ", receiver);
	if (event->sacked >= 0)
		fprintf(out, "held later bytes (up to %s) and not these. ",
			fyke_text_count(event->sacked, sacked));
	else
		fputs("held later bytes and not these. ", out);
}

/* Those that repeat bytes of the stream, and how their sender came to do so. */
static bool tell_resend(FILE *out, const struct fyke_tcp_life_event *event, const char *receiver)
{
	switch (fyke_tcp_word_letter(event->kind)) {
	case 'F':
		tell_fast(out, event, receiver);
		break;
	case 'S':
		tell_sack(out, event, receiver);
		break;
	case 'T':
		tell_range(out, event);
		fputs(" sent again because the retransmission timer ran out. ", out);
		tell_wait(out, event);
		break;
	case 'G':
		tell_range(out, event);
		fputs(" sent again in the wake of the timeout: the sender repeats all that was not"
		      " acknowledged. ",
			out);
		break;
	case 'P':
		tell_range(out, event);
		fputs(" sent again as a tail-loss probe: the last segment once more, to draw an"
		      " acknowledgment that shows what is missing. ",
			out);
		tell_wait(out, event);
		break;
	case 'U':
		tell_range(out, event);
		fputs(" sent again; why cannot be seen from here. ", out);
		break;
	case 'f':
		fputs("The FIN sent again: the closing was not acknowledged in time. ", out);
		tell_wait(out, event);
		break;
	case 's':
		fputs("The SYN sent again: the opening was not answered in time. ", out);
		tell_wait(out, event);
		break;
	default:
		return false;
	}
	tell_loss(out, event);
	return true;
}

static void tell_reordering(FILE *out, const struct fyke_tcp_life_event *event)
{
	tell_range(out, event);
	fputs(" came late: overtaken on the way, not sent again", out);
	if (says(event, "timestamp"))
		fputs(" (the timestamp in it is older than that of segments before it)", out);
	else if (says(event, "IP ID"))
		fputs(" (its IP identification is older than that of segments before it)", out);
	else if (says(event, "acknowledgment"))
		fputs(" (what it acknowledges is older than in segments before it)", out);
	else if (says(event, "round trip"))
		fputs(" (no request for it could have reached the sender so soon)", out);
	fputs(". ", out);
}

static void tell_conflict(FILE *out, const struct fyke_tcp_life_event *event)
{
	char frame[FYKE_TEXT_NUMBER];

	tell_range(out, event);
	if (event->original > 0)
		fprintf(out, " were sent before in frame %s with other contents",
			fyke_text_count(event->original, frame));
	else
		fputs(" were sent before with other contents", out);
	fputs(": receivers differ in which they believe (`fyke stream --policy`). ", out);
}

/* What does not fit the connection. */
static bool tell_misfit(FILE *out, const struct fyke_tcp_life_event *event, const char *receiver)
{
	switch (fyke_tcp_word_letter(event->kind)) {
	case 'R':
		fprintf(out,
			"The %s goes on sending after a reset in its name: somebody else may have sent "
			"that. ",
			sides[event->side]);
		break;
	case 'o':
		if (event->length <= 0) {
			fprintf(out, "A FIN far outside the %s's window: it ends nothing. ", receiver);
			break;
		}
		tell_range(out, event);
		fprintf(out, " lie far outside the %s's window: they are left out of the stream. ", receiver);
		break;
	case 'b':
		tell_range(out, event);
		fprintf(out,
			" came with a wrong checksum, but the %s acknowledged them: the capture is wrong, "
			"not the"
			" segment. ",
			receiver);
		break;
	case 'a':
		fprintf(out,
			"The SYN is answered once more, with another sequence number: two servers, or an "
			"injected"
			" answer. The %s's acknowledgment shows which one counts. ",
			receiver);
		break;
	case 'l':
		fputs("So many segments are on their way that neighbours are joined: fewer round trips are "
		      "measured"
		      " from here on. ",
			out);
		break;
	default:
		return false;
	}
	return true;
}

static void tell_other(FILE *out, const struct fyke_tcp_life_event *event, const char *receiver)
{
	switch (fyke_tcp_word_letter(event->kind)) {
	case 'C':
		tell_conflict(out, event);
		break;
	case 'r':
		tell_reordering(out, event);
		break;
	case 'd':
		fputs("The capture holds this packet twice (two mirror ports, or two VLANs); the network"
		      " carried it once. ",
			out);
		break;
	case 'z':
		fprintf(out, "Has no room left (window 0): the %s must wait. ", receiver);
		break;
	case 'w':
		fprintf(out, "Asks whether the %s has room again. ", receiver);
		break;
	case 'W':
		tell_range(out, event);
		fprintf(out, " fill the %s's window: no more may be sent before an acknowledgment. ",
			receiver);
		break;
	case 'g':
		tell_range(out, event);
		if (says(event, "acknowledged, but"))
			fprintf(out, " are missing: the %s has them, the capture does not. ", receiver);
		else
			fprintf(out, " are missing: the %s never acknowledged them. ", receiver);
		break;
	case 'm':
		tell_range(out, event);
		fputs(" were not waited for: no memory was left (--memory). What the session says was not "
		      "read "
		      "whole. ",
			out);
		break;
	case 'k':
		fprintf(out, "Keep-alive: asks whether the %s is still there. ", receiver);
		break;
	default:
		fprintf(out, "%s %s", event->kind == NULL ? "?" : event->kind,
			event->evidence == NULL ? "" : event->evidence);
	}
}

char *fyke_tcp_word_explain(const struct fyke_tcp_life_event *event)
{
	const char *receiver = sides[1 - event->side];
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return NULL;
	if (!tell_resend(out, event, receiver) && !tell_misfit(out, event, receiver))
		tell_other(out, event, receiver);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	while (length > 0 && text[length - 1] == ' ')
		text[--length] = '\0';
	if (text[0] >= 'a' && text[0] <= 'z')
		text[0] = (char)(text[0] - 'a' + 'A');
	return text;
}
