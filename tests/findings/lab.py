"""A small network of namespaces for captures that fire rules: a home with a client and a server, and a world behind it.

    client 192.168.7.10 ─┐
    server 192.168.7.20 ─┼─ bridge (tcpdump listens) ── world 192.168.7.1, 203.0.113.1 to .40
"""

import os
import signal
import subprocess
import sys
import tempfile
import time

os.environ["PATH"] += ":/usr/sbin:/sbin"
CLIENT, SERVER, ROUTER = "192.168.7.10", "192.168.7.20", "192.168.7.1"


def world(n):
    return f"203.0.113.{n}"


def must(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")


class Network:
    def __init__(self):
        tag = f"fykef{os.getpid()}"
        self.names = {name: f"{tag}{name[0]}" for name in ("switch", "client", "home", "world")}
        self.names["server"] = self.names.pop("home")
        self.processes = []
        self.folder = tempfile.mkdtemp(prefix="fyke-findings.", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.make()

    def make(self):
        for name in self.names.values():
            must("ip", "netns", "add", name)
            must("ip", "-n", name, "link", "set", "lo", "up")
        switch = self.names["switch"]
        must("ip", "-n", switch, "link", "add", "br0", "type", "bridge")
        must("ip", "-n", switch, "link", "set", "br0", "promisc", "on", "up")
        addresses = {"client": [CLIENT], "server": [SERVER], "world": [ROUTER]}
        for n, (name, own) in enumerate(addresses.items()):
            self.on(name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv4.icmp_ratelimit=0",
                    "net.ipv4.icmp_msgs_per_sec=100000", "net.ipv4.icmp_msgs_burst=10000", "net.ipv4.tcp_tw_reuse=1")
            must("ip", "-n", switch, "link", "add", f"p{n}", "type", "veth", "peer", "name", "e0", "address",
                 f"02:00:00:00:07:{10 + n}", "netns", self.names[name])
            must("ip", "-n", switch, "link", "set", f"p{n}", "master", "br0", "up")
            must("ip", "-n", self.names[name], "link", "set", "e0", "up")
            for address in own:
                must("ip", "-n", self.names[name], "address", "add", address + "/24", "dev", "e0")
        self.on("switch", "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        for n in range(1, 41):
            must("ip", "-n", self.names["world"], "address", "add", world(n) + "/32", "dev", "lo")
        for name in ("client", "server"):
            must("ip", "-n", self.names[name], "route", "add", "default", "via", ROUTER)
        self.on("world", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        must("ip", "-n", self.names["world"], "route", "add", "blackhole", "203.0.113.0/24")
        time.sleep(1.2)
        self.on("client", "ping", "-c1", "-W1", SERVER)
        self.on("server", "ping", "-c1", "-W1", ROUTER)
        self.on("client", "ping", "-c1", "-W1", ROUTER)

    def on(self, name, *command, timeout=120):
        return subprocess.run(("ip", "netns", "exec", self.names[name]) + command, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout, check=False)

    def start(self, name, *command, ready=None):
        process = subprocess.Popen(("ip", "netns", "exec", self.names[name]) + command, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.processes.append(process)
        if ready is not None:
            for line in process.stdout:
                if ready in line:
                    break
        return process

    def python(self, name, text, *arguments):
        """Runs a small program to its end; says what went wrong."""
        done = self.on(name, sys.executable, "-c", text, *map(str, arguments))
        if done.returncode != 0:
            print(f"{name}: {done.stderr.strip()}", file=sys.stderr)
        return done

    def serve(self, name, text, *arguments):
        """Starts a small program that prints `ready`."""
        return self.start(name, sys.executable, "-uc", text, *map(str, arguments), ready="ready")

    def wait_for_port(self, name, port):
        for _ in range(50):
            if self.on(name, "ss", "-Hltn", f"sport = :{port}").stdout:
                return
            time.sleep(0.1)
        raise SystemExit(f"{name}: nothing listens on port {port}")

    def call_from(self, address):
        """From now on the world's programs call the server from this address of theirs."""
        must("ip", "-n", self.names["world"], "route", "replace", SERVER + "/32", "dev", "e0", "src", address)

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        process.stdout.close()
        self.processes.remove(process)

    def capture(self, path, snaplen=160, what="not arp"):
        process = self.start("switch", "tcpdump", "-i", "br0", "-n", "-s", str(snaplen), "-B", "16384", "-U", "--immediate-mode", "-Z", "root",
                             "--time-stamp-precision=nano", "-w", path, what, ready="listening")
        time.sleep(0.3)
        return process

    def end(self):
        for process in list(self.processes):
            self.stop(process)
        for name in self.names.values():
            subprocess.run(("ip", "netns", "delete", name), check=False)
        subprocess.run(("rm", "-rf", self.folder), check=False)
