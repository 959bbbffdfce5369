"""fyke stream: what two ends said, in every form; conflicts, gaps, tunnels; what cannot be read again."""

import csv
import json
import os
import pathlib
import subprocess

from place import case, expect, fyke
from support import packets, pcapfile, program

PSH_ACK = packets.PSH | packets.ACK


def analyzed(made, name="capture.pcap"):
    pathlib.Path(name).write_bytes(pcapfile.pcap(made.frames))
    fyke("analyze", "-q", name).exits(0)


def raw(*arguments):
    done = subprocess.run([str(program.binary()), "stream", *map(str, arguments)], capture_output=True, timeout=60)
    expect(done.returncode == 0, f"stream {arguments}: {done.stderr}")
    return done.stdout


def told(*arguments):
    return json.loads(fyke("stream", "--format", "json", *arguments).exits(0).out)


def events(answer, kind, side="client"):
    return [event for event in answer["events"] if event["kind"] == kind and event["side"] == side]


def conversation(**more):
    made = packets.Trace()
    tcp = packets.Tcp(made, **more).handshake()
    return made, tcp


@case
def stream_forms():
    made, tcp = conversation()
    tcp.data(0, b"GET /\r\n").data(1, b"line\n\x1b[31mred\x00\xff\n").data(0, b"bye").close()
    analyzed(made)
    expect(raw(1, "--side", "client") == b"GET /\r\nbye", "the client's bytes")
    expect(raw(1, "--side", "server") == b"line\n\x1b[31mred\x00\xff\n", "the server's bytes, as they are")
    expect(raw(1) == b"GET /\r\nline\n\x1b[31mred\x00\xff\nbye", "both sides in order; a pipe gets raw bytes")
    text = fyke("stream", 1, "--format", "text").exits(0).silent()
    text.shows("> GET /\n", "< line\n", "< \\x1b[31mred\\x00\\xff\n", "> bye\n")
    expect("\x1b" not in text.out and "\r" not in text.out, "untrusted bytes reached the terminal")
    fyke("stream", 1, "--format", "hex").exits(0).shows(
        "> 00000000  47 45 54 20 2f 0d 0a                              |GET /..|", "> 00000007  62 79 65")
    answer = told(1)
    expect([(e["offset"], e["data"]) for e in events(answer, "data")] == [(0, "GET /\r\n"), (7, "bye")], answer)
    expect(events(answer, "data", "server")[0]["data"] == "line\n\x1b[31mred\\x00\\xff\n", answer)
    expect([e["offset"] for e in events(answer, "end")] == [10], answer)


@case
def stream_puts_in_order_and_tells_gaps():
    made, tcp = conversation(isn=(0xFFFFFFF8, 0xFFFFFFFF))
    first = tcp.next[0]
    at = lambda offset: (first + offset) % 2**32  # noqa: E731
    tcp.send(0, PSH_ACK, b"world", sequence=at(6)).send(0, PSH_ACK, b"hello ", sequence=at(0))
    tcp.send(0, PSH_ACK, b"llo w", sequence=at(2)).send(0, PSH_ACK, b"tail", sequence=at(21))
    tcp.send(1, packets.ACK, acknowledgment=at(25))
    analyzed(made)
    expect(raw(1) == b"hello worldtail", "order across 2^32")
    answer = told(1)
    gap, = events(answer, "gap")
    expect((gap["offset"], gap["length"], gap["cause"]) == (11, 10, "acknowledged"), gap)
    expect(answer["client"]["duplicate_bytes"] == 5 and answer["client"]["conflicting_bytes"] == 0, answer)
    fyke("stream", 1, "--format", "text").exits(0).shows("10 bytes missing at byte 11")


@case
def stream_without_its_beginning():
    made = packets.Trace()
    tcp = packets.Tcp(made)
    at = tcp.next[0]
    for offset, payload in ((4, b"later"), (0, b"once"), (9, b"!")):
        tcp.send(0, PSH_ACK, payload, sequence=at + offset)
    analyzed(made)
    expect(raw(1) == b"oncelater!", raw(1))


@case
def stream_policies_disagree():
    made, tcp = conversation()
    first = tcp.next[0]
    for offset, payload in ((4, b"OOOO"), (4, b"NNNNNN"), (2, b"MMMM"), (0, b"--")):
        tcp.send(0, PSH_ACK, payload, sequence=first + offset)
    analyzed(made)
    expected = {"first": b"--MMOOOONN", "last": b"--MMMMNNNN", "bsd": b"--MMMMOONN", "windows": b"--MMMMOONN",
                "linux": b"--MMMMNNNN", "solaris": b"--MMNNNNNN"}
    for policy, wanted in expected.items():
        found = raw(1, "--policy", policy)
        expect(found == wanted, f"{policy}: {found} instead of {wanted}")
    conflicts = events(told(1, "--policy", "bsd"), "conflict")
    expect((conflicts[0]["first"], conflicts[0]["later"], conflicts[0]["read"]) == ("OOOO", "NNNN", "first"), conflicts)
    fyke("stream", 1, "--format", "text").exits(0).shows("two versions of 4 bytes at byte 4")


@case
def stream_leaves_out_what_is_none():
    made, tcp = conversation()
    tcp.data(0, b"kept").send(1, packets.ACK)
    tcp.send(0, packets.ACK, b"X", sequence=tcp.next[0] - 1)  # keep-alive
    tcp.fin(1).send(0, packets.FIN | packets.ACK, b" on FIN")
    tcp.send(1, packets.RST | packets.ACK, b"reason of the reset")
    analyzed(made)
    expect(raw(1) == b"kept on FIN", raw(1))
    answer = told(1)
    expect(answer["left_out_bytes"] == 20 and not events(answer, "conflict"), answer)


@case
def stream_fast_open():
    for acknowledged, wanted in ((True, b"early late"), (False, b" late")):
        made = packets.Trace()
        tcp = packets.Tcp(made)
        tcp.send(0, packets.SYN, b"early")
        if not acknowledged:
            tcp.next[0] -= 5
        tcp.synack().ack(0).data(0, b" late").ack(1)
        analyzed(made)
        expect(raw(1) == wanted, f"{raw(1)} instead of {wanted}")
        os.remove("fyke.db")


@case
def stream_of_tunnels_fragments_and_datagrams():
    made = packets.Trace()
    outer = lambda packet: packets.udp("192.0.2.1", 4789, "192.0.2.2", 4789, packets.vxlan(packet, 7))  # noqa: E731
    inner = packets.Tcp(made)
    inner.carry = outer
    other = packets.Tcp(made)  # the same addresses and ports, outside
    inner.handshake().data(0, b"inside")
    other.handshake().data(0, b"outside")
    inner.close()
    for fragment in packets.ipv4_fragments(packets.udp("10.9.0.1", 5000, "10.9.0.2", 6000, b"f" * 3000), [1480, 2960]):
        made.add(fragment)
    made.add(packets.udp("10.9.0.2", 6000, "10.9.0.1", 5000, b"answer"))
    analyzed(made)
    ids = {(row["tunnel"], row["transport"], row["client_port"]): row["id"]
           for row in program.rows("fyke.db", "SELECT * FROM sessions")}
    expect(raw(ids["vxlan", "tcp", 40000]) == b"inside", "the tunnel's inner stream")
    expect(raw(ids[None, "tcp", 40000]) == b"outside", "the stream beside it")
    expect(raw(ids[None, "udp", 5000]) == b"f" * 3000 + b"answer", "a datagram of fragments")
    answer = told(ids[None, "udp", 5000])
    expect([event["length"] for event in answer["events"]] == [3000, 6], answer)


@case
def stream_all_writes_files():
    made = packets.Trace()
    for i in range(3):
        tcp = packets.Tcp(made, client=("10.0.0.1", 40000 + i)).handshake()
        tcp.data(0, b"question %d" % i)
        if i != 1:
            tcp.data(1, b"answer %d" % i)
        tcp.close()
    made.add(packets.echo("10.0.0.1", "10.0.0.2", 1, 1))
    analyzed(made)
    fyke("stream", "--all", "-o", "out").exits(0).says("5 files of 3 sessions")
    expect(sorted(os.listdir("out")) == ["000001-client.bin", "000001-server.bin", "000002-client.bin",
                                         "000003-client.bin", "000003-server.bin", "index.tsv"], os.listdir("out"))
    expect(pathlib.Path("out/000003-server.bin").read_bytes() == b"answer 2", "its bytes")
    with open("out/index.tsv", encoding="utf-8", newline="") as stream:
        index = list(csv.DictReader(stream, delimiter="\t"))
    expect([(row["file"], row["bytes"]) for row in index][:2] == [("000001-client.bin", "10"),
                                                                  ("000001-server.bin", "8")], index)
    expect(os.stat("out/000001-client.bin").st_mode & 0o777 == 0o600, "others may read it")
    fyke("stream", "--all", "-o", "out").exits(2).says("not empty", "--force")
    fyke("stream", "--all", "-o", "out", "--force", "--side", "client", "port 40001").exits(0).says("1 files of 1")
    os.remove("out/000002-client.bin")
    os.symlink("/dev/null", "out/000002-client.bin")
    fyke("stream", "--all", "-o", "out", "--force", "port 40001").exits(0)
    expect(not os.path.islink("out/000002-client.bin"), "wrote through a link")


@case
def stream_of_what_is_gone():
    made, tcp = conversation()
    tcp.data(0, b"secret").close()
    made.add(packets.echo("10.0.0.1", "10.0.0.2", 1, 1))
    analyzed(made)
    fyke("stream", 99).exits(2).says("no session 99")
    fyke("stream", 2).exits(1).says("icmp", "only TCP and UDP")
    fyke("stream", 1, "--format", "json", "-d", "none.db").exits(1).says("none.db")
    data = pathlib.Path("capture.pcap").read_bytes()
    pathlib.Path("capture.pcap").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    result = fyke("stream", 1).exits(1).says("capture.pcap")
    expect(result.out == "", "something was written")
    os.remove("capture.pcap")
    result = fyke("stream", 1, "--format", "text").exits(1).says("capture.pcap")
    expect(result.out == "", "something was written")
    fyke("stream", "--all", "-o", "out").exits(1).says("capture.pcap")


@case
def stream_usage():
    analyzed(conversation()[0])
    for words in ((), ("1", "2"), ("1", "-o", "x"), ("--all",), ("1", "--side", "left"), ("1", "--format", "xml"),
                  ("1", "--policy", "beos"), ("port 80",)):
        fyke("stream", *words).exits(2)
    fyke("stream", "--help").exits(0).shows("--policy", "fyke stream 42")
