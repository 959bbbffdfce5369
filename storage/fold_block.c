/* Sessions into a block (fold_block.h). The reader of blocks is fold_read.c. */
#include "storage/fold_block.h"

#include "analyzer/base/varint.h"
#include "storage/fold_bits.h"
#include "storage/rows.h"

#include <string.h>
#include <xxhash.h>

_Static_assert(sizeof(struct fyke_folded_kind) == 40, "kinds are compared as bytes");

enum { TCP = 6, CLIENT_PACKETS_MAX = 4, SLOTS = 512 };

/* Neither carried, nor named, nor said anything: no more than the row of a half-open session tells. */
static bool is_bare(const struct fyke_session *s)
{
	return s->ip_protocol == TCP && s->records == NULL && s->tcp == NULL &&
	       (s->state == FYKE_STATE_S0 || s->state == FYKE_STATE_REJ) && !s->roles_guessed &&
	       s->layer == 0 && s->tunnel == NULL && s->parent.frame == 0 && s->quoted.frame == 0 &&
	       s->content_service == NULL && s->server_name == NULL && s->bad_checksums == 0 &&
	       s->frames != NULL;
}

static bool fits(const struct fyke_session_side *side)
{
	return side->port >= 0 && side->port <= UINT16_MAX && side->packets >= 0 &&
	       side->packets <= UINT8_MAX && side->bytes >= 0 && side->bytes <= UINT32_MAX &&
	       side->payload_bytes == 0 && side->tcp_flags >= 0 && side->tcp_flags <= UINT16_MAX &&
	       (side->packets > 0 ? side->ttl >= 0 && side->ttl <= UINT8_MAX : side->ttl == FYKE_UNKNOWN);
}

/* A client that knocked more often proves something (port_proof.c), and such sessions are few. */
static bool is_small(const struct fyke_session *s)
{
	const struct fyke_session_side *client = &s->side[FYKE_CLIENT], *server = &s->side[FYKE_SERVER];

	return fits(client) && fits(server) && client->packets > 0 && client->packets <= CLIENT_PACKETS_MAX &&
	       client->ip.family == server->ip.family && client->ip.family != FYKE_ADDRESS_NONE &&
	       s->vlan <= INT16_MAX && strnlen(s->history, FYKE_HISTORY_MAX) < FYKE_FOLD_HISTORY &&
	       (s->port_service == NULL || strlen(s->port_service) < FYKE_FOLD_SERVICE);
}

static void set_side(struct fyke_folded *folded, const struct fyke_session *s, enum fyke_side which)
{
	const struct fyke_session_side *side = &s->side[which];

	folded->ip[which] = side->ip;
	folded->port[which] = (uint16_t)side->port;
	folded->ttl[which] = side->packets > 0 ? (uint8_t)side->ttl : 0;
	folded->kind.bytes[which] = (uint32_t)side->bytes;
	folded->kind.packets[which] = (uint8_t)side->packets;
	folded->kind.tcp_flags[which] = (uint16_t)side->tcp_flags;
	folded->kind.has_mac[which] = side->has_mac;
	if (side->has_mac)
		memcpy(folded->kind.mac[which], side->mac, sizeof(side->mac));
}

/* Whether the list of frames is what the first and the last one make. */
static bool is_plain_list(const struct fyke_session *s)
{
	uint8_t bytes[2 * FYKE_VARINT_MAX];
	size_t length = fyke_varint_write(s->birth.frame, bytes);

	if (s->last_frame != s->birth.frame)
		length += fyke_varint_write(s->last_frame - s->birth.frame, bytes + length);
	return length == s->frames_length && memcmp(bytes, s->frames, length) == 0;
}

bool fyke_folded_of(const struct fyke_session *s, struct fyke_folded *folded)
{
	if (!is_bare(s) || !is_small(s))
		return false;
	memset(folded, 0, sizeof(*folded)); /* the kind is compared as bytes */
	set_side(folded, s, FYKE_CLIENT);
	set_side(folded, s, FYKE_SERVER);
	folded->kind.vlan = s->vlan == FYKE_UNKNOWN ? -1 : (int16_t)s->vlan;
	folded->kind.state = (uint8_t)s->state;
	folded->kind.end_reason = (uint8_t)s->end_reason;
	memcpy(folded->kind.history, s->history, strnlen(s->history, FYKE_FOLD_HISTORY - 1));
	folded->first_frame = s->birth.frame;
	folded->first_ordinal = s->birth.ordinal;
	folded->last_frame = s->last_frame;
	folded->start_us = fyke_rows_us(s->start_ns);
	folded->end_us = fyke_rows_us(s->end_ns);
	folded->updated_us = fyke_rows_us(s->updated_ns);
	if (s->port_service != NULL)
		memcpy(folded->service, s->port_service, strlen(s->port_service));
	if (!is_plain_list(s)) {
		folded->frames = s->frames;
		folded->frames_length = s->frames_length;
	}
	return true;
}

/* ---- writing ---- */

void fyke_fold_writer_start(struct fyke_fold_writer *writer, uint8_t *bytes, uint8_t address_family)
{
	memset(writer, 0, sizeof(*writer));
	writer->bytes = bytes;
	bytes[0] = FOLD_VERSION;
	bytes[1] = address_family;
	writer->length = 2;
	writer->kind = FYKE_FOLD_KINDS_MAX; /* none */
}

static void put_number(struct fyke_fold_writer *writer, uint64_t value)
{
	writer->length += fyke_varint_write(value, writer->bytes + writer->length);
}

static void put_difference(struct fyke_fold_writer *writer, int64_t value, int64_t before)
{
	int64_t difference = (int64_t)((uint64_t)value - (uint64_t)before);

	put_number(writer, (uint64_t)difference << 1 ^ (uint64_t)(difference >> 63));
}

static void put_bytes(struct fyke_fold_writer *writer, const void *bytes, size_t length)
{
	memcpy(writer->bytes + writer->length, bytes, length);
	writer->length += length;
}

/* Its length, at most 255, stands in front. */
static void put_text(struct fyke_fold_writer *writer, const char *text)
{
	size_t length = text == NULL ? 0 : strlen(text);

	writer->bytes[writer->length++] = (uint8_t)length;
	put_bytes(writer, length > 0 ? text : "", length);
}

static void put_address(struct fyke_fold_writer *writer, const struct fyke_address *address,
	const struct fyke_address *before)
{
	size_t same = 0;

	if (address->family == FYKE_ADDRESS_IPV4) {
		put_difference(writer, fold_number_of(address), fold_number_of(before));
		return;
	}
	while (same < sizeof(address->bytes) && address->bytes[same] == before->bytes[same])
		same++;
	writer->bytes[writer->length++] = (uint8_t)same;
	put_bytes(writer, address->bytes + same, sizeof(address->bytes) - same);
}

/* States and ends go by name: their numbers are the program's own. */
static void put_kind(struct fyke_fold_writer *writer, const struct fyke_folded_kind *kind)
{
	writer->bytes[writer->length++] = (uint8_t)(kind->has_mac[0] | kind->has_mac[1] << 1);
	for (int i = 0; i < 2; i++) {
		if (kind->has_mac[i] != 0)
			put_bytes(writer, kind->mac[i], sizeof(kind->mac[i]));
		put_number(writer, kind->packets[i]);
		put_number(writer, kind->bytes[i]);
		put_number(writer, kind->tcp_flags[i]);
	}
	put_difference(writer, kind->vlan, 0);
	put_text(writer, kind->history);
	put_text(writer, fyke_state_name((enum fyke_state)kind->state));
	put_text(writer, fyke_end_name((enum fyke_end)kind->end_reason));
}

/* The place of a kind; *fresh: it is a new one. KINDS_MAX: there is no room for it. */
static unsigned find_kind(struct fyke_fold_writer *writer, const struct fyke_folded_kind *kind, bool *fresh)
{
	size_t at;

	*fresh = false;
	if (writer->kind < writer->kind_count &&
		memcmp(&writer->kinds[writer->kind], kind, sizeof(*kind)) == 0)
		return writer->kind;
	for (at = XXH3_64bits(kind, sizeof(*kind)) % SLOTS; writer->slots[at] != 0; at = (at + 1) % SLOTS) {
		unsigned place = writer->slots[at] - 1U;

		if (memcmp(&writer->kinds[place], kind, sizeof(*kind)) == 0)
			return place;
	}
	if (writer->kind_count == FYKE_FOLD_KINDS_MAX - 1)
		return FYKE_FOLD_KINDS_MAX;
	*fresh = true;
	writer->kinds[writer->kind_count] = *kind;
	writer->slots[at] = (uint8_t)(writer->kind_count + 1);
	return writer->kind_count++;
}

static unsigned bits_of(const struct fyke_folded *row, const struct fyke_folded *before, bool other_kind)
{
	unsigned bits = other_kind ? FOLD_KIND : 0, more = 0;

	for (unsigned i = 0; i < 2; i++) {
		if (memcmp(&row->ip[i], &before->ip[i], sizeof(row->ip[i])) != 0)
			bits |= fold_bit_of(FOLD_ADDRESS, i);
		if (row->port[i] != before->port[i])
			bits |= fold_bit_of(FOLD_PORT, i);
		if (row->ttl[i] != before->ttl[i])
			more |= fold_bit_of(FOLD_TTL, i);
	}
	if (row->updated_us != before->updated_us)
		bits |= FOLD_UPDATED;
	if (row->end_us != row->start_us || row->last_frame != row->first_frame)
		bits |= FOLD_LASTS;
	if (strcmp(row->service, before->service) != 0)
		more |= FOLD_SERVICE;
	if (row->first_ordinal != 0)
		more |= FOLD_ORDINAL;
	if (row->frames != NULL)
		more |= FOLD_FRAMES;
	return more == 0 ? bits : bits | FOLD_MORE | more << 8;
}

static void put_ends(struct fyke_fold_writer *writer, const struct fyke_folded *row, unsigned bits)
{
	const struct fyke_folded *before = &writer->before;

	for (unsigned i = 0; i < 2; i++) {
		if ((bits & fold_bit_of(FOLD_ADDRESS, i)) != 0)
			put_address(writer, &row->ip[i], &before->ip[i]);
		if ((bits & fold_bit_of(FOLD_PORT, i)) != 0)
			put_difference(writer, row->port[i], before->port[i]);
	}
}

static void put_rest(struct fyke_fold_writer *writer, const struct fyke_folded *row, unsigned more)
{
	for (unsigned i = 0; i < 2; i++) {
		if ((more & fold_bit_of(FOLD_TTL, i)) != 0)
			writer->bytes[writer->length++] = row->ttl[i];
	}
	if ((more & FOLD_SERVICE) != 0)
		put_text(writer, row->service);
	if ((more & FOLD_ORDINAL) != 0)
		put_number(writer, row->first_ordinal);
	if ((more & FOLD_FRAMES) != 0) {
		put_number(writer, row->frames_length);
		put_bytes(writer, row->frames, row->frames_length);
	}
}

bool fyke_fold_writer_add(struct fyke_fold_writer *writer, const struct fyke_folded *row)
{
	const struct fyke_folded *before = &writer->before;
	unsigned kind, bits;
	bool fresh;

	if (writer->sessions == FYKE_FOLD_SESSIONS_MAX ||
		writer->length + FYKE_FOLD_ROW_MAX > FYKE_FOLD_BYTES_MAX)
		return false;
	kind = find_kind(writer, &row->kind, &fresh);
	if (kind == FYKE_FOLD_KINDS_MAX)
		return false;
	bits = bits_of(row, before, kind != writer->kind);
	writer->bytes[writer->length++] = (uint8_t)bits;
	if ((bits & FOLD_MORE) != 0)
		writer->bytes[writer->length++] = (uint8_t)(bits >> 8);
	put_ends(writer, row, bits);
	if ((bits & FOLD_KIND) != 0)
		writer->bytes[writer->length++] = (uint8_t)(fresh ? 0 : kind + 1);
	if (fresh)
		put_kind(writer, &row->kind);
	put_difference(writer, row->start_us, before->start_us);
	put_difference(writer, (int64_t)row->first_frame, (int64_t)before->first_frame);
	if ((bits & FOLD_UPDATED) != 0)
		put_difference(writer, row->updated_us, before->updated_us);
	if ((bits & FOLD_LASTS) != 0) {
		put_difference(writer, row->end_us, row->start_us);
		put_difference(writer, (int64_t)row->last_frame, (int64_t)row->first_frame);
	}
	put_rest(writer, row, bits >> 8);
	writer->before = *row;
	writer->kind = kind;
	writer->sessions++;
	return true;
}
