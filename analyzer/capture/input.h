/*
 * Inside of analyzer/capture: the uncompressed bytes of an open file, pipe or standard input.
 * What is wrong with the compression is damage, told once everything before it has been read.
 */
#ifndef FYKE_CAPTURE_INPUT_H
#define FYKE_CAPTURE_INPUT_H

#include "analyzer/base/status.h"
#include "analyzer/capture/decompress.h"

struct fyke_input;

struct fyke_input_options {
	int fd;			   /* borrowed; read from where it stands */
	const char *name;	   /* for sentences; borrowed */
	const volatile bool *stop; /* NULL, or ends the input when it becomes true */
	bool hash_all;		   /* keep the XXH3-128 of all bytes read */
};

/* Reads the first bytes to learn the compression. */
FYKE_MUST_USE enum fyke_status fyke_input_new(
	const struct fyke_input_options *options, struct fyke_input **input, struct fyke_error *error);
void fyke_input_free(struct fyke_input *input);

/* Up to `size` uncompressed bytes; *got is 0 only at the end (or after a stop). Of a regular file all
 * that fit; of a pipe what is there, so that packets are not kept waiting. */
FYKE_MUST_USE enum fyke_status fyke_input_read(
	struct fyke_input *input, uint8_t *to, size_t size, size_t *got, struct fyke_error *error);

/* NULL, or what is wrong with the compressed bytes: a clause like "the gzip data end early". */
const char *fyke_input_damage(const struct fyke_input *input);

enum fyke_compression fyke_input_compression(const struct fyke_input *input);
bool fyke_input_stopped(const struct fyke_input *input);
uint64_t fyke_input_consumed(const struct fyke_input *input); /* bytes on disk */
void fyke_input_hash(const struct fyke_input *input, char text[33]);

#endif
