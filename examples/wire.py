#!/usr/bin/env python3
"""A wire of bad quality between two TAP interfaces, with a mirror port, for examples/make_demo.

Makes the TAP interfaces that --link and --mirror name in the network namespace in which it is started
(move them where they are needed afterwards: the wire stays tied to them), then carries Ethernet frames
between the two ends of each link until it is ended by SIGTERM. Each frame that passes the tapping point
is copied to the mirror as well, with an 802.1Q tag where the link says so: what a capture on the mirror
sees is what a monitoring port of a switch gives.

  --link A,B[,key=value…]   delay=MS one way; jitter=MS; loss, duplicate, reorder = probability a frame;
                            rate=MBIT/S and queue=BYTES each way (a full queue drops the tail);
                            tap=0…1 where the mirror sits between A and B; vlan=ID of the mirrored copy
  --seed N                  the same frames meet the same fate

Losses fall before or behind the tapping point in proportion to its place, so the mirror sees the original
of some lost frames and never sees others.
"""

import argparse
import fcntl
import heapq
import os
import random
import select
import signal
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
REORDER_S = 0.004


def tap_open(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


class Link:
    def __init__(self, text):
        first, second, *pairs = text.split(",")
        self.names = (first, second)
        self.fds = tuple(tap_open(name) for name in self.names)
        self.options = {"delay": 0, "jitter": 0, "loss": 0, "duplicate": 0, "reorder": 0,
                        "rate": 0, "queue": 64000, "tap": 0.5, "vlan": 0}
        for pair in pairs:
            key, value = pair.split("=")
            self.options[key] = type(self.options[key])(float(value)) if key == "vlan" else float(value)
        self.sent_until = [0.0, 0.0]
        self.last_out = [0.0, 0.0]


class Wire:
    def __init__(self, links, mirror, seed):
        self.links = links
        self.mirror = mirror
        self.random = random.Random(seed)
        self.events = []
        self.serial = 0

    def at(self, when, fd, frame):
        heapq.heappush(self.events, (when, self.serial, fd, frame))
        self.serial += 1

    def take(self, link, side, frame, now):
        """Decides the fate of a frame that entered the link at `side` (0 or 1)."""
        option = link.options
        roll = self.random.random
        tap_share = option["tap"] if side == 0 else 1 - option["tap"]
        lost = roll() < option["loss"]
        lost_before_tap = lost and roll() < tap_share
        late = roll() < option["reorder"]
        late_before_tap = late and roll() < tap_share
        twice = roll() < option["duplicate"]
        if option["rate"]:
            per_byte = 8 / (option["rate"] * 1e6)
            start = max(now, link.sent_until[side])
            if (start - now) / per_byte > option["queue"]:
                return
            now = link.sent_until[side] = start + len(frame) * per_byte
        if lost_before_tap:
            return
        delay = option["delay"] / 1000
        tapped = now + delay * tap_share + (REORDER_S if late_before_tap else 0)
        arrives = now + delay + roll() * option["jitter"] / 1000 + (REORDER_S if late else 0)
        if not late:
            arrives = link.last_out[side] = max(arrives, link.last_out[side])
        for copy in range(2 if twice else 1):
            self.at(tapped + copy * 0.0003, self.mirror, self.tagged(frame, option["vlan"]))
            if not lost:
                self.at(arrives + copy * 0.0003, link.fds[1 - side], frame)

    @staticmethod
    def tagged(frame, vlan):
        if not vlan:
            return frame
        return frame[:12] + struct.pack(">HH", 0x8100, vlan) + frame[12:]

    def deliver(self):
        now = time.monotonic()
        while self.events and self.events[0][0] <= now:
            _, _, fd, frame = heapq.heappop(self.events)
            try:
                os.write(fd, frame)
            except OSError:
                pass  # the interface is down or gone: the frame is lost, as on a cable
        return self.events[0][0] - now if self.events else 1.0

    def run(self):
        ends = {fd: (link, side) for link in self.links for side, fd in enumerate(link.fds)}
        poll = select.poll()
        for fd in list(ends) + [self.mirror]:
            poll.register(fd, select.POLLIN)
        while True:
            wait = self.deliver()
            for fd, event in poll.poll(max(0, wait * 1000)):
                if event & select.POLLERR:
                    return  # an interface was deleted, by itself or with its namespace
                self.drain(fd, ends.get(fd))

    def drain(self, fd, end):
        for _ in range(64):
            try:
                frame = os.read(fd, 65536)
            except OSError:
                return
            if end:
                self.take(end[0], end[1], frame, time.monotonic())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--link", action="append", required=True)
    parser.add_argument("--mirror", required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    wire = Wire([Link(text) for text in arguments.link], tap_open(arguments.mirror), arguments.seed)
    print("ready", flush=True)
    wire.run()


if __name__ == "__main__":
    main()
