"""Contract sections 6.2 and 6.3: rate limits, on a server that has low ones."""

import json
import re

import contract
import openai
import pytest
from contract import JSON, Reply
from harness import CHAT

fact = contract.table()


class Beyond:
    """`requests`: a reply beyond the limit of requests; `tokens`: one beyond that of tokens."""

    def __init__(self, server):
        self.server = server
        self.before = self.call("/v1/models")
        for _ in range(2):
            self.tokens = self.call(CHAT, {"model": "sim-model", "messages": [], "pad": "x" * 9000})
        for _ in range(10):
            self.requests = self.call("/v1/models")

    def call(self, path, fields=None):
        body = None if fields is None else json.dumps(fields)
        method = "GET" if body is None else "POST"
        return Reply(*self.server.http(method, path, body, JSON if body else None))


@pytest.fixture(scope="module")
def beyond(limited):
    return Beyond(limited)


def same(found, wanted):
    assert found == wanted


MESSAGE = (
    r"Rate limit reached for \S+( \S+)* on {} per min \({}\): Limit {}, Used \d+, Requested \d+\. "
    r"Please try again in (\d+ms|\d+s|\d+m\d+s)\.( .*)?"
)
for _kind, _short, _limit in (("requests", "RPM", "8"), ("tokens", "TPM", "1000")):
    fact(
        "6.2",
        "forum/issue",
        f"too many {_kind}: a 429 with its type and code",
        lambda w, k=_kind: same(
            ((r := getattr(w, k)).status, r.error["type"], r.error["code"], r.error["param"]),
            (429, k, "rate_limit_exceeded", None),
        ),
    )
    fact(
        "6.2",
        "forum/issue",
        f"too many {_kind}: the message",
        lambda w, k=_kind, s=_short, n=_limit: same(
            bool(re.fullmatch(MESSAGE.format(k, s, n), getattr(w, k).error["message"])), True
        ),
    )
    fact(
        "6.4",
        "inferred",
        f"too many {_kind}: retry-after is between 1 and 60 s",
        lambda w, k=_kind: same(1 <= int(getattr(w, k).headers["retry-after"]) <= 60, True),
    )
    fact(
        "6.3",
        "docs",
        f"x-ratelimit-limit-{_kind} is the setting",
        lambda w, k=_kind, n=_limit: same(getattr(w, k).headers[f"x-ratelimit-limit-{k}"], n),
    )
fact(
    "6.3",
    "docs",
    "x-ratelimit-remaining-requests counts down",
    lambda w: same(
        int(w.before.headers["x-ratelimit-remaining-requests"])
        > int(w.requests.headers["x-ratelimit-remaining-requests"]),
        True,
    ),
)
fact(
    "6.3",
    "docs",
    "x-ratelimit-reset-requests is a duration",
    lambda w: same(
        bool(re.fullmatch(r"\d+ms|(\d+m)?\d+s", w.before.headers["x-ratelimit-reset-requests"])),
        True,
    ),
)


@fact("6.2", "sdk", "the SDK raises RateLimitError")
def _(beyond):
    with pytest.raises(openai.RateLimitError) as caught:
        beyond.server.client().models.list()
    assert caught.value.type == "requests"


@pytest.mark.parametrize("case", **contract.parameters(fact.rows))
def test_limits(case, beyond):
    case.check(beyond)
