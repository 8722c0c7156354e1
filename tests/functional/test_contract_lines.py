"""Contract sections 4 and 5: input lines, output and error lines."""

import json
import re

import contract
import harness
import pytest
from harness import CHAT, jsonl, row

fact = contract.table()


def same(found, wanted):
    assert found == wanted


def errors_of(api, data, endpoint=CHAT):
    batch = api.validated(data, endpoint)
    assert batch["status"] == "failed", batch
    return [(e["code"], e["message"], e["param"], e["line"]) for e in batch["errors"]["data"]]


def lacking(name):
    line = row("a")
    del line[name]
    return line


def bodied(**changes):
    """A row whose body has members changed; one given as None is left out."""
    line = row("a")
    line["body"] = {k: v for k, v in (line["body"] | changes).items() if v is not None}
    return line


# 4.2
GOOD = [
    ("inferred", "a last line without a newline", jsonl([row("a"), row("b")])[:-1], 2),
    ("inferred", "CRLF", jsonl([row("a"), row("b")]).replace(b"\n", b"\r\n"), 2),
    (
        "inferred",
        "blank lines are skipped",
        b"\n".join([jsonl([row("a")]), b"  ", jsonl([row("b")])]),
        2,
    ),
    ("forum/issue", "a custom_id of more than 64 characters", jsonl([row("x" * 200)]), 1),
    ("forum/issue", "stream: false", jsonl([bodied(stream=False)]), 1),
    (
        "forum/issue",
        "a body parameter that no endpoint knows is not checked",
        jsonl([bodied(nonsense={"a": 1})]),
        1,
    ),
    ("spec-old", "further members of a line", jsonl([row("a") | {"note": "x"}]), 1),
]
for _tag, _text, _data, _count in GOOD:
    fact("4.2", _tag, _text, lambda a, d=_data, n=_count: runs(a, d, n))


def runs(api, data, count):
    batch = api.validated(data)
    assert (batch["status"], batch["request_counts"]["completed"]) == ("completed", count), batch


@fact("4.2", "inferred", "blank lines count in the numbers of lines")
def _(api):
    data = b"\n\n" + jsonl([row("a")]) + b"\r\n" + b"nope\n"
    assert [e[3] for e in errors_of(api, data) if e[0] == "invalid_json_line"] == [5]


# 4.3
URL = "The URL provided for this request does not match the batch endpoint."
STREAM = "Chat Completions: Streaming is not supported in the Batch API."
BAD = [
    (
        "forum/issue",
        "invalid_json_line",
        "{nope",
        "This line is not parseable as valid JSON.",
        None,
    ),
    ("forum/issue", "invalid_url", row("a", url="/v1/embeddings"), URL, "url"),
    ("forum/issue", "streaming_unsupported", bodied(stream=True), STREAM, "body.stream"),
    (
        "forum/issue",
        "model_not_found",
        row("a", model="gpt-9"),
        "The provided model 'gpt-9' is not supported by the Batch API.",
        "body.model",
    ),
    (
        "forum/issue",
        "invalid_request",
        bodied(model=None),
        "Model parameter is required.",
        "body.model",
    ),
    (
        "forum/issue",
        "invalid_request",
        bodied(messages=None),
        "Messages parameter is required.",
        "body.messages",
    ),
]
for _name in ("custom_id", "method", "url", "body"):
    BAD.append(
        (
            "forum/issue",
            "missing_required_parameter",
            lacking(_name),
            f"Missing required parameter: '{_name}'.",
            _name,
        )
    )
for _tag, _code, _line, _message, _param in BAD:
    fact(
        "4.3",
        _tag,
        f"{_code} of {_param}: {_message}",
        lambda a, c=_code, r=_line, m=_message, p=_param: one_error(a, c, r, m, p),
    )


def one_error(api, code, line, message, param):
    text = line.encode() + b"\n" if isinstance(line, str) else jsonl([line])
    assert (code, message, param, 2) in errors_of(api, jsonl([row("first")]) + text)


@fact("4.3", "docs", "mismatched_model")
def _(api):
    found = errors_of(api, jsonl([row("a"), row("b", model="stub-model")]))
    assert found == [
        (
            "mismatched_model",
            "The model 'stub-model' for this request does not match the rest of the batch. "
            "Each batch must contain requests for a single model.",
            "body.model",
            2,
        )
    ]


@fact("4.3", "docs", "duplicate_custom_id")
def _(api):
    found = errors_of(api, jsonl([row("a"), row("b"), row("a")]))
    assert found == [
        (
            "duplicate_custom_id",
            "The custom_id 'a' for this request is a duplicate of another request. "
            "The custom_id parameter must be unique for each request in a batch.",
            "custom_id",
            3,
        )
    ]


@fact("4.3", "docs", "url_not_found, or the mismatch with the batch's endpoint")
def _(api):
    found = errors_of(api, jsonl([row("a", url="/v1/nothing")]))
    assert found[0] in (
        (
            "url_not_found",
            "The provided url '/v1/nothing' is not supported by the Batch API.",
            "url",
            1,
        ),
        ("invalid_url", URL, "url", 1),
    )


@fact("4.3", "forum/issue", "an unknown input file")
def _(api):
    batch = api.ended(api.batch(input_file_id="file-none").ok()["id"])
    error = batch["errors"]["data"][0]
    assert (error["code"], error["param"], error["line"]) == ("invalid_request", "file_id", None)
    assert re.fullmatch(
        r"Cannot find file file-none, or organization \S+ does not have access to it\.",
        error["message"],
    )


@fact("4.3", "forum/issue", "the errors of all lines are collected, and no row runs")
def _(api):
    data = jsonl([row("a"), lacking("url"), bodied(stream=True), row("a")]) + b"nope\n"
    batch = api.validated(data)
    assert {e["line"] for e in batch["errors"]["data"]} == {2, 3, 4, 5}
    assert batch["request_counts"] == {"total": 0, "completed": 0, "failed": 0}
    assert batch["output_file_id"] is batch["error_file_id"] is None


@fact("4.3", "inferred", "a method other than POST")
def _(api):
    found = errors_of(api, jsonl([row("a") | {"method": "GET"}]))[0]
    assert (found[0], found[2], found[3]) == ("invalid_method", "method", 1)


for _id in (7, ""):
    fact(
        "4.3",
        "inferred",
        f"custom_id {_id!r}",
        lambda a, i=_id: same(
            (e := errors_of(a, jsonl([row("a") | {"custom_id": i}]))[0])[0:1] + e[2:],
            ("invalid_custom_id", "custom_id", 1),
        ),
    )
fact(
    "4.3",
    "inferred",
    "a line that is JSON but no object",
    lambda a: same(
        (e := errors_of(a, jsonl([row("a")]) + b"[1]\n")[0])[0:1] + e[2:],
        ("invalid_json_line", None, 2),
    ),
)
fact(
    "4.3",
    "inferred",
    "a body that is no object",
    lambda a: same(
        (e := errors_of(a, jsonl([row("a") | {"body": "text"}]))[0])[0:1] + e[2:],
        ("invalid_request", "body", 1),
    ),
)
REQUIRED = {"/v1/embeddings": "input", "/v1/completions": "prompt", "/v1/moderations": "input"}
for _endpoint, _name in REQUIRED.items():
    fact(
        "4.3",
        "inferred",
        f"{_endpoint} needs {_name}",
        lambda a, e=_endpoint, n=_name: needs(a, e, n),
    )


def needs(api, endpoint, name):
    line = {"custom_id": "a", "method": "POST", "url": endpoint, "body": {"model": "sim-model"}}
    found = errors_of(api, jsonl([line]), endpoint)
    assert (found[0][0], found[0][2], found[0][3]) == ("invalid_request", f"body.{name}", 1)


# 5.1
def first(api, name="completed", kind="output"):
    batch = getattr(api.outcomes, name)
    return api.lines(batch[f"{kind}_file_id"])[0]


fact(
    "5.1",
    "forum/issue",
    "the key order of a row",
    lambda a: same(list(first(a)), ["id", "custom_id", "response", "error"]),
)
fact(
    "5.1",
    "spec-old",
    "the members of response",
    lambda a: same(list(first(a)["response"]), ["status_code", "request_id", "body"]),
)
fact(
    "5.1",
    "docs",
    "an output row has status 200 and error null",
    lambda a: same((first(a)["response"]["status_code"], first(a)["error"]), (200, None)),
)
fact(
    "5.1",
    "docs",
    "the body is an object, the synchronous answer",
    lambda a: same(first(a)["response"]["body"]["object"], "chat.completion"),
)
fact(
    "5.1",
    "docs",
    "the body says the resolved model",
    lambda a: same(first(a)["response"]["body"]["model"], "sim-model"),
)


@fact("5.1", "forum/issue", "one object a line, ended by a newline")
def _(api):
    data = api.get(f"/v1/files/{api.outcomes.completed['output_file_id']}/content").data
    assert data.endswith(b"\n") and len(data.splitlines()) == 12
    assert all(isinstance(json.loads(line), dict) for line in data.splitlines())


# 5.2
fact(
    "5.2",
    "forum/issue",
    "a refused row: response with the error body, error null",
    lambda a: same(
        (
            (r := first(a, "refused", "error"))["error"],
            r["response"]["status_code"],
            set(r["response"]["body"]["error"]) >= {"message", "type"},
        ),
        (None, 400, True),
    ),
)
fact(
    "5.2",
    "forum/issue",
    "a row that was cancelled before it ran",
    lambda a: same(
        ((r := first(a, "cancelled", "error"))["response"], r["error"]),
        (
            None,
            {
                "code": "batch_cancelled",
                "message": "This request was not executed because the batch was cancelled.",
            },
        ),
    ),
)


@fact("5.2", "inferred", "each row is in exactly one of the two files, once")
def _(api):
    for batch in (api.outcomes.mixed, api.outcomes.cancelled):
        both = api.lines(batch["output_file_id"]) + api.lines(batch["error_file_id"])
        ids = [line["custom_id"] for line in both]
        assert len(ids) == len(set(ids)) == batch["request_counts"]["total"] == 40


@fact("5.2", "docs", "counts agree with the files")
def _(api):
    batch = api.outcomes.mixed
    counts = batch["request_counts"]
    assert len(api.lines(batch["output_file_id"])) == counts["completed"]
    assert len(api.lines(batch["error_file_id"])) == counts["failed"]


@fact("5.2", "inferred", "a transport failure after all retries is a row with an error of its own")
def _(api):
    data = harness.batch_rows(1, model="broken-stub")
    batch = api.validated(data)
    line = api.lines(batch["error_file_id"])[0]
    assert line["response"]["status_code"] == 500 and line["error"] is None
    assert batch["request_counts"]["failed"] == 1


@pytest.mark.parametrize("case", **contract.parameters(fact.rows))
def test_lines(case, contract_caller):
    case.check(contract_caller)
