"""Our protocols' rows against the expected logs of Zeek's own tests (zeeklogs.jsonl)."""

import urllib.parse

from tests.differential.compare import DIFFERS, LEFT_OUT
from tests.differential.said import Fact, match, place_of, plain, session_pair, zeek_pair
from tests.differential.said_service import chosen_tests
from tests.differential.said_tshark import RCODES, TYPES, name_of, number_of, version_name

EMPTY = ("-", "(empty)", None)


def cell(row, name):
    value = row.get(name)
    return "" if value in EMPTY else plain(value)


def lowered(value):
    return (value or "").lower()


def target(text):
    """Zeek has turned %21 into ! and left other escapes as they were."""
    return plain(urllib.parse.unquote_to_bytes(text or "").decode("latin-1"))


def zeek_http(row):
    status = cell(row, "status_code")
    return (cell(row, "method"), cell(row, "host"), target(cell(row, "uri")), "" if status == "0" else status)


def our_http(row):
    return (plain(row["method"]), plain(row["host"]), target(row["uri"]), str(row["status"] or ""))


def zeek_dns(row):
    rcode = cell(row, "rcode")
    return (cell(row, "trans_id"), name_of(row.get("query")), cell(row, "qtype"), rcode)


def our_dns(row):
    return (str(row["transaction"]), name_of(row["query"]), number_of(TYPES, row["type"]),
            number_of(RCODES, row["rcode"]) if row["rcode"] else "")


def zeek_ssl(row):
    version = cell(row, "version")
    if version.startswith("unknown-"):
        version = f"0x{int(version[8:]):04x}"
    if "draft" in version:
        return (version.replace("TLSv13", "TLSv1.3"), cell(row, "cipher"), cell(row, "server_name").lower())
    version = version.replace("TLSv", "TLS ").replace("SSLv", "SSL ").replace("DTLSv", "DTLS ")
    version = {"TLS 10": "TLS 1.0", "TLS 11": "TLS 1.1", "TLS 12": "TLS 1.2", "TLS 13": "TLS 1.3", "SSL 3": "SSL 3.0",
               "SSL 2": "SSL 2.0", "DTLS 10": "DTLS 1.0", "DTLS 12": "DTLS 1.2"}.get(version, version)
    return (version, cell(row, "cipher"), cell(row, "server_name").lower())


def our_ssl(row):
    version = "TLS 1.3" if row["table"] == "quic" else version_name(row["version"])
    return (version, row["cipher"] or "", lowered(row["sni"]))


def zeek_ssh(row):
    return (cell(row, "client"), cell(row, "server"))


def our_ssh(row):
    return (plain(row["client"]), plain(row["server"]))


def zeek_smtp(row):
    return (cell(row, "helo"), cell(row, "mailfrom"), ",".join(sorted(cell(row, "rcptto").split(","))))


def our_smtp(row):
    recipients = ",".join(sorted(part.strip(" <>") for part in (row["rcptto"] or "").split(",") if part))
    return (plain(row["helo"]), plain(row["mailfrom"]).strip("<>"), plain(recipients))


def zeek_ftp(row):
    command = cell(row, "command")
    return ("" if command == "<init>" else command, cell(row, "reply_code"))


def our_ftp(row):
    return (row["command"] or "", str(row["reply_code"] or ""))


# log: our tables, both sides' values, the usual transport
LOGS = {
    "http": (("http",), zeek_http, our_http, "tcp"),
    "dns": (("dns", "mdns", "llmnr"), zeek_dns, our_dns, "udp"),
    "ssl": (("tls", "dtls", "quic"), zeek_ssl, our_ssl, "tcp"),
    "ssh": (("ssh",), zeek_ssh, our_ssh, "tcp"),
    "smtp": (("smtp",), zeek_smtp, our_smtp, "tcp"),
    "ftp": (("ftp",), zeek_ftp, our_ftp, "tcp"),
}
LOGS_SOME = {"ftp"}


def ours(said, tables, values):
    for session, row in said.rows(*tables):
        pair = session_pair(session)
        yield Fact(pair, place_of(pair, row["frame"]), values(row))


def theirs(rows, values, mine, transport):
    """A log does not always tell the transport: the one that we have sessions of, else the usual."""
    pairs = {fact.pair for fact in mine}
    for row in rows:
        if "id.orig_h" not in row:
            continue
        both = [zeek_pair(row, row.get("proto", kind)) for kind in ("tcp", "udp")]
        pair = next((pair for pair in both if pair in pairs), zeek_pair(row, row.get("proto", transport)))
        yield Fact(pair, place_of(pair, "-"), values(row))


def logs(capture, rows, said):
    for log, found in chosen_tests(rows):
        tables, zeek_values, our_values, transport = LOGS.get(log, ((), None, None, None))
        if not any(table in said.tables for table in tables):
            continue
        mine = list(ours(said, tables, our_values))
        there = said.places()
        for row in match(f"zeek-{log}", capture, list(theirs(found, zeek_values, mine, transport)), mine):
            if log in LOGS_SOME and row.check.endswith("-extra"):
                continue
            missing = row.verdict == DIFFERS and row.key.rpartition(" frame ")[0] not in there  # addresses made up
            yield row._replace(verdict=LEFT_OUT) if missing else row
