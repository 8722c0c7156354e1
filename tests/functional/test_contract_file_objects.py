"""Contract sections 1.5 to 1.8: lists, objects, result files, identifiers."""

import re

import contract
import pytest
from contract import DATA, MONTH, answers, refusal

fact = contract.table()
FILE_KEYS = "id bytes created_at filename object purpose status expires_at status_details".split()


def made(api, **options):
    return api.file(**options).ok()


def path_of(file, rest=""):
    return f"/v1/files/{file['id']}{rest}"


def assert_equal(found, wanted):
    assert found == wanted


# 1.5
fact(
    "1.5",
    "spec",
    "the envelope is object, data, first_id, last_id, has_more",
    answers(
        lambda a: a.get("/v1/files?limit=1"),
        lambda x: list(x) == ["object", "data", "first_id", "last_id", "has_more"],
    ),
)
fact(
    "1.5",
    "inferred",
    "an empty list has null ids",
    answers(
        lambda a: a.get("/v1/files?purpose=nobodys"),
        lambda x: (
            x
            == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
        ),
    ),
)
fact(
    "1.5",
    "spec",
    "purpose filters, and is no enum",
    answers(
        lambda a: a.get("/v1/files?purpose=batch_output&limit=5"),
        lambda x: all(f["purpose"] == "batch_output" for f in x["data"]),
    ),
)
fact(
    "1.5",
    "spec",
    "limit may be 10000",
    answers(lambda a: a.get("/v1/files?limit=10000"), lambda x: x["data"]),
)
for _limit, _code in (("0", "integer_below_min_value"), ("10001", "integer_above_max_value")):
    fact(
        "1.5",
        "spec",
        f"limit may not be {_limit}",
        refusal(
            lambda a, n=_limit: a.get(f"/v1/files?limit={n}"),
            400,
            re.compile(
                r"Invalid 'limit': integer (below minimum|above maximum) value\. "
                r"Expected a value [<>]= \d+, but got \d+ instead\."
            ),
            "limit",
            _code,
        ),
    )
fact(
    "1.5",
    "spec",
    "limit is an integer",
    lambda a: assert_equal(a.get("/v1/files?limit=many").error["param"], "limit"),
)


@fact("1.5", "spec", "order is asc or desc by created_at, desc by default")
def _(api):
    def listed(order):
        return [f["id"] for f in api.get(f"/v1/files?purpose=evals{order}").ok()["data"]]

    for _ in range(2):
        made(api, purpose="evals")
    assert listed("") == listed("&order=desc") == listed("&order=asc")[::-1]
    refused = api.get("/v1/files?order=up").error
    assert (refused["param"], refused["code"]) == ("order", "invalid_value")


@fact("1.5", "spec", "after is a cursor")
def _(api):
    ids = [made(api, purpose="evals")["id"] for _ in range(3)]
    page = api.get(f"/v1/files?purpose=evals&limit=1&after={ids[2]}").ok()
    assert (page["first_id"], page["last_id"], page["has_more"]) == (ids[1], ids[1], True)


# 1.6
fact(
    "1.6",
    "forum/issue",
    "the key order of a File",
    answers(lambda a: a.file(), lambda f: list(f) == FILE_KEYS),
)
fact(
    "1.6",
    "spec",
    "bytes is the size of the content",
    answers(lambda a: a.file(), lambda f: f["bytes"] == len(DATA)),
)
fact(
    "1.6",
    "spec",
    "created_at is in whole seconds",
    answers(lambda a: a.file(), lambda f: isinstance(f["created_at"], int)),
)
fact(
    "1.6",
    "forum/issue",
    "status is processed at once",
    answers(lambda a: a.file(), lambda f: f["status"] == "processed"),
)
fact(
    "1.6",
    "forum/issue",
    "status_details is null",
    answers(lambda a: a.file(), lambda f: f["status_details"] is None),
)


# 1.7
def outputs(api):
    batch = api.outcomes.mixed
    return batch, *(
        api.get(f"/v1/files/{batch[k]}").ok() for k in ("output_file_id", "error_file_id")
    )


@fact("1.7", "spec", "output and error file have the purpose batch_output")
def _(api):
    assert {f["purpose"] for f in outputs(api)[1:]} == {"batch_output"}


@fact("1.7", "inferred", "their names are <batch id>_output.jsonl and <batch id>_error.jsonl")
def _(api):
    batch, output, error = outputs(api)
    names = [f"{batch['id']}_output.jsonl", f"{batch['id']}_error.jsonl"]
    assert [output["filename"], error["filename"]] == names


@fact("1.7", "docs", "they expire 30 days after the batch completes")
def _(api):
    batch, output, _ = outputs(api)
    assert abs(output["expires_at"] - batch["completed_at"] - MONTH) <= 1


@fact("1.7", "spec", "output_expires_after counts from the file's creation")
def _(api):
    file = made(api)
    fields = {"anchor": "created_at", "seconds": 3600}
    reply = api.batch(input_file_id=file["id"], output_expires_after=fields)
    batch = api.ended(reply.ok()["id"])
    output = api.get(f"/v1/files/{batch['output_file_id']}").ok()
    assert output["expires_at"] == output["created_at"] + 3600


fact(
    "1.7",
    "forum/issue",
    "no error file without a line",
    lambda a: assert_equal(a.outcomes.completed["error_file_id"], None),
)
fact(
    "1.7",
    "forum/issue",
    "no output file without a line",
    lambda a: assert_equal(a.outcomes.refused["output_file_id"], None),
)


@fact("1.7", "ours", "a range of the content is answered with 206")
def _(api):
    reply = api.get(path_of(made(api), "/content"), headers={"Range": "bytes=3-9"})
    assert (reply.status, reply.data) == (206, DATA[3:10])
    assert reply.headers["content-range"] == f"bytes 3-9/{len(DATA)}"


@fact("1.7", "inferred", "content of a deleted or unknown file is 404")
def _(api):
    file = made(api)
    api.call("DELETE", path_of(file)).ok()
    for path in (path_of(file, "/content"), "/v1/files/file-nope/content"):
        assert api.get(path).error["param"] == "id"


# 1.8
for _what, _find, _shape in (
    ("file", lambda a: a.file().ok()["id"], r"file-[A-Za-z0-9]{22}"),
    ("batch", lambda a: a.outcomes.completed["id"], r"batch_[0-9a-f]{32}"),
    (
        "row",
        lambda a: a.lines(a.outcomes.completed["output_file_id"])[0]["id"],
        r"batch_req_[0-9a-f]{32}",
    ),
    ("request", lambda a: a.get("/v1/files?limit=1").headers["x-request-id"], r"req_[0-9a-f]{32}"),
):
    fact(
        "1.8",
        "forum/issue",
        f"the shape of a {_what} id",
        lambda a, f=_find, s=_shape: assert_equal(bool(re.fullmatch(s, f(a))), True),
    )


@fact("1.8", "forum/issue", "the first eight digits of a batch id are its time")
def _(api):
    batch = api.outcomes.completed
    assert abs(int(batch["id"][6:14], 16) - batch["created_at"]) <= 1


@fact("1.8", "forum/issue", "a batch row's request_id has no fixed shape: it is the upstream's")
def _(api):
    line = api.lines(api.outcomes.completed["output_file_id"])[0]
    assert line["response"]["request_id"].startswith("req_sim_"), line


@pytest.mark.parametrize("case", **contract.parameters(fact.rows))
def test_file_objects(case, contract_caller):
    case.check(contract_caller)
