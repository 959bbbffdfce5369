/* Where the bytes of transferred files may go: given by who runs the analysis (--files DIR). */
#ifndef FYKE_DISSECT_FILE_STORE_H
#define FYKE_DISSECT_FILE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `handle` is what begin gave. The name by which a file is saved is the store's: never the sender's. */
struct fyke_file_store {
	void *context;
	/* A file whose first bytes came in `frame`; NULL = it is not saved. */
	void *(*begin)(void *context, uint64_t frame);
	void (*data)(void *context, void *handle, const uint8_t *bytes, size_t length);
	/* `missing` bytes are not there. */
	void (*gap)(void *context, void *handle, uint64_t missing);
	/* Frees the handle. Writes the name that it was saved by, "" when it was not. `type`: what was
	 * sniffed, NULL = nothing; `complete`: these are all of its bytes. */
	void (*end)(void *context, void *handle, const char *type, bool complete, char *name, size_t room);
	/* It was none: frees the handle, and nothing of it stays. */
	void (*discard)(void *context, void *handle);
};

#endif
