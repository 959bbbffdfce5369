"""Stream bytes held against tshark's `follow`, direction by direction."""

import collections
import csv
import hashlib
import pathlib

from tests.support import captures, program

TIMEOUT = 120
SLACK = 0.000002  # ours are whole microseconds

Row = collections.namedtuple("Row", "capture key verdict theirs ours clean")
EQUAL, EXPLAINED, DIFFERS = "equal", "same sums", "differs"


def identity(row):
    return ("stream", row.capture, row.key, row.theirs, row.ours)


class Direction:
    """What we delivered for one direction of one of tshark's streams, several sessions where we split it."""

    def __init__(self):
        self.digest, self.bytes = hashlib.sha256(), 0
        self.gaps = self.missing = self.conflicting = 0

    def add(self, row, directory):
        if row["file"]:
            data = (directory / row["file"]).read_bytes()
            self.digest.update(data)
            self.bytes += len(data)
        self.gaps += int(row["gaps"])
        self.missing += int(row["missing_bytes"])
        self.conflicting += int(row["conflicting_bytes"])


def endpoint(name):
    address, _, port = name.rpartition(":")
    return address.strip("[]"), port


def ours(directory):
    """Rows of index.tsv with who sent the bytes, to whom, and when the session began."""
    with open(directory / "index.tsv", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["transport"] != "tcp":
                continue
            client, server = endpoint(row["client"]), endpoint(row["server"])
            pair = (client, server) if row["side"] == "client" else (server, client)
            yield pair, int(row["start_us"]) / 1e6, row


def theirs(root, name):
    """{(sender, receiver): [(begin, row)]} of stream.tsv, ascending by the stream's first packet."""
    begins = {row["stream"]: float(row["first"]) for row in captures.oracle(root, name, "conv") if row["kind"] == "tcp"}
    found = collections.defaultdict(list)
    for row in captures.oracle(root, name, "stream"):
        pair = ((row["src"], row["src_port"]), (row["dst"], row["dst_port"]))
        found[pair].append((begins.get(row["stream"], 0.0), row))
    for rows in found.values():
        rows.sort(key=lambda item: item[0])
    return found


def assign(directory, streams):
    """Each of our sides goes to the latest of tshark's streams of its pair that had begun by then."""
    found = collections.defaultdict(Direction)
    for pair, start, row in sorted(ours(directory), key=lambda item: item[1]):
        candidates = streams.get(pair, [])
        begun = [item for item in candidates if item[0] <= start + SLACK]
        stream = (begun or candidates or [(0, None)])[-1 if begun else 0][1]
        if stream is not None:
            found[stream["stream"], stream["direction"]].add(row, directory)
    return found


def judge(name, row, direction, overlap):
    """Bytes equal; else, with a hole or a conflict, the sums: bytes and gaps as `follow` has them, or the
    distinct bytes counted from sequence numbers (`follow` forgets what it still holds at the end)."""
    clean = row["gaps"] == "0" and direction.gaps == 0 and direction.conflicting == 0
    same = direction.digest.hexdigest() == row["sha256"] or (direction.bytes == 0 and row["bytes"] == "0")
    sums = int(row["bytes"]) + int(row["gap_bytes"]) == direction.bytes + direction.missing
    distinct = overlap is not None and int(overlap["unique_bytes"]) == direction.bytes
    verdict = EQUAL if same else EXPLAINED if not clean and (sums or distinct) else DIFFERS
    return Row(name, f"{row['stream']} {row['direction']}", verdict,
               f"{row['bytes']} B, {row['gap_bytes']} missing",
               f"{direction.bytes} B, {direction.missing} missing, {direction.conflicting} conflicting", clean)


def compare_capture(root, name):
    """(rows, trouble)"""
    streams = theirs(root, name)
    if not streams:
        return [], None
    with program.scratch() as scratch:
        database, directory = pathlib.Path(scratch) / "fyke.db", pathlib.Path(scratch) / "streams"
        outcome = program.analyze([root / name], database, timeout=TIMEOUT)
        if outcome.trouble() or not database.is_file():
            return [], f"{name}: analyze: {outcome.trouble() or outcome.stderr.strip()[:200]}"
        outcome = program.run(["stream", "-d", database, "--all", "-o", directory, "tcp"], timeout=TIMEOUT)
        if outcome.status != 0:
            return [], f"{name}: stream: {outcome.trouble() or outcome.stderr.strip()[-200:]}"
        found = assign(directory, streams)
        rows = [row for side in streams.values() for _, row in side]
        overlaps = {(row["stream"], row["direction"]): row for row in captures.oracle(root, name, "overlap")}
        return [judge(name, row, found[row["stream"], row["direction"]], overlaps.get((row["stream"], row["direction"])))
                for row in rows], None
