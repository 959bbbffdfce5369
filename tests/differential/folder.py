"""Runs fyke over the folder of captures, each into a database of its own, and compares."""

import concurrent.futures
import os
import pathlib

from tests.differential import compare, resends, said_folder
from tests.support import captures, pcapfile, program

TIMEOUT = 60
TABLES = {"conv": compare.conv, "zeekconn": compare.zeek, "tcptrace": compare.tcptrace, "icmp": compare.icmp}


class Result:
    """`said`: rows about what dissectors told; `claims`: nDPI's verdicts beside ours."""

    def __init__(self, capture, trouble=None, rows=(), sessions=(), said=(), claims=()):
        self.capture, self.trouble, self.rows, self.sessions = capture, trouble, list(rows), list(sessions)
        self.said, self.claims = list(said), list(claims)


def compare_capture(root, name):
    with program.scratch() as directory:
        database = pathlib.Path(directory) / "fyke.db"
        outcome = program.analyze([root / name], database, timeout=TIMEOUT)
        trouble = outcome.trouble()
        if not trouble and not database.is_file():
            trouble = f"exit status {outcome.status} and no database: {outcome.stderr.strip()[:200]}"
        if trouble:
            return Result(name, trouble)
        sessions = program.sessions(database)
        said = said_folder.rows(root, name, database) if said_folder.has_tables(root, name) else []
    frames = pcapfile.read(root / name)
    compare.add_silence(frames, sessions)
    rows = list(compare.frames(name, frames, sessions))
    for table, check in TABLES.items():
        theirs = captures.oracle(root, name, table)
        if theirs:
            rows.extend(check(name, theirs, sessions))
    rows.extend(resends.rows(name, captures.oracle(root, name, "tcp"), captures.oracle(root, name, "tcptrace"), sessions))
    return Result(name, None, rows, sessions, said)


def said_of_capture(root, name):
    """Only what dissectors told."""
    with program.scratch() as directory:
        database = pathlib.Path(directory) / "fyke.db"
        outcome = program.analyze([root / name], database, timeout=TIMEOUT)
        if outcome.trouble() or not database.is_file():
            return Result(name, outcome.trouble() or "no database")
        return Result(name, said=said_folder.rows(root, name, database), claims=said_folder.claims(root, name, database))


def over_captures(function, root, names):
    with concurrent.futures.ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return list(pool.map(function, [root] * len(names), names, chunksize=8))


def chosen(root, only):
    """Names in the order of the manifest; `only`: parts of names, any of which must occur."""
    return [row["name"] for row in captures.manifest(root) if not only or any(part in row["name"] for part in only)]


def compare_all(root, only=()):
    return over_captures(compare_capture, root, chosen(root, only))


def said_all(root, only=()):
    """The same of the captures that somebody else's tables about protocols exist of."""
    names = [name for name in chosen(root, only) if said_folder.has_tables(root, name)]
    return over_captures(said_of_capture, root, names)
