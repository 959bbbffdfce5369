/*
 * A source over an interface, through libpcap (a TPACKET_V3 ring on Linux). Packets are copied into
 * blocks, since the ring's memory goes back to the kernel. The handle does not block: on recent
 * kernels a blocking one sleeps until a packet comes, whatever the timeout.
 */
#include "analyzer/capture/link.h"
#include "analyzer/capture/origin.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TIMEOUT_MS = 100, BUFFER_MIB = 32, BUFFER_MIB_MOST = 2000, WHOLE_PACKETS = 262144 };

struct live_source {
	struct fyke_source source;
	pcap_t *pcap;
	int fd, timeout_ms;
	int64_t tick_ns;
	uint16_t link_type;
	struct fyke_block_room *filling;
	struct fyke_block_room *ready, *ready_last; /* full ones, oldest first */
	char *name;
	bool failed;
	struct fyke_error failure;
	struct pcap_stat stats; /* as last asked for */
};

static struct live_source *live_of(struct fyke_source *source)
{
	return (struct live_source *)source;
}

static void release(struct fyke_source *source)
{
	struct live_source *live = live_of(source);

	while (live->ready != NULL) {
		struct fyke_block_room *next = live->ready->next;

		fyke_block_release(&live->ready->block);
		live->ready = next;
	}
	if (live->filling != NULL)
		fyke_block_release(&live->filling->block);
	if (live->pcap != NULL)
		pcap_close(live->pcap);
	free(live->name);
	free(live);
}

static void fail(struct live_source *live, enum fyke_status status, const char *what)
{
	if (!live->failed)
		(void)!fyke_error_set(&live->failure, status, "%s: %s", live->name, what);
	live->failed = true;
}

static void put_aside(struct live_source *live, struct fyke_block_room *room)
{
	if (live->ready == NULL)
		live->ready = room;
	else
		live->ready_last->next = room;
	live->ready_last = room;
}

/* Bytes used, kept in no field: the last frame ends where the next begins. */
static size_t used_of(const struct fyke_block_room *room)
{
	const struct fyke_frame *last;

	if (room->block.count == 0)
		return 0;
	last = &room->frames[room->block.count - 1];
	return (size_t)(last->data - room->bytes) + last->captured;
}

/* The block that `size` more bytes fit in; NULL when memory is out. */
static struct fyke_block_room *room_for(struct live_source *live, size_t size)
{
	struct fyke_block_room *room = live->filling;

	if (room != NULL && room->block.count < room->frames_room && room->size - used_of(room) >= size)
		return room;
	if (room != NULL)
		put_aside(live, room);
	live->filling = fyke_block_take(live->source.pool, size);
	if (live->filling == NULL)
		fail(live, FYKE_FAILED_MEMORY, "no memory left for packets");
	return live->filling;
}

static void take_packet(u_char *context, const struct pcap_pkthdr *header, const u_char *data)
{
	struct live_source *live = (struct live_source *)(void *)context;
	uint32_t captured = header->caplen;
	struct fyke_block_room *room;
	struct fyke_frame *frame;
	uint8_t *bytes;

	if (live->failed)
		return;
	room = room_for(live, captured);
	if (room == NULL)
		return;
	bytes = room->bytes + used_of(room);
	memcpy(bytes, data, captured);
	frame = &room->frames[room->block.count++];
	*frame = (struct fyke_frame){
		.time_ns =
			(int64_t)header->ts.tv_sec * 1000000000 + (int64_t)header->ts.tv_usec * live->tick_ns,
		.data = bytes,
		.captured = captured,
		.length = header->len < captured ? captured : header->len,
		.link_type = live->link_type,
	};
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Moves what the ring has into blocks; waits for it until the deadline. */
static void collect(struct live_source *live, int64_t deadline)
{
	while (live->ready == NULL && !live->failed && !fyke_source_is_over(&live->source)) {
		struct pollfd waiting = {.fd = live->fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		int got = pcap_dispatch(live->pcap, -1, take_packet, (u_char *)live);

		if (got < 0)
			fail(live, FYKE_FAILED_IO, pcap_geterr(live->pcap));
		if (got > 0 && left > 0)
			continue;
		if (got != 0 || left <= 0)
			return;
		(void)poll(&waiting, 1, (int)left);
	}
}

static struct fyke_block_room *take_ready(struct live_source *live)
{
	struct fyke_block_room *room = live->ready;

	if (room != NULL) {
		live->ready = room->next;
		room->next = NULL;
	} else if (live->filling != NULL && live->filling->block.count > 0) {
		room = live->filling;
		live->filling = NULL;
	}
	return room;
}

static bool limit_reached(const struct fyke_source *source)
{
	return source->options.frame_limit != 0 && source->counters.frames >= source->options.frame_limit;
}

static enum fyke_source_result next(
	struct fyke_source *source, struct fyke_block **block, struct fyke_error *error)
{
	struct live_source *live = live_of(source);
	struct fyke_block_room *room = NULL;

	if (live->ready == NULL)
		collect(live, now_ms() + live->timeout_ms);
	if (!limit_reached(source))
		room = take_ready(live);
	if (room != NULL) {
		(void)fyke_source_admit(source, room, (struct fyke_origin){0, 0});
		*block = &room->block;
		return FYKE_SOURCE_BLOCK;
	}
	if (fyke_source_is_over(source))
		return FYKE_SOURCE_END;
	if (live->failed) {
		(void)!fyke_error_set(error, live->failure.status, "%s", live->failure.text);
		return FYKE_SOURCE_FAILED;
	}
	return FYKE_SOURCE_IDLE;
}

/* libpcap counts in 32 bits, which wrap. */
static void count(struct fyke_source *source)
{
	struct live_source *live = live_of(source);
	struct pcap_stat now;

	if (pcap_stats(live->pcap, &now) != 0)
		return;
	source->counters.kernel_drops += (uint32_t)(now.ps_drop - live->stats.ps_drop);
	source->counters.interface_drops += (uint32_t)(now.ps_ifdrop - live->stats.ps_ifdrop);
	source->counters.drops_known = true;
	live->stats = now;
}

static const struct fyke_source_operations operations = {next, count, release};

static enum fyke_status refused(struct live_source *live, int result, struct fyke_error *error)
{
	const char *words = pcap_geterr(live->pcap);

	switch (result) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return fyke_error_set(error, FYKE_FAILED_PERMISSION,
			"%s: no permission to capture; run fyke with sudo, or allow the program once: sudo "
			"setcap "
			"cap_net_raw,cap_net_admin+ep \"$(command -v fyke)\"",
			live->name);
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return fyke_error_set(error, FYKE_FAILED_USAGE,
			"there is no interface %s; `fyke interfaces` lists those that are", live->name);
	case PCAP_ERROR_IFACE_NOT_UP:
		return fyke_error_set(error, FYKE_FAILED_IO,
			"%s: the interface is down; bring it up with: ip link set %s up", live->name,
			live->name);
	default:
		return fyke_error_set(error, FYKE_FAILED_IO, "%s: cannot be captured from: %s", live->name,
			words[0] != '\0' ? words : pcap_statustostr(result));
	}
}

static int snaplen_of(const struct fyke_source_options *options)
{
	return options->snaplen == 0 || options->snaplen > WHOLE_PACKETS ? WHOLE_PACKETS
									 : (int)options->snaplen;
}

static void set_up(struct live_source *live, const struct fyke_source_live_options *wanted)
{
	uint32_t buffer = wanted->buffer_mib != 0 ? wanted->buffer_mib : BUFFER_MIB;

	/* These calls fail only on an activated handle, or where nanoseconds are not to be had. */
	(void)pcap_set_snaplen(live->pcap, snaplen_of(&live->source.options));
	(void)pcap_set_promisc(live->pcap, wanted->promiscuous ? 1 : 0);
	(void)pcap_set_timeout(live->pcap, live->timeout_ms);
	(void)pcap_set_buffer_size(
		live->pcap, (int)(buffer < BUFFER_MIB_MOST ? buffer : BUFFER_MIB_MOST) * 1024 * 1024);
	(void)pcap_set_tstamp_precision(live->pcap, PCAP_TSTAMP_PRECISION_NANO);
}

static enum fyke_status set_filter(struct live_source *live, struct fyke_error *error)
{
	const char *expression = live->source.options.filter;
	struct bpf_program code;
	int result;

	if (expression == NULL)
		return FYKE_OK;
	if (pcap_compile(live->pcap, &code, expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
		return fyke_error_set(error, FYKE_FAILED_USAGE, "the filter “%s” is wrong: %s", expression,
			pcap_geterr(live->pcap));
	result = pcap_setfilter(live->pcap, &code);
	pcap_freecode(&code);
	if (result != 0)
		return fyke_error_set(error, FYKE_FAILED_IO, "%s: the filter cannot be set: %s", live->name,
			pcap_geterr(live->pcap));
	return FYKE_OK;
}

static enum fyke_status describe(struct live_source *live, struct fyke_error *error)
{
	struct fyke_source_interface told = {.name = strdup(live->name), .description = ""};

	told.link_type = live->link_type;
	told.snaplen = (uint32_t)pcap_snapshot(live->pcap);
	if (told.name != NULL && fyke_source_add_interface(&live->source, &told))
		return FYKE_OK;
	fyke_source_free_text(told.name);
	return fyke_error_set(error, FYKE_FAILED_MEMORY, "%s: no memory left to capture", live->name);
}

static enum fyke_status activate(
	struct live_source *live, const struct fyke_source_live_options *wanted, struct fyke_error *error)
{
	char words[PCAP_ERRBUF_SIZE] = "";
	enum fyke_status status;
	int result;

	live->pcap = pcap_create(live->name, words);
	if (live->pcap == NULL)
		return fyke_error_set(
			error, FYKE_FAILED_IO, "%s: cannot be captured from: %s", live->name, words);
	set_up(live, wanted);
	result = pcap_activate(live->pcap);
	if (result < 0) /* positive values are warnings */
		return refused(live, result, error);
	status = set_filter(live, error);
	if (status != FYKE_OK)
		return status;
	if (pcap_setnonblock(live->pcap, 1, words) != 0)
		return fyke_error_set(
			error, FYKE_FAILED_IO, "%s: cannot be captured from: %s", live->name, words);
	live->fd = pcap_get_selectable_fd(live->pcap);
	live->link_type = fyke_link_from_dlt(pcap_datalink(live->pcap));
	live->tick_ns = pcap_get_tstamp_precision(live->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
	return describe(live, error);
}

static enum fyke_status open_live(
	struct live_source *live, const struct fyke_source_live_options *wanted, struct fyke_error *error)
{
	const struct fyke_source_options *options = &live->source.options;
	enum fyke_status status = FYKE_OK;

	live->name = strdup(wanted->interface);
	if (live->name == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left to capture");
	live->timeout_ms = wanted->timeout_ms > 0 ? wanted->timeout_ms : TIMEOUT_MS;
	if (options->filter != NULL)
		status = fyke_capture_filter_check(options->filter, error);
	if (status == FYKE_OK)
		status = activate(live, wanted, error);
	if (status == FYKE_OK && options->opened != NULL)
		status = options->opened(options->opened_context, error);
	return status;
}

enum fyke_status fyke_source_live_open(const struct fyke_source_live_options *wanted,
	const struct fyke_source_options *options, struct fyke_source **source, struct fyke_error *error)
{
	struct live_source *live = calloc(1, sizeof(*live));
	enum fyke_status status;

	*source = NULL;
	if (live == NULL)
		return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left to capture");
	status = fyke_source_init(&live->source, &operations, options, error);
	if (status == FYKE_OK)
		status = open_live(live, wanted, error);
	if (status != FYKE_OK) {
		fyke_source_free(&live->source);
		return status;
	}
	*source = &live->source;
	return FYKE_OK;
}
