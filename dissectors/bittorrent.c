/*
 * BitTorrent between peers (BEP 3: the handshake names the torrent), its distributed hash table (BEP 5,
 * bencoded datagrams), UDP trackers (BEP 15) and the connection of uTP (BEP 29). Encrypted handshakes are not
 * recognised.
 */
#include "dissectors/dissector.h"
#include "dissectors/shared/phrase.h"

#include <string.h>

enum { KIND, INFO_HASH, PEER_ID, SIDE, METHOD, NODE_ID, VERSION, FIELD_COUNT };

static const struct fyke_field fields[FIELD_COUNT] = {
	[KIND] = {"kind", FYKE_TYPE_TEXT, "peer, dht, tracker or utp"},
	[INFO_HASH] = {"info_hash", FYKE_TYPE_TEXT, "the torrent, in hex"},
	[PEER_ID] = {"peer_id", FYKE_TYPE_TEXT, "who speaks; the first letters tell the program"},
	[SIDE] = {"side", FYKE_TYPE_TEXT, "who spoke: client or server"},
	[METHOD] = {"method", FYKE_TYPE_TEXT,
		"of the DHT: ping, find_node, get_peers, announce_peer, reply, error; of "
		"a tracker: connect, announce, scrape"},
	[NODE_ID] = {"node_id", FYKE_TYPE_TEXT, "of the DHT: who speaks, in hex"},
	[VERSION] = {"version", FYKE_TYPE_TEXT, "of the DHT: the program's letters and number, in hex"},
};
static const struct fyke_table table = {
	"bittorrent", "Handshakes between peers, messages of the DHT and of trackers.", fields, FIELD_COUNT};
static const struct fyke_table *const tables[] = {&table, NULL};

enum {
	HANDSHAKE_BYTES = 68,
	HASH_BYTES = 20,
	KEY_MAX = 16,
	DICTIONARY_MAX = 64, /* keys of one dictionary */
	UTP_HEADER = 20,
	UTP_SYN = 4,
	UTP_STATE = 2,
};

static const char protocol[] = "\x13"
			       "BitTorrent protocol";

struct state {
	bool heard[2];
	uint16_t utp_id; /* of the SYN that was seen; 0 = none */
};

static const char *side_name(enum fyke_side side)
{
	return side == FYKE_CLIENT ? "client" : "server";
}

static struct fyke_value hex_of(struct fyke_phrase *phrase, const uint8_t *bytes, size_t length)
{
	fyke_phrase_hex(phrase, bytes, length);
	return fyke_phrase_value(phrase);
}

/* ---- peers ---- */

static struct fyke_verdict feed_stream(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	char hash[2 * HASH_BYTES];
	struct fyke_phrase phrase = fyke_phrase(hash, sizeof(hash));
	struct fyke_value values[FIELD_COUNT] = {{0}};

	if (state->heard[input->side])
		return fyke_more(input->length);
	if (input->length < HANDSHAKE_BYTES)
		return fyke_need(0, HANDSHAKE_BYTES);
	if (memcmp(input->data, protocol, sizeof(protocol) - 1) != 0)
		return fyke_not_mine();
	state->heard[input->side] = true;
	values[KIND] = fyke_word("peer");
	values[INFO_HASH] = hex_of(&phrase, input->data + 28, HASH_BYTES);
	values[PEER_ID] = fyke_bytes(input->data + 48, HASH_BYTES);
	values[SIDE] = fyke_word(side_name(input->side));
	fyke_record(dissection, &table, values);
	return state->heard[FYKE_CLIENT] && state->heard[FYKE_SERVER] ? fyke_done()
								      : fyke_more(HANDSHAKE_BYTES);
}

/* ---- DHT: bencoding, flat but for one dictionary inside ---- */

struct node {
	const uint8_t *type, *method, *version, *id, *hash; /* NULL = not there */
	size_t method_length, version_length;
	char inside; /* the dictionary that is read: 'a', 'r', or 0 */
};

/* "<length>:<bytes>" */
static const uint8_t *read_string(struct fyke_cursor *c, size_t *length)
{
	size_t value = 0;
	unsigned digits = 0;
	uint8_t byte;

	while ((byte = fyke_cursor_u8(c)) >= '0' && byte <= '9' && digits++ < 5)
		value = value * 10 + (size_t)(byte - '0');
	if (byte != ':' || digits == 0)
		fyke_cursor_bad(c);
	*length = value;
	return fyke_cursor_take(c, value);
}

static uint8_t peek(const struct fyke_cursor *c)
{
	return fyke_cursor_left(c) > 0 ? *c->at : 0;
}

/* Integers, and lists of strings and integers. */
static void skip_value(struct fyke_cursor *c)
{
	size_t length;
	unsigned depth = 0, items = 0;

	do {
		uint8_t byte = peek(c);

		if (byte == 'i') {
			while (fyke_cursor_u8(c) != 'e' && fyke_cursor_ok(c))
				;
		} else if (byte == 'l' || byte == 'd') {
			fyke_cursor_skip(c, 1);
			depth++;
		} else if (byte == 'e' && depth > 0) {
			fyke_cursor_skip(c, 1);
			depth--;
		} else {
			(void)read_string(c, &length);
		}
	} while (depth > 0 && fyke_cursor_ok(c) && items++ < 512);
	if (depth > 0)
		fyke_cursor_bad(c);
}

#define IS_KEY(key, length, word) ((length) == sizeof(word) - 1 && memcmp(key, word, sizeof(word) - 1) == 0)

static void take_value(struct fyke_cursor *c, struct node *node, const uint8_t *key, size_t length)
{
	size_t size;
	const uint8_t *value;

	if (node->inside == 0 && length == 1 && (*key == 'a' || *key == 'r') && peek(c) == 'd') {
		fyke_cursor_skip(c, 1);
		node->inside = (char)*key;
		return;
	}
	if (peek(c) < '0' || peek(c) > '9') {
		skip_value(c);
		return;
	}
	value = read_string(c, &size);
	if (value == NULL)
		return;
	if (node->inside != 0 && IS_KEY(key, length, "id") && size == HASH_BYTES)
		node->id = value;
	else if (node->inside == 'a' && IS_KEY(key, length, "info_hash") && size == HASH_BYTES)
		node->hash = value;
	else if (node->inside == 0 && IS_KEY(key, length, "y") && size == 1)
		node->type = value;
	else if (node->inside == 0 && IS_KEY(key, length, "q")) {
		node->method = value;
		node->method_length = size;
	} else if (node->inside == 0 && IS_KEY(key, length, "v")) {
		node->version = value;
		node->version_length = size;
	}
}

/* A dictionary as BEP 5 has it: its kind in "y", query or answer within. */
static bool read_node(const uint8_t *data, size_t length, struct node *node)
{
	struct fyke_cursor c = fyke_cursor(data, length);

	*node = (struct node){0};
	if (fyke_cursor_u8(&c) != 'd')
		return false;
	for (unsigned keys = 0; keys < DICTIONARY_MAX && fyke_cursor_ok(&c); keys++) {
		const uint8_t *key;
		size_t key_length;

		if (peek(&c) == 'e') {
			fyke_cursor_skip(&c, 1);
			if (node->inside == 0)
				break;
			node->inside = 0;
			continue;
		}
		key = read_string(&c, &key_length);
		if (key != NULL)
			take_value(&c, node, key, key_length);
	}
	return node->type != NULL && (node->id != NULL || *node->type == 'e') &&
	       (*node->type != 'q' || node->method != NULL);
}

static void tell_node(struct fyke_dissection *dissection, enum fyke_side side, const struct node *node)
{
	char id[2 * HASH_BYTES], hash[2 * HASH_BYTES], version[16];
	struct fyke_phrase phrases[3] = {fyke_phrase(id, sizeof(id)), fyke_phrase(hash, sizeof(hash)),
		fyke_phrase(version, sizeof(version))};
	struct fyke_value values[FIELD_COUNT] = {{0}};

	values[KIND] = fyke_word("dht");
	values[SIDE] = fyke_word(side_name(side));
	if (*node->type == 'q')
		values[METHOD] =
			fyke_bytes(node->method, node->method_length < 32 ? node->method_length : 32);
	else
		values[METHOD] = fyke_word(*node->type == 'r' ? "reply" : "error");
	if (node->id != NULL)
		values[NODE_ID] = hex_of(&phrases[0], node->id, HASH_BYTES);
	if (node->hash != NULL)
		values[INFO_HASH] = hex_of(&phrases[1], node->hash, HASH_BYTES);
	if (node->version != NULL)
		values[VERSION] = hex_of(
			&phrases[2], node->version, node->version_length < 8 ? node->version_length : 8);
	fyke_record(dissection, &table, values);
}

/* ---- trackers and uTP ---- */

/* The magic number of BEP 15 that opens the talk with a tracker. */
static bool is_tracker(const uint8_t *data, size_t length)
{
	return length >= 16 && memcmp(data, "\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00", 12) == 0;
}

static uint16_t number16(const uint8_t *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

/* Version 1, a kind, extensions that exist, and times that are not both nothing. */
static bool is_utp(const uint8_t *data, size_t length, unsigned kind)
{
	return length >= UTP_HEADER && data[0] == (kind << 4 | 1) && data[1] <= 3;
}

static bool is_utp_syn(const uint8_t *data, size_t length)
{
	return is_utp(data, length, UTP_SYN) && number16(data + 16) <= 1 && number16(data + 18) == 0 &&
	       length <= UTP_HEADER + 12;
}

static void tell_kind(
	struct fyke_dissection *dissection, enum fyke_side side, const char *kind, const char *method)
{
	struct fyke_value values[FIELD_COUNT] = {{0}};

	values[KIND] = fyke_word(kind);
	values[SIDE] = fyke_word(side_name(side));
	values[METHOD] = fyke_word(method);
	fyke_record(dissection, &table, values);
}

static struct fyke_verdict feed_datagram(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	struct state *state = fyke_state(dissection);
	struct node node;

	if (read_node(input->data, input->length, &node)) {
		tell_node(dissection, input->side, &node);
		return fyke_rest();
	}
	if (is_tracker(input->data, input->length)) {
		tell_kind(dissection, input->side, "tracker", "connect");
		return fyke_more(0);
	}
	if (is_utp_syn(input->data, input->length)) {
		state->utp_id = number16(input->data + 2);
		return fyke_more(0);
	}
	/* its acknowledgment carries the number of the SYN */
	if (state->utp_id != 0 && is_utp(input->data, input->length, UTP_STATE) &&
		number16(input->data + 2) == state->utp_id) {
		tell_kind(dissection, fyke_side_other(input->side), "utp", NULL);
		state->utp_id = 0;
		return fyke_more(0);
	}
	return input->cut ? fyke_more(0) : fyke_not_mine();
}

static struct fyke_verdict feed(struct fyke_dissection *dissection, const struct fyke_input *input)
{
	return fyke_transport_of(dissection) == FYKE_OVER_TCP ? feed_stream(dissection, input)
							      : feed_datagram(dissection, input);
}

static enum fyke_match probe_datagrams(const struct fyke_opening *opening)
{
	const uint8_t *client = opening->side[FYKE_CLIENT].data, *server = opening->side[FYKE_SERVER].data;
	size_t asked = opening->side[FYKE_CLIENT].length, answered = opening->side[FYKE_SERVER].length;
	struct node node;

	for (int side = 0; side < 2; side++) {
		const uint8_t *data = opening->side[side].data;
		size_t length = opening->side[side].length;

		if (length > 0 && (is_tracker(data, length) || read_node(data, length, &node)))
			return FYKE_YES;
	}
	if (asked > 0 && answered > 0 && is_utp_syn(client, asked) && is_utp(server, answered, UTP_STATE) &&
		number16(client + 2) == number16(server + 2))
		return FYKE_YES;
	return asked > 0 && is_utp_syn(client, asked) ? FYKE_MAYBE : FYKE_NO;
}

static enum fyke_match probe(const struct fyke_opening *opening)
{
	enum fyke_match match = FYKE_NO;

	if (opening->transport == FYKE_OVER_UDP)
		return probe_datagrams(opening);
	for (int side = 0; side < 2; side++) {
		size_t length = opening->side[side].length;

		if (length == 0)
			match = match == FYKE_NO ? FYKE_MAYBE : match;
		if (length >= sizeof(protocol) - 1)
			length = sizeof(protocol) - 1;
		if (length > 0 && memcmp(opening->side[side].data, protocol, length) == 0)
			return length == sizeof(protocol) - 1 ? FYKE_YES : FYKE_MAYBE;
	}
	return match == FYKE_MAYBE && opening->side[0].length + opening->side[1].length > 0 ? FYKE_NO : match;
}

static const uint16_t ports[] = {6881, 6882, 6883, 6884, 6885, 6886, 6887, 6888, 6889, 0};
static const struct fyke_signature signatures[] = {FYKE_EITHER_SAYS("\x13"
								    "BitTorrent protocol"),
	FYKE_EITHER_SAYS("d"), FYKE_EITHER_SAYS("\x41"),
	FYKE_CLIENT_SAYS("\x00\x00\x04\x17\x27\x10\x19\x80")};

const struct fyke_dissector fyke_dissector_bittorrent = {
	.name = "bittorrent",
	.title = "BitTorrent, BEP 3, 5, 15 and 29",
	.doc = "Which torrents peers shake hands about, messages of the distributed hash table, connections "
	       "to "
	       "UDP trackers, and that uTP is spoken. Not read: pieces, and encrypted handshakes; trackers "
	       "over "
	       "HTTP are HTTP.",
	.transports = FYKE_OVER_TCP | FYKE_OVER_UDP,
	.ports = ports,
	.signatures = signatures,
	.signature_count = 4,
	.tables = tables,
	.state_size = sizeof(struct state),
	.probe = probe,
	.feed = feed,
};
