"""Contract sections 3.7 and 3.8: cancel, and what create refuses."""

import json
import re

import contract
import harness
import pytest
from contract import answers, refusal, refuses
from harness import eventually

fact = contract.table()


def same(found, wanted):
    assert found == wanted


# 3.7
def cancelled(api, name):
    return api.post(f"/v1/batches/{getattr(api.outcomes, name)['id']}/cancel", {})


fact(
    "3.7",
    "forum/issue",
    "cancel of a cancelled batch answers it unchanged",
    lambda a: same(cancelled(a, "cancelled").ok(), a.outcomes.cancelled),
)
for _name in ("completed", "failed"):
    fact(
        "3.7",
        "forum/issue",
        f"cancel of a {_name} batch is a conflict",
        refusal(
            lambda a, n=_name: cancelled(a, n), 409, f"Cannot cancel a batch with status '{_name}'."
        ),
    )
fact(
    "3.7",
    "measured x3",
    "that conflict is not to be retried",
    lambda a: same(cancelled(a, "completed").headers["x-should-retry"], "false"),
)
fact(
    "3.7",
    "forum/issue",
    "cancel of an unknown batch",
    refusal(
        lambda a: a.post("/v1/batches/batch_x/cancel", {}), 404, "No batch found with id 'batch_x'."
    ),
)


@fact("3.7", "spec", "cancel of a running batch answers it as cancelling")
def _(api):
    data = harness.batch_rows(40, model="slow-model")
    batch = api.batch(input_file_id=api.file(data).ok()["id"]).ok()
    path = f"/v1/batches/{batch['id']}"
    eventually(lambda: api.get(path).ok()["status"] == "in_progress")
    first, again = api.post(path + "/cancel", {}).ok(), api.post(path + "/cancel", {}).ok()
    assert first["status"] == "cancelling" and first["cancelling_at"]
    assert again["status"] in ("cancelling", "cancelled")
    assert again["cancelling_at"] == first["cancelling_at"]
    assert api.ended(batch["id"])["status"] == "cancelled"


# 3.8
SUPPORTED = re.compile(
    r"Invalid value: '/v1/invalid/endpoint'\. Supported values are: "
    r"('/v1/[a-z/]+', )+and '/v1/[a-z/]+'\."
)
LONG = "k" * 65
ERRORS = [
    (
        "forum/issue",
        "endpoint is outside the enum",
        {"endpoint": "/v1/invalid/endpoint"},
        SUPPORTED,
        "endpoint",
        "invalid_value",
    ),
    (
        "forum/issue",
        "another window",
        {"completion_window": "30m"},
        re.compile(r"Invalid value: '30m'\. Supported values are: '24h'.*"),
        "completion_window",
        "invalid_value",
    ),
    (
        "forum/issue",
        "a metadata value is no string",
        {"metadata": {"tags": []}},
        "Invalid type for 'metadata.tags': expected a string, but got an array instead.",
        "metadata.tags",
        "invalid_type",
    ),
    (
        "forum/issue",
        "a metadata value is an integer",
        {"metadata": {"n": 1}},
        "Invalid type for 'metadata.n': expected a string, but got an integer instead.",
        "metadata.n",
        "invalid_type",
    ),
    (
        "forum/issue",
        "too many metadata pairs",
        {"metadata": {f"k{i}": "" for i in range(17)}},
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
        "but got an object with 17 properties instead.",
        "metadata",
        "object_above_max_properties",
    ),
    (
        "forum/issue",
        "a metadata value is too long",
        {"metadata": {"k": "v" * 600}},
        "Invalid 'metadata.k': string too long. Expected a string with maximum length 512, "
        "but got a string with length 600 instead.",
        "metadata.k",
        "string_above_max_length",
    ),
    (
        "forum/issue",
        "a metadata key is too long",
        {"metadata": {LONG: "v"}},
        f"Invalid property name in 'metadata': '{LONG}' is too long. Expected a string with maximum "
        "length 64, but got a string with length 65 instead.",
        "metadata",
        "property_name_above_max_length",
    ),
    (
        "inferred",
        "output_expires_after is too short",
        {"output_expires_after": {"anchor": "created_at", "seconds": 10}},
        "Invalid 'output_expires_after.seconds': integer below minimum value. Expected a value >= 3600, "
        "but got 10 instead.",
        "output_expires_after.seconds",
        "integer_below_min_value",
    ),
    (
        "inferred",
        "output_expires_after is too long",
        {"output_expires_after": {"anchor": "created_at", "seconds": 2592001}},
        "Invalid 'output_expires_after.seconds': integer above maximum value. Expected a value <= 2592000, "
        "but got 2592001 instead.",
        "output_expires_after.seconds",
        "integer_above_max_value",
    ),
    (
        "spec",
        "output_expires_after has another anchor",
        {"output_expires_after": {"anchor": "x", "seconds": 3600}},
        re.compile(r"Invalid value: 'x'\. Supported values are: 'created_at'\."),
        "output_expires_after.anchor",
        "invalid_value",
    ),
    (
        "spec",
        "output_expires_after lacks seconds",
        {"output_expires_after": {"anchor": "created_at"}},
        "Missing required parameter: 'output_expires_after.seconds'.",
        "output_expires_after.seconds",
        "missing_required_parameter",
    ),
    (
        "inferred",
        "input_file_id is no string",
        {"input_file_id": 7},
        "Invalid type for 'input_file_id': expected a string, but got an integer instead.",
        "input_file_id",
        "invalid_type",
    ),
]
for _name in ("input_file_id", "endpoint", "completion_window"):
    ERRORS.append(
        (
            "forum/issue",
            f"{_name} is missing",
            {_name: None},
            f"Missing required parameter: '{_name}'.",
            _name,
            "missing_required_parameter",
        )
    )
for _tag, _text, _changes, _message, _param, _code in ERRORS:
    fact(
        "3.8",
        _tag,
        _text,
        refusal(lambda a, c=_changes: a.batch(**c), 400, _message, _param, _code),
    )
for _body in (b"{nope", b"", b"[1]", b'{"a":1} x'):
    fact(
        "3.8",
        "forum/issue",
        f"the body {_body.decode()!r} is no JSON object",
        lambda a, b=_body: not_json(a, b),
    )


def not_json(api, body):
    reply = api.post("/v1/batches", body)
    assert reply.status == 400 and reply.error["type"] == "invalid_request_error"
    if body == b"{nope":
        refuses(400, re.compile(r"We could not parse the JSON body of your request\..*"))(reply)


fact(
    "3.8",
    "forum/issue",
    "an unknown input_file_id is no create-time error",
    answers(lambda a: a.batch(), lambda b: b["status"] == "validating"),
)
fact(
    "3.8",
    "inferred",
    "unknown parameters are ignored",
    answers(lambda a: a.batch(priority=3, extra={"a": [1]}), lambda b: b["status"] == "validating"),
)


@fact("3.8", "inferred", "an input file of another purpose fails in validation")
def _(api):
    file = api.file(purpose="user_data").ok()
    batch = api.ended(api.batch(input_file_id=file["id"]).ok()["id"])
    error = batch["errors"]["data"][0]
    assert batch["status"] == "failed" and error["code"] == "invalid_request", json.dumps(batch)
    assert error["param"] == "file_id"


@pytest.mark.parametrize("case", **contract.parameters(fact.rows))
def test_batch_errors(case, contract_caller):
    case.check(contract_caller)
