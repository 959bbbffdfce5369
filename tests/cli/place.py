"""What the cases of the command line share: small captures, running fyke, checking what it said."""

import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys

from support import packets, pcapfile, program

CASES = []


class Failure(Exception):
    pass


def case(function):
    CASES.append(function)
    return function


class Skip(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failure(what)


def trace(connections=2):
    """Frames of some whole TCP connections: 9 frames each."""
    made = packets.Trace()
    for i in range(connections):
        tcp = packets.Tcp(made, client=("10.0.0.1", 40000 + i))
        tcp.handshake().data(0, b"question").data(1, b"answer").ack(0).close()
    return made.frames


def capture(name="capture.pcap", connections=2):
    path = pathlib.Path(name)
    path.write_bytes(pcapfile.pcap(trace(connections)))
    return path


class Result:
    def __init__(self, done, arguments):
        self.code, self.arguments = done.returncode, arguments
        self.out = done.stdout.decode("utf-8", "backslashreplace")
        self.err = done.stderr.decode("utf-8", "backslashreplace")

    def exits(self, code):
        expect(self.code == code, f"{self.arguments}: exit code {self.code} instead of {code}: {self.err.strip()}")
        return self

    def says(self, *words):
        for word in words:
            expect(word in self.err, f"{self.arguments}: {word!r} is not in {self.err.strip()!r}")
        return self

    def shows(self, *words):
        for word in words:
            expect(word in self.out, f"{self.arguments}: {word!r} is not in {self.out[:2000]!r}")
        return self

    def silent(self):
        expect(self.err == "", f"{self.arguments}: standard error has {self.err.strip()!r}")
        return self


def fyke(*arguments, stdin=None, env=None, **options):
    words = [str(argument) for argument in arguments]
    done = subprocess.run([str(program.binary()), *words], input=stdin, capture_output=True, timeout=120,
                          env=dict(os.environ, **(env or {})), **options)
    result = Result(done, " ".join(words))
    expect("Sanitizer" not in result.err and "runtime error" not in result.err, result.err[-3000:])
    expect(done.returncode >= 0, f"{words}: ended by signal {-done.returncode}")
    return result


def rows(sql, database="fyke.db"):
    return [tuple(row.values()) for row in program.rows(database, sql)]


def store(database="fyke.db"):
    """(status, sessions) of each capture in the database, which must be sound."""
    with sqlite3.connect(database) as connection:
        expect(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "the database is damaged")
        expect(connection.execute("PRAGMA foreign_key_check").fetchall() == [], "foreign keys dangle")
    connection.close()
    return rows("SELECT status, (SELECT count(*) FROM sessions WHERE capture_id = captures.id) FROM captures ORDER BY id",
                database)


def needs_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def run_all():
    """Each case in an empty directory of its own."""
    signal.signal(signal.SIGINT, signal.default_int_handler) # not ignored, as in a shell's background jobs
    scratch = pathlib.Path(os.environ.get("FYKE_SCRATCH", "build/scratch/cli")).resolve()
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    failed = False
    for function in CASES:
        if only not in function.__name__:
            continue
        name = function.__name__.replace("_", " ")
        where = scratch / function.__name__
        shutil.rmtree(where, ignore_errors=True)
        where.mkdir(parents=True)
        os.chdir(where)
        try:
            function()
            print(f"ok {name}")
        except Skip as reason:
            print(f"skip {name}: {reason}")
        except (Failure, subprocess.TimeoutExpired, sqlite3.Error, OSError) as fault:
            print(f"not ok {name}: {str(fault)[:1500]!r}")
            failed = True
        sys.stdout.flush()
    return failed
