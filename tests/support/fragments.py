"""What fragmentation adds to the bytes of a datagram: worked out from the frames, independently of fyke."""

import collections
import struct


def network_layer(frame):
    """The outermost IP packet of a frame, or b"": Ethernet with VLAN tags, raw IP, NULL, Linux cooked."""
    data, link = frame.data, frame.link_type
    if link == 1:
        at = 12
        while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
            at += 4
        return data[at + 2:] if data[at:at + 2] in (b"\x08\x00", b"\x86\xdd") else b""
    if link in (101, 228, 229, 12, 14):
        return data
    if link == 0:
        return data[4:]
    return data[16:] if link == 113 else b""


def identity(packet):
    """(key of the datagram, bytes of the headers that only fragments have) where the packet is a fragment, else None."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        if struct.unpack(">H", packet[6:8])[0] & 0x3FFF:
            return (packet[12:20], packet[9], packet[4:6]), (packet[0] & 15) * 4
    if len(packet) >= 48 and packet[0] >> 4 == 6 and packet[6] == 44 and struct.unpack(">H", packet[42:44])[0] & 0xFFF9:
        return (packet[8:40], packet[44:48]), 48
    return None


def overheads(frames):
    """{frame number: bytes of IP and fragment headers beyond one plain IP header} for each frame that is a fragment:
    of all pieces of its datagram up to and including this one."""
    held, result = collections.Counter(), {}
    for number, frame in enumerate(frames, 1):
        found = identity(network_layer(frame))
        if found:
            key, header = found
            held[key] += header
            result[number] = held[key] - (20 if header < 48 else 40)
    return result
