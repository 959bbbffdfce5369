"""What scenes are made of: their register, two small programs, and servers of the real kind."""

import pathlib
import subprocess

from lab import SERVER

HERE = pathlib.Path(__file__).resolve().parent
SCENES, WHOLE = {}, set()

ECHO = """
import socket, sys, threading
def talk(s, answer):
    try:
        while s.recv(65536):
            if answer: s.sendall(b'x' * answer)
    except OSError: pass
    finally: s.close()
def accept(s, answer):
    while True: threading.Thread(target=talk, args=(s.accept()[0], answer), daemon=True).start()
answer, addresses, ports = int(sys.argv[1]), sys.argv[2].split(','), sys.argv[3].split(',')
listeners = []
for a in addresses:
    for p in ports:
        s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((a, int(p))); s.listen(512); listeners.append(s)
        threading.Thread(target=accept, args=(s, answer), daemon=True).start()
print('ready'); threading.Event().wait()
"""

CALL = """
import socket, sys, time, random
random.seed(7)
mode, count, pause, size, wait = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
targets = [t.rsplit(':', 1) for t in sys.argv[6].split(',')]
for n in range(count):
    for ip, port in targets:
        try:
            s = socket.create_connection((ip, int(port)), timeout=2)
            s.sendall(b'q' * (size if mode != 'random' else random.randrange(10, 40 * size)))
            if wait: s.recv(65536)
            s.close()
        except OSError: pass
    time.sleep(pause if mode == 'even' else random.expovariate(1 / pause) if pause else 0)
"""


def scene(name, whole=False):
    """`whole`: what the packets carry matters, so they are not cut."""
    def register(function):
        SCENES[name] = function
        if whole:
            WHOLE.add(name)
        return function
    return register


def start_sshd(net, name="server", address=SERVER, port=22):
    folder = pathlib.Path(net.folder)
    key = folder / "host_key"
    if not key.exists():
        net.on(name, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    pathlib.Path("/run/sshd").mkdir(exist_ok=True)
    return net.start(name, "/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-h", str(key), "-p", str(port), "-o",
                     "UsePAM=no", "-o", "PasswordAuthentication=yes", "-o", "MaxStartups=100", "-o", "PidFile=none",
                     "-o", f"ListenAddress={address}", ready="listening")


def start_ftp(net):
    """Guests may come in; nobody else can."""
    pathlib.Path("/run/vsftpd/empty").mkdir(parents=True, exist_ok=True)
    guests = pathlib.Path(net.folder, "guests")
    guests.mkdir(exist_ok=True)
    (guests / "notes.txt").write_text("tide tables\n" * 200)
    options = {"listen": "YES", "listen_ipv6": "NO", "listen_address": SERVER, "background": "NO", "anonymous_enable": "YES",
               "anon_root": str(guests), "local_enable": "YES", "seccomp_sandbox": "NO", "delay_failed_login": "0",
               "max_login_fails": "20", "ftpd_banner": "files", "port_enable": "YES", "connect_from_port_20": "NO"}
    path = pathlib.Path(net.folder, "vsftpd.conf")
    path.write_text("".join(f"{key}={value}\n" for key, value in options.items()))
    process = net.start("server", "vsftpd", str(path))
    net.wait_for_port("server", 21)
    return process


class Servers:
    """Servers of tests/live/servers.sh, while the block runs."""

    def __init__(self, net, name, *servers):
        self.folder = str(pathlib.Path(net.folder, "servers"))
        self.begin = ("sh", str(HERE.parent / "live/servers.sh"), "start", net.names[name], self.folder, *servers)

    def __enter__(self):
        print(subprocess.run(self.begin, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stderr, end="")
        return self

    def __exit__(self, *_):
        subprocess.run(("sh", self.begin[1], "stop", self.folder), check=False)
        subprocess.run(("rm", "-rf", self.folder), check=False)


class Certificates:
    """An authority and what it signs, all invented."""

    def __init__(self, net):
        self.folder = pathlib.Path(net.folder, "certificates")
        if not self.folder.exists():
            self.folder.mkdir()
            self.make()

    def openssl(self, *arguments):
        subprocess.run(("openssl", *arguments), cwd=self.folder, capture_output=True, check=True)

    def make(self):
        (self.folder / "index").write_text("")
        (self.folder / "ca.conf").write_text("""[ca]
default_ca = own
[own]
new_certs_dir = .
database = index
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
organizationName = optional
commonName = supplied
""")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7300", "-subj", "/O=Example Trust/CN=Example Authority",
                     "-keyout", "ca.key", "-out", "ca.pem")
        for name, host, begin, end in (("good", "www.example.test", "20200101000000Z", "20400101000000Z"),
                                       ("wildcard", "*.example.test", "20200101000000Z", "20400101000000Z"),
                                       ("expired", "www.example.test", "20200101000000Z", "20210101000000Z"),
                                       ("early", "www.example.test", "20390101000000Z", "20400101000000Z")):
            self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/O=Example/CN={host}", "-addext",
                         f"subjectAltName=DNS:{host}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
            self.openssl("ca", "-batch", "-notext", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-startdate", begin,
                         "-enddate", end, "-in", f"{name}.csr", "-out", f"{name}.pem")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=www.example.test", "-addext",
                     "subjectAltName=DNS:www.example.test", "-keyout", "own.key", "-out", "own.pem")

    def of(self, name):
        return str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key")
