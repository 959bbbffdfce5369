"""Captures that were made to hurt: each is small or compresses well, and aims at one cost or bound."""

import gzip
import random
import struct

from tests.support.packets import (ACK, PSH, SYN, LINUX_SLL, Tcp, Trace, ethernet, gre, icmp, ip, ipv4, ipv6,
                                   ipv4_fragments, tcp_segment, udp, vxlan)
from tests.support.pcapfile import Frame, block, pcap, pcapng


def holes():
    """Every other byte of a stream, backwards: as many holes as there are segments."""
    trace = Trace()
    connection = Tcp(trace).handshake()
    for n in range(20_000, 0, -1):
        connection.send(0, PSH | ACK, b"x", sequence=1001 + 2 * n, after_ns=1000)
    return pcap(trace.frames)


def overlaps():
    """Segments of all lengths over the same place, at random."""
    trace, chance = Trace(), random.Random(1)
    connection = Tcp(trace).handshake()
    for _ in range(20_000):
        connection.send(0, PSH | ACK, bytes([chance.randrange(256)]) * chance.randrange(1, 200),
                        sequence=1001 + chance.randrange(30_000), after_ns=1000)
    return pcap(trace.frames)


def fragments():
    """Tiny pieces of datagrams that never become whole, the last one first."""
    trace = Trace()
    for n in range(200):
        pieces = ipv4_fragments(udp("10.0.0.1", 1, "10.0.0.2", 2, bytes(800), ip_id=n), [8] * 99)
        for piece in reversed(pieces[1:]):
            trace.add(piece, 1000)
    return pcap(trace.frames)


def datagrams():
    """The first piece of ever another datagram, 1,400 bytes each."""
    trace = Trace()
    for n in range(30_000):
        piece = ipv4(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "10.0.0.2", 17, bytes(64), ip_id=n & 0xFFFF, flags=1)
        trace.add(piece, 1000)
    return pcap(trace.frames)


def tunnels():
    """Packets in packets, far deeper than anyone goes: IP in IP, GRE and VXLAN."""
    trace = Trace()
    inner = udp("10.0.0.1", 1, "10.0.0.2", 2, b"core")
    for depth in (7, 8, 9, 100, 1000):
        packet = inner
        for _ in range(depth):
            packet = ipv4("10.0.0.3", "10.0.0.4", 4, packet)
        trace.add(packet)
    for depth in (3, 30, 200):
        a = b = inner
        for _ in range(depth):
            a, b = ipv4("10.0.0.3", "10.0.0.4", 47, gre(a)), udp("10.0.0.3", 9, "10.0.0.4", 4789, vxlan(b, 1))
        trace.add(a).add(b)
    return pcap(trace.frames)


def headers():
    """VLAN tags, MPLS labels, IPv6 extension headers and IPv4 options without end."""
    trace = Trace()
    packet = udp("10.0.0.1", 1, "10.0.0.2", 2, b"core")
    for count in (1, 2, 10, 1000, 15000):
        trace.add(packet, wrap=lambda p, n=count: ethernet(p, tags=[(0x8100, 7)] * n))
        labels = b"".join(struct.pack(">I", 16 << 12) for _ in range(count)) + struct.pack(">I", 0x100)
        trace.add(packet, wrap=lambda p, l=labels: ethernet(p)[:12] + b"\x88\x47" + l + p)
        extensions = b"".join(struct.pack(">BBHI", 60, 0, 0x0104, 0) for _ in range(count))
        trace.add(ipv6("2001:db8::1", "2001:db8::2", 60, (extensions + struct.pack(">BBHI", 59, 0, 0x0104, 0))[:65000]))
    for options in (b"\0" * 40, b"\1" * 40, b"\x07\0" * 20, b"\x07\xff" * 20, b"\x83\x02" * 20):
        trace.add(ipv4("10.0.0.1", "10.0.0.2", 17, packet[20:], options=options))
        trace.add(ip("10.0.0.1", "10.0.0.2", 6, tcp_segment("10.0.0.1", 1, "10.0.0.2", 2, 1, 0, SYN, options=options)))
    return pcap(trace.frames)


def flows():
    """Ever another flow: SYNs and UDP with addresses and ports that never come back."""
    trace, chance = Trace(), random.Random(2)
    for n in range(40_000):
        source = f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"
        make = tcp_segment(source, n & 0xFFFF, "10.0.0.2", n >> 3 & 0xFFFF, n, 0, SYN)
        trace.add(ip(source, "10.0.0.2", 6, make) if n & 1 else udp(source, n & 0xFFFF, "10.0.0.2", n & 0xFFF), 1000)
    return pcap(trace.frames)


def restarts():
    """One pair of ports, a new connection with every SYN."""
    trace = Trace()
    for n in range(20_000):
        trace.add(ip("10.0.0.1", "10.0.0.2", 6,
                     tcp_segment("10.0.0.1", 4000, "10.0.0.2", 80, n * 999_983 & 0xFFFFFFFF, 0, SYN)), 1000)
    return pcap(trace.frames)


def errors():
    """Many ICMP errors about one session, and errors that quote errors."""
    trace = Trace()
    question = udp("10.0.0.1", 4000, "10.0.0.2", 9, b"x")
    trace.add(question)
    for n in range(20_000):
        trace.add(icmp(f"10.1.{n >> 8 & 255}.{n & 255}", "10.0.0.1", 3, 3, payload=question[:28]), 1000)
    quote = question
    for _ in range(50):
        quote = icmp("10.0.0.2", "10.0.0.1", 3, 3, payload=quote)
        trace.add(quote)
    return pcap(trace.frames)


def parents():
    """One inner session carried by ever another tunnel."""
    trace = Trace()
    inner = udp("10.9.0.1", 1, "10.9.0.2", 2, b"core")
    for n in range(20_000):
        trace.add(udp(f"10.1.{n >> 8 & 255}.{n & 255}", 50000, "10.2.0.1", 4789, vxlan(inner, 1)), 1000)
    return pcap(trace.frames)


def clock():
    """Time that jumps to both ends of what a record can say, and back."""
    trace, chance = Trace(), random.Random(3)
    for n in range(5000):
        trace.add(udp("10.0.0.1", 1000 + n % 50, "10.0.0.2", 9, b"x"))
        trace.frames[-1].time_ns = chance.choice((0, 1, 2**32 - 1, 2**31, 1_700_000_000 + n)) * 10**9
    wild = bytearray(pcap(trace.frames))
    at = 24
    while at < len(wild):  # fractions of a second beyond a second
        struct.pack_into("<I", wild, at + 4, chance.choice((0, 999_999, 0xFFFFFFFF)))
        at += 16 + struct.unpack_from("<I", wild, at + 8)[0]
    return bytes(wild)


def numbers():
    """Sequence and acknowledgment numbers at random, with every combination of flags."""
    trace, chance = Trace(), random.Random(4)
    connection = Tcp(trace).handshake()
    for _ in range(20_000):
        connection.send(chance.randrange(2), chance.randrange(256), bytes(chance.randrange(100)),
                        sequence=chance.getrandbits(32), acknowledgment=chance.getrandbits(32), after_ns=1000,
                        window=chance.getrandbits(16), options=chance.randbytes(chance.randrange(10) * 4))
    return pcap(trace.frames)


def records():
    """Records that are longer than any file, of length 0, and captured longer than they were."""
    good = pcap([Frame(10**18, ethernet(udp("10.0.0.1", 1, "10.0.0.2", 2, b"x")))])
    lie = struct.pack("<4I", 1, 1, 60, 20) + bytes(60)
    return good + lie + struct.pack("<4I", 1, 1, 0, 0) * 1000 + struct.pack("<4I", 1, 1, 0xFFFFFFFF, 0xFFFFFFFF) + bytes(100)


def bomb():
    """64 MiB of zeros in 64 KiB of gzip: four million empty records."""
    return gzip.compress(pcap([]) + bytes(64 << 20), 9)


def interfaces():
    """A pcapng of many interfaces, sections, unknown blocks and empty options."""
    frame = Frame(10**18, ethernet(udp("10.0.0.1", 1, "10.0.0.2", 2, b"x")))
    one = pcapng([frame])
    describe = block(1, struct.pack("<HHI", LINUX_SLL, 0, 0) + struct.pack("<HH", 2, 5) + b"\x1b[2Jx\0\0\0" + bytes(4), "<")
    return one + describe * 30_000 + one[-len(block(6, bytes(20) + frame.data, "<")):] + one * 500 + \
        block(0x0BAD, bytes(1 << 20), "<") + block(5, bytes(7), "<") * 1000


def interface_options():
    """Time resolutions and offsets at their limits."""
    parts = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), "<")]
    data = ethernet(udp("10.0.0.1", 1, "10.0.0.2", 2, b"x"))
    for n, (resolution, offset) in enumerate(
            [(r, o) for r in (0, 6, 9, 18, 19, 20, 127, 128, 192, 255) for o in (0, 2**63 - 1, -2**63)]):
        options = struct.pack("<HHB3xHHqHH", 9, 1, resolution, 14, 8, offset, 0, 0)
        parts.append(block(1, struct.pack("<HHI", 1, 0, 0) + options, "<"))
        for time in (0, 2**63, 2**64 - 1):
            parts.append(block(6, struct.pack("<5I", n, time >> 32, time & 0xFFFFFFFF, len(data), len(data)) + data, "<"))
    return b"".join(parts)


CAPTURES = (holes, overlaps, fragments, datagrams, tunnels, headers, flows, restarts, errors, parents, clock, numbers,
            records, bomb, interfaces, interface_options)
