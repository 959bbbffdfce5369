"""A laboratory for the live tests: namespaces joined by a cable, real servers, and fyke monitor on them.

Everything is made under one directory and ended by process id; Lab.close() leaves nothing behind.
"""

import json
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.environ.get("FYKE_ROOT", os.path.dirname(os.path.dirname(HERE)))
os.environ["PATH"] += ":/usr/sbin:/sbin"

SERVER4, CLIENT4, NOBODY4 = "198.51.100.20", "198.51.100.10", "198.51.100.99"
SERVER6, CLIENT6 = "2001:db8:20::20", "2001:db8:20::10"


class Failed(Exception):
    """What a case found wrong."""


def check(truth, text):
    if not truth:
        raise Failed(text)


def run(*command, **options):
    options.setdefault("timeout", 60)
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)


def must(*command, **options):
    result = run(*command, **options)
    if result.returncode != 0:
        raise Failed("%s: %s" % (" ".join(command), result.stderr.strip() or result.returncode))
    return result.stdout


def until(question, seconds, what):
    """Asks again and again until the answer is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.05)
    raise Failed("not within %g s: %s" % (seconds, what))


class Lab:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="fyke-live.", dir="/tmp")
        os.chmod(self.directory, 0o755)
        tag = "fyke%d" % os.getpid()
        self.server, self.client = tag + "s", tag + "c"
        self.namespaces = []
        self.processes = []
        self.servers = []
        # A copy: who gives up root may not reach the checkout.
        self.fyke = os.path.join(self.directory, "fyke")
        shutil.copy(os.environ.get("FYKE", os.path.join(ROOT, "build/release/fyke")), self.fyke)
        os.chmod(self.fyke, 0o755)
        self.user = pwd.getpwnam("nobody")
        self.count = 0

    def cable(self):
        """server e0 ── e0 client"""
        for name in (self.server, self.client):
            must("ip", "netns", "add", name)
            self.namespaces.append(name)
            run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0",
                "net.ipv6.conf.all.accept_dad=0", "net.ipv4.icmp_ratelimit=0")
            must("ip", "-n", name, "link", "set", "lo", "up")
        must("ip", "-n", self.server, "link", "add", "e0", "type", "veth", "peer", "name", "e0", "netns", self.client)
        for name, four, six in ((self.server, SERVER4, SERVER6), (self.client, CLIENT4, CLIENT6)):
            must("ip", "-n", name, "link", "set", "e0", "up")
            must("ip", "-n", name, "address", "add", four + "/24", "dev", "e0")
            must("ip", "-n", name, "address", "add", six + "/64", "dev", "e0", "nodad")
        # An address that resolves and never answers.
        must("ip", "-n", self.client, "neighbour", "add", NOBODY4, "lladdr", "02:00:00:00:00:99", "dev", "e0")

    def start_servers(self, *names):
        result = run(os.path.join(HERE, "servers.sh"), "start", self.server, self.path("servers"), *names)
        self.servers = result.stdout.split()
        return result.stderr.strip()

    def path(self, name):
        return os.path.join(self.directory, name)

    def folder(self):
        """A new folder that the unprivileged user owns."""
        self.count += 1
        folder = self.path("case%d" % self.count)
        os.mkdir(folder, 0o755)
        os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        return folder

    def on_client(self, *command, **options):
        return run("ip", "netns", "exec", self.client, *command, **options)

    def on_server(self, *command, **options):
        return run("ip", "netns", "exec", self.server, *command, **options)

    def start(self, namespace, *command, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(("ip", "netns", "exec", namespace) + command, **options)
        self.processes.append(process)
        return process

    def python_on_client(self, program, *arguments):
        """Starts a client of our own; its first line of output means that it is ready."""
        process = self.start(self.client, sys.executable, "-c", program, *arguments, stdout=subprocess.PIPE,
                             stdin=subprocess.PIPE, text=True)
        process.stdout.readline()
        return process

    def close(self):
        if self.servers:
            run(os.path.join(HERE, "servers.sh"), "stop", self.path("servers"))
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for name in self.namespaces:
            run("ip", "netns", "delete", name)
        shutil.rmtree(self.directory, ignore_errors=True)


class Monitor:
    """A fyke monitor on the server's end of the cable, with a database in a folder of its own."""

    def __init__(self, lab, *options, database=None, interface="e0", namespace=None):
        self.lab = lab
        self.folder = lab.folder() if database is None else os.path.dirname(database)
        self.database = database or os.path.join(self.folder, "fyke.db")
        self.out_path = os.path.join(self.folder, "out%d" % time.monotonic_ns())
        self.err_path = self.out_path + ".err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = lab.start(namespace or lab.server, lab.fyke, "monitor", "-i", interface, "-d",
                                     self.database, "--user", "nobody", *options, stdout=out, stderr=err,
                                     env=dict(os.environ, PATH=os.environ["PATH"]))
        until(lambda: "Listening" in self.stderr() or self.process.poll() is not None, 20, "the monitor listens")

    @property
    def pid(self):
        return self.process.pid

    def stderr(self):
        with open(self.err_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stdout(self):
        with open(self.out_path, encoding="utf-8") as file:
            return file.read()

    def end(self, number=signal.SIGTERM, seconds=20):
        """Lets the last packets arrive, ends the monitor and gives its exit code."""
        time.sleep(0.4)
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=seconds)

    def rows(self, sql, *values):
        connection = sqlite3.connect("file:%s?mode=ro" % self.database, uri=True, timeout=10)
        try:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, values)]
        finally:
            connection.close()

    def value(self, sql, *values):
        rows = self.rows(sql, *values)
        return list(rows[0].values())[0] if rows else None

    def lines(self):
        return [json.loads(line) for line in self.stdout().splitlines()]
