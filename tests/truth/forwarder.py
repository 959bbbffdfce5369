"""Carries frames between two TAP interfaces, treats single packets as a scenario wishes, writes down what it did.

    sender → [before] → half the delay → tap (pcapng) → [beyond] → half the delay → receiver

Everything that a sender emits is seen first, so the log knows each copy of each byte; with every one that was
sent before stands what the sender's kernel counted for it.
"""

import heapq
import os
import select
import struct
import time

FIN, SYN, RST, ACK = 1, 2, 4, 16
CLIENT, SERVER = 0, 1
NAMES = ("client", "server")

# What the kernel counts for a resend, in the order in which one burst holds them.
TRIGGERS = (("TCPTimeouts", "timeout"), ("TCPLossProbes", "probe"), ("TCPFastRetrans", "recovery"),
            ("TCPSlowStartRetrans", "go_back"))
SILENT = (("TCPKeepAlive", "keep_alive"), ("TCPWinProbe", "window_probe"))
COUNTING_S = 0.003  # some counters move just after the packet has left


class Capture:
    """pcapng with one Ethernet interface and nanoseconds."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.frames = 0
        self.base = time.time_ns() - time.monotonic_ns()
        self.block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
        self.block(1, struct.pack("<HHIHHB3xI", 1, 0, 0, 9, 1, 9, 0))

    def block(self, kind, body):
        length = len(body) + 12
        self.file.write(struct.pack("<II", kind, length) + body + struct.pack("<I", length))

    def add(self, frame):
        now = time.monotonic_ns()
        stamp = now + self.base
        self.block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame)) + frame +
                   bytes(-len(frame) % 4))
        self.frames += 1
        return self.frames, now

    def close(self):
        self.file.close()


class Packet:
    """One emission of a sender."""

    __slots__ = ("side", "time", "flags", "offset", "length", "copy", "segment", "old", "kernel", "lost", "frames",
                 "delivered", "duplicated", "acknowledged", "number", "highest")

    def __init__(self, side, frame):
        self.side, self.time = side, time.monotonic()
        size = 4 * (frame[14] & 15)
        total = struct.unpack_from(">H", frame, 16)[0]
        sequence, acknowledged = struct.unpack_from(">II", frame, 14 + size + 4)
        self.flags = frame[14 + size + 13]
        self.length = total - size - 4 * (frame[14 + size + 12] >> 4)
        self.offset, self.acknowledged = sequence, acknowledged
        self.copy = self.segment = self.number = 0
        self.old = self.duplicated = False
        self.kernel = self.lost = None
        self.frames, self.delivered = [], []

    @property
    def data(self):
        return self.length > 0

    @property
    def end(self):
        return self.offset + self.length


class Fate:
    """What happens to a packet; delays in seconds, on top of the link's own."""

    def __init__(self, lost=None, before=0.0, beyond=0.0, twice=None):
        self.lost, self.before, self.beyond, self.twice = lost, before, beyond, twice


class Sender:
    """What one side has emitted so far, and what its kernel counted that no packet accounts for yet."""

    def __init__(self, place):
        self.place = place
        self.start = None
        self.highest = 0
        self.copies = {}
        self.segments = self.packets = 0
        self.seen = place.counters()
        self.pot = dict.fromkeys(self.seen, 0)
        self.probes_with_news = 0

    def number(self, packet):
        """Offsets, which copy it is, whether it was sent before."""
        if packet.flags & SYN:
            self.start = packet.offset + 1
        packet.offset = (packet.offset + (1 if packet.flags & SYN else 0) - (self.start or 0) + (1 << 31)) % (1 << 32) - (1 << 31)
        self.packets += 1
        packet.number = self.packets
        packet.highest = self.highest
        end = packet.end + (1 if packet.flags & FIN else 0)
        if packet.length or packet.flags & (SYN | FIN):
            key = (packet.offset, packet.flags & SYN)
            packet.copy = self.copies[key] = self.copies.get(key, 0) + 1
            packet.old = packet.copy > 1 if packet.flags & SYN else end <= self.highest
            if packet.data and not packet.old:
                self.segments += 1
                packet.segment = self.segments
            self.highest = max(self.highest, end)

    def count(self):
        now = self.place.counters()
        for name, value in now.items():
            self.pot[name] += value - self.seen[name]
        self.seen = now

    def take(self, kinds):
        for name, word in kinds:
            if self.pot[name] > 0:
                self.pot[name] -= 1
                return word
        return None

    def account(self, packet):
        """What the kernel says of this packet."""
        silent = packet.length <= 1 and not packet.flags & (SYN | FIN | RST) and packet.offset == self.highest - 1
        if not packet.old and not silent:
            if packet.data:
                self.count()
                self.probes_with_news += self.pot["TCPLossProbes"]
                self.pot["TCPLossProbes"] = 0
            return
        kinds = SILENT if silent else TRIGGERS
        limit = time.monotonic() + COUNTING_S
        while packet.kernel is None:
            self.count()
            packet.kernel = self.take(kinds)
            if time.monotonic() > limit:
                break


class Forwarder:
    def __init__(self, places, path, delay, treat):
        self.taps = [place.tap for place in places]
        self.senders = [Sender(place) for place in places]
        self.capture = Capture(path)
        self.half, self.treat = delay / 2, treat
        self.log, self.events = [], []
        self.serial = 0
        self.began = time.monotonic()
        self.last = [[0.0, 0.0], [0.0, 0.0]]

    def at(self, when, action, *arguments):
        heapq.heappush(self.events, (when, self.serial, action, arguments))
        self.serial += 1

    def enter(self, side, frame):
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            os.write(self.taps[1 - side], frame)
            return
        packet = Packet(side, frame)
        sender = self.senders[side]
        sender.number(packet)
        sender.account(packet)
        self.log.append(packet)
        fate = self.treat(packet, packet.time - self.began) or Fate()
        if fate.lost == "before":
            packet.lost = "before"
            return
        when = self.in_order(side, 0, packet.time + self.half, fate.before)
        self.at(when, self.tap, side, frame, packet, fate)
        if fate.twice in ("before", "capture"):
            packet.duplicated = True
            self.at(when + 0.0004, self.tap, side, frame, packet, Fate(lost="capture" if fate.twice == "capture" else None))

    def in_order(self, side, stage, when, extra):
        """Only who is delayed on purpose is overtaken."""
        if extra:
            return when + extra
        self.last[side][stage] = max(when, self.last[side][stage])
        return self.last[side][stage]

    def tap(self, side, frame, packet, fate):
        number, _ = self.capture.add(frame)
        packet.frames.append(number)
        if fate.lost == "capture":
            return
        if fate.lost == "beyond":
            packet.lost = "beyond"
            return
        when = self.in_order(side, 1, time.monotonic() + self.half, fate.beyond)
        self.at(when, self.leave, side, frame, packet)
        if fate.twice == "beyond":
            self.at(when + 0.0004, self.leave, side, frame, packet)

    def leave(self, side, frame, packet):
        packet.delivered.append(time.monotonic())
        os.write(self.taps[1 - side], frame)

    def run(self, until):
        """Until until() is true or its time is over; then what is under way is let through."""
        quiet = 0
        while not quiet or time.monotonic() < quiet:
            now = time.monotonic()
            while self.events and self.events[0][0] <= now:
                _, _, action, arguments = heapq.heappop(self.events)
                action(*arguments)
                now = time.monotonic()
            wait = min(0.02, max(0.0, self.events[0][0] - now)) if self.events else 0.02
            ready, _, _ = select.select(self.taps, (), (), wait)
            for fd in ready:
                self.drain(self.taps.index(fd), fd)
            if not quiet and until():
                quiet = time.monotonic() + 0.15
        self.capture.close()

    def drain(self, side, fd):
        for _ in range(16):
            try:
                frame = os.read(fd, 4096)
            except BlockingIOError:
                return
            self.enter(side, frame)
