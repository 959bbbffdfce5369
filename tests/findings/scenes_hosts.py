"""Scenes between hosts: names, addresses, what the way does to connections, and peers that call each other."""

import pathlib
import time

from lab import CLIENT, ROUTER, SERVER, world
from scenes import CALL, ECHO, scene, start_ftp

PEER = world(9)


def dns_server(net, *options):
    return net.start("world", "dnsmasq", "-k", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--no-poll", "--user=root", "--pid-file=",
                     "--log-facility=-", f"--listen-address={PEER}", "--bind-interfaces", *options, ready="started")


def ask(net, lines):
    path = pathlib.Path(net.folder, "questions")
    path.write_text("".join(f"{line}\n" for line in lines))
    net.on("client", "dig", f"@{PEER}", "+tries=1", "+time=1", "-f", str(path))


@scene("dns-tunnel.fires", whole=True)
def iodine(net):
    """Pings and a little text through iodine; raw UDP is not allowed."""
    server = net.start("world", "iodined", "-f", "-c", "-P", "fishnet", "-l", PEER, "10.99.0.1", "t.tunnel.example", ready="Listening to dns")
    client = net.start("client", "iodine", "-f", "-r", "-T", "TXT", "-m", "120", "-P", "fishnet", PEER, "t.tunnel.example", ready="Connection setup complete")
    net.on("client", "ping", "-c", "12", "-i", "0.1", "-s", "200", "10.99.0.1")
    net.stop(client)
    net.stop(server)


@scene("dns-tunnel.quiet", whole=True)
def many_names(net):
    """A content network: as many names below one domain, but names of machines; and addresses looked up backwards."""
    server = dns_server(net, f"--address=/cdn.example/{PEER}", "--local=/in-addr.arpa/")
    ask(net, [f"edge-{n:03d}-fra.cdn.example A" for n in range(120)] + [f"-x 203.0.113.{n}" for n in range(120)])
    net.stop(server)


@scene("dns-odd-names.fires", whole=True)
def made_up_names(net):
    net.server = dns_server(net, "--local=/com/", "--local=/net/", "--local=/info/")
    done = net.python("client", """
import random
chance = random.Random(6)
for n in range(40):
    print(''.join(chance.choice('abcdefghijklmnopqrstuvwxyz') for _ in range(chance.randrange(12, 18))) + '.' + chance.choice(['com', 'net', 'info']))
""")
    ask(net, done.stdout.split())
    net.stop(net.server)


@scene("dns-odd-names.quiet", whole=True)
def wrong_search_list(net):
    """Many names that do not exist, below one domain; and a few slips of the keyboard."""
    server = dns_server(net, "--local=/example/", "--local=/com/", "--local=/org/")
    ask(net, [f"server{n}.corp.office.example" for n in range(60)] + ["exmaple.com", "wikipeda.org", "newspapr.example"])
    net.stop(server)


def dhcp_server(net, name, first, last, router):
    leases = pathlib.Path(net.folder, f"leases-{name}")
    leases.unlink(missing_ok=True)
    return net.start(name, "dnsmasq", "-k", "--conf-file=/dev/null", "--port=0", "--user=root", "--pid-file=", "--log-facility=-",
                     "--interface=e0", "--bind-interfaces", f"--dhcp-range={first},{last},1h", f"--dhcp-option=3,{router}",
                     f"--dhcp-option=6,{router}", f"--dhcp-leasefile={leases}", "--dhcp-authoritative", ready="DHCP, IP range")


def lease(net, name, *options):
    net.on(name, "udhcpc", "-i", "e0", "-n", "-q", "-f", "-t", "4", "-A", "1", "-s", "/bin/true", *options)


@scene("dhcp-conflict-servers.fires", whole=True)
def second_server(net):
    """A second server, with a router of its own, answers the same client."""
    own, other = (dhcp_server(net, "world", "192.168.7.50", "192.168.7.99", ROUTER),
                  dhcp_server(net, "server", "192.168.7.150", "192.168.7.199", SERVER))
    lease(net, "client")
    net.stop(own)
    net.stop(other)


@scene("dhcp-conflict-address.fires", whole=True)
def forgotten_leases(net):
    """A server that forgot its leases when it was started anew."""
    for name in ("client", "world"):
        server = dhcp_server(net, "server", "192.168.7.51", "192.168.7.51", ROUTER)
        lease(net, name)
        net.stop(server)


@scene("dhcp-conflict.quiet", whole=True)
def given_back(net):
    """Renewals, and an address that is given back and then given to another."""
    server = dhcp_server(net, "server", "192.168.7.51", "192.168.7.51", ROUTER)
    lease(net, "client")
    lease(net, "client", "-r", "192.168.7.51")
    lease(net, "client", "-R")
    time.sleep(1)
    lease(net, "world")
    net.stop(server)


SEND = """
import socket, sys
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind((sys.argv[1], 80)); l.listen(5)
print('ready')
while True:
    s = l.accept()[0]; s.recv(100); s.sendall(b'z' * int(sys.argv[2])); s.close()
"""
FETCH = """
import socket, sys
s = socket.create_connection((sys.argv[1], 80)); s.sendall(b'GET')
while s.recv(1 << 16): pass
"""


def filtered(net, name, rule):
    """A rule of nft for what comes in; what it drops was captured before."""
    net.on(name, "nft", "add table inet fyke")
    net.on(name, "nft", "add chain inet fyke in { type filter hook input priority 0 ; }")
    done = net.on(name, "nft", f"add rule inet fyke in {rule}")
    if done.returncode != 0:
        raise SystemExit(f"nft: {done.stderr}")


def download(net, percent):
    server = net.serve("world", SEND, PEER, 1200000)
    filtered(net, "client", f"tcp sport 80 numgen random mod 1000 < {round(percent * 10)} drop")
    net.on("world", "ip", "link", "set", "e0", "gso_max_segs", "1")
    net.python("client", FETCH, PEER)
    net.on("client", "nft", "delete table inet fyke")
    net.stop(server)


@scene("loss.fires")
def bad_line(net):
    download(net, 7)


@scene("loss.quiet")
def good_line(net):
    download(net, 0.4)


TICKS = """
import socket, sys, time
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind((sys.argv[1], 80)); l.listen(5)
print('ready')
while True:
    s = l.accept()[0]
    try:
        for n in range(20): s.sendall(b'tick %d\\n' % n); time.sleep(0.05)
    except OSError: pass
    s.close()
"""


@scene("reset-injection.fires")
def censor(net):
    """A filter on the way resets the client in the server's name when a long request goes by; the server goes on."""
    server = net.serve("world", TICKS, PEER)
    filtered(net, "world", "tcp dport 80 meta length > 400 reject with tcp reset")
    net.python("client", """
import socket, sys, time
s = socket.create_connection((sys.argv[1], 80)); s.recv(100)
s.sendall(b'GET /forbidden HTTP/1.0' + b' ' * 500)
time.sleep(0.5)
""", PEER)
    net.on("world", "nft", "delete table inet fyke")
    net.stop(server)


@scene("reset-injection.quiet")
def real_resets(net):
    """A server that resets while the client's data are on the way, and one that refuses first and answers later."""
    server = net.serve("world", """
import socket, struct, sys
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind((sys.argv[1], 80)); l.listen(5)
print('ready')
while True:
    s = l.accept()[0]; s.recv(10); s.sendall(b'no')
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); s.close()
""", PEER)
    net.python("client", CALL, "even", 3, 0.02, 4000, 0, f"{PEER}:80")
    net.stop(server)
    net.python("client", CALL, "even", 1, 0, 10, 0, f"{PEER}:81")
    server = net.serve("world", ECHO, 300, PEER, "81")
    net.python("client", CALL, "even", 1, 0, 10, 1, f"{PEER}:81")
    net.stop(server)


PEERS = """
import socket, sys, threading, time
own, others, port = sys.argv[1], sys.argv[2].split(','), int(sys.argv[3])
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind((own, port)); l.listen(64)
def talk(s):
    try:
        while s.recv(65536): s.sendall(b'\\x07piece' * 20)
    except OSError: pass
def accept():
    while True: threading.Thread(target=talk, args=(l.accept()[0],), daemon=True).start()
threading.Thread(target=accept, daemon=True).start()
print('ready')
time.sleep(float(sys.argv[4]))
for other in others:
    ip, p = other.split(':')
    try:
        s = socket.create_connection((ip, int(p)), timeout=2, source_address=(own, 0))
        s.sendall(b'\\x13have?' * 10); s.recv(4096); time.sleep(0.02)
    except OSError: pass
threading.Event().wait()
"""


def share_files(net, numbers, callers):
    """A program that shares files with peers, each on a port of its own; `callers` of them call back."""
    ports = {n: 20000 + 37 * n for n in numbers}
    peers = [net.serve("world", PEERS, world(n), f"{SERVER}:6881" if n in callers else f"{world(n)}:1", ports[n], 3) for n in ports]
    own = net.serve("server", PEERS, SERVER, ",".join(f"{world(n)}:{port}" for n, port in ports.items()), 6881, 0.5)
    time.sleep(5)
    for process in (*peers, own):
        net.stop(process)


@scene("back-door-swarm.quiet")
def swarm(net):
    """Twelve peers, three of which call back."""
    share_files(net, range(11, 23), (11, 12, 13))


@scene("back-door-swarm-few.quiet")
def small_swarm(net):
    """The same program with five peers, one of which calls back."""
    share_files(net, range(11, 16), (12,))


@scene("back-door-cluster.quiet")
def cluster(net):
    """Two nodes of one program: each calls the other on the port that both have, and then on another."""
    node = net.serve("client", PEERS, CLIENT, f"{SERVER}:7000,{SERVER}:9042", 7000, 1.5)
    own = net.serve("server", PEERS, SERVER, f"{CLIENT}:7000", 7000, 0.5)
    more = net.serve("server", PEERS, SERVER, f"{SERVER}:1", 9042, 0)
    time.sleep(3.5)
    for process in (node, own, more):
        net.stop(process)


@scene("back-door-ftp.quiet", whole=True)
def active_ftp(net):
    """FTP in active mode: the server calls the client back on a port that just began to listen."""
    ftp = start_ftp(net)
    for _ in range(3):
        net.on("client", "curl", "-s", "-m", "10", "-o", "/dev/null", "-P", "-", f"ftp://{SERVER}/notes.txt")
    net.stop(ftp)
