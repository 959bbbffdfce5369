"""Our protocols' rows against tshark's: http.tsv, dns.tsv, tls.tsv, app.tsv."""

import collections
import functools
import re
import subprocess

from tests.differential.compare import DIFFERS, EQUAL, LEFT_OUT, Row
from tests.differential.said import Fact, match, oracle_pair, place_of, plain, session_pair, shown, unescaped

# ---- HTTP --------------------------------------------------------------------


def parts(cell, count):
    """A cell's values; None where they are not as many as they should be (one has a bar in it)."""
    if count == 1:
        return [cell]
    values = cell.split("|") if cell else [""] * count
    return values if len(values) == count else None


def http_theirs(table):
    """Over TCP; what tshark calls HTTP over UDP is SSDP."""
    for row in (row for row in table if row["kind"] == "tcp"):
        pair, is_request = oracle_pair(row), row["what"] == "request"
        key = row["method"] if is_request else row["code"]
        if not key:
            continue
        count = key.count("|") + 1
        columns = [parts(unescaped(row[name]), count) for name in (("method", "host", "uri") if is_request else ("code",))]
        if any(column is None for column in columns):
            continue
        for values in zip(*columns):
            if is_request:
                yield Fact(pair, place_of(pair, row["frame"]), ("request", *map(plain, values)))
            elif not re.match(r"1(?!01)", values[0]):  # before the answer; ours is one row a transaction
                yield Fact(pair, place_of(pair, row["frame"]), ("response", values[0]))


def http_ours(said):
    for session, row in said.rows("http"):
        pair = session_pair(session)
        if (row["version"] or "").startswith("2"):
            continue
        place = place_of(pair, row["frame"])
        if row["method"]:
            yield Fact(pair, place, ("request", plain(row["method"]), plain(row["host"]), plain(row["uri"])))
        if row["status"] is not None:
            yield Fact(pair, place, ("response", str(row["status"])))


def forgiving_host(theirs, ours):
    """tshark has no host where there is no Host header; ours may come from the URI."""
    hostless = {(fact.pair, fact.values[1], fact.values[3]) for fact in theirs if fact.values[0] == "request" and not fact.values[2]}
    for fact in ours:
        values = fact.values
        if values[0] == "request" and (fact.pair, values[1], values[3]) in hostless:
            values = (values[0], values[1], "", values[3])
        yield Fact(fact.pair, fact.place, values)


def http(capture, table, said):
    theirs = list(http_theirs(table))
    yield from match("http", capture, theirs, list(forgiving_host(theirs, http_ours(said))))


# ---- DNS ---------------------------------------------------------------------

TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 10: "NULL", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 17: "RP",
         18: "AFSDB", 24: "SIG", 25: "KEY", 28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 36: "KX", 37: "CERT",
         39: "DNAME", 41: "OPT", 42: "APL", 43: "DS", 44: "SSHFP", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3",
         51: "NSEC3PARAM", 52: "TLSA", 59: "CDS", 64: "SVCB", 65: "HTTPS", 99: "SPF", 249: "TKEY", 250: "TSIG",
         251: "IXFR", 252: "AXFR", 255: "ANY", 256: "URI", 257: "CAA"}
RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
          "NOTZONE")
ADDRESS = re.compile(r"(?:\S+ )?(?:A|AAAA) ([0-9a-fA-F]*[.:][0-9a-fA-F.:]*) \d+")


def number_of(names, text):
    """A type or rcode as its number; text that is no name of theirs keeps its digits."""
    found = re.search(r"\d+$", text or "")
    for number, name in (names.items() if isinstance(names, dict) else enumerate(names)):
        if name == text:
            return str(number)
    return found.group() if found else text or ""


def name_of(text):
    text = plain(text).lower().rstrip(".")
    return "" if text in ("<root>", ".") else text


def addresses_in(text):
    return {found.group(1) for found in map(ADDRESS.fullmatch, text.split(", ")) if found}


def several(row):
    """Messages in one frame of TCP: their columns cannot be told apart."""
    return "|" in row["id"]


def dns_theirs(table):
    for row in table:
        if several(row):
            continue
        pair = oracle_pair(row)
        values = (str(int(row["id"] or "0", 16)), name_of(unescaped(row["qname"]).split("|")[0]), row["qtype"].split("|")[0])
        place = place_of(pair, row["frame"])
        if row["response"] == "1":
            yield Fact(pair, place, ("answer", *values, row["rcode"]))
            yield Fact(pair, place, ("addresses", *sorted({part for part in (row["a"] + "|" + row["aaaa"]).split("|") if part})))
        else:
            yield Fact(pair, place, ("query", *values))


def dns_ours(said):
    for session, row in said.rows("dns", "mdns", "llmnr"):
        if row.get("protocol") == "nbns":
            continue
        pair = session_pair(session)
        values = (str(row["transaction"]), name_of(row["query"]), number_of(TYPES, row["type"]))
        has_answer = row["rcode"] is not None
        if not has_answer or row["rtt_us"] is not None or (row["answer_frame"] or row["frame"]) != row["frame"]:
            yield Fact(pair, place_of(pair, row["frame"]), ("query", *values))
        if has_answer:
            place = place_of(pair, row["answer_frame"] or row["frame"])
            text = ", ".join(row[part] or "" for part in ("answers", "authorities", "additionals"))
            yield Fact(pair, place, ("answer", *values, number_of(RCODES, row["rcode"])))
            yield Fact(pair, place, ("addresses", *sorted(addresses_in(text))))


def dns(capture, table, said):
    partial = {oracle_pair(row) for row in table if several(row)}
    theirs = list(dns_theirs(table))
    broken = {fact.place for fact in theirs if fact.values[0] != "addresses" and (not fact.values[2] or "<" in fact.values[2])}
    yield from match("dns", capture, theirs, list(dns_ours(said)), partial, lambda fact: fact.place in broken)


# ---- TLS ---------------------------------------------------------------------

VERSIONS = {"0x0002": "SSL 2.0", "0x0300": "SSL 3.0", "0x0301": "TLS 1.0", "0x0302": "TLS 1.1", "0x0303": "TLS 1.2",
            "0x0304": "TLS 1.3", "0xfeff": "DTLS 1.0", "0xfefd": "DTLS 1.2", "0xfefc": "DTLS 1.3", "0x0100": "DTLS 0.9"}
HELLO = {"1": "client", "2": "server"}


@functools.lru_cache(maxsize=1)
def ciphers():
    """Numbers of cipher suites by IANA's names, as OpenSSL knows them; {} without it."""
    try:
        done = subprocess.run(["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
                              capture_output=True, text=True, timeout=30)
    except OSError:
        return {}
    found = re.findall(r"0x(..),0x(..) - (\S+)", done.stdout)
    return {f"0x{high}{low}".lower(): name for high, low, name in found}


def version_of(number):
    """0x0303; of a draft's number 0x7f17, and what experiments took, as ours are written."""
    if number.startswith("0x7f"):
        return f"TLSv1.3-draft{int(number[4:], 16)}"
    return VERSIONS.get(number, number)


def version_name(text):
    """TLSv1.2, 1.2, TLS 1.2 → TLS 1.2"""
    found = re.match(r"(?:(D?TLS|SSL)[ v]*)?([0-9.]+)$", text or "")
    if not found:
        return text or ""
    number = found.group(2) if "." in found.group(2) else found.group(2) + ".0"
    return f"{found.group(1) or ('SSL' if number in ('2.0', '3.0') else 'TLS')} {number}"


def tls_theirs(table):
    """{pair: {"client": [row], "server": [row]}}"""
    found = collections.defaultdict(lambda: {"client": [], "server": []})
    for row in table:
        pair = oracle_pair(row, "tcp" if row["over"] == "tcp" else "udp")
        for side in {HELLO[kind] for kind in row["handshake_types"].split("|") if kind in HELLO}:
            found[pair][side].append(row)
    return found


def last(cell):
    return cell.split("|")[-1]


def tls_facts(row, side):
    """What a Hello of theirs says, by the name of our column."""
    if side == "client":
        return {"sni": plain(unescaped(row["sni"])).lower(), "client_alpn": unescaped(row["alpn"]), "ja3": row["ja3"]}
    chosen = last(row["supported_versions"]) or last(row["version"])
    return {"version": version_of(chosen) if chosen else "",
            "cipher": ciphers().get(last(row["cipher"]).lower(), ""), "ja3s": last(row["ja3s"])}


CHECK = {"sni": "tls-sni", "client_alpn": "tls-alpn", "ja3": "ja3", "version": "tls-version", "cipher": "tls-cipher", "ja3s": "ja3s"}


def tls_value(row, name):
    value = row.get(name)
    if name == "version":
        return version_name(value)
    if name == "client_alpn":
        return "|".join(re.split(r"[,|\n] ?", value or ""))
    return plain(value).lower() if name == "sni" else value or ""


def tls_hello(capture, pair, side, hellos, mine):
    """Each Hello's values, where one of the session's rows has to have them: a handshake that was answered with a
    retry has two of a side, of which a row tells one."""
    for n, hello in enumerate(hellos):
        place = place_of(pair, hello["frame"])
        for name, value in tls_facts(hello, side).items():
            if name not in mine.columns or (not value and name in ("cipher", "version", "ja3", "ja3s")):
                continue
            if name == "version" and hello["over"] == "quic":  # ours is QUIC's own; TLS's is always 1.3
                continue
            found = mine.values(pair, name)
            same = value in found
            other = {tls_facts(one, side)[name] for one in hellos}
            retry = not same and len(hellos) > 1 and found & other
            verdict = EQUAL if same else LEFT_OUT if retry else DIFFERS
            ours = value if same else " ".join(sorted(found)) if mine.has(pair) else None
            yield Row(CHECK[name], capture, place, shown((value,)), shown(None if ours is None else (ours,)), verdict, False)


class TlsRows:
    def __init__(self, said):
        self.groups = collections.defaultdict(list)
        self.columns = set()
        for session, row in said.rows("tls", "dtls", "quic"):
            self.groups[session_pair(session)].append(row)
            self.columns |= set(row)

    def has(self, pair):
        return pair in self.groups

    def values(self, pair, name):
        return {tls_value(row, name) for row in self.groups.get(pair, ())}


def tls(capture, table, said):
    mine = TlsRows(said)
    mine.columns |= set(CHECK) if not mine.columns else set()
    for pair, sides in tls_theirs(table).items():
        for side, hellos in sides.items():
            yield from tls_hello(capture, pair, side, hellos, mine)


# ---- commands and replies -----------------------------------------------------

SECRET = re.compile(r"^(PASS|AUTH|LOGIN|AUTHENTICATE|APOP)$")
LINES = {"smtp": ("smtp_commands",), "ftp": ("ftp",), "pop": ("pop3_commands",), "imap": ("imap_commands",), "sip": ("sip",),
         "ssh": ("ssh",)}


def line_theirs(table):
    """(protocol, fact); a frame with several commands gives a fact for each."""
    for row in table:
        pair, place = oracle_pair(row), place_of(oracle_pair(row), row["frame"])
        protocol, what = row["protocol"], row["what"]
        if not row["command_or_code"]:
            continue
        words = [unescaped(row["command_or_code"])] if what == "banner" else unescaped(row["command_or_code"]).split("|")
        arguments = parts(unescaped(row["argument"]), len(words)) or [None] * len(words)
        for word, argument in zip(words, arguments):
            yield protocol, Fact(pair, place, line_values(protocol, what, word, argument))


def line_values(protocol, what, word, argument):
    if what == "banner":
        return ("banner", plain(word))
    if what == "response":
        return ("reply", word.upper())
    word = word.upper()[:4] if protocol == "smtp" else word.upper()  # tshark shows four letters of SMTP's
    with_argument = protocol == "ftp" and not SECRET.match(word) and argument is not None
    return ("command", word, plain(argument)) if with_argument else ("command", word)


def line_ours(said, protocol):
    for session, row in said.rows(*LINES[protocol]):
        pair, place = session_pair(session), place_of(session_pair(session), row["frame"])
        if protocol == "ssh":
            yield from (Fact(pair, place, ("banner", plain(row[side]))) for side in ("client", "server") if row[side])
            continue
        command = (row.get("command") or row.get("method") or "").removeprefix("UID ")
        code = row.get("reply_code", row.get("status", row.get("status_code")))
        if command and command != ".":  # the end of a message
            yield Fact(pair, place, line_values(protocol, "request", command, row.get("argument") or ""))
        if row.get("preliminary_code") is not None:
            yield Fact(pair, place, ("reply", str(row["preliminary_code"])))
        if code is not None:
            yield Fact(pair, place, ("reply", str(code).upper()))


def is_no_command(fact):
    """What tshark takes for one: data of SASL, lines without end."""
    return fact.values[0] == "command" and not re.fullmatch(r"[A-Z]{3,14}", fact.values[1])


def lines(capture, table, said):
    theirs = collections.defaultdict(list)
    for protocol, fact in line_theirs(table):
        theirs[protocol].append(fact)
    for protocol, facts in theirs.items():
        yield from match(f"app-{protocol}", capture, facts, list(line_ours(said, protocol)),
                         is_weak=is_no_command)

