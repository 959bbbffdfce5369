"""Traffic and misfortune: each scenario provokes one cause, the mixed ones all of them by seed.

A treatment is a function of the packet (forwarder.Packet) and of the seconds since the start; it gives a Fate or
nothing. `segment` counts the data segments of a side that are new, `copy` the times that these bytes were sent.
"""

import random
import socket
import time

from forwarder import CLIENT, FIN, SERVER, SYN, Fate

PORT = 8080
MSS = 1448


class Scenario:
    def __init__(self, name, treat=None, settings=None, delay=0.015, **traffic):
        self.name, self.delay = name, delay
        self.treat = treat or (lambda packet, since: None)
        self.settings = dict(settings or {})
        self.traffic = {"size": 200_000, "writes": ((0, 1.0),), "congestion": "cubic", **traffic}


# ---- traffic ---------------------------------------------------------------------------------------------


def send(end, traffic):
    """Parts of the whole, each after a pause; then the end of the stream, then what the other side says."""
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, traffic["congestion"].encode())
    if "keep_alive" in traffic:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    for pause, share in traffic["writes"]:
        time.sleep(pause)
        end.sendall(bytes(int(traffic["size"] * share)))
    time.sleep(traffic.get("stay", 0))
    end.shutdown(socket.SHUT_WR)
    while end.recv(65536):
        pass
    end.close()


def receive(end, traffic):
    time.sleep(traffic.get("reader_sleeps", 0))
    while end.recv(65536):
        pass
    if traffic.get("answer"):
        end.sendall(bytes(traffic["answer"]))
    end.close()


def client(address, traffic):
    time.sleep(0.05)
    end = socket.socket()
    end.settimeout(25)
    if traffic.get("back") and "buffer" in traffic:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, traffic["buffer"])
    end.connect((address, PORT))
    (receive if traffic.get("back") else send)(end, traffic)


def server(listener, traffic):
    listener.settimeout(25)
    end, _ = listener.accept()
    end.settimeout(25)
    (send if traffic.get("back") else receive)(end, traffic)


# ---- treatments ------------------------------------------------------------------------------------------


def lose(*segments, where="beyond", copies=1, side=CLIENT):
    """The first `copies` sendings of these data segments are lost."""
    lost = {}  # offset → how often still

    def treat(packet, _):
        if packet.side != side or not packet.data:
            return None
        if packet.segment in segments:
            lost[packet.offset] = copies
        if lost.get(packet.offset, 0) > 0:
            lost[packet.offset] -= 1
            return Fate(lost=where)
        return None

    return treat


def lose_in_turn(*segments, side=CLIENT):
    """Lost before the tap and beyond it in turn."""
    def treat(packet, _):
        if packet.side == side and packet.segment in segments:
            return Fate(lost=("before", "beyond")[segments.index(packet.segment) % 2])
        return None

    return treat


def flagged(flags, side, where, copies=1):
    def treat(packet, _):
        if packet.side == side and packet.flags & (SYN | FIN) == flags and packet.copy <= copies:
            return Fate(lost=where)
        return None

    return treat


def spike(begin, end, extra):
    """Everything that comes in this time is late by so much."""
    return lambda packet, since: Fate(beyond=extra) if begin <= since < end and packet.side == CLIENT else None


def late(segments, before=0.0, beyond=0.0):
    def treat(packet, _):
        if packet.side == CLIENT and packet.segment in segments:
            return Fate(before=before, beyond=beyond)
        return None

    return treat


def doubled(segments, where):
    return lambda packet, _: Fate(twice=where) if packet.side == CLIENT and packet.segment in segments else None


def no_acks(begin, end):
    return lambda packet, since: Fate(lost="beyond") if packet.side == SERVER and begin <= since < end else None


def chance(seed, loss=0.0, late_share=0.0, twice=0.0, acks=0.0):
    roll = random.Random(seed).random

    def treat(packet, _):
        where = "before" if roll() < 0.5 else "beyond"
        if not packet.data:
            return Fate(lost=where) if roll() < acks else None
        if roll() < loss:
            return Fate(lost=where)
        if roll() < late_share:
            return Fate(before=roll() * 0.02) if where == "before" else Fate(beyond=roll() * 0.02)
        if roll() < twice:
            return Fate(twice=("before", "beyond", "capture")[int(roll() * 3)])
        return None

    return treat


# ---- the list --------------------------------------------------------------------------------------------

QUIET = {"tcp_early_retrans": 0}  # no tail-loss probes
PLAIN = {"tcp_sack": 0}
OLD = {"tcp_sack": 0, "tcp_timestamps": 0, "tcp_recovery": 0, "tcp_early_retrans": 0}


def single():
    """One cause each, both sides of the tap."""
    for where in ("before", "beyond"):
        yield Scenario("fast, lost " + where, lose(20, where=where))
        yield Scenario("fast without SACK, lost " + where, lose(20, where=where), PLAIN)
        yield Scenario("timeout of one segment, lost " + where, lose(1, where=where), QUIET, size=500, stay=2.5)
        yield Scenario("timeout of the tail, lost " + where, lose(138, 139, where=where), QUIET)
        yield Scenario("one segment and the FIN, lost " + where, lose(1, where=where), QUIET, size=500)
        yield Scenario("timeouts doubling, lost " + where, lose(1, where=where, copies=3), QUIET, size=500, stay=2.5)
        yield Scenario("timeout in the middle, lost " + where, lose(24, where=where), OLD, size=500 * 30, stay=1,
                       writes=((0, 0.8),) + ((0.02, 0.1),) * 2)
        yield Scenario("tail probe, lost " + where, lose(139, where=where), stay=0.8)
        yield Scenario("tail probe of one segment, lost " + where, lose(1, where=where), size=500, stay=1)
        yield Scenario("tail probe, then SACK, lost " + where, lose(136, 137, 138, 139, where=where))
        yield Scenario("go back N, lost " + where, lose(*range(60, 140), where=where), {**PLAIN, **QUIET})
        yield Scenario("go back with SACK, lost " + where, lose(*range(100, 140), where=where), QUIET)
        yield Scenario("resend lost too, " + where, lose(30, where=where, copies=2))
        yield Scenario("SYN lost " + where, flagged(SYN, CLIENT, where), size=3000)
        yield Scenario("SYN-ACK lost " + where, flagged(SYN, SERVER, where), size=3000)
        yield Scenario("FIN lost " + where, flagged(FIN, SERVER, where), size=3000, answer=3000)
    yield Scenario("SACK, several holes", lose_in_turn(30, 32, 35, 36, 41, 42))
    yield Scenario("holes without SACK", lose_in_turn(60, 62, 65, 66), PLAIN)
    yield Scenario("holes, no RACK", lose_in_turn(30, 32, 35, 36), {"tcp_recovery": 0})
    yield Scenario("holes, old kernel", lose_in_turn(60, 62, 65), OLD)
    yield Scenario("holes, bbr", lose_in_turn(30, 32, 35, 36), congestion="bbr")
    yield Scenario("spurious timeout", spike(0.12, 0.2, 0.5), size=400_000)
    yield Scenario("spurious timeout without timestamps", spike(0.12, 0.2, 0.5),
                   {"tcp_timestamps": 0, "tcp_sack": 0}, size=400_000)
    yield Scenario("reordering before the tap", late((20, 40, 60), before=0.004))
    yield Scenario("reordering beyond the tap", late((20, 40, 60), beyond=0.004))
    yield Scenario("reordering, no timestamps", late((20, 40, 60), before=0.004), {"tcp_timestamps": 0})
    yield Scenario("far reordering before the tap", late((20, 60), before=0.06))
    for where in ("before", "beyond", "capture"):
        yield Scenario("doubled " + where, doubled((10, 20, 30, 40), where))
    yield Scenario("ACKs lost", no_acks(0.1, 0.45))
    yield Scenario("zero window", reader_sleeps=2.5, size=400_000, buffer=8192)
    yield Scenario("keep-alives", size=2000, keep_alive=True, stay=3.5)
    yield Scenario("keep-alives, no timestamps", None, {"tcp_timestamps": 0}, size=2000, keep_alive=True, stay=2.5)


def mixed(count, first=1):
    """Settings and misfortune by seed."""
    for seed in range(first, first + count):
        draw = random.Random(seed)
        congestion = draw.choice(("cubic", "reno", "bbr"))
        settings = {"tcp_sack": draw.choice((1, 1, 1, 0)), "tcp_timestamps": draw.choice((1, 1, 0)),
                    "tcp_early_retrans": draw.choice((3, 3, 0)), "tcp_recovery": draw.choice((1, 1, 0))}
        treat = chance(seed, loss=draw.choice((0.01, 0.02, 0.04)), late_share=draw.choice((0, 0, 0.01)),
                       twice=draw.choice((0, 0, 0.01)), acks=draw.choice((0, 0.01, 0.1)))
        words = " ".join("%s=%s" % (name[4:], value) for name, value in settings.items())
        writes = draw.choice((((0, 1.0),), ((0, 1.0),), tuple((0.08, 0.05) for _ in range(20))))
        yield Scenario("mixed %d (%s %s)" % (seed, congestion, words), treat, settings, delay=draw.choice((0.005, 0.015, 0.04)),
                       size=draw.choice((200_000, 400_000)), writes=writes, congestion=congestion, back=draw.random() < 0.3)
