"""A trace whose sessions say something: HTTP, TLS and DNS in equal parts, each with names of its own."""

import pathlib
import ssl
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

from tests.support import packets, pcapfile  # noqa: E402


def client_hello(name):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def http(trace, n):
    talk = packets.Tcp(trace, (f"10.1.{n >> 8 & 255}.{n & 255}", 20000 + n % 40000), ("10.9.0.1", 80)).handshake()
    for i in range(3):
        talk.data(0, f"GET /page/{n}/{i} HTTP/1.1\r\nHost: host{n}.example\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n".encode())
        talk.data(1, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000)
    talk.close()


def tls(trace, n, hello):
    talk = packets.Tcp(trace, (f"10.2.{n >> 8 & 255}.{n & 255}", 20000 + n % 40000), ("10.9.0.2", 443)).handshake()
    talk.data(0, hello)
    for i in range(6):
        talk.data(i % 2, b"\x17\x03\x03" + struct.pack(">H", 1000) + b"y" * 1000)
    talk.close()


def dns(trace, n):
    client, name = f"10.3.{n >> 8 & 255}.{n & 255}", f"name{n}".encode()
    question = bytes([len(name)]) + name + b"\x07example\x00\x00\x01\x00\x01"
    head = struct.pack(">H", n & 0xFFFF)
    trace.add(packets.udp(client, 20000 + n % 40000, "10.9.0.3", 53, head + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + question))
    trace.add(packets.udp("10.9.0.3", 53, client, 20000 + n % 40000, head + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + question +
                          b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xcb\x00\x71\x07"))


def write(path, sessions):
    """Returns how many packets that makes."""
    trace, hello = packets.Trace(), client_hello("host.example")
    for n in range(sessions):
        (http, lambda t, m: tls(t, m, hello), dns)[n % 3](trace, n)
    path.write_bytes(pcapfile.pcap(trace.frames))
    return len(trace.frames)
