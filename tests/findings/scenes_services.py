"""Scenes at services: TLS and certificates, passwords, databases, numbers that somebody may misuse."""

import pathlib
import time

from lab import SERVER, world
from scenes import CALL, ECHO, Certificates, Servers, scene, start_ftp, start_sshd

PEER = world(9)


def tls(net, port, certificate, server=(), client=(), name="www.example.test"):
    """One handshake between s_server and s_client; both do not care about trust."""
    pem, key = Certificates(net).of(certificate)
    process = net.start("world", "openssl", "s_server", "-accept", f"{PEER}:{port}", "-cert", pem, "-key", key, "-www", *server, ready="ACCEPT")
    net.on("client", "openssl", "s_client", "-connect", f"{PEER}:{port}", "-servername", name, *client)
    net.stop(process)


def gnutls(net, port, cipher):
    pem, key = Certificates(net).of("good")
    priority = f"NONE:+VERS-TLS1.0:+VERS-TLS1.2:+{cipher}:+RSA:+SHA1:+MD5:+SIGN-ALL:+COMP-NULL:%ALLOW_SMALL_RECORDS"
    process = net.start("world", "gnutls-serv", "--port", str(port), "--x509certfile", pem, "--x509keyfile", key, "--priority", priority,
                        "--echo")
    net.wait_for_port("world", port)
    net.on("client", "gnutls-cli", "--insecure", "--priority", priority, "-p", str(port), PEER)
    net.stop(process)


def dtls(net, port, server=(), client=()):
    """The server asks for a cookie first. It ends with its standard input."""
    pem, key = Certificates(net).of("good")
    process = net.start("world", "sh", "-c", 'sleep 3 | openssl s_server "$@"', "sh", "-accept", f"{PEER}:{port}", "-cert", pem, "-key", key,
                        "-listen", *server, ready="ACCEPT")
    net.on("client", "timeout", "2", "openssl", "s_client", "-connect", f"{PEER}:{port}", *client)
    process.wait(10)
    net.stop(process)


ANY = ("-cipher", "ALL:NULL:@SECLEVEL=0")


@scene("weak-tls.fires", whole=True)
def old_tls(net):
    """TLS 1.0 and 1.1; RC4, 3DES, no encryption at all, and nobody's certificate."""
    tls(net, 443, "good", ("-tls1", *ANY), ("-tls1", *ANY))
    tls(net, 444, "good", ("-tls1_1", *ANY), ("-tls1_1", *ANY))
    tls(net, 445, "good", ("-tls1_2", *ANY), ("-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"))
    tls(net, 446, "good", ("-tls1_2", *ANY), ("-tls1_2", "-cipher", "ADH-AES128-SHA256:@SECLEVEL=0"))
    gnutls(net, 447, "ARCFOUR-128")
    gnutls(net, 448, "3DES-CBC")


@scene("weak-tls.quiet", whole=True)
def old_tls_offered(net):
    """TLS 1.2 and 1.3; old versions and ciphers that are offered and not taken, and some that are turned down."""
    tls(net, 443, "good", ("-tls1_2",), ())
    tls(net, 444, "good", (), ())
    tls(net, 445, "good", (), ANY)
    tls(net, 446, "good", ("-tls1_2",), ("-tls1", *ANY))
    tls(net, 447, "good", ("-tls1_2",), ("-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"))


@scene("weak-tls-datagrams.fires", whole=True)
def old_dtls(net):
    """DTLS 1.0, and DTLS 1.2 without encryption."""
    dtls(net, 4433, ("-dtls1", *ANY), ("-dtls1", *ANY))
    dtls(net, 4434, ("-dtls1_2", *ANY), ("-dtls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"))


@scene("weak-tls-datagrams.quiet", whole=True)
def old_dtls_offered(net):
    """DTLS 1.2, whose requests for a cookie bear the number of 1.0; 1.0 and old ciphers that are offered and not taken, and some
    that are turned down."""
    dtls(net, 4433, ("-dtls",), ("-dtls",))
    dtls(net, 4434, ("-dtls",), ("-dtls", *ANY))
    dtls(net, 4435, ("-dtls1_2",), ("-dtls1", *ANY))
    dtls(net, 4436, ("-dtls1_2",), ("-dtls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"))


@scene("certificate.fires", whole=True)
def bad_certificates(net):
    for port, name in ((443, "expired"), (444, "early"), (445, "own")):
        tls(net, port, name, ("-tls1_2",))
    tls(net, 446, "good", ("-tls1_2",), name="bank.example.net")


@scene("certificate.quiet", whole=True)
def good_certificates(net):
    """For the name itself and by a wildcard, in capitals, without a name that is asked for, and as an address."""
    tls(net, 443, "good", ("-tls1_2",))
    tls(net, 444, "wildcard", ("-tls1_2",), name="mail.example.test")
    tls(net, 445, "good", ("-tls1_2",), name="WWW.Example.TEST")
    tls(net, 446, "good", ("-tls1_2",), ("-noservername",), name="ignored")
    tls(net, 447, "expired", ("-tls1_3",))


def curl(net, *arguments, name="client"):
    return net.on(name, "curl", "-s", "-k", "-m", "10", "-o", "/dev/null", *arguments)


@scene("clear-text-password.fires", whole=True)
def passwords(net):
    ftp = start_ftp(net)
    with Servers(net, "server", "nginx", "dovecot"):
        curl(net, "-u", "alice:oyster-demo", f"http://{SERVER}/private")
        curl(net, "-u", "alice:oyster-demo", f"pop3://{SERVER}/")
        curl(net, "-u", "alice:oyster-demo", f"imap://{SERVER}/")
        curl(net, "-u", "alice:oyster-demo", f"ftp://{SERVER}/")
    net.stop(ftp)


@scene("clear-text-password.quiet", whole=True)
def hidden_passwords(net):
    """The same services, encrypted; a guest; and passwords that go by as a hash."""
    ftp = start_ftp(net)
    with Servers(net, "server", "nginx", "dovecot"):
        curl(net, "--tls-max", "1.2", "-u", "alice:oyster-demo", f"https://{SERVER}/private")
        curl(net, "--ssl-reqd", "-u", "alice:oyster-demo", f"pop3://{SERVER}/")
        curl(net, "--ssl-reqd", "-u", "alice:oyster-demo", f"imap://{SERVER}/")
        curl(net, "-u", "alice:oyster-demo", "--digest", f"http://{SERVER}/private")
        curl(net, f"ftp://{SERVER}/notes.txt")
    net.stop(ftp)


def words(net, name, lines):
    path = pathlib.Path(net.folder, name)
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


@scene("login-failures.fires", whole=True)
def guess_ftp(net):
    ftp = start_ftp(net)
    net.on("client", "hydra", "-I", "-t", "4", "-L", words(net, "users", ("harbour", "skipper", "netmaker")), "-P",
           words(net, "words", [f"guess{n}" for n in range(5)]), f"ftp://{SERVER}")
    net.stop(ftp)


@scene("login-failures-guessed.fires", whole=True)
def guess_mail(net):
    """One of the guesses is right."""
    with Servers(net, "server", "dovecot"):
        net.on("client", "hydra", "-I", "-t", "4", "-l", "alice", "-P",
               words(net, "words", [f"guess{n}" for n in range(12)] + ["oyster-demo"]), f"pop3://{SERVER}")


@scene("login-failures-medusa.fires", whole=True)
def guess_with_medusa(net):
    ftp = start_ftp(net)
    net.on("client", "medusa", "-h", SERVER, "-u", "skipper", "-P", words(net, "words", [f"guess{n}" for n in range(12)]), "-M", "ftp",
           "-t", "2")
    net.stop(ftp)


@scene("login-failures.quiet", whole=True)
def mistype(net):
    """Somebody who types it wrong twice, and then right."""
    with Servers(net, "server", "dovecot"):
        for word in ("oyster-dmeo", "oister-demo", "oyster-demo"):
            curl(net, "-u", f"alice:{word}", f"pop3://{SERVER}/")


@scene("login-attempts-medusa.fires")
def guess_ssh(net):
    sshd = start_sshd(net)
    net.on("client", "medusa", "-h", SERVER, "-u", "skipper", "-P", words(net, "words", [f"guess{n}" for n in range(40)]), "-M", "ssh",
           "-t", "8")
    net.stop(sshd)


def redis(net, name, count):
    server = net.start("server", "redis-server", "--bind", SERVER, "--port", "6379", "--protected-mode", "no", "--save", "", "--daemonize",
                       "no", "--dir", net.folder, ready="Ready to accept")
    for n in range(count):
        net.on(name, "redis-cli", "-h", SERVER, "set", f"berth:{n}", "free")
    net.stop(server)


@scene("exposed-service.fires", whole=True)
def exposed(net):
    net.call_from(PEER)
    redis(net, "world", 4)


@scene("exposed-service.quiet", whole=True)
def inside(net):
    redis(net, "client", 4)


@scene("login-attempts-database.quiet", whole=True)
def short_queries(net):
    """A program that opens a connection for each of its queries."""
    redis(net, "client", 30)


SHOP = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        body = sys.argv[2].encode()
        self.send_response(200); self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer((sys.argv[1], 80), Handler)
print('ready'); server.serve_forever()
"""


@scene("sensitive-numbers.fires", whole=True)
def pay(net):
    shop = net.serve("world", SHOP, PEER, '{"refund": "DE89 3704 0044 0532 0130 00"}')
    curl(net, "-d", "name=A+B&card=4111+1111+1111+1111&until=12%2F27&cvc=123", f"http://{PEER}/pay")
    net.stop(shop)


@scene("sensitive-numbers.quiet", whole=True)
def other_digits(net):
    """Digits enough, but of times, phones, articles and hashes; a card's number with a slip; and a picture."""
    shop = net.serve("world", SHOP, PEER, '{"ean": 4006381333931, "md5": "4111111111111111b204e9800998ecf8", '
                     '"size": 0.4111111111111111, "iban": "DE88370400440532013000"}')
    curl(net, "-d", "card=4111+1111+1111+1112&at=1700000000123456&tel=%2B4111111111111111", f"http://{PEER}/pay")
    picture = pathlib.Path(net.folder, "picture.png")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR 4111111111111111 ")
    curl(net, "-H", "Content-Type: image/png", "--data-binary", f"@{picture}", f"http://{PEER}/picture")
    net.stop(shop)


@scene("odd-port.fires", whole=True)
def ssh_as_web(net):
    sshd = start_sshd(net, "world", PEER, 443)
    net.on("client", "ssh", "-p", "443", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", f"guest@{PEER}")
    net.stop(sshd)


@scene("odd-port.quiet", whole=True)
def usual_ports(net):
    """SSH where it belongs, the web on its second port, TLS on a port that is nobody's, FTP whose data take any port."""
    sshd, ftp = start_sshd(net), start_ftp(net)
    net.on("client", "ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", f"guest@{SERVER}")
    with Servers(net, "server", "nginx"):
        curl(net, f"http://{SERVER}:8080/")
    tls(net, 8443, "good")
    curl(net, f"ftp://{SERVER}/notes.txt")
    curl(net, "-P", "-", f"ftp://{SERVER}/notes.txt")
    net.stop(ftp)
    net.stop(sshd)


@scene("weak-sequence-numbers.quiet")
def linux_numbers(net):
    listener = net.serve("server", ECHO, 10, SERVER, "80")
    net.python("client", CALL, "even", 40, 0.02, 10, 1, f"{SERVER}:80")
    net.stop(listener)
    time.sleep(0.1)



