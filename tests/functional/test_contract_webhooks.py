"""Contract section 7: webhooks, on a server that may call this machine."""

import base64
import hashlib
import hmac
import itertools
import json
import re
import time

import contract
import harness
import pytest
from contract import JSON, Reply
from harness import CHAT

fact = contract.table()
numbers = itertools.count()
ENDPOINT_KEYS = {
    "id",
    "object",
    "created_at",
    "updated_at",
    "name",
    "url",
    "event_types",
    "signing_secret_hint",
}
BATCH_EVENTS = ["batch.completed", "batch.failed", "batch.expired", "batch.cancelled"]
SETTINGS = {"name": "n", "url": "http://127.0.0.1:9/x", "event_types": ["batch.failed"]}


def same(found, wanted):
    assert found == wanted


class Hooks:
    """Calls, an endpoint on the receiver, one delivery of each kind made when first asked for."""

    def __init__(self, hooked):
        self.hooked, self.server, self.receiver = hooked, hooked.server, hooked.receiver
        self.kept = {}

    def call(self, method, path, fields=None):
        body = None if fields is None else json.dumps(fields)
        return Reply(*self.server.http(method, path, body, JSON if body else None))

    def create(self, **changes):
        fields = {k: v for k, v in (SETTINGS | changes).items() if v is not None}
        return self.call("POST", "/v1/webhook_endpoints", fields)

    def endpoint(self, events=tuple(BATCH_EVENTS)):
        path = f"/contract-{next(numbers)}"
        made = self.create(url=self.receiver.url + path, event_types=list(events)).ok()
        return made, path

    def of(self, made, rest=""):
        return f"/v1/webhook_endpoints/{made['id']}{rest}"

    def delivery(self, how="completed"):
        """(endpoint, batch id, headers, body) of a batch that ended so."""
        if how not in self.kept:
            made, path = self.endpoint()
            data = harness.batch_rows(2) if how == "completed" else b'{"custom_id":"a"}\n'
            batch = self.server.submit(data, CHAT)
            headers, body = self.receiver.first(path)[0]
            self.call("DELETE", self.of(made)).ok()
            self.kept[how] = (made, batch.id, headers, body)
        return self.kept[how]


@pytest.fixture(scope="module")
def hooks(hooked):
    return Hooks(hooked)


# 7.1
for _how in ("completed", "failed"):
    fact(
        "7.1",
        "spec",
        f"batch.{_how} is sent when a batch is {_how}",
        lambda h, w=_how: same(json.loads(h.delivery(w)[3])["type"], f"batch.{w}"),
    )
fact(
    "7.1",
    "spec",
    "the members of the payload",
    lambda h: same(
        set(json.loads(h.delivery()[3])), {"id", "object", "type", "created_at", "data"}
    ),
)
fact(
    "7.1",
    "spec",
    "id is evt_..., object event, created_at whole seconds",
    lambda h: same(
        ((p := json.loads(h.delivery()[3]))["id"][:4], p["object"], type(p["created_at"])),
        ("evt_", "event", int),
    ),
)
fact(
    "7.1",
    "spec",
    "data carries the batch's id only",
    lambda h: same(json.loads(h.delivery()[3])["data"], {"id": h.delivery()[1]}),
)

# 7.2
fact(
    "7.2",
    "docs",
    "the content type is application/json",
    lambda h: same(h.delivery()[2]["content-type"].partition(";")[0], "application/json"),
)
fact(
    "7.2",
    "docs",
    "there is a user agent",
    lambda h: same(bool(h.delivery()[2]["user-agent"]), True),
)
fact(
    "7.2",
    "docs",
    "webhook-id is wh_ and 32 hex digits",
    lambda h: same(bool(re.fullmatch(r"wh_[0-9a-f]{32}", h.delivery()[2]["webhook-id"])), True),
)
fact(
    "7.2",
    "sdk",
    "webhook-timestamp is now, in whole seconds",
    lambda h: same(
        re.fullmatch(r"\d{10}", h.delivery()[2]["webhook-timestamp"]) is not None
        and abs(int(h.delivery()[2]["webhook-timestamp"]) - time.time()) < 300,
        True,
    ),
)
fact(
    "7.2",
    "sdk",
    "webhook-signature is v1 and standard base64 with padding",
    lambda h: same(
        bool(re.fullmatch(r"v1,[A-Za-z0-9+/]{43}=", h.delivery()[2]["webhook-signature"])), True
    ),
)


# 7.3
def signature(secret, headers, body):
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()


@fact("7.3", "sdk", "HMAC-SHA256 over id.timestamp.body with the decoded secret")
def _(hooks):
    made, _, headers, body = hooks.delivery()
    assert headers["webhook-signature"] == signature(made["signing_secret"], headers, body)


fact(
    "7.3",
    "measured x3",
    "the secret is whsec_ and standard base64 with padding",
    lambda h: same(
        bool(
            re.fullmatch(
                r"whsec_(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
                h.create().ok()["signing_secret"],
            )
        ),
        True,
    ),
)


@fact("7.3", "inferred", "after a rotation that keeps the old secret both sign, the new one first")
def _(hooks):
    made, path = hooks.endpoint()
    keep = {"keep_old_secret_active_for_24_hours": True}
    rotated = hooks.call("POST", hooks.of(made, "/rotate_secret"), keep).ok()
    hooks.call("POST", hooks.of(made, "/test"), {"event_type": "batch.failed"}).ok()
    headers, body = hooks.receiver.first(path)[0]
    secrets = rotated["signing_secret"], made["signing_secret"]
    assert headers["webhook-signature"] == " ".join(signature(s, headers, body) for s in secrets)


# 7.4
fact(
    "7.4",
    "sdk",
    "create answers the endpoint with its secret",
    lambda h: same(set(h.create().ok()), ENDPOINT_KEYS | {"signing_secret"}),
)
fact(
    "7.4",
    "sdk",
    "retrieve answers it without",
    lambda h: same(set(h.call("GET", h.of(h.create().ok())).ok()), ENDPOINT_KEYS),
)
fact(
    "7.4",
    "sdk",
    "its id is whe_..., its object webhook_endpoint",
    lambda h: same(((e := h.create().ok())["id"][:4], e["object"]), ("whe_", "webhook_endpoint")),
)
fact(
    "7.4",
    "sdk",
    "updated_at is set at creation",
    lambda h: same((e := h.create().ok())["updated_at"], e["created_at"]),
)
fact(
    "7.4",
    "sdk",
    "the hint is a masked secret",
    lambda h: same((e := h.create().ok())["signing_secret"] not in e["signing_secret_hint"], True),
)
for _name in SETTINGS:
    fact(
        "7.4",
        "sdk",
        f"create needs {_name}",
        lambda h, n=_name: contract.refuses(
            400, f"Missing required parameter: '{n}'.", n, "missing_required_parameter"
        )(h.create(**{n: None})),
    )
fact(
    "7.4",
    "inferred",
    "an unknown event type is refused by its place",
    lambda h: same(
        (
            (r := h.create(event_types=["batch.failed", "x.y"])).status,
            r.error["param"],
            r.error["code"],
        ),
        (400, "event_types[1]", "invalid_value"),
    ),
)
fact(
    "7.4",
    "inferred",
    "an empty list of event types is refused",
    lambda h: same(
        ((r := h.create(event_types=[])).status, r.error["param"]), (400, "event_types")
    ),
)
for _url in ("nonsense", "ftp://example.org/", "https://", "http://user@/x", ""):
    fact(
        "7.4",
        "inferred",
        f"the url {_url!r} is refused",
        lambda h, u=_url: same(((r := h.create(url=u)).status, r.error["param"]), (400, "url")),
    )


@fact("7.4", "sdk", "update replaces what it names")
def _(hooks):
    made = hooks.create().ok()
    changed = hooks.call("POST", hooks.of(made), {"event_types": BATCH_EVENTS}).ok()
    assert changed["event_types"] == BATCH_EVENTS and changed["name"] == made["name"]
    assert set(changed) == ENDPOINT_KEYS


fact(
    "7.4",
    "sdk",
    "an update by {} changes nothing",
    lambda h: same(
        h.call("POST", h.of(e := h.create().ok()), {}).ok()["updated_at"], e["updated_at"]
    ),
)
fact(
    "7.4",
    "sdk",
    "the list envelope",
    lambda h: (
        h.create(),
        same(
            set(h.call("GET", "/v1/webhook_endpoints?limit=1").ok()),
            {"object", "data", "first_id", "last_id", "has_more"},
        ),
    ),
)


@fact("7.4", "sdk", "the list is newest first, after is a cursor")
def _(hooks):
    ids = [hooks.create().ok()["id"] for _ in range(3)]
    page = hooks.call("GET", f"/v1/webhook_endpoints?limit=1&after={ids[2]}").ok()
    assert [e["id"] for e in page["data"]] == [ids[1]] and page["has_more"]


@fact("7.4", "sdk", "the list has 20 by default")
def _(hooks):
    for _ in range(21):
        hooks.create()
    assert len(hooks.call("GET", "/v1/webhook_endpoints").ok()["data"]) == 20


fact(
    "7.4",
    "sdk",
    "the deletion object",
    lambda h: same(
        h.call("DELETE", h.of(e := h.create().ok())).ok(),
        {"id": e["id"], "object": "webhook_endpoint.deleted", "deleted": True},
    ),
)
fact(
    "7.4",
    "sdk",
    "rotate_secret answers the endpoint with a new secret",
    lambda h: same(
        (n := h.call("POST", h.of(e := h.create().ok(), "/rotate_secret"), {}).ok())["id"]
        == e["id"]
        and n["signing_secret"] != e["signing_secret"],
        True,
    ),
)
fact(
    "7.4",
    "sdk",
    "the test result",
    lambda h: same(
        h.call("POST", h.of(e := h.endpoint()[0], "/test"), {"event_type": "batch.failed"}).ok(),
        {
            "object": "webhook_endpoint.test",
            "webhook_endpoint_id": e["id"],
            "event_type": "batch.failed",
            "status_code": 200,
            "success": True,
        },
    ),
)


@fact("7.4", "sdk", "success is true although the receiver said 500")
def _(hooks):
    made, path = hooks.endpoint()
    hooks.receiver.answers[path] = [500]
    result = hooks.call("POST", hooks.of(made, "/test"), {"event_type": "batch.failed"}).ok()
    assert (result["success"], result["status_code"]) == (True, 500)


@fact("7.4", "inferred", "a test without an answer is an error that is not to be retried")
def _(hooks):
    made = hooks.create(url=f"http://127.0.0.1:{harness.free_port()}/").ok()
    reply = hooks.call("POST", hooks.of(made, "/test"), {"event_type": "batch.failed"})
    assert reply.status in (400, 502) and reply.headers["x-should-retry"] == "false"


fact(
    "7.4",
    "sdk",
    "test needs event_type",
    lambda h: same(h.call("POST", h.of(h.endpoint()[0], "/test"), {}).error["param"], "event_type"),
)
fact(
    "7.4",
    "sdk",
    "the event types are plain strings in a list without paging",
    lambda h: same(
        (
            (t := h.call("GET", "/v1/webhook_event_types").ok())["object"],
            set(t),
            set(BATCH_EVENTS) <= set(t["data"]),
        ),
        ("list", {"object", "data"}, True),
    ),
)


def unknown(hooks, method, rest):
    fields = None if method != "POST" else {"event_type": "batch.failed"} if rest == "/test" else {}
    reply = hooks.call(method, f"/v1/webhook_endpoints/whe_nope{rest}", fields)
    assert reply.status == 404 and not reply.error["message"].startswith("Invalid URL"), reply


for _method, _rest in (
    ("GET", ""),
    ("POST", ""),
    ("DELETE", ""),
    ("POST", "/rotate_secret"),
    ("POST", "/test"),
):
    fact(
        "7.4",
        "inferred",
        f"{_method} of an unknown endpoint {_rest}".strip(),
        lambda h, m=_method, r=_rest: unknown(h, m, r),
    )


@pytest.mark.parametrize("case", **contract.parameters(fact.rows))
def test_webhooks(case, hooks):
    case.check(hooks)
