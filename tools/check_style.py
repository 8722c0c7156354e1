#!/usr/bin/env python3
"""Size budgets and small habits, as a test over the files that git tracks (or would).

Warnings are advice; only errors fail. The last line is `N passed, N failed`, counting files.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

LINE_MAX = 100
# Expected texts in tests stand on one line, so that they can be searched for.
TEST_LITERAL_MAX = 160
FOLDER_FILES = 15
# (warn above, fail above), in lines
BUDGETS = {".h": (150, 300), ".cc": (300, 500), "function": (40, 70)}

CODE = {".h", ".cc"}
STYLED = CODE | {".py", ".cmake"}
TEXT = STYLED | {
    ".md",
    ".txt",
    ".json",
    ".yaml",
    ".yml",
    ".sh",
    ".js",
    ".mjs",
    ".ts",
    ".tsx",
    ".css",
    ".html",
    ".toml",
    ".ini",
    ".lua",
    ".sql",
    "",
}

# Calls kept to a few places: (pattern, what it is, folders and files that may).
CALLS = [
    (
        r"\b(steady|system|high_resolution)_clock::now\b",
        "reads the clock past base/clock.h",
        ("src/base/clock.cc", "src/sim/", "src/testing/", "bench/"),
    ),
    (
        r"\bthis_thread::sleep_(for|until)\b|\b(u|nano)?sleep\s*\(",
        "blocks its thread",
        (
            "src/platform/process/",
            "src/pipeline/engine/",
            "src/app/cli/",
            "src/sim/",
            "src/testing/",
            "bench/",
        ),
    ),
    (
        r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|rand|srand|tmpnam|mktemp)\s*\(",
        "is a call with a better one",
        (),
    ),
]
# In pieces, as this file is checked too.
HOSTS = [
    ".".join(host)
    for host in [
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs"),
        ("npmjs", "com"),
        ("npmjs", "org"),
        ("crates", "io"),
        ("deb", "debian", "org"),
        ("proxy", "golang", "org"),
    ]
]
EVERYWHERE = [
    (re.compile("|".join(map(re.escape, HOSTS))), "names a package registry's host"),
    (re.compile(r"(?<![\w.$}~*/-])/" + r"work/"), "has a path of a development machine"),
    (
        re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b(?!\(\w+\))"),
        "has a to-do without a type",
    ),
]
# Lock files name registries by design.
EXEMPT = re.compile(r"(^|/)package-lock\.json$")


def strip_code(text):
    """`text` with comments, strings and character literals blanked, newlines kept."""
    pattern = re.compile(
        r'R"(?P<tag>[^()\s]*)\(.*?\)(?P=tag)"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'",
        re.S,
    )
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def functions(code):
    """(first line, lines) of each function body, by braces: one that follows `)` and qualifiers."""
    opener = re.compile(
        r"\)\s*(?:const|noexcept|override|final|mutable|requires\b[^{};]*|->\s*[^{};]*"
        r"|:\s*\w+[^;]*?[)}]|\s)*$"
    )
    stack = []
    for match in re.finditer(r"[{}]", code):
        at = match.start()
        if match.group() == "{":
            head = code[max(0, at - 400) : at]
            head = head[max(head.rfind(";"), head.rfind("}\n") + 1, 0) :]
            control = re.search(r"\b(if|for|while|switch|catch)\b[^;]*$", head.split("\n\n")[-1])
            stack.append((at, bool(opener.search(head)) and not control))
        elif stack:
            start, is_function = stack.pop()
            # A lambda counts as part of the function around it.
            if is_function and not any(outer for _, outer in stack):
                line = code.count("\n", 0, start) + 1
                yield line, code.count("\n", start, at) + 1


class Report:
    def __init__(self):
        self.errors = collections.defaultdict(list)
        self.warnings = []

    def error(self, name, line, text):
        self.errors[name].append(f"{name}:{line}: {text}")

    def warn(self, name, line, text):
        self.warnings.append(f"{name}:{line}: {text}")

    def budget(self, kind, name, line, size, what):
        soft, hard = BUDGETS[kind]
        if size > hard:
            self.error(name, line, f"{what} has {size} lines, limit {hard}")
        elif size > soft:
            self.warn(name, line, f"{what} has {size} lines, aim {soft}")


def check_text(report, name, lines):
    for number, line in enumerate(lines, 1):
        for pattern, what in EVERYWHERE:
            if pattern.search(line):
                report.error(name, number, what)


def is_test(name):
    return name.startswith("tests/") or name.endswith("_test.cc")


def check_lines(report, name, lines):
    for number, line in enumerate(lines, 1):
        literal = is_test(name) and line.lstrip(" R(fb").startswith(('"', "'"))
        limit = TEST_LITERAL_MAX if literal else LINE_MAX
        if len(line) > limit:
            report.error(name, number, f"line of {len(line)} characters, limit {limit}")
        if "\t" in line:
            report.error(name, number, "tab")
        if line != line.rstrip():
            report.error(name, number, "blanks at the end of the line")


def check_header(report, name, lines, code):
    if not lines or not lines[0].startswith(("//", "/*")):
        report.error(name, 1, "a header begins with a comment that says what it is for")
    if "#pragma once" not in lines:
        report.error(name, 1, "header without #pragma once")
    for number, line in enumerate(code.splitlines(), 1):
        if re.match(r"\s*using\s+namespace\b", line):
            report.error(name, number, "using namespace in a header")


def check_code(report, name, suffix, lines):
    text = "\n".join(lines)
    code = strip_code(text)
    report.budget(suffix, name, 1, len(lines), "file")
    for line, size in functions(code):
        report.budget("function", name, line, size, "function")
    if suffix == ".h":
        check_header(report, name, lines, code)
    for number, line in enumerate(code.splitlines(), 1):
        if re.match(r"\s*#\s*if\s+0\b", line):
            report.error(name, number, "#if 0: delete it, git remembers")
        if re.match(r"\s*(mutable\s+)?std::shared_ptr<.*\b\w+_(\s*=[^;]*|\{\})?;", line):
            above = lines[number - 2].strip() if number > 1 else ""
            if "//" not in lines[number - 1] and not above.startswith("//"):
                report.warn(name, number, "shared_ptr member without its reason in a comment")
        for pattern, what, places in CALLS:
            found = re.search(pattern, line)
            if found and not name.startswith(places):
                report.error(name, number, f"{found.group().rstrip(' (')} {what}")


def check_file(report, name, text):
    suffix = pathlib.PurePosixPath(name).suffix
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    check_text(report, name, lines)
    if suffix in STYLED or name.endswith("CMakeLists.txt"):
        check_lines(report, name, lines)
    if suffix in CODE:
        check_code(report, name, suffix, lines)


def check_folders(report, names):
    sizes = collections.Counter(
        str(pathlib.PurePosixPath(name).parent)
        for name in names
        if name.startswith("src/")
        and name.endswith((".h", ".cc"))
        and not re.search(r"_(test|contract|fixture)\.", name)
    )
    for folder, size in sorted(sizes.items()):
        if size > FOLDER_FILES:
            report.warn(folder, 0, f"{size} files, aim {FOLDER_FILES}")


def project_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return sorted(
        {
            name
            for name in listed.split("\0")
            if name
            and not EXEMPT.search(name)
            and pathlib.PurePosixPath(name).suffix in TEXT
            and not name.startswith("fuzz/corpus/")
            and (ROOT / name).is_file()
        }
    )


LONG_FUNCTION = "void f(int a) const {\n" + "  g();\n" * 80 + "}\n"
# name, text, errors expected
SELF_TEST = [
    ("src/a/ok.h", "// Why.\n#pragma once\nint f();  // sleep(1)\n", 0),
    ("src/a/bare.h", "int f();\n", 2),
    ("src/a/long.h", "// Why.\n#pragma once\n" + "int x;\n" * 300, 1),
    ("src/a/using.h", "// Why.\n#pragma once\nusing namespace std;\n", 1),
    ("src/a/function.cc", LONG_FUNCTION, 1),
    ("src/a/class.cc", "class A {\n" + "  int x;\n" * 80 + "};\n", 0),
    ("src/a/wide.cc", "// " + "x" * 98 + "\n", 1),
    ("src/a/blank.cc", "int x; \n\tint y;\n", 2),
    ("src/a/dead.cc", "#if 0\n#endif\n", 1),
    ("src/a/calls.cc", "auto t = std::chrono::steady_clock::now();\nusleep(1);\n", 2),
    ("src/sim/calls.cc", "auto t = std::chrono::steady_clock::now();\nusleep(1);\n", 0),
    ("src/a/quoted.cc", 'auto t = "sprintf(rand())";  // sprintf(x)\n', 0),
    ("src/a/todo.cc", "// TO" "DO: later\n// TODO(perf): measure\n", 1),
    ("docs/hosts.md", f"get it from {HOSTS[0]}\n", 1),
    ("docs/path.md", "see `/wo" "rk/main` but not https://host/wo" "rk/main\n", 1),
]


def self_test():
    failures = 0
    for name, text, expected in SELF_TEST:
        report = Report()
        check_file(report, name, text)
        if len(report.errors[name]) != expected:
            failures += 1
            print(f"{name}: expected {expected} errors, found {report.errors[name]}")
    print(f"{len(SELF_TEST) - failures} passed, {failures} failed")
    return 1 if failures else 0


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--self-test", action="store_true")
    cli.add_argument("--quiet", action="store_true", help="leave the warnings out")
    arg = cli.parse_args()
    if arg.self_test:
        return self_test()
    report = Report()
    names = project_files()
    for name in names:
        try:
            check_file(report, name, (ROOT / name).read_text())
        except UnicodeDecodeError:
            if pathlib.PurePosixPath(name).suffix:
                report.error(name, 1, "not UTF-8")
    check_folders(report, names)
    if not arg.quiet:
        print(*(f"warning: {line}" for line in report.warnings), sep="\n")
    failed = [name for name in names if report.errors[name]]
    for name in failed:
        print(*report.errors[name], sep="\n")
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
