/* Signatures of file formats, the telling ones first; what is only text comes last. */
#include "analyzer/dissect/sniff.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	uint16_t at;
	uint8_t length;
	const char *bytes;
	const char *type;
} signatures[] = {
	{0, 4,
		"\x7f"
		"ELF",
		"application/x-executable"},
	{0, 2, "MZ", "application/vnd.microsoft.portable-executable"},
	{0, 5, "%PDF-", "application/pdf"},
	{0, 8, "\x89PNG\r\n\x1a\n", "image/png"},
	{0, 3, "\xff\xd8\xff", "image/jpeg"},
	{0, 4, "GIF8", "image/gif"},
	{0, 4, "PK\x03\x04", "application/zip"},
	{0, 2, "\x1f\x8b", "application/gzip"},
	{0, 3, "BZh", "application/x-bzip2"},
	{0, 6,
		"\xfd"
		"7zXZ",
		"application/x-xz"},
	{0, 6, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
	{0, 4, "Rar!", "application/vnd.rar"},
	{257, 5, "ustar", "application/x-tar"},
};

static bool is_text(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] < 0x20 && strchr("\t\n\r\f\x1b", bytes[i]) == NULL)
			return false;
		if (bytes[i] == 0)
			return false;
	}
	return true;
}

const char *fyke_sniff(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		if (length >= (size_t)signatures[i].at + signatures[i].length &&
			memcmp(bytes + signatures[i].at, signatures[i].bytes, signatures[i].length) == 0)
			return signatures[i].type;
	}
	return length > 0 && is_text(bytes, length) ? "text/plain" : NULL;
}
