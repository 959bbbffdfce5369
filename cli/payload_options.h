/* Options of analyze and monitor about what sessions carry. */
#ifndef FYKE_CLI_PAYLOAD_OPTIONS_H
#define FYKE_CLI_PAYLOAD_OPTIONS_H

#include "analyzer/engine.h"
#include "cli/file_store.h"

enum { FYKE_RECEIVER_RULES_MAX = 64 };

struct fyke_payload_options {
	bool no_dissect, store_passwords, no_file_hashes;
	struct fyke_receiver_rule rules[FYKE_RECEIVER_RULES_MAX];
	size_t rule_count;
	enum fyke_policy otherwise;
	struct fyke_file_store_options files;
};

/* "linux", "windows,10.0.0.0/8=linux" …: adds to what was given before. False: a mistake, told. */
bool fyke_payload_take_policies(
	struct fyke_payload_options *options, const char *command, const char *value, int *result);

/* "--files-limit 1G", "--files-count N". False: a mistake, told. */
bool fyke_payload_take_files_limit(
	struct fyke_payload_options *options, const char *command, const char *value, int *result);
bool fyke_payload_take_files_count(
	struct fyke_payload_options *options, const char *command, const char *value, int *result);

/* What the engine is to do. `options` is borrowed for the engine's life. */
void fyke_payload_apply(const struct fyke_payload_options *options, struct fyke_engine_options *engine);

/* Those that shape the result, as text behind what is in `text`, each with a space behind it. */
void fyke_payload_describe(const struct fyke_payload_options *options, char *text, size_t room);

#endif
