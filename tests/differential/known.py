"""What known_*.md explain: the rows of their tables."""

import pathlib
import re

PATH = pathlib.Path(__file__).with_name("known_differences.md")
COLUMNS = "| check | capture | row | theirs | ours |"


def load(path=PATH, columns=COLUMNS):
    """{cells of the row, in the order of `columns`: heading of the section that explains it}"""
    found, heading, inside = {}, "", False
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|"):
            inside = False
        elif line == columns:
            inside = True
        elif inside and not re.match(r"\|[- |]+\|$", line):
            found[tuple(cell.strip() for cell in line.strip("|").split("|"))] = heading
    return found


def line(row):
    return "| " + " | ".join(row.identity) + " |"
