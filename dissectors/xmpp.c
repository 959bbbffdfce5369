/*
 * XMPP (RFC 6120): streams, logins by SASL, STARTTLS, and how many stanzas go by. Elements are found by their
 * tags, without a parser of XML: what stands within stanzas is not read.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/line.h"
#include "dissectors/shared/sasl.h"

#include <string.h>

enum { NAME_MAX_BYTES = 256 };

enum {
	TO,
	FROM,
	NAMESPACE,
	VERSION,
	USER,
	MECHANISM,
	LOGGED_IN,
	TLS,
	JID,
	MESSAGES,
	PRESENCES,
	QUERIES,
	FIELD_COUNT
};

static const struct fyke_field fields[FIELD_COUNT] = {
	[TO] = {"to", FYKE_TYPE_TEXT, "the domain that the client asks for"},
	[FROM] = {"from", FYKE_TYPE_TEXT, "as the server names itself"},
	[NAMESPACE] = {"namespace", FYKE_TYPE_TEXT, "jabber:client, jabber:server …"},
	[VERSION] = {"version", FYKE_TYPE_TEXT, "of the stream"},
	[USER] = {"user", FYKE_TYPE_TEXT, "who logged in, or tried"},
	[MECHANISM] = {"mechanism", FYKE_TYPE_TEXT, "of SASL"},
	[LOGGED_IN] = {"logged_in", FYKE_TYPE_BOOLEAN, "NULL: nobody tried, or the answer was not seen"},
	[TLS] = {"tls", FYKE_TYPE_BOOLEAN, "the session went on under TLS"},
	[JID] = {"jid", FYKE_TYPE_TEXT, "the address that the client was bound to"},
	[MESSAGES] = {"messages", FYKE_TYPE_INTEGER, "of both sides"},
	[PRESENCES] = {"presences", FYKE_TYPE_INTEGER, "likewise"},
	[QUERIES] = {"queries", FYKE_TYPE_INTEGER, "likewise: iq"},
};

static const struct fyke_table table = {"xmpp", "one row per session", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum text_of { NO_TEXT, OF_AUTH, OF_RESPONSE, OF_JID };

struct state {
	enum text_of text[2]; /* what the text behind the latest tag is */
	struct fyke_text to, from, name_space, version, user, jid;
	struct fyke_sasl sasl;
	struct fyke_moment begun;
	const char *mechanism; /* static */
	enum fyke_login login;
	int64_t messages, presences, queries;
	bool tls, waits_for_tls;
};

static bool is_stream(const char *text, size_t length)
{
	size_t looked = length < 512 ? length : 512;

	return fyke_text_find(text, looked, "stream:stream") != NULL ||
	       (fyke_text_find(text, looked, "jabber:") != NULL && text[0] == '<');
}

/* Stanzas of a stream that began earlier. */
static bool is_stanza(const char *text, size_t length)
{
	return fyke_text_begins(text, length, "<iq ") || fyke_text_begins(text, length, "<presence") ||
	       fyke_text_begins(text, length, "<message ");
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	bool any = false;

	for (int side = 0; side < 2; side++) {
		const char *text = (const char *)opening->side[side].data;
		size_t length = opening->side[side].length;

		if (length == 0)
			continue;
		if (is_stream(text, length) || is_stanza(text, length))
			return FYKE_YES;
		any |= text[0] == '<' || (text[0] == ' ' && length < 4);
	}
	return any || !opening->complete ? FYKE_MAYBE : FYKE_NO;
}

/* ---- elements ---- */

struct tag {
	struct fyke_word_of name, attributes;
	bool closes, empty;
};

/* `text` is what stands between the brackets. */
static struct tag read_tag(const char *text, size_t length)
{
	struct tag tag = {.closes = length > 0 && text[0] == '/'};
	size_t at = 0;

	if (tag.closes) {
		text++;
		length--;
	}
	tag.empty = length > 0 && text[length - 1] == '/'; /* another one: "</>" has none */
	length -= tag.empty;
	for (; at < length && text[at] != ' ' && text[at] != '\n' && text[at] != '\t' && text[at] != '\r';)
		at++;
	tag.name = (struct fyke_word_of){text, at};
	tag.attributes = (struct fyke_word_of){text + at, length - at};
	return tag;
}

/* name='value' or name="value" */
static struct fyke_word_of attribute(const struct tag *tag, const char *name)
{
	size_t size = fyke_word_length(name);
	const struct fyke_word_of all = tag->attributes;

	for (size_t i = 1; i + size + 1 < all.length; i++) {
		const char *from = all.text + i + size + 2, *end = all.text + all.length, *stop;
		char quote = all.text[i + size + 1];

		if (all.text[i - 1] > ' ' || all.text[i + size] != '=' || (quote != '"' && quote != '\'') ||
			!fyke_text_begins(all.text + i, all.length - i, name))
			continue;
		stop = from < end ? memchr(from, quote, (size_t)(end - from)) : NULL;
		if (stop != NULL)
			return (struct fyke_word_of){from, (size_t)(stop - from)};
	}
	return (struct fyke_word_of){NULL, 0};
}

static bool is(const struct tag *tag, const char *name)
{
	return fyke_text_is(tag->name.text, tag->name.length, name);
}

static void keep(struct fyke_dissection *dissection, struct fyke_text *text, struct fyke_word_of word)
{
	if (word.length > 0 && !fyke_text_is_set(text))
		fyke_keep(dissection, text, word.text, word.length, NAME_MAX_BYTES);
}

static void open_stream(struct fyke_dissection *dissection, enum fyke_side side, const struct tag *tag)
{
	struct state *state = fyke_state(dissection);
	struct fyke_word_of to = attribute(tag, "to");

	fyke_confirm(dissection);
	keep(dissection, &state->name_space, attribute(tag, "xmlns"));
	keep(dissection, &state->version, attribute(tag, "version"));
	if (side == FYKE_SERVER) {
		keep(dissection, &state->from, attribute(tag, "from"));
		return;
	}
	keep(dissection, &state->to, to);
	if (to.length > 0)
		fyke_name_server(dissection, to.text, to.length);
}

static void count_stanza(struct fyke_dissection *dissection, const struct tag *tag)
{
	struct state *state = fyke_state(dissection);
	int64_t *count = is(tag, "message")    ? &state->messages
			 : is(tag, "presence") ? &state->presences
			 : is(tag, "iq")       ? &state->queries
					       : NULL;

	if (count == NULL)
		return;
	++*count;
	fyke_confirm(dissection);
}

static void end_login(struct fyke_dissection *dissection, enum fyke_login login)
{
	struct state *state = fyke_state(dissection);

	if (state->sasl.mechanism == NULL)
		return;
	state->login = login;
	if (fyke_text_is_set(&state->sasl.user)) {
		fyke_drop(dissection, &state->user);
		fyke_keep(dissection, &state->user, state->sasl.user.bytes, state->sasl.user.length,
			NAME_MAX_BYTES);
	}
	fyke_sasl_end(dissection, &state->sasl, login);
}

static void take_client_tag(struct fyke_dissection *dissection, const struct tag *tag)
{
	struct state *state = fyke_state(dissection);
	struct fyke_word_of mechanism;

	if (is(tag, "auth")) {
		mechanism = attribute(tag, "mechanism");
		fyke_sasl_begin(dissection, &state->sasl, mechanism.text, mechanism.length);
		state->mechanism = state->sasl.mechanism;
		state->text[FYKE_CLIENT] = OF_AUTH;
	} else if (is(tag, "response")) {
		state->text[FYKE_CLIENT] = OF_RESPONSE;
	} else if (is(tag, "starttls")) {
		state->waits_for_tls = true;
	}
}

/* What the server's tag turns the session into. */
static struct fyke_verdict take_server_tag(
	struct fyke_dissection *dissection, const struct tag *tag, uint64_t consumed)
{
	struct state *state = fyke_state(dissection);

	if (is(tag, "success"))
		end_login(dissection, FYKE_LOGIN_ACCEPTED);
	else if (is(tag, "failure"))
		end_login(dissection, FYKE_LOGIN_REFUSED);
	else if (is(tag, "jid"))
		state->text[FYKE_SERVER] = OF_JID;
	else if (is(tag, "compressed"))
		return fyke_done();
	if (!is(tag, "proceed") || !state->waits_for_tls)
		return fyke_more(consumed);
	state->tls = true;
	return fyke_becomes(consumed, NULL); /* TLS, or what somebody decrypted */
}

static struct fyke_verdict take_tag(
	struct fyke_dissection *dissection, enum fyke_side side, const struct tag *tag, uint64_t consumed)
{
	struct state *state = fyke_state(dissection);

	if (state->begun.frame == 0)
		state->begun = fyke_now(dissection);
	state->text[side] = NO_TEXT;
	if (tag->closes)
		return fyke_more(consumed);
	if (is(tag, "stream:stream") || is(tag, "stream") || is(tag, "open"))
		open_stream(dissection, side, tag);
	count_stanza(dissection, tag);
	if (side == FYKE_SERVER)
		return take_server_tag(dissection, tag, consumed);
	take_client_tag(dissection, tag);
	return fyke_more(consumed);
}

static void take_text(
	struct fyke_dissection *dissection, enum fyke_side side, const char *text, size_t length)
{
	struct state *state = fyke_state(dissection);

	if (state->text[side] == OF_JID)
		keep(dissection, &state->jid, (struct fyke_word_of){text, length});
	else if (state->text[side] != NO_TEXT && length > 0)
		fyke_sasl_client(dissection, &state->sasl, text, length);
	state->text[side] = NO_TEXT;
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	const char *text = (const char *)input->data, *open, *close;
	struct tag tag;

	if (input->length == 0)
		return fyke_more(0);
	if (state->waits_for_tls && input->side == FYKE_CLIENT && input->data[0] == 0x16)
		return fyke_more(0);
	open = memchr(text, '<', input->length);
	if (open == NULL)
		return state->text[input->side] == NO_TEXT ? fyke_more(input->length) : fyke_more(0);
	if (open > text) {
		take_text(dissection, input->side, text, (size_t)(open - text));
		return fyke_more((uint64_t)(open - text));
	}
	close = memchr(text, '>', input->length);
	if (close == NULL)
		return fyke_more(0);
	tag = read_tag(text + 1, (size_t)(close - text) - 1);
	return take_tag(dissection, input->side, &tag, (uint64_t)(close - text) + 1);
}

static struct fyke_verdict gap(
	struct fyke_dissection *dissection, const struct fyke_input *input, uint64_t lost)
{
	struct state *state = fyke_state(dissection);

	(void)lost;
	state->text[input->side] = NO_TEXT;
	return fyke_more(0);
}

static void end(struct fyke_dissection *dissection)
{
	struct state *state = fyke_state(dissection);
	struct fyke_value values[FIELD_COUNT];

	end_login(dissection, FYKE_LOGIN_UNKNOWN);
	if (!fyke_text_is_set(&state->name_space) && state->messages + state->presences + state->queries == 0)
		return;
	values[TO] = fyke_text_of(&state->to);
	values[FROM] = fyke_text_of(&state->from);
	values[NAMESPACE] = fyke_text_of(&state->name_space);
	values[VERSION] = fyke_text_of(&state->version);
	values[USER] = fyke_text_of(&state->user);
	values[MECHANISM] = fyke_word(state->mechanism);
	values[LOGGED_IN] =
		fyke_integer_if(state->login != FYKE_LOGIN_UNKNOWN, state->login == FYKE_LOGIN_ACCEPTED);
	values[TLS] = fyke_integer(state->tls);
	values[JID] = fyke_text_of(&state->jid);
	values[MESSAGES] = fyke_integer(state->messages);
	values[PRESENCES] = fyke_integer(state->presences);
	values[QUERIES] = fyke_integer(state->queries);
	fyke_record_at(dissection, &table, state->begun, values);
}

static const uint16_t ports[] = {5222, 5223, 5269, 0};
static const char *const services[] = {"xmpp", "xmpp-client", "xmpp-server", "jabber-client", NULL};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("<?xml"), FYKE_EITHER_SAYS("<stream"),
	FYKE_EITHER_SAYS("<iq "), FYKE_EITHER_SAYS("<presence"), FYKE_EITHER_SAYS("<message ")};

const struct fyke_dissector fyke_dissector_xmpp = {
	.name = "xmpp",
	.title = "Extensible Messaging and Presence Protocol, RFC 6120",
	.doc = "Domains, logins by SASL with their outcome, and numbers of stanzas. What is talked is not "
	       "read. "
	       "Behind STARTTLS the session goes on as TLS; behind compression nothing is read.",
	.transports = FYKE_OVER_TCP,
	.ports = ports,
	.services = services,
	.signatures = signatures,
	.signature_count = sizeof(signatures) / sizeof(signatures[0]),
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
	.gap = gap,
	.end = end,
};
