/*
 * DNS over UDP, and over TCP with two bytes of length before each message (RFC 1035, RFC 7766).
 *
 * Over UDP a message without a fault is known on any port. A TCP stream that has a gap is left there.
 */
#include "dissectors/shared/dns_talk.h"

enum { LENGTH_BYTES = 2, MESSAGE_MAX = 65535 };

static const struct fyke_dns_kind kind = {.protocol = "dns"};

/* Their messages have the same form. */
static bool is_kin_port(uint16_t port)
{
	return port == 5353 || port == 5355 || port == 137;
}

static enum fyke_match probe_stream(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_MAYBE;

	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length, message;

		if (length < LENGTH_BYTES)
			continue;
		message = (size_t)data[0] << 8 | data[1];
		if (message < FYKE_DNS_HEADER)
			return FYKE_NO;
		if (length < LENGTH_BYTES + FYKE_DNS_HEADER)
			continue;
		/* Not so many questions in one message. */
		if (data[LENGTH_BYTES + 4] != 0)
			return FYKE_NO;
		if (length < LENGTH_BYTES + message)
			continue;
		if (!fyke_dns_is_message(data + LENGTH_BYTES, message, false) && !opening->on_port)
			return FYKE_NO;
		if (fyke_dns_is_message(data + LENGTH_BYTES, message, false))
			return FYKE_YES;
	}
	return match;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	if (is_kin_port(opening->port[FYKE_SERVER]))
		return FYKE_NO;
	return opening->transport == FYKE_OVER_TCP ? probe_stream(opening) : fyke_dns_probe(opening, false);
}

static struct fyke_verdict feed_stream(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct fyke_input message = *input;
	size_t length;

	if (input->length < LENGTH_BYTES)
		return fyke_need(0, LENGTH_BYTES);
	length = (size_t)input->data[0] << 8 | input->data[1];
	if (length < FYKE_DNS_HEADER)
		return fyke_not_mine();
	if (input->length < LENGTH_BYTES + length)
		return fyke_need(0, LENGTH_BYTES + length);
	message.data += LENGTH_BYTES;
	message.length = length;
	if (!fyke_dns_take(dissection, fyke_state(dissection), &kind, &message))
		return fyke_not_mine();
	return fyke_more(LENGTH_BYTES + length);
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	if (fyke_transport_of(dissection) == FYKE_OVER_TCP)
		return feed_stream(dissection, input);
	if (!fyke_dns_take(dissection, fyke_state(dissection), &kind, input))
		return fyke_not_mine();
	return fyke_dns_rest(fyke_state(dissection));
}

static void end(struct fyke_dissection *dissection)
{
	fyke_dns_finish(dissection, fyke_state(dissection), &kind);
}

static const uint16_t ports[] = {53, 0};
static const char *const services[] = {"domain", NULL};

const struct fyke_dissector fyke_dissector_dns = {
	.name = "dns",
	.title = "Domain Name System, RFC 1035",
	.doc = "Queries with their answers, over UDP and TCP, on any port; resource records in presentation "
	       "form. An answer belongs to the oldest query of its session with the same id and question; a "
	       "query that was sent again is a row of its own. Not decrypted: DNS over TLS, HTTPS and QUIC. "
	       "Of "
	       "a section at most 6,000 bytes of text are kept, whole records only.",
	.transports = FYKE_OVER_UDP | FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.anywhere = true,
	.tables = fyke_dns_tables,
	.state_size = sizeof(struct fyke_dns_talk),
	.buffer_max = LENGTH_BYTES + MESSAGE_MAX, /* messages are read whole */
	.memory_max = FYKE_DNS_MEMORY_MAX,
	.probe = probe,
	.feed = feed,
	.end = end,
};
