/*
 * Which port a session proves to be open, closed or filtered, and by what. What was not seen is not
 * concluded: a SYN without answer, or traffic of one direction alone, says nothing. A SYN that was sent again
 * and again until its sender gave up was dropped or met nobody.
 */
#include "storage/ports.h"

#include <string.h>

/* The shortest ladder of resends that systems climb to its end: 1, 2, 4, 8 seconds (RFC 6298 §5). */
enum { LADDER_SYNS = 5 };
#define LADDER_NS ((int64_t)14 * 1000000000)

enum { TCP = 6, UDP = 17, ICMP_UNREACHABLE = 3, ICMP6_UNREACHABLE = 1 };

const char *fyke_port_state_name(enum fyke_port_state state)
{
	static const char *const names[] = {NULL, "filtered", "closed", "filtered", "open"};

	return names[state];
}

static bool has(const struct fyke_session *session, char letter)
{
	return memchr(session->history, letter, strnlen(session->history, FYKE_HISTORY_MAX)) != NULL;
}

/* A SYN-ACK left the server, or (its SYN not seen) the side that was taken for the client. */
static struct fyke_port_proof tcp_proof(const struct fyke_session *session)
{
	struct fyke_port_proof proof = {.state = FYKE_PORT_UNKNOWN, .side = FYKE_SERVER};

	if (has(session, 'h')) {
		proof.state = FYKE_PORT_OPEN;
		proof.evidence = FYKE_PROOF_SYN_ACK | (has(session, 'S') ? FYKE_PROOF_SYN : 0U) |
				 (has(session, 'A') || has(session, 'D') ? FYKE_PROOF_ACK : 0U);
	} else if (has(session, 'H') && !has(session, 'S')) {
		proof.state = FYKE_PORT_OPEN;
		proof.side = FYKE_CLIENT;
		proof.evidence = FYKE_PROOF_SYN_ACK | (has(session, 's') ? FYKE_PROOF_SYN : 0U) |
				 (has(session, 'a') || has(session, 'd') ? FYKE_PROOF_ACK : 0U);
	} else if (session->state == FYKE_STATE_REJ && has(session, 'S') && has(session, 'r')) {
		proof.state = FYKE_PORT_CLOSED;
		proof.evidence = FYKE_PROOF_SYN | FYKE_PROOF_RST;
	}
	if (proof.state == FYKE_PORT_UNKNOWN && session->state == FYKE_STATE_S0 &&
		session->side[FYKE_CLIENT].packets >= LADDER_SYNS &&
		session->end_ns - session->start_ns >= LADDER_NS) {
		proof.state = FYKE_PORT_SILENT;
		proof.evidence = FYKE_PROOF_SILENCE;
	}
	return proof;
}

static bool text_is(const struct fyke_value *value, const char *text)
{
	return value->kind == FYKE_VALUE_BYTES && value->length == strlen(text) &&
	       memcmp(value->bytes, text, value->length) == 0;
}

static bool is_from(const struct fyke_value *reporter, const struct fyke_address *ip)
{
	char text[FYKE_ADDRESS_TEXT];

	fyke_address_text(ip, text);
	return text_is(reporter, text);
}

/* RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3.1. */
static bool is_port_unreachable(bool v4, int64_t type, int64_t code)
{
	return v4 ? type == ICMP_UNREACHABLE && code == 3 : type == ICMP6_UNREACHABLE && code == 4;
}

static bool is_prohibited(bool v4, int64_t type, int64_t code)
{
	if (v4)
		return type == ICMP_UNREACHABLE && (code == 9 || code == 10 || code == 13);
	return type == ICMP6_UNREACHABLE && code == 1;
}

/* One row of icmp_errors (reporter_ip, side, icmp_type, icmp_code …) that quotes the client's packet. */
static unsigned icmp_evidence(const struct fyke_session *session, const struct fyke_value *values)
{
	const struct fyke_address *server = &session->side[FYKE_SERVER].ip;
	bool v4 = server->family == FYKE_ADDRESS_IPV4;

	if (!text_is(&values[1], "client") || values[2].kind != FYKE_VALUE_INTEGER ||
		values[3].kind != FYKE_VALUE_INTEGER)
		return 0;
	if (is_prohibited(v4, values[2].integer, values[3].integer))
		return FYKE_PROOF_PROHIBITED;
	if (!is_port_unreachable(v4, values[2].integer, values[3].integer))
		return 0;
	return is_from(&values[0], server) ? FYKE_PROOF_UNREACHABLE : FYKE_PROOF_UNREACHABLE_BY_OTHER;
}

static struct fyke_port_proof icmp_proof(const struct fyke_session *session)
{
	struct fyke_port_proof proof = {.state = FYKE_PORT_UNKNOWN, .side = FYKE_SERVER};

	for (const struct fyke_record *record = session->records; record != NULL; record = record->next) {
		if (record->table == &fyke_table_icmp_errors)
			proof.evidence |= icmp_evidence(session, record->values);
	}
	if ((proof.evidence & (FYKE_PROOF_PROHIBITED | FYKE_PROOF_UNREACHABLE_BY_OTHER)) != 0)
		proof.state = FYKE_PORT_FILTERED;
	else if (proof.evidence != 0)
		proof.state = FYKE_PORT_CLOSED;
	return proof;
}

struct fyke_port_proof fyke_port_proof(const struct fyke_session *session)
{
	struct fyke_port_proof proof = {.state = FYKE_PORT_UNKNOWN, .side = FYKE_SERVER};

	if (session->ip_protocol == TCP)
		proof = tcp_proof(session);
	else if (session->ip_protocol == UDP && !session->roles_guessed &&
		 session->side[FYKE_CLIENT].packets > 0 && session->side[FYKE_SERVER].packets > 0) {
		proof.state = FYKE_PORT_OPEN;
		proof.evidence = FYKE_PROOF_ANSWER;
	}
	if (proof.state <= FYKE_PORT_SILENT && (session->ip_protocol == TCP || session->ip_protocol == UDP)) {
		struct fyke_port_proof icmp = icmp_proof(session);

		if (icmp.state != FYKE_PORT_UNKNOWN)
			proof = icmp;
	}
	return proof;
}
