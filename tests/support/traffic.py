"""Random traffic by seed, and what is true of it: the oracle for stream bytes, gaps and packet counts."""

import random

from .packets import ACK, PSH, Tcp, Trace, echo, udp


class Stream:
    """One direction's truth, byte by byte."""

    def __init__(self):
        self.seen, self.payload = bytearray(), 0

    def add(self, offset, length):
        self.payload += length
        self.seen.extend(bytes(max(0, offset + length - len(self.seen))))
        self.seen[offset:offset + length] = b"\1" * length

    @property
    def distinct(self):
        return sum(self.seen)

    @property
    def missing(self):
        return len(self.seen) - self.distinct


class Flow:
    """A TCP connection: handshake, pieces of both streams that are lost, doubled and reordered, close."""

    def __init__(self, chance, trace, n):
        self.chance = chance
        client = (f"10.1.{n >> 8 & 255}.{n & 255}", chance.randrange(32768, 60000))
        self.tcp = Tcp(trace, client, ("10.2.0.1", 80), isn=(chance.getrandbits(32), chance.getrandbits(32)))
        self.isn = tuple(self.tcp.next)
        self.client = client
        self.streams = Stream(), Stream()
        self.packets = [0, 0]
        self.plan = self.make_plan()

    def make_plan(self):
        """Calls that each send one segment, in the order in which they come past the tap."""
        chance, sends = self.chance, []
        lengths = [0, 0]
        for _ in range(chance.randrange(1, 30)):
            side, length = chance.randrange(2), chance.randrange(1, 1400)
            fate = chance.random()
            place = (side, lengths[side], length)
            lengths[side] += length
            if fate > 0.05:
                sends.append(place)
            if fate > 0.9:
                sends.append(place)
        for i in range(len(sends) - 1):
            if chance.random() < 0.1:
                sends[i], sends[i + 1] = sends[i + 1], sends[i]
        self.lengths = lengths
        head = [lambda: self.tcp.syn(), lambda: self.tcp.synack(), lambda: self.tcp.ack(0)]
        tail = [lambda: self.finish(0), lambda: self.finish(1), lambda: self.tcp.ack(0)]
        for call, side in zip(head + tail, (0, 1, 0, 0, 1, 0)):
            self.packets[side] += 1
        for side, _, _ in sends:
            self.packets[side] += 1
        return head + [lambda place=place: self.segment(*place) for place in sends] + tail

    def segment(self, side, offset, length):
        self.streams[side].add(offset, length)
        self.tcp.send(side, PSH | ACK, bytes([offset & 255]) * length, sequence=self.isn[side] + 1 + offset)

    def finish(self, side):
        """The FIN stands behind everything that was ever sent; a hole before it is missing too."""
        stream = self.streams[side]
        stream.seen.extend(bytes(self.lengths[side] - len(stream.seen)))
        self.tcp.next[side] = self.isn[side] + 1 + self.lengths[side]
        self.tcp.fin(side)


def generate(seed, flows=60):
    """(trace, flows): TCP connections interleaved, and some UDP and ICMP between them."""
    chance, trace = random.Random(seed), Trace()
    everything = [Flow(chance, trace, n) for n in range(flows)]
    waiting = [list(reversed(flow.plan)) for flow in everything]
    while waiting:
        plan = chance.choice(waiting[:12])  # about a dozen open at a time
        plan.pop()()
        if not plan:
            waiting.remove(plan)
        if chance.random() < 0.05:
            n = chance.randrange(200)
            trace.add(udp("10.3.0.1", 20000 + n, "10.3.0.2", 53, bytes(chance.randrange(200))))
        if chance.random() < 0.02:
            trace.add(echo("10.3.0.1", "10.3.0.2", chance.randrange(5), 1))
    return trace, everything
