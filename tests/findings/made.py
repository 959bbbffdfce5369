"""Captures that real programs cannot be made to give on demand, built packet by packet: (name, frames)."""

import random
import struct

from support.packets import ACK, PSH, RST, SYN, Tcp, Trace, packed, udp

HOST, PEER, RESOLVER = "192.168.7.10", "203.0.113.9", "192.168.7.1"
SCENES = []


def scene(function):
    SCENES.append(function)
    return function


def scenes():
    for function in SCENES:
        trace = Trace()
        kind = "quiet" if function.__name__.endswith("_quiet") else "fires"
        function(trace)
        name = function.__name__[:-len("_" + kind)].replace("_", "-")
        yield f"{name}.{kind}", trace.frames


def connection(trace, port=40000, server=(PEER, 80), client=HOST, isn=(1000, 5000)):
    return Tcp(trace, (client, port), server, isn)


@scene
def conflicting_bytes_fires(trace):
    """An answer, and a moment later another in its place."""
    tcp = connection(trace).handshake().data(0, b"GET / HTTP/1.0\r\n\r\n").ack(1)
    tcp.data(1, b"HTTP/1.0 200 OK\r\n\r\nthe forged page")
    tcp.send(1, PSH | ACK, b"HTTP/1.0 200 OK\r\n\r\nthe honest page", sequence=5001)
    tcp.ack(0).close()


@scene
def conflicting_bytes_quiet(trace):
    """The same bytes twice, cut differently, and keep-alives with a byte of their own."""
    tcp = connection(trace).handshake().data(0, b"GET / HTTP/1.0\r\n\r\n").ack(1)
    tcp.data(1, b"HTTP/1.0 200 OK\r\n\r\nthe honest page")
    tcp.send(1, PSH | ACK, b"HTTP/1.0 200 OK\r\n\r\n", sequence=5001)
    tcp.send(1, PSH | ACK, b"the honest page", sequence=5020)
    tcp.ack(0)
    trace.wait(60)
    tcp.send(0, ACK, b"\0", sequence=tcp.next[0] - 1)
    tcp.ack(1).close()


def numbered(trace, choose):
    for n in range(40):
        tcp = connection(trace, 41000 + n, client=HOST, server=("192.168.7.20", 80), isn=(random.Random(n).getrandbits(32), choose(n)))
        tcp.handshake().data(0, b"x").data(1, b"y").close()
        trace.wait(0.2 + random.Random(n + 99).random())


@scene
def weak_sequence_numbers_fires(trace):
    """A device that adds 64,000 for each connection."""
    numbered(trace, lambda n: 123456 + 64000 * n)


@scene
def weak_sequence_numbers_half_fires(trace):
    """A device that chooses 16 of the 32 bits only."""
    numbered(trace, lambda n: random.Random(n + 1000).getrandbits(16) << 16)


@scene
def reset_injection_refusal_fires(trace):
    """Somebody refuses in the server's name; the server's own answer comes later."""
    tcp = connection(trace).syn()
    tcp.send(1, RST | ACK, sequence=0)
    trace.wait(0.2)
    tcp.synack().ack(0).data(0, b"GET / HTTP/1.0\r\n\r\n").ack(1)


@scene
def reset_injection_again_quiet(trace):
    """A server that refuses, and a client that asks again from the same port a moment later, when it listens."""
    tcp = connection(trace).syn()
    tcp.send(1, RST | ACK, sequence=0)
    trace.wait(0.5)
    tcp.send(0, SYN, sequence=1000)
    tcp.synack().ack(0).data(0, b"GET / HTTP/1.0\r\n\r\n").ack(1).data(1, b"HTTP/1.0 200 OK\r\n\r\nyes").ack(0).close()


@scene
def reset_injection_old_connection_quiet(trace):
    """The server still holds an old connection of these ports: the client clears it up (RFC 9293 3.5.1) and opens anew."""
    tcp = connection(trace).syn()
    tcp.send(1, ACK, sequence=860_000_000, acknowledgment=77)
    tcp.send(0, RST, sequence=77)
    trace.wait(1)
    tcp.send(0, SYN, sequence=1000)
    tcp.synack().ack(0).data(0, b"GET / HTTP/1.0\r\n\r\n").ack(1).data(1, b"HTTP/1.0 200 OK\r\n\r\nyes").ack(0)
    tcp.data(0, b"GET /more HTTP/1.0\r\n\r\n").close()


@scene
def conflicting_bytes_unread_fires(trace):
    """A SYN with data, and the data again in another place: nobody has acknowledged anything, so nobody has read it."""
    tcp = connection(trace)
    tcp.send(0, SYN, b"Hello there", sequence=1000)
    tcp.send(1, SYN, b"Hello there", sequence=5000)
    tcp.send(0, PSH | ACK, b"Hello there", sequence=1000, acknowledgment=0)


def label_name(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def ask(trace, number, name, kind=16, rcode=0, answer=b""):
    question = label_name(name) + struct.pack(">HH", kind, 1)
    trace.add(udp(HOST, 30000 + number % 20000, RESOLVER, 53, struct.pack(">6H", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + question))
    body = question
    if answer:
        body += struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(answer)) + answer
    head = struct.pack(">6H", number & 0xFFFF, 0x8180 | rcode, 1, 1 if answer else 0, 0, 0)
    trace.add(udp(RESOLVER, 53, HOST, 30000 + number % 20000, head + body))


@scene
def dns_tunnel_direct_fires(trace):
    """A tunnel that speaks with its server and needs no domain."""
    chance = random.Random(5)
    for n in range(60):
        data = chance.randbytes(58).hex()
        ask(trace, n, f"cat.{data[:60]}.{data[60:115]}7", 16, 0, b"\x20" + chance.randbytes(32))


@scene
def dns_tunnel_addresses_quiet(trace):
    """A program that asks for addresses as if they were names."""
    for n in range(120):
        ask(trace, n, f"10.20.{n}.7", 1, 3)


@scene
def login_failures_slowly_quiet(trace):
    """A program with an old password that tries every two hours."""
    for n in range(12):
        numbers = [random.Random(n + 1000 * side).getrandbits(32) for side in (0, 1)]
        tcp = connection(trace, 41000 + n, ("192.168.7.20", 21), isn=numbers).handshake().data(1, b"220 FTP server ready\r\n").ack(0)
        tcp.data(0, b"USER reports\r\n").data(1, b"331 Password required\r\n")
        tcp.data(0, b"PASS oldword\r\n").data(1, b"530 Login incorrect\r\n").data(0, b"QUIT\r\n").data(1, b"221 Bye\r\n").close()
        trace.wait(7200)


def dhcp(trace, server, client, kind, given, transaction, router="192.168.7.1", lease=86400, relay="0.0.0.0"):
    """A server's answer: OFFER is 2, ACK 5; or a client's RELEASE, 7."""
    mac = bytes.fromhex(client.replace(":", ""))
    release = kind == 7
    fixed = struct.pack(">BBBBIHH", 1 if release else 2, 1, 6, 0, transaction, 0, 0)
    fixed += packed(given if release else "0.0.0.0") + packed("0.0.0.0" if release else given) + packed("0.0.0.0") + packed(relay)
    fixed += mac.ljust(16, b"\0") + bytes(192) + bytes.fromhex("63825363") + bytes((53, 1, kind, 54, 4)) + packed(server)
    if not release:
        fixed += struct.pack(">BBI", 51, 4, lease) + b"\1\4\xff\xff\xff\0\3\4" + packed(router) + b"\6\4" + packed(router)
    if release:
        trace.add(udp(given, 68, server, 67, fixed + b"\xff"))
    elif relay == "0.0.0.0":
        trace.add(udp(server, 67, "255.255.255.255", 68, fixed + b"\xff"))
    else:
        trace.add(udp(server, 67, relay, 67, fixed + b"\xff"))
    trace.wait(1)


ONE, TWO, THREE = "02:00:00:00:07:51", "02:00:00:00:07:52", "02:00:00:00:07:53"


@scene
def dhcp_conflict_relays_quiet(trace):
    """Renewals; addresses that were given back, left or ran out; a server of another network; one behind relays."""
    for n in range(3):
        dhcp(trace, "192.168.7.1", ONE, 5, "192.168.7.51", 1 + n)
        trace.wait(60)
    dhcp(trace, "192.168.7.1", ONE, 7, "192.168.7.51", 9)
    dhcp(trace, "192.168.7.1", TWO, 5, "192.168.7.51", 10, lease=60)
    trace.wait(120)
    dhcp(trace, "192.168.7.1", THREE, 5, "192.168.7.51", 11)
    dhcp(trace, "192.168.7.1", THREE, 5, "192.168.7.54", 12)
    dhcp(trace, "192.168.7.1", ONE, 5, "192.168.7.51", 13)
    dhcp(trace, "10.9.0.1", "02:00:00:00:09:01", 5, "10.9.0.51", 14, router="10.9.0.1")
    for n in (5, 6):
        dhcp(trace, "192.168.7.2", f"02:00:00:00:08:0{n}", 5, f"10.{n}.0.51", 20 + n, router=f"10.{n}.0.1", relay=f"10.{n}.0.1")
