/* Inside of analyzer/capture: LINKTYPE_ values (in files) and DLT_ values (in libpcap) where they differ. */
#ifndef FYKE_CAPTURE_LINK_H
#define FYKE_CAPTURE_LINK_H

#include <stdint.h>

int fyke_link_to_dlt(uint16_t link_type);
uint16_t fyke_link_from_dlt(int dlt);

/* Values that some systems wrote into files although they are their own DLT_ numbers. */
uint16_t fyke_link_normalize(uint16_t link_type);

#endif
