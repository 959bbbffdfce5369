"""Builds packets byte by byte, with checksums, for captures that tests make themselves."""

import ipaddress
import struct

from .pcapfile import Frame

ETHERNET, NULL, RAW, LINUX_SLL, LINUX_SLL2 = 1, 0, 101, 113, 276
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
START_NS = 1_700_000_000 * 10**9


def ones_complement(data):
    if len(data) % 2:
        data += b"\0"
    value = sum(struct.unpack(f">{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def packed(address):
    return ipaddress.ip_address(address).packed


def pseudo(source, destination, protocol, length):
    if len(packed(source)) == 4:
        return packed(source) + packed(destination) + struct.pack(">BBH", 0, protocol, length)
    return packed(source) + packed(destination) + struct.pack(">IBBBB", length, 0, 0, 0, protocol)


def checksummed(source, destination, protocol, segment, at):
    """The segment with its checksum put in at offset `at`."""
    value = ~ones_complement(pseudo(source, destination, protocol, len(segment)) + segment) & 0xFFFF
    if value == 0 and protocol == 17:
        value = 0xFFFF
    return segment[:at] + struct.pack(">H", value) + segment[at + 2:]


def ipv4(source, destination, protocol, payload, ttl=64, ip_id=0, flags=0, offset=0, options=b"", length=None):
    header_words = 5 + len(options) // 4
    total = header_words * 4 + len(payload) if length is None else length
    head = struct.pack(">BBHHHBBH", 0x40 | header_words, 0, total, ip_id, flags << 13 | offset // 8, ttl, protocol, 0)
    head += packed(source) + packed(destination) + options
    value = ~ones_complement(head) & 0xFFFF
    return head[:10] + struct.pack(">H", value) + head[12:] + payload


def ipv6(source, destination, next_header, payload, hops=64):
    return struct.pack(">IHBB", 6 << 28, len(payload), next_header, hops) + packed(source) + packed(destination) + payload


def ip(source, destination, protocol, payload, **more):
    make = ipv6 if ":" in source else ipv4
    return make(source, destination, protocol, payload, **more)


def udp_segment(source, source_port, destination, destination_port, payload=b""):
    segment = struct.pack(">4H", source_port, destination_port, 8 + len(payload), 0) + payload
    return checksummed(source, destination, 17, segment, 6)


def udp(source, source_port, destination, destination_port, payload=b"", **more):
    return ip(source, destination, 17, udp_segment(source, source_port, destination, destination_port, payload), **more)


def tcp_segment(source, source_port, destination, destination_port, sequence, acknowledgment, flags, payload=b"",
                window=65535, options=b""):
    options += b"\0" * (-len(options) % 4)
    segment = struct.pack(">HHIIBBHHH", source_port, destination_port, sequence & 0xFFFFFFFF,
                          acknowledgment & 0xFFFFFFFF, (5 + len(options) // 4) << 4, flags, window, 0, 0)
    return checksummed(source, destination, 6, segment + options + payload, 16)


def icmp(source, destination, kind, code, rest=b"\0\0\0\0", payload=b"", **more):
    """`rest`: the four bytes behind the checksum. ICMPv6 where the addresses are IPv6."""
    message = struct.pack(">BBH", kind, code, 0) + rest + payload
    if ":" in source:
        return ipv6(source, destination, 58, checksummed(source, destination, 58, message, 2), **more)
    value = ~ones_complement(message) & 0xFFFF
    return ipv4(source, destination, 1, message[:2] + struct.pack(">H", value) + message[4:], **more)


def echo(source, destination, identifier, sequence, reply=False, payload=b"ping"):
    kind = (129 if reply else 128) if ":" in source else (0 if reply else 8)
    return icmp(source, destination, kind, 0, struct.pack(">HH", identifier, sequence), payload)


MAC_A, MAC_B = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def ethertype(packet):
    return 0x86DD if packet[0] >> 4 == 6 else 0x0800


def ethernet(packet, source=MAC_A, destination=MAC_B, tags=()):
    """`tags`: (EtherType of the tag, identifier) from outside in."""
    head = destination + source
    for kind, identifier in tags:
        head += struct.pack(">HH", kind, identifier)
    return head + struct.pack(">H", ethertype(packet)) + packet


def sll(packet):
    return struct.pack(">HHH8sH", 0, 1, 6, MAC_A + b"\0\0", ethertype(packet)) + packet


def sll2(packet):
    return struct.pack(">HHIHBB8s", ethertype(packet), 0, 1, 1, 0, 6, MAC_A + b"\0\0") + packet


def null(packet, order="<"):
    return struct.pack(order + "I", 30 if packet[0] >> 4 == 6 else 2) + packet


def vxlan(packet, vni):
    return struct.pack(">II", 0x08000000, vni << 8) + ethernet(packet)


def geneve(packet, vni):
    return struct.pack(">BBHI", 0, 0, 0x6558, vni << 8) + ethernet(packet)


def gre(packet, key=None):
    head = struct.pack(">HH", 0x2000 if key is not None else 0, ethertype(packet))
    return head + (struct.pack(">I", key) if key is not None else b"") + packet


def gtpu(packet, teid):
    return struct.pack(">BBHI", 0x30, 255, len(packet), teid) + packet


def ipv4_fragments(packet, sizes):
    """An IPv4 packet without options cut into pieces of `sizes` payload bytes (multiples of 8) and the rest."""
    source, destination = str(ipaddress.ip_address(packet[12:16])), str(ipaddress.ip_address(packet[16:20]))
    ip_id, payload = struct.unpack(">H", packet[4:6])[0], packet[20:]
    pieces, offset = [], 0
    for size in [*sizes, len(payload) - sum(sizes)]:
        more = offset + size < len(payload)
        pieces.append(ipv4(source, destination, packet[9], payload[offset:offset + size], ttl=packet[8], ip_id=ip_id,
                           flags=1 if more else 0, offset=offset))
        offset += size
    return pieces


def ipv6_fragments(packet, sizes, identification=1):
    source, destination = str(ipaddress.ip_address(packet[8:24])), str(ipaddress.ip_address(packet[24:40]))
    payload, pieces, offset = packet[40:], [], 0
    for size in [*sizes, len(payload) - sum(sizes)]:
        more = offset + size < len(payload)
        head = struct.pack(">BBHI", packet[6], 0, offset | more, identification)
        pieces.append(ipv6(source, destination, 44, head + payload[offset:offset + size], hops=packet[7]))
        offset += size
    return pieces


class Trace:
    """Frames in order; the clock moves on by one millisecond a frame unless told otherwise."""

    def __init__(self, wrap=ethernet, link_type=ETHERNET):
        self.frames, self.now_ns, self.wrap, self.link_type = [], START_NS, wrap, link_type

    def add(self, packet, after_ns=1_000_000, wrap=None, link_type=None):
        """`packet` is an IP packet; its link layer is put on here."""
        self.now_ns += after_ns
        self.frames.append(Frame(self.now_ns, (wrap or self.wrap)(packet),
                                 self.link_type if link_type is None else link_type))
        return self

    def wait(self, seconds):
        self.now_ns += round(seconds * 10**9)
        return self


class Tcp:
    """Both ends of a TCP connection: each call adds one segment to the trace and moves the numbers on."""

    def __init__(self, trace, client=("10.0.0.1", 40000), server=("10.0.0.2", 80), isn=(1000, 5000), wrap=None):
        self.trace, self.ends, self.next, self.wrap = trace, (client, server), list(isn), wrap
        self.carry = lambda packet: packet

    def send(self, side, flags, payload=b"", sequence=None, acknowledgment=None, **more):
        """`sequence` given: an old or odd segment, which moves nothing on."""
        after_ns = more.pop("after_ns", 1_000_000)
        (source, source_port), (destination, destination_port) = self.ends[side], self.ends[1 - side]
        number = self.next[side] if sequence is None else sequence
        peer = self.next[1 - side] if acknowledgment is None else acknowledgment
        segment = tcp_segment(source, source_port, destination, destination_port, number,
                              peer if flags & ACK else 0, flags, payload, **more)
        self.trace.add(self.carry(ip(source, destination, 6, segment)), after_ns, self.wrap)
        if sequence is None:
            self.next[side] += len(payload) + bool(flags & SYN) + bool(flags & FIN)
        return self

    def syn(self, **more):
        return self.send(0, SYN, **more)

    def synack(self, **more):
        return self.send(1, SYN | ACK, **more)

    def handshake(self):
        return self.syn().synack().ack(0)

    def ack(self, side, **more):
        return self.send(side, ACK, **more)

    def data(self, side, payload, **more):
        return self.send(side, PSH | ACK, payload, **more)

    def fin(self, side, **more):
        return self.send(side, FIN | ACK, **more)

    def rst(self, side, flags=RST, **more):
        return self.send(side, flags, **more)

    def close(self):
        return self.fin(0).fin(1).ack(0)
