/* Formats by their first bytes; what only looks alike is not taken for one. */
#include "analyzer/dissect/sniff.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define OF(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t length;
	const char *type; /* NULL: nothing is told */
} samples[] = {
	{OF("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "image/png"},
	{OF("\xff\xd8\xff\xe0\0\x10JFIF"), "image/jpeg"},
	{OF("RIFF\x10\0\0\0WEBPVP8 "), "image/webp"},
	{OF("RIFF\x10\0\0\0WAVEfmt "), "audio/wav"},
	{OF("\0\0\0\x20"
	    "ftypisom\0\0\2\0"),
		"video/mp4"},
	{OF("\0\0\0\x20"
	    "ftypavif"),
		"image/avif"},
	{OF("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm"), "video/webm"},
	{OF("PK\3\4\x14\0\0\0\0\0abcdefgh"), "application/zip"},
	{OF("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0META-INF/MANIFEST.MF"),
		"application/java-archive"},
	{OF("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0mimetypeapplication/epub+zip"),
		"application/epub+zip"},
	{OF("PK\3\4\x14\0\0\0[Content_Types].xml....PK\3\4word/document.xml"),
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	{OF("\x1f\x8b\x08\0\0\0\0\0"), "application/gzip"},
	{OF("%PDF-1.7\n"), "application/pdf"},
	{OF("\x7f"
	    "ELF\2\1\1"),
		"application/x-executable"},
	{OF("MZ\x90\0\3\0\0\0\4\0"), "application/vnd.microsoft.portable-executable"},
	{OF("MZ is text here"), "text/plain"},
	{OF("\xca\xfe\xba\xbe\0\0\0\x34"), "application/x-java-class"},
	{OF("\x30\x82\x03\x10\x30\x82\x02\x00\xa0\x03\x02\x01\x02\x02"), "application/pkix-cert"},
	{OF("-----BEGIN CERTIFICATE-----\n"), "application/x-pem-file"},
	{OF("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"), "image/bmp"},
	{OF("BM but no picture"), "text/plain"},
	{OF("<!DOCTYPE HTML PUBLIC"), "text/html"},
	{OF("\xef\xbb\xbf\r\n  <HTML>"), "text/html"},
	{OF("<?xml version=\"1.0\"?><feed/>"), "application/xml"},
	{OF("<?xml version=\"1.0\"?>\n<svg xmlns="), "image/svg+xml"},
	{OF("<note>a</note>"), "application/xml"},
	{OF("< 5 is smaller than 6"), "text/plain"},
	{OF("{\"a\": 1}"), "application/json"},
	{OF("[\n {\"a\": 1}]"), "application/json"},
	{OF("[section]\nkey=1"), "text/plain"},
	{OF("{ not json"), "text/plain"},
	{OF("#!/usr/bin/env python3\n"), "text/x-python"},
	{OF("#!/bin/sh\n"), "text/x-shellscript"},
	{OF("<?php echo 1;"), "text/x-php"},
	{OF("gr\xc3\xbc\xc3\x9f"
	    "e"),
		"text/plain"},
	{OF("cut within a charac\xc3"), "text/plain"},
	{OF("a\0b"), NULL},
	{OF("\x93\xf2\xa1\x88\xfe\xd1\x99\xb7"), NULL},
	{OF(""), NULL},
};

static void test_sniff_formats(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		uint8_t *exact = malloc(samples[i].length + (samples[i].length == 0));
		const char *type;

		memcpy(exact, samples[i].bytes, samples[i].length);
		type = fyke_sniff(exact, samples[i].length);
		free(exact);
		if (samples[i].type == NULL)
			assert_null(type);
		else
			assert_string_equal(type != NULL ? type : "(nothing)", samples[i].type);
	}
}

/* Cut anywhere nothing is read behind the end. */
static void test_sniff_beginnings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		for (size_t length = 1; length < samples[i].length; length++) {
			uint8_t *exact = malloc(length);

			memcpy(exact, samples[i].bytes, length);
			(void)fyke_sniff(exact, length);
			free(exact);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sniff_formats),
		cmocka_unit_test(test_sniff_beginnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
