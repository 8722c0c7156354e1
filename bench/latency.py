"""What a synchronous call through offpeak takes longer than one to the upstream itself."""

import json
import os
import pathlib
import statistics
import subprocess

SCRIPT = pathlib.Path(__file__).with_name("paced.lua")
REQUESTS_PER_S = 1000
ROUNDS = 5


def percentiles(url, connections, seconds, key=None):
    """One run of wrk at about REQUESTS_PER_S over all connections."""
    environment = os.environ | {"PAUSE_MS": str(connections * 1000 // REQUESTS_PER_S)}
    if key:
        environment["API_KEY"] = key
    run = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT), url],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    line = next(x for x in run.stdout.splitlines() if x.startswith("done "))
    figures = json.loads(line.removeprefix("done "))
    if figures["errors"] or not figures["requests"]:
        raise SystemExit(f"bench: WRONG: {figures} from {url}")
    return figures["p50_us"], figures["p99_us"]


def added(sim_url, base_url, key, connections, seconds=3):
    """Alternates, and takes the median round, so that a busy moment hits neither side alone."""
    path = "/v1/chat/completions"
    direct, through = [], []
    for _ in range(ROUNDS):
        direct.append(percentiles(sim_url + path, connections, seconds))
        through.append(percentiles(base_url + path, connections, seconds, key))
    middle = [[statistics.median(x) for x in zip(*runs)] for runs in (direct, through)]
    (direct_p50, direct_p99), (through_p50, through_p99) = middle
    return {
        "connections": connections,
        "direct_us": [direct_p50, direct_p99],
        "through_us": [through_p50, through_p99],
        "added_p50_us": through_p50 - direct_p50,
        "added_p99_us": through_p99 - direct_p99,
    }
