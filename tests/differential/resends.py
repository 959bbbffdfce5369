"""Segments sent again, direction by direction, as tcptrace or tshark counts them.

Ours: retransmitted_segments + capture_duplicates + keep_alives. Theirs: tcptrace's rexmt_data_pkts, and tshark's
retransmission, which holds repeated SYNs and FINs, too; keep-alives may stand beside it. The peers differ among
themselves in one direction of six, so agreeing with either is agreement. Directions without payload are left out: what they
send again are SYNs and FINs, which we count apart."""

import collections

from tests.differential.compare import DIFFERS, EQUAL, Row, endpoint_text, number

SIDES = (("client", "server", "c"), ("server", "client", "s"))


def direction(session, side, other):
    return session[f"{side}_ip"], session[f"{side}_port"], session[f"{other}_ip"], session[f"{other}_port"]


def ours(sessions):
    counts = collections.defaultdict(lambda: [0, 0])
    for session in sessions:
        if session["transport"] != "tcp" or session["tcp"] is None:
            continue
        for side, other, _ in SIDES:
            count = counts[direction(session, side, other)]
            count[0] += sum(session["tcp"][f"{side}_{name}"]
                            for name in ("retransmitted_segments", "capture_duplicates", "keep_alives"))
            count[1] += sum(session["tcp"][f"{side}_{name}"] for name in ("syn_retransmissions", "fin_retransmissions"))
    return counts


def tshark(table):
    """What tshark's count may be once keep-alives, or none, stand beside it."""
    counts = collections.defaultdict(lambda: [0, 0, 0])
    for row in table or ():
        for side, other, letter in SIDES:
            ends = row[side], int(row[f"{side}_port"]), row[other], int(row[f"{other}_port"])
            counts[ends][0] += number(row[f"retransmission_{letter}"])
            counts[ends][1] += number(row[f"keep_alive_{letter}"])
            counts[ends][2] += number(row[f"data_pkts_{letter}"])
    return counts


def tcptrace(table):
    counts = collections.Counter()
    for row in table or ():
        counts[row["src"], int(row["src_port"]), row["dst"], int(row["dst_port"])] += number(row["rexmt_data_pkts"])
    return counts


def rows(capture, streams, connections, sessions):
    sharks, traces, mine = tshark(streams), tcptrace(connections), ours(sessions)
    for ends in sorted(set(sharks) | set(traces)):
        seen, alive, payloads = sharks.get(ends, (0, 0, 0))
        traced = traces.get(ends, 0)
        if payloads == 0 or (seen == 0 and traced == 0):
            continue
        count, control = mine.get(ends, (0, 0))
        equal = count in (seen, seen + alive, traced) or count + control == seen
        key = f"tcp {endpoint_text(*ends[:2])} > {endpoint_text(*ends[2:])}"
        yield Row("resends", capture, key, f"tshark {seen}+{alive} tcptrace {traced}", f"{count}+{control}",
                  EQUAL if equal else DIFFERS, False)
