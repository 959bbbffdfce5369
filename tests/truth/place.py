"""Network namespaces without names, TAP interfaces in them, their settings and their counters.

A namespace here belongs to this process and its children alone: it is gone when they are, however they end.
"""

import ctypes
import fcntl
import os
import struct
import subprocess

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
LIBC = ctypes.CDLL(None, use_errno=True)

EXTENDED = ("TCPFastRetrans", "TCPSlowStartRetrans", "TCPTimeouts", "TCPLossProbes", "TCPSynRetrans", "TCPKeepAlive",
            "TCPWinProbe", "TCPLostRetransmit", "TCPSpuriousRTOs", "TCPDSACKRecv", "TCPDSACKOldSent", "TCPSACKReorder")


def enter(fd):
    if LIBC.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=20)


class Place:
    """A new namespace with one TAP interface; the thread that makes it is left inside."""

    def __init__(self, address, settings):
        if LIBC.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.set("net/ipv6/conf/all/disable_ipv6", 1)
        self.set("net/ipv6/conf/default/disable_ipv6", 1)
        for name, value in settings.items():
            self.set("net/ipv4/" + name, value)
        self.tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tap, TUNSETIFF, struct.pack("16sH22x", b"e0", IFF_TAP | IFF_NO_PI))
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "set", "e0", "up", "txqueuelen", "2000")
        run("ip", "address", "add", address + "/24", "dev", "e0")
        self.netstat = os.open("/proc/thread-self/net/netstat", os.O_RDONLY)
        self.snmp = os.open("/proc/thread-self/net/snmp", os.O_RDONLY)
        self.columns = None
        self.columns = self.find_columns()

    @staticmethod
    def set(name, value):
        with open("/proc/sys/" + name, "w", encoding="ascii") as file:
            file.write(str(value))

    def find_columns(self):
        lines = os.pread(self.netstat, 65536, 0).decode().splitlines()
        names = next(line for line in lines if line.startswith("TcpExt:")).split()
        return [(name, names.index(name)) for name in EXTENDED if name in names]

    def counters(self):
        """What the kernel counted in this namespace; each needed number only."""
        lines = os.pread(self.netstat, 65536, 0).split(b"\n")
        words = lines[1].split()
        return {name: int(words[column]) for name, column in self.columns}

    def close(self):
        for fd in (self.tap, self.netstat, self.snmp, self.fd):
            os.close(fd)

    def resent(self):
        lines = os.pread(self.snmp, 65536, 0).decode().splitlines()
        names, values = (line.split() for line in lines if line.startswith("Tcp:"))
        return int(values[names.index("RetransSegs")])
