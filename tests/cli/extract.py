"""fyke extract and fyke tcp: going back from sessions to their packets."""

import gzip
import json
import os
import pathlib
import pty
import random
import sqlite3
import struct
import subprocess
import time

from place import capture, case, expect, fyke, rows, trace
from support import packets, pcapfile, program


def frames_of(path):
    return [(frame.time_ns, frame.length, bytes(frame.data), frame.link_type) for frame in pcapfile.read(path)]


def as_tuples(frames):
    return [(frame.time_ns, frame.length, bytes(frame.data), frame.link_type) for frame in frames]


def leftovers(*allowed):
    return sorted(name for name in os.listdir(".")
                  if name not in allowed and not name.endswith(("-shm", "-wal")))


def nothing_left(*allowed):
    expect(leftovers(*allowed) == [], f"left behind: {leftovers(*allowed)}")


def mixed_trace(connections, seed=5):
    """Connections whose packets lie between each other's."""
    chance = random.Random(seed)
    made = packets.Trace()
    ends = [packets.Tcp(made, client=("10.0.0.1", 20000 + i)) for i in range(connections)]
    for tcp in ends:
        tcp.handshake()
    for _ in range(connections * 4):
        chance.choice(ends).data(chance.randrange(2), chance.randbytes(chance.randrange(1, 400)))
    for tcp in ends:
        tcp.close()
    return made.frames


@case
def extract_of_all_is_the_capture():
    frames = mixed_trace(60)
    for frame in frames[::7]:
        frame.time_ns += 123  # nanoseconds stay
    third = len(frames) // 3
    pathlib.Path("a.pcap").write_bytes(pcapfile.pcap(frames[:third], nanoseconds=True))
    pathlib.Path("b.pcapng").write_bytes(pcapfile.pcapng(frames[third:2 * third], order=">"))
    pathlib.Path("c.pcapng.gz").write_bytes(gzip.compress(pcapfile.pcapng(frames[2 * third:])))
    fyke("analyze", "-q", "a.pcap", "b.pcapng", "c.pcapng.gz").exits(0)
    fyke("extract", "id > 0", "-w", "all.pcapng").exits(0).says(f"{len(frames)} packets of 60 sessions")
    expect(frames_of("all.pcapng") == as_tuples(frames), "the extract has other frames")
    fyke("analyze", "-q", "all.pcapng", "-d", "again.db").exits(0)
    difference = program.first_difference(program.facts("fyke.db"), program.facts("again.db"))
    expect(difference is None, difference)
    again = fyke("extract", "id > 0", "-w", "-")
    again.exits(0)
    nothing_left("a.pcap", "b.pcapng", "c.pcapng.gz", "fyke.db", "all.pcapng", "again.db")


@case
def extract_of_one_session():
    frames = mixed_trace(40)
    pathlib.Path("capture.pcap").write_bytes(pcapfile.pcap(frames))
    fyke("analyze", "-q", "capture.pcap").exits(0)
    for port in (20000, 20013, 20039):
        wire = struct.pack(">H", port)
        mine = [frame for frame in frames if wire in (bytes(frame.data[34:36]), bytes(frame.data[36:38]))]
        fyke("extract", "port", str(port), "-w", f"{port}.pcap").exits(0).says("of 1 sessions")
        expect(frames_of(f"{port}.pcap") == [(f.time_ns // 1000 * 1000, f.length, bytes(f.data), 1) for f in mine],
               f"the packets of port {port} are others")
    expect([len(row) for row in [rows("SELECT id FROM sessions")]] == [40], "other sessions")


@case
def extract_has_fragments():
    made = packets.Trace()
    payload = random.Random(1).randbytes(4000)
    whole = packets.udp("10.0.0.1", 1000, "10.0.0.2", 2000, payload, ip_id=77)
    first, *rest = packets.ipv4_fragments(whole, [1480, 1480])
    made.add(packets.udp("10.0.0.1", 1000, "10.0.0.2", 2000, b"before"))
    made.add(first)
    made.add(packets.udp("10.0.0.1", 1000, "10.0.0.2", 2000, b"between"))
    for piece in reversed(rest):
        made.add(piece)
    made.add(packets.udp("10.0.0.7", 1, "10.0.0.8", 2, b"another"))
    pathlib.Path("capture.pcap").write_bytes(pcapfile.pcap(made.frames))
    fyke("analyze", "-q", "capture.pcap").exits(0)
    fyke("extract", "port 2000", "-w", "one.pcap").exits(0).says("5 packets of 1 sessions")
    expect(frames_of("one.pcap") == [(f.time_ns // 1000 * 1000, f.length, bytes(f.data), 1) for f in made.frames[:5]],
           "fragments are missing")


@case
def extract_reads_only_its_way():
    """A session of a few packets in a large capture: time shows that the rest is not read."""
    made = packets.Trace()
    tcp = packets.Tcp(made, client=("10.0.0.9", 999))
    tcp.handshake()
    noise = packets.udp("10.0.0.1", 1000, "10.0.0.2", 2000, bytes(1200))
    for _ in range(60000):
        made.add(noise)
    tcp.data(0, b"late").close()
    pathlib.Path("large.pcapng").write_bytes(pcapfile.pcapng(made.frames))
    fyke("analyze", "-q", "large.pcapng").exits(0)
    fyke("extract", "port 999", "-w", "warm.pcapng").exits(0)
    began = time.monotonic()
    fyke("extract", "port 999", "-w", "few.pcapng").exits(0).says("7 packets")
    few = time.monotonic() - began
    began = time.monotonic()
    fyke("extract", "id > 0", "-w", "many.pcapng").exits(0)
    many = time.monotonic() - began
    expect(few < many / 2, f"7 packets took {few:.3f} s, 60,007 took {many:.3f} s")


def refused(words, *arguments, code=1):
    before = set(os.listdir("."))
    fyke("extract", *arguments).exits(code).says(*words)
    left = set(os.listdir(".")) - before
    expect(not left, f"left behind: {left}")


@case
def extract_from_a_file_that_is_gone():
    capture()
    fyke("analyze", "-q", "capture.pcap").exits(0)
    os.rename("capture.pcap", "moved.pcap")
    refused(["capture.pcap", "cannot be opened again", "No such file"], "1", "-w", "out.pcapng")
    os.mkdir("beside")
    os.rename("moved.pcap", "beside/capture.pcap")
    os.rename("fyke.db", "beside/fyke.db")
    fyke("extract", "1", "-d", "beside/fyke.db", "-w", "out.pcapng").exits(0)


@case
def extract_from_a_file_that_changed():
    data = bytearray(capture(connections=20).read_bytes())
    fyke("analyze", "-q", "capture.pcap").exits(0)
    for changed in (bytes(data) + b"more", bytes(data[:-3]), bytes(data[:100]) + b"\xff" + bytes(data[101:])):
        pathlib.Path("capture.pcap").write_bytes(changed)
        refused(["capture.pcap", "not the file any more"], "id > 0", "-w", "out.pcapng")
    pathlib.Path("capture.pcap").write_bytes(b"nonsense" * 100)
    refused(["capture.pcap"], "id > 0", "-w", "out.pcapng")
    pathlib.Path("capture.pcap").write_bytes(data)
    fyke("extract", "id > 0", "-w", "out.pcapng").exits(0)


@case
def extract_from_live_traffic():
    capture()
    fyke("analyze", "-q", "capture.pcap").exits(0)
    with sqlite3.connect("fyke.db") as connection:
        connection.execute("UPDATE captures SET source = 'interface', name = 'eth7'")
        connection.execute("DELETE FROM files")
    connection.close()
    refused(["live", "eth7", "not kept"], "1", "-w", "out.pcapng")


@case
def extract_from_standard_input():
    data = capture().read_bytes()
    fyke("analyze", "-q", "-", stdin=data).exits(0)
    refused(["standard input"], "1", "-w", "out.pcapng")


@case
def extract_replaces_nothing():
    capture()
    fyke("analyze", "-q", "capture.pcap").exits(0)
    pathlib.Path("notes").write_text("mine")
    refused(["exists already"], "1", "-w", "notes", code=2)
    refused(["capture"], "1", "-w", "capture.pcap", "--force", code=2)
    expect(pathlib.Path("notes").read_text() == "mine", "notes were replaced")
    fyke("extract", "1", "-w", "notes", "--force").exits(0)
    refused(["-w FILE is missing"], "1", code=2)
    refused(["which sessions"], "-w", "out.pcapng", code=2)
    refused(["^"], "nonsense ==", "-w", "out.pcapng", code=2)
    fyke("extract", "port 9", "-w", "out.pcapng").exits(0).says("no session matches")
    expect(not os.path.exists("out.pcapng"), "a file of nothing")


@case
def extract_for_a_hostile_database():
    capture()
    fyke("analyze", "-q", "capture.pcap").exits(0)
    for what in ("UPDATE sessions SET frames = x'ffffffffffffffff7f'", "UPDATE sessions SET frames = x'c0843d'",
                 "UPDATE frame_index SET file_offset = 77", "UPDATE frame_index SET frame = 0",
                 "UPDATE files SET first_frame = -5", "UPDATE sessions SET frames = x'00'",
                 "UPDATE frame_index SET file_offset = -1"):
        capture()
        pathlib.Path("fyke.db").unlink()
        fyke("analyze", "-q", "capture.pcap").exits(0)
        with sqlite3.connect("fyke.db") as connection:
            connection.execute(what)
        connection.close()
        before = set(os.listdir("."))
        done = fyke("extract", "id > 0", "-w", "out.pcapng")
        if done.code == 0:
            expect(frames_of("out.pcapng") == [(f.time_ns, f.length, bytes(f.data), 1) for f in trace()],
                   f"{what}: other packets")
            os.unlink("out.pcapng")
        else:
            done.exits(1)
        expect(set(os.listdir(".")) == before, f"{what}: left behind {set(os.listdir('.')) - before}")


def lossy():
    """A server whose second segment is lost beyond the tap, and sent again after three duplicate ACKs."""
    made = packets.Trace()
    tcp = packets.Tcp(made)
    tcp.handshake().data(0, b"get")
    start = tcp.next[1]
    for i in range(6):
        tcp.data(1, bytes([65 + i]) * 1000)
    for _ in range(4):
        tcp.ack(0, acknowledgment=start + 1000, after_ns=3_000_000)
    tcp.data(1, b"B" * 1000, sequence=start + 1000)
    tcp.ack(0).close()
    pathlib.Path("lossy.pcap").write_bytes(pcapfile.pcap(made.frames))
    fyke("analyze", "-q", "lossy.pcap").exits(0)


@case
def tcp_tells_a_life():
    lossy()
    shown = fyke("tcp", "1", env={"LC_ALL": "C"}).exits(0).silent()
    shown.shows("Session 1  10.0.0.1:40000 -> 10.0.0.2:80", "Handshake", "SYN-ACK", "The server's stream over time",
                "F fast retransmission", "x original, lost beyond the tap", "server, frame 15", "Bytes 1,000 to 1,999",
                "duplicate ACKs", "lost beyond the tap", "1 fast", "both sides closed it (FIN)")
    expect(all(len(line) <= 80 for line in shown.out.splitlines()), "a line is wider than 80 columns")
    told = json.loads(fyke("tcp", "1", "--format", "json").exits(0).out)
    event = told["events"][0]
    expect((event["kind"], event["lost"], event["original_frame"], event["offset"], event["length"]) ==
           ("fast_retransmission", "beyond", 6, 1000, 1000), event)
    expect(told["server"]["fast_retransmissions"] == 1, told["server"])
    os.unlink("lossy.pcap")
    fyke("tcp", "1", env={"LC_ALL": "C"}).exits(0).shows("Only events are drawn", "lossy.pcap", "server, frame 15")


@case
def tcp_refuses():
    pathlib.Path("udp.pcap").write_bytes(
        pcapfile.pcap(packets.Trace().add(packets.udp("10.0.0.1", 1, "10.0.0.2", 2, b"x")).frames))
    fyke("analyze", "-q", "udp.pcap").exits(0)
    fyke("tcp", "1").exits(2).says("udp, not tcp")
    fyke("tcp", "2").exits(2).says("no session 2")
    fyke("tcp", "x").exits(2).says("no session's id")
    fyke("tcp").exits(2)
    fyke("tcp", "1", "--side", "both").exits(2)


@case
def tcp_shows_no_control_characters():
    lossy()
    evil = "\x1b]0;evil\x07\u202e"
    with sqlite3.connect("fyke.db") as connection:
        connection.execute("UPDATE sessions SET service = ?1, server_name = ?1, state = ?1, history = ?1,"
                           " end_reason = ?1", (evil,))
        connection.execute("UPDATE captures SET name = ?1", (evil,))
        connection.execute("UPDATE tcp_events SET kind = ?1, evidence = ?1, \"offset\" = 9223372036854775807,"
                           " length = -9223372036854775808", (evil,))
        connection.execute("UPDATE tcp SET server_stream_bytes = 9223372036854775807, server_rtt_samples = 9,"
                           " server_missing_bytes = -1")
    connection.close()
    for arguments in ([], ["--format", "json"], ["--side", "client"]):
        out = fyke("tcp", "1", *arguments).exits(0).out
        expect("\x1b" not in out and "\x07" not in out, "control characters reach the terminal")


@case
def packets_are_nothing_for_a_terminal():
    capture()
    fyke("analyze", "-q", "capture.pcap").exits(0)
    leader, follower = pty.openpty()
    done = subprocess.run([str(program.binary()), "extract", "1", "-w", "-"], stdout=follower,
                          stderr=subprocess.PIPE, timeout=60)
    expect(done.returncode == 2 and b"terminal" in done.stderr, done.stderr)
    os.close(leader)
    os.close(follower)
