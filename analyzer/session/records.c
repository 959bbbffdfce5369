/* The tables that belong to the session level itself, declared like a dissector's. */
#include "analyzer/session/session.h"

#define FIELDS(list) (list), sizeof(list) / sizeof((list)[0])

static const struct fyke_field session_frames[] = {
	{"part", FYKE_TYPE_INTEGER, "number of this part, from 0"},
	{"frames", FYKE_TYPE_BLOB, "frame numbers as varints: the first absolute, then differences"},
};

static const struct fyke_field session_parents[] = {
	{"parent_frame", FYKE_TYPE_INTEGER, "first frame of the session that carried this one"},
	{"parent_ordinal", FYKE_TYPE_INTEGER, "its place among the sessions born of that frame"},
};

static const struct fyke_field icmp_errors[] = {
	{"reporter_ip", FYKE_TYPE_TEXT, "who sent the ICMP error"},
	{"side", FYKE_TYPE_TEXT, "whose packet it quotes: client or server"},
	{"icmp_type", FYKE_TYPE_INTEGER, "ICMP or ICMPv6 type"},
	{"icmp_code", FYKE_TYPE_INTEGER, "ICMP or ICMPv6 code"},
	{"mtu_bytes", FYKE_TYPE_INTEGER, "next hop's MTU, where the error tells one"},
};

static const struct fyke_field tcp_events[] = {
	{"side", FYKE_TYPE_TEXT, "who sent the segment: client or server"},
	{"kind", FYKE_TYPE_TEXT, "what happened"},
	{"offset", FYKE_TYPE_INTEGER, "stream offset of its first byte"},
	{"length", FYKE_TYPE_INTEGER, "bytes concerned"},
	{"evidence", FYKE_TYPE_TEXT, "what proves it"},
};

static const struct fyke_field host_facts[] = {
	[FYKE_HOST_FACTS_IP] = {"ip", FYKE_TYPE_TEXT, "the host"},
	[FYKE_HOST_FACTS_PORT] = {"port", FYKE_TYPE_INTEGER,
		"the port that it is about; NULL = the whole host"},
	[FYKE_HOST_FACTS_FACT] = {"fact", FYKE_TYPE_TEXT, "name, mac, vendor, os or product"},
	[FYKE_HOST_FACTS_VALUE] = {"value", FYKE_TYPE_TEXT, "what was said"},
	[FYKE_HOST_FACTS_SOURCE] = {"source", FYKE_TYPE_TEXT, "where that stood: dns, dhcp, http, ssh …"},
};

static const struct fyke_field credentials[] = {
	[FYKE_CREDENTIALS_PROTOCOL] = {"protocol", FYKE_TYPE_TEXT, "the protocol"},
	[FYKE_CREDENTIALS_MECHANISM] = {"mechanism", FYKE_TYPE_TEXT, "how: USER/PASS, PLAIN, Basic …"},
	[FYKE_CREDENTIALS_USER] = {"user", FYKE_TYPE_TEXT, "who"},
	[FYKE_CREDENTIALS_SECRET] = {"secret", FYKE_TYPE_TEXT,
		"*** unless secrets were asked for (--store-passwords); NULL where none went by"},
	[FYKE_CREDENTIALS_ACCEPTED] = {"accepted", FYKE_TYPE_BOOLEAN,
		"what the server said; NULL = not seen"},
};

static const struct fyke_field transferred_files[] = {
	[FYKE_FILES_PROTOCOL] = {"protocol", FYKE_TYPE_TEXT, "what carried it"},
	[FYKE_FILES_SENDER] = {"sender", FYKE_TYPE_TEXT, "client or server"},
	[FYKE_FILES_NAME] = {"name", FYKE_TYPE_TEXT, "its name, as told"},
	[FYKE_FILES_DECLARED_TYPE] = {"declared_type", FYKE_TYPE_TEXT, "its media type, as told"},
	[FYKE_FILES_TYPE] = {"type", FYKE_TYPE_TEXT, "its media type by its first bytes"},
	[FYKE_FILES_DECLARED_BYTES] = {"declared_bytes", FYKE_TYPE_INTEGER, "its size, as told"},
	[FYKE_FILES_OFFSET_BYTES] = {"offset_bytes", FYKE_TYPE_INTEGER,
		"where in the file its first byte stands, if only a range of it was asked for; else NULL"},
	[FYKE_FILES_BYTES] = {"bytes", FYKE_TYPE_INTEGER, "bytes of it that were seen, decoded"},
	[FYKE_FILES_MISSING_BYTES] = {"missing_bytes", FYKE_TYPE_INTEGER,
		"bytes of it that are not in the capture"},
	[FYKE_FILES_COMPLETE] = {"complete", FYKE_TYPE_BOOLEAN,
		"1 where its end was seen and nothing is missing"},
	[FYKE_FILES_MD5] = {"md5", FYKE_TYPE_TEXT, "of its bytes; NULL where some are missing"},
	[FYKE_FILES_SHA256] = {"sha256", FYKE_TYPE_TEXT, "likewise"},
	[FYKE_FILES_SAVED_AS] = {"saved_as", FYKE_TYPE_TEXT, "the name that --files saved it by"},
};

static const struct fyke_field sensitive_numbers[] = {
	[FYKE_SENSITIVE_NUMBERS_PROTOCOL] = {"protocol", FYKE_TYPE_TEXT, "what carried the file"},
	[FYKE_SENSITIVE_NUMBERS_SENDER] = {"sender", FYKE_TYPE_TEXT, "client or server"},
	[FYKE_SENSITIVE_NUMBERS_KIND] = {"kind", FYKE_TYPE_TEXT, "card or iban"},
	[FYKE_SENSITIVE_NUMBERS_MASKED] = {"masked", FYKE_TYPE_TEXT,
		"the first one: its four first and four last characters, the rest is never stored"},
	[FYKE_SENSITIVE_NUMBERS_NUMBERS] = {"count", FYKE_TYPE_INTEGER, "how many there are in the file"},
};

const struct fyke_table fyke_table_host_facts = {
	"host_facts", "what the traffic says about hosts", FIELDS(host_facts)};
const struct fyke_table fyke_table_credentials = {
	"credentials", "a user's name and a secret went by in the clear", FIELDS(credentials)};
const struct fyke_table fyke_table_transferred_files = {"transferred_files",
	"files that sessions carried: bodies, attachments, transfers", FIELDS(transferred_files)};
const struct fyke_table fyke_table_sensitive_numbers = {"sensitive_numbers",
	"numbers of cards and accounts in files of text that went by in the clear, by kind",
	FIELDS(sensitive_numbers)};
const struct fyke_table fyke_table_session_frames = {
	"session_frames", "the frames of sessions with many of them, in parts", FIELDS(session_frames)};
const struct fyke_table fyke_table_session_parents = {"session_parents",
	"every session that carried packets of this one (tunnels)", FIELDS(session_parents)};
const struct fyke_table fyke_table_icmp_errors = {
	"icmp_errors", "ICMP errors that quote a packet of the session", FIELDS(icmp_errors)};
const struct fyke_table fyke_table_tcp_events = {
	"tcp_events", "one row per notable segment", FIELDS(tcp_events)};
