/*
 * What nobody can be faster than, to hold fyke against.
 *
 *   floor read FILE      reads the file in blocks of 256 KiB and touches nothing
 *   floor headers FILE   a libpcap loop that touches the Ethernet, IPv4 and TCP or UDP headers only
 *
 * Prints the number of packets (of bytes for `read`), so that nothing can be optimised away.
 */
#include <errno.h>
#include <fcntl.h>
#include <pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct seen {
	uint64_t packets, addresses, ports, flags;
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

static int headers(const char *name)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(name, error);
	struct seen seen = {0};

	if (pcap == NULL) {
		fprintf(stderr, "floor: %s\n", error);
		return 1;
	}
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
	enum { BLOCK = 256 << 10 };
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
		return headers(argv[2]);
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return read_only(argv[2]);
	fprintf(stderr, "usage: floor read|headers FILE\n");
	return 2;
}
