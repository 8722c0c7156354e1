"""Suites in other languages or environments, each of their tests one pytest id.

The names are read from the source, so that a test that did not run is seen as missing.
"""

import concurrent.futures
import json
import re
import subprocess
import xml.etree.ElementTree as xml

POOL = concurrent.futures.ThreadPoolExecutor()


class Suite:
    def __init__(self, label, path, pattern):
        self.label, self.path = label, path
        self.names = re.findall(pattern, path.read_text(), re.MULTILINE)
        self.outcome = None

    def cases(self):
        return [(self, name) for name in self.names]

    def begin(self, run):
        """run(path) gives {name: failure text or None} and the whole output; called once."""
        if self.outcome is None:
            self.outcome = POOL.submit(run, self.path)

    def result(self, name):
        found, log = self.outcome.result()
        assert name in found, f"{self.path.name}: '{name}' did not run\n{log[-4000:]}"
        extra = set(found) - set(self.names)
        assert not extra, f"tests not seen in the source: {extra}"
        assert found[name] is None, found[name]


def parameters(suites):
    cases = [case for suite in suites for case in suite.cases()]
    ids = [f"{s.label}-{s.path.name.split('.')[0]}-{name}" for s, name in cases]
    return {"argvalues": cases, "ids": ids}


def finish(command, environment, seconds):
    done = subprocess.run(
        [str(c) for c in command],
        capture_output=True,
        text=True,
        timeout=seconds,
        env=environment,
        check=False,
    )
    return done.stdout, done.stdout + done.stderr


def node(executable, reporter, environment):
    def run(path):
        command = [executable, "--test", "--test-reporter", reporter, path]
        out, log = finish(command, environment, 180)
        results = {}
        for line in out.splitlines():
            if line.startswith("{") and (test := json.loads(line))["name"] != str(path):
                results[test["name"]] = None if test["passed"] else test["message"]
        return results, log

    return run


def pytest_of(python, report, environment):
    def run(path):
        options = [
            "-q",
            "--tb=short",
            "-p",
            "no:cacheprovider",
            "--noconftest",
            "--junitxml",
            report,
        ]
        _, log = finish([python, "-m", "pytest", *options, path], environment, 180)
        results = {}
        for case in xml.parse(report).getroot().iter("testcase") if report.exists() else ():
            bad = case.find("failure") if case.find("failure") is not None else case.find("error")
            results[case.get("name")] = None if bad is None else bad.text
        return results, log

    return run
