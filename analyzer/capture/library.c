/* The version of libpcap, so that nobody else includes pcap.h. */
#include "analyzer/capture/library.h"

#include <pcap/pcap.h>

const char *fyke_capture_library_version(void)
{
	return pcap_lib_version();
}
