"""Contract sections 3.1 to 3.6: batches and their objects."""

import contract
import harness
import pytest
from contract import DAY, answers, refusal

fact = contract.table()
ENDPOINTS = (
    "/v1/responses /v1/chat/completions /v1/embeddings /v1/completions /v1/moderations "
    "/v1/images/generations /v1/images/edits /v1/videos"
).split()
BATCH_KEYS = (
    "id object endpoint model errors input_file_id completion_window status output_file_id "
    "error_file_id created_at in_progress_at expires_at finalizing_at completed_at failed_at "
    "expired_at cancelling_at cancelled_at request_counts usage metadata"
).split()
LATER = (
    "in_progress_at finalizing_at completed_at failed_at expired_at cancelling_at cancelled_at"
).split()
ZERO = {
    "input_tokens": 0,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 0,
}


def same(found, wanted):
    assert found == wanted


def new(api, **changes):
    return api.batch(**changes)


# 3.1
fact(
    "3.1",
    "spec",
    "POST /batches answers a Batch that is validating",
    answers(new, lambda b: (b["object"], b["status"]) == ("batch", "validating")),
)
fact(
    "3.1",
    "spec",
    "GET /batches/{id} answers that Batch",
    lambda a: same(a.get(f"/v1/batches/{a.outcomes.completed['id']}").ok(), a.outcomes.completed),
)
fact(
    "3.1",
    "spec",
    "the list envelope",
    answers(
        lambda a: a.get("/v1/batches?limit=1"),
        lambda x: list(x) == ["object", "data", "first_id", "last_id", "has_more"],
    ),
)
fact(
    "3.1",
    "spec",
    "a page has 20 batches by default",
    lambda a: ([new(a) for _ in range(21)], same(len(a.get("/v1/batches").ok()["data"]), 20)),
)
fact(
    "3.1",
    "spec",
    "limit may be 100",
    answers(lambda a: a.get("/v1/batches?limit=100"), lambda x: x["data"]),
)
for _limit, _code, _word in (
    ("0", "integer_below_min_value", "below minimum value. Expected a value >= 1"),
    ("101", "integer_above_max_value", "above maximum value. Expected a value <= 100"),
):
    fact(
        "3.1",
        "inferred",
        f"limit may not be {_limit}",
        refusal(
            lambda a, n=_limit: a.get(f"/v1/batches?limit={n}"),
            400,
            f"Invalid 'limit': integer {_word}, but got {_limit} instead.",
            "limit",
            _code,
        ),
    )


@fact("3.1", "inferred", "newest first, after is a cursor")
def _(api):
    ids = [new(api).ok()["id"] for _ in range(3)]
    page = api.get(f"/v1/batches?limit=2&after={ids[2]}").ok()
    assert [b["id"] for b in page["data"]] == [ids[1], ids[0]] and page["has_more"]
    assert (page["first_id"], page["last_id"]) == (ids[1], ids[0])


@fact("3.1", "measured x3", "cancel with a JSON type and no body, or with neither")
def _(api):
    done = api.outcomes.cancelled
    path = f"/v1/batches/{done['id']}/cancel"
    for headers in (contract.JSON, {}):
        assert api.call("POST", path, b"", headers).ok() == done


# 3.2 and 3.3
fact(
    "3.2",
    "spec",
    "metadata is echoed",
    answers(lambda a: new(a, metadata={"a": "b"}), lambda b: b["metadata"] == {"a": "b"}),
)
fact(
    "3.2",
    "spec",
    "metadata may be null",
    lambda a: same(
        a.post(
            "/v1/batches",
            {
                "input_file_id": "x",
                "endpoint": ENDPOINTS[1],
                "completion_window": "24h",
                "metadata": None,
            },
        ).ok()["metadata"],
        None,
    ),
)
fact(
    "3.2",
    "spec",
    "16 pairs, keys of 64, values of 512 characters are allowed",
    answers(
        lambda a: new(a, metadata={f"{i:064}": "ü" * 512 for i in range(16)}),
        lambda b: len(b["metadata"]) == 16,
    ),
)
for _endpoint in ENDPOINTS:
    fact(
        "3.3",
        "spec",
        f"endpoint {_endpoint} is accepted",
        answers(
            lambda a, e=_endpoint: new(a, endpoint=e), lambda b, e=_endpoint: b["endpoint"] == e
        ),
    )

# 3.4
fact("3.4", "spec", "the key order of a Batch", answers(new, lambda b: list(b) == BATCH_KEYS))
fact(
    "3.4",
    "spec",
    "the keys stay when it has ended",
    lambda a: same(list(a.outcomes.completed), BATCH_KEYS),
)
fact(
    "3.4",
    "forum/issue",
    "expires_at is set at creation: a day later",
    answers(new, lambda b: b["expires_at"] == b["created_at"] + DAY),
)
fact(
    "3.4",
    "spec",
    "later timestamps are null at first",
    answers(new, lambda b: all(b[k] is None for k in LATER)),
)
fact(
    "3.4",
    "spec",
    "model, errors and file ids are null at first",
    answers(
        new,
        lambda b: all(b[k] is None for k in ("model", "errors", "output_file_id", "error_file_id")),
    ),
)
fact(
    "3.4",
    "forum/issue",
    "request_counts are there from the beginning",
    answers(new, lambda b: b["request_counts"] == {"total": 0, "completed": 0, "failed": 0}),
)
fact(
    "3.4",
    "forum/issue",
    "usage is there with zeros from the beginning",
    answers(new, lambda b: b["usage"] == ZERO),
)
fact(
    "3.4",
    "forum/issue",
    "metadata is null when not given",
    answers(new, lambda b: b["metadata"] is None),
)
fact(
    "3.4",
    "forum/issue",
    "completed counts the rows that succeeded only",
    lambda a: same(
        (c := a.outcomes.mixed["request_counts"])["completed"] + c["failed"], c["total"]
    ),
)
fact(
    "3.4",
    "spec",
    "usage is the sum over the rows",
    lambda a: same(
        a.outcomes.completed["usage"]["total_tokens"],
        sum(
            r["response"]["body"]["usage"]["total_tokens"]
            for r in a.lines(a.outcomes.completed["output_file_id"])
        ),
    ),
)
fact(
    "3.4",
    "forum/issue",
    "model is the resolved one",
    lambda a: same(a.ended(new(a, input_file_id=aliased(a)).ok()["id"])["model"], "stub-model"),
)
fact(
    "3.4",
    "spec",
    "an error of a batch has code, message, param, line",
    lambda a: same(
        {tuple(sorted(e)) for e in a.outcomes.failed["errors"]["data"]},
        {("code", "line", "message", "param")},
    ),
)
fact(
    "3.4",
    "spec",
    "errors is a list object",
    lambda a: same(a.outcomes.failed["errors"]["object"], "list"),
)


def aliased(api):
    return api.file(harness.batch_rows(2, model="gpt-4o-mini")).ok()["id"]


# 3.5
def stamps(batch, *names):
    found = [batch[n] for n in names]
    assert None not in found and found == sorted(found), batch


fact(
    "3.5",
    "docs",
    "completed: in_progress, finalizing and completed have their times in order",
    lambda a: stamps(
        a.outcomes.completed, "created_at", "in_progress_at", "finalizing_at", "completed_at"
    ),
)
fact(
    "3.5",
    "forum/issue",
    "failed: failed_at is set, in_progress_at is null, expires_at stays",
    lambda a: (
        stamps(a.outcomes.failed, "created_at", "failed_at", "expires_at"),
        same(a.outcomes.failed["in_progress_at"], None),
    ),
)
fact(
    "3.5",
    "spec",
    "cancelled: cancelling and cancelled have their times",
    lambda a: stamps(
        a.outcomes.cancelled, "created_at", "in_progress_at", "cancelling_at", "cancelled_at"
    ),
)
for _status, _unset in (
    ("completed", ("failed_at", "expired_at", "cancelling_at", "cancelled_at")),
    ("failed", ("completed_at", "expired_at", "cancelling_at", "cancelled_at")),
    ("cancelled", ("completed_at", "failed_at", "expired_at")),
):
    fact(
        "3.5",
        "docs",
        f"{_status}: no other end has a time",
        lambda a, s=_status, u=_unset: same({getattr(a.outcomes, s)[k] for k in u}, {None}),
    )
for _window, _seconds in (("1h", 3600), ("36h", 36 * 3600), ("7d", 7 * DAY)):
    fact(
        "3.5",
        "ours",
        f"window {_window}: expires_at is created_at plus it",
        answers(
            lambda a, w=_window: new(a, completion_window=w),
            lambda b, s=_seconds: b["expires_at"] == b["created_at"] + s,
        ),
    )

# 3.6
RESULTS = [
    (
        "forum/issue",
        "all rows 200",
        "completed",
        lambda c: c["completed"] == c["total"] == 12,
        True,
        False,
    ),
    (
        "forum/issue",
        "some rows refused",
        "mixed",
        lambda c: c["failed"] > 0 < c["completed"],
        True,
        True,
    ),
    (
        "forum/issue",
        "every row refused: still completed",
        "refused",
        lambda c: c["failed"] == 9 == c["total"],
        False,
        True,
    ),
    (
        "forum/issue",
        "failed in validation: 0/0/0, no files",
        "failed",
        lambda c: set(c.values()) == {0},
        False,
        False,
    ),
    (
        "forum/issue",
        "cancelled midway: failed 0, un-run rows in the error file",
        "cancelled",
        lambda c: c["failed"] == 0 < c["completed"] < c["total"] == 40,
        True,
        True,
    ),
]
for _tag, _text, _name, _counts, _output, _error in RESULTS:
    fact(
        "3.6",
        _tag,
        _text,
        lambda a, n=_name, c=_counts, o=_output, e=_error: check_result(a, n, c, o, e),
    )


def check_result(api, name, counts, output, error):
    batch = getattr(api.outcomes, name)
    assert counts(batch["request_counts"]), batch
    assert (batch["output_file_id"] is not None, batch["error_file_id"] is not None) == (
        output,
        error,
    )
    wanted = {"mixed": "completed", "refused": "completed"}.get(name, name)
    assert batch["status"] == wanted


@fact("3.6", "inferred", "cancelled before the start: no row completed, no output file")
def _(api):
    batch = new(
        api, input_file_id=api.file(harness.batch_rows(400, model="slow-model")).ok()["id"]
    ).ok()
    api.post(f"/v1/batches/{batch['id']}/cancel").ok()
    ended = api.ended(batch["id"])
    assert ended["status"] == "cancelled" and ended["request_counts"]["failed"] == 0
    assert ended["request_counts"]["total"] in (0, 400)


@fact("3.6", "forum/issue", "an input file deleted before validation: Cannot find file")
def _(api):
    file = api.file().ok()
    api.call("DELETE", f"/v1/files/{file['id']}").ok()
    batch = api.ended(new(api, input_file_id=file["id"]).ok()["id"])
    assert batch["errors"]["data"][0]["message"].startswith(f"Cannot find file {file['id']}")


@pytest.mark.parametrize("case", **contract.parameters(fact.rows))
def test_batches(case, contract_caller):
    case.check(contract_caller)
