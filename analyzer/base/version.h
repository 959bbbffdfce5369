/* The version of this fyke: `fyke version`, the JSON report, captures.version. */
#ifndef FYKE_BASE_VERSION_H
#define FYKE_BASE_VERSION_H

#define FYKE_VERSION "0.1.0"

#endif
