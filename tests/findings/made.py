"""Captures that real programs cannot be made to give on demand, built packet by packet: (name, frames)."""

import base64
import random
import struct

from support.packets import ACK, PSH, RST, Tcp, Trace, packed, udp

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


@scene
def reset_injection_fires(trace):
    """Somebody resets in the server's name; the server goes on."""
    tcp = connection(trace).handshake().data(0, b"GET /forbidden HTTP/1.0\r\n\r\n").ack(1)
    tcp.send(1, RST | ACK, sequence=tcp.next[1])
    tcp.data(1, b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 800).ack(0)


@scene
def reset_injection_quiet(trace):
    """A server that really resets, and a client whose data were on the way."""
    tcp = connection(trace).handshake().data(0, b"GET / HTTP/1.0\r\n\r\n").ack(1)
    tcp.data(1, b"HTTP/1.0 500 no\r\n\r\n").ack(0)
    tcp.rst(1, RST | ACK)
    tcp.data(0, b"GET /more HTTP/1.0\r\n\r\n")
    tcp.rst(1)


def download(trace, lost_of):
    """Segments, of which every lost_of-th is captured but lost beyond, and comes again after three duplicate ACKs."""
    tcp = connection(trace).handshake().data(0, b"GET /big HTTP/1.0\r\n\r\n").ack(1)
    for n in range(1200):
        start = tcp.next[1]
        tcp.data(1, bytes([65 + n % 26]) * 1000, after_ns=300_000)
        if n % lost_of == lost_of - 1:
            for _ in range(4):
                tcp.data(1, b"y" * 1000, after_ns=300_000)
                tcp.ack(0, acknowledgment=start, after_ns=20_000_000 if _ == 0 else 100_000)
            tcp.send(1, PSH | ACK, bytes([65 + n % 26]) * 1000, sequence=start)
        tcp.ack(0, after_ns=200_000)
    tcp.close()


@scene
def loss_fires(trace):
    download(trace, 20)


@scene
def loss_quiet(trace):
    download(trace, 300)


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
def weak_sequence_numbers_quiet(trace):
    numbered(trace, lambda n: random.Random(n + 1000).getrandbits(32))


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
def dns_tunnel_fires(trace):
    chance = random.Random(5)
    for n in range(120):
        data = base64.b32encode(chance.randbytes(70)).decode().strip("=").lower()
        ask(trace, n, f"{data[:60]}.{data[60:]}.t.tunnel.example", 16, 0, b"\x20" + chance.randbytes(32))


@scene
def dns_tunnel_quiet(trace):
    """A content network: as many names below one domain, but names of machines; and addresses looked up backwards."""
    for n in range(120):
        ask(trace, n, f"edge-{n:03d}-fra.cdn.example", 1, 0, bytes([203, 0, 113, n]))
        ask(trace, 500 + n, f"{n}.113.0.203.in-addr.arpa", 12, 0, label_name(f"host-{n}.example"))


@scene
def dns_odd_names_fires(trace):
    chance = random.Random(6)
    for n in range(40):
        name = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(chance.randrange(12, 18)))
        ask(trace, n, f"{name}.{chance.choice(['com', 'net', 'info'])}", 1, 3)


@scene
def dns_odd_names_quiet(trace):
    """A wrong search list: many names that do not exist, below one domain; and a few slips of the keyboard."""
    for n in range(60):
        ask(trace, n, f"server{n}.corp.office.example", 1, 3)
    for n, name in enumerate(("exmaple.com", "wikipeda.org", "newspapr.example")):
        ask(trace, 200 + n, name, 1, 3)


@scene
def odd_port_fires(trace):
    """Remote control on the port of the web."""
    tcp = connection(trace, server=(PEER, 443)).handshake()
    tcp.data(1, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").ack(0).data(0, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").ack(1)
    tcp.close()


@scene
def odd_port_quiet(trace):
    tcp = connection(trace, server=(PEER, 22)).handshake()
    tcp.data(1, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").ack(0).data(0, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").ack(1)
    tcp.close()


def ftp_logins(trace, tries, accepted):
    tcp = connection(trace, server=("192.168.7.20", 21)).handshake().data(1, b"220 FTP server ready\r\n").ack(0)
    for n in range(tries):
        tcp.data(0, f"USER name{n % 5}\r\n".encode()).data(1, b"331 Password required\r\n")
        tcp.data(0, f"PASS guess{n}\r\n".encode()).data(1, b"230 Welcome\r\n" if n == accepted else b"530 Login incorrect\r\n")
        trace.wait(1)
    tcp.data(0, b"QUIT\r\n").data(1, b"221 Bye\r\n").close()


@scene
def login_failures_fires(trace):
    ftp_logins(trace, 12, None)


@scene
def login_failures_quiet(trace):
    """Somebody who types it wrong twice."""
    ftp_logins(trace, 3, 2)


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
def dhcp_conflict_servers_fires(trace):
    """A second server, with a router of its own, answers the same client and another."""
    dhcp(trace, "192.168.7.1", ONE, 2, "192.168.7.51", 1)
    dhcp(trace, "192.168.7.66", ONE, 2, "192.168.7.151", 1, router="192.168.7.66")
    dhcp(trace, "192.168.7.1", ONE, 5, "192.168.7.51", 1)
    dhcp(trace, "192.168.7.66", TWO, 5, "192.168.7.152", 2, router="192.168.7.66")


@scene
def dhcp_conflict_address_fires(trace):
    """A server that forgot its leases when it was started anew."""
    dhcp(trace, "192.168.7.1", ONE, 5, "192.168.7.51", 1)
    trace.wait(600)
    dhcp(trace, "192.168.7.1", TWO, 5, "192.168.7.51", 2)


@scene
def dhcp_conflict_quiet(trace):
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


def post(trace, body, answer, port=40000):
    tcp = connection(trace, port, server=(PEER, 80)).handshake()
    tcp.data(0, b"POST /pay HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/x-www-form-urlencoded\r\n"
             + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    tcp.data(1, f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)
    tcp.close()


@scene
def sensitive_numbers_fires(trace):
    post(trace, b"name=A+B&card=4111+1111+1111+1111&until=12%2F27&cvc=123", b'{"refund": "DE89 3704 0044 0532 0130 00"}')


@scene
def sensitive_numbers_quiet(trace):
    """Digits enough, but of times, phones, articles and hashes; a card's number with a slip; and a picture."""
    post(trace, b"card=4111+1111+1111+1112&at=1700000000123456&tel=%2B4111111111111111",
         b'{"ean": 4006381333931, "md5": "4111111111111111b204e9800998ecf8", "size": 0.4111111111111111, "iban": "DE88370400440532013000"}')
    post(trace, b"x=1", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR 4111111111111111 ", 40001)
