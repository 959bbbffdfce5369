/*
 * What nobody can be faster than, to hold fyke against.
 *
 *   floor read FILE      reads the file in blocks of 256 KiB and touches nothing
 *   floor headers FILE   a libpcap loop that touches the Ethernet, IPv4 and TCP or UDP headers only
 *   floor aligned FILE   the same with a buffer of 256 KiB that begins at a page: what stdio's own costs goes
 * away floor flows FILE     the same, and counts packets and bytes of each pair of ends (IPv4) in a hash
 * table
 *
 * Prints the number of packets (of bytes for `read`), so that nothing can be optimised away.
 */
#include <errno.h>
#include <fcntl.h>
#include <pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 256 << 10, PAGE = 4096, FLOWS = 1 << 22 };

struct seen {
	uint64_t packets, addresses, ports, flags;
};

struct flow {
	uint64_t addresses;
	uint32_t ports, protocol;
	uint64_t packets, bytes;
};

struct flows {
	struct flow *slots; /* FLOWS of them, a power of two; never more than half full */
	uint64_t packets, count;
};

static void touch(u_char *user, const struct pcap_pkthdr *header, const u_char *data)
{
	struct seen *seen = (struct seen *)(void *)user;
	size_t length = header->caplen, head;

	seen->packets++;
	if (length < 34 || data[12] != 8 || data[13] != 0)
		return;
	seen->addresses += (uint64_t)data[29] + data[33];
	head = 14 + (size_t)(data[14] & 15) * 4;
	if (head + 20 > length)
		return;
	seen->ports += (uint64_t)(data[head] << 8 | data[head + 1]) +
		       (uint64_t)(data[head + 2] << 8 | data[head + 3]);
	if (data[23] == 6)
		seen->flags |= data[head + 13];
}

static uint32_t get32(const u_char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Both directions are one flow: the greater end stands first. */
static bool flow_key(const struct pcap_pkthdr *header, const u_char *data, struct flow *key)
{
	size_t head = 14 + (size_t)(data[14] & 15) * 4;
	uint64_t source, destination, ports;

	if (header->caplen < 34 || data[12] != 8 || data[13] != 0 || head + 4 > header->caplen)
		return false;
	source = get32(data + 26);
	destination = get32(data + 30);
	ports = get32(data + head);
	if (source < destination || (source == destination && ports >> 16 < (ports & 0xffff))) {
		key->addresses = destination << 32 | source;
		key->ports = (uint32_t)(ports << 16 | ports >> 16);
	} else {
		key->addresses = source << 32 | destination;
		key->ports = (uint32_t)ports;
	}
	key->protocol = data[23];
	return true;
}

static void count_flow(u_char *user, const struct pcap_pkthdr *header, const u_char *data)
{
	struct flows *flows = (struct flows *)(void *)user;
	struct flow key = {0}, *slot;
	uint64_t hash;

	flows->packets++;
	if (!flow_key(header, data, &key))
		return;
	hash = (key.addresses ^ (uint64_t)key.ports << 13 ^ key.protocol) * 0x9e3779b97f4a7c15u;
	hash ^= hash >> 29;
	for (slot = &flows->slots[hash % FLOWS]; slot->packets > 0; slot = &flows->slots[++hash % FLOWS])
		if (slot->addresses == key.addresses && slot->ports == key.ports &&
			slot->protocol == key.protocol)
			break;
	if (slot->packets == 0) {
		if (++flows->count > FLOWS / 2) {
			fprintf(stderr, "floor: too many flows\n");
			exit(1);
		}
		*slot = key;
	}
	slot->packets++;
	slot->bytes += header->len;
}

static pcap_t *open_file(const char *name, bool aligned)
{
	char error[PCAP_ERRBUF_SIZE];
	static _Alignas(PAGE) char buffer[BLOCK];
	FILE *file;
	pcap_t *pcap;

	if (!aligned) {
		pcap = pcap_open_offline(name, error);
	} else {
		file = fopen(name, "rb");
		if (file == NULL || setvbuf(file, buffer, _IOFBF, sizeof buffer) != 0) {
			fprintf(stderr, "floor: %s: %s\n", name, strerror(errno));
			exit(1);
		}
		pcap = pcap_fopen_offline(file, error);
	}
	if (pcap != NULL)
		return pcap;
	fprintf(stderr, "floor: %s\n", error);
	exit(1);
}

static int count_flows(const char *name)
{
	pcap_t *pcap = open_file(name, true);
	struct flows flows = {.slots = calloc(FLOWS, sizeof *flows.slots)};

	if (flows.slots == NULL || pcap_loop(pcap, 0, count_flow, (u_char *)&flows) != 0) {
		fprintf(stderr, "floor: %s: %s\n", name, pcap_geterr(pcap));
		return 1;
	}
	pcap_close(pcap);
	free(flows.slots);
	printf("%llu packets, %llu flows\n", (unsigned long long)flows.packets,
		(unsigned long long)flows.count);
	return 0;
}

static int headers(const char *name, bool aligned)
{
	pcap_t *pcap = open_file(name, aligned);
	struct seen seen = {0};

	if (pcap_loop(pcap, 0, touch, (u_char *)&seen) != 0) {
		fprintf(stderr, "floor: %s: %s\n", name, pcap_geterr(pcap));
		return 1;
	}
	pcap_close(pcap);
	printf("%llu packets, sums %llu %llu %llu\n", (unsigned long long)seen.packets,
		(unsigned long long)seen.addresses, (unsigned long long)seen.ports,
		(unsigned long long)seen.flags);
	return 0;
}

static int read_only(const char *name)
{
	static char block[BLOCK];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	uint64_t bytes = 0;
	ssize_t got = 0;

	while (fd >= 0 && (got = read(fd, block, BLOCK)) > 0)
		bytes += (uint64_t)got;
	if (fd < 0 || got < 0) {
		fprintf(stderr, "floor: %s: %s\n", name, strerror(errno));
		return 1;
	}
	close(fd);
	printf("%llu bytes\n", (unsigned long long)bytes);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "headers") == 0)
		return headers(argv[2], false);
	if (argc == 3 && strcmp(argv[1], "aligned") == 0)
		return headers(argv[2], true);
	if (argc == 3 && strcmp(argv[1], "flows") == 0)
		return count_flows(argv[2]);
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return read_only(argv[2]);
	fprintf(stderr, "usage: floor read|headers|aligned|flows FILE\n");
	return 2;
}
