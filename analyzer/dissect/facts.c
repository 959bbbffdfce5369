/* What dissectors say, bounded and handed on (dissectors/facts.h). */
#include "dissectors/facts.h"

#include "analyzer/dissect/parts.h"
#include "analyzer/session/session.h"

#include <ctype.h>
#include <string.h>

enum { FIELDS_MAX = 64, SERVER_NAME_MAX = 255, HOST_VALUE_MAX = 255 };

void *fyke_state(const struct fyke_dissection *dissection)
{
	return dissection->state;
}

bool fyke_secrets_are_stored(const struct fyke_dissection *dissection)
{
	return dissection->options.stores_secrets;
}

struct fyke_value fyke_secret(const struct fyke_dissection *dissection, const void *bytes, size_t length)
{
	if (bytes == NULL || dissection->options.stores_secrets)
		return fyke_bytes(bytes, length);
	return fyke_word("***");
}

static struct fyke_value bounded(struct fyke_value value, uint32_t max)
{
	if (value.kind == FYKE_VALUE_BYTES && value.length > max)
		value.length = max;
	return value;
}

void fyke_dissect_record(struct fyke_dissection *dissection, const struct fyke_table *table,
	const struct fyke_moment *moment, const struct fyke_value *values)
{
	struct fyke_value own[FIELDS_MAX];

	if (dissection->memory_out || table->field_count > FIELDS_MAX)
		return;
	for (size_t i = 0; i < table->field_count; i++)
		own[i] = bounded(values[i], FYKE_FACT_TEXT_MAX);
	if (!dissection->options.sink->record(dissection->options.context, table, moment, own))
		dissection->memory_out = true;
}

void fyke_record_at(struct fyke_dissection *dissection, const struct fyke_table *table,
	struct fyke_moment moment, const struct fyke_value *values)
{
	fyke_confirm(dissection);
	fyke_dissect_record(dissection, table, &moment, values);
}

void fyke_record(
	struct fyke_dissection *dissection, const struct fyke_table *table, const struct fyke_value *values)
{
	fyke_record_at(dissection, table, dissection->now, values);
}

struct fyke_moment fyke_now(const struct fyke_dissection *dissection)
{
	return dissection->now;
}

void fyke_confirm(struct fyke_dissection *dissection)
{
	dissection->confirmed = true;
	if (dissection->content != NULL)
		return;
	dissection->content = dissection->dissector;
	dissection->content_service = dissection->dissector->name;
}

bool fyke_is_confirmed(const struct fyke_dissection *dissection)
{
	return dissection->confirmed;
}

void fyke_confirm_as(struct fyke_dissection *dissection, const char *content_service)
{
	fyke_confirm(dissection);
	dissection->content_service = content_service;
}

/* A Host that only repeats the address names nobody. */
static bool is_own_address(const struct fyke_dissection *dissection, const char *name, size_t length)
{
	char address[FYKE_ADDRESS_TEXT];
	size_t size = fyke_address_text(fyke_address_of(dissection, FYKE_SERVER), address);

	if (length >= 2 && name[0] == '[' && name[length - 1] == ']') {
		name++;
		length -= 2;
	}
	return size == length && memcmp(name, address, size) == 0;
}

/* Names are compared without regard to case, so they are stored in lower case; a root dot goes. */
void fyke_name_server(struct fyke_dissection *dissection, const void *name, size_t length)
{
	const char *text = name;

	if (length > 0 && text[length - 1] == '.')
		length--;
	if (length == 0 || is_own_address(dissection, text, length) || length > SERVER_NAME_MAX ||
		dissection->server_name != NULL)
		return;
	dissection->server_name = fyke_blocks_take(fyke_dissect_blocks(dissection), length);
	if (dissection->server_name == NULL) {
		dissection->memory_out = true;
		return;
	}
	for (size_t i = 0; i < length; i++)
		dissection->server_name[i] =
			(char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	dissection->server_name_length = (uint32_t)length;
}

unsigned fyke_transport_of(const struct fyke_dissection *dissection)
{
	return dissection->options.transport;
}

const struct fyke_address *fyke_address_of(const struct fyke_dissection *dissection, enum fyke_side side)
{
	return &dissection->options.ip[fyke_dissect_side(dissection, side)];
}

uint16_t fyke_port_of(const struct fyke_dissection *dissection, enum fyke_side side)
{
	return dissection->options.port[fyke_dissect_side(dissection, side)];
}

const char *fyke_carrier(const struct fyke_dissection *dissection)
{
	return dissection->carrier != NULL ? dissection->carrier->name : NULL;
}

void fyke_expect(struct fyke_dissection *dissection, const struct fyke_expectation *expectation)
{
	struct fyke_expectation own = *expectation;

	if (own.note_length > FYKE_EXPECT_NOTE_MAX)
		own.note_length = FYKE_EXPECT_NOTE_MAX;
	if (own.port != 0 && dissection->options.sink->expect != NULL)
		dissection->options.sink->expect(dissection->options.context, &own);
}

const void *fyke_expected_note(const struct fyke_dissection *dissection, size_t *length)
{
	*length = dissection->options.note_length;
	return dissection->options.note;
}

struct fyke_value fyke_expected_by(const struct fyke_dissection *dissection)
{
	return dissection->options.expected_by;
}

static void say_of_host(struct fyke_dissection *dissection, const struct fyke_address *ip, uint16_t port,
	enum fyke_host_fact fact, struct fyke_value value, const char *source)
{
	static const char *const words[] = {
		[FYKE_HOST_NAME] = "name",
		[FYKE_HOST_MAC] = "mac",
		[FYKE_HOST_VENDOR] = "vendor",
		[FYKE_HOST_OS] = "os",
		[FYKE_HOST_PRODUCT] = "product",
	};
	char address[FYKE_ADDRESS_TEXT];
	struct fyke_value values[FYKE_HOST_FACTS_COUNT] = {{0}};

	if (value.length == 0 || fyke_address_text(ip, address) == 0)
		return;
	values[FYKE_HOST_FACTS_IP] = fyke_word(address);
	values[FYKE_HOST_FACTS_PORT] = fyke_integer_if(port != 0, port);
	values[FYKE_HOST_FACTS_FACT] = fyke_word(words[fact]);
	values[FYKE_HOST_FACTS_VALUE] = bounded(value, HOST_VALUE_MAX);
	values[FYKE_HOST_FACTS_SOURCE] = fyke_word(source);
	fyke_dissect_record(dissection, &fyke_table_host_facts, &dissection->now, values);
}

void fyke_host_says(struct fyke_dissection *dissection, const struct fyke_address *ip,
	enum fyke_host_fact fact, const void *value, size_t length, const char *source)
{
	fyke_confirm(dissection);
	say_of_host(dissection, ip, 0, fact, fyke_bytes(value, length), source);
	if (fact == FYKE_HOST_NAME && length > 0 && dissection->options.sink->resolved != NULL)
		dissection->options.sink->resolved(dissection->options.context, ip, value, length);
}

void fyke_product(struct fyke_dissection *dissection, enum fyke_side side, const void *value, size_t length)
{
	fyke_confirm(dissection);
	say_of_host(dissection, fyke_address_of(dissection, side),
		side == FYKE_SERVER ? fyke_port_of(dissection, side) : 0, FYKE_HOST_PRODUCT,
		fyke_bytes(value, length), dissection->dissector->name);
}

void fyke_credential(struct fyke_dissection *dissection, const struct fyke_credential *credential)
{
	fyke_credential_at(dissection, dissection->now, credential);
}

void fyke_credential_at(struct fyke_dissection *dissection, struct fyke_moment moment,
	const struct fyke_credential *credential)
{
	struct fyke_value values[FYKE_CREDENTIALS_COUNT] = {{0}}, secret = credential->secret;

	fyke_confirm(dissection);
	if (secret.kind == FYKE_VALUE_BYTES)
		secret = fyke_secret(dissection, secret.bytes, secret.length);
	values[FYKE_CREDENTIALS_PROTOCOL] = fyke_word(dissection->dissector->name);
	values[FYKE_CREDENTIALS_MECHANISM] = fyke_word(credential->mechanism);
	values[FYKE_CREDENTIALS_USER] = credential->user;
	values[FYKE_CREDENTIALS_SECRET] = secret;
	values[FYKE_CREDENTIALS_ACCEPTED] = fyke_integer_if(
		credential->login != FYKE_LOGIN_UNKNOWN, credential->login == FYKE_LOGIN_ACCEPTED);
	fyke_dissect_record(dissection, &fyke_table_credentials, &moment, values);
}
