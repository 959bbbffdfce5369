/* The kernel's ring: opening it, and copying what it holds into blocks. */
#include "analyzer/capture/ring.h"

#include "analyzer/capture/link.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum { BUFFER_MIB = 32, BUFFER_MIB_MOST = 2000, WHOLE_PACKETS = 262144 };

void fyke_ring_close(struct fyke_ring *ring)
{
	while (ring->ready != NULL) {
		struct fyke_block_room *next = ring->ready->next;

		fyke_block_release(&ring->ready->block);
		ring->ready = next;
	}
	if (ring->filling != NULL)
		fyke_block_release(&ring->filling->block);
	ring->filling = NULL;
	if (ring->pcap != NULL)
		pcap_close(ring->pcap);
	ring->pcap = NULL;
}

static void fail(struct fyke_ring *ring, enum fyke_status status, const char *what)
{
	if (!ring->failed)
		(void)!fyke_error_set(&ring->failure, status, "%s: %s", ring->name, what);
	ring->failed = true;
}

static void put_aside(struct fyke_ring *ring, struct fyke_block_room *room)
{
	if (ring->ready == NULL)
		ring->ready = room;
	else
		ring->ready_last->next = room;
	ring->ready_last = room;
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
static struct fyke_block_room *room_for(struct fyke_ring *ring, size_t size)
{
	struct fyke_block_room *room = ring->filling;

	if (room != NULL && room->block.count < room->frames_room && room->size - used_of(room) >= size)
		return room;
	if (room != NULL)
		put_aside(ring, room);
	ring->filling = fyke_block_take(ring->pool, size);
	if (ring->filling == NULL)
		fail(ring, FYKE_FAILED_MEMORY, "no memory left for packets");
	return ring->filling;
}

static void take_packet(u_char *context, const struct pcap_pkthdr *header, const u_char *data)
{
	struct fyke_ring *ring = (struct fyke_ring *)(void *)context;
	uint32_t captured = header->caplen;
	struct fyke_block_room *room;
	struct fyke_frame *frame;
	uint8_t *bytes;

	if (ring->failed)
		return;
	room = room_for(ring, captured);
	if (room == NULL)
		return;
	bytes = room->bytes + used_of(room);
	memcpy(bytes, data, captured);
	frame = &room->frames[room->block.count++];
	*frame = (struct fyke_frame){
		.time_ns =
			(int64_t)header->ts.tv_sec * 1000000000 + (int64_t)header->ts.tv_usec * ring->tick_ns,
		.data = bytes,
		.captured = captured,
		.length = header->len < captured ? captured : header->len,
		.link_type = ring->link_type,
	};
}

int fyke_ring_collect(struct fyke_ring *ring)
{
	int got = pcap_dispatch(ring->pcap, -1, take_packet, (u_char *)ring);

	if (got < 0)
		fail(ring, FYKE_FAILED_IO, pcap_geterr(ring->pcap));
	return ring->failed ? -1 : got;
}

void fyke_ring_wait(const struct fyke_ring *ring, int64_t milliseconds)
{
	struct pollfd waiting = {.fd = ring->fd, .events = POLLIN};

	(void)poll(&waiting, 1, milliseconds > 0 ? (int)milliseconds : 0);
}

struct fyke_block_room *fyke_ring_take(struct fyke_ring *ring)
{
	struct fyke_block_room *room = ring->ready;

	if (room != NULL) {
		ring->ready = room->next;
		room->next = NULL;
	} else if (ring->filling != NULL && ring->filling->block.count > 0) {
		room = ring->filling;
		ring->filling = NULL;
	}
	return room;
}

/* libpcap counts in 32 bits, which wrap. */
bool fyke_ring_count_drops(struct fyke_ring *ring, uint64_t *kernel, uint64_t *interface)
{
	struct pcap_stat now;

	if (pcap_stats(ring->pcap, &now) != 0)
		return false;
	*kernel = (uint32_t)(now.ps_drop - ring->stats.ps_drop);
	*interface = (uint32_t)(now.ps_ifdrop - ring->stats.ps_ifdrop);
	ring->stats = now;
	return true;
}

static enum fyke_status refused(struct fyke_ring *ring, int result, struct fyke_error *error)
{
	const char *words = pcap_geterr(ring->pcap);

	switch (result) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return fyke_error_set(error, FYKE_FAILED_PERMISSION,
			"%s: no permission to capture; run fyke with sudo, or allow the program once: sudo "
			"setcap "
			"cap_net_raw,cap_net_admin+ep \"$(command -v fyke)\"",
			ring->name);
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return fyke_error_set(error, FYKE_FAILED_USAGE,
			"there is no interface %s; `fyke interfaces` lists those that are", ring->name);
	case PCAP_ERROR_IFACE_NOT_UP:
		return fyke_error_set(error, FYKE_FAILED_IO,
			"%s: the interface is down; bring it up with: ip link set %s up", ring->name,
			ring->name);
	default:
		return fyke_error_set(error, FYKE_FAILED_IO, "%s: cannot be captured from: %s", ring->name,
			words[0] != '\0' ? words : pcap_statustostr(result));
	}
}

static int snaplen_of(const struct fyke_source_options *options)
{
	return options->snaplen == 0 || options->snaplen > WHOLE_PACKETS ? WHOLE_PACKETS
									 : (int)options->snaplen;
}

static void set_up(struct fyke_ring *ring, const struct fyke_source_live_options *wanted,
	const struct fyke_source_options *options)
{
	uint32_t buffer = wanted->buffer_mib != 0 ? wanted->buffer_mib : BUFFER_MIB;

	/* These calls fail only on an activated handle, or where nanoseconds are not to be had. */
	(void)pcap_set_snaplen(ring->pcap, snaplen_of(options));
	(void)pcap_set_promisc(ring->pcap, wanted->promiscuous ? 1 : 0);
	(void)pcap_set_timeout(ring->pcap, ring->timeout_ms);
	(void)pcap_set_buffer_size(
		ring->pcap, (int)(buffer < BUFFER_MIB_MOST ? buffer : BUFFER_MIB_MOST) * 1024 * 1024);
	(void)pcap_set_tstamp_precision(ring->pcap, PCAP_TSTAMP_PRECISION_NANO);
}

static enum fyke_status set_filter(struct fyke_ring *ring, const char *expression, struct fyke_error *error)
{
	struct bpf_program code;
	int result;

	if (expression == NULL)
		return FYKE_OK;
	if (pcap_compile(ring->pcap, &code, expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
		return fyke_error_set(error, FYKE_FAILED_USAGE, "the filter “%s” is wrong: %s", expression,
			pcap_geterr(ring->pcap));
	result = pcap_setfilter(ring->pcap, &code);
	pcap_freecode(&code);
	if (result != 0)
		return fyke_error_set(error, FYKE_FAILED_IO, "%s: the filter cannot be set: %s", ring->name,
			pcap_geterr(ring->pcap));
	return FYKE_OK;
}

enum fyke_status fyke_ring_open(struct fyke_ring *ring, const struct fyke_source_live_options *wanted,
	const struct fyke_source_options *options, struct fyke_error *error)
{
	char words[PCAP_ERRBUF_SIZE] = "";
	enum fyke_status status;
	int result;

	ring->timeout_ms = wanted->timeout_ms > 0 ? wanted->timeout_ms : FYKE_RING_TIMEOUT_MS;
	ring->pcap = pcap_create(ring->name, words);
	if (ring->pcap == NULL)
		return fyke_error_set(
			error, FYKE_FAILED_IO, "%s: cannot be captured from: %s", ring->name, words);
	set_up(ring, wanted, options);
	result = pcap_activate(ring->pcap);
	if (result < 0) /* positive values are warnings */
		return refused(ring, result, error);
	status = set_filter(ring, options->filter, error);
	if (status != FYKE_OK)
		return status;
	if (pcap_setnonblock(ring->pcap, 1, words) != 0)
		return fyke_error_set(
			error, FYKE_FAILED_IO, "%s: cannot be captured from: %s", ring->name, words);
	ring->fd = pcap_get_selectable_fd(ring->pcap);
	ring->link_type = fyke_link_from_dlt(pcap_datalink(ring->pcap));
	ring->tick_ns = pcap_get_tstamp_precision(ring->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
	return FYKE_OK;
}

/* The kernel's hash is the same for both directions of a flow. A group of one's own: any number that a
 * program makes up may be another's already. */
enum fyke_status fyke_ring_join(struct fyke_ring *ring, int *group, struct fyke_error *error)
{
	int kind = PACKET_FANOUT_HASH | (*group == 0 ? PACKET_FANOUT_FLAG_UNIQUEID : 0);
	int option = (*group & 0xffff) | kind << 16;
	socklen_t size = sizeof(option);
	int fd = pcap_fileno(ring->pcap);

	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &option, sizeof(option)) != 0 ||
		getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &option, &size) != 0)
		return fyke_error_set(error, FYKE_FAILED_IO,
			"%s: its packets cannot be shared among rings: %s", ring->name, strerror(errno));
	*group = option & 0xffff;
	return FYKE_OK;
}
