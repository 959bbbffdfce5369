/*
 * tcpdump.org keeps LINKTYPE_ values equal to libpcap's DLT_ values except for a few old ones whose
 * DLT_ value depends on the system; libpcap's own table is in its source only, so here it is again
 * (a unit test compares it with libpcap's behaviour).
 */
#include "analyzer/capture/link.h"

#include <pcap/dlt.h>
#include <stddef.h>

static const struct {
	uint16_t link_type;
	int dlt;
} differing[] = {
	{100, DLT_ATM_RFC1483},
	{101, DLT_RAW},
	{102, DLT_SLIP_BSDOS},
	{103, DLT_PPP_BSDOS},
	{106, DLT_ATM_CLIP},
	{246, DLT_PFSYNC},
	{258, DLT_PKTAP},
};

int fyke_link_to_dlt(uint16_t link_type)
{
	for (size_t i = 0; i < sizeof(differing) / sizeof(differing[0]); i++) {
		if (differing[i].link_type == link_type)
			return differing[i].dlt;
	}
	return link_type;
}

uint16_t fyke_link_from_dlt(int dlt)
{
	for (size_t i = 0; i < sizeof(differing) / sizeof(differing[0]); i++) {
		if (differing[i].dlt == dlt)
			return differing[i].link_type;
	}
	return dlt < 0 || dlt > UINT16_MAX ? UINT16_MAX : (uint16_t)dlt;
}

uint16_t fyke_link_normalize(uint16_t link_type)
{
	switch (link_type) {
	case 11: /* BSD DLT_ATM_RFC1483 */
	case 13: /* the same on BSD/OS */
		return 100;
	case 12: /* BSD and Linux DLT_RAW */
	case 14: /* OpenBSD and BSD/OS DLT_RAW */
		return 101;
	default:
		return link_type;
	}
}
