"""What was spoken, against nDPI's verdicts and against the logs that Zeek's protocols have."""

import collections
import functools
import re

from tests.differential.compare import DIFFERS, EQUAL, Row
from tests.differential.said import pair_of, place_of, session_pair, zeek_pair
from tests.support import program

# nDPI's words for what has another name here; the others agree but for case and signs.
NDPI = {"HTTP_Connect": ("http",), "HTTP_Proxy": ("http",), "FTP_CONTROL": ("ftp",), "FTP_DATA": ("ftp_data",),
        "SMTPS": ("smtp", "tls"), "IMAPS": ("imap", "tls"), "POPS": ("pop3", "tls"), "FTPS": ("ftp", "tls"),
        "NetBIOS": ("nbns", "nbdgm", "netbios_dgm", "nbss", "smb", "netbios"), "SMBv1": ("smb",), "SMBv23": ("smb",),
        "DCERPC": ("dce_rpc", "dcerpc"), "IPSec": ("ike", "isakmp", "ipsec"), "IEC60870": ("iec104", "iec60870"),
        "PostgreSQL": ("postgresql", "postgres"), "VNC": ("vnc", "rfb"), "Jabber": ("xmpp",), "Usenet": ("nntp",),
        "BITCOIN": ("bitcoin",), "EthernetIP": ("enip", "ethernet_ip"), "Service_Location_Protocol": ("slp",),
        "WSD": ("ws_discovery", "wsd"), "RMCP": ("ipmi", "rmcp"), "CiscoSkinny": ("skinny",), "MsSQL-TDS": ("tds", "mssql"),
        "Oracle": ("tns", "oracle"), "WebSocket": ("websocket", "http"), "GTP": ("gtp", "gtpu", "gtpv1", "gtpv2"),
        "RSYNC": ("rsync",), "MongoDB": ("mongodb", "mongo"), "CORBA": ("giop",), "TPKT": ("rdp",)}

# Zeek's logs whose rows prove that the session spoke this.
LOGS = {"mysql": ("mysql",), "dnp3": ("dnp3",), "ntp": ("ntp",), "http": ("http",), "ssh": ("ssh",), "ldap": ("ldap",),
        "sip": ("sip",), "redis": ("redis",), "ftp": ("ftp",), "ssl": ("tls", "dtls", "quic"), "dns": ("dns", "mdns", "llmnr", "nbns"),
        "smtp": ("smtp",), "dce_rpc": ("dce_rpc", "dcerpc", "smb"), "radius": ("radius",), "syslog": ("syslog",),
        "smb_files": ("smb",), "smb_mapping": ("smb",), "quic": ("quic",), "modbus": ("modbus",), "mqtt_connect": ("mqtt",),
        "mqtt_publish": ("mqtt",), "rfb": ("rfb", "vnc"), "rdp": ("rdp",), "kerberos": ("kerberos",), "socks": ("socks",)}

# What begins as one of these may be named by what it became.
CARRIED = {"http": ("websocket", "tls", "http2", "http"), "smtp": ("tls",), "imap": ("tls",), "pop3": ("tls",),
           "ftp": ("tls",), "ldap": ("tls",), "xmpp": ("tls",), "socks": ("tls", "http", "ssh"), "rdp": ("tls",),
           "postgresql": ("tls",), "mysql": ("tls",), "tls": ("smtp", "imap", "pop3", "ftp", "ldap", "xmpp", "rdp",
                                                             "postgresql", "mysql", "http", "socks", "irc"),
           "dns": ("http",)}


@functools.lru_cache(maxsize=1)
def known():
    """The protocols that this fyke has dissectors for."""
    outcome = program.run(["protocols", "--markdown"])
    return frozenset(re.findall(r"^## (\S+)$", outcome.stdout, re.MULTILINE))


def signless(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def ours_for(protocol):
    """Names of ours that nDPI's verdict fits; () where fyke has no such protocol."""
    names = NDPI.get(protocol) or [name for name in known() if signless(name) == signless(protocol)]
    return tuple(name for name in names if name in known())


def contents(said):
    """{pair: contents of its sessions}"""
    found = collections.defaultdict(set)
    for session in said.sessions.values():
        if session["transport"] in ("tcp", "udp"):
            found[session_pair(session)].add(session["content_service"])
    return found


def verdict(expected, found):
    allowed = set(expected) | {name for one in expected for name in CARRIED.get(one, ())}
    return EQUAL if allowed & found else DIFFERS


def text_of(found):
    return " ".join(sorted(name or "none" for name in found)) if found else "no session"


def ndpi(capture, table, said):
    mine = contents(said)
    for row in table:
        master = row["protocol"].split(".")[0]
        expected = ours_for(master)
        if row["confidence"] != "DPI" or not expected or row["kind"] not in ("TCP", "UDP"):
            continue
        pair = pair_of(row["kind"].lower(), row["client"], int(row["client_port"]), row["server"], int(row["server_port"]))
        found = mine.get(pair, set())
        if not found and "::" in row["client"] + row["server"]:  # some of its IPv6 addresses are no addresses
            continue
        yield Row("ndpi-service", capture, place_of(pair, "-"), row["protocol"], text_of(found), verdict(expected, found), False)


def claims(table, said):
    """(nDPI's verdict, ours) for every flow of which either is sure: to look at, not to demand."""
    mine = contents(said)
    for row in table:
        if row["kind"] not in ("TCP", "UDP"):
            continue
        pair = pair_of(row["kind"].lower(), row["client"], int(row["client_port"]), row["server"], int(row["server_port"]))
        protocol = row["protocol"] if row["confidence"] == "DPI" else "(not by content)"
        for name in mine.get(pair, {None}):
            yield protocol, name or "none"


def chosen_tests(rows):
    """Of each log the rows of one test: one without redefs, as long as there is one, and of these the longest."""
    by_log = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in rows:
        by_log[row["log"]][row["test"], row["run"], bool(row["redefs"])].append(row["row"])
    for log, tests in by_log.items():
        best = min(tests, key=lambda test: (test[2], -len(tests[test]), test[0]))
        yield log, tests[best]


def zeek(capture, rows, said):
    mine = contents(said)
    for log, found_rows in chosen_tests(rows):
        expected = tuple(name for name in LOGS.get(log, ()) if name in known())
        for endpoints in sorted({tuple(row[f"id.{part}"] for part in ("orig_h", "orig_p", "resp_h", "resp_p"))
                                 for row in found_rows if expected and "id.orig_h" in row}):
            row = dict(zip(("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"), endpoints))
            pairs = [zeek_pair(row, transport) for transport in ("tcp", "udp")]
            found = set().union(*(mine.get(pair, set()) for pair in pairs))
            if not found:  # a test that makes addresses up
                continue
            pair = pairs[1] if pairs[1] in mine and pairs[0] not in mine else pairs[0]
            yield Row("zeek-service", capture, place_of(pair, "-"), log, text_of(found), verdict(expected, found), False)
