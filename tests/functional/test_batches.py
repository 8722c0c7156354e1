import asyncio
import json
import signal
import sqlite3

import openai
import pytest
from harness import CHAT, TERMINAL, batch_rows, eventually, free_port, jsonl, row, upstream

BATCH_KEYS = [
    "id",
    "object",
    "endpoint",
    "model",
    "errors",
    "input_file_id",
    "completion_window",
    "status",
    "output_file_id",
    "error_file_id",
    "created_at",
    "in_progress_at",
    "expires_at",
    "finalizing_at",
    "completed_at",
    "failed_at",
    "expired_at",
    "cancelling_at",
    "cancelled_at",
    "request_counts",
    "usage",
    "metadata",
]
ZERO_USAGE = {
    "input_tokens": 0,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 0,
}


def create(server, **changes):
    fields = {"input_file_id": "file-x", "endpoint": CHAT, "completion_window": "24h"} | changes
    body = json.dumps({k: v for k, v in fields.items() if v is not None})
    status, headers, answer = server.http(
        "POST", "/v1/batches", body, {"Content-Type": "application/json"}
    )
    return status, headers, json.loads(answer)


def test_life_of_a_batch(server):
    client = server.client(_strict_response_validation=True)
    data = batch_rows(20)
    file = client.files.create(file=("in.jsonl", data), purpose="batch")
    status, _, first = create(server, input_file_id=file.id, metadata={"job": "nightly"})
    assert status == 200 and list(first) == BATCH_KEYS
    assert first["status"] == "validating" and first["id"].startswith("batch_")
    assert first["expires_at"] == first["created_at"] + 86400
    assert first["request_counts"] == {"total": 0, "completed": 0, "failed": 0}
    assert first["usage"] == ZERO_USAGE and first["metadata"] == {"job": "nightly"}
    for key in (
        "errors",
        "output_file_id",
        "error_file_id",
        "in_progress_at",
        "finalizing_at",
        "completed_at",
        "failed_at",
        "expired_at",
        "cancelling_at",
        "cancelled_at",
    ):
        assert first[key] is None, key

    batch = server.wait(client.batches.retrieve(first["id"]))
    assert batch.status == "completed" and batch.error_file_id is None and batch.errors is None
    assert (
        batch.request_counts.total,
        batch.request_counts.completed,
        batch.request_counts.failed,
    ) == (20, 20, 0)
    assert batch.model == "sim-model"
    stamps = [batch.created_at, batch.in_progress_at, batch.finalizing_at, batch.completed_at]
    assert stamps == sorted(stamps)

    output, errors = server.results(batch)
    assert set(output) == {f"row-{i}" for i in range(20)} and not errors
    tokens = [r["response"]["body"]["usage"] for r in output.values()]
    assert batch.usage.input_tokens == sum(u["prompt_tokens"] for u in tokens)
    assert batch.usage.output_tokens == sum(u["completion_tokens"] for u in tokens)
    assert batch.usage.total_tokens == batch.usage.input_tokens + batch.usage.output_tokens
    result = client.files.retrieve(batch.output_file_id)
    assert result.purpose == "batch_output" and result.filename == f"{batch.id}_output.jsonl"


def test_shape_of_an_output_line(server):
    batch = server.run(jsonl([row('x\n"é')]))
    line = server.raw_content(batch.output_file_id)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    result = json.loads(line)
    assert list(result) == ["id", "custom_id", "response", "error"]
    assert result["id"].startswith("batch_req_") and result["custom_id"] == 'x\n"é'
    assert list(result["response"]) == ["status_code", "request_id", "body"]
    assert result["response"]["status_code"] == 200 and result["error"] is None
    assert isinstance(result["response"]["request_id"], str)


@pytest.mark.parametrize(
    "endpoint,body",
    [
        ("/v1/completions", {"model": "sim-model", "prompt": "hi"}),
        ("/v1/embeddings", {"model": "sim-model", "input": ["one", "two"]}),
    ],
)
def test_other_endpoints(server, endpoint, body):
    rows = [
        {"custom_id": f"r{i}", "method": "POST", "url": endpoint, "body": body} for i in range(3)
    ]
    batch = server.run(jsonl(rows), endpoint)
    assert batch.status == "completed" and batch.request_counts.completed == 3
    assert set(server.results(batch)[0]) == {"r0", "r1", "r2"}


def test_blank_lines_crlf_and_no_last_newline(server):
    rows = [json.dumps(row(f"r{i}")) for i in range(3)]
    batch = server.run((rows[0] + "\r\n\n\r\n" + rows[1] + "\n\n" + rows[2]).encode())
    assert batch.status == "completed", batch.errors
    assert batch.request_counts.total == 3


def test_unknown_batch(server):
    for method, path in (("GET", ""), ("POST", "/cancel")):
        status, _, body = server.http(method, "/v1/batches/batch_nope" + path)
        assert status == 404
        assert json.loads(body)["error"] == {
            "message": "No batch found with id 'batch_nope'.",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }


def test_list_newest_first_and_auto_paging(start):
    server = start.pair()
    client = server.client()
    file = server.upload(batch_rows(1))
    ids = [
        client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h").id
        for _ in range(7)
    ]
    assert [b.id for b in client.batches.list(limit=3)] == ids[::-1]
    page = client.batches.list(limit=2, after=ids[4])
    assert [b.id for b in page.data] == [ids[3], ids[2]] and page.has_more
    _, _, body = server.http("GET", "/v1/batches?limit=1")
    assert list(json.loads(body)) == ["object", "data", "first_id", "last_id", "has_more"]
    status, _, body = server.http("GET", "/v1/batches?limit=101")
    assert status == 400 and json.loads(body)["error"]["param"] == "limit"


def test_an_empty_list(start):
    _, _, body = start.server().http("GET", "/v1/batches")
    assert json.loads(body) == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_cancel_in_the_middle(start):
    server = start.pair("--latency-ms", "50", max_concurrency=2)
    client = server.client()
    batch = server.submit(batch_rows(400))
    eventually(lambda: client.batches.retrieve(batch.id).request_counts.completed > 0)
    cancelled = client.batches.cancel(batch.id)
    assert cancelled.status in ("cancelling", "cancelled") and cancelled.cancelling_at
    batch = server.wait(batch)
    assert batch.status == "cancelled" and batch.cancelled_at >= batch.cancelling_at
    counts = batch.request_counts
    assert counts.total == 400 and 0 < counts.completed < 400 and counts.failed == 0
    output, errors = server.results(batch)
    assert len(output) == counts.completed and len(output) + len(errors) == 400
    for line in errors.values():
        assert line["response"] is None and line["error"] == {
            "code": "batch_cancelled",
            "message": "This request was not executed because the batch was cancelled.",
        }
    again = client.batches.cancel(batch.id)
    assert again.status == "cancelled" and again.output_file_id == batch.output_file_id


def test_cancel_of_a_finished_batch(server):
    batch = server.run(batch_rows(1))
    status, headers, body = server.http("POST", f"/v1/batches/{batch.id}/cancel")
    assert status == 409 and headers["x-should-retry"] == "false"
    assert json.loads(body)["error"] == {
        "message": "Cannot cancel a batch with status 'completed'.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


def test_request_counts_never_fall(start):
    server = start.pair("--latency-ms", "2", max_concurrency=4)
    client = server.client()
    batch, seen = server.submit(batch_rows(600)), []
    while not seen or seen[-1][0] not in TERMINAL:
        now = client.batches.retrieve(batch.id)
        seen.append((now.status, now.request_counts.completed))
    assert seen[-1] == ("completed", 600)
    assert [c for _, c in seen] == sorted(c for _, c in seen)


CREATE_ERRORS = [
    (
        {"input_file_id": None},
        "Missing required parameter: 'input_file_id'.",
        "input_file_id",
        "missing_required_parameter",
    ),
    (
        {"endpoint": None},
        "Missing required parameter: 'endpoint'.",
        "endpoint",
        "missing_required_parameter",
    ),
    (
        {"completion_window": None},
        "Missing required parameter: 'completion_window'.",
        "completion_window",
        "missing_required_parameter",
    ),
    (
        {"endpoint": "/v1/bad"},
        "Invalid value: '/v1/bad'. Supported values are: ",
        "endpoint",
        "invalid_value",
    ),
    (
        {"completion_window": "30m"},
        "Invalid value: '30m'. Supported values are: '24h'.",
        "completion_window",
        "invalid_value",
    ),
    (
        {"metadata": {"tags": []}},
        "Invalid type for 'metadata.tags': expected a string, but got an array instead.",
        "metadata.tags",
        "invalid_type",
    ),
    (
        {"input_file_id": 7},
        "Invalid type for 'input_file_id': expected a string, but got an integer instead.",
        "input_file_id",
        "invalid_type",
    ),
    (
        {"endpoint": ["x"]},
        "Invalid type for 'endpoint': expected a string, but got an array instead.",
        "endpoint",
        "invalid_type",
    ),
    (
        {"completion_window": 24},
        "Invalid type for 'completion_window': expected a string, but got an integer instead.",
        "completion_window",
        "invalid_type",
    ),
    (
        {"metadata": "x"},
        "Invalid type for 'metadata': expected an object, but got a string instead.",
        "metadata",
        "invalid_type",
    ),
    (
        {"metadata": {"n": 5}},
        "Invalid type for 'metadata.n': expected a string, but got an integer instead.",
        "metadata.n",
        "invalid_type",
    ),
    (
        {"output_expires_after": {"anchor": "created_at"}},
        "Missing required parameter: 'output_expires_after.seconds'.",
        "output_expires_after.seconds",
        "missing_required_parameter",
    ),
    (
        {"output_expires_after": {"anchor": "now", "seconds": 3600}},
        "Invalid value: 'now'. Supported values are: 'created_at'.",
        "output_expires_after.anchor",
        "invalid_value",
    ),
    (
        {"output_expires_after": {"anchor": "created_at", "seconds": 10**30}},
        "Invalid 'output_expires_after.seconds': integer above maximum value.",
        "output_expires_after.seconds",
        "integer_above_max_value",
    ),
    (
        {"metadata": {f"k{i}": "v" for i in range(17)}},
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with 17 properties instead.",
        "metadata",
        "object_above_max_properties",
    ),
    (
        {"metadata": {"k": "v" * 600}},
        "Invalid 'metadata.k': string too long. Expected a string with maximum length 512, but got a string with length 600 instead.",
        "metadata.k",
        "string_above_max_length",
    ),
    (
        {"metadata": {"k" * 65: "v"}},
        f"Invalid property name in 'metadata': '{'k' * 65}' is too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
        "metadata",
        "property_name_above_max_length",
    ),
    (
        {"output_expires_after": {"anchor": "created_at", "seconds": 10}},
        "Invalid 'output_expires_after.seconds': integer below minimum value. Expected a value >= 3600, but got 10 instead.",
        "output_expires_after.seconds",
        "integer_below_min_value",
    ),
    (
        {"output_expires_after": {"anchor": "created_at", "seconds": 9999999}},
        "Invalid 'output_expires_after.seconds': integer above maximum value.",
        "output_expires_after.seconds",
        "integer_above_max_value",
    ),
]


@pytest.mark.parametrize(
    "changes,message,param,code",
    CREATE_ERRORS,
    ids=[f"{i}-{e[3]}-{e[2]}" for i, e in enumerate(CREATE_ERRORS)],
)
def test_create_time_errors(server, changes, message, param, code):
    status, _, body = create(server, **changes)
    error = body["error"]
    assert status == 400 and error["message"].startswith(message)
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)


@pytest.mark.parametrize("text", [b"{nope", b"", b"[]", b'"x"', b"null", b"{} {}", b'{"a":"\xff"}'])
def test_create_body_that_is_not_json(server, text):
    status, _, body = server.http("POST", "/v1/batches", text, {"Content-Type": "application/json"})
    error = json.loads(body)["error"]
    assert status == 400 and error["message"].startswith(
        "We could not parse the JSON body of your request."
    )


def test_extra_parameters_are_ignored(server):
    file = server.upload(batch_rows(1))
    batch = server.client().batches.create(
        input_file_id=file.id, endpoint=CHAT, completion_window="24h", extra_body={"priority": 3}
    )
    assert server.wait(batch).status == "completed"


def test_output_expires_after(start):
    server = start.pair("--fault", "status-400:0.5")
    batch = server.run(
        batch_rows(40), output_expires_after={"anchor": "created_at", "seconds": 7200}
    )
    for id in (batch.output_file_id, batch.error_file_id):
        file = server.client().files.retrieve(id)
        assert file.expires_at == file.created_at + 7200
        assert file.created_at >= batch.finalizing_at


def test_async_client(server):
    async def life():
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key=server.key) as client:
            file = await client.files.create(file=("a.jsonl", batch_rows(2)), purpose="batch")
            batch = await client.batches.create(
                input_file_id=file.id, endpoint=CHAT, completion_window="24h"
            )
            while batch.status not in TERMINAL:
                await asyncio.sleep(0.02)
                batch = await client.batches.retrieve(batch.id)
            return batch.status

    assert asyncio.run(life()) == "completed"


def test_results_live_thirty_days_by_default(server):
    file = server.client().files.retrieve(server.run(batch_rows(1)).output_file_id)
    assert file.expires_at == file.created_at + 2592000


BODIES = {
    "/v1/chat/completions": {"model": "sim-model", "messages": []},
    "/v1/completions": {"model": "sim-model", "prompt": "x"},
    "/v1/embeddings": {"model": "sim-model", "input": "x", "encoding_format": "base64"},
    "/v1/responses": {"model": "sim-model", "input": "x"},
    "/v1/moderations": {"model": "sim-model", "input": ["x"]},
    "/v1/images/generations": {"model": "sim-model", "prompt": "x"},
    "/v1/images/edits": {"model": "sim-model", "prompt": "x", "images": [{"image_url": "u"}]},
    "/v1/videos": {"model": "sim-model", "prompt": "x", "input_reference": {"file_id": "f"}},
}


def test_all_eight_endpoints(start):
    echo = start.echo()
    server = start.server({"upstreams": [upstream(echo.url)]})
    for endpoint, body in BODIES.items():
        line = {"custom_id": "a", "method": "POST", "url": endpoint, "body": body}
        batch = server.run(jsonl([line]), endpoint)
        assert (batch.status, batch.endpoint) == ("completed", endpoint), batch.errors
        assert json.loads(echo.bodies[-1]) == body
        assert server.results(batch)[0]["a"]["response"]["body"] == {"ok": 1}


@pytest.mark.parametrize("window,seconds", [("1h", 3600), ("36h", 129600), ("7d", 604800)])
def test_windows(server, window, seconds):
    status, _, batch = create(server, completion_window=window)
    assert status == 200 and batch["completion_window"] == window
    assert batch["expires_at"] == batch["created_at"] + seconds


def test_every_row_failed(start):
    echo = start.echo(answer=b'{"error":{"message":"no"}}', status=400)
    server = start.server({"upstreams": [upstream(echo.url)]})
    batch = server.run(batch_rows(9))
    assert batch.status == "completed" and batch.output_file_id is None and batch.error_file_id
    counts = batch.request_counts
    assert (counts.total, counts.completed, counts.failed) == (9, 0, 9)
    _, errors = server.results(batch)
    assert len(errors) == 9
    for line in errors.values():
        assert line["error"] is None and line["response"]["status_code"] == 400
        assert line["response"]["body"] == {"error": {"message": "no"}}
    assert batch.usage.total_tokens == 0


def test_cancel_before_the_start(start):
    # The upstream has not said which models it serves, so the input is still being checked.
    nobody = {"name": "nobody", "base_url": f"http://127.0.0.1:{free_port()}/v1"}
    server = start.server({"upstreams": [nobody], "retry": {"never_reached_timeout": "2s"}})
    client = server.client(_strict_response_validation=True)
    batch = server.submit(batch_rows(3))
    assert client.batches.retrieve(batch.id).status == "validating"
    assert client.batches.cancel(batch.id).status == "cancelling"
    assert client.batches.cancel(batch.id).status == "cancelling"
    batch = server.wait(batch)
    assert batch.status == "cancelled" and batch.in_progress_at is None and batch.errors is None
    assert batch.output_file_id is None and batch.error_file_id is None
    assert batch.created_at <= batch.cancelling_at <= batch.cancelled_at
    counts = batch.request_counts
    assert (counts.total, counts.completed, counts.failed) == (0, 0, 0)


def close_window(server, batch):
    """Stops the server, lets the batch's window end in the past, and starts it again."""
    server.stop(signal.SIGKILL)
    path = next(server.data.glob("*.db"))
    with sqlite3.connect(path) as store:
        changed = store.execute(
            "UPDATE batches SET expires_at = created_at WHERE id = ?", [batch.id]
        )
        assert changed.rowcount == 1
    store.close()
    server.start()


def test_expiry_in_the_middle(start):
    server = start.pair("--latency-ms", "50", max_concurrency=2)
    client = server.client(_strict_response_validation=True)
    batch = server.submit(batch_rows(400))
    eventually(lambda: client.batches.retrieve(batch.id).request_counts.completed > 0)
    close_window(server, batch)
    server.wait(batch)
    batch = client.batches.retrieve(batch.id)
    assert batch.status == "expired" and batch.expired_at and batch.errors is None
    assert batch.finalizing_at and batch.completed_at is None and batch.cancelled_at is None
    counts = batch.request_counts
    assert counts.total == 400 and 0 < counts.completed < 400 and counts.failed == 0
    output, errors = server.results(batch)
    assert len(output) == counts.completed and len(output) + len(errors) == 400
    for line in errors.values():
        assert line["response"] is None and line["error"] == {
            "code": "batch_expired",
            "message": "This request could not be executed before the completion window expired.",
        }
    status, _, body = server.http("POST", f"/v1/batches/{batch.id}/cancel")
    message = json.loads(body)["error"]["message"]
    assert (status, message) == (409, "Cannot cancel a batch with status 'expired'.")


def test_window_that_closed_while_the_input_was_checked(start):
    server = start.pair()
    nobody = {"name": "nobody", "base_url": f"http://127.0.0.1:{free_port()}/v1"}
    both = json.loads(server.config.read_text())
    server.stop()
    server.config.write_text(json.dumps({"upstreams": [nobody]}))
    server.start()
    batch = server.submit(batch_rows(3))
    server.config.write_text(json.dumps(both))
    close_window(server, batch)
    batch = server.wait(batch)
    assert batch.status == "expired" and batch.request_counts.total == 3
    assert {line["error"]["code"] for line in server.results(batch)[1].values()} == {
        "batch_expired"
    }


def test_cancel_of_a_failed_batch(server):
    batch = server.run(b"{}\n")
    status, _, body = server.http("POST", f"/v1/batches/{batch.id}/cancel")
    message = json.loads(body)["error"]["message"]
    assert (status, message) == (409, "Cannot cancel a batch with status 'failed'.")


def test_of_members_that_appear_twice_the_last_counts(server):
    text = '{"input_file_id":"file-a","endpoint":"/v1/bad","endpoint":"%s",' % CHAT
    text += '"completion_window":"24h","metadata":{"k":"1","k":"2"},"input_file_id":"file-b"}'
    status, _, body = server.http(
        "POST", "/v1/batches", text, {"Content-Type": "application/json"}
    )
    batch = json.loads(body)
    assert status == 200 and batch["input_file_id"] == "file-b"
    assert batch["metadata"] == {"k": "2"}
