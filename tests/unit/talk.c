/* Reads talks, and runs them. */
#include "talk.h"

#include "dissectors/registry.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t unescape(const char *text, uint8_t *out)
{
	size_t length = 0;

	for (; *text != '\0'; text++) {
		if (*text != '\\') {
			out[length++] = (uint8_t)*text;
			continue;
		}
		text++;
		switch (*text) {
		case 'n':
			out[length++] = '\n';
			break;
		case 'r':
			out[length++] = '\r';
			break;
		case 't':
			out[length++] = '\t';
			break;
		case 'x':
			if (hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0) {
				out[length++] = (uint8_t)(hex_digit(text[1]) * 16 + hex_digit(text[2]));
				text += 2;
			}
			break;
		default:
			out[length++] = (uint8_t)*text;
			break;
		}
	}
	return length;
}

static bool from_hex(const char *text, uint8_t *out, size_t *length)
{
	*length = 0;
	for (; *text != '\0'; text++) {
		if (isspace((unsigned char)*text))
			continue;
		if (hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0)
			return false;
		out[(*length)++] = (uint8_t)(hex_digit(text[0]) * 16 + hex_digit(text[1]));
		text++;
	}
	return true;
}

static struct talk_piece *last_of(struct talk *talk, enum fyke_side side)
{
	for (size_t i = talk->count; i-- > 0;) {
		if (talk->pieces[i].side == side)
			return &talk->pieces[i];
	}
	return NULL;
}

static struct talk_piece *add_piece(struct talk *talk, enum fyke_side side)
{
	if (talk->count == TALK_PIECES)
		return NULL;
	talk->pieces[talk->count] = (struct talk_piece){.side = side, .frame = talk->count + 1};
	return &talk->pieces[talk->count++];
}

static bool append(struct talk_piece *piece, const uint8_t *bytes, size_t length)
{
	uint8_t *grown = realloc(piece->data, piece->length + length + (piece->length + length == 0));

	if (grown == NULL)
		return false;
	memcpy(grown + piece->length, bytes, length);
	piece->data = grown;
	piece->length += length;
	return true;
}

/* ">text", ">+text", ">x hex", ">x+ hex", ">gap N", ">end", ">cut" */
static bool read_piece(struct talk *talk, const char *line, uint64_t gap[2])
{
	enum fyke_side side = *line == '>' ? FYKE_CLIENT : FYKE_SERVER;
	const char *rest = line + 1;
	size_t length = 0;
	uint8_t *bytes;
	struct talk_piece *piece;
	bool good = true;

	if (strncmp(rest, "gap ", 4) == 0) {
		gap[side] += strtoull(rest + 4, NULL, 10);
		return true;
	}
	if (strcmp(rest, "end") == 0) {
		piece = add_piece(talk, side);
		return piece != NULL && (piece->end = true);
	}
	if (strcmp(rest, "cut") == 0) {
		piece = last_of(talk, side);
		return piece != NULL && (piece->cut = true);
	}
	bytes = malloc(strlen(rest) + 1);
	if (rest[0] == 'x' && (rest[1] == ' ' || rest[1] == '+')) {
		good = from_hex(rest + 1 + (rest[1] == '+'), bytes, &length);
		piece = rest[1] == '+' ? last_of(talk, side) : add_piece(talk, side);
	} else {
		bool more = rest[0] == '+';

		piece = more ? last_of(talk, side) : add_piece(talk, side);
		length = unescape(rest + (more ? 1 : 0) + (rest[more ? 1 : 0] == ' '), bytes);
	}
	good = good && piece != NULL && append(piece, bytes, length);
	if (good && gap[side] > 0) {
		piece->gap = gap[side];
		gap[side] = 0;
	}
	free(bytes);
	return good;
}

static bool read_head(struct talk *talk, const char *line)
{
	char transport[8], guessed[16] = "";
	unsigned client, server;

	if (strncmp(line, "expected ", 9) == 0) {
		(void)snprintf(talk->expected_by, sizeof(talk->expected_by), "%s", line + 9);
		return true;
	}
	if (strncmp(line, "note ", 5) == 0 && strlen(line) < sizeof(talk->note)) {
		talk->note_length = unescape(line + 5, talk->note);
		return true;
	}
	if (strcmp(line, "frames") == 0)
		return (talk->frames = true);
	if (strcmp(line, "secrets") == 0)
		return (talk->secrets = true);
	if (sscanf(line, "%7s %u %u %15s", transport, &client, &server, guessed) < 3)
		return false;
	talk->transport = strcmp(transport, "udp") == 0 ? FYKE_OVER_UDP : FYKE_OVER_TCP;
	talk->port[FYKE_CLIENT] = (uint16_t)client;
	talk->port[FYKE_SERVER] = (uint16_t)server;
	talk->guessed = strcmp(guessed, "guessed") == 0;
	return true;
}

bool talk_read(const char *path, struct talk *talk)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0, expectation_length;
	FILE *expectation = NULL;
	unsigned number = 0;
	bool good = file != NULL;
	uint64_t gap[2] = {0};
	ssize_t length;

	*talk = (struct talk){.transport = 0};
	expectation = open_memstream(&talk->expectation, &expectation_length);
	while (good && (length = getline(&line, &room, file)) >= 0) {
		number++;
		if (length > 0 && line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (line[0] == '=')
			(void)fprintf(expectation, "%s\n", line + 2);
		else if (line[0] == '>' || line[0] == '<')
			good = read_piece(talk, line, gap);
		else
			good = read_head(talk, line);
	}
	(void)fclose(expectation);
	if (!good || talk->transport == 0) {
		printf("# %s:%u: not understood\n", path, number);
		good = false;
	}
	free(line);
	if (file != NULL)
		(void)fclose(file);
	return good;
}

void talk_release(struct talk *talk)
{
	for (size_t i = 0; i < talk->count; i++)
		free(talk->pieces[i].data);
	free(talk->expectation);
}

static void write_bytes(FILE *out, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\\' || c == '"')
			(void)fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			(void)fprintf(out, "\\x%02x", c);
		else
			(void)fputc(c, out);
	}
}

static bool say_record(void *context, const struct fyke_table *table, const struct fyke_moment *moment,
	const struct fyke_value *values)
{
	FILE *out = context;

	(void)moment;
	(void)fprintf(out, "%s", table->name);
	for (size_t i = 0; i < table->field_count; i++) {
		if (values[i].kind == FYKE_VALUE_NULL)
			continue;
		(void)fprintf(out, " %s=", table->fields[i].name);
		if (values[i].kind == FYKE_VALUE_INTEGER) {
			(void)fprintf(out, "%" PRId64, values[i].integer);
		} else if (values[i].kind == FYKE_VALUE_SESSION) {
			(void)fprintf(out, "session");
		} else {
			(void)fputc('"', out);
			write_bytes(out, values[i].bytes, values[i].length);
			(void)fputc('"', out);
		}
	}
	(void)fputc('\n', out);
	return true;
}

static void say_expectation(void *context, const struct fyke_expectation *expectation)
{
	FILE *out = context;
	char ip[FYKE_ADDRESS_TEXT];

	(void)fyke_address_text(&expectation->ip, ip);
	(void)fprintf(out, "expect %s %s %u %s note=\"",
		expectation->transport == FYKE_OVER_TCP ? "tcp" : "udp", ip, expectation->port,
		expectation->dissector);
	write_bytes(out, expectation->note, expectation->note_length);
	(void)fprintf(out, "\"\n");
}

static const struct fyke_dissect_sink sink = {.record = say_record, .expect = say_expectation};

struct feeding {
	const struct fyke_conversation_options *options;
	bool forgetful, frames;
	size_t *held_most;
};

static void say_session(FILE *out, const struct fyke_dissection *conversation)
{
	const char *service = fyke_conversation_service(conversation);
	size_t length;
	const char *name = fyke_conversation_server_name(conversation, &length);

	if (service != NULL)
		(void)fprintf(out, "service %s\n", service);
	if (name != NULL) {
		(void)fprintf(out, "name ");
		write_bytes(out, name, length);
		(void)fputc('\n', out);
	}
}

/* A new one in the place of one that rests. */
static struct fyke_dissection *resume(
	struct fyke_dissection *conversation, const struct fyke_conversation_options *options)
{
	struct fyke_conversation_options own = *options;

	own.expected = fyke_conversation_resting(conversation);
	own.resumes = fyke_conversation_service(conversation);
	fyke_conversation_free(conversation);
	return fyke_conversation_new(&own);
}

static struct fyke_dissection *feed(struct fyke_dissection *conversation, const struct talk_piece *pieces,
	size_t count, const struct feeding *how)
{
	bool datagrams = how->options->transport == FYKE_OVER_UDP;
	size_t *held_most = how->held_most;
	uint64_t offset[2] = {0};

	for (size_t i = 0; i < count; i++) {
		const struct talk_piece *piece = &pieces[i];
		struct fyke_conversation_piece own = {.side = piece->side,
			.data = piece->length > 0 ? piece->data : NULL,
			.length = piece->length,
			.gap = piece->gap,
			.frame = how->frames ? piece->frame : 1,
			.end = piece->end,
			.cut = piece->cut};

		offset[piece->side] += piece->gap;
		if (!datagrams)
			own.offset = offset[piece->side];
		offset[piece->side] += piece->length;
		fyke_conversation_take(conversation, &own);
		if (held_most != NULL && fyke_conversation_held(conversation) > *held_most)
			*held_most = fyke_conversation_held(conversation);
		if (how->forgetful && fyke_conversation_resting(conversation) != NULL)
			conversation = resume(conversation, how->options);
	}
	fyke_conversation_end(conversation);
	return conversation;
}

/* Made once: it is only read. */
const struct fyke_dissect_lookup *talk_lookup(void)
{
	static struct fyke_dissect_lookup *lookup;

	if (lookup == NULL)
		lookup = fyke_dissect_lookup_new(fyke_dissectors());
	return lookup;
}

char *talk_run(const struct talk *talk, const struct talk_piece *pieces, size_t count, size_t *held_most)
{
	const struct fyke_dissect_lookup *lookup = talk_lookup();
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct fyke_dissect_memory own;
	struct fyke_conversation_options options = {.lookup = lookup,
		.memory = talk->memory != NULL ? talk->memory : &own,
		.sink = &sink,
		.context = out,
		.stores_secrets = talk->secrets,
		.transport = talk->transport,
		.roles_guessed = talk->guessed,
		.ip = {fyke_address_ipv4((const uint8_t[]){192, 0, 2, 1}),
			fyke_address_ipv4((const uint8_t[]){198, 51, 100, 2})},
		.port = {talk->port[0], talk->port[1]}};
	const struct feeding how = {&options, talk->forgetful, talk->frames, held_most};
	struct fyke_dissection *conversation;

	fyke_dissect_memory_init(&own);
	if (talk->expected_by[0] != '\0') {
		options.expected = fyke_dissect_named(lookup, talk->expected_by);
		options.expected_by = (struct fyke_value){.kind = FYKE_VALUE_SESSION, .integer = 1};
		options.note = talk->note;
		options.note_length = talk->note_length;
	}
	conversation = fyke_conversation_new(&options);
	conversation = feed(conversation, pieces, count, &how);
	say_session(out, conversation);
	fyke_conversation_free(conversation);
	fyke_dissect_memory_release(&own);
	(void)fclose(out);
	return text;
}
