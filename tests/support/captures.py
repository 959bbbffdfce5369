"""The folder of real captures and the tables of other tools about them; absent in most checkouts."""

import csv
import gzip
import os
import pathlib

from . import program

csv.field_size_limit(1 << 24)  # a URI or a DNS name may be long


def folder():
    """$FYKE_CAPTURES, else ../shared/captures; None where it is absent."""
    path = pathlib.Path(os.environ.get("FYKE_CAPTURES", program.ROOT.parent / "shared" / "captures"))
    return path if (path / "MANIFEST.tsv").is_file() else None


def read_table(path):
    """One tab-separated table as dicts; [] where it is absent, which means without rows."""
    zipped = path.with_name(path.name + ".gz")
    if path.is_file():
        stream = open(path, encoding="utf-8", newline="")
    elif zipped.is_file():
        stream = gzip.open(zipped, "rt", encoding="utf-8", newline="")
    else:
        return []
    with stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def manifest(root):
    return read_table(root / "MANIFEST.tsv")


def oracle(root, name, table):
    return read_table(root / "oracle" / f"{name}.{table}.tsv")
