"""The lints that need no other program: levels of includes, banned functions, lengths.

Each takes (path, text) and yields (line number, what is wrong)."""

import re

# What a folder, or files that begin so, may include beside itself; the longest prefix that fits counts.
# An include never points up. session/ holds the record that everybody may see, and what makes it out of flows.
BASE = "analyzer/base/"
RECORD = ["analyzer/session/session.h", "analyzer/session/state.h", "analyzer/session/sink.h",
          "analyzer/session/capture.h", "analyzer/session/transport.h"]
ENGINE = [BASE, "analyzer/engine", "analyzer/seconds.h", "analyzer/resolved.h", "analyzer/classify/services.h", "analyzer/decode/",
          "analyzer/flow/", "analyzer/tcp/", "analyzer/dissect/", "analyzer/session/", "dissectors/"]
LEVELS = {
    "analyzer/base/": [],
    "analyzer/capture/": [BASE],
    "analyzer/classify/": [BASE],
    "analyzer/decode/": [BASE, "analyzer/capture/frame.h"],
    "analyzer/defrag/": [BASE, "analyzer/decode/"],
    "analyzer/flow/": [BASE, "analyzer/decode/"],
    "analyzer/tcp/": [BASE, "analyzer/decode/", "analyzer/flow/"],
    # what dissectors of all protocols say are facts of the session level
    "analyzer/dissect/": [BASE, "dissectors/", "analyzer/session/session.h"],
    "analyzer/session/": [BASE],
    "analyzer/session/community_id": [BASE, "analyzer/session/", "analyzer/decode/icmp_pairs.h"],
    "analyzer/session/build": [BASE, "analyzer/session/", "analyzer/decode/", "analyzer/flow/", "analyzer/tcp/"],
    "analyzer/session/conn_state": [BASE, "analyzer/session/", "analyzer/decode/", "analyzer/flow/", "analyzer/tcp/"],
    "analyzer/engine": ENGINE,
    "analyzer/seconds": [BASE, *RECORD],
    "analyzer/habits": [BASE, "analyzer/decode/"],
    "analyzer/neighbours": [BASE, *RECORD, "analyzer/decode/"],
    "analyzer/front": [BASE, *RECORD, "analyzer/habits.h", "analyzer/neighbours.h", "analyzer/decode/", "analyzer/defrag/"],
    "analyzer/share": [BASE, "analyzer/decode/"],
    "analyzer/resolved": [BASE, *RECORD],
    "analyzer/join": [BASE, *RECORD, "analyzer/seconds.h"],
    "analyzer/crew": [BASE, *RECORD, "analyzer/engine.h", "analyzer/front.h", "analyzer/share.h", "analyzer/join.h"],
    "analyzer/pipeline": [BASE, "analyzer/"],
    "dissectors/": [BASE],
    "storage/": [BASE, *RECORD, "analyzer/session/community_id.h"],
    "findings/": [BASE, "storage/", "analyzer/session/session.h", "analyzer/session/transport.h"],
    # the two headers: for the words that states and refusals have
    "reports/": [BASE, "storage/", "findings/", "analyzer/session/state.h", "analyzer/decode/decode.h"],
    "cli/": ["analyzer/", "storage/", "findings/", "reports/", "dissectors/"],
}

# Libraries that only some folders may see.
LIBRARIES = {
    re.compile(r"^pcap(/|\.h)"): ("analyzer/capture/", "tests/", "bench/"),
    re.compile(r"^sqlite3"): ("storage/", "findings/", "reports/", "cli/", "tests/", "bench/"),
    re.compile(r"^jansson"): ("storage/", "reports/", "cli/", "tests/"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')

# function: why not. A call is a word, then an opening parenthesis.
BANNED = {
    "strcpy": "no bound: snprintf or memcpy", "strcat": "no bound: snprintf", "strncat": "bound easily wrong: snprintf",
    "stpcpy": "no bound", "sprintf": "no bound: snprintf", "vsprintf": "no bound: vsnprintf", "gets": "no bound: fgets",
    "atoi": "hides faults: fyke_parse_count or strtol", "atol": "hides faults", "atoll": "hides faults",
    "strtok": "static state: strtok_r", "localtime": "static state: localtime_r", "gmtime": "static state: gmtime_r",
    "asctime": "static state", "ctime": "static state", "rand": "unseeded or global: a generator of one's own",
    "srand": "global state", "system": "starts a shell", "popen": "starts a shell", "tmpnam": "race: mkstemp",
    "mktemp": "race: mkstemp", "alloca": "unbounded stack", "setjmp": "no long jumps", "longjmp": "no long jumps",
}
BANNED_IN_ANALYZER = {
    "time": "time comes from packets", "gettimeofday": "time comes from packets",
    "clock_gettime": "time comes from packets", "printf": "the analyzer has no terminal",
    "exit": "a library never ends the program", "abort": "a library never ends the program",
}
BANNED_IN_DISSECTORS = {
    "malloc": "state comes from the flow's arena", "calloc": "state comes from the flow's arena",
    "realloc": "state comes from the flow's arena", "free": "state comes from the flow's arena",
    "strdup": "state comes from the flow's arena", "strlen": "bytes on the wire end nowhere",
}

# (file, function): why it may all the same.
EXCEPTIONS = {
    ("analyzer/base/seed.c", "clock_gettime"): "a seed where the kernel has no random bytes yet",
    ("analyzer/pipeline.c", "clock_gettime"): "a live interface without packets has no other clock",
}
FOR_TESTS = ("popen", "system", "rand", "srand", "setjmp")

FUNCTION_LINES = 80
FILE_LINES = {".c": 800, ".h": 200}
GENERATED = ("analyzer/classify/registry.c",)


def without_comments(text):
    """The text with comments and literals blanked; lines stay where they are."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def level_of(path):
    fits = [prefix for prefix in LEVELS if path.startswith(prefix)]
    if not fits and path.startswith("analyzer/"):
        return "analyzer/ without a level in tests/lint/checks.py"
    return max(fits, key=len) if fits else None


def levels(path, text):
    level = level_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match is None:
            continue
        kind, name = match.groups()
        for library, folders in LIBRARIES.items():
            if library.match(name) and not path.startswith(folders):
                yield number, f"<{name}> is for {', '.join(folders)} only"
        if kind == '"' and level is not None:
            if "/" not in name:
                yield number, f'"{name}": include paths start at the root of the checkout'
            elif not name.startswith((level, *LEVELS.get(level, ()))):
                yield number, f'"{name}" is above {level} or not for it'


def banned(path, text):
    table = dict(BANNED)
    if path.startswith("dissectors/"):
        table.update(BANNED_IN_ANALYZER)
        table.update(BANNED_IN_DISSECTORS)
    elif path.startswith("analyzer/"):
        table.update(BANNED_IN_ANALYZER)
        if path.startswith("analyzer/capture/"): # a live capture has a clock on the wall
            for name in ("time", "gettimeofday", "clock_gettime"):
                del table[name]
    for name in FOR_TESTS if path.startswith("tests/") else ():
        del table[name]
    words = re.compile(r"(?<![\w.>])(" + "|".join(table) + r")\s*\(")
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        for match in words.finditer(line):
            if (path, match.group(1)) in EXCEPTIONS:
                continue
            yield number, f"{match.group(1)}(): {table[match.group(1)]}"


def functions(text):
    """(line, lines) of each function body in our format: braces of their own at the margin."""
    begin = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            begin = number
        elif line == "}" and begin is not None:
            yield begin, number - begin - 1
            begin = None


def lengths(path, text):
    if path in GENERATED:
        return
    lines = text.splitlines()
    limit = None if path.startswith("tests/") else FILE_LINES.get(path[-2:])
    if limit is not None and len(lines) > limit:
        yield limit, f"the file has {len(lines)} lines, {limit} is the most"
    for number, count in functions(text):
        before = "\n".join(lines[max(0, number - 8):number])
        if count > FUNCTION_LINES and "long because" not in before:
            yield number, f"the function has {count} lines, {FUNCTION_LINES} is the most (or say: long because …)"


def header_guard(path, text):
    if not path.endswith(".h"):
        return
    guard = re.search(r"^#ifndef (FYKE_\w+_H)\n#define \1$", text, re.MULTILINE)
    if guard is None:
        yield 1, "no include guard FYKE_…_H"


def opening(path, text):
    if not text.startswith("/*"):
        yield 1, "a file opens with a few words on what it does"
    if re.search(r"SPDX|@author|Copyright", text):
        yield 1, "licence and authors stand elsewhere"


CHECKS = {"levels": levels, "banned functions": banned, "lengths": lengths, "include guards": header_guard,
          "opening comment": opening}
