/* IP protocol numbers by IANA's keywords, in lower case. */
#include "analyzer/session/transport.h"

#include <stddef.h>

#define TEN(d)                                                                                               \
	"ip-" #d "0", "ip-" #d "1", "ip-" #d "2", "ip-" #d "3", "ip-" #d "4", "ip-" #d "5", "ip-" #d "6",    \
		"ip-" #d "7", "ip-" #d "8", "ip-" #d "9"

static const char *const numbers[256] = {"ip-0", "ip-1", "ip-2", "ip-3", "ip-4", "ip-5", "ip-6", "ip-7",
	"ip-8", "ip-9", TEN(1), TEN(2), TEN(3), TEN(4), TEN(5), TEN(6), TEN(7), TEN(8), TEN(9), TEN(10),
	TEN(11), TEN(12), TEN(13), TEN(14), TEN(15), TEN(16), TEN(17), TEN(18), TEN(19), TEN(20), TEN(21),
	TEN(22), TEN(23), TEN(24), "ip-250", "ip-251", "ip-252", "ip-253", "ip-254", "ip-255"};

static const char *const keywords[256] = {
	[1] = "icmp",
	[2] = "igmp",
	[3] = "ggp",
	[4] = "ipip",
	[6] = "tcp",
	[8] = "egp",
	[9] = "igp",
	[17] = "udp",
	[27] = "rdp",
	[33] = "dccp",
	[41] = "ipv6",
	[46] = "rsvp",
	[47] = "gre",
	[50] = "esp",
	[51] = "ah",
	[58] = "icmp6",
	[59] = "no-next-header",
	[88] = "eigrp",
	[89] = "ospf",
	[94] = "ipip-old",
	[97] = "etherip",
	[103] = "pim",
	[108] = "ipcomp",
	[112] = "vrrp",
	[115] = "l2tp",
	[124] = "isis",
	[132] = "sctp",
	[136] = "udplite",
	[137] = "mpls",
};

const char *fyke_transport_name(uint8_t ip_protocol)
{
	return keywords[ip_protocol] != NULL ? keywords[ip_protocol] : numbers[ip_protocol];
}
