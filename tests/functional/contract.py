"""The contract (a row per fact that can be seen from outside) as tables of checks.

A fact has the section it stands in, the tag of its source, its text and a check; `table()` makes
one module's facts, `parameters()` their pytest ids. Checks speak plain HTTP by a `Caller`.
"""

import collections
import json
import re

import harness
from harness import CHAT, TERMINAL, eventually

Fact = collections.namedtuple("Fact", "section tag text check")
TAGS = ("spec", "spec-old", "sdk", "measured x3", "docs", "forum/issue", "inferred", "ours")
JSON = {"Content-Type": "application/json"}
DATA = harness.batch_rows(2)
DAY, MONTH = 86400, 2592000
TABLES = []


def table():
    facts = []
    TABLES.append(facts)

    def fact(section, tag, text, check=None):
        """Adds a fact; without `check` a decorator for it."""

        def add(function):
            assert tag in TAGS, tag
            facts.append(Fact(section, tag, text, function))
            return function

        return add(check) if check else add

    fact.rows = facts
    return fact


def parameters(facts):
    ids = [f"{f.section}-{f.tag}-{f.text}" for f in facts]
    assert len(set(ids)) == len(ids), [i for i, n in collections.Counter(ids).items() if n > 1]
    return {"argvalues": facts, "ids": ids}


class Reply:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data

    @property
    def json(self):
        return json.loads(self.data)

    @property
    def error(self):
        body = self.json
        assert list(body["error"]) == ["message", "type", "param", "code"], body
        return body["error"]

    def ok(self):
        assert self.status == 200, (self.status, self.data[:500])
        return self.json

    def __repr__(self):
        return f"{self.status} {self.headers} {self.data[:500]}"


class Caller:
    """Raw calls on the shared server."""

    def __init__(self, world, outcomes):
        self.world, self.server, self.outcomes = world, world.server, outcomes

    def call(self, method, path, body=None, headers=None, key=True):
        return Reply(*self.server.http(method, path, body, headers, key))

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, fields=None, headers=None):
        """A JSON body, or bytes as they are."""
        body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        return self.call("POST", path, body, JSON | (headers or {}))

    def form(self, path, parts):
        body, headers = harness.multipart(parts)
        return self.call("POST", path, body, headers)

    def file(self, data=DATA, name="x.jsonl", purpose="batch", fields=()):
        parts = [("purpose", None, purpose.encode()), ("file", name, data)]
        return self.form("/v1/files", parts + [(k, None, v) for k, v in fields])

    def batch(self, **changes):
        """POST /v1/batches; a member given as None is left out."""
        fields = {"input_file_id": "file-x", "endpoint": CHAT, "completion_window": "24h"}
        fields |= changes
        return self.post("/v1/batches", {k: v for k, v in fields.items() if v is not None})

    def ended(self, batch_id):
        def now():
            batch = self.get(f"/v1/batches/{batch_id}").ok()
            return batch if batch["status"] in TERMINAL else None

        return eventually(now, 30, f"{batch_id} to end")

    def validated(self, data, endpoint=CHAT):
        """The batch of an input file, when it has ended."""
        file = self.file(data).ok()
        return self.ended(self.batch(input_file_id=file["id"], endpoint=endpoint).ok()["id"])

    def lines(self, file_id):
        data = self.get(f"/v1/files/{file_id}/content").data
        return [json.loads(line) for line in data.splitlines()]


def refuses(status, message=None, param=None, code=None, kind="invalid_request_error"):
    """A check of an error's literal fields; `message` may be a compiled pattern."""

    def check(reply):
        error = reply.error
        assert reply.status == status, reply
        if isinstance(message, re.Pattern):
            assert message.fullmatch(error["message"]), error
        elif message is not None:
            assert error["message"] == message
        assert (error["type"], error["param"], error["code"]) == (kind, param, code), error

    return check


def refusal(request, *args, **options):
    """A check of a fact: what request(api) answers is this refusal."""
    check = refuses(*args, **options)
    return lambda api: check(request(api))


def answers(request, predicate):
    """A check of a fact: predicate(JSON of the 200)."""

    def check(api):
        found = request(api).ok()
        assert predicate(found), found

    return check
