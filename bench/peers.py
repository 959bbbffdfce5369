"""Programs of others that read a trace from end to end, if they are installed: nothing here is needed."""

import os
import shutil

os.environ["PATH"] += ":/usr/sbin:/sbin"

# program: (arguments, what it does with a trace, how many packets it is given at most)
PEERS = {
    "tcpdump": (["-r", "{trace}", "-w", "/dev/null"], "copies every packet", None),
    "tcptrace": (["-n", "{trace}"], "connections and their statistics; stores nothing, dissects nothing", None),
    "nfpcapd": (["-r", "{trace}", "-w", "{scratch}"], "flows into files", None),
    "argus": (["-r", "{trace}", "-w", "{scratch}/argus"], "flows into a file", None),
    "tcpflow": (["-q", "-r", "{trace}", "-o", "{scratch}/tcpflow"], "streams into files", 200_000),
    "ndpiReader": (["-q", "-i", "{trace}"], "flows and what they speak", None),
    "tshark": (["-q", "-n", "-r", "{trace}", "-z", "conv,tcp"], "dissects everything", 200_000),
    "zeek": (["-r", "{trace}"], "connections and protocols into logs", None),
    "suricata": (["-r", "{trace}", "-l", "{scratch}"], "flows, protocols and rules into logs", None),
    "yaf": (["--in", "{trace}", "--out", "{scratch}/yaf"], "flows into a file", None),
    "snort": (["-r", "{trace}", "-q"], "rules", None),
}


def installed():
    return [name for name in PEERS if shutil.which(name)]


def absent():
    return [name for name in PEERS if not shutil.which(name)]


def command(name, trace, scratch):
    arguments, _, _ = PEERS[name]
    return [name, *(argument.format(trace=trace, scratch=scratch) for argument in arguments)]
