"""The vectors of the Community ID specification (version 1, seed 0), and both directions of one of them."""

from tests.support.packets import SYN, Trace, icmp, ip, ipv4, tcp_segment, udp
from tests.support.pcapfile import pcap


def build():
    trace = Trace()
    a, b = "1.2.3.4", "5.6.7.8"
    trace.add(ip(a, b, 6, tcp_segment(a, 1122, b, 3344, 1, 0, SYN)))
    trace.add(udp(a, 1122, b, 3344, b"x"))
    trace.add(icmp(a, b, 8, 0)).add(icmp(b, a, 0, 0))
    trace.add(icmp("fe80:1:203:405:607:809:a0b:c0d", "fe80:1011:1213:1415:1617:1819:1a1b:1c1d", 128, 0))
    trace.add(ipv4(a, b, 10, b"\0" * 8))
    return pcap(trace.frames)
