/* What is known of a run as a whole: one row of `captures` and its rows of `files`. */
#ifndef FYKE_SESSION_CAPTURE_H
#define FYKE_SESSION_CAPTURE_H

#include "analyzer/session/session.h"

enum fyke_capture_status {
	FYKE_CAPTURE_RUNNING = 0,
	FYKE_CAPTURE_COMPLETE,
	FYKE_CAPTURE_DAMAGED,	  /* the input was damaged or cut; what could be read is there */
	FYKE_CAPTURE_INTERRUPTED, /* ended by the user or a fault before the input did */
};

const char *fyke_capture_status_name(enum fyke_capture_status status);

struct fyke_capture_file {
	const char *name, *format, *damage; /* damage: NULL or a sentence */
	uint64_t bytes, first_frame, frames;
	char fingerprint[33];
	/* What it says of who wrote it, and about itself; untrusted, NULL = not told. */
	const char *application, *os, *hardware, *comment;
};

struct fyke_capture_interface {
	const char *name, *description;		      /* untrusted, "" = not told */
	const char *comment, *os, *hardware, *filter; /* untrusted, NULL = not told */
	char link_type[48];
	uint32_t snaplen; /* 0 = no limit told */
	uint32_t file;	  /* index into the files; of no meaning when live */
};

struct fyke_capture_refusal {
	const char *name;	 /* key, e.g. "arp" */
	const char *description; /* for people */
	bool is_damage;
	uint64_t count;
};

/* All borrowed from whoever fills it in. */
struct fyke_capture {
	bool is_interface;	/* else: files */
	const char *name;	/* interface, or the file names joined by ", " */
	const char *options;	/* the options that shape the result, as given ("-f 'tcp'"); no secrets */
	const char *version;	/* of fyke */
	const char *link_types; /* names joined by ", " */
	int64_t first_packet_us,
		last_packet_us; /* minimum and maximum; FYKE_UNKNOWN when there was no packet */
	uint64_t packets;	/* frames that passed the filter */
	uint64_t bytes;		/* their lengths on the wire */
	uint64_t filtered_packets;
	uint64_t refused_packets;
	const struct fyke_capture_refusal *refusals; /* those with count > 0 */
	size_t refusal_count;
	int64_t kernel_drops, interface_drops; /* FYKE_UNKNOWN for files */
	enum fyke_capture_status status;
	const struct fyke_capture_file *files;
	size_t file_count;
	const struct fyke_capture_interface *interfaces; /* those known by now */
	size_t interface_count;
};

#endif
