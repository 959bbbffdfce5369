"""Bad input, bad outputs, interruption."""

import errno
import os
import pathlib
import pty
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

from place import Skip, capture, case, expect, fyke, needs_root, rows, store, trace
from support import pcapfile, program


@case
def missing_file():
    fyke("analyze", "-q", "nothing.pcap").exits(1).says("nothing.pcap", "No such file")
    expect(not os.path.exists("fyke.db"), "a database was made for nothing")


@case
def directory():
    os.mkdir("folder")
    fyke("analyze", "-q", "folder").exits(1).says("folder", "directory")


@case
def not_a_capture():
    for name, content, words in (("text", b"hello, this is no capture at all\n", ["text"]),
                                 ("empty", b"", ["empty"]),
                                 ("zeros", bytes(4096), ["zeros"]),
                                 ("paper.pdf", b"%PDF-1.4\n" + bytes(100), ["PDF"])):
        pathlib.Path(name).write_bytes(content)
        fyke("analyze", "-q", name).exits(1).says(name, *words)
    expect(not os.path.exists("fyke.db"), "a database was made for nothing")


@case
def one_bad_file_among_good_ones_stops_before_storing():
    capture()
    pathlib.Path("text").write_bytes(b"no capture\n")
    fyke("analyze", "-q", "capture.pcap", "text").exits(1).says("text")
    expect(not os.path.exists("fyke.db"), "a database was made for nothing")


@case
def capture_without_packets():
    pathlib.Path("none.pcap").write_bytes(pcapfile.pcap([]))
    fyke("analyze", "-q", "none.pcap").exits(3).says("none.pcap", "no packet")
    expect(store() == [("complete", 0)], store())


@case
def nothing_passes_the_filter():
    capture()
    fyke("analyze", "-q", "-f", "udp", "capture.pcap").exits(3).says("no packet passed", "udp")
    expect(rows("SELECT packets, filtered_packets FROM captures") == [(0, 18)],
           rows("SELECT packets, filtered_packets FROM captures"))


@case
def cut_in_the_middle_of_a_packet():
    data = capture().read_bytes()
    pathlib.Path("cut.pcap").write_bytes(data[:-5])
    fyke("analyze", "-q", "cut.pcap").exits(3).says("cut.pcap", "packet 18")
    expect(store() == [("damaged", 2)], store())
    expect(rows("SELECT packets FROM captures") == [(17,)], rows("SELECT packets FROM captures"))


@case
def damaged_block_of_a_pcapng():
    data = bytearray(pcapfile.pcapng(trace(2)))
    data[-4:] = b"\xff\xff\xff\x7f" # the length at the end of the last block
    pathlib.Path("bad.pcapng").write_bytes(data)
    fyke("analyze", "-q", "bad.pcapng").exits(3).says("bad.pcapng")
    expect(store()[0][0] == "damaged", store())


@case
def unknown_link_type_is_counted():
    pathlib.Path("odd.pcap").write_bytes(pcapfile.pcap(trace(1), link_type=147))
    fyke("analyze", "odd.pcap").exits(0).shows("9")
    expect(rows("SELECT packets, refused_packets FROM captures") == [(9, 9)],
           rows("SELECT packets, refused_packets FROM captures"))


@case
def wrong_services_file():
    capture()
    pathlib.Path("services").write_text("http eighty/tcp\n", encoding="utf-8")
    fyke("analyze", "-q", "--services", "services", "capture.pcap").exits(2).says("services, line 1")
    fyke("analyze", "-q", "--services", "none", "capture.pcap").exits(1).says("none", "No such file")


@case
def database_is_never_a_capture():
    path = capture()
    before = path.read_bytes()
    fyke("analyze", "-q", "-d", "capture.pcap", "capture.pcap").exits(2).says("capture.pcap", "never written")
    os.link("capture.pcap", "other.pcap")
    fyke("analyze", "-q", "-d", "other.pcap", "capture.pcap").exits(2).says("other.pcap")
    capture("second.pcap", 3)
    fyke("analyze", "-q", "-d", "capture.pcap", "second.pcap").exits(1).says("capture.pcap")
    expect(path.read_bytes() == before, "the capture was changed")


@case
def foreign_databases_are_left_alone():
    capture()
    with sqlite3.connect("theirs.db") as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    pathlib.Path("text.db").write_text("not a database, but a text of some length\n" * 30, encoding="utf-8")
    for name in ("theirs.db", "text.db"):
        before = pathlib.Path(name).read_bytes()
        fyke("analyze", "-q", "-d", name, "capture.pcap").exits(1).says(name)
        expect(pathlib.Path(name).read_bytes() == before, f"{name} was changed")


@case
def newer_schema_is_left_alone():
    capture()
    fyke("analyze", "-q", "capture.pcap").exits(0)
    with sqlite3.connect("fyke.db") as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    fyke("analyze", "-q", "capture.pcap").exits(1).says("fyke.db", "newer")


@case
def database_in_a_missing_directory():
    capture()
    fyke("analyze", "-q", "-d", "no/such/place.db", "capture.pcap").exits(1).says("no/such/place.db")


@case
def locked_database_is_told():
    capture()
    fyke("analyze", "-q", "capture.pcap").exits(0)
    holder = sqlite3.connect("fyke.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    begin = time.monotonic()
    fyke("analyze", "-q", "capture.pcap").exits(1).says("locked")
    expect(time.monotonic() - begin < 60, "it waited for more than a minute")
    holder.execute("ROLLBACK")
    holder.close()
    expect(store() == [("complete", 2)], store())


@case
def full_disk_leaves_a_clean_database():
    needs_root()
    capture()
    os.mkdir("small")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", "small"], capture_output=True,
                      check=False).returncode != 0:
        raise Skip("no right to mount a small file system")
    try:
        capture("large.pcap", connections=6000)
        fyke("analyze", "-q", "-d", "small/fyke.db", "large.pcap").exits(1).says("small/fyke.db")
        with sqlite3.connect("small/fyke.db") as connection:
            check = connection.execute("PRAGMA integrity_check").fetchall()
        connection.close()
        expect(check == [("ok",)], f"integrity_check: {check}")
    finally:
        subprocess.run(["umount", "small"], check=False)


@case
def outputs_replace_nothing_without_force():
    capture()
    pathlib.Path("report.json").write_text("mine", encoding="utf-8")
    fyke("analyze", "-q", "capture.pcap", "--json", "report.json").exits(2).says("report.json", "--force")
    expect(pathlib.Path("report.json").read_text(encoding="utf-8") == "mine", "it was replaced")
    expect(not os.path.exists("fyke.db"), "the mistake was told late")
    fyke("analyze", "-q", "capture.pcap", "--json", "report.json", "--force").exits(0)
    expect(pathlib.Path("report.json").read_text(encoding="utf-8").startswith("{"), "it was not replaced")


@case
def outputs_never_replace_a_capture():
    before = capture().read_bytes()
    second = capture("second.pcap", 3).read_bytes()
    fyke("analyze", "-q", "capture.pcap", "--json", "capture.pcap", "--force").exits(2).says("capture.pcap")
    fyke("analyze", "-q", "capture.pcap", "--json", "second.pcap", "--force").exits(2).says("second.pcap")
    expect(pathlib.Path("capture.pcap").read_bytes() == before, "the capture was replaced")
    expect(pathlib.Path("second.pcap").read_bytes() == second, "another capture was replaced")


@case
def full_output_device_is_told():
    capture()
    fyke("analyze", "-q", "capture.pcap", "--json", "/dev/full").exits(1).says("/dev/full", os.strerror(errno.ENOSPC))
    expect(store() == [("complete", 2)], store())


@case
def closed_standard_output_ends_silently():
    capture()
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run([str(program.binary()), "analyze", "capture.pcap"], stdout=write_end,
                          stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(write_end)
    words = [line for line in done.stderr.decode().splitlines() if "stays root" not in line]
    expect(words == [], words)
    expect(store() == [("complete", 2)], store())


@case
def closed_descriptors_harm_nothing():
    capture()
    shell = f'exec "{program.binary()}" analyze capture.pcap <&- >&- 2>&-'
    subprocess.run(["sh", "-c", shell], timeout=60, check=False)
    expect(store() == [("complete", 2)], store())


def start_on_pipe(*options):
    """fyke waiting for the rest of a capture on standard input."""
    data = pcapfile.pcap(trace(2))
    child = subprocess.Popen([str(program.binary()), "analyze", "-q", *options, "-"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdin.write(data)
    child.stdin.flush()
    time.sleep(1.5)
    return child


def interrupt(*options):
    child = start_on_pipe(*options)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    expect(child.returncode == 1, f"exit code {child.returncode}: {err}")
    expect(b"interrupted" in err, err)
    expect(store() == [("interrupted", 2)], store())


@case
def interrupt_stores_what_was_read():
    interrupt()


@case
def interrupt_stores_what_several_threads_read():
    interrupt("--threads", "3")


@case
def threads_are_counted():
    capture()
    for wrong in ("0", "17", "-1", "all"):
        fyke("analyze", "-q", "--threads", wrong, "capture.pcap").exits(2).says("--threads", "from 1 to 16")
    fyke("analyze", "-q", "--threads", "16", "capture.pcap").exits(0)
    expect(store() == [("complete", 2)], store())


@case
def threads_without_memory_end_orderly():
    """Whoever lacks memory first, the reader, an engine, the writer: fyke says so and ends."""
    if program.is_sanitized(program.binary()):
        raise Skip("a sanitizer needs more address space than there is")
    capture("many.pcap", connections=6000)
    ends = set()
    for mebibytes in range(30, 420, 15):
        limit = mebibytes << 20
        done = fyke("analyze", "-q", "--threads", "3", "-d", f"{mebibytes}.db", "many.pcap",
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        if done.code == 127:  # not even the program finds room
            continue
        expect(done.code in (0, 1), f"{mebibytes} MiB: {done.code}, {done.err}")
        expect(done.code == 0 or "memory" in done.err, f"{mebibytes} MiB: {done.err}")
        ends.add(done.code)
    expect(ends == {0, 1}, f"all ended alike: {ends}")


@case
def killed_run_leaves_a_clean_database():
    child = start_on_pipe()
    child.kill()
    child.communicate(timeout=60)
    capture()
    fyke("analyze", "-q", "capture.pcap").exits(0)
    states = [status for status, _ in store()]
    expect(states in (["interrupted", "complete"], ["complete"]), states)


@case
def progress_only_on_a_terminal():
    big = capture("large.pcap", connections=1)
    body = big.read_bytes()
    try:
        leader, follower = pty.openpty()
    except OSError as fault:
        raise Skip(f"no terminal to be had: {fault}") from fault
    child = subprocess.Popen([str(program.binary()), "analyze", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=follower)
    os.close(follower)
    shown = b""
    try:
        child.stdin.write(body)
        for _ in range(4):
            time.sleep(0.3)
            child.stdin.write(body[24:])
            child.stdin.flush()
        child.communicate(timeout=60)
        while True:
            try:
                piece = os.read(leader, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
    finally:
        os.close(leader)
    expect(b"packets" in shown and b"\r" in shown, shown[-300:])
    expect(shown.rstrip().endswith(b"\x1b[K") or b"\x1b[K" in shown, "the line was not wiped")
    result = fyke("analyze", "large.pcap")
    expect("\r" not in result.err and "\x1b" not in result.err, result.err)


@case
def hostile_names_reach_no_terminal():
    name = "evil\x1b[31m\nname.pcap"
    shutil.copy(capture(), name)
    result = fyke("analyze", name).exits(0)
    expect("\x1b" not in result.out + result.err, result.out)
    missing = fyke("analyze", "-q", "no\x1b]0;x\x07ne").exits(1)
    expect("\x1b" not in missing.err and "\x07" not in missing.err, missing.err)
