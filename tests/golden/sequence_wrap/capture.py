"""Sequence numbers that pass 2^32 on both sides, with a resend from before the wrap after it."""

from tests.support.packets import ACK, PSH, Tcp, Trace
from tests.support.pcapfile import pcap


def build():
    trace = Trace()
    connection = Tcp(trace, isn=(2**32 - 500, 2**32 - 1)).handshake()
    for _ in range(4):
        connection.data(0, bytes(300)).data(1, bytes(1000))
    connection.send(0, PSH | ACK, bytes(300), sequence=2**32 - 499)
    connection.close()
    return pcap(trace.frames)
