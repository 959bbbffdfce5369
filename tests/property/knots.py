"""Traffic in which sessions know of each other: packets in tunnels and beside them, ICMP errors about TCP, names by
answers of the DNS, data that FTP announces, fragments, ports used again, silence."""

import struct

from tests.support import packets, pcapfile
from tests.support.packets import ACK, FIN, PSH, RST, SYN

FLOWS_AT_ONCE = 40


def segment(one, other, sequence, acknowledgment, flags, payload=b""):
    body = packets.tcp_segment(one[0], one[1], other[0], other[1], sequence, acknowledgment, flags, payload)
    return packets.ip(one[0], other[0], 6, body)


def connection(client, server, said, chance):
    """A TCP connection's packets: handshake, what is said in turns, an end or none."""
    here, there = chance.randrange(1 << 32), chance.randrange(1 << 32)
    yield segment(client, server, here, 0, SYN)
    if chance.random() < 0.1:
        return
    yield segment(server, client, there, here + 1, SYN | ACK)
    here, there = here + 1, there + 1
    yield segment(client, server, here, there, ACK)
    for number, text in enumerate(said):
        if number % 2 == 0:
            yield segment(client, server, here, there, PSH | ACK, text)
            here += len(text)
        else:
            yield segment(server, client, there, here, PSH | ACK, text)
            there += len(text)
    ending = chance.random()
    if ending < 0.5:
        yield segment(client, server, here, there, FIN | ACK)
        yield segment(server, client, there, here + 1, FIN | ACK)
        yield segment(client, server, here + 1, there + 1, ACK)
    elif ending < 0.7:
        yield segment(server, client, there, here, RST | ACK)


def name(text):
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"


def lookup(client, server, asked, address, chance):
    number = chance.randrange(1 << 16)
    question = name(asked) + struct.pack(">HH", 1, 1)
    yield packets.udp(client[0], client[1], server, 53, struct.pack(">6H", number, 0x100, 1, 0, 0, 0) + question)
    answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + packets.packed(address)
    yield packets.udp(server, 53, client[0], client[1],
                      struct.pack(">6H", number, 0x8180, 1, 1, 0, 0) + question + answer)


def web(client, server, chance):
    said = []
    for _ in range(chance.randint(0, 3)):
        said += [b"GET /%d HTTP/1.1\r\nHost: www.example\r\n\r\n" % chance.randrange(99),
                 b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"]
    return connection(client, server, said, chance)


def ftp(client, server, chance):
    port = chance.randint(40000, 50000)
    passive = b"227 Entering Passive Mode (%s,%d,%d)\r\n" % (
        server.replace(".", ",").encode(), port >> 8, port & 255)
    yield from connection((client, chance.randint(20000, 30000)), (server, 21),
                          [b"", b"220 ready\r\n", b"PASV\r\n", passive, b"RETR a\r\n", b"150 here\r\n"], chance)
    yield from connection((client, chance.randint(20000, 30000)), (server, port), [b"", b"contents"], chance)


def flow(chance):
    client, server = f"10.0.0.{chance.randint(1, 20)}", f"192.0.2.{chance.randint(1, 6)}"
    kind = chance.random()
    if kind < 0.15:
        return lookup((client, chance.randint(20000, 60000)), "192.0.2.53", f"s{chance.randrange(4)}.example", server,
                      chance)
    if kind < 0.25:
        return ftp(client, server, chance)
    port = chance.choice([80, 443, 25, 8080, 31337])
    return web((client, chance.randint(20000, 20040)), (server, port), chance)


def wrapped(packet, chance):
    kind, ends = chance.randrange(4), (f"198.51.100.{chance.randint(1, 3)}", "198.51.100.9")
    if kind == 0:
        return packets.ipv4(*ends, 4, packet)
    if kind == 1:
        return packets.ipv4(*ends, 47, packets.gre(packet))
    if kind == 2:
        return packets.udp(ends[0], 40000, ends[1], 4789, packets.vxlan(packet, 7))
    return packets.udp(ends[0], 40000, ends[1], 2152, packets.gtpu(packet, 5))


def rounds(chance, count):
    """Packets, each with the seconds before it."""
    flows = []
    while count > 0:
        while len(flows) < FLOWS_AT_ONCE:
            flows.append(flow(chance))
        at = chance.randrange(len(flows))
        packet = next(flows[at], None)
        if packet is None:
            flows[at] = flow(chance)
            continue
        silence = 70 if chance.random() < 0.0005 else chance.random() / 100
        yield wrapped(packet, chance) if chance.random() < 0.03 else packet, silence
        if chance.random() < 0.01:
            router, to = f"203.0.113.{chance.randint(1, 3)}", packet[12:16]
            yield packets.icmp(router, ".".join(map(str, to)), 3, chance.choice([1, 3, 13]), payload=packet[:28]), 0.001
        count -= 1


def frames(chance, count):
    time_ns, made = packets.START_NS, []
    for packet, seconds in rounds(chance, count):
        time_ns += int(seconds * 10**9)
        pieces = [packet]
        if chance.random() < 0.005 and len(packet) > 60:
            pieces = packets.ipv4_fragments(packet, [16])
        made += [pcapfile.Frame(time_ns, packets.ethernet(piece)) for piece in pieces]
    return made


def quiet(chance, count):
    """Connections alone, with nothing that ties them: engines run side by side from begin to end."""
    flows, made, time_ns = [], [], packets.START_NS
    while len(made) < count:
        while len(flows) < FLOWS_AT_ONCE:
            flows.append(web((f"10.0.{chance.randrange(9)}.{chance.randint(1, 250)}", chance.randint(1024, 65535)),
                             (f"192.0.2.{chance.randint(1, 6)}", chance.choice([80, 443, 25])), chance))
        at = chance.randrange(len(flows))
        packet = next(flows[at], None)
        if packet is None:
            del flows[at]
            continue
        time_ns += 2_000_000
        made.append(pcapfile.Frame(time_ns, packets.ethernet(packet)))
    return made
