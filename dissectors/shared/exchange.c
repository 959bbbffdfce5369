/* A ring of commands, and the lines of replies. */
#include "dissectors/shared/exchange.h"

#include <string.h>

struct fyke_command *fyke_exchange_first(struct fyke_exchange *exchange)
{
	return exchange->count > 0 ? &exchange->waiting[exchange->first] : NULL;
}

struct fyke_command *fyke_exchange_add(struct fyke_dissection *dissection, struct fyke_exchange *exchange,
	struct fyke_word_of name, struct fyke_word_of argument)
{
	struct fyke_command *command =
		&exchange->waiting[(exchange->first + exchange->count) % FYKE_EXCHANGE_MAX];

	*command = (struct fyke_command){.moment = fyke_now(dissection)};
	if (name.length > 0)
		fyke_keep(dissection, &command->name, name.text, name.length, FYKE_ARGUMENT_MAX);
	for (uint32_t i = 0; i < command->name.length; i++) {
		char c = command->name.bytes[i];

		command->name.bytes[i] = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
	}
	if (argument.length > 0)
		fyke_keep(dissection, &command->argument, argument.text, argument.length, FYKE_ARGUMENT_MAX);
	exchange->count++;
	return command;
}

void fyke_exchange_drop(struct fyke_dissection *dissection, struct fyke_exchange *exchange)
{
	struct fyke_command *command = fyke_exchange_first(exchange);

	if (command == NULL)
		return;
	fyke_drop(dissection, &command->name);
	fyke_drop(dissection, &command->argument);
	fyke_drop(dissection, &command->tag);
	exchange->first = (uint8_t)((exchange->first + 1) % FYKE_EXCHANGE_MAX);
	exchange->count--;
}

static struct fyke_command *nth(struct fyke_exchange *exchange, size_t n)
{
	return &exchange->waiting[(exchange->first + n) % FYKE_EXCHANGE_MAX];
}

struct fyke_command *fyke_exchange_tagged(struct fyke_exchange *exchange, const char *tag, size_t length)
{
	for (size_t i = 0; i < exchange->count; i++) {
		const struct fyke_command found = *nth(exchange, i);

		if (found.tag.length != length || length == 0 || memcmp(found.tag.bytes, tag, length) != 0)
			continue;
		for (size_t j = i; j > 0; j--)
			*nth(exchange, j) = *nth(exchange, j - 1);
		*nth(exchange, 0) = found;
		return nth(exchange, 0);
	}
	return NULL;
}

uint16_t fyke_reply_code(const char *text, size_t length)
{
	size_t digits;
	int64_t code = fyke_text_number(text, length, &digits);

	if (digits != 3 || code < 100 || code > 699)
		return 0;
	return length == 3 || text[3] == ' ' || text[3] == '-' ? (uint16_t)code : 0;
}

bool fyke_reply_line(
	struct fyke_dissection *dissection, struct fyke_reply *reply, const struct fyke_line *line)
{
	uint16_t code = fyke_reply_code(line->text, line->length);
	bool more = line->length > 3 && line->text[3] == '-';
	size_t front = code != 0 ? (line->length > 3 ? 4 : 3) : 0;

	if (!reply->open) {
		if (code == 0)
			return false;
		fyke_drop(dissection, &reply->text);
		reply->code = code;
	}
	if (reply->open && code != reply->code)
		front = 0;
	if (fyke_text_is_set(&reply->text))
		fyke_append(dissection, &reply->text, "\n", 1, FYKE_REPLY_MAX);
	fyke_append(dissection, &reply->text, line->text + front, line->length - front, FYKE_REPLY_MAX);
	reply->open = code != reply->code || more;
	return !reply->open;
}

void fyke_exchange_values(const struct fyke_dissection *dissection, const struct fyke_command *command,
	const struct fyke_reply *reply, struct fyke_value *values)
{
	for (size_t i = 0; i < FYKE_EXCHANGE_FIELDS; i++)
		values[i] = fyke_null();
	if (command != NULL) {
		const struct fyke_text *argument = &command->argument;

		values[FYKE_EXCHANGE_COMMAND] = fyke_text_of(&command->name);
		values[FYKE_EXCHANGE_ARGUMENT] =
			command->secret ? fyke_secret(dissection, argument->bytes, argument->length)
					: fyke_text_of(argument);
	}
	if (reply != NULL) {
		values[FYKE_EXCHANGE_CODE] = fyke_integer(reply->code);
		values[FYKE_EXCHANGE_REPLY] = fyke_text_of(&reply->text);
		values[FYKE_EXCHANGE_REPLY_FRAME] = fyke_integer((int64_t)fyke_now(dissection).frame);
	}
}
