/*
 * Ports that protocols declare as their servers': with "below 1024" this tells which side looks like
 * the server when no SYN was seen (SEMANTICS §1; the set is that of Zeek's analyzers, whose
 * likely_server_ports the rule comes from).
 *
 * A dissector that declares ports of its own makes its line here superfluous.
 */
#include "analyzer/classify/registry.h"

enum { T = FYKE_REGISTRY_TCP, U = FYKE_REGISTRY_UDP };

struct server_ports {
	uint8_t transports;
	uint16_t first, last;
};

/* Ascending. */
static const struct server_ports declared[] = {
	{T, 21, 22},	       /* FTP, SSH */
	{T, 25, 25},	       /* SMTP */
	{T | U, 53, 53},       /* DNS */
	{U, 67, 67},	       /* DHCP */
	{T, 80, 81},	       /* HTTP */
	{T | U, 88, 88},       /* Kerberos */
	{T, 110, 110},	       /* POP3 */
	{U, 123, 123},	       /* NTP */
	{U, 137, 137},	       /* NetBIOS names */
	{T, 139, 139},	       /* SMB over NetBIOS */
	{T, 143, 143},	       /* IMAP */
	{U, 161, 162},	       /* SNMP */
	{T | U, 389, 389},     /* LDAP */
	{T | U, 443, 443},     /* TLS, DTLS and QUIC */
	{T, 445, 445},	       /* SMB */
	{T, 502, 502},	       /* Modbus */
	{U, 514, 514},	       /* Syslog */
	{U, 547, 547},	       /* DHCPv6 */
	{T, 563, 563},	       /* NNTP over TLS */
	{T, 585, 585},	       /* IMAP over TLS, formerly */
	{T, 587, 587},	       /* SMTP submission */
	{T, 614, 614},	       /* TLS */
	{T, 631, 631},	       /* IPP */
	{T, 636, 636},	       /* LDAP over TLS */
	{T, 853, 853},	       /* DNS over TLS */
	{T, 989, 990},	       /* FTP over TLS */
	{T, 992, 993},	       /* Telnet, IMAP over TLS */
	{T, 995, 995},	       /* POP3 over TLS */
	{T, 1080, 1080},       /* SOCKS, HTTP proxies */
	{T, 1434, 1434},       /* MySQL, by Zeek's list */
	{U, 1812, 1812},       /* RADIUS */
	{T, 1883, 1883},       /* MQTT */
	{U, 2123, 2123},       /* GTP-C */
	{U, 2152, 2152},       /* GTP-U */
	{T, 2811, 2811},       /* GridFTP */
	{T, 3128, 3128},       /* HTTP proxies */
	{T, 3268, 3268},       /* LDAP, global catalogue */
	{T, 3306, 3306},       /* MySQL */
	{T, 3389, 3389},       /* RDP */
	{U, 3544, 3544},       /* Teredo */
	{U, 4011, 4011},       /* DHCP, PXE */
	{U, 4789, 4789},       /* VXLAN */
	{U, 5060, 5060},       /* SIP */
	{U, 5072, 5072},       /* AYIYA */
	{T, 5223, 5223},       /* XMPP over TLS */
	{U, 5353, 5353},       /* multicast DNS */
	{U, 5355, 5355},       /* LLMNR */
	{T, 5432, 5432},       /* PostgreSQL */
	{U, 6081, 6081},       /* GENEVE */
	{T, 6379, 6379},       /* Redis */
	{T, 6666, 6669},       /* IRC */
	{T, 8000, 8000},       /* HTTP */
	{T, 8080, 8080},       /* HTTP */
	{T, 8443, 8443},       /* TLS */
	{T, 8888, 8888},       /* HTTP */
	{T | U, 20000, 20000}, /* DNP3 */
};

bool fyke_server_port_declared(enum fyke_registry_transport transport, uint16_t port)
{
	size_t low = 0, high = sizeof(declared) / sizeof(declared[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (declared[middle].last < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sizeof(declared) / sizeof(declared[0]) && port >= declared[low].first &&
	       (declared[low].transports & transport) != 0;
}
