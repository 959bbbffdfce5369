/* Magic numbers of what people hand over by mistake, and of capture formats that fyke does not read. */
#include "analyzer/capture/recognise.h"

#include "analyzer/base/cursor.h"

#include <string.h>

#define CONVERT "; Wireshark's editcap converts it"

struct magic {
	const char *bytes;
	size_t length;
	size_t offset;
	const char *what;
};

#define MAGIC(bytes, offset, what)                                                                           \
	{                                                                                                    \
		bytes, sizeof(bytes) - 1, offset, what                                                       \
	}

static const struct magic magics[] = {
	MAGIC("snoop\0\0\0", 0, "a snoop capture" CONVERT),
	MAGIC("TRSNIFF data    \x1a", 0, "a Sniffer capture" CONVERT),
	MAGIC("XCP\0", 0, "a Sniffer for Windows capture" CONVERT),
	MAGIC("RTSS", 0, "a Network Monitor capture" CONVERT),
	MAGIC("GMBU", 0, "a Network Monitor capture" CONVERT),
	MAGIC("\177ver", 0, "an OmniPeek capture" CONVERT),
	MAGIC("ObserverPktBuffe", 0, "an Observer capture" CONVERT),
	MAGIC("btsnoop\0", 0, "a Bluetooth snoop capture, which has no IP packets"),
	MAGIC("\x1c\x00\x01\xac", 0, "an IXIA capture" CONVERT),
	MAGIC("\xac\x01\x00\x1c", 0, "an IXIA capture" CONVERT),
	MAGIC("\x1c\x00\x01\xab", 0, "an IXIA capture" CONVERT),
	MAGIC("\xab\x01\x00\x1c", 0, "an IXIA capture" CONVERT),
	MAGIC("SQLite format 3\0", 0, "an SQLite database; `fyke query -d` reads those that fyke wrote"),
	MAGIC("%PDF-", 0, "a PDF document"),
	MAGIC("PK\3\4", 0, "a ZIP archive; unpack it first"),
	MAGIC("7z\xbc\xaf\x27\x1c", 0, "a 7z archive; unpack it first"),
	MAGIC("Rar!", 0, "a RAR archive; unpack it first"),
	MAGIC("\xfd"
	      "7zXZ\0",
		0, "compressed with xz; unpack it first, or pipe `xz -dc` into fyke"),
	MAGIC("BZh", 0, "compressed with bzip2; unpack it first, or pipe `bzip2 -dc` into fyke"),
	MAGIC("\x02\x21\x4c\x18", 0,
		"compressed in lz4's legacy format; unpack it first, or pipe `lz4 -dc` into fyke"),
	MAGIC("ustar", 257, "a tar archive; unpack it first"),
	MAGIC("\177ELF", 0, "a program"),
	MAGIC("MZ", 0, "a Windows program"),
	MAGIC("\x89PNG", 0, "a picture"),
	MAGIC("\xff\xd8\xff", 0, "a picture"),
	MAGIC("GIF8", 0, "a picture"),
	MAGIC("ElfFile\0", 0, "a Windows event log"),
	MAGIC("\xff\xfe", 0, "text"),
};

static const char *by_magic(const uint8_t *first, size_t length)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		const struct magic *magic = &magics[i];

		if (length >= magic->offset + magic->length &&
			memcmp(first + magic->offset, magic->bytes, magic->length) == 0)
			return magic->what;
	}
	return NULL;
}

/* Endace ERF has no magic: its records must follow each other plausibly. */
static const char *by_erf(const uint8_t *first, size_t length)
{
	struct fyke_cursor c = fyke_cursor(first, length);
	uint64_t last = 0;
	int records = 0;

	while (fyke_cursor_left(&c) >= 16) {
		uint64_t time = fyke_cursor_le64(&c);
		unsigned type = fyke_cursor_u8(&c) & 0x7f;
		size_t room;

		(void)fyke_cursor_skip(&c, 1);
		room = fyke_cursor_u16(&c);
		(void)fyke_cursor_skip(&c, 4);
		if (type == 0 || type > 48 || room < 16 || time < last || time >> 32 < 100000000)
			return NULL;
		last = time;
		records++;
		if (!fyke_cursor_skip(&c, room - 16))
			break;
	}
	return records >= 2 ? "an Endace ERF capture" CONVERT : NULL;
}

static bool is_text(const uint8_t *first, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (first[i] < 0x20 && strchr("\t\n\r\f\033", first[i]) == NULL)
			return false;
		if (first[i] == 0x7f || first[i] == 0)
			return false;
	}
	return length > 0;
}

static const char *by_text(const uint8_t *first, size_t length)
{
	size_t at = 0;

	if (!is_text(first, length))
		return NULL;
	while (at < length && strchr(" \t\r\n", first[at]) != NULL)
		at++;
	if (at < length && (first[at] == '{' || first[at] == '['))
		return "JSON";
	if (at < length && first[at] == '<')
		return "HTML or XML";
	return "text; fyke reads the capture itself, as `tcpdump -w` writes it";
}

const char *fyke_recognise(const uint8_t *first, size_t length)
{
	const char *what;

	if (length > FYKE_RECOGNISE_BYTES)
		length = FYKE_RECOGNISE_BYTES;
	what = by_magic(first, length);
	if (what == NULL)
		what = by_text(first, length);
	if (what == NULL)
		what = by_erf(first, length);
	return what;
}
