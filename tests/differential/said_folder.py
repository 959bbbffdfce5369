"""All comparisons of what dissectors say, over one capture's database or over the folder of captures."""

import gzip
import json
import pathlib

from tests.differential import said, said_service, said_tshark, said_zeek
from tests.differential.compare import DIFFERS, LEFT_OUT
from tests.support import captures

# What is compared: the least share of rows that have to agree, and what a row is.
CHECKS = {
    "http": (0.99, "HTTP/1 requests (method, host, target) and statuses as tshark"),
    "dns": (0.99, "DNS queries, answers (type, rcode) and addresses as tshark"),
    "tls-sni": (0.99, "names that clients ask for as tshark"),
    "tls-alpn": (0.99, "protocols that clients offer as tshark"),
    "tls-version": (0.99, "versions that servers choose as tshark"),
    "tls-cipher": (0.99, "cipher suites that servers choose as tshark"),
    "ja3": (1.0, "JA3 as tshark"),
    "ja3s": (1.0, "JA3S as tshark"),
    "app-smtp": (0.99, "SMTP commands and replies as tshark"),
    "app-ftp": (0.99, "FTP commands, arguments and replies as tshark"),
    "app-pop": (0.99, "POP3 commands and replies as tshark"),
    "app-imap": (0.99, "IMAP commands and replies as tshark"),
    "app-sip": (0.99, "SIP methods and statuses as tshark"),
    "app-ssh": (0.99, "SSH banners as tshark"),
    "ndpi-service": (0.97, "content of sessions by nDPI's verdict (DPI)"),
    "zeek-service": (0.97, "sessions of Zeek's protocol logs"),
    "zeek-http": (0.95, "http.log of Zeek's tests"),
    "zeek-dns": (0.95, "dns.log of Zeek's tests"),
    "zeek-ssl": (0.95, "ssl.log of Zeek's tests"),
    "zeek-ssh": (0.95, "ssh.log of Zeek's tests"),
    "zeek-smtp": (0.95, "smtp.log of Zeek's tests"),
    "zeek-ftp": (0.95, "ftp.log of Zeek's tests"),
}
# The protocol whose dissector a check needs.
NEEDS = {"http": "http", "dns": "dns", "tls": "tls", "ja3": "tls", "ja3s": "tls", "smtp": "smtp", "ftp": "ftp", "pop": "pop3",
         "imap": "imap", "sip": "sip", "ssh": "ssh", "ssl": "tls"}

TABLES = {"http": said_tshark.http, "dns": said_tshark.dns, "tls": said_tshark.tls, "app": said_tshark.lines,
          "ndpiflow": said_service.ndpi}


def needs(check):
    """The protocol that `check` is about; None: several."""
    if check in ("ndpi-service", "zeek-service"):
        return None
    word = check.removesuffix("-extra")
    return NEEDS[word if word in NEEDS else word.split("-")[1 if word.startswith(("app-", "zeek-")) else 0]]


def json_lines(root, name, table):
    path = pathlib.Path(root) / "oracle" / f"{name}.{table}.jsonl"
    zipped = path.with_name(path.name + ".gz")
    if not path.is_file() and not zipped.is_file():
        return []
    with open(path, encoding="utf-8") if path.is_file() else gzip.open(zipped, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def has_tables(root, name):
    paths = [pathlib.Path(root) / "oracle" / f"{name}.{table}.tsv" for table in TABLES]
    paths.append(pathlib.Path(root) / "oracle" / f"{name}.zeeklogs.jsonl")
    return any(path.is_file() or path.with_name(path.name + ".gz").is_file() for path in paths)


def rows(root, name, database):
    """Every comparison of one capture whose protocols this fyke has."""
    own = said.Said(database)
    found = []
    for table, check in TABLES.items():
        theirs = [row for row in captures.oracle(root, name, table) if row["kind"]]  # else an ICMP error quotes it
        if theirs:
            found.extend(check(name, theirs, own))
    logged = json_lines(root, name, "zeeklogs")
    if logged:
        found.extend(said_service.zeek(name, logged, own))
        found.extend(said_zeek.logs(name, logged, own))
    dropped = own.places_of_dropped()
    return [row._replace(verdict=LEFT_OUT) if row.verdict == DIFFERS and row.key.rpartition(" ")[0] + " " in dropped else row
            for row in found if needs(row.check) is None or needs(row.check) in said_service.known()]


def claims(root, name, database):
    """Pairs of nDPI's verdict and ours, for the overview."""
    return list(said_service.claims(captures.oracle(root, name, "ndpiflow"), said.Said(database)))
