/* Overlap policies by network, and whether payload is looked into at all. */
#include "cli/payload_options.h"

#include "cli/command.h"
#include "dissectors/registry.h"

#include <stdio.h>
#include <string.h>

static bool take_policy(
	struct fyke_payload_options *options, const char *command, const char *text, int *result)
{
	struct fyke_receiver_rule rule = {.prefix = 0};
	bool otherwise;

	if (!fyke_receiver_parse(text, &rule, &otherwise)) {
		*result = fyke_usage(command,
			"--overlap-policy %s: a policy (linux, first, last, bsd, windows, solaris) or "
			"NETWORK=POLICY is expected",
			text);
		return false;
	}
	if (otherwise) {
		options->otherwise = rule.policy;
		return true;
	}
	if (options->rule_count == FYKE_RECEIVER_RULES_MAX) {
		*result =
			fyke_usage(command, "--overlap-policy: at most %d networks", FYKE_RECEIVER_RULES_MAX);
		return false;
	}
	options->rules[options->rule_count++] = rule;
	return true;
}

bool fyke_payload_take_policies(
	struct fyke_payload_options *options, const char *command, const char *value, int *result)
{
	char one[128];

	for (;;) {
		size_t length = strcspn(value, ",");

		(void)snprintf(one, sizeof(one), "%.*s",
			(int)(length < sizeof(one) ? length : sizeof(one) - 1), value);
		if (!take_policy(options, command, one, result))
			return false;
		if (value[length] == '\0')
			return true;
		value += length + 1;
	}
}

bool fyke_payload_take_files_limit(
	struct fyke_payload_options *options, const char *command, const char *value, int *result)
{
	if (fyke_parse_size(value, &options->files.bytes) && options->files.bytes > 0)
		return true;
	*result = fyke_usage(command, "--files-limit %s: a size like 500M or 20G is expected", value);
	return false;
}

bool fyke_payload_take_files_count(
	struct fyke_payload_options *options, const char *command, const char *value, int *result)
{
	if (fyke_parse_count(value, UINT32_MAX, &options->files.count) && options->files.count > 0)
		return true;
	*result = fyke_usage(command, "--files-count %s: a number of files from 1 is expected", value);
	return false;
}

void fyke_payload_apply(const struct fyke_payload_options *options, struct fyke_engine_options *engine)
{
	engine->dissectors = options->no_dissect ? NULL : fyke_dissectors();
	engine->stores_secrets = options->store_passwords;
	engine->no_file_hashes = options->no_file_hashes;
	engine->receivers = (struct fyke_receivers){options->otherwise, options->rules, options->rule_count};
}

static void describe_policies(const struct fyke_payload_options *options, char *text, size_t room)
{
	const char *separator = "--overlap-policy ";

	if (options->otherwise != FYKE_POLICY_LINUX) {
		(void)snprintf(text + strlen(text), room - strlen(text), "%s%s", separator,
			fyke_policy_name(options->otherwise));
		separator = ",";
	}
	for (size_t i = 0; i < options->rule_count; i++) {
		char network[FYKE_ADDRESS_TEXT];

		(void)fyke_address_text(&options->rules[i].network, network);
		(void)snprintf(text + strlen(text), room - strlen(text), "%s%s/%u=%s", separator, network,
			options->rules[i].prefix, fyke_policy_name(options->rules[i].policy));
		separator = ",";
	}
	if (*separator == ',')
		(void)snprintf(text + strlen(text), room - strlen(text), " ");
}

void fyke_payload_describe(const struct fyke_payload_options *options, char *text, size_t room)
{
	if (options->no_dissect)
		(void)snprintf(text + strlen(text), room - strlen(text), "--no-dissect ");
	if (options->no_file_hashes)
		(void)snprintf(text + strlen(text), room - strlen(text), "--no-file-hashes ");
	if (options->store_passwords)
		(void)snprintf(text + strlen(text), room - strlen(text), "--store-passwords ");
	describe_policies(options, text, room);
}
