/*
 * Lists of services. Mail has two ports for each way: 25 between servers (STARTTLS where both can), 587 or
 * 465 from programs of users; 993 and 995 to fetch it, where 143 and 110 are in clear text unless STLS comes
 * first.
 */
#include "reports/port_advice.h"

#include <stddef.h>
#include <string.h>

#define CLEAR  FYKE_PORT_CLEAR
#define REMOTE FYKE_PORT_REMOTE
#define DATA   FYKE_PORT_DATA
#define OLD    FYKE_PORT_OLD

/* clang-format off */
static const struct fyke_port_known known[] = {
	{"telnet", 23, "Telnet", CLEAR | REMOTE | OLD, "SSH (port 22)"},
	{"ftp", 21, "FTP", CLEAR | OLD, "SFTP (port 22) or FTPS (port 990)"},
	{"tftp", 69, "TFTP", CLEAR | DATA | OLD, "SFTP or HTTPS"},
	{"shell", 514, "rsh", CLEAR | REMOTE | OLD, "SSH (port 22)"},
	{"login", 513, "rlogin", CLEAR | REMOTE | OLD, "SSH (port 22)"},
	{"exec", 512, "rexec", CLEAR | REMOTE | OLD, "SSH (port 22)"},
	{"pop3", 110, "POP3", CLEAR, "POP3 over TLS (port 995)"},
	{"imap", 143, "IMAP", CLEAR, "IMAP over TLS (port 993)"},
	{"finger", 79, "Finger", CLEAR | OLD, NULL},
	{"echo", 7, "echo", CLEAR | OLD, NULL},
	{"chargen", 19, "chargen", CLEAR | OLD, NULL},
	{"snmp", 161, "SNMP", CLEAR | REMOTE, "SNMP version 3, from the monitoring host alone"},
	{"ldap", 389, "LDAP", CLEAR | DATA, "LDAP over TLS (port 636)"},
	{"http", 80, "HTTP", CLEAR, "HTTPS (port 443)"},
	{"http-alt", 8080, "HTTP", CLEAR, "HTTPS"},
	{"netbios-ssn", 139, "NetBIOS", DATA | OLD, "SMB (port 445) inside the network alone"},
	{"microsoft-ds", 445, "Windows file sharing (SMB)", DATA, NULL},
	{"smb", 445, "Windows file sharing (SMB)", DATA, NULL},
	{"nfs", 2049, "NFS", DATA | CLEAR, NULL},
	{"rsync", 873, "rsync", DATA | CLEAR, "rsync over SSH"},
	{"sunrpc", 111, "portmapper", REMOTE | OLD, NULL},
	{"epmap", 135, "Windows RPC", REMOTE, NULL},
	{"ms-wbt-server", 3389, "Remote Desktop", REMOTE, "the same through a VPN"},
	{"rdp", 3389, "Remote Desktop", REMOTE, "the same through a VPN"},
	{"vnc", 5900, "VNC", REMOTE, "the same through SSH or a VPN"},
	{"rfb", 5900, "VNC", REMOTE, "the same through SSH or a VPN"},
	{"x11", 6000, "X11", REMOTE | CLEAR | OLD, "ssh -X"},
	{"wsman", 5985, "Windows remote management", REMOTE, "the same over HTTPS (port 5986)"},
	{"docker", 2375, "Docker", REMOTE | CLEAR, "its socket through SSH"},
	{"etcd-client", 2379, "etcd", DATA, NULL},
	{NULL, 10250, "Kubelet", REMOTE, NULL},
	{"mysql", 3306, "MySQL", DATA, NULL},
	{"postgresql", 5432, "PostgreSQL", DATA, NULL},
	{"ms-sql-s", 1433, "SQL Server", DATA, NULL},
	{"ncube-lm", 1521, "Oracle", DATA, NULL},
	{"redis", 6379, "Redis", DATA | CLEAR, NULL},
	{"memcache", 11211, "memcached", DATA | CLEAR, NULL},
	{"memcached", 11211, "memcached", DATA | CLEAR, NULL},
	{"mongodb", 27017, "MongoDB", DATA, NULL},
	{NULL, 9200, "Elasticsearch", DATA | CLEAR, NULL},
	{"couchdb", 5984, "CouchDB", DATA | CLEAR, NULL},
	{NULL, 9042, "Cassandra", DATA, NULL},
	{"mqtt", 1883, "MQTT", CLEAR, "MQTT over TLS (port 8883)"},
	{"modbus", 502, "Modbus", CLEAR | REMOTE, NULL},
	{"mbap", 502, "Modbus", CLEAR | REMOTE, NULL},
	{"irc", 6667, "IRC", CLEAR, "IRC over TLS (port 6697)"},
	{"socks", 1080, "a SOCKS proxy", REMOTE, NULL},
	{"ssh", 22, "SSH", REMOTE, NULL},
};

static const struct {
	uint16_t port;
	const char *words;
} malware[] = {
	{1337, "back doors of many kinds"}, {4444, "Metasploit and Blaster"}, {5554, "Sasser"},
	{6666, "bots on IRC"}, {9996, "Sasser"}, {12345, "NetBus"}, {12346, "NetBus"}, {16660, "Stacheldraht"},
	{20034, "NetBus 2"}, {27374, "SubSeven"}, {27665, "Trinoo"}, {31337, "Back Orifice"}, {31338, "Back Orifice"},
	{50050, "Cobalt Strike"}, {54320, "Back Orifice 2000"}, {54321, "Back Orifice 2000"}, {65000, "Stacheldraht"},
};
/* clang-format on */

const struct fyke_port_known *fyke_port_known(const char *service, bool is_tcp, int64_t port)
{
	for (size_t i = 0; service != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].service != NULL && strcmp(known[i].service, service) == 0)
			return &known[i];
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		/* What speaks there is known to be something else. */
		if (known[i].port == port && (known[i].service == NULL || service == NULL) &&
			(is_tcp || port == 161 || port == 69 || port == 389))
			return &known[i];
	}
	return NULL;
}

const char *fyke_port_malware(bool is_tcp, int64_t port)
{
	for (size_t i = 0; is_tcp && i < sizeof(malware) / sizeof(malware[0]); i++) {
		if (malware[i].port == port)
			return malware[i].words;
	}
	return NULL;
}
