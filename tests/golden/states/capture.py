"""One TCP connection for each state of Zeek's conn_state, from port 40001 on."""

from tests.support.packets import Tcp, Trace, FIN, RST, SYN, ACK
from tests.support.pcapfile import pcap


def build():
    trace = Trace()

    def connection(n):
        return Tcp(trace, client=("10.0.0.1", 40000 + n))

    connection(1).syn()                                                          # S0
    connection(2).syn().rst(1, RST | ACK)                                        # REJ
    connection(3).handshake().data(0, b"ask").data(1, b"answer")                 # S1
    connection(4).handshake().data(0, b"ask").data(1, b"answer").close()         # SF
    connection(5).handshake().fin(0).ack(1)                                      # S2
    connection(6).handshake().fin(1).ack(0)                                      # S3
    connection(7).syn().send(0, FIN)                                             # SH
    connection(8).send(1, SYN | ACK, acknowledgment=1001).send(1, FIN | ACK, acknowledgment=1001)  # SHR
    connection(9).handshake().data(0, b"ask").rst(0)                             # RSTO
    connection(10).handshake().data(0, b"ask").rst(1)                            # RSTR
    connection(11).syn().rst(0)                                                  # RSTOS0
    connection(12).send(1, SYN | ACK, acknowledgment=1001).send(1, RST)          # RSTRH
    connection(13).data(0, b"ask").data(1, b"answer")                            # OTH
    return pcap(trace.frames)
