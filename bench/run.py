#!/usr/bin/env python3
"""Measures offpeak against a bare load generator on the same machine, and writes bench/README.md.

Needs the release build (make build). Fails loudly when a batch is not exactly right.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import latency
from api_client import ApiClient
from make_rows import write_rows
from processes import Process, free_port

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONNECTIONS = 64


def check(condition, message):
    if not condition:
        raise SystemExit(f"bench: WRONG: {message}")


class Bench:
    def __init__(self, build, work):
        self.build, self.work = pathlib.Path(build), pathlib.Path(work)

    def rows_file(self, rows):
        path = self.work / f"rows-{rows}.jsonl"
        if not path.exists():
            with open(path, "w", encoding="utf-8") as out:
                write_rows(out, rows)
        return path

    @contextlib.contextmanager
    def sim(self, name, *options):
        """Yields its base URL and the path of its attempt log."""
        log = self.work / f"{name}-attempts.jsonl"
        command = [self.build / "offpeak-sim", "--listen", "127.0.0.1:0", "--log", log, *options]
        process = Process([str(part) for part in command], self.work / f"{name}-sim.stderr")
        try:
            yield process.ready_line.split()[1], log
        finally:
            process.stop()

    def start_offpeak(self, name, sim_url):
        config = self.work / f"{name}.yaml"
        config.write_text(
            "upstreams:\n"
            "  - name: sim\n"
            f"    base_url: {sim_url}/v1\n"
            "    models: [sim-model]\n"
            f"    max_concurrency: {CONNECTIONS}\n"
            "limits:\n"
            "  profile: unlimited\n",
            encoding="utf-8",
        )
        port = free_port()
        data = self.work / f"{name}-data"
        command = [
            self.build / "offpeak",
            "serve",
            "--data-dir",
            data,
            "--listen",
            f"127.0.0.1:{port}",
            "--config",
            config,
            "--engine",
            "none",
        ]
        server = Process([str(part) for part in command], self.work / f"{name}.stderr")
        key = (data / "default.key").read_text(encoding="ascii").strip()
        return server, ApiClient("127.0.0.1", port, key)

    def loadgen(self, rows_path):
        with self.sim("loadgen") as (url, _):
            done = subprocess.run(
                [
                    str(self.build / "offpeak-loadgen"),
                    "--url",
                    f"{url}/v1/chat/completions",
                    "--connections",
                    str(CONNECTIONS),
                    "--body-file",
                    str(rows_path),
                ],
                check=True,
                capture_output=True,
                text=True,
            )
        return json.loads(done.stdout)

    def batch(self, name, rows):
        """One clean batch of `rows` rows on a fresh server."""
        with self.sim(name) as (url, log):
            server, api = self.start_offpeak(name, url)
            try:
                begin = time.monotonic()
                file_id = api.upload(self.rows_file(rows))
                upload_s = time.monotonic() - begin
                cpu_before = server.cpu_s()
                create_ns = time.monotonic_ns()
                batch_id = api.create_batch(file_id)["id"]
                batch = api.wait(batch_id, timeout_s=120 + rows / 500)
                seconds = (time.monotonic_ns() - create_ns) / 1e9
                cpu_s = server.cpu_s() - cpu_before
                self.check_result(api, batch, rows)
                figures = {
                    "rows": rows,
                    "upload_s": upload_s,
                    "seconds": seconds,
                    "rows_per_s": rows / seconds,
                    "cpu_us_per_row": cpu_s * 1e6 / rows,
                    "peak_rss_mib": server.peak_rss_mib(),
                }
            finally:
                server.stop()
        attempts = Attempts(log)
        check(
            attempts.count == rows,
            f"{attempts.count} upstream calls for {rows} rows in a clean batch",
        )
        check(attempts.max_running <= CONNECTIONS, f"{attempts.max_running} calls at once")
        figures["first_call_ms"] = (attempts.first_ns - create_ns) / 1e6
        return figures

    def check_result(self, api, batch, rows):
        check(
            batch["status"] == "completed",
            f"the batch ended {batch['status']}: {json.dumps(batch)}",
        )
        counts = batch["request_counts"]
        wanted = {"total": rows, "completed": rows, "failed": 0}
        check(counts == wanted, f"request_counts {counts}, wanted {wanted}")
        check(batch.get("error_file_id") is None, "there is an error file")
        path = self.work / "output.jsonl"
        api.download(batch["output_file_id"], path)
        seen = bytearray(rows)
        with open(path, "rb") as out:
            for line in out:
                row = json.loads(line)
                index = int(row["custom_id"].removeprefix("row-"))
                check(
                    0 <= index < rows and not seen[index],
                    f"custom_id {row['custom_id']} twice or unknown",
                )
                seen[index] = 1
                check(row["response"]["status_code"] == 200, f"row {index}: {line[:300]!r}")
                answer = row["response"]["body"]["choices"][0]["message"]["content"]
                check(
                    f"[{index}]" in answer,
                    f"row {index} holds the answer of another row: {answer!r}",
                )
        check(sum(seen) == rows, f"{rows - sum(seen)} custom_ids are missing from the output")
        path.unlink()

    def kill(self, rows):
        """kill -9 in mid-batch, restart on the same data directory, to the end."""
        with self.sim("kill", "--latency-ms", "5") as (url, log):
            server, api = self.start_offpeak("kill", url)
            try:
                batch_id = api.create_batch(api.upload(self.rows_file(rows)))["id"]
                deadline = time.monotonic() + 120
                counts = {"completed": 0}
                while counts["completed"] < rows // 4:
                    counts = api.batch(batch_id)["request_counts"]
                    check(time.monotonic() < deadline, f"no progress before the kill: {counts}")
                    time.sleep(0.01)
                check(
                    counts["completed"] < rows, "the batch was over before the kill: use more rows"
                )
                server.kill()
                begin = time.monotonic()
                server, api = self.start_offpeak("kill", url)
                after = api.batch(batch_id)["request_counts"]["completed"]
                check(
                    after >= counts["completed"],
                    f"the count fell from {counts['completed']} to {after}",
                )
                batch = api.wait(batch_id, timeout_s=120 + rows / 500)
                seconds = time.monotonic() - begin
                self.check_result(api, batch, rows)
            finally:
                server.stop()
        attempts = Attempts(log)
        check(
            len(attempts.bodies) == rows,
            f"{len(attempts.bodies)} bodies reached the upstream, not {rows}",
        )
        check(attempts.max_running <= CONNECTIONS, f"{attempts.max_running} calls at once")
        repeated = attempts.count - rows
        check(repeated <= CONNECTIONS, f"{repeated} attempts repeated, more than {CONNECTIONS}")
        return {
            "rows": rows,
            "killed_at": counts["completed"],
            "repeated": repeated,
            "seconds": seconds,
        }

    def added_latency(self):
        """Synchronous calls through the server beside the same calls to the upstream."""
        with self.sim("latency") as (url, _):
            server, api = self.start_offpeak("latency", url)
            try:
                base = f"http://127.0.0.1:{api.port}"
                return [latency.added(url, base, api.key, count) for count in (1, 16, 64)]
            finally:
                server.stop()


class Attempts:
    """What the simulated upstream saw, from its attempt log."""

    def __init__(self, log):
        self.count, self.max_running, self.first_ns, self.bodies = 0, 0, None, set()
        with open(log, encoding="utf-8") as lines:
            for line in lines:
                attempt = json.loads(line)
                self.count += 1
                self.max_running = max(self.max_running, attempt["running"])
                self.first_ns = min(self.first_ns or attempt["t_ns"], attempt["t_ns"])
                self.bodies.add(attempt["body_xxh3"])


def output_of(*command):
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine():
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {platform.release()}"


def table(bench, limit, small, large, killed, calls):
    version = output_of(str(bench.build / "offpeak"), "--version").splitlines()
    commit = output_of("git", "rev-parse", "--short=12", "HEAD")
    dirty = (
        ""
        if output_of("git", "status", "--porcelain", "--", "src", "bench", "cmake") == ""
        else " with changes"
    )
    compiler = output_of("clang++-19", "--version").splitlines()[0]
    per_s = limit["requests_per_s"]
    cpu = limit["cpu_us_per_request"]
    lines = [
        f"{time.strftime('%Y-%m-%d')}, {machine()}; {version[0] if version else 'offpeak'}, "
        f"commit {commit}{dirty}; {compiler}.",
        "",
        "| figure | offpeak | limit: bare epoll load generator | ratio |",
        "| --- | --- | --- | --- |",
        f"| rows/s, create to completed, {small['rows']:,} rows | {small['rows_per_s']:,.0f} "
        f"| {per_s:,.0f} requests/s | {small['rows_per_s'] / per_s:.2f} |",
        f"| CPU per row, create to completed | {small['cpu_us_per_row']:.1f} µs "
        f"| {cpu:.1f} µs | {small['cpu_us_per_row'] / cpu:.2f} |",
        f"| rows/s, {large['rows']:,} rows | {large['rows_per_s']:,.0f} | {per_s:,.0f} requests/s "
        f"| {large['rows_per_s'] / per_s:.2f} |",
        f"| CPU per row, {large['rows']:,} rows | {large['cpu_us_per_row']:.1f} µs | {cpu:.1f} µs "
        f"| {large['cpu_us_per_row'] / cpu:.2f} |",
        f"| peak memory, {large['rows']:,} rows (limit: at {small['rows']:,} rows) "
        f"| {large['peak_rss_mib']:.1f} MiB | {small['peak_rss_mib']:.1f} MiB "
        f"| {large['peak_rss_mib'] / small['peak_rss_mib']:.2f} |",
        f"| first upstream call after create, {small['rows']:,} / {large['rows']:,} rows "
        f"| {small['first_call_ms']:.1f} / {large['first_call_ms']:.1f} ms | | |",
        f"| upload, {large['rows']:,} rows | {large['upload_s']:.2f} s | | |",
        f"| kill -9 after {killed['killed_at']:,} of {killed['rows']:,} rows, restart: "
        f"attempts repeated "
        f"| {killed['repeated']} | {CONNECTIONS} in flight | |",
        "",
        "Synchronous calls, about 1,000 a second, limit: the same calls to the upstream itself.",
        "",
        "| connections | offpeak p50 / p99 | limit p50 / p99 | added p50 | added p99 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for call in calls:
        ms = lambda us: f"{us / 1000:.3f}"
        lines.append(
            f"| {call['connections']} | {' / '.join(map(ms, call['through_us']))} ms "
            f"| {' / '.join(map(ms, call['direct_us']))} ms | {ms(call['added_p50_us'])} ms "
            f"| {ms(call['added_p99_us'])} ms |"
        )
    return "\n".join(lines)


def write_table(text):
    path = ROOT / "bench" / "README.md"
    page = path.read_text(encoding="utf-8")
    before, rest = page.split("<!-- table -->", 1)
    after = rest.split("<!-- /table -->", 1)[1]
    path.write_text(f"{before}<!-- table -->\n{text}\n<!-- /table -->{after}", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--build", default=str(ROOT / "build" / "release"), help="folder of the executables"
    )
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--large-rows", type=int, default=500_000)
    parser.add_argument(
        "--quick", action="store_true", help="5,000 and 20,000 rows; README.md stays as it is"
    )
    args = parser.parse_args()
    rows, large_rows = (5_000, 20_000) if args.quick else (args.rows, args.large_rows)
    for name in ("offpeak", "offpeak-sim", "offpeak-loadgen"):
        if not os.access(pathlib.Path(args.build) / name, os.X_OK):
            raise SystemExit(f"bench: {args.build}/{name} is missing; run `make build` first")
    with tempfile.TemporaryDirectory(prefix="offpeak-bench-") as work:
        bench = Bench(args.build, work)
        say = lambda text: print(text, file=sys.stderr, flush=True)
        say("bench: the limit")
        limit = bench.loadgen(bench.rows_file(rows))
        say(f"bench: {limit}\nbench: a batch of {rows:,} rows")
        small = bench.batch("small", rows)
        say(f"bench: {small}\nbench: a batch of {large_rows:,} rows")
        large = bench.batch("large", large_rows)
        say(f"bench: {large}\nbench: kill -9")
        killed = bench.kill(rows)
        say(f"bench: {killed}\nbench: synchronous calls")
        calls = bench.added_latency()
        say(f"bench: {calls}")
        text = table(bench, limit, small, large, killed, calls)
    print(text)
    if not args.quick:
        write_table(text)


if __name__ == "__main__":
    main()
