/* Interfaces of DCE/RPC that are well known, and their operations ([MS-*] IDL files, C706). */
#ifndef FYKE_DISSECTORS_SHARED_DCERPC_NAMES_H
#define FYKE_DISSECTORS_SHARED_DCERPC_NAMES_H

#include <stdint.h>

struct fyke_dcerpc_interface {
	const char *uuid; /* lower case */
	const char *name;
	const char *const *operations; /* by opnum, ends with NULL; NULL = not named; "" = reserved */
};

/* NULL: not known. */
const struct fyke_dcerpc_interface *fyke_dcerpc_interface(const char *uuid);
const char *fyke_dcerpc_operation(const struct fyke_dcerpc_interface *interface, uint16_t opnum);

#endif
