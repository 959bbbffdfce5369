"""Holds the sessions of one capture against what tshark, Zeek and tcptrace found in it."""

import collections

SECOND = 1_000_000

# Silence after which one of the tools ends a session, in microseconds.
FYKE_SILENCE = {"tcp": 60 * SECOND, "udp": 60 * SECOND, "icmp": 60 * SECOND}
ZEEK_SILENCE = {"tcp": 300 * SECOND, "udp": 60 * SECOND, "icmp": 60 * SECOND}

# Query types and what answers them; both make one session (SEMANTICS §5).
ICMP_PAIRS = {"icmp": ((8, 0), (13, 14), (15, 16), (17, 18), (10, 9)),
              "icmp6": ((128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145))}
COUNTERPART = {transport: {a: b for pair_ in pairs for a, b in (pair_, pair_[::-1])}
               for transport, pairs in ICMP_PAIRS.items()}
ECHO = {"icmp": (8, 0), "icmp6": (128, 129)}

EQUAL, DIFFERS, LEFT_OUT = "equal", "differs", "left out"


class Row(collections.namedtuple("Row", "check capture key theirs ours verdict summed")):
    """One compared row. `summed`: equal or not as the sum over sessions that are cut up differently."""

    @property
    def identity(self):
        return self.check, self.capture, self.key, self.theirs, self.ours


def microseconds(text):
    """Seconds with a decimal fraction, exactly; Zeek and tshark print up to nanoseconds."""
    whole, _, fraction = text.partition(".")
    if "e" in text:
        return round(float(text) * SECOND)
    return int(whole) * SECOND + int((fraction + "000000")[:6])


def number(text):
    return int(text) if text else 0


def endpoint_text(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def pair(address_a, port_a, address_b, port_b):
    """The endpoints in an order of their own, and whether they were swapped for it."""
    a, b = (address_a, port_a), (address_b, port_b)
    return ((a, b), False) if a <= b else ((b, a), True)


def directed(values, swapped):
    """A pair of facts about (client, server) in the order of the endpoints."""
    return tuple(reversed(values)) if swapped else tuple(values)


def pair_text(transport, endpoints, n):
    (a, b) = endpoints
    return f"{transport} {endpoint_text(*a)} {endpoint_text(*b)} #{n}"


class Entry:
    """A session of either side, its facts by direction in the order of the endpoints."""

    __slots__ = ("start", "end", "facts", "swapped", "source")

    def __init__(self, start, end, facts, swapped, source):
        self.start, self.end, self.facts, self.swapped, self.source = start, end, facts, swapped, source


def grouped(entries):
    groups = collections.defaultdict(list)
    for key, entry in entries:
        groups[key].append(entry)
    for group in groups.values():
        group.sort(key=lambda entry: (entry.start, entry.end))
    return groups


def ours_grouped(sessions, transports, facts):
    """Our sessions of some transports; facts(session) gives ((client…), (server…))."""

    def entries():
        for session in sessions:
            if session["transport"] in transports:
                endpoints, swapped = pair(session["client_ip"], session["client_port"],
                                          session["server_ip"], session["server_port"])
                yield ((session["transport"], endpoints),
                       Entry(session["start_us"], session["end_us"], directed(facts(session), swapped), swapped, session))

    return grouped(entries())


def total(entries):
    """The sum by direction of facts that are tuples of integers."""
    sides = [[entry.facts[side] for entry in entries] for side in (0, 1)]
    return tuple(tuple(sum(column) for column in zip(*side)) for side in sides)


def text(facts):
    return " ".join("/".join(str(value) for value in side) for side in facts) if facts else "none"


def silent_between(entries, limit):
    """Whether every cut between these sessions, in time order, is a silence of at least `limit`."""
    return all(after.start - before.end >= limit for before, after in zip(entries, entries[1:]))


# ---- tshark's conversations ---------------------------------------------------


def conv_theirs(table):
    def entries():
        for row in table:
            endpoints, swapped = pair(row["client"], int(row["client_port"]), row["server"], int(row["server_port"]))
            facts = tuple(
                (int(row[f"packets_{way}"]), *([number(row[f"payload_{way}"])] if row["kind"] == "tcp" else []))
                for way in ("c2s", "s2c"))
            yield ((row["kind"], endpoints), Entry(microseconds(row["first"]), microseconds(row["last"]),
                                                   directed(facts, swapped), swapped, row))

    return grouped(entries())


def conv_facts(session):
    with_payload = session["transport"] == "tcp"
    return tuple(
        (session[f"{side}_packets"], *([session[f"{side}_payload_bytes"]] if with_payload else []))
        for side in ("client", "server"))


def conv(capture, table, sessions):
    """packets (and TCP payload) each way; `conv-extra`: sessions that tshark has no conversation for."""
    theirs, ours = conv_theirs(table), ours_grouped(sessions, ("tcp", "udp"), conv_facts)
    for (transport, endpoints), conversations in theirs.items():
        if transport == "udp":
            conversations = [together(conversations)]
        mine = collections.defaultdict(list)
        for entry in ours.get((transport, endpoints), []):
            place = max((i for i, row in enumerate(conversations) if row.start <= entry.start), default=0)
            mine[place].append(entry)
        for n, row in enumerate(conversations):
            key = pair_text(transport, endpoints, n)
            yield conv_row(capture, key, row, mine[n], FYKE_SILENCE[transport])
    for key in ours.keys() - theirs.keys():
        for n, entry in enumerate(ours[key]):
            yield Row("conv-extra", capture, pair_text(*key, n), "none", text(entry.facts), DIFFERS, False)


def together(conversations):
    """UDP has no start that tshark could see: where it has two streams for the same endpoints, a dissector (of
    SNMP, for example) asked for the second one. They are one conversation."""
    return Entry(conversations[0].start, max(row.end for row in conversations), total(conversations),
                 conversations[0].swapped, conversations[0].source)


def conv_row(capture, key, row, mine, limit):
    if len(mine) == 1:
        verdict = EQUAL if mine[0].facts == row.facts else DIFFERS
        return Row("conv", capture, key, text(row.facts), text(mine[0].facts), verdict, False)
    if not mine:
        return Row("conv", capture, key, text(row.facts), "none", DIFFERS, False)
    if silent_between(mine, limit) and total(mine) == row.facts:
        return Row("conv", capture, key, text(row.facts), text(total(mine)), LEFT_OUT, True)
    return Row("conv", capture, key, text(row.facts), " + ".join(text(entry.facts) for entry in mine), DIFFERS, False)


# ---- Zeek's connections ---------------------------------------------------------


def zeek_theirs(table):
    def entries():
        for row in table:
            address_a, port_a = row["id.orig_h"], int(row["id.orig_p"])
            address_b, port_b = row["id.resp_h"], int(row["id.resp_p"])
            if row["proto"] == "icmp":  # type, and counterpart or code: no endpoints' ports
                kind = " icmp " + "/".join(map(str, sorted((port_a, port_b))))
                port_a = port_b = 0
            else:
                kind = row["proto"]
            endpoints, swapped = pair(address_a, port_a, address_b, port_b)
            facts = ((number(row["orig_ip_bytes"]),), (number(row["resp_ip_bytes"]),))
            start = microseconds(row["ts"])
            end = start + microseconds(row["duration"] or "0")
            yield ((kind.strip(), endpoints), Entry(start, end, directed(facts, swapped), swapped, row))

    return grouped(entries())


def icmp_kind(session):
    """As Zeek keys it: the type, and its counterpart or the code."""
    other = COUNTERPART[session["transport"]].get(session["icmp_type"], session["icmp_code"])
    return "icmp " + "/".join(map(str, sorted((session["icmp_type"], other))))


def zeek_ours(sessions):
    def entries():
        for session in sessions:
            kind = session["transport"]
            ports = session["client_port"], session["server_port"]
            if kind in ("icmp", "icmp6"):
                if session["icmp_type"] is None:
                    continue
                kind, ports = icmp_kind(session), (0, 0)
            elif kind not in ("tcp", "udp"):
                continue
            endpoints, swapped = pair(session["client_ip"], ports[0], session["server_ip"], ports[1])
            facts = ((session["client_bytes"],), (session["server_bytes"],))
            yield ((kind, endpoints), Entry(session["start_us"], session["end_us"], directed(facts, swapped),
                                            swapped, session))

    return grouped(entries())


def overlapping(theirs, ours):
    """Splits one pair of lists into the smallest parts that share time, theirs with ours."""
    everything = sorted([(entry.start, entry.end, 0, entry) for entry in theirs] +
                        [(entry.start, entry.end, 1, entry) for entry in ours], key=lambda item: item[:3])
    parts, end = [], None
    for start, stop, whose, entry in everything:
        if end is None or start > end + 1:  # both clocks are cut to microseconds
            parts.append(([], []))
        parts[-1][whose].append(entry)
        end = stop if end is None or start > end + 1 else max(end, stop)
    return parts


def zeek_bytes(capture, theirs, ours):
    for (kind, endpoints), connections in theirs.items():
        for n, (part, mine) in enumerate(overlapping(connections, ours.get((kind, endpoints), []))):
            if not part:
                continue
            transport = kind.split()[0]
            key = pair_text(kind, endpoints, n)
            same = bool(mine) and total(part) == total(mine)
            summed = len(part) != 1 or len(mine) != 1
            verdict = EQUAL if same else DIFFERS
            frames = [entry for entry in mine if entry.source["longest_silence_us"] >= ZEEK_SILENCE[transport]]
            if not same and (frames or not silent_free(connections, ours.get((kind, endpoints), []), transport)):
                verdict = LEFT_OUT
            row = Row("zeek-bytes", capture, key, text(total(part)), text(total(mine)) if mine else "none", verdict, summed)
            for _ in part:
                yield row


def silent_free(theirs, ours, transport):
    """No silence between the sessions of these endpoints reaches a limit of fyke's or Zeek's."""
    limit = min(FYKE_SILENCE[transport], ZEEK_SILENCE[transport])
    both = sorted(theirs + ours, key=lambda entry: entry.start)
    end = both[0].end
    for entry in both[1:]:
        if entry.start - end >= limit:
            return False
        end = max(end, entry.end)
    return True


def without_checksums(history):
    return (history or "").replace("c", "").replace("C", "")


def zeek(capture, table, sessions):
    """IP bytes each way; state and history where both see one connection for the endpoints."""
    theirs, ours = zeek_theirs(table), zeek_ours(sessions)
    yield from zeek_bytes(capture, theirs, ours)
    for (kind, endpoints), connections in theirs.items():
        mine = ours.get((kind, endpoints), [])
        if len(connections) != 1 or len(mine) != 1 or kind not in ("tcp", "udp"):
            continue
        key, row, session = pair_text(kind, endpoints, 0), connections[0].source, mine[0].source
        verdict = EQUAL if row["conn_state"] == session["state"] else DIFFERS
        yield Row("zeek-state", capture, key, row["conn_state"], session["state"] or "none", verdict, False)
        history = without_checksums(session["history"])
        verdict = EQUAL if row["history"] == history else DIFFERS
        yield Row("zeek-history", capture, key, row["history"] or "none", history or "none", verdict, False)


# ---- tcptrace's distinct bytes ----------------------------------------------------


def stream_bytes(session):
    tcp = session["tcp"]
    return tuple((tcp[f"{side}_stream_bytes"] or 0 if tcp else 0,) for side in ("client", "server"))


def tcptrace(capture, table, sessions):
    """Distinct stream bytes each way, connection by connection, else the sum over the endpoints."""
    ours = ours_grouped(sessions, ("tcp",), stream_bytes)
    directions = collections.defaultdict(dict)
    for row in table:
        directions[int(row["connection"])][row["direction"]] = row
    theirs = collections.defaultdict(list)
    for connection in sorted(directions):
        row = directions[connection].get("c2s") or directions[connection]["s2c"]
        if "c2s" in directions[connection]:
            ends = row["src"], int(row["src_port"]), row["dst"], int(row["dst_port"])
        else:
            ends = row["dst"], int(row["dst_port"]), row["src"], int(row["src_port"])
        endpoints, swapped = pair(*ends)
        facts = tuple((number(directions[connection].get(way, {}).get("unique_bytes_sent")),) for way in ("c2s", "s2c"))
        theirs["tcp", endpoints].append(Entry(0, 0, directed(facts, swapped), swapped, None))
    for (transport, endpoints), connections in theirs.items():
        yield from tcptrace_rows(capture, (transport, endpoints), connections, ours.get((transport, endpoints), []))


def tcptrace_rows(capture, group, connections, mine):
    together = len(connections) != len(mine)
    for n, connection in enumerate(connections[:1] if together else connections):
        theirs = total(connections) if together else connection.facts
        facts = total(mine) if together and mine else (None if together else mine[n].facts)
        for side, (way, back) in enumerate(((0, 1), (1, 0))):
            source, destination = group[1][way], group[1][back]
            key = f"tcp {endpoint_text(*source)} > {endpoint_text(*destination)} #{'*' if together else n}"
            value = facts[side][0] if facts else None
            yield Row("tcptrace-bytes", capture, key, str(theirs[side][0]), "none" if value is None else str(value),
                      EQUAL if value == theirs[side][0] else DIFFERS, together)


# ---- ICMP -------------------------------------------------------------------------


def icmp(capture, table, sessions):
    """Packets by source, destination, type, code and identifier."""
    theirs, ours = collections.Counter(), collections.Counter()
    for row in table:
        version = "icmp" if row["version"] == "4" else "icmp6"
        # tshark names identifiers of other types, too, and those of the message that an error quotes
        ident = int(row["ident"], 0) if row["ident"] and int(row["type"] or -1) in ECHO[version] else None
        if not row["type"]:
            continue  # a fragment of an ICMP message, or one cut before its type: no message to count
        theirs[version, row["src"], row["dst"], int(row["type"]), number(row["code"]), ident] += int(row["packets"])
    for session in sessions:
        transport, kind, code = session["transport"], session["icmp_type"], session["icmp_code"]
        if transport not in ICMP_PAIRS:
            continue
        ident = session["icmp_id"] if kind in ECHO[transport] else None
        client, server = session["client_ip"], session["server_ip"]
        ours[transport, client, server, kind, code, ident] += session["client_packets"]
        answer = COUNTERPART[transport].get(kind, kind)
        ours[transport, server, client, answer, code, ident] += session["server_packets"]
    for key, packets in theirs.items():
        version, source, destination, kind, code, ident = key
        name = f"{version} {source} > {destination} type {kind} code {code}" + (f" id {ident}" if ident is not None else "")
        yield Row("icmp", capture, name, str(packets), str(ours[key]), EQUAL if packets == ours[key] else DIFFERS, False)


# ---- frames: no other tool, but the capture itself ------------------------------------


def frames(capture, table, sessions):
    """Each session's times and frame numbers are those of the frames that it lists. Fragments of its first datagram
    may stand before the frame that made it whole, in which the session began."""
    times = [frame.time_ns // 1000 for frame in table]
    for session in sessions:
        listed = [n for n in session["frames"] if n >= session["first_frame"]]
        key = f"session {session['first_frame']}.{session['first_ordinal']}"
        seen = [times[n - 1] for n in listed if 0 < n <= len(times)]
        theirs = f"{min(seen)} {max(seen)} {min(listed)} {max(listed)}" if seen else "none"
        ours = f"{session['start_us']} {session['end_us']} {session['first_frame']} {session['last_frame']}"
        yield Row("frames", capture, key, theirs, ours, EQUAL if theirs == ours else DIFFERS, False)


def add_silence(table, sessions):
    """The longest silence within each session, from the capture's own times."""
    times = [frame.time_ns // 1000 for frame in table]
    for session in sessions:
        seen = sorted(times[n - 1] for n in session["frames"] if 0 < n <= len(times))
        session["longest_silence_us"] = max((b - a for a, b in zip(seen, seen[1:])), default=0)


CHECKS = {  # check: (least share of equal rows, what is compared)
    "conv": (0.99, "packets and TCP payload each way as tshark's conversations"),
    "zeek-bytes": (0.99, "IP bytes each way as Zeek's conn.log"),
    "zeek-state": (0.97, "state as Zeek's conn_state"),
    "zeek-history": (0.90, "history as Zeek's, checksums apart"),
    "tcptrace-bytes": (0.99, "distinct stream bytes as tcptrace"),
    "resends": (0.90, "segments sent again as tshark or tcptrace, where either sees one"),
    "icmp": (0.99, "ICMP packets by type, code and identifier as tshark"),
    "frames": (1.0, "times and frame numbers as in the capture itself"),
}
