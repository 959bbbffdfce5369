"""Privileges: opened as root, done as somebody else."""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import time

from place import Skip, capture, case, expect, fyke, needs_root, store
from support import program

NOBODY = pwd.getpwnam("nobody")
SUDO = {"SUDO_UID": str(NOBODY.pw_uid), "SUDO_GID": str(NOBODY.pw_gid)}


def opened_up():
    """A directory that nobody may write to, reachable for nobody."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="fyke-rights-", dir="/tmp"))
    os.chown(directory, NOBODY.pw_uid, NOBODY.pw_gid)
    return directory


@case
def sudo_caller_owns_the_database():
    needs_root()
    directory = opened_up()
    try:
        path = capture()
        path.chmod(0o600) # for root only: it is opened before the rights go
        fyke("analyze", path, "-d", directory / "fyke.db", env=SUDO).exits(0).silent()
        info = (directory / "fyke.db").stat()
        expect(info.st_uid == NOBODY.pw_uid and info.st_mode & 0o777 == 0o600, f"{info.st_uid} {info.st_mode:o}")
        expect(store(directory / "fyke.db") == [("complete", 2)], "not stored")
    finally:
        shutil.rmtree(directory)


@case
def user_option_names_the_user():
    needs_root()
    directory = opened_up()
    try:
        fyke("analyze", "-q", capture(), "-d", directory / "fyke.db", "--user", "nobody").exits(0).silent()
        expect((directory / "fyke.db").stat().st_uid == NOBODY.pw_uid, "another owner")
        fyke("analyze", "-q", capture(), "--user", "no-such-user").exits(2).says("no-such-user")
    finally:
        shutil.rmtree(directory)


@case
def directory_closed_to_the_user_is_told():
    needs_root()
    os.chmod(".", 0o700)
    result = fyke("analyze", "-q", capture(), "-d", "fyke.db", env=SUDO).exits(1)
    result.says("fyke.db")
    expect(not os.path.exists("fyke.db"), "it was made as root")


@case
def root_without_anybody_to_be_says_so():
    needs_root()
    try:
        pwd.getpwnam("fyke")
        raise Skip("this machine has a user fyke")
    except KeyError:
        pass
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")}
    done = subprocess.run([str(program.binary()), "analyze", str(capture())], capture_output=True, env=environment,
                          check=False)
    expect(done.returncode == 0 and done.stderr.count(b"stays root") == 1, done.stderr)


@case
def unreadable_file():
    needs_root()
    directory = opened_up()
    try:
        path = shutil.copy(capture(), directory / "closed.pcap")
        os.chown(path, 0, 0)
        os.chmod(path, 0o600)
        binary = shutil.copy(program.binary(), directory / "fyke")
        os.chmod(binary, 0o755)
        done = subprocess.run(["setpriv", "--reuid", "nobody", "--clear-groups", str(binary), "analyze", "-q",
                               str(path), "-d", str(directory / "x.db")], capture_output=True, check=False)
        expect(done.returncode == 1 and b"closed.pcap" in done.stderr and b"permission" in done.stderr, done.stderr)
    finally:
        shutil.rmtree(directory)


@case
def setuid_is_refused():
    needs_root()
    own = pathlib.Path("/proc/self/status").read_text(encoding="utf-8")
    if os.statvfs("/tmp").f_flag & os.ST_NOSUID or "NoNewPrivs:\t1" in own:
        raise Skip("setuid has no effect here")
    directory = opened_up()
    try:
        binary = shutil.copy(program.binary(), directory / "fyke")
        os.chown(binary, 0, 0)
        os.chmod(binary, 0o4755)
        done = subprocess.run(["setpriv", "--reuid", "nobody", "--clear-groups", str(binary), "version"],
                              capture_output=True, check=False)
        expect(done.returncode == 1 and b"setuid" in done.stderr, done.stderr)
    finally:
        shutil.rmtree(directory)


@case
def running_process_has_no_rights_left():
    needs_root()
    directory = opened_up()
    child = subprocess.Popen([str(program.binary()), "analyze", "-q", "-", "-d", str(directory / "fyke.db")],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=dict(os.environ, **SUDO))
    try:
        status = {}
        for _ in range(100): # until it has come as far as waiting for the first byte
            time.sleep(0.1)
            text = pathlib.Path(f"/proc/{child.pid}/status").read_text(encoding="utf-8")
            status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            if status["NoNewPrivs"] == "1" and int(status["CapPrm"], 16) == 0:
                break
        expect(status["Uid"].split() == [str(NOBODY.pw_uid)] * 4, status["Uid"])
        expect(status["Gid"].split() == [str(NOBODY.pw_gid)] * 4, status["Gid"])
        expect(status["Groups"].split() in ([], [str(NOBODY.pw_gid)]), status["Groups"])
        expect(int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0, status["CapEff"])
        expect(status["NoNewPrivs"] == "1", status["NoNewPrivs"])
    finally:
        child.stdin.write(capture().read_bytes())
        child.communicate(timeout=60)
        shutil.rmtree(directory)
    expect(child.returncode == 0, f"exit code {child.returncode}")
