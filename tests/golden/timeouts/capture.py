"""Silence ends a session by packet time: UDP after 60 s, an established TCP connection not before 7440 s."""

from tests.support.packets import Tcp, Trace, udp
from tests.support.pcapfile import pcap


def build():
    trace = Trace()

    def pulse(seconds):
        """The clock follows a jump only when the next packet confirms it: two of another session."""
        trace.wait(seconds)
        for _ in range(2):
            trace.add(udp("10.0.0.9", 9, "10.0.0.8", 9, b"tick"))

    question = udp("10.0.0.1", 40000, "10.0.0.2", 9, b"hello")
    connection = Tcp(trace, client=("10.0.0.1", 40001)).handshake()
    trace.add(question).wait(40).add(question)                                   # 40 s: the same session
    pulse(70)
    trace.add(question)                                                          # 70 s: another
    pulse(3600)
    connection.data(0, b"still here")                                            # an hour: the same connection
    pulse(8000)
    connection.data(0, b"too late")
    return pcap(trace.frames)
