/*
 * Signatures of file formats. What has one is told by it; containers (zip, RIFF, ISO media, Matroska) by what
 * they hold; then certificates and executables with weak marks; text comes last, by how it begins.
 */
#include "analyzer/dissect/sniff.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	uint16_t at;
	uint8_t length;
	const char *bytes;
	const char *type;
} signatures[] = {
	/* clang-format off */
	{0, 4, "\x7f" "ELF", "application/x-executable"},
	{0, 5, "%PDF-", "application/pdf"},
	{0, 4, "%!PS", "application/postscript"},
	{0, 5, "{\\rtf", "application/rtf"},
	{0, 8, "\x89PNG\x0d\x0a\x1a\x0a", "image/png"},
	{0, 3, "\xff\xd8\xff", "image/jpeg"},
	{0, 6, "GIF87a", "image/gif"},
	{0, 6, "GIF89a", "image/gif"},
	{0, 4, "II*\x00", "image/tiff"},
	{0, 4, "MM\x00*", "image/tiff"},
	{0, 6, "\x00\x00\x01\x00\x01\x00", "image/vnd.microsoft.icon"},
	{0, 6, "\x00\x00\x01\x00\x02\x00", "image/vnd.microsoft.icon"},
	{0, 6, "\x00\x00\x01\x00\x03\x00", "image/vnd.microsoft.icon"},
	{0, 6, "8BPS\x00\x01", "image/vnd.adobe.photoshop"},
	{0, 10, "\x00\x00\x00\x0cjP  \x0d\x0a", "image/jp2"},
	{0, 10, "\x00\x00\x00\x0cJXL \x0d\x0a", "image/jxl"},
	{0, 3, "\x1f\x8b\x08", "application/gzip"},
	{0, 3, "\x1f\x9d\x90", "application/x-compress"},
	{0, 3, "BZh", "application/x-bzip2"},
	{0, 6, "\xfd" "7zXZ\x00", "application/x-xz"},
	{0, 4, "(\xb5/\xfd", "application/zstd"},
	{0, 4, "\x04\"M\x18", "application/x-lz4"},
	{0, 5, "LZIP\x01", "application/lzip"},
	{0, 6, "7z\xbc\xaf'\x1c", "application/x-7z-compressed"},
	{0, 6, "Rar!\x1a\x07", "application/vnd.rar"},
	{0, 8, "MSCF\x00\x00\x00\x00", "application/vnd.ms-cab-compressed"},
	{257, 5, "ustar", "application/x-tar"},
	{0, 21, "!<arch>\x0a" "debian-binary", "application/vnd.debian.binary-package"},
	{0, 8, "!<arch>\x0a", "application/x-archive"},
	{0, 4, "\xed\xab\xee\xdb", "application/x-rpm"},
	{0, 8, "Cr24\x02\x00\x00\x00", "application/x-chrome-extension"},
	{0, 8, "Cr24\x03\x00\x00\x00", "application/x-chrome-extension"},
	{0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"},
	{0, 8, "L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"},
	{0, 5, "dex\x0a" "0", "application/vnd.android.dex"},
	{0, 4, "\x00" "asm", "application/wasm"},
	{0, 4, "\xfe\xed\xfa\xce", "application/x-mach-binary"},
	{0, 4, "\xfe\xed\xfa\xcf", "application/x-mach-binary"},
	{0, 4, "\xce\xfa\xed\xfe", "application/x-mach-binary"},
	{0, 4, "\xcf\xfa\xed\xfe", "application/x-mach-binary"},
	{0, 7, "\xca\xfe\xba\xbe\x00\x00\x00", "application/x-java-class"},
	{0, 16, "SQLite format 3\x00", "application/vnd.sqlite3"},
	{0, 4, "\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"},
	{0, 4, "\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap"},
	{0, 4, "M<\xb2\xa1", "application/vnd.tcpdump.pcap"},
	{0, 4, "\x0a\x0d\x0d\x0a", "application/x-pcapng"},
	{0, 3, "FWS", "application/x-shockwave-flash"},
	{0, 3, "CWS", "application/x-shockwave-flash"},
	{0, 3, "ZWS", "application/x-shockwave-flash"},
	{0, 11, "d8:announce", "application/x-bittorrent"},
	{0, 17, "d13:announce-list", "application/x-bittorrent"},
	{0, 4, "wOFF", "font/woff"},
	{0, 4, "wOF2", "font/woff2"},
	{0, 5, "OTTO\x00", "font/otf"},
	{0, 5, "\x00\x01\x00\x00\x00", "font/ttf"},
	{0, 5, "ttcf\x00", "font/collection"},
	{0, 4, "ID3\x02", "audio/mpeg"},
	{0, 4, "ID3\x03", "audio/mpeg"},
	{0, 4, "ID3\x04", "audio/mpeg"},
	{0, 2, "\xff\xfb", "audio/mpeg"},
	{0, 4, "fLaC", "audio/flac"},
	{0, 8, "MThd\x00\x00\x00\x06", "audio/midi"},
	{0, 6, ".snd\x00\x00", "audio/basic"},
	{0, 5, "#!AMR", "audio/AMR"},
	{0, 5, "OggS\x00", "application/ogg"},
	{0, 4, "FLV\x01", "video/x-flv"},
	{0, 8, "0&\xb2u\x8e" "f\xcf\x11", "video/x-ms-asf"},
	{0, 4, "\x00\x00\x01\xba", "video/mpeg"},
	{0, 4, "\x00\x00\x01\xb3", "video/mpeg"},
	{0, 8, "\x89HDF\x0d\x0a\x1a\x0a", "application/x-hdf5"},
	{0, 8, "MSWIM\x00\x00\x00", "application/x-ms-wim"},
	{0, 8, "koly\x00\x00\x00\x04", "application/x-apple-diskimage"},
	/* clang-format on */
};

static const struct {
	const char *begins, *type;
} texts[] = {
	{"-----BEGIN CERTIFICATE", "application/x-pem-file"},
	{"-----BEGIN PGP MESSAGE", "application/pgp-encrypted"},
	{"-----BEGIN PGP PUBLIC KEY", "application/pgp-keys"},
	{"-----BEGIN PGP SIGNATURE", "application/pgp-signature"},
	{"-----BEGIN ", "application/x-pem-file"},
	{"<?php", "text/x-php"},
	{"BEGIN:VCARD", "text/vcard"},
	{"BEGIN:VCALENDAR", "text/calendar"},
	{"#EXTM3U", "application/vnd.apple.mpegurl"},
	{"WEBVTT", "text/vtt"},
};

static bool has(const uint8_t *bytes, size_t length, size_t at, const char *text)
{
	size_t size = strlen(text);

	return length >= at + size && memcmp(bytes + at, text, size) == 0;
}

static bool holds(const uint8_t *bytes, size_t length, const char *text)
{
	return memmem(bytes, length, text, strlen(text)) != NULL;
}

/* ---- containers ---- */

/* The first entry of documents and packages says what they are. */
static const char *sniff_zip(const uint8_t *bytes, size_t length)
{
	static const struct {
		const char *holds, *type;
	} kinds[] = {
		{"mimetypeapplication/epub+zip", "application/epub+zip"},
		{"mimetypeapplication/vnd.oasis.opendocument.text",
			"application/vnd.oasis.opendocument.text"},
		{"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
			"application/vnd.oasis.opendocument.spreadsheet"},
		{"mimetypeapplication/vnd.oasis.opendocument.presentation",
			"application/vnd.oasis.opendocument.presentation"},
		{"AndroidManifest.xml", "application/vnd.android.package-archive"},
		{"classes.dex", "application/vnd.android.package-archive"},
		{"META-INF/", "application/java-archive"},
		{"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
		{"[Content_Types].xml", "application/vnd.openxmlformats-officedocument"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (holds(bytes, length, kinds[i].holds))
			return kinds[i].type;
	}
	return "application/zip";
}

static const char *sniff_iso_media(const uint8_t *bytes, size_t length)
{
	if (has(bytes, length, 8, "avif") || has(bytes, length, 8, "avis"))
		return "image/avif";
	if (has(bytes, length, 8, "heic") || has(bytes, length, 8, "heix") || has(bytes, length, 8, "mif1"))
		return "image/heic";
	if (has(bytes, length, 8, "M4A "))
		return "audio/mp4";
	if (has(bytes, length, 8, "qt  "))
		return "video/quicktime";
	return has(bytes, length, 8, "3g") ? "video/3gpp" : "video/mp4";
}

static const char *sniff_container(const uint8_t *bytes, size_t length)
{
	if (has(bytes, length, 0, "PK\x03\x04") || has(bytes, length, 0, "PK\x05\x06"))
		return sniff_zip(bytes, length);
	if (has(bytes, length, 0, "RIFF") && has(bytes, length, 8, "WEBP"))
		return "image/webp";
	if (has(bytes, length, 0, "RIFF") && has(bytes, length, 8, "WAVE"))
		return "audio/wav";
	if (has(bytes, length, 0, "RIFF") && has(bytes, length, 8, "AVI "))
		return "video/x-msvideo";
	if (has(bytes, length, 4, "ftyp"))
		return sniff_iso_media(bytes, length);
	if (has(bytes, length, 4, "styp") || has(bytes, length, 4, "moof"))
		return "video/iso.segment";
	if (has(bytes, length, 0, "\x1a\x45\xdf\xa3"))
		return holds(bytes, length, "webm") ? "video/webm" : "video/matroska";
	if (length > 376 && bytes[0] == 0x47 && bytes[188] == 0x47 && bytes[376] == 0x47)
		return "video/mp2t";
	return NULL;
}

/* ---- weak marks ---- */

/* SEQUENCE of SEQUENCE of [0] version 2 or 3, or of INTEGER serial: X.509 (RFC 5280 §4.1). */
static bool is_certificate(const uint8_t *bytes, size_t length)
{
	return length >= 13 && bytes[0] == 0x30 && bytes[1] == 0x82 && bytes[4] == 0x30 && bytes[5] == 0x82 &&
	       bytes[8] == 0xa0 && bytes[9] == 3 && bytes[10] == 2 && bytes[11] == 1 && bytes[12] <= 2;
}

static bool is_bitmap(const uint8_t *bytes, size_t length)
{
	static const uint8_t zeros[4];

	return length >= 18 && bytes[0] == 'B' && bytes[1] == 'M' && memcmp(bytes + 6, zeros, 4) == 0 &&
	       bytes[15] == 0 && bytes[16] == 0 && bytes[17] == 0;
}

/* How many bytes of a character follow its first one; 9: it is none. */
static unsigned following(uint8_t first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first < 0xe0)
		return 1;
	if (first >= 0xe0 && first < 0xf0)
		return 2;
	return first >= 0xf0 && first < 0xf5 ? 3 : 9;
}

static bool is_utf8(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length;) {
		unsigned more = following(bytes[i]);

		if (more == 9)
			return false;
		for (i++; more > 0 && i < length; more--, i++) {
			if ((bytes[i] & 0xc0) != 0x80)
				return false;
		}
	}
	return true;
}

/* Whether eight bytes are ASCII without control characters. */
static bool are_plain(const uint8_t *bytes)
{
	uint64_t eight;

	memcpy(&eight, bytes, sizeof(eight));
	return ((((eight - UINT64_C(0x2020202020202020)) & ~eight) | eight) & UINT64_C(0x8080808080808080)) ==
	       0;
}

/* No control characters; UTF-8, or mostly ASCII with some bytes of another alphabet. */
static bool is_text(const uint8_t *bytes, size_t length)
{
	size_t high = 0;

	for (size_t i = 0; i < length; i++) {
		if (length - i >= 8 && are_plain(bytes + i)) {
			i += 7;
			continue;
		}
		if (bytes[i] < 0x20 && (bytes[i] == 0 || strchr("\t\n\r\f\x1b", bytes[i]) == NULL))
			return false;
		high += bytes[i] >= 0x80;
	}
	return high == 0 || is_utf8(bytes, length) || high <= length / 4;
}

/* ---- text ---- */

static bool begins(const char *text, size_t length, const char *word)
{
	return length >= strlen(word) && strncasecmp(text, word, strlen(word)) == 0;
}

static const char *sniff_markup(const char *text, size_t length)
{
	static const char *const html[] = {"<!doctype html", "<html", "<head", "<body", "<title", "<script",
		"<style", "<meta", "<link", "<table", "<div", "<p>", "<h1", "<h2", "<br", "<b>", "<font",
		"<iframe", "<center", "<form", "<img", "<a ", "<span", "<ul", "<!--"};

	if (begins(text, length, "<?xml") || begins(text, length, "<svg")) {
		if (holds((const uint8_t *)text, length, "<svg"))
			return "image/svg+xml";
		return holds((const uint8_t *)text, length, "<html") ? "application/xhtml+xml"
								     : "application/xml";
	}
	for (size_t i = 0; i < sizeof(html) / sizeof(html[0]); i++) {
		if (begins(text, length, html[i]))
			return "text/html";
	}
	if (length > 1 && ((text[1] >= 'a' && text[1] <= 'z') || (text[1] >= 'A' && text[1] <= 'Z')) &&
		memchr(text, '>', length) != NULL)
		return "application/xml";
	return NULL;
}

static size_t blanks(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && strchr(" \t\r\n", text[at]) != NULL && text[at] != '\0')
		at++;
	return at;
}

static bool is_json(const char *text, size_t length)
{
	size_t next = length > 1 ? 1 + blanks(text + 1, length - 1) : length;

	if (next >= length)
		return false;
	if (*text == '{')
		return text[next] == '"' || text[next] == '}';
	return *text == '[' && strchr("{[\"]-0123456789", text[next]) != NULL &&
	       (text[next] != '-' || next + 1 < length);
}

static const char *sniff_script(const char *text, size_t length)
{
	static const struct {
		const char *program, *type;
	} programs[] = {{"python", "text/x-python"}, {"perl", "text/x-perl"}, {"ruby", "text/x-ruby"},
		{"php", "text/x-php"}, {"node", "text/javascript"}, {"sh", "text/x-shellscript"}};
	const char *end = memchr(text, '\n', length);
	size_t line = end != NULL ? (size_t)(end - text) : length;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (holds((const uint8_t *)text, line, programs[i].program))
			return programs[i].type;
	}
	return "text/x-script";
}

static const char *sniff_text(const char *text, size_t length)
{
	size_t skipped;
	const char *type = NULL;

	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		length -= 3;
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (begins(text, length, texts[i].begins))
			return texts[i].type;
	}
	if (begins(text, length, "#!"))
		return sniff_script(text, length);
	skipped = blanks(text, length);
	text += skipped;
	length -= skipped;
	if (length > 0 && *text == '<')
		type = sniff_markup(text, length);
	if (type != NULL)
		return type;
	return length > 0 && is_json(text, length) ? "application/json" : "text/plain";
}

const char *fyke_sniff(const uint8_t *bytes, size_t length)
{
	const char *type;

	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		if (length >= (size_t)signatures[i].at + signatures[i].length &&
			bytes[signatures[i].at] == (uint8_t)signatures[i].bytes[0] &&
			memcmp(bytes + signatures[i].at, signatures[i].bytes, signatures[i].length) == 0)
			return signatures[i].type;
	}
	type = sniff_container(bytes, length);
	if (type != NULL || length == 0)
		return type;
	if (is_certificate(bytes, length))
		return "application/pkix-cert";
	if (is_bitmap(bytes, length))
		return "image/bmp";
	if (length >= 4 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
		return "text/plain"; /* UTF-16 */
	if (is_text(bytes, length))
		return sniff_text((const char *)bytes, length);
	return has(bytes, length, 0, "MZ") ? "application/vnd.microsoft.portable-executable" : NULL;
}
