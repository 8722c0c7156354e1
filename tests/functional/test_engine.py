"""The local engine as a child process."""

import json
import os
import pathlib
import signal

import pytest
from harness import ROOT, eventually, jsonl

pytestmark = pytest.mark.engine


def children(pid):
    """Processes below pid, by command line."""
    found, parents = {}, {}
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            parents[int(status.parent.name)] = (int(fields[1]), fields[0])
        except OSError:
            pass
    level = {pid}
    while level:
        level = {p for p, (parent, state) in parents.items() if parent in level and state != "Z"}
        for child in level:
            try:
                found[child] = pathlib.Path(f"/proc/{child}/cmdline").read_text()
            except OSError:
                pass
    return found


def gone(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def engine_pid(server):
    return eventually(
        lambda: next((p for p, c in children(server.child.pid).items() if ".gguf" in c), None),
        20,
        "an engine process",
    )


def small_batch(count=3):
    lines = (ROOT / "examples/demo.jsonl").read_bytes().splitlines(keepends=True)
    return b"".join([x for x in lines if x.startswith(b'{"custom_id": "ticket-')][:count])


def content(row):
    return row["response"]["body"]["choices"][0]["message"]["content"].strip()


def test_demo_batch(engine_server):
    expected = json.loads((ROOT / "examples/demo.expected.json").read_text())
    batch = engine_server.run((ROOT / "examples/demo.jsonl").read_bytes(), seconds=120)
    assert batch.status == "completed" and batch.request_counts.completed == len(expected), batch
    assert batch.model != "gpt-4o-mini", "the batch names the model that ran"
    output, _ = engine_server.results(batch)
    right = {
        c
        for c, label in expected.items()
        if content(output[c]).rstrip(".").lower() == label.lower()
    }
    assert len(right) >= 0.85 * len(expected), sorted(set(expected) - right)
    tickets = {c for c in expected if c.startswith("ticket")}
    assert tickets <= right


@pytest.mark.parametrize(
    "endpoint,body",
    [
        (
            "/v1/completions",
            {"model": "any", "prompt": "The capital of France is", "max_tokens": 3},
        ),
        ("/v1/embeddings", {"model": "any", "input": ["one", "two words"]}),
    ],
)
def test_completions_and_embeddings(engine_server, endpoint, body):
    rows = [
        {"custom_id": str(i), "method": "POST", "url": endpoint, "body": body} for i in range(4)
    ]
    batch = engine_server.run(jsonl(rows), endpoint, seconds=60)
    assert batch.request_counts.completed == 4
    answer = engine_server.results(batch)[0]["0"]["response"]["body"]
    if endpoint == "/v1/embeddings":
        assert [len(d["embedding"]) for d in answer["data"]] == [576, 576]
    else:
        assert answer["choices"][0]["text"].strip() and answer["usage"]["completion_tokens"] == 3


def test_the_engine_is_restarted_and_ends_with_a_killed_server(start):
    server = start.server(args=("--engine", "auto"))
    first = engine_pid(server)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: gone(first))
    batch = server.run(small_batch(), seconds=60)
    assert batch.request_counts.completed == 3, batch
    second = engine_pid(server)
    assert second != first
    server.stop(signal.SIGKILL)
    eventually(lambda: gone(second), 5, "the engine to end with its parent")


def test_the_engine_ends_with_a_drained_server(start):
    server = start.server(args=("--engine", "auto"))
    pid = engine_pid(server)
    assert server.stop() == 0
    eventually(lambda: gone(pid), 5, "the engine to end")
