/* Few rules, looked at once a connection: a list is enough. */
#include "analyzer/tcp/receivers.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_in(const struct fyke_receiver_rule *rule, const struct fyke_address *address)
{
	unsigned whole = rule->prefix / 8, bits = rule->prefix % 8;
	uint8_t mask = (uint8_t)(0xff00U >> bits);

	if (address->family != rule->network.family ||
		memcmp(address->bytes, rule->network.bytes, whole) != 0)
		return false;
	return bits == 0 || ((address->bytes[whole] ^ rule->network.bytes[whole]) & mask) == 0;
}

enum fyke_policy fyke_receivers_policy(
	const struct fyke_receivers *receivers, const struct fyke_address *receiver)
{
	const struct fyke_receiver_rule *best = NULL;

	for (size_t i = 0; i < receivers->count; i++) {
		const struct fyke_receiver_rule *rule = &receivers->rules[i];

		if (is_in(rule, receiver) && (best == NULL || rule->prefix >= best->prefix))
			best = rule;
	}
	return best != NULL ? best->policy : receivers->otherwise;
}

static bool parse_network(const char *text, size_t length, struct fyke_receiver_rule *rule)
{
	char address[FYKE_ADDRESS_TEXT + 4];
	unsigned long prefix = ULONG_MAX;
	char *slash, *end;

	if (length >= sizeof(address))
		return false;
	(void)snprintf(address, sizeof(address), "%.*s", (int)length, text);
	slash = strchr(address, '/');
	if (slash != NULL) {
		*slash = '\0';
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		prefix = strtoul(slash + 1, &end, 10);
		if (*end != '\0')
			return false;
	}
	if (!fyke_address_parse(address, &rule->network))
		return false;
	if (slash == NULL)
		prefix = rule->network.family == FYKE_ADDRESS_IPV4 ? 32 : 128;
	if (prefix > (rule->network.family == FYKE_ADDRESS_IPV4 ? 32 : 128))
		return false;
	rule->prefix = (uint8_t)prefix;
	return true;
}

bool fyke_receiver_parse(const char *text, struct fyke_receiver_rule *rule, bool *otherwise)
{
	const char *equals = strchr(text, '=');

	*otherwise = equals == NULL;
	if (equals == NULL)
		return fyke_policy_parse(text, &rule->policy);
	return parse_network(text, (size_t)(equals - text), rule) &&
	       fyke_policy_parse(equals + 1, &rule->policy);
}
