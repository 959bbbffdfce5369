/* Which libpcap this is: for `fyke version` and reports of faults. */
#ifndef FYKE_CAPTURE_LIBRARY_H
#define FYKE_CAPTURE_LIBRARY_H

const char *fyke_capture_library_version(void); /* static: "libpcap version 1.10.3 …" */

#endif
