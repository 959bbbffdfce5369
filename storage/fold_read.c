/* Blocks into sessions again (fold_block.h). What a database says is checked like what a wire says. */
#include "analyzer/base/varint.h"
#include "analyzer/session/transport.h"
#include "storage/fold_bits.h"
#include "storage/fold_block.h"

#include <string.h>

enum { TCP = 6 };

/* Of a damaged block it may be anything. */
static int64_t ns_of(int64_t us)
{
	if (us > INT64_MAX / 1000 || us < INT64_MIN / 1000)
		return us < 0 ? INT64_MIN + 1 : INT64_MAX;
	return us * 1000;
}

void fyke_folded_session(const struct fyke_folded *folded, uint8_t frames[20], struct fyke_session *session)
{
	const struct fyke_folded_kind *kind = &folded->kind;

	*session = (struct fyke_session){.birth = {folded->first_frame, folded->first_ordinal},
		.last_frame = folded->last_frame,
		.ended = true,
		.start_ns = ns_of(folded->start_us),
		.end_ns = ns_of(folded->end_us),
		.updated_ns = ns_of(folded->updated_us),
		.transport = fyke_transport_name(TCP),
		.ip_protocol = TCP,
		.icmp_type = FYKE_UNKNOWN,
		.icmp_code = FYKE_UNKNOWN,
		.icmp_id = FYKE_UNKNOWN,
		.vlan = kind->vlan < 0 ? FYKE_UNKNOWN : kind->vlan,
		.tunnel_id = FYKE_UNKNOWN,
		.service_mismatch = FYKE_UNKNOWN,
		.state = (enum fyke_state)kind->state,
		.end_reason = (enum fyke_end)kind->end_reason,
		.frames = folded->frames,
		.frames_length = folded->frames_length};
	if (folded->service[0] != '\0')
		session->service = session->port_service = folded->service;
	memcpy(session->history, kind->history, sizeof(kind->history));
	for (int i = 0; i < 2; i++) {
		struct fyke_session_side *side = &session->side[i];

		*side = (struct fyke_session_side){.ip = folded->ip[i],
			.port = folded->port[i],
			.has_mac = kind->has_mac[i] != 0,
			.packets = kind->packets[i],
			.bytes = kind->bytes[i],
			.ttl = kind->packets[i] > 0 ? folded->ttl[i] : FYKE_UNKNOWN,
			.tcp_flags = kind->tcp_flags[i]};
		memcpy(side->mac, kind->mac[i], sizeof(side->mac));
	}
	if (folded->frames != NULL)
		return;
	session->frames = frames;
	session->frames_length = (uint32_t)fyke_varint_write(folded->first_frame, frames);
	if (folded->last_frame != folded->first_frame)
		session->frames_length += (uint32_t)fyke_varint_write(
			folded->last_frame - folded->first_frame, frames + session->frames_length);
}

void fyke_fold_reader_start(struct fyke_fold_reader *reader, const uint8_t *bytes, size_t length)
{
	memset(&reader->row, 0, sizeof(reader->row));
	reader->kind_count = 0;
	reader->at = bytes;
	reader->end = bytes + length;
	if (length < 2 || bytes[0] != FOLD_VERSION ||
		(bytes[1] != FYKE_ADDRESS_IPV4 && bytes[1] != FYKE_ADDRESS_IPV6)) {
		reader->at = reader->end;
		return;
	}
	reader->family = bytes[1];
	reader->at += 2;
}

static bool take_number(struct fyke_fold_reader *reader, uint64_t *value)
{
	return fyke_varint_read(&reader->at, reader->end, value);
}

static bool take_difference(struct fyke_fold_reader *reader, int64_t before, int64_t *value)
{
	uint64_t zigzag;

	if (!take_number(reader, &zigzag))
		return false;
	*value = (int64_t)((uint64_t)before + (zigzag >> 1 ^ (0 - (zigzag & 1))));
	return true;
}

static bool take_byte(struct fyke_fold_reader *reader, uint8_t *value)
{
	if (reader->at == reader->end)
		return false;
	*value = *reader->at++;
	return true;
}

static bool take_bytes(struct fyke_fold_reader *reader, void *out, size_t length)
{
	if ((size_t)(reader->end - reader->at) < length)
		return false;
	memcpy(out, reader->at, length);
	reader->at += length;
	return true;
}

/* `out` is terminated; `room` counts that. */
static bool take_text(struct fyke_fold_reader *reader, char *out, size_t room)
{
	uint8_t length;

	if (!take_byte(reader, &length) || length >= room || !take_bytes(reader, out, length))
		return false;
	memset(out + length, 0, room - length);
	for (size_t i = 0; i < length; i++) { /* names of ours are ASCII */
		if (out[i] < ' ' || out[i] > '~')
			out[i] = '?';
	}
	return true;
}

static bool take_address(struct fyke_fold_reader *reader, struct fyke_address *address)
{
	uint8_t same;
	int64_t number;

	if (reader->family == FYKE_ADDRESS_IPV6) {
		if (!take_byte(reader, &same) || same > sizeof(address->bytes))
			return false;
		return take_bytes(reader, address->bytes + same, sizeof(address->bytes) - same);
	}
	if (!take_difference(reader, fold_number_of(address), &number))
		return false;
	for (int i = 0; i < 4; i++)
		address->bytes[i] = (uint8_t)((uint64_t)number >> (24 - 8 * i));
	return true;
}

static bool take_limited(struct fyke_fold_reader *reader, uint64_t most, uint64_t *value)
{
	return take_number(reader, value) && *value <= most;
}

static int state_named(const char *name)
{
	for (int i = 0; i < FYKE_STATE_COUNT; i++) {
		if (strcmp(fyke_state_name((enum fyke_state)i), name) == 0)
			return i;
	}
	return -1;
}

static int end_named(const char *name)
{
	for (int i = FYKE_END_OPEN + 1; i < FYKE_END_COUNT; i++) {
		if (strcmp(fyke_end_name((enum fyke_end)i), name) == 0)
			return i;
	}
	return -1;
}

static bool take_kind_side(struct fyke_fold_reader *reader, struct fyke_folded_kind *kind, int i)
{
	uint64_t packets, bytes, flags;

	if ((kind->has_mac[i] != 0 && !take_bytes(reader, kind->mac[i], sizeof(kind->mac[i]))) ||
		!take_limited(reader, UINT8_MAX, &packets) || !take_limited(reader, UINT32_MAX, &bytes) ||
		!take_limited(reader, UINT16_MAX, &flags))
		return false;
	kind->packets[i] = (uint8_t)packets;
	kind->bytes[i] = (uint32_t)bytes;
	kind->tcp_flags[i] = (uint16_t)flags;
	return true;
}

static bool take_kind(struct fyke_fold_reader *reader, struct fyke_folded_kind *kind)
{
	char state[16], end[32];
	uint8_t macs;
	int64_t vlan;
	int state_number, end_number;

	memset(kind, 0, sizeof(*kind));
	if (!take_byte(reader, &macs))
		return false;
	kind->has_mac[0] = macs & 1;
	kind->has_mac[1] = macs >> 1 & 1;
	if (!take_kind_side(reader, kind, 0) || !take_kind_side(reader, kind, 1) ||
		!take_difference(reader, 0, &vlan) ||
		!take_text(reader, kind->history, sizeof(kind->history)) ||
		!take_text(reader, state, sizeof(state)) || !take_text(reader, end, sizeof(end)))
		return false;
	kind->vlan = (int16_t)vlan;
	state_number = state_named(state);
	end_number = end_named(end);
	kind->state = (uint8_t)state_number;
	kind->end_reason = (uint8_t)end_number;
	return state_number >= 0 && end_number >= 0;
}

static bool take_kind_number(struct fyke_fold_reader *reader)
{
	uint8_t number;

	if (!take_byte(reader, &number))
		return false;
	if (number == 0) {
		if (reader->kind_count == FYKE_FOLD_KINDS_MAX ||
			!take_kind(reader, &reader->kinds[reader->kind_count]))
			return false;
		number = (uint8_t)++reader->kind_count;
	}
	if (number > reader->kind_count)
		return false;
	reader->row.kind = reader->kinds[number - 1];
	return true;
}

static bool take_ends(struct fyke_fold_reader *reader, unsigned bits)
{
	struct fyke_folded *row = &reader->row;
	int64_t port;

	for (unsigned i = 0; i < 2; i++) {
		if ((bits & fold_bit_of(FOLD_ADDRESS, i)) != 0 && !take_address(reader, &row->ip[i]))
			return false;
		row->ip[i].family = reader->family;
		if ((bits & fold_bit_of(FOLD_PORT, i)) == 0)
			continue;
		if (!take_difference(reader, row->port[i], &port))
			return false;
		row->port[i] = (uint16_t)port;
	}
	return true;
}

static bool take_times(struct fyke_fold_reader *reader, unsigned bits)
{
	struct fyke_folded *row = &reader->row;
	int64_t frame;

	if (!take_difference(reader, row->start_us, &row->start_us) ||
		!take_difference(reader, (int64_t)row->first_frame, &frame))
		return false;
	row->first_frame = (uint64_t)frame;
	if ((bits & FOLD_UPDATED) != 0 && !take_difference(reader, row->updated_us, &row->updated_us))
		return false;
	row->end_us = row->start_us;
	row->last_frame = row->first_frame;
	if ((bits & FOLD_LASTS) == 0)
		return true;
	if (!take_difference(reader, row->start_us, &row->end_us) ||
		!take_difference(reader, (int64_t)row->first_frame, &frame))
		return false;
	row->last_frame = (uint64_t)frame;
	return true;
}

static bool take_rest(struct fyke_fold_reader *reader, unsigned more)
{
	struct fyke_folded *row = &reader->row;
	uint64_t number;

	for (unsigned i = 0; i < 2; i++) {
		if ((more & fold_bit_of(FOLD_TTL, i)) != 0 && !take_byte(reader, &row->ttl[i]))
			return false;
	}
	if ((more & FOLD_SERVICE) != 0 && !take_text(reader, row->service, sizeof(row->service)))
		return false;
	row->first_ordinal = 0;
	if ((more & FOLD_ORDINAL) != 0) {
		if (!take_limited(reader, UINT32_MAX, &number))
			return false;
		row->first_ordinal = (uint32_t)number;
	}
	row->frames = NULL;
	row->frames_length = 0;
	if ((more & FOLD_FRAMES) == 0)
		return true;
	if (!take_limited(reader, (uint64_t)(reader->end - reader->at), &number) ||
		number > (uint64_t)(reader->end - reader->at))
		return false;
	row->frames = reader->at;
	row->frames_length = (uint32_t)number;
	reader->at += number;
	return true;
}

bool fyke_fold_reader_next(struct fyke_fold_reader *reader)
{
	uint8_t bits, more = 0;

	if (take_byte(reader, &bits) && ((bits & FOLD_MORE) == 0 || take_byte(reader, &more)) &&
		take_ends(reader, bits) && ((bits & FOLD_KIND) == 0 || take_kind_number(reader)) &&
		reader->kind_count > 0 && take_times(reader, bits) && take_rest(reader, more))
		return true;
	reader->at = reader->end;
	return false;
}
