"""Runs scenarios between two real TCP stacks over the forwarder, lets fyke analyze what the tap saw, compares."""

import concurrent.futures
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.environ.get("FYKE_ROOT", os.path.dirname(os.path.dirname(HERE)))
FYKE = os.environ.get("FYKE", os.path.join(ROOT, "build/release/fyke"))
sys.path.insert(0, HERE)
os.environ["PATH"] += ":/usr/sbin:/sbin"

import forwarder  # noqa: E402
import judge  # noqa: E402
import scenarios  # noqa: E402
from place import Place, enter  # noqa: E402

CLIENT, SERVER = "198.51.100.10", "198.51.100.20"
SECONDS = 25  # at most, a scenario
WORKERS = 4


def child(function, *arguments):
    """A process in the namespace where this thread is."""
    number = os.fork()
    if number:
        return number
    status = 1
    try:
        signal.alarm(SECONDS + 5)
        function(*arguments)
        status = 0
    except OSError:
        pass
    finally:
        os._exit(status)


class Ended:
    """True once the children have gone and nothing moves any more, or the time is over."""

    def __init__(self, children):
        self.children = children
        self.limit = time.monotonic() + SECONDS
        self.forward = None

    def __call__(self):
        now = time.monotonic()
        self.children = [number for number in self.children if os.waitpid(number, os.WNOHANG)[0] == 0]
        if now > self.limit:
            return True
        last = self.forward.log[-1].time if self.forward.log else now
        return not self.children and now - last > 0.7

    def close(self):
        for number in self.children:
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)


class Played:
    """The log, and what each side's kernel counted."""

    def __init__(self, forward, places):
        self.log = forward.log
        self.counters = [place.counters() | {"RetransSegs": place.resent()} for place in places]
        self.probes_with_news = sum(sender.probes_with_news for sender in forward.senders)


def play(scenario, path):
    """Runs a scenario."""
    places = [Place(CLIENT, scenario.settings)]
    places.append(Place(SERVER, scenario.settings))
    listener = socket.socket()
    if not scenario.traffic.get("back") and "buffer" in scenario.traffic:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, scenario.traffic["buffer"])
    listener.bind((SERVER, scenarios.PORT))
    listener.listen(4)
    children = [child(scenarios.server, listener, scenario.traffic)]
    listener.close()
    enter(places[0].fd)
    children.append(child(scenarios.client, SERVER, scenario.traffic))
    ended = Ended(children)
    try:
        forward = forwarder.Forwarder(places, path, scenario.delay, scenario.treat)
        ended.forward = forward
        forward.run(ended)
        return Played(forward, places)
    finally:
        ended.close()
        for place in places:
            place.close()


def analyze(path):
    database = path + ".db"
    subprocess.run([FYKE, "analyze", "-q", "-d", database, path], check=True, capture_output=True, timeout=60)
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    events = [dict(row) for row in connection.execute("SELECT * FROM tcp_events")]
    resent = connection.execute("SELECT sum(client_syn_retransmissions + server_syn_retransmissions) FROM tcp").fetchone()
    connection.close()
    return events, resent[0] or 0


def listed(mixed, only):
    found = list(scenarios.single()) + list(scenarios.mixed(mixed, int(os.environ.get("TRUTH_SEED", "1"))))
    return [scenario for scenario in found if only in scenario.name]


def one(choice, directory, number):
    """Plays and judges a scenario; in a process of its own kind, for it changes its namespace."""
    scenario = listed(*choice)[number]
    path = os.path.join(directory, "%03d.pcapng" % number)
    played = play(scenario, path)
    rows, syn_resends = analyze(path)
    sums = judge.compare(scenario.name, played.log, rows, syn_resends)
    sums.packets = len(played.log)
    sums.kernel = judge.balance(played.log, played, rows, syn_resends)
    sums.logged = sum(packet.old for packet in played.log)
    return sums


def play_all(choice, directory):
    """Yields each scenario's name and its sums, or why there are none."""
    found = listed(*choice)
    with concurrent.futures.ProcessPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(one, choice, directory, number) for number in range(len(found))]
        for scenario, future in zip(found, futures):
            try:
                yield scenario.name, future.result(), None
            except (OSError, subprocess.SubprocessError, sqlite3.Error) as problem:
                yield scenario.name, None, problem


def table(counter, title):
    """Rows are the truth."""
    rows = sorted({truth for truth, _ in counter})
    columns = sorted({answer for _, answer in counter})
    width = max(map(len, rows + [title])) + 1
    lines = [title.ljust(width) + "".join(name.rjust(max(len(name), 5) + 2) for name in columns)]
    for row in rows:
        lines.append(row.ljust(width) + "".join(
            str(counter[row, name] or ".").rjust(max(len(name), 5) + 2) for name in columns))
    return lines


def share(right, whole):
    return "%d of %d, %.1f %%" % (right, whole, 100 * right / whole if whole else 100)


def check(right, whole, least, text):
    held = whole > 0 and right >= least * whole
    print("%s %s (%s; asked: %g %%)" % ("ok" if held else "not ok", text, share(right, whole), 100 * least), flush=True)


def right_of(counter, truths, answers=()):
    """Of those whose truth is one of `truths`, or that were said to be one of `answers`."""
    chosen = {key: count for key, count in counter.items() if key[0] in truths or key[1] in answers}
    return sum(count for (truth, said), count in chosen.items() if truth == said), sum(chosen.values())


def show_kernel(kernel):
    print("# %-12s %8s %8s %20s" % ("sums", "kernel", "fyke", "no trace at the tap"))
    for word, numbers in kernel.items():
        print("# %-12s %8d %8d %20d" % (word, *numbers))


def show(whole, kernel):
    for wrong in whole.wrong[:40]:
        print("# wrong:", *wrong)
    for line in (table(whole.confusion, "truth / fyke") + table(whole.sides, "lost, truth / fyke") +
                 table(whole.hidden, "no trace at the tap / fyke")):
        print("#", line)
    show_kernel(kernel)


def demand(whole, kernel, logged):
    """What must hold over all scenarios together."""
    resends = judge.RESENDS + ("syn",)
    check(*right_of(whole.confusion, resends, resends + ("unknown",)), 0.95, "resends have the right cause")
    check(*right_of(whole.sides, ("before", "beyond")), 0.99, "losses lie on the right side of the tap")
    traceless = sum(whole.hidden.values()) - whole.hidden[judge.KERNEL[None], "nothing"]
    right, count = right_of(whole.confusion, resends, resends + ("unknown",))
    print("# with those that left no trace: causes %s; " % share(right, count + traceless) + "sides %s" % share(
        *right_of(whole.sides, ("before", "beyond", judge.AGAIN))))
    provoked = {truth for truth, _ in whole.confusion}
    check(len(provoked & set(resends)), len(resends), 1, "every cause was provoked")
    counted = kernel["all resends"][0]
    check(counted - abs(counted - logged), counted, 0.99, "the log holds the resends that the kernels counted")
    for word, (count, said, traceless) in kernel.items():
        check(count - abs(count - traceless - said), count, 0.95 if count >= 40 else 0.6,
              "sum of the kernels' counters: " + word)


def run_all(choice, directory):
    whole, kernel, logged = judge.Sums(), {}, 0
    for name, sums, problem in play_all(choice, directory):
        if sums is None:
            print("not ok %s: %s" % (name, problem))
            continue
        whole.add(sums)
        logged += sums.logged
        for word, numbers in sums.kernel.items():
            kernel[word] = [a + b for a, b in zip(kernel.get(word, [0, 0, 0]), numbers)]
        right = sum(count for (truth, said), count in sums.confusion.items() if truth == said)
        print("# %-46s %5d packets, right: %s" % (name[:46], sums.packets, share(right, sum(sums.confusion.values()))),
              flush=True)
    show(whole, kernel)
    demand(whole, kernel, logged)


def why_not():
    """Why this machine cannot do it, or None."""
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun"
    if not shutil.which("ip"):
        return "iproute2 is not installed"
    child_works = subprocess.run([sys.executable, "-c", PROBE, HERE], capture_output=True, text=True, check=False)
    return child_works.stderr.strip().splitlines()[-1] if child_works.returncode else None


PROBE = "import sys; sys.path.insert(0, sys.argv[1]); from place import Place; Place('198.51.100.10', {})"


def main(mixed, only=""):
    """`mixed` scenarios by seed after those of one cause; of all, those whose name contains `only`."""
    reason = why_not()
    if reason:
        print("skip the truth about resends: " + reason)
        return
    print("# kernel %s, congestion control: %s" % (os.uname().release, open(
        "/proc/sys/net/ipv4/tcp_available_congestion_control", encoding="ascii").read().strip()))
    directory = os.environ.get("TRUTH_KEEP") or tempfile.mkdtemp(prefix="fyke-truth.", dir="/tmp")
    os.makedirs(directory, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        run_all((mixed, only), directory)
    finally:
        if "TRUTH_KEEP" not in os.environ:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12, sys.argv[2] if len(sys.argv) > 2 else "")
