"""One pcapng with several link layers: the packets of one session through all of them, tagged or not."""

from tests.support.packets import ETHERNET, LINUX_SLL, LINUX_SLL2, NULL, RAW, Trace, ethernet, null, sll, sll2, udp
from tests.support.pcapfile import pcapng


def build():
    trace = Trace()
    packet = udp("10.0.0.1", 40000, "10.0.0.2", 9, b"hello")
    packet6 = udp("2001:db8::1", 40000, "2001:db8::2", 9, b"hello")
    for each in (packet, packet6):
        trace.add(each)
        trace.add(each, wrap=lambda p: ethernet(p, tags=[(0x8100, 7)]))
        trace.add(each, wrap=lambda p: ethernet(p, tags=[(0x88A8, 5), (0x8100, 7)]))
        trace.add(each, wrap=lambda p: ethernet(p) + bytes(6))                   # padding is no payload
        trace.add(each, wrap=sll, link_type=LINUX_SLL)
        trace.add(each, wrap=sll2, link_type=LINUX_SLL2)
        trace.add(each, wrap=null, link_type=NULL)
        trace.add(each, wrap=lambda p: null(p, ">"), link_type=NULL)
        trace.add(each, wrap=bytes, link_type=RAW)
    trace.add(packet, wrap=lambda p: ethernet(p)[:12] + b"\x08\x06" + bytes(28))  # ARP: refused
    return pcapng(trace.frames)
