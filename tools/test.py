#!/usr/bin/env python3
"""Builds and runs every check of the project; the last line is `N passed, N failed`.

Unit tests run with ASan and UBSan (preset dev), functional tests run the release executables.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build" / "reports"


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, name, passed, failed, skipped, seconds):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        skips = f", {skipped} skipped" if skipped else ""
        print(f"== {name}: {passed} passed, {failed} failed{skips} ({seconds:.0f} s)", flush=True)

    def line(self):
        skips = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skips}"


def run(command, **options):
    print("$", " ".join(map(str, command)), flush=True)
    return subprocess.run(command, cwd=ROOT, check=False, **options).returncode


def add_junit(totals, name, path, rc, seconds):
    """Counts a JUnit report; a runner that failed without a failed test counts as one failure."""
    passed = failed = skipped = 0
    if path.exists():
        for suite in xml.parse(path).getroot().iter("testsuite"):
            count = lambda key: int(suite.get(key) or 0)
            bad = count("failures") + count("errors")
            skip = count("skipped")
            # Disabled ones are no tests but programs that tests start.
            passed += count("tests") - bad - skip - count("disabled")
            failed += bad
            skipped += skip
    if rc != 0 and failed == 0:
        failed = 1
    totals.add(name, passed, failed, skipped, seconds)


def add_command(totals, name, command, **options):
    start = time.monotonic()
    rc = run(command, **options)
    totals.add(name, int(rc == 0), int(rc != 0), 0, time.monotonic() - start)
    return rc == 0


def build(totals, preset, jobs, targets=()):
    command = ["cmake", "--build", "--preset", preset, "-j", jobs]
    if targets:
        command += ["--target", *targets]
    start = time.monotonic()
    rc = run(["cmake", "--preset", preset], stdout=subprocess.DEVNULL) or run(command)
    print(f"== build {preset}: {'ok' if rc == 0 else 'FAILED'} ({time.monotonic() - start:.0f} s)")
    if rc != 0:
        totals.failed += 1
    return rc == 0


def unit_tests(totals, jobs):
    report = REPORTS / "unit.xml"
    start = time.monotonic()
    rc = run(
        [
            "ctest",
            "--test-dir",
            "build/dev",
            "-j",
            jobs,
            "--output-on-failure",
            "--timeout",
            "120",
            "--output-junit",
            report,
            "-Q",
        ]
    )
    if rc != 0:
        run(["ctest", "--test-dir", "build/dev", "--rerun-failed", "--output-on-failure"])
    add_junit(totals, "unit tests", report, rc, time.monotonic() - start)


def functional_tests(totals, extra):
    report = REPORTS / "functional.xml"
    start = time.monotonic()
    rc = run(
        [
            ROOT / ".venv/bin/python",
            "-m",
            "pytest",
            "-q",
            "--junitxml",
            report,
            "tests/functional",
            *extra,
        ]
    )
    add_junit(totals, "functional tests", report, rc, time.monotonic() - start)


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--jobs", default=str(os.cpu_count()))
    cli.add_argument("--no-build", action="store_true", help="use the build trees as they are")
    cli.add_argument("pytest", nargs="*", help="further arguments for pytest")
    arg = cli.parse_args()
    REPORTS.mkdir(parents=True, exist_ok=True)
    for old in REPORTS.glob("*.xml"):
        old.unlink()
    totals = Totals()

    add_command(totals, "layers", [sys.executable, "tools/check_layers.py"])
    add_command(totals, "style", [sys.executable, "tools/check_style.py"])
    if arg.no_build or build(totals, "dev", arg.jobs):
        unit_tests(totals, arg.jobs)
    if arg.no_build or build(totals, "release", arg.jobs, ("offpeak", "offpeak-sim")):
        functional_tests(totals, arg.pytest)

    print(totals.line())
    sys.exit(1 if totals.failed else 0)


if __name__ == "__main__":
    main()
