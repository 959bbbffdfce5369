"""--files: what sessions transferred, saved under names of ours."""

import os
import pathlib
import shutil

from place import case, expect, fyke, needs_root, rows, store
from rights import SUDO, NOBODY, opened_up
from support import packets, pcapfile

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
TEXT = b"a few words\n" * 40


def get(tcp, uri, body, lost=0):
    """One exchange; `lost` bytes of the body are acknowledged, but were not captured."""
    tcp.data(0, b"GET " + uri + b" HTTP/1.1\r\nHost: h\r\n\r\n")
    tcp.data(1, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
    for at in range(0, len(body), 1000):
        if lost and at == 1000:
            tcp.next[1] += 1000
        else:
            tcp.data(1, body[at:at + 1000])
        tcp.ack(0)


def transfers(name="files.pcap"):
    made = packets.Trace()
    tcp = packets.Tcp(made).handshake()
    get(tcp, b"/../../etc/passwd", PNG)
    get(tcp, b"/b.exe", TEXT)
    get(tcp, b"/c.png", PNG, lost=1000)
    tcp.close()
    path = pathlib.Path(name)
    path.write_bytes(pcapfile.pcap(made.frames))
    return path


def saved(directory="saved"):
    return {path.name: path.read_bytes() for path in pathlib.Path(directory).iterdir()}


@case
def files_are_saved():
    fyke("analyze", "-q", transfers(), "--files", "saved").exits(0).silent()
    expect(saved() == {"6-1.png": PNG, "14-1.txt": TEXT, "18-1.part": PNG[:1000]}, str(sorted(saved())))
    expect(all(path.stat().st_mode & 0o777 == 0o600 for path in pathlib.Path("saved").iterdir()), "modes")
    expect(pathlib.Path("saved").stat().st_mode & 0o777 == 0o700, "mode of the directory")
    told = rows("SELECT saved_as, name, missing_bytes, complete FROM transferred_files ORDER BY n")
    expect(told == [("6-1.png", "passwd", 0, 1), ("14-1.txt", "b.exe", 0, 1), ("18-1.part", "c.png", 1000, 0)],
           str(told))


@case
def files_that_are_there_stay():
    path = transfers()
    for _ in range(2):
        fyke("analyze", "-q", path, "--files", "saved").exits(0)
    expect(sorted(saved()) == ["14-1.txt", "14-2.txt", "18-1.part", "18-2.part", "6-1.png", "6-2.png"],
           str(sorted(saved())))


@case
def files_are_limited():
    fyke("analyze", "-q", transfers(), "--files", "saved", "--files-count", "1").exits(0).says("--files-count")
    expect(sorted(saved()) == ["6-1.png"], str(sorted(saved())))
    shutil.rmtree("saved")
    fyke("analyze", "-q", transfers(), "--files", "saved", "--files-limit", "2100").exits(0).says("--files-limit")
    expect(sum(map(len, saved().values())) == 2100, str(sorted(saved())))


@case
def files_on_a_full_disk():
    """/dev/full does as a file only; a limit on file sizes fails the same way."""
    def limit():
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (6 << 20, 6 << 20))
    made = packets.Trace()
    tcp = packets.Tcp(made).handshake()
    get(tcp, b"/large", bytes(8 << 20))
    tcp.close()
    path = pathlib.Path("large.pcap")
    path.write_bytes(pcapfile.pcap(made.frames))
    fyke("analyze", "-q", path, "--files", "saved", preexec_fn=limit).exits(1).says("--files: File too large")
    expect(store() == [("complete", 1)], "the database is not whole")


@case
def files_in_no_directory():
    pathlib.Path("plain").write_bytes(b"")
    fyke("analyze", "-q", transfers(), "--files", "plain").exits(1).says("--files plain")
    fyke("analyze", "-q", transfers(), "--files", "none/below").exits(1).says("--files none/below")
    fyke("analyze", "-q", transfers(), "--files", "x", "--files-count", "0").exits(2)
    fyke("analyze", "-q", transfers(), "--files", "x", "--files-limit", "much").exits(2)


@case
def files_belong_to_who_called_sudo():
    needs_root()
    directory = opened_up()
    try:
        path = transfers()
        path.chmod(0o600)
        fyke("analyze", "-q", path, "-d", directory / "fyke.db", "--files", directory / "saved", env=SUDO).exits(0)
        owners = {os.stat(directory / "saved" / name).st_uid for name in saved(directory / "saved")}
        expect(owners == {NOBODY.pw_uid} and (directory / "saved").stat().st_uid == NOBODY.pw_uid, str(owners))
    finally:
        shutil.rmtree(directory)
