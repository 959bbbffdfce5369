"""What a capture can miss and see twice: a hole that stays, a hole that is filled, a resend, a segment that
overlaps half, a keep-alive."""

from tests.support.packets import ACK, PSH, Tcp, Trace
from tests.support.pcapfile import pcap


def build():
    trace = Trace()
    hole = Tcp(trace, client=("10.0.0.1", 40001)).handshake()                    # 100 bytes never seen, but acknowledged
    hole.data(0, bytes(100)).ack(1)
    hole.next[0] += 100
    hole.data(0, bytes(100)).ack(1).close()

    filled = Tcp(trace, client=("10.0.0.1", 40002)).handshake()                  # the second of three comes last
    filled.data(0, bytes(100))
    filled.next[0] += 100
    filled.data(0, bytes(100)).ack(1, acknowledgment=1101)
    filled.send(0, PSH | ACK, bytes(100), sequence=1101, after_ns=50_000_000).ack(1).close()

    twice = Tcp(trace, client=("10.0.0.1", 40003)).handshake()                   # sent again after a second
    twice.data(0, b"x" * 100).send(0, PSH | ACK, b"x" * 100, sequence=1001, after_ns=10**9).ack(1).close()

    overlap = Tcp(trace, client=("10.0.0.1", 40004)).handshake()                 # 50 known and 50 new bytes
    overlap.data(0, b"x" * 100)
    overlap.next[0] -= 50
    overlap.data(0, b"x" * 100, after_ns=10**9).ack(1).close()

    alive = Tcp(trace, client=("10.0.0.1", 40005)).handshake()                   # one byte below, all acknowledged
    alive.data(0, b"x" * 100).ack(1)
    alive.send(0, ACK, b"x", sequence=1100, after_ns=10 * 10**9).ack(1).close()
    return pcap(trace.frames)
