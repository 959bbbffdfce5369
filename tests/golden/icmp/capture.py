"""Echo by identifier, both ways; errors tied to the session that they quote."""

from tests.support.packets import SYN, Trace, echo, icmp, ip, tcp_segment, udp
from tests.support.pcapfile import pcap


def build():
    trace = Trace()
    for sequence in (1, 2):
        trace.add(echo("10.0.0.1", "10.0.0.2", 100, sequence)).add(echo("10.0.0.2", "10.0.0.1", 100, sequence, reply=True))
    trace.add(echo("10.0.0.1", "10.0.0.2", 200, 1))                              # another program, no answer
    trace.add(echo("2001:db8::1", "2001:db8::2", 7, 1)).add(echo("2001:db8::2", "2001:db8::1", 7, 1, reply=True))
    question = udp("10.0.0.1", 40000, "10.0.0.2", 9, b"anyone there?")
    trace.add(question).add(icmp("10.0.0.2", "10.0.0.1", 3, 3, payload=question[:28]))
    syn = ip("10.0.0.1", "192.0.2.9", 6, tcp_segment("10.0.0.1", 40001, "192.0.2.9", 80, 1000, 0, SYN))
    trace.add(syn).add(icmp("10.0.0.254", "10.0.0.1", 11, 0, payload=syn[:28]))
    question = udp("2001:db8::1", 40000, "2001:db8::2", 9, b"anyone there?")
    trace.add(question).add(icmp("2001:db8::2", "2001:db8::1", 1, 4, payload=question))
    return pcap(trace.frames)
