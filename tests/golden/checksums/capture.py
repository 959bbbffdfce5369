"""A checksum left to the network card changes nothing; a segment with any other wrong one is counted and ignored."""

import struct

from tests.support.packets import ACK, PSH, Tcp, Trace, ip, ones_complement, pseudo, tcp_segment
from tests.support.pcapfile import pcap


def with_checksum(packet, value):
    return packet[:36] + struct.pack(">H", value) + packet[38:]


def build():
    trace = Trace()
    offload = Tcp(trace, client=("10.0.0.1", 40001)).handshake()
    segment = tcp_segment("10.0.0.1", 40001, "10.0.0.2", 80, 1001, 5001, PSH | ACK, b"offloaded")
    packet = ip("10.0.0.1", "10.0.0.2", 6, segment)
    trace.add(with_checksum(packet, ones_complement(pseudo("10.0.0.1", "10.0.0.2", 6, len(segment)))))
    offload.next[0] += 9
    offload.ack(1).close()

    wrong = Tcp(trace, client=("10.0.0.3", 40002)).handshake()
    for _ in range(6):                                                           # most of this host's packets are right
        wrong.data(0, b"good")
    packet = ip("10.0.0.3", "10.0.0.2", 6, tcp_segment("10.0.0.3", 40002, "10.0.0.2", 80, wrong.next[0], 5001, PSH | ACK, b"bad!"))
    trace.add(with_checksum(packet, 0x1234))
    wrong.data(0, b"fine").ack(1).close()
    return pcap(trace.frames)
