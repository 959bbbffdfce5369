"""Generated traces, and whether what fyke stored is what their generator wrote."""

import sqlite3
import subprocess
import zlib

import measure

QUERIES = {
    "packets": "SELECT packets FROM captures",
    "bytes": "SELECT bytes FROM captures",
    "tcp_sessions": "SELECT count(*) FROM sessions WHERE transport = 'tcp'",
    "udp_sessions": "SELECT count(*) FROM sessions WHERE transport = 'udp'",
    "tcp_payload_bytes": "SELECT total(client_payload_bytes + server_payload_bytes) FROM sessions WHERE transport = 'tcp'",
    "stream_bytes": "SELECT total(client_stream_bytes + server_stream_bytes) FROM tcp",
    "missing_bytes": "SELECT total(client_missing_bytes + server_missing_bytes) FROM tcp",
}

# What was lost before the tap and sent again with nothing behind it looks like the first time, so the exact number
# lies between those that were seen before and all that came late.
RESENT = "SELECT total(client_retransmitted_segments + server_retransmitted_segments) FROM tcp"
REORDERED = "SELECT total(client_reordered_segments + server_reordered_segments) FROM tcp"
CAUSES = {
    "resent_fast_segments": "SELECT total(server_fast_retransmissions + server_sack_retransmissions) FROM tcp",
    "resent_timeout_segments": "SELECT total(server_timeout_retransmissions + server_other_retransmissions) FROM tcp",
    "reordered_segments": REORDERED,
}


class Trace:
    def __init__(self, build, *kind):
        self.name = " ".join(str(word) for word in kind if "/" not in str(word))
        self.path = build / "bench" / f"{self.name.replace(' ', '-')}-{measure.SEED}.pcap"
        made = subprocess.run([build / "bench" / "generate", *map(str, kind), measure.SEED, self.path], check=True,
                              capture_output=True, text=True).stdout
        self.truth = {name: int(value) for name, value in map(str.split, made.splitlines())}

    @property
    def packets(self):
        return self.truth["packets"]

    @property
    def sessions(self):
        return self.truth["tcp_sessions"] + self.truth["udp_sessions"]

    def title(self):
        size = self.path.stat().st_size
        return (f"{self.packets:,} packets, {size / 1e6:,.0f} MB, {self.truth['tcp_sessions']:,} TCP and "
                f"{self.truth['udp_sessions']:,} UDP sessions")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.path.unlink(missing_ok=True)


def value(database, sql):
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return int(connection.execute(sql).fetchone()[0] or 0)
    finally:
        connection.close()


# Rows that stand for many half-open sessions each; only what stays out of `sessions`.
FOLDED = {"tcp_sessions": "SELECT total(sessions) FROM folded_sessions"}
HAS_FOLDED = "SELECT count(*) FROM sqlite_schema WHERE name = 'folded_sessions' AND type = 'table'"


def totals(trace, database):
    """Every total of the generator against the database; the lines that do not hold."""
    wrong, folded = [], value(database, HAS_FOLDED) > 0
    for name, sql in QUERIES.items():
        found = value(database, sql)
        if folded and name in FOLDED:
            found += value(database, FOLDED[name])
        if found != trace.truth[name]:
            wrong.append(f"{trace.name}: {name}: {trace.truth[name]} written, {found} stored")
    return wrong


def resends(trace, database):
    resent = value(database, RESENT) + value(database, REORDERED) - trace.truth["reordered_segments"]
    low, high = trace.truth["seen_again_segments"], trace.truth["late_segments"]
    return [] if low <= resent <= high else [f"{trace.name}: resent segments: {low} to {high} written, {resent} stored"]


def streams(trace, database, fyke):
    """Every byte of the servers' streams that the tap saw, in order, against the generator's sum."""
    wrong = []
    for name, crc in trace.truth.items():
        if not name.startswith("crc32_of_client_port_"):
            continue
        port = int(name.rsplit("_", 1)[1])
        session = value(database, f"SELECT id FROM sessions WHERE client_port = {port}")
        with subprocess.Popen([fyke, "stream", "-d", database, str(session), "--side", "server", "--format", "raw"],
                              stdout=subprocess.PIPE) as child:
            found = 0
            while data := child.stdout.read(1 << 20):
                found = zlib.crc32(data, found)
        if child.returncode != 0 or found != crc:
            wrong.append(f"{trace.name}: the stream to port {port}: CRC-32 {crc} written, {found} read back")
    return wrong


def causes(trace, database):
    """(name, by the sender, by fyke) of why segments came again."""
    return [(name, trace.truth[name], value(database, sql)) for name, sql in CAUSES.items()]


# What differs between two runs of the same thing: when, where and by which options they ran.
OF_THE_RUN = {"captures": "packets, bytes, first_packet_us, last_packet_us, refused_packets, refusals, status", "files": "1"}


def same_rows(one, other):
    """The tables in which two databases differ, ids included."""
    connection = sqlite3.connect(f"file:{one}?mode=ro", uri=True)
    connection.execute("ATTACH ? AS other", (f"file:{other}?mode=ro",))
    names = "SELECT name FROM {}.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    tables = {name for (name,) in connection.execute(names.format("main"))}
    wrong = sorted(tables ^ {name for (name,) in connection.execute(names.format("other"))})
    for name in sorted(tables - set(wrong)):
        columns = OF_THE_RUN.get(name, "*")
        left, right = (connection.execute(f'SELECT {columns} FROM {side}."{name}" ORDER BY rowid')
                       if not without_rowid(connection, side, name) else
                       connection.execute(f'SELECT {columns} FROM {side}."{name}"') for side in ("main", "other"))
        if any(a != b for a, b in pairs(left, right)):
            wrong.append(name)
    connection.close()
    return wrong


def pairs(left, right):
    while True:
        a, b = left.fetchone(), right.fetchone()
        if a is None and b is None:
            return
        yield a, b


def without_rowid(connection, side, name):
    sql = connection.execute(f"SELECT sql FROM {side}.sqlite_schema WHERE name = ?", (name,)).fetchone()[0]
    return "WITHOUT ROWID" in sql.upper()
