#!/usr/bin/env python3
"""Checks that includes point downward: src/ against cmake/layers.txt.

Prints file:line for each violation; the last line is `N passed, N failed`, counting files.
"""

import argparse
import graphlib
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^">]+)[">]')
MODULE_CALL = re.compile(r"offpeak_module\(\s*(\S+)([^)]*)\)")
KEYWORDS = {"SOURCES", "DEPS", "LIBS", "TESTS", "TEST_DEPS"}
# By convention: a header of tests only, as they are shared between test files of one module.
TEST_FILE = re.compile(r"(_test\.(cc|h)|_contract\.h|_fixture\.(cc|h))$")


class Layers:
    """The table: what a module may include, and which library headers are kept to which modules."""

    def __init__(self, text):
        self.allowed = {}
        self.headers = {}
        self.problems = []
        section, entry = self.allowed, None
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.split("#")[0].rstrip()
            if line == "[headers]":
                section, entry = self.headers, None
            elif not line:
                continue
            elif line[0].isspace() and entry is not None:
                entry += line.split()
            elif ":" in line:
                name, names = line.split(":", 1)
                name = name.split()[0]
                if name in section:
                    self.problems.append(f"layers.txt:{number}: {name} is listed twice")
                entry = section[name] = names.split()
            else:
                self.problems.append(f"layers.txt:{number}: expected `module: modules`")
        self._expand()

    def _expand(self):
        for module, names in self.allowed.items():
            found = []
            for name in names:
                folder = name[:-1] if name.endswith("/*") else None
                if folder:
                    found += [other for other in self.allowed if other.startswith(folder)]
                else:
                    found.append(name)
                    if name not in self.allowed:
                        self.problems.append(f"layers.txt: {module} names unlisted module {name}")
            self.allowed[module] = set(found) - {module}
        try:
            list(graphlib.TopologicalSorter(self.allowed).static_order())
        except graphlib.CycleError as error:
            self.problems.append(f"layers.txt: cycle {' > '.join(error.args[1])}")

    def module_of(self, path):
        """The deepest listed module that holds `path` (relative to src/), or None."""
        parts = pathlib.PurePosixPath(path).parts[:-1]
        for length in range(len(parts), 0, -1):
            name = "/".join(parts[:length])
            if name in self.allowed:
                return name
        return None

    def refuses_module(self, module, path, included):
        target = self.module_of(included)
        if target is None:
            return f'"{included}" is in no module of layers.txt'
        if target == module or target in self.allowed[module]:
            return None
        if target == "testing" and TEST_FILE.search(path):
            return None
        return f"{module} may not include {target} ({included})"

    def refuses_header(self, module, path, included):
        for prefix, holders in self.headers.items():
            if included != prefix and not re.match(re.escape(prefix) + r"[/.-]", included):
                continue
            if module not in holders and not ("*_test.cc" in holders and TEST_FILE.search(path)):
                return f"<{included}> is only for {' '.join(holders)}"
        return None


def check_file(layers, source, path):
    """Violations in one file of src/ as `line: text`."""
    module = layers.module_of(path)
    if module is None:
        return [f"1: {path} is in no module of layers.txt"]
    found = []
    for number, line in enumerate(source.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, included = match.group(1) == '"', match.group(2)
        refuses = layers.refuses_module if quoted else layers.refuses_header
        problem = refuses(module, path, included)
        if problem:
            found.append(f"{number}: {problem}")
    return found


def check_cmake(layers, text):
    found = []
    for call in MODULE_CALL.finditer(text):
        module, keyword = call.group(1), None
        number = text.count("\n", 0, call.start()) + 1
        if module not in layers.allowed:
            found.append(f"{number}: {module} is not listed in layers.txt")
            continue
        for word in call.group(2).split():
            if word in KEYWORDS:
                keyword = word
            elif keyword == "DEPS" and word != module and word not in layers.allowed[module]:
                found.append(f"{number}: {module} may not depend on {word}")
    return found


def check_tree(source_root, layers):
    """(files read, files with violations, lines to print)."""
    passed = failed = 0
    lines = []
    for path in sorted(source_root.rglob("*")):
        name = path.relative_to(source_root).as_posix()
        if path.suffix in (".h", ".cc"):
            problems = check_file(layers, path.read_text(), name)
        elif path.name == "CMakeLists.txt":
            problems = check_cmake(layers, path.read_text())
        else:
            continue
        lines += [f"src/{name}:{problem}" for problem in problems]
        passed, failed = passed + (not problems), failed + bool(problems)
    return passed, failed, lines


SELF_TEST = {
    "core/a/good.cc": ('#include "base/x.h"\n#include <vector>\n', 0),
    "core/a/upward.cc": ('#include "base/x.h"\n\n#include "platform/b/y.h"\n', 1),
    "core/a/unknown.h": ('#include "nowhere/y.h"\n', 1),
    "core/a/library.h": ("#include <sqlite3.h>\n#include <boost/asio/post.hpp>\n", 2),
    "core/a/similar.h": ("#include <sqlite3ext.h>\n#include <boost/asiolike.hpp>\n", 0),
    "core/a/a_test.cc": ("#include <gtest/gtest.h>\n", 0),
    "core/a/a.cc": ("#include <gtest/gtest.h>\n", 1),
    "platform/b/y.h": ('#include "core/a/good.h"\n#include <sqlite3.h>\n', 0),
    "stray/z.h": ("", 1),
    "core/a/CMakeLists.txt": ("offpeak_module(core/a\n SOURCES a.cc DEPS base platform/b)\n", 1),
    "platform/b/CMakeLists.txt": ("offpeak_module(platform/b DEPS base core/a LIBS x)\n", 0),
}


def self_test():
    layers = Layers(
        "base:\ncore/a: base\nplatform/b: base\n  core/*\n[headers]\n"
        "sqlite3.h only: platform/b\nboost/asio only: platform/b\n"
        "gtest only: *_test.cc\n"
    )
    failures = list(layers.problems)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, (text, _) in SELF_TEST.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        lines = check_tree(root, layers)[2]
    for name, (_, expected) in SELF_TEST.items():
        found = sum(line.startswith(f"src/{name}:") for line in lines)
        if found != expected:
            failures.append(f"{name}: {found} violations, expected {expected}")
    if not any("src/core/a/upward.cc:3:" in line for line in lines):
        failures.append("the upward include has no line number")
    for name, text in {"cycle": "a: b\nb: c\nc: a\n", "unlisted": "a: b\n"}.items():
        if not Layers(text).problems:
            failures.append(f"a table with a fault ({name}) was accepted")
    print(*failures, sep="\n")
    total = len(SELF_TEST) + 3
    print(f"{total - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--self-test", action="store_true")
    if cli.parse_args().self_test:
        return self_test()
    layers = Layers((ROOT / "cmake" / "layers.txt").read_text())
    passed, failed, lines = check_tree(ROOT / "src", layers)
    if layers.problems:
        failed += 1
    else:
        passed += 1
    for line in layers.problems + lines:
        print(line)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
