"""Contract section 9: models and synchronous endpoints."""

import base64
import json
import struct

import contract
import harness
import model_stub
import pytest
from contract import answers
from harness import CHAT, quote

fact = contract.table()


def same(found, wanted):
    assert found == wanted


# 9.1
fact(
    "9.1",
    "spec",
    "GET /models is a plain list",
    answers(
        lambda a: a.get("/v1/models"),
        lambda x: set(x) == {"object", "data"} and x["object"] == "list",
    ),
)
fact(
    "9.1",
    "spec",
    "the members of a Model",
    answers(
        lambda a: a.get("/v1/models/sim-model"),
        lambda m: (
            set(m) - {"shutdown_date"} == {"id", "object", "created", "owned_by"}
            and m["object"] == "model"
        ),
    ),
)
for _name, _path in (
    ("org/name", "org%2Fname"),
    ("org/name:ft@x y", "org%2Fname:ft@x%20y"),
    ("org/name:ft@x y", "org%2Fname%3Aft%40x%20y"),
    ("sim-model", "sim%2dmodel"),
):
    fact(
        "9.1",
        "measured x3",
        f"the model {_path} is {_name}",
        answers(lambda a, p=_path: a.get(f"/v1/models/{p}"), lambda m, n=_name: m["id"] == n),
    )
fact(
    "9.1",
    "inferred",
    "a model cannot be deleted",
    lambda a: same(400 <= a.call("DELETE", "/v1/models/sim-model").status < 500, True),
)

# 9.2 and 9.3
BODIES = {
    "/v1/chat/completions": ({"messages": [{"role": "user", "content": "hi"}]}, "choices"),
    "/v1/completions": ({"prompt": "hi"}, "choices"),
    "/v1/responses": ({"input": "hi"}, "output"),
    "/v1/embeddings": ({"input": "hi"}, "data"),
    "/v1/moderations": ({"input": "hi"}, "results"),
    "/v1/images/generations": ({"prompt": "a cat"}, "data"),
}


def call(api, path, model="stub-model", **more):
    return api.post(path, {"model": model} | BODIES[path][0] | more)


for _endpoint, (_, _member) in BODIES.items():
    fact(
        "9.2",
        "spec",
        f"{_endpoint} answers the upstream's object",
        answers(lambda a, e=_endpoint: call(a, e), lambda x, m=_member: m in x),
    )
    fact(
        "9.2",
        "ours",
        f"{_endpoint} passes the answer's bytes",
        lambda a, e=_endpoint: same(
            call(a, e).data,
            json.dumps(model_stub.ANSWERS[e][0]({"model": "stub-model"} | BODIES[e][0])).encode(),
        ),
    )
    fact(
        "9.3",
        "spec",
        f"{_endpoint} is in the request id's line",
        lambda a, e=_endpoint: same(call(a, e).headers["x-request-id"][:4], "req_"),
    )


@fact("9.3", "measured x3", "embeddings in base64 are given as base64")
def _(api):
    found = call(api, "/v1/embeddings", encoding_format="base64").ok()["data"][0]["embedding"]
    assert base64.b64decode(found) == struct.pack("<4f", *model_stub.VECTOR)


for _path, _field in (("/v1/images/edits", "image[]"), ("/v1/videos", "input_reference")):
    fact(
        "9.3",
        "measured x3",
        f"{_path} is multipart",
        lambda a, p=_path, f=_field: multipart(a, p, f),
    )


def multipart(api, path, field):
    parts = [("model", None, b"stub-model"), ("prompt", None, b"x"), (field, "a.png", b"png")]
    assert api.form(path, parts).status == 200
    seen, headers, body = api.world.stub.requests[-1]
    assert seen == path and body == harness.multipart(parts)[0]
    assert headers["content-type"].startswith("multipart/form-data; boundary=")


@fact("9.3", "spec", "a chat stream is events that end with [DONE]")
def _(api):
    reply = call(api, CHAT, stream=True)
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = [line for line in reply.data.decode().split("\n\n") if line]
    assert all(e.startswith("data: ") for e in events) and events[-1] == "data: [DONE]"


@fact("9.3", "spec", "with include_usage the last chunk has the usage and no choices")
def _(api):
    reply = call(api, CHAT, stream=True, stream_options={"include_usage": True})
    last = json.loads(reply.data.decode().split("\n\n")[-3].removeprefix("data: "))
    assert last["choices"] == [] and last["usage"]["total_tokens"] == 14


@fact("9.3", "spec", "a stream of responses ends with response.completed")
def _(api):
    events = call(api, "/v1/responses", stream=True).data.decode().split("\n\n")
    assert events[-3].startswith("event: response.completed\n")


@fact("9.3", "measured x3", "Accept: application/json does not prevent a stream")
def _(api):
    fields = {"model": "stub-model", "stream": True} | BODIES[CHAT][0]
    reply = api.post(CHAT, fields, {"Accept": "application/json"})
    assert reply.data.endswith(b"data: [DONE]\n\n")


for _model, _status in (("busy-stub", 429), ("broken-stub", 500)):
    fact(
        "9.3",
        "ours",
        f"the upstream's {_status} reaches the caller as it is",
        lambda a, m=_model, s=_status: same(
            ((r := call(a, CHAT, m)).status, r.json["error"]["message"]),
            (s, f"the model is {m[:-5]}"),
        ),
    )
fact(
    "9.3",
    "ours",
    "an alias is replaced by the served model",
    lambda a: same(
        (call(a, CHAT, "gpt-4o-mini").status, json.loads(a.world.stub.requests[-1][2])["model"]),
        (200, "stub-model"),
    ),
)
fact(
    "9.3",
    "ours",
    "a synchronous call needs a key",
    lambda a: same(
        a.call("POST", CHAT, json.dumps({"model": "stub-model"}), contract.JSON, key=False).status,
        401,
    ),
)
fact(
    "9.3",
    "ours",
    "the model may be named with slashes",
    lambda a: same((call(a, CHAT, "org/name").status, bool(quote("org/name"))), (200, True)),
)


@pytest.mark.parametrize("case", **contract.parameters(fact.rows))
def test_models(case, contract_caller):
    case.check(contract_caller)
