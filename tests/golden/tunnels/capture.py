"""The same inner endpoints in several tunnels: VXLAN and GENEVE networks and GRE keys keep them apart, GTP-U does
not; each inner session names the one that carried it."""

from tests.support.packets import Tcp, Trace, geneve, gre, gtpu, ipv4, udp, vxlan
from tests.support.pcapfile import pcap


def build():
    trace = Trace()
    inner = udp("10.9.0.1", 5000, "10.9.0.2", 6000, b"inner")
    a, b = "192.0.2.1", "192.0.2.2"
    trace.add(udp(a, 50000, b, 4789, vxlan(inner, 1))).add(udp(a, 50000, b, 4789, vxlan(inner, 2)))
    trace.add(udp(a, 50001, b, 6081, geneve(inner, 1)))
    trace.add(ipv4(a, b, 47, gre(inner, 1))).add(ipv4(a, b, 47, gre(inner, 2)))
    trace.add(ipv4(a, b, 4, inner))
    for teid in (1, 2):
        trace.add(udp(a, 2152, b, 2152, gtpu(udp("10.8.0.1", 5000, "10.8.0.2", 6000, b"inner"), teid)))
    connection = Tcp(trace, client=("10.9.0.1", 40000), server=("10.9.0.2", 80))
    connection.carry = lambda packet: udp(a, 50002, b, 4789, vxlan(packet, 3))
    connection.handshake().data(0, b"ask").close()
    return pcap(trace.frames)
