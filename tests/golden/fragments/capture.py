"""IPv4 and IPv6 datagrams in pieces: in order, backwards, a piece doubled, and one that never
became whole. IP bytes are those of the whole datagram, with one header."""

from tests.support.packets import Trace, ipv4_fragments, ipv6_fragments, udp
from tests.support.pcapfile import pcap

PAYLOAD = bytes(range(256)) * 4


def build():
    trace = Trace()

    def datagram(port, identification):
        return ipv4_fragments(udp("10.0.0.1", port, "10.0.0.2", 9, PAYLOAD, ip_id=identification), [400, 400])

    def datagram6(port, identification):
        packet = udp("2001:db8::1", port, "2001:db8::2", 9, PAYLOAD)
        return ipv6_fragments(packet, [400, 400], identification)

    for piece in datagram(40001, 1):
        trace.add(piece)
    for piece in reversed(datagram(40002, 2)):
        trace.add(piece)
    first, second, third = datagram(40003, 3)
    for piece in (first, first, second, third):
        trace.add(piece)
    for piece in datagram(40004, 4)[:2]:                                         # the last piece is missing
        trace.add(piece)
    for piece in datagram6(40005, 5):
        trace.add(piece)
    for piece in reversed(datagram6(40006, 6)):
        trace.add(piece)
    return pcap(trace.frames)
