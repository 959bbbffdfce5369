"""Golden cases: a folder with capture.py (the traffic) and facts.tsv (what is true of it)."""

import importlib
import pathlib

from tests.support import program

HERE = pathlib.Path(__file__).parent
DATABASE_NULL = "-"

QUERY = """
SELECT s.*, p.first_frame || '.' || p.first_ordinal AS parent, q.first_frame || '.' || q.first_ordinal AS quotes
FROM sessions s LEFT JOIN sessions p ON p.id = s.parent_id LEFT JOIN sessions q ON q.id = s.quotes_id
ORDER BY s.first_frame, s.first_ordinal"""


def cases():
    return sorted(path.parent.name for path in HERE.glob("*/capture.py"))


def capture(case):
    """The bytes of the case's capture file."""
    return importlib.import_module(f"tests.golden.{case}.capture").build()


def endpoint(address, port):
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def cell(row, column):
    if column in ("client", "server"):
        return endpoint(row[f"{column}_ip"], row[f"{column}_port"])
    if column.startswith("tcp."):
        value = (row["tcp"] or {}).get(column[4:], DATABASE_NULL) if row["tcp"] else None
    else:
        value = row[column]
    return DATABASE_NULL if value is None else str(value)


def observed(case, columns, captures_columns):
    """The same lines as facts.tsv holds, from a run of fyke. Raises ValueError where that is not possible."""
    with program.scratch() as directory:
        path, database = pathlib.Path(directory) / "case.pcap", pathlib.Path(directory) / "fyke.db"
        path.write_bytes(capture(case))
        outcome = program.analyze([path], database)
        if outcome.trouble() or not database.is_file():
            raise ValueError(outcome.trouble() or f"exit status {outcome.status}: {outcome.stderr.strip()[:300]}")
        tcp = {row["session_id"]: row for row in program.rows(database, "SELECT * FROM tcp")}
        sessions = program.rows(database, QUERY)
        of_capture = program.rows(database, "SELECT * FROM captures")[0]
    for session in sessions:
        session["tcp"] = tcp.get(session["id"])
    lines = ["# " + " ".join(f"{name}={of_capture[name]}" for name in captures_columns), "\t".join(columns)]
    return lines + ["\t".join(cell(session, column) for column in columns) for session in sessions]


def expected(case):
    """(lines, columns, names of columns of `captures`) of facts.tsv."""
    lines = (HERE / case / "facts.tsv").read_text(encoding="utf-8").splitlines()
    captures_columns = [part.split("=")[0] for part in lines[0].lstrip("# ").split()]
    return lines, lines[1].split("\t"), captures_columns
