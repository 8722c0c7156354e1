"""Contract section 6: errors, headers, retries, paging, what the SDKs send."""

import gzip
import json
import re
import socket

import contract
import harness
import pytest
from contract import JSON, answers, refusal
from harness import CHAT

fact = contract.table()


def same(found, wanted):
    assert found == wanted


# 6.1
WRONG = [
    ("POST", "/v1/batches", b"{nope"),
    ("POST", "/v1/batches", b"{}"),
    ("GET", "/v1/batches/batch_x", None),
    ("GET", "/v1/files/file-x", None),
    ("GET", "/v1/files?limit=0", None),
    ("GET", "/v1/models/none", None),
    ("GET", "/v1/nothing", None),
    ("GET", "/nothing", None),
    ("DELETE", "/v1/batches", None),
    ("POST", "/v1/files", b"no multipart"),
]
for _method, _path, _body in WRONG:
    _what = f"{_method} {_path} {(_body or b'').decode()}".strip()
    fact(
        "6.1",
        "spec",
        f"the envelope of {_what}",
        lambda a, m=_method, p=_path, b=_body: enveloped(a.call(m, p, b, JSON if b else None)),
    )
    fact(
        "6.3",
        "forum/issue",
        f"x-request-id on the error of {_what}",
        lambda a, m=_method, p=_path, b=_body: has_id(a.call(m, p, b, JSON if b else None)),
    )


def enveloped(reply):
    assert 400 <= reply.status < 500 and reply.headers["content-type"] == "application/json"
    error = reply.error
    assert isinstance(error["message"], str) and error["type"] == "invalid_request_error"
    assert all(error[k] is None or isinstance(error[k], str) for k in ("param", "code"))


def has_id(reply):
    assert re.fullmatch(r"req_[0-9a-f]{32}", reply.headers["x-request-id"])


# 6.2
@fact("6.2", "forum/issue", "no key")
def _(api):
    reply = api.get("/v1/files", key=False)
    error = reply.error
    assert reply.status == 401 and (error["param"], error["code"]) == (None, None)
    assert error["message"].startswith(
        "You didn't provide an API key. You need to provide your API key in an Authorization header "
        "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)"
    )


@fact("6.2", "forum/issue", "a bad key, shown masked")
def _(api):
    key = "sk-" + "secret" * 5
    reply = api.get("/v1/files", headers={"Authorization": f"Bearer {key}"})
    error = reply.error
    assert reply.status == 401 and error["code"] == "invalid_api_key"
    assert (
        error["message"].startswith("Incorrect API key provided: ") and key not in error["message"]
    )


for _header in ("Basic eDp5", "Bearer", "Bearer ", "opk_x", ""):
    fact(
        "6.2",
        "inferred",
        f"the Authorization {_header!r} is a 401",
        lambda a, h=_header: same(a.get("/v1/files", headers={"Authorization": h}).status, 401),
    )
for _rest in ("", "Bearer sk-wrong"):
    fact(
        "6.2",
        "forum/issue",
        f"www-authenticate with {_rest or 'no key'}",
        lambda a, r=_rest: same(
            a.get("/v1/files", headers={"Authorization": r}).headers["www-authenticate"],
            'Bearer realm="OpenAI API"',
        ),
    )
fact(
    "6.2",
    "forum/issue",
    "the scheme's case does not matter",
    lambda a: same(
        a.get("/v1/files?limit=1", headers={"Authorization": f"bearer {a.server.key}"}).status, 200
    ),
)
for _method, _path in (("GET", ""), ("DELETE", ""), ("GET", "/content")):
    fact(
        "6.2",
        "forum/issue",
        f"an unknown file: {_method} {_path}",
        refusal(
            lambda a, m=_method, p=_path: a.call(m, "/v1/files/file-X" + p),
            404,
            "No such File object: file-X",
            "id",
        ),
    )
fact(
    "6.2",
    "forum/issue",
    "an unknown batch",
    refusal(lambda a: a.get("/v1/batches/batch_X"), 404, "No batch found with id 'batch_X'."),
)
fact(
    "6.2",
    "inferred",
    "an unknown model",
    lambda a: same(
        ((r := a.get("/v1/models/X")).status, r.error["code"], "X" in r.error["message"]),
        (404, "model_not_found", True),
    ),
)
for _method, _path in (
    ("POST", "/v1/foo"),
    ("GET", "/v1/_stainless_unknown_path"),
    ("GET", "/foo"),
    ("PATCH", "/v1/a/b"),
):
    fact(
        "6.2",
        "forum/issue",
        f"unknown URL {_method} {_path}",
        refusal(
            lambda a, m=_method, p=_path: a.call(m, p), 404, f"Invalid URL ({_method} {_path})"
        ),
    )
METHODS = {
    ("GET", f"{CHAT}"): "POST",
    ("GET", "/v1/uploads"): "POST",
    ("PUT", "/v1/batches/batch_x/cancel"): "POST",
    ("POST", "/v1/models"): "GET",
    ("POST", "/v1/files/file-x/content"): "GET",
}
for (_method, _path), _allowed in METHODS.items():
    fact(
        "6.2",
        "forum/issue",
        f"{_method} {_path} is a 405",
        refusal(
            lambda a, m=_method, p=_path: a.call(m, p),
            405,
            f"Only {_allowed} requests are accepted.",
            None,
            "method_not_supported",
        ),
    )
    fact(
        "6.2",
        "ours",
        f"{_method} {_path} says Allow",
        lambda a, m=_method, p=_path, w=_allowed: same(
            [
                x
                for x in re.split(r",\s*", a.call(m, p).headers["allow"])
                if x not in ("HEAD", "OPTIONS")
            ],
            [w],
        ),
    )
fact(
    "6.2",
    "ours",
    "PUT /v1/batches names both methods",
    lambda a: same(
        sorted(
            x
            for x in re.split(r",\s*", a.call("PUT", "/v1/batches").headers["allow"])
            if x not in ("HEAD", "OPTIONS")
        ),
        ["GET", "POST"],
    ),
)
fact(
    "6.2",
    "inferred",
    "an unknown cursor is an empty page or a 400",
    lambda a: same(
        (r := a.get("/v1/batches?after=batch_x")).status in (200, 400)
        and (r.status == 400 or not r.json["has_more"]),
        True,
    ),
)
fact(
    "6.2",
    "inferred",
    "no model in a synchronous call is a 400",
    lambda a: same(
        ((r := a.post(CHAT, {"messages": []})).status, "model" in r.error["message"]), (400, True)
    ),
)
fact(
    "6.2",
    "inferred",
    "an unknown model in a synchronous call",
    lambda a: same(
        ((r := a.post(CHAT, {"model": "X", "messages": []})).status, r.error["code"]),
        (404, "model_not_found"),
    ),
)


# 6.3
def some(api):
    return api.get("/v1/files?limit=1")


@fact("6.3", "docs", "openai-processing-ms is an integer")
def _(api):
    assert re.fullmatch(r"\d+", some(api).headers["openai-processing-ms"])


fact(
    "6.3", "docs", "openai-version", lambda a: same(some(a).headers["openai-version"], "2020-10-01")
)
fact(
    "6.3",
    "forum/issue",
    "nosniff",
    lambda a: same(some(a).headers["x-content-type-options"], "nosniff"),
)
fact(
    "6.3",
    "forum/issue",
    "openai-organization is an id",
    lambda a: same(bool(some(a).headers["openai-organization"]), True),
)
fact(
    "6.3",
    "docs",
    "openai-project is an id",
    lambda a: same(bool(some(a).headers["openai-project"]), True),
)
fact(
    "6.3",
    "docs",
    "X-Client-Request-Id is accepted",
    lambda a: same(
        a.get("/v1/files?limit=1", headers={"X-Client-Request-Id": "mine-1"}).status, 200
    ),
)
RATE = {"limit": r"\d+", "remaining": r"\d+", "reset": r"\d+ms|(\d+h)?(\d+m)?\d+s"}
for _what, _shape in RATE.items():
    for _kind in ("requests", "tokens"):
        fact(
            "6.3",
            "docs",
            f"x-ratelimit-{_what}-{_kind} on a synchronous call",
            lambda a, k=_kind, w=_what, s=_shape: same(
                bool(re.fullmatch(s, chat(a).headers[f"x-ratelimit-{w}-{k}"])), True
            ),
        )


def chat(api):
    return api.post(CHAT, {"model": "stub-model", "messages": []})


@fact("6.3", "sdk", "x-should-retry false on a conflict")
def _(api):
    reply = api.post(f"/v1/batches/{api.outcomes.completed['id']}/cancel", {})
    assert (reply.status, reply.headers["x-should-retry"]) == (409, "false")


# 6.4
RETRY = {"x-stainless-retry-count": "1"}


@fact("6.4", "inferred", "a retry of a create that was answered gives the first batch")
def _(api):
    fields = {"input_file_id": "file-r", "endpoint": CHAT, "completion_window": "24h"}
    fields["metadata"] = {"mark": "retried"}
    first = api.post("/v1/batches", fields, {"x-stainless-retry-count": "0"}).ok()
    assert api.post("/v1/batches", fields, RETRY).ok()["id"] == first["id"]
    assert api.post("/v1/batches", fields).ok()["id"] != first["id"]


@fact("6.4", "inferred", "a retry of something new is carried out")
def _(api):
    fields = {"input_file_id": "file-r", "endpoint": CHAT, "completion_window": "24h"}
    fields["metadata"] = {"mark": "only retried"}
    assert api.post("/v1/batches", fields, RETRY).ok()["status"] == "validating"


@fact("6.4", "measured x3", "a retried upload is compared by its content, not by its boundary")
def _(api):
    parts = [("purpose", None, b"batch"), ("file", "again.jsonl", contract.DATA)]
    body, headers = harness.multipart(parts, "first")
    first = api.call("POST", "/v1/files", body, headers).ok()
    body, headers = harness.multipart(parts, "second")
    assert api.call("POST", "/v1/files", body, headers | RETRY).ok()["id"] == first["id"]
    other = [parts[0], ("file", "again.jsonl", contract.DATA + b"\n")]
    body, headers = harness.multipart(other, "third")
    assert api.call("POST", "/v1/files", body, headers | RETRY).ok()["id"] != first["id"]


@fact("6.4", "ours", "the same Idempotency-Key and parameters give the same response")
def _(api):
    fields = {"input_file_id": "file-k", "endpoint": CHAT, "completion_window": "24h"}
    key = {"Idempotency-Key": "contract-1"}
    first = api.post("/v1/batches", fields, key)
    again = api.post("/v1/batches", fields, key)
    assert first.ok() == again.ok()


@fact("6.4", "ours", "the same Idempotency-Key with other parameters is a 400")
def _(api):
    fields = {"input_file_id": "file-k", "endpoint": CHAT, "completion_window": "24h"}
    key = {"Idempotency-Key": "contract-2"}
    api.post("/v1/batches", fields, key).ok()
    reply = api.post("/v1/batches", fields | {"input_file_id": "file-l"}, key)
    assert reply.status == 400 and reply.error["type"] == "invalid_request_error"


@fact("6.4", "ours", "the same Idempotency-Key while the first is under way is a 409 with a wait")
def _(api):
    body, headers = harness.multipart([("purpose", None, b"batch"), ("file", "x.jsonl", b"{}")])
    key = f"Authorization: Bearer {api.server.key}\r\nIdempotency-Key: contract-3\r\n"
    head = (
        f"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: {headers['Content-Type']}\r\n"
        f"Content-Length: {len(body)}\r\n{key}\r\n"
    )
    with socket.create_connection(("127.0.0.1", api.server.port), timeout=10) as first:
        first.sendall(head.encode() + body[:20])

        def refused():
            fields = {"input_file_id": "file-x", "endpoint": CHAT, "completion_window": "24h"}
            found = api.post("/v1/batches", fields, {"Idempotency-Key": "contract-3"})
            return found if found.status == 409 else None

        reply = harness.eventually(refused, 5)
        assert 1 <= int(reply.headers["retry-after"]) <= 60
        assert reply.headers.get("x-should-retry") != "false"
        first.sendall(body[20:])
        assert first.recv(65536).startswith(b"HTTP/1.1 200")


# 6.5
fact(
    "6.5",
    "measured x3",
    "an empty after is no cursor",
    answers(lambda a: a.get("/v1/files?after=&limit=1"), lambda x: len(x["data"]) == 1),
)
fact(
    "6.5",
    "measured x3",
    "names in the query may be percent-encoded",
    lambda a: same(a.get("/v1/files?%6Cimit=0").error["param"], "limit"),
)
fact(
    "6.5",
    "measured x3",
    "values in the query may be percent-encoded",
    answers(
        lambda a: a.get("/v1/files?purpose=batch%5Foutput&limit=2"),
        lambda x: {f["purpose"] for f in x["data"]} <= {"batch_output"},
    ),
)
fact(
    "6.5",
    "measured x3",
    "unknown query parameters are ignored",
    answers(
        lambda a: a.get("/v1/batches?limit=1&a%5Bb%5D=c&d%5B%5D=1"), lambda x: len(x["data"]) == 1
    ),
)
fact("6.5", "measured x3", "never an empty page with has_more", lambda a: pages(a))


def pages(api):
    after, seen = "", []
    for _ in range(400):
        page = api.get(f"/v1/files?purpose=batch_output&limit=2&after={after}").ok()
        assert page["data"] or not page["has_more"]
        seen += [f["id"] for f in page["data"]]
        if not page["has_more"]:
            break
        after = page["data"][-1]["id"]
    assert len(seen) == len(set(seen))


@fact("6.5", "inferred", "the place of a deleted cursor is kept")
def _(api):
    ids = [api.file(purpose="vision").ok()["id"] for _ in range(3)]
    api.call("DELETE", f"/v1/files/{ids[1]}").ok()
    page = api.get(f"/v1/files?purpose=vision&limit=1&after={ids[1]}").ok()
    assert [f["id"] for f in page["data"]] == [ids[0]]


# 6.6
@fact("6.6", "measured x3", "the SDKs' headers are accepted")
def _(api):
    headers = {
        "User-Agent": "OpenAI/JS 7.55.0",
        "X-Stainless-Lang": "js",
        "X-Stainless-Arch": "x64",
        "X-Stainless-Retry-Count": "0",
        "X-Stainless-Timeout": "600",
        "OpenAI-Organization": "org-x",
        "OpenAI-Project": "proj_x",
        "Accept-Language": "*",
        "Sec-Fetch-Mode": "cors",
    }
    assert api.get("/v1/files?limit=1", headers=headers).status == 200


@fact("6.6", "measured x3", "a body may be offered gzip, and the answer is what the header says")
def _(api):
    reply = api.get("/v1/files?limit=5", headers={"Accept-Encoding": "gzip, deflate"})
    data = reply.data
    if reply.headers.get("content-encoding") == "gzip":
        data = gzip.decompress(data)
    assert json.loads(data)["object"] == "list"


for _path in ("/v1/files?limit=1", "/v1/batches?limit=1", "/v1/models"):
    fact(
        "6.6",
        "measured x3",
        f"{_path} is application/json, in lower case",
        lambda a, p=_path: same(a.get(p).headers["content-type"], "application/json"),
    )
fact(
    "6.6",
    "sdk",
    "DELETE with a JSON content type and no body",
    lambda a: same(a.call("DELETE", f"/v1/files/{a.file().ok()['id']}", None, JSON).status, 200),
)


@fact("6.6", "sdk", "connections are kept")
def _(api):
    connection = harness.http.client.HTTPConnection("127.0.0.1", api.server.port, timeout=10)
    ports = set()
    for _ in range(3):
        connection.request(
            "GET", "/v1/models", headers={"Authorization": f"Bearer {api.server.key}"}
        )
        connection.getresponse().read()
        ports.add(connection.sock.getsockname()[1])
    connection.close()
    assert len(ports) == 1


@pytest.mark.parametrize("case", **contract.parameters(fact.rows))
def test_errors(case, contract_caller):
    case.check(contract_caller)
