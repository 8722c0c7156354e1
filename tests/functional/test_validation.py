"""Every validation error of an input file: the batch fails, all bad lines are listed."""

import json

import harness
import pytest
from harness import CHAT, batch_rows, jsonl, row


def without(r, *path):
    target = r
    for key in path[:-1]:
        target = target[key]
    del target[path[-1]]
    return r


def changed(r, **values):
    return r | values


CASES = {
    "invalid_json": (
        b'{"custom_id": "x", \n',
        "invalid_json_line",
        "This line is not parseable as valid JSON.",
        None,
    ),
    "trailing_comma": (
        b'{"custom_id":"x",}\n',
        "invalid_json_line",
        "This line is not parseable as valid JSON.",
        None,
    ),
    "not_an_object": (b"[1]\n", "invalid_json_line", None, None),
    "invalid_utf8": (
        jsonl([row("x")]).replace(b"hello", b"h\xff\xfe"),
        "invalid_json_line",
        None,
        None,
    ),
    "no_custom_id": (
        jsonl([without(row("x"), "custom_id")]),
        "missing_required_parameter",
        "Missing required parameter: 'custom_id'.",
        "custom_id",
    ),
    "no_method": (
        jsonl([without(row("x"), "method")]),
        "missing_required_parameter",
        "Missing required parameter: 'method'.",
        "method",
    ),
    "no_url": (
        jsonl([without(row("x"), "url")]),
        "missing_required_parameter",
        "Missing required parameter: 'url'.",
        "url",
    ),
    "no_body": (
        jsonl([without(row("x"), "body")]),
        "missing_required_parameter",
        "Missing required parameter: 'body'.",
        "body",
    ),
    "other_url": (
        jsonl([row("x", url="/v1/embeddings")]),
        "invalid_url",
        "The URL provided for this request does not match the batch endpoint.",
        "url",
    ),
    "get": (jsonl([changed(row("x"), method="GET")]), "invalid_method", None, "method"),
    "empty_custom_id": (jsonl([row("")]), "invalid_custom_id", None, "custom_id"),
    "number_custom_id": (
        jsonl([changed(row("x"), custom_id=7)]),
        "invalid_custom_id",
        None,
        "custom_id",
    ),
    "body_array": (jsonl([changed(row("x"), body=[])]), "invalid_request", None, "body"),
    "stream": (
        jsonl([row("x", stream=True)]),
        "streaming_unsupported",
        "Chat Completions: Streaming is not supported in the Batch API.",
        "body.stream",
    ),
    "no_model": (
        jsonl([without(row("x"), "body", "model")]),
        "invalid_request",
        "Model parameter is required.",
        "body.model",
    ),
    "no_messages": (
        jsonl([without(row("x"), "body", "messages")]),
        "invalid_request",
        "Messages parameter is required.",
        "body.messages",
    ),
    "other_model": (
        jsonl([row("x", model="other")]),
        "model_not_found",
        "The provided model 'other' is not supported by the Batch API.",
        "body.model",
    ),
    "duplicate": (
        jsonl([row("good-1")]),
        "duplicate_custom_id",
        "The custom_id 'good-1' for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.",
        "custom_id",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_bad_line(server, name):
    line, code, message, param = CASES[name]
    before = sum(server.sim.attempts().values())
    batch = server.run(jsonl([row("good-1"), row("good-2")]) + line + jsonl([row("good-3")]))
    assert batch.status == "failed" and batch.failed_at and batch.in_progress_at is None
    assert batch.output_file_id is None and batch.error_file_id is None
    counts = batch.request_counts
    assert (counts.total, counts.completed, counts.failed) == (0, 0, 0)
    assert batch.errors.object == "list" and len(batch.errors.data) == 1, batch.errors
    error = batch.errors.data[0]
    assert (error.code, error.param, error.line) == (code, param, 3)
    if message:
        assert error.message == message
    assert sum(server.sim.attempts().values()) == before, "a row of a bad file ran"


def test_all_bad_lines_are_listed(server):
    data = b"".join(case[0] for case in CASES.values())
    batch = server.run(jsonl([row("good-1")]) + data)
    lines = [e.line for e in batch.errors.data]
    assert sorted(set(lines)) == list(range(2, 2 + len(CASES)))


def test_blank_lines_count_for_line_numbers(server):
    batch = server.run(jsonl([row("a")]) + b"\n\r\n" + b"{bad\n")
    assert [(e.code, e.line) for e in batch.errors.data] == [("invalid_json_line", 4)]


def test_duplicates_across_escapes(server):
    first = jsonl([row("caf\u00e9")])
    second = json.dumps(row("X"), ensure_ascii=False).replace('"X"', '"café"', 1).encode() + b"\n"
    batch = server.run(first + second)
    assert [(e.code, e.line) for e in batch.errors.data] == [("duplicate_custom_id", 2)]


def test_more_errors_than_are_listed(server):
    batch = server.run(jsonl([row("a")]) + b"{bad\n" * 1500)
    errors = batch.errors.data
    assert len(errors) in (1000, 1001)
    assert "1500" in errors[-1].message or "500" in errors[-1].message, errors[-1]


def test_two_models_in_one_file(start):
    sim = start.sim("--model", "one", "--model", "two")
    server = start.server({"upstreams": [harness.upstream(sim.url, models=["one", "two"])]})
    batch = server.run(jsonl([row("a", model="one"), row("b", model="two"), row("c", model="one")]))
    assert batch.status == "failed" and len(batch.errors.data) == 1
    error = batch.errors.data[0]
    assert (error.code, error.line, error.param) == ("mismatched_model", 2, "body.model")
    assert error.message.startswith("The model 'two' for this request does not match the rest of")


def test_unknown_model_with_configured_upstreams(server):
    batch = server.run(batch_rows(2, model="gpt-9"))
    assert batch.status == "failed"
    assert {e.code for e in batch.errors.data} == {"model_not_found"}
    assert (
        batch.errors.data[0].message
        == "The provided model 'gpt-9' is not supported by the Batch API."
    )


def test_unknown_input_file(server):
    batch = server.client().batches.create(
        input_file_id="file-nope", endpoint=CHAT, completion_window="24h"
    )
    assert batch.status in ("validating", "failed")
    batch = server.wait(batch)
    error = batch.errors.data[0]
    assert (error.code, error.param, error.line) == ("invalid_request", "file_id", None)
    assert error.message.startswith("Cannot find file file-nope, or organization")


def test_input_file_of_another_purpose(server):
    client = server.client()
    file = client.files.create(file=("x.jsonl", batch_rows(1)), purpose="user_data")
    batch = server.wait(
        client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    )
    assert batch.status == "failed"
    assert (batch.errors.data[0].code, batch.errors.data[0].param) == ("invalid_request", "file_id")


def test_more_rows_than_allowed(start):
    sim = start.sim()
    server = start.server(
        {"upstreams": [{"name": "sim", "base_url": sim.url + "/v1"}], "limits": {"rows": 10}}
    )
    assert server.run(batch_rows(10)).status == "completed"
    batch = server.run(batch_rows(11))
    error = batch.errors.data[0]
    assert (error.code, error.param, error.line) == ("too_many_tasks", None, None)
    assert "10" in error.message and "11" in error.message
