"""What fyke's dissectors said about one capture, and how facts of two tools are matched."""

import collections
import ipaddress
import re
import sqlite3

from tests.differential import compare
from tests.differential.compare import DIFFERS, EQUAL, LEFT_OUT, Row

# A fact of either side: which endpoints, where it stands, and the values that must agree.
Fact = collections.namedtuple("Fact", "pair place values")

ODD = re.compile(r"(?:\\x[0-9a-fA-F]{2}|\\[0-7]{3}|[^\x20-\x7e])+")
ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}


class Said:
    """The tables of a database with one capture, each row with its session."""

    def __init__(self, database):
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            self.tables = {row["name"] for row in connection.execute(
                "SELECT m.name FROM sqlite_schema AS m WHERE m.type = 'table' AND EXISTS"
                " (SELECT 1 FROM pragma_table_info(m.name) AS p WHERE p.name = 'time_us')")}
            self.sessions = {row["id"]: dict(row) for row in connection.execute("SELECT * FROM sessions")}
            self.records = {table: [dict(row) for row in connection.execute(f'SELECT * FROM "{table}" ORDER BY session_id, n')]
                            for table in self.tables}
        finally:
            connection.close()

    def places(self):
        """Endpoints of all sessions."""
        return {place_of(session_pair(session), "").rpartition(" frame ")[0] for session in self.sessions.values()
                if session["transport"] in ("tcp", "udp")}

    def places_of_dropped(self):
        """Endpoints of which a segment or datagram had a wrong checksum: what it held reached nobody."""
        return {place_of(session_pair(session), "") for session in self.sessions.values()
                if session["bad_checksums"] and session["transport"] in ("tcp", "udp")}

    def rows(self, *tables):
        """(session, row) of these tables, as far as there are such."""
        for table in tables:
            for row in self.records.get(table, ()):
                yield self.sessions[row["session_id"]], dict(row, table=table)


def unescaped(cell):
    """A cell of an oracle's table."""
    return re.sub(r"\\[tnr\\]", lambda match: ESCAPES[match.group()], cell or "")


def plain(text):
    """Text in the form in which two tools can agree: what is not printable ASCII is one mark."""
    return ODD.sub("?", text or "").strip()


def canonical(address):
    """nDPI also shortens a single zero group (RFC 5952 §4.2.2)."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address


def pair_of(transport, a, port_a, b, port_b):
    return transport, compare.pair(canonical(a), port_a, canonical(b), port_b)[0]


def session_pair(session):
    return pair_of(session["transport"], session["client_ip"], session["client_port"],
                   session["server_ip"], session["server_port"])


def oracle_pair(row, transport=None):
    kind = transport or row["kind"]
    return pair_of(kind, row["src"], int(row["src_port"] or 0), row["dst"], int(row["dst_port"] or 0))


def zeek_pair(row, transport):
    return pair_of(transport, row["id.orig_h"], int(row["id.orig_p"]), row["id.resp_h"], int(row["id.resp_p"]))


def place_of(pair, frame):
    transport, (a, b) = pair
    return f"{transport} {compare.endpoint_text(*a)} {compare.endpoint_text(*b)} frame {frame}"


def shown(values):
    """One cell of a Markdown table."""
    text = "; ".join("-" if value in (None, "") else str(value) for value in values) if values is not None else "none"
    return ODD.sub("?", text).replace("|", "¦")[:160].strip() or "-"


def grouped(facts):
    groups = collections.defaultdict(list)
    for fact in facts:
        groups[fact.pair].append(fact)
    return groups


def take_equal(theirs, mine):
    """The facts of theirs that mine has too (each of mine once), and what is left of both."""
    waiting = collections.Counter(fact.values for fact in mine)
    equal, left = [], []
    for fact in theirs:
        found = waiting[fact.values] > 0
        waiting[fact.values] -= found
        (equal if found else left).append(fact)
    rest = []
    for fact in reversed(mine):
        if waiting[fact.values] > 0:
            waiting[fact.values] -= 1
            rest.append(fact)
    return equal, left, rest[::-1]


def nearest(fact, mine):
    """The one of mine with the most values in common, or None."""
    def common(other):
        return sum(a == b for a, b in zip(fact.values, other.values))

    best = max(mine, key=common, default=None)
    return best if best is not None and common(best) > 0 else None


def match(check, capture, theirs, ours, partial=(), is_weak=lambda fact: False):
    """Rows for every fact of theirs; those of ours on the same endpoints that they lack are `…-extra`, but for
    endpoints in `partial`, of which theirs are not all. A weak fact (what is left of a broken message) counts only
    where ours has it too."""
    mine = grouped(ours)
    for pair, facts in grouped(theirs).items():
        equal, left, rest = take_equal(facts, mine[pair])
        for fact in equal:
            yield Row(check, capture, fact.place, shown(fact.values), shown(fact.values), EQUAL, False)
        for fact in left:
            best = nearest(fact, rest)
            if best is not None:
                rest.remove(best)
            verdict = LEFT_OUT if is_weak(fact) else DIFFERS
            yield Row(check, capture, fact.place, shown(fact.values), shown(best and best.values), verdict, False)
        for fact in rest if pair not in partial else ():
            yield Row(f"{check}-extra", capture, fact.place, "none", shown(fact.values), DIFFERS, False)
