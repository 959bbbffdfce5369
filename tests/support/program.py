"""Runs fyke on captures and reads what it stored."""

import os
import pathlib
import re
import sqlite3
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary():
    """The fyke under test: $FYKE, else $BUILD/fyke, else build/release/fyke."""
    if "FYKE" in os.environ:
        return pathlib.Path(os.environ["FYKE"]).resolve()
    return (ROOT / os.environ.get("BUILD", "build/release") / "fyke").resolve()


def is_sanitized(path):
    return b"__asan_init" in path.read_bytes() or b"__tsan_init" in path.read_bytes()


class Outcome:
    def __init__(self, status, seconds, stdout, stderr):
        self.status, self.seconds, self.stdout, self.stderr = status, seconds, stdout, stderr

    @property
    def hung(self):
        return self.status is None

    @property
    def sanitizer_report(self):
        found = re.search(r"(ERROR: \w+Sanitizer.*|.*: runtime error: .*|WARNING: ThreadSanitizer.*)", self.stderr)
        return found.group(1) if found else None

    def trouble(self):
        """Why this is no orderly end, or None: exit codes 0 to 3 are orderly."""
        if self.hung:
            return f"hung: ended after {self.seconds:.1f} s"
        if self.sanitizer_report:
            return self.sanitizer_report
        if self.status < 0:
            return f"killed by signal {-self.status}"
        if self.status > 3:
            return f"exit status {self.status}"
        return None


def run(arguments, timeout=60, **options):
    """Runs fyke; the environment is ours, so a report of a sanitizer is never silent."""
    environment = dict(os.environ, NO_COLOR="1", LC_ALL="C.UTF-8", TZ="UTC")
    started = time.monotonic()
    try:
        done = subprocess.run([str(binary()), *map(str, arguments)], capture_output=True, timeout=timeout,
                              env=environment, **options)
    except subprocess.TimeoutExpired:
        return Outcome(None, time.monotonic() - started, "", "")
    return Outcome(done.returncode, time.monotonic() - started, done.stdout.decode("utf-8", "replace"),
                   done.stderr.decode("utf-8", "replace"))


def analyze(files, database, options=(), timeout=60, **rest):
    return run(["analyze", "--quiet", "-d", database, *options, "--", *files], timeout, **rest)


def rows(database, sql, parameters=()):
    """All rows as dicts, through Python's own SQLite."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql, parameters)]
    finally:
        connection.close()


def frame_numbers(blob):
    """The varint deltas of sessions.frames and session_frames.frames."""
    numbers, value, shift, last = [], 0, 0, 0
    for byte in blob:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            last += value
            numbers.append(last)
            value = shift = 0
    return numbers


def sessions(database):
    """Every session with its tcp row under `tcp` (None where there is none) and its frame numbers."""
    tcp = {row["session_id"]: row for row in rows(database, "SELECT * FROM tcp")}
    parts = {}
    for row in rows(database, "SELECT session_id, frames FROM session_frames ORDER BY session_id, part"):
        parts.setdefault(row["session_id"], []).extend(frame_numbers(row["frames"]))
    found = rows(database, "SELECT * FROM sessions ORDER BY first_frame, first_ordinal")
    for session in found:
        session["tcp"] = tcp.get(session["id"])
        blob = session["frames"]
        session["frames"] = parts.get(session["id"], []) + (frame_numbers(blob) if blob else [])
    return found


# What differs from run to run without meaning anything.
VOLATILE = {"updated_us"}


def facts(database, tables=("sessions", "tcp", "tcp_events", "icmp_errors", "session_parents", "session_frames")):
    """All rows of all session tables, to compare two databases; absent tables are absent."""
    present = {row["name"] for row in rows(database, "SELECT name FROM sqlite_schema WHERE type = 'table'")}
    result = {}
    for table in tables:
        if table in present:
            result[table] = [
                {name: value for name, value in row.items() if name not in VOLATILE}
                for row in rows(database, f"SELECT * FROM {table} ORDER BY 1, 2")
            ]
    return result


def first_difference(a, b):
    """A sentence about the first fact that two results of facts() do not share, or None."""
    for table in sorted(set(a) | set(b)):
        left, right = a.get(table, []), b.get(table, [])
        for x, y in zip(left, right):
            names = [name for name in x if x[name] != y.get(name)]
            if names:
                name = names[0]
                return f"{table}: {name} is {x[name]!r} and {y.get(name)!r} in row {x}"
        if len(left) != len(right):
            return f"{table}: {len(left)} and {len(right)} rows"
    return None


def scratch(prefix="fyke-"):
    """A directory that goes away; databases there need no disk where /dev/shm exists."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) and "TMPDIR" not in os.environ else None
    return tempfile.TemporaryDirectory(prefix=prefix, dir=where)
