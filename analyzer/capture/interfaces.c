/*
 * libpcap's list of devices. The link type comes from the kernel's hardware type (ARPHRD_) as libpcap
 * maps it when it opens the device; D-Bus, USB, Bluetooth and netfilter devices are left out: they
 * are no interfaces that hosts talk over.
 */
#include "analyzer/capture/interfaces.h"

#include "analyzer/base/address.h"

#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

enum { LINK_ETHERNET = 1, LINK_RAW = 101, LINK_80211 = 105, LINK_COOKED = 113, LINK_RADIOTAP = 127 };

static int link_of(unsigned hardware)
{
	switch (hardware) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return LINK_ETHERNET;
	case ARPHRD_NONE:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
		return LINK_RAW;
	case ARPHRD_IEEE80211:
		return LINK_80211;
	case ARPHRD_IEEE80211_RADIOTAP:
		return LINK_RADIOTAP;
	case ARPHRD_PPP:
		return LINK_COOKED;
	default:
		return -1;
	}
}

static void take_hardware(struct fyke_interface *interface, const struct sockaddr *address)
{
	struct sockaddr_ll link;
	static const uint8_t zero[6];

	memcpy(&link, address, sizeof(link));
	if (interface->link_type < 0)
		interface->link_type = link_of(link.sll_hatype);
	if (link.sll_halen == 6 && memcmp(link.sll_addr, zero, 6) != 0)
		fyke_mac_text(link.sll_addr, interface->mac);
}

static bool add_address(struct fyke_interface *interface, const struct fyke_address *address)
{
	char text[FYKE_ADDRESS_TEXT];
	char **grown = reallocarray(
		interface->addresses, interface->addresses_count + 1, sizeof(*interface->addresses));

	if (grown == NULL)
		return false;
	interface->addresses = grown;
	(void)fyke_address_text(address, text);
	grown[interface->addresses_count] = strdup(text);
	if (grown[interface->addresses_count] == NULL)
		return false;
	interface->addresses_count++;
	return true;
}

static bool take_address(struct fyke_interface *interface, const struct sockaddr *from)
{
	struct fyke_address address;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;

	switch (from->sa_family) {
	case AF_INET:
		memcpy(&ipv4, from, sizeof(ipv4));
		address = fyke_address_ipv4((const uint8_t *)&ipv4.sin_addr);
		return add_address(interface, &address);
	case AF_INET6:
		memcpy(&ipv6, from, sizeof(ipv6));
		address = fyke_address_ipv6(ipv6.sin6_addr.s6_addr);
		return add_address(interface, &address);
	case AF_PACKET:
		take_hardware(interface, from);
		return true;
	default:
		return true;
	}
}

static bool take_device(struct fyke_interface *interface, const pcap_if_t *device)
{
	bool good = true;

	*interface = (struct fyke_interface){.link_type = -1};
	interface->name = strdup(device->name);
	interface->description = strdup(device->description == NULL ? "" : device->description);
	interface->up = (device->flags & PCAP_IF_UP) != 0;
	interface->running = (device->flags & PCAP_IF_RUNNING) != 0;
	interface->loopback = (device->flags & PCAP_IF_LOOPBACK) != 0;
	interface->wireless = (device->flags & PCAP_IF_WIRELESS) != 0;
	if (strcmp(device->name, "any") == 0)
		interface->link_type = LINK_COOKED;
	for (const pcap_addr_t *at = device->addresses; at != NULL && good; at = at->next)
		good = at->addr == NULL || take_address(interface, at->addr);
	return good && interface->name != NULL && interface->description != NULL;
}

static bool is_network(const pcap_if_t *device)
{
	static const char *const others[] = {"dbus-", "usbmon", "bluetooth", "nflog", "nfqueue", "rdma"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strncmp(device->name, others[i], strlen(others[i])) == 0)
			return false;
	}
	return true;
}

static bool take_devices(struct fyke_interfaces *interfaces, const pcap_if_t *devices)
{
	for (const pcap_if_t *device = devices; device != NULL; device = device->next) {
		struct fyke_interface *grown;

		if (!is_network(device))
			continue;
		grown = reallocarray(interfaces->items, interfaces->count + 1, sizeof(*grown));
		if (grown == NULL)
			return false;
		interfaces->items = grown;
		if (!take_device(&grown[interfaces->count++], device))
			return false;
	}
	return true;
}

enum fyke_status fyke_interfaces_list(struct fyke_interfaces *interfaces, struct fyke_error *error)
{
	char words[PCAP_ERRBUF_SIZE] = "";
	pcap_if_t *devices = NULL;
	bool good;

	*interfaces = (struct fyke_interfaces){0};
	if (pcap_findalldevs(&devices, words) != 0)
		return fyke_error_set(error, FYKE_FAILED_IO, "the interfaces cannot be listed: %s", words);
	good = take_devices(interfaces, devices);
	pcap_freealldevs(devices);
	if (good)
		return FYKE_OK;
	fyke_interfaces_release(interfaces);
	return fyke_error_set(error, FYKE_FAILED_MEMORY, "no memory left to list the interfaces");
}

void fyke_interfaces_release(struct fyke_interfaces *interfaces)
{
	for (size_t i = 0; i < interfaces->count; i++) {
		struct fyke_interface *interface = &interfaces->items[i];

		for (size_t a = 0; a < interface->addresses_count; a++)
			free(interface->addresses[a]);
		free(interface->addresses);
		free(interface->name);
		free(interface->description);
	}
	free(interfaces->items);
	*interfaces = (struct fyke_interfaces){0};
}
