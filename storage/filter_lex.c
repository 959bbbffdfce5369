/* Tokens of the filter language. Words are runs of whatever is no blank, quote, bracket or operator. */
#include "storage/filter_parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool ends_word(char ch)
{
	return isspace((unsigned char)ch) || strchr("()\"'=!<>~&|,", ch) != NULL; /* strchr finds NUL too */
}

static struct token simple(enum token_kind kind, size_t at, size_t length, const char *text)
{
	return (struct token){kind, at, length, text};
}

static struct token operator_at(const char *text, size_t at)
{
	static const struct {
		const char *sign;
		enum token_kind kind;
		const char *means;
	} signs[] = {{"==", TOKEN_OPERATOR, "="}, {"!=", TOKEN_OPERATOR, "!="}, {"<>", TOKEN_OPERATOR, "!="},
		{"<=", TOKEN_OPERATOR, "<="}, {">=", TOKEN_OPERATOR, ">="}, {"!~", TOKEN_OPERATOR, "!~"},
		{"=~", TOKEN_OPERATOR, "~"}, {"&&", TOKEN_AND, "&&"}, {"||", TOKEN_OR, "||"},
		{"=", TOKEN_OPERATOR, "="}, {"<", TOKEN_OPERATOR, "<"}, {">", TOKEN_OPERATOR, ">"},
		{"~", TOKEN_OPERATOR, "~"}, {"!", TOKEN_NOT, "!"}, {"(", TOKEN_OPEN, "("},
		{")", TOKEN_CLOSE, ")"}, {",", TOKEN_COMMA, ","}};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		size_t length = strlen(signs[i].sign);

		if (strncmp(text + at, signs[i].sign, length) == 0)
			return simple(signs[i].kind, at, length, signs[i].means);
	}
	return simple(TOKEN_END, at, 1, NULL);
}

/* Copies to *room up to the quote that ends it; \" and \\ stand for themselves. length 0: never ended. */
static struct token quoted(const char *text, size_t at, char **room)
{
	struct token token = simple(TOKEN_STRING, at, 0, *room);
	char quote = text[at];
	size_t i = at + 1;

	for (; text[i] != '\0' && text[i] != quote; i++) {
		if (text[i] == '\\' && (text[i + 1] == quote || text[i + 1] == '\\'))
			i++;
		*(*room)++ = text[i];
	}
	*(*room)++ = '\0';
	if (text[i] == quote)
		token.length = i + 1 - at;
	return token;
}

static struct token word(const char *text, size_t at, char **room)
{
	struct token token = simple(TOKEN_WORD, at, 0, *room);

	while (!ends_word(text[at + token.length]))
		*(*room)++ = text[at + token.length++];
	*(*room)++ = '\0';
	if (strcasecmp(token.text, "and") == 0)
		token.kind = TOKEN_AND;
	else if (strcasecmp(token.text, "or") == 0)
		token.kind = TOKEN_OR;
	else if (strcasecmp(token.text, "not") == 0)
		token.kind = TOKEN_NOT;
	return token;
}

bool filter_lex(struct compiler *c, const char *text)
{
	size_t length = strlen(text), count = 0;
	char *room;

	if (length > FILTER_LENGTH_MAX)
		return filter_fault(c, &(struct token){.at = FILTER_LENGTH_MAX, .length = 1},
			       "the filter is longer than %d bytes", FILTER_LENGTH_MAX) != NULL;
	c->tokens = calloc(length + 1, sizeof(*c->tokens));
	room = c->words = calloc(1, 2 * length + 1);
	if (c->tokens == NULL || c->words == NULL) {
		c->failed = c->out_of_memory = true;
		return false;
	}
	for (size_t at = 0; at < length; at += c->tokens[count++].length) {
		while (isspace((unsigned char)text[at]))
			at++;
		if (text[at] == '\0')
			break;
		if (text[at] == '"' || text[at] == '\'')
			c->tokens[count] = quoted(text, at, &room);
		else if (ends_word(text[at]))
			c->tokens[count] = operator_at(text, at);
		else
			c->tokens[count] = word(text, at, &room);
		if (c->tokens[count].kind == TOKEN_END)
			return filter_fault(c, &c->tokens[count],
				       "a single %c means nothing here; did you mean %c%c?", text[at],
				       text[at], text[at]) != NULL;
		if (c->tokens[count].length == 0)
			return filter_fault(c, &(struct token){.at = at, .length = 1},
				       "this quote is never closed") != NULL;
	}
	c->tokens[count] = simple(TOKEN_END, length, 1, "");
	return true;
}
