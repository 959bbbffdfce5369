"""Captures that begin in the middle: the side whose port looks like a server's is the server; guesses are marked."""

from tests.support.packets import ACK, PSH, SYN, Tcp, Trace, udp
from tests.support.pcapfile import pcap


def build():
    trace = Trace()
    Tcp(trace, client=("10.0.0.1", 40001)).data(0, b"ask").data(1, b"answer")   # the client speaks first
    Tcp(trace, client=("10.0.0.1", 40002)).data(1, b"answer").data(0, b"ask")   # the server speaks first: turned round
    Tcp(trace, client=("10.0.0.1", 40003), server=("10.0.0.2", 50003)).data(0, b"ask").data(1, b"answer")
    late = Tcp(trace, client=("10.0.0.1", 40004))                               # the SYN is missing
    late.send(1, SYN | ACK, acknowledgment=1001)
    late.next[0] = 1001
    late.ack(0).send(0, PSH | ACK, b"ask").data(1, b"answer").close()
    trace.add(udp("10.0.0.2", 53, "10.0.0.1", 40005, b"answer"))                # a DNS answer without its question
    return pcap(trace.frames)
