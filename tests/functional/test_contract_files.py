"""Contract sections 1.1 to 1.4: files and what is refused at upload."""

import re
import socket

import contract
import harness
import pytest
from contract import DATA, MONTH, answers, refusal

fact = contract.table()
PURPOSES = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
FILE_KEYS = "id bytes created_at filename object purpose status expires_at status_details".split()
NOT_BATCH = "Invalid file format for Batch API. Must be .jsonl"


def made(api, **options):
    return api.file(**options).ok()


def path_of(file, rest=""):
    return f"/v1/files/{file['id']}{rest}"


# 1.1
fact(
    "1.1",
    "spec",
    "POST /files answers a File",
    answers(lambda a: a.file(), lambda f: f["object"] == "file"),
)
fact(
    "1.1",
    "spec",
    "GET /files answers the list envelope of File",
    answers(
        lambda a: a.get("/v1/files?limit=3"),
        lambda x: x["object"] == "list" and all(f["object"] == "file" for f in x["data"]),
    ),
)
fact(
    "1.1",
    "spec",
    "GET /files/{file_id} answers the same File",
    lambda a: (f := made(a)) and assert_equal(a.get(path_of(f)).ok(), f),
)
fact(
    "1.1",
    "spec",
    "DELETE /files/{file_id} answers id, object file, deleted true",
    lambda a: (
        (f := made(a))
        and assert_equal(
            a.call("DELETE", path_of(f)).ok(), {"id": f["id"], "object": "file", "deleted": True}
        )
    ),
)
fact(
    "1.1",
    "spec",
    "GET /files/{file_id}/content answers the raw bytes",
    lambda a: assert_equal(a.get(path_of(made(a), "/content")).data, DATA),
)


def assert_equal(found, wanted):
    assert found == wanted


@fact("1.1", "sdk", "the reply of content does not depend on Accept")
def _(api):
    path = path_of(made(api), "/content")
    for accept in ("application/json", "application/binary", "text/html"):
        assert api.get(path, headers={"Accept": accept}).data == DATA


# 1.2
for _purpose in PURPOSES:
    fact(
        "1.2",
        "spec",
        f"purpose {_purpose} is accepted",
        answers(lambda a, p=_purpose: a.file(purpose=p), lambda f, p=_purpose: f["purpose"] == p),
    )


def expiry(anchor="created_at", seconds="3600", form="{}[{}]"):
    return [
        (form.format("expires_after", "anchor"), anchor.encode()),
        (form.format("expires_after", "seconds"), seconds.encode()),
    ]


def lives(seconds):
    return lambda f: f["expires_at"] == f["created_at"] + seconds


fact(
    "1.2",
    "spec",
    "expires_after sets the expiry, 3600 at least",
    answers(lambda a: a.file(fields=expiry()), lives(3600)),
)
fact(
    "1.2",
    "spec",
    "expires_after may be 2592000 at most",
    answers(lambda a: a.file(fields=expiry(seconds="2592000")), lives(MONTH)),
)
fact(
    "1.2",
    "spec",
    "expires_after below 3600 is refused",
    refusal(
        lambda a: a.file(fields=expiry(seconds="3599")),
        400,
        re.compile(
            r"Invalid 'expires_after\.seconds': integer below minimum value\. "
            r"Expected a value >= 3600, but got 3599 instead\."
        ),
        "expires_after.seconds",
        "integer_below_min_value",
    ),
)
fact(
    "1.2",
    "spec",
    "expires_after above 2592000 is refused",
    refusal(
        lambda a: a.file(fields=expiry(seconds="2592001")),
        400,
        re.compile(
            r"Invalid 'expires_after\.seconds': integer above maximum value\. "
            r"Expected a value <= 2592000, but got 2592001 instead\."
        ),
        "expires_after.seconds",
        "integer_above_max_value",
    ),
)
fact(
    "1.2",
    "spec",
    "expires_after[anchor] may be created_at only",
    refusal(
        lambda a: a.file(fields=expiry("last_active_at")),
        400,
        re.compile(r"Invalid value: 'last_active_at'\. Supported values are: 'created_at'\."),
        "expires_after.anchor",
        "invalid_value",
    ),
)
for _i, _missing in enumerate(("anchor", "seconds")):
    fact(
        "1.2",
        "spec",
        f"both members of expires_after are required: {_missing}",
        refusal(
            lambda a, i=_i: a.file(fields=[expiry()[1 - i]]),
            400,
            f"Missing required parameter: 'expires_after.{_missing}'.",
            f"expires_after.{_missing}",
            "missing_required_parameter",
        ),
    )
fact(
    "1.2",
    "docs",
    "the spelling expires_after.seconds is accepted too",
    answers(lambda a: a.file(fields=expiry(form="{}.{}")), lives(3600)),
)
fact(
    "1.2",
    "spec",
    "a batch file expires after 30 days by default",
    answers(lambda a: a.file(), lives(MONTH)),
)
fact(
    "1.2",
    "spec",
    "a file of another purpose never expires by default",
    answers(lambda a: a.file(purpose="user_data"), lambda f: f["expires_at"] is None),
)


@fact("1.2", "measured x3", "the order of the parts is free")
def _(api):
    parts = [("file", "x.jsonl", DATA), ("other", None, b"x"), ("purpose", None, b"batch")]
    assert api.form("/v1/files", parts).ok()["filename"] == "x.jsonl"


@fact("1.2", "measured x3", "a chunked body without a length is accepted")
def _(api):
    body, headers = harness.multipart([("purpose", None, b"batch"), ("file", "x.jsonl", DATA)])
    reply = api.call("POST", "/v1/files", iter([body[:50], body[50:]]), headers)
    assert reply.ok()["bytes"] == len(DATA)


@fact("1.2", "sdk", "a body without its closing boundary is refused")
def _(api):
    body, headers = harness.multipart([("purpose", None, b"batch"), ("file", "x.jsonl", DATA)])
    assert api.call("POST", "/v1/files", body[:-4], headers).status == 400


for _name in ("upload", "unknown_file", "blob"):
    fact(
        "1.2",
        "measured x3",
        f"the nameless '{_name}' is no batch file",
        refusal(lambda a, n=_name: a.file(name=n), 400, NOT_BATCH),
    )


@fact("1.2", "measured x3", "a text field `file` is no file")
def _(api):
    reply = api.form("/v1/files", [("purpose", None, b"batch"), ("file", None, DATA)])
    assert (reply.status, reply.error["param"]) == (400, "file")


@fact(
    "1.2",
    "measured x3",
    "a field for each byte, file[0], file[1], ..., is refused, not read for ever",
)
def _(api):
    parts = [(f"file[{i}]", None, b"65") for i in range(5000)]
    assert api.form("/v1/files", [("purpose", None, b"batch"), *parts]).status in (400, 413)


for _sent, _kept in (
    ("../d/x.jsonl", "x.jsonl"),
    ("C:\\\\d\\\\y.jsonl", "y.jsonl"),
    ("naïve 日本.jsonl", "naïve 日本.jsonl"),
    ("a%22b.jsonl", 'a"b.jsonl'),
):
    fact(
        "1.2",
        "measured x3",
        f"the filename sent as {_sent} is kept as {_kept}",
        lambda a, s=_sent, k=_kept: assert_equal(raw_name(a, s), k),
    )


def raw_name(api, name):
    body, headers = harness.multipart([("purpose", None, b"batch"), ("file", "NAME", DATA)])
    reply = api.call("POST", "/v1/files", body.replace(b"NAME", name.encode()), headers)
    return reply.ok()["filename"]


@fact("1.2", "sdk", "the content type of the part does not matter")
def _(api):
    body, headers = harness.multipart([("purpose", None, b"batch"), ("file", "x.jsonl", DATA)])
    body = body.replace(b"application/octet-stream", b"image/png")
    assert api.call("POST", "/v1/files", body, headers).ok()["filename"] == "x.jsonl"


fact(
    "1.2",
    "sdk",
    "extra fields a[b], a[] and booleans are ignored",
    answers(
        lambda a: a.file(fields=[("a[b]", b"c"), ("d[]", b"e"), ("d[]", b"f"), ("g", b"true")]),
        lambda f: f["status"] == "processed",
    ),
)


@fact("1.2", "measured x3", "a refused upload is read on, so that the answer is seen")
def _(api):
    body, headers = harness.multipart([("file", "x.jsonl", bytes(30 << 20))])
    head = (
        f"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: {headers['Content-Type']}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", api.server.port), timeout=20) as raw:
        raw.sendall(head.encode() + body)  # no key: refused at once, and all of it is taken
        assert raw.recv(65536).startswith(b"HTTP/1.1 401 ")


# 1.3 and 1.4
fact(
    "1.3",
    "docs",
    "heads of 64 KiB and more are refused",
    lambda a: assert_equal(a.get("/v1/files", headers={"X-Big": "x" * 66000}).status, 431),
)
fact(
    "1.3",
    "spec",
    "a batch file is .jsonl only",
    refusal(lambda a: a.file(name="x.json"), 400, NOT_BATCH),
)
for _what, _name, _data in (
    ("wrong extension", "x.txt", DATA),
    ("first line not JSON", "x.jsonl", b"nope\n" + DATA),
    ("empty file", "x.jsonl", b""),
):
    fact(
        "1.4",
        "forum/issue",
        f"{_what}: must be .jsonl",
        refusal(lambda a, n=_name, d=_data: a.file(name=n, data=d), 400, NOT_BATCH),
    )
fact(
    "1.4",
    "forum/issue",
    "a later malformed line is accepted at upload",
    answers(lambda a: a.file(DATA + b"nope\n"), lambda f: f["status"] == "processed"),
)
fact(
    "1.4",
    "forum/issue",
    "lines without their members are accepted at upload",
    answers(lambda a: a.file(b'{"a":1}\n'), lambda f: f["status"] == "processed"),
)
fact(
    "1.4",
    "forum/issue",
    "an invalid purpose",
    refusal(
        lambda a: a.file(purpose="vector_store"),
        400,
        "'vector_store' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', "
        "'vision', 'evals'] - 'purpose'",
        "purpose",
    ),
)
for _part in ("file", "purpose"):
    fact(
        "1.4",
        "inferred",
        f"{_part} is missing",
        refusal(
            lambda a, m=_part: a.form(
                "/v1/files",
                [p for p in (("purpose", None, b"batch"), ("file", "x.jsonl", DATA)) if p[0] != m],
            ),
            400,
            f"Missing required parameter: '{_part}'.",
            _part,
            "missing_required_parameter",
        ),
    )


@fact("1.4", "forum/issue", "a BOM makes line 1 unparseable in the batch")
def _(api):
    reply = api.file(b"\xef\xbb\xbf" + DATA)
    if reply.status == 400:
        assert reply.error["message"] == NOT_BATCH
        return
    batch = api.ended(api.batch(input_file_id=reply.ok()["id"]).ok()["id"])
    found = [(e["code"], e["line"]) for e in batch["errors"]["data"]]
    assert ("invalid_json_line", 1) in found


@pytest.mark.parametrize("case", **contract.parameters(fact.rows))
def test_files(case, contract_caller):
    case.check(contract_caller)
