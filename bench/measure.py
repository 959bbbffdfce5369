"""Runs programs in turns and keeps what each run took; targets, and what they come to."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

QUICK = os.environ.get("FYKE_BENCH_QUICK", "") not in ("", "0")
ROUNDS = int(os.environ.get("FYKE_BENCH_ROUNDS", "1" if QUICK else "5"))
SEED = os.environ.get("FYKE_BENCH_SEED", "1")


class Run:
    """One run: user + system seconds of all threads, wall seconds, peak memory, what it wrote on stdout."""

    def __init__(self, cpu, wall, rss, output=""):
        self.cpu, self.wall, self.rss, self.output = cpu, wall, rss, output


TAKEN = pathlib.Path("build/release/bench/taken").resolve()  # bench/taken.c; bench/run sets the build's


def run(arguments, allowed=(0,)):
    """A program that fails ends the bench."""
    arguments = [str(argument) for argument in arguments]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors, tempfile.NamedTemporaryFile() as taken:
        subprocess.run([TAKEN, taken.name, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=errors, check=True)
        cpu, wall, rss_kib, status = taken.read().split()
        if int(status) not in allowed:
            errors.seek(0)
            sys.exit(f"{' '.join(arguments)}: exit status {int(status)}\n{errors.read().decode(errors='replace')}")
        output.seek(0)
        return Run(float(cpu), float(wall), int(rss_kib) * 1024, output.read(1 << 16).decode(errors="replace"))


def remove(database):
    for suffix in ("", "-wal", "-shm"):
        pathlib.Path(f"{database}{suffix}").unlink(missing_ok=True)


class Contender:
    """`run` gives a Run; what it compares with stands in the same round."""

    def __init__(self, name, function):
        self.name, self.function = name, function


def in_turns(contenders, rounds=ROUNDS):
    """{name: [Run of each round]}: A B C A B C …, so that a busy moment hits all of them."""
    results = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            results[contender.name].append(contender.function())
    return results


def spread(values, form="{:.2f}"):
    middle, low, high = (form.format(value) for value in (statistics.median(values), min(values), max(values)))
    return middle if low == high else f"{middle} ({low}–{high})"


def ratios(results, name, other, attribute="cpu"):
    """One against the other, round by round."""
    return [getattr(a, attribute) / max(getattr(b, attribute), 1e-9) for a, b in zip(results[name], results[other])]


class Targets:
    """What was asked for and what came out; told at once, and all together at the end."""

    def __init__(self):
        self.lines, self.wrong = [], []

    def judge(self, text, values, limit, form="{:.2f}", most=True):
        """`values` of the rounds: the median decides."""
        median = statistics.median(values)
        holds = median <= limit if most else median >= limit
        verdict = "not judged" if QUICK else "pass" if holds else "MISS"
        self.add(text, f"{'≤' if most else '≥'} {form.format(limit)}", spread(values, form), verdict)

    def truth(self, text, wrong):
        """Totals: a line for each that differs; none is a pass, in the quick mode too."""
        self.wrong += wrong
        self.add(text, "equal", "equal" if not wrong else f"{len(wrong)} differ", "MISS" if wrong else "pass")

    def absent(self, text, why):
        self.add(text, "", why, "not measured")

    def add(self, text, limit, value, verdict):
        self.lines.append((verdict, text, limit, value))
        print(f"{verdict}: {text}: {value}{', asked for ' + limit if limit else ''}", flush=True)

    def table(self):
        print("\n## Targets\n\n| | target | asked for | measured (spread) |\n|---|---|---|---|")
        for verdict, text, limit, value in self.lines:
            print(f"| {verdict} | {text} | {limit} | {value} |")
        for line in self.wrong:
            print(line, file=sys.stderr)


def table(results, packets, sessions, base):
    """Of every contender: CPU, against `base`, wall, memory, for each packet and session."""
    print("\n| | CPU s (spread) | of the header loop | wall s | peak MiB | CPU ns a packet | CPU µs a session |")
    print("|---|---|---|---|---|---|---|")
    for name, runs in results.items():
        cpu, wall, rss = ([getattr(r, a) for r in runs] for a in ("cpu", "wall", "rss"))
        print(f"| {name} | {spread(cpu)} | {spread(ratios(results, name, base), '{:.1f}')} | {spread(wall)} | "
              f"{statistics.median(rss) / 2**20:.0f} | {statistics.median(cpu) / packets * 1e9:.0f} | "
              f"{statistics.median(cpu) / sessions * 1e6:.1f} |")
    print(flush=True)
