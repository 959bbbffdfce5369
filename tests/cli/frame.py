"""Commands, help, options."""

import json
import pathlib
import re
import subprocess

from place import capture, case, expect, fyke, rows, store, trace
from support import pcapfile, program

COMMANDS = ("analyze", "monitor", "query", "tcp", "stream", "extract", "report", "interfaces", "protocols", "help", "version")


@case
def no_command_shows_the_overview():
    result = fyke().exits(0).silent()
    result.shows("fyke analyze capture.pcapng", "fyke help COMMAND")
    listed = set(re.findall(r"^  (\w+) {2,}\S", result.out, re.MULTILINE)) & set(COMMANDS)
    expect(listed == set(COMMANDS), f"listed are {sorted(listed)}")
    expect(fyke("help").exits(0).out == result.out and fyke("--help").exits(0).out == result.out, "help differs")


@case
def every_command_has_help():
    for command in COMMANDS:
        text = fyke("help", command).exits(0).silent().shows(f"Usage: fyke {command}").out
        expect(fyke(command, "--help").exits(0).out == text, f"{command} --help differs")
        for line in text.splitlines():
            expect(len(line) <= 120, f"{command}: a help line of {len(line)} columns: {line}")


@case
def unknown_command_gets_a_suggestion():
    fyke("analyse").exits(2).says('unknown command "analyse"', '"analyze"')
    fyke("xyzzy").exits(2).says("xyzzy", "fyke help")
    fyke("help", "qery").exits(2).says('"query"')


@case
def commands_that_do_not_exist_yet_are_unknown():
    for command in ("serve", "ship"):
        fyke(command).exits(2).says("unknown command")


@case
def unknown_options_get_a_suggestion():
    for command in COMMANDS:
        fyke(command, "--helb").exits(2).says("--helb", "--help")
    fyke("analyze", "--forse", "x").exits(2).says("--force")
    fyke("analyze", "-Z", "x").exits(2).says("-Z")


@case
def version_names_the_libraries():
    fyke("version").exits(0).silent().shows("fyke 0.", "SQLite 3.", "libpcap version", "jansson")
    expect(fyke("--version").out == fyke("version").out, "--version differs")


@case
def protocols_and_interfaces_list():
    fyke("protocols").exits(0).silent().shows("Ethernet", "vxlan", "IPv6", "tcp", "IANA")
    fyke("protocols", "ssh").exits(0).silent().shows("Secure Shell", "tcp 22", "Table ssh")
    fyke("protocols", "shs").exits(2).says("ssh")
    fyke("protocols", "--markdown", "ssh").exits(2).says("takes no names")
    fyke("interfaces").exits(0)


@case
def wrong_values_are_told():
    capture()
    for option, value in (("-c", "0"), ("-c", "x"), ("-s", "-1"), ("--memory", "lots"), ("--memory", "1k"),
                          ("--tcp-timeout", "0"), ("--udp-timeout", "soon"), ("--tcp-half-open-timeout", "1y")):
        fyke("analyze", "capture.pcap", option, value).exits(2).says(option, value)
    fyke("analyze").exits(2).says("name a capture file")
    fyke("analyze", "capture.pcap", "-f", "no such filter").exits(2).says("no such filter")


@case
def analyze_stores_and_sums_up():
    capture()
    result = fyke("analyze", "capture.pcap").exits(0)
    result.shows("capture.pcap", "tcp")
    expect("\x1b" not in result.out, "colours where there is no terminal")
    expect(store() == [("complete", 2)], store())
    expect(rows("SELECT server_port, state, client_packets + server_packets FROM sessions") == [(80, "SF", 9)] * 2,
           rows("SELECT server_port, state, client_packets + server_packets FROM sessions"))


@case
def quiet_says_nothing():
    capture()
    result = fyke("analyze", "--quiet", "capture.pcap").exits(0).silent()
    expect(result.out == "", result.out)
    expect(store() == [("complete", 2)], store())


@case
def files_by_option_and_by_name_are_one_time_line():
    frames = trace(2)
    for name, part in (("b.pcap", frames[9:]), ("a.pcap", frames[:9])):
        with open(name, "wb") as file:
            file.write(pcapfile.pcap(part))
    fyke("analyze", "-q", "-r", "b.pcap", "a.pcap").exits(0)
    expect(rows("SELECT name, first_frame, frames FROM files ORDER BY position") ==
           [("a.pcap", 1, 9), ("b.pcap", 10, 9)], rows("SELECT name, first_frame, frames FROM files ORDER BY position"))


@case
def standard_input():
    data = capture().read_bytes()
    fyke("analyze", "-q", "-", stdin=data).exits(0).silent()
    expect(store() == [("complete", 2)], store())
    fyke("analyze", "-q", "-", "-", stdin=data).exits(2).says("only once")


@case
def count_snaplen_and_filter_shape_the_result():
    capture()
    fyke("analyze", "-q", "-c", "3", "-s", "60", "-f", "tcp port 40000", "capture.pcap").exits(0)
    expect(rows("SELECT packets, options FROM captures") == [(3, "-f 'tcp port 40000' -c 3 -s 60")],
           rows("SELECT packets, options FROM captures"))


@case
def analyzed_again_replaces():
    capture()
    for _ in range(2):
        fyke("analyze", "-q", "capture.pcap").exits(0)
    expect(store() == [("complete", 2)], store())
    capture("second.pcap", connections=3)
    fyke("analyze", "-q", "second.pcap").exits(0)
    expect(store() == [("complete", 2), ("complete", 3)], store())


@case
def file_of_another_capture_is_refused():
    capture()
    capture("second.pcap", connections=3)
    fyke("analyze", "-q", "capture.pcap", "second.pcap").exits(0)
    fyke("analyze", "-q", "capture.pcap").exits(2).says("capture.pcap", "--again")
    fyke("analyze", "-q", "--again", "capture.pcap").exits(0)
    expect(len(store()) == 2, store())


@case
def json_report_is_written_beside_or_instead():
    capture()
    fyke("analyze", "-q", "capture.pcap", "--json", "report.json").exits(0).silent()
    with open("report.json", encoding="utf-8") as file:
        written = json.load(file)
    expect(written["summary"] is not None and len(written["captures"]) == 1, written)
    shown = json.loads(fyke("analyze", "capture.pcap", "--json", "-").exits(0).out)
    expect(shown.keys() == written.keys(), sorted(shown))


@case
def services_file_names_ports():
    capture()
    with open("services", "w", encoding="utf-8") as file:
        file.write("intranet 80/tcp # ours\n")
    fyke("analyze", "-q", "--services", "services", "capture.pcap").exits(0)
    expect(rows("SELECT DISTINCT port_service FROM sessions") == [("intranet",)], rows("SELECT port_service FROM sessions"))


@case
def stats_come_out_even():
    capture()
    result = fyke("analyze", "--stats", "-q", "capture.pcap").exits(0)
    result.says("18 read = 0 filtered out + 18 decoded + 0 refused", "TCP payload")
    expect("the sum is wrong" not in result.err, result.err)


@case
def without_database_nothing_is_stored():
    capture()
    result = fyke("analyze", "--no-database", "--stats", "capture.pcap").exits(0).says("18 read")
    expect(result.out == "", result.out)
    try:
        open("fyke.db", "rb").close()
        expect(False, "a database was made")
    except FileNotFoundError:
        pass


@case
def readme_shows_what_fyke_prints():
    root = pathlib.Path(__file__).resolve().parents[2]
    done = subprocess.run([str(root / "scripts" / "tour"), str(program.binary()), "--check"], capture_output=True,
                          text=True, check=False)
    expect(done.returncode == 0, f"run `make docs`: {done.stdout[:1200]}{done.stderr[-600:]}")
