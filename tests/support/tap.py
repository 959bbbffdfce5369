"""The lines that the test runner counts: `ok name`, `not ok name`, `skip name: why`."""

import sys


class Report:
    def __init__(self):
        self.failed = 0

    def ok(self, name):
        print(f"ok {name}", flush=True)

    def not_ok(self, name, *details):
        self.failed += 1
        for detail in details:
            print(f"# {detail}")
        print(f"not ok {name}", flush=True)

    def check(self, condition, name, *details):
        if condition:
            self.ok(name)
        else:
            self.not_ok(name, *details)
        return condition

    def skip(self, name, why):
        print(f"skip {name}: {why}", flush=True)

    def note(self, text):
        for line in text.splitlines():
            print(f"# {line}", flush=True)

    def end(self):
        sys.exit(1 if self.failed else 0)
