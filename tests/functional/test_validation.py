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
    assert [e.line for e in errors] == [*range(2, 1002), None]
    assert errors[-1].code == "too_many_errors" and "500 more errors" in errors[-1].message


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


def request(custom_id, endpoint, **body):
    return {"custom_id": custom_id, "method": "POST", "url": endpoint, "body": body}


# endpoint: (its name in messages, a good body, the member it cannot do without)
ENDPOINTS = {
    "/v1/chat/completions": ("Chat Completions", {"messages": []}, "messages"),
    "/v1/completions": ("Completions", {"prompt": "x"}, "prompt"),
    "/v1/embeddings": ("Embeddings", {"input": "x"}, "input"),
    "/v1/responses": ("Responses", {"input": "x"}, None),
    "/v1/moderations": ("Moderations", {"input": "x"}, "input"),
    "/v1/images/generations": ("Image Generations", {"prompt": "x"}, "prompt"),
    "/v1/images/edits": ("Image Edits", {"prompt": "x", "images": []}, "prompt"),
    "/v1/videos": ("Videos", {"prompt": "x"}, "prompt"),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_each_endpoint_has_its_own_rules(server, endpoint):
    name, good, required = ENDPOINTS[endpoint]
    rows = [
        request("good", endpoint, model="sim-model", **good),
        request("stream", endpoint, model="sim-model", stream=True, **good),
        request("no-prompt", endpoint, model="sim-model"),
        request("no-model", endpoint, **good),
    ]
    batch = server.run(jsonl(rows), endpoint)
    found = {e.line: (e.code, e.message, e.param) for e in batch.errors.data}
    assert found.pop(2) == (
        "streaming_unsupported",
        f"{name}: Streaming is not supported in the Batch API.",
        "body.stream",
    )
    if required:
        message = f"{required.capitalize()} parameter is required."
        assert found.pop(3) == ("invalid_request", message, f"body.{required}")
    # Where OpenAI has a default model there is none here, as none is configured.
    assert found.pop(4) == ("invalid_request", "Model parameter is required.", "body.model")
    assert not found


def test_url_that_no_batch_can_have(server):
    batch = server.run(jsonl([row("a"), row("b", url="/v1/x")]))
    error = batch.errors.data[0]
    assert (error.code, error.param, error.line) == ("url_not_found", "url", 2)
    assert error.message == "The provided url '/v1/x' is not supported by the Batch API."


def test_model_may_be_left_out_where_there_is_a_default(start):
    echo = start.echo()
    server = start.server({"upstreams": [harness.upstream(echo.url)], "default_model": "sim-model"})
    for endpoint in ("/v1/moderations", "/v1/responses"):
        batch = server.run(jsonl([request("a", endpoint, input="x")]), endpoint)
        assert batch.status == "completed", batch.errors
        assert json.loads(echo.bodies[-1]) == {"input": "x"}


def test_every_failed_batch_is_strictly_valid(server):
    file = server.upload(jsonl([row("a")]) + b"{bad\n")
    client = server.client(_strict_response_validation=True)
    batch = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    server.wait(batch)
    batch = client.batches.retrieve(batch.id)
    assert batch.status == "failed" and batch.errors.data[0].line == 2
    assert batch.expires_at == batch.created_at + 86400
    assert batch.id in [b.id for b in client.batches.list(limit=100)]


def limited(start, sim, **limits):
    return start.server({"upstreams": [harness.upstream(sim.url)], "limits": limits})


def test_size_of_the_input_file(start):
    data = batch_rows(2)
    server = limited(start, start.sim(), batch_file_bytes=len(data))
    assert server.run(data).status == "completed"
    batch = server.run(data + b"\n")
    error = batch.errors.data[0]
    assert (error.code, error.param, error.line) == ("file_too_large", None, None)
    assert error.message == (
        f"The batch input file is larger than the {len(data)} maximum for the sim-model model. "
        "Please try again with a smaller batch."
    )


def test_embedding_inputs(start):
    endpoint = "/v1/embeddings"
    server = limited(start, start.sim(), embedding_inputs=4)
    rows = [
        request("a", endpoint, model="sim-model", input=["x", "y", "z"]),
        request("b", endpoint, model="sim-model", input=[1, 2, 3]),
    ]
    assert server.run(jsonl(rows), endpoint).status == "completed"
    rows.append(request("c", endpoint, model="sim-model", input="w"))
    error = server.run(jsonl(rows), endpoint).errors.data[0]
    assert (error.code, error.param, error.line) == ("too_many_tasks", "body.input", None)


def test_length_of_a_line(start):
    data = jsonl([row("a")])
    server = limited(start, start.sim(), line_bytes=len(data) - 1)
    assert server.run(data).status == "completed"
    error = server.run(data[:-1] + b" \n").errors.data[0]
    assert (error.code, error.line) == ("line_too_long", 1)


def test_fifty_thousand_rows_unless_unlimited(start):
    data = batch_rows(50_001)
    sim = start.sim("--latency-ms", "1000")
    server = limited(start, sim)
    error = server.run(data).errors.data[0]
    assert (error.code, error.line) == ("too_many_tasks", None)
    assert "50001" in error.message and "50000" in error.message
    server.stop()
    server = limited(start, sim, profile="unlimited")
    batch = server.submit(data)
    client = server.client()
    harness.eventually(lambda: client.batches.retrieve(batch.id).status == "in_progress")
    assert client.batches.retrieve(batch.id).request_counts.total == 50_001
    client.batches.cancel(batch.id)
    assert server.wait(batch).status == "cancelled"


def test_enqueued_requests_of_a_model(start):
    sim = start.sim("--latency-ms", "600000")
    limits = {"per_model": {"sim-model": {"enqueued_requests": 1000}}}
    server = limited(start, sim, **limits)
    client = server.client()

    def in_progress(batch):
        return client.batches.retrieve(batch.id).status == "in_progress"

    first = server.submit(batch_rows(999))
    harness.eventually(lambda: in_progress(first))
    second = server.submit(batch_rows(1))
    harness.eventually(lambda: in_progress(second))
    third = server.run(batch_rows(1))
    assert third.status == "failed" and third.request_counts.total == 0
    error = third.errors.data[0]
    assert (error.code, error.param, error.line) == ("token_limit_exceeded", None, None)
    assert error.message.startswith("Enqueued request limit reached for sim-model in organization ")
    assert error.message.endswith(
        ". Limit: 1,000 enqueued requests. Please try again once some in_progress batches have "
        "been completed."
    )

    server.stop(harness.signal.SIGKILL)
    server.start()
    assert server.run(batch_rows(1)).errors.data[0].code == "token_limit_exceeded"
    server.stop(harness.signal.SIGKILL)


def test_enqueued_tokens_are_free_again_at_the_end(start):
    server = limited(start, start.sim(), enqueued_tokens=200)
    small, large = batch_rows(1), jsonl([row("a", text="x" * 1000)])
    for _ in range(20):
        assert server.run(small).status == "completed"
    error = server.run(large).errors.data[0]
    assert error.code == "token_limit_exceeded"
    assert error.message.startswith("Enqueued token limit reached for sim-model in organization ")
    assert "Limit: 200 enqueued tokens." in error.message
    assert server.run(small).status == "completed"


def test_an_upstream_that_is_away_is_waited_for_once(start):
    nobody = {"name": "nobody", "base_url": f"http://127.0.0.1:{harness.free_port()}/v1"}
    server = start.server({"upstreams": [nobody], "retry": {"never_reached_timeout": "1s"}})
    batch = server.run(jsonl(row(f"r{i}", model=f"m{i}") for i in range(40)), seconds=15)
    assert {e.code for e in batch.errors.data} == {"model_not_found"}
    assert len(batch.errors.data) == 40
