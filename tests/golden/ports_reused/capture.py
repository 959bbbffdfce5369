"""The same ports three times: a new initial sequence number is a new session, the same one is a resend."""

from tests.support.packets import SYN, Tcp, Trace
from tests.support.pcapfile import pcap


def build():
    trace = Trace()
    Tcp(trace, isn=(1000, 5000)).handshake().data(0, b"first").close()
    trace.wait(1)
    Tcp(trace, isn=(900_000, 700_000)).handshake().data(0, b"second").close()
    trace.wait(1)
    third = Tcp(trace, isn=(50_000_000, 60_000_000)).syn()
    third.send(0, SYN, sequence=50_000_000, after_ns=10**9)
    third.synack().ack(0).data(0, b"the third").close()
    return pcap(trace.frames)
