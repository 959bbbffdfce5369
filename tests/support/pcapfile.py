"""Reads and writes capture files, independently of fyke: what its readers are held against."""

import gzip
import struct

PCAP_MAGICS = {  # magic: (order, nanoseconds per unit, bytes of a record header)
    b"\xd4\xc3\xb2\xa1": ("<", 1000, 16), b"\xa1\xb2\xc3\xd4": (">", 1000, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 1, 16), b"\xa1\xb2\x3c\x4d": (">", 1, 16),
    b"\x34\xcd\xb2\xa1": ("<", 1000, 24), b"\xa1\xb2\xcd\x34": (">", 1000, 24),
}


class Frame:
    __slots__ = ("time_ns", "length", "data", "link_type")

    def __init__(self, time_ns, data, link_type=1, length=None):
        self.time_ns, self.data, self.link_type = time_ns, data, link_type
        self.length = len(data) if length is None else length


def read(path):
    """All whole frames of a pcap or pcapng file, gzip or not; a cut or damaged end is silently the end."""
    with open(path, "rb") as stream:
        data = stream.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:4] in PCAP_MAGICS:
        return list(read_pcap(data))
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return list(read_pcapng(data))
    return []


def read_pcap(data):
    order, unit, header = PCAP_MAGICS[data[:4]]
    if len(data) < 24:
        return
    link_type = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    at = 24
    while at + header <= len(data):
        seconds, fraction, captured, length = struct.unpack_from(order + "4I", data, at)
        at += header
        if at + captured > len(data):
            return
        yield Frame(seconds * 10**9 + fraction * unit, data[at:at + captured], link_type, length)
        at += captured


def interface_clock(options, order):
    """Nanoseconds per unit as a fraction, and the offset in ns, from an interface block's options."""
    units, offset, at = 10**6, 0, 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from(order + "2H", options, at)
        value = options[at + 4:at + 4 + length]
        if code == 0:
            break
        if code == 9 and length >= 1:
            units = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        if code == 14 and length == 8:
            offset = struct.unpack(order + "q", value)[0] * 10**9
        at += 4 + (length + 3 & ~3)
    return units, offset


def read_pcapng(data):
    order, interfaces, at, last = "<", [], 0, 0
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack_from(order + "2I", data, at)
        if size < 12 or at + size > len(data):
            return
        body = data[at + 8:at + size - 4]
        at += size
        if kind == 1:
            link_type, _, snaplen = struct.unpack_from(order + "HHI", body)
            interfaces.append((link_type, snaplen, *interface_clock(body[8:], order)))
        elif kind in (2, 6):
            number, high, low, captured, length = struct.unpack_from(order + ("5I" if kind == 6 else "H2x4I"), body)
            if number < len(interfaces):
                link_type, _, units, offset = interfaces[number]
                last = (high << 32 | low) * 10**9 // units + offset
                yield Frame(last, body[20:20 + captured], link_type, length)
        elif kind == 3 and interfaces:
            length = struct.unpack_from(order + "I", body)[0]
            link_type, snaplen = interfaces[0][:2]
            captured = min(length, snaplen or length, len(body) - 4)
            yield Frame(last, body[4:4 + captured], link_type, length)


def pcap(frames, link_type=1, nanoseconds=False, order="<"):
    """The bytes of a classic pcap file."""
    magic, unit = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1000)
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link_type)]
    for frame in frames:
        parts.append(struct.pack(order + "4I", frame.time_ns // 10**9, frame.time_ns % 10**9 // unit,
                                 len(frame.data), frame.length))
        parts.append(frame.data)
    return b"".join(parts)


def block(kind, body, order):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def pcapng(frames, order="<", units=9):
    """The bytes of a pcapng file: one section, one interface per link type, resolution 10^-units."""
    parts = [block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)]
    numbers = {}
    for frame in frames:
        if frame.link_type not in numbers:
            numbers[frame.link_type] = len(numbers)
            options = struct.pack(order + "HHB3xHH", 9, 1, units, 0, 0)
            parts.append(block(1, struct.pack(order + "HHI", frame.link_type, 0, 0) + options, order))
        time = frame.time_ns * 10**units // 10**9
        head = struct.pack(order + "5I", numbers[frame.link_type], time >> 32, time & 0xFFFFFFFF,
                           len(frame.data), frame.length)
        parts.append(block(6, head + frame.data, order))
    return b"".join(parts)
