"""Exceptions by class, with their fields; retries through a proxy that spoils exchanges."""

import json
import time

import harness
import openai
import pytest

DATA = harness.batch_rows(1)


def bad_batch(client):
    client.batches.create(input_file_id="file-x", endpoint="/v1/bad", completion_window="24h")


def bad_limit(client):
    client.batches.list(limit=1000).data


def bad_purpose(client):
    client.files.create(file=("x.jsonl", DATA), purpose="vector_store")


CASES = [
    ("endpoint", bad_batch, openai.BadRequestError, "endpoint", "invalid_value"),
    ("limit", bad_limit, openai.BadRequestError, "limit", "integer_above_max_value"),
    ("purpose", bad_purpose, openai.BadRequestError, "purpose", None),
    ("file", lambda c: c.files.retrieve("file-x"), openai.NotFoundError, "id", None),
    ("batch", lambda c: c.batches.retrieve("batch_x"), openai.NotFoundError, None, None),
    ("model", lambda c: c.models.retrieve("x"), openai.NotFoundError, "model", "model_not_found"),
    ("url", lambda c: c.fine_tuning.jobs.retrieve("x"), openai.NotFoundError, None, None),
]


@pytest.mark.parametrize("name,call,kind,param,code", CASES, ids=[c[0] for c in CASES])
def test_class_and_fields(client, name, call, kind, param, code):
    with pytest.raises(openai.APIStatusError) as caught:
        call(client)
    error = caught.value
    assert type(error) is kind and error.type == "invalid_request_error"
    assert error.code == code and error.request_id.startswith("req_")
    assert error.param == param or (name == "model" and error.param is None)
    assert set(error.body) == {"message", "type", "param", "code"}
    assert str(error) == f"Error code: {error.status_code} - {error.body['message']}"


def test_authentication(connect, world):
    with pytest.raises(openai.AuthenticationError) as caught:
        connect(world.server, api_key="sk-wrong").models.list().data
    assert caught.value.code == "invalid_api_key"
    assert caught.value.response.headers["www-authenticate"] == 'Bearer realm="OpenAI API"'


def test_conflict(client, outcomes):
    with pytest.raises(openai.ConflictError) as caught:
        client.batches.cancel(outcomes.completed["id"])
    assert caught.value.code is None and caught.value.type == "invalid_request_error"


def test_connection_refused(connect, world):
    url = f"http://127.0.0.1:{harness.free_port()}/v1"
    with pytest.raises(openai.APIConnectionError):
        connect(world.server, base_url=url).models.list().data


@pytest.fixture
def proxied(connect, world):
    """Retries go through the proxy, without the SDK's waits being long."""
    world.proxy.script()
    client = connect(world.server, base_url=world.proxy.base_url, max_retries=2)
    client.proxy = world.proxy
    return client


WAIT = {"retry-after-ms": "20"}


@pytest.mark.parametrize(
    "action",
    [
        {"status": 429, "headers": WAIT},
        {"status": 429, "headers": {"retry-after": "1"}},
        {"status": 500, "headers": WAIT},
        {"status": 503, "headers": WAIT},
        {"status": 400, "headers": {"x-should-retry": "true", **WAIT}},
        "refuse",
        "lose",
        "cut",
    ],
    ids=lambda a: str(a.get("status")) if isinstance(a, dict) else a,
)
def test_a_read_is_retried(proxied, action):
    proxied.proxy.script(action)
    assert proxied.models.retrieve("sim-model").id == "sim-model"
    assert proxied.proxy.seen("x-stainless-retry-count") == ["0", "1"]


def test_three_tries_in_all(proxied):
    proxied.proxy.script(*[{"status": 500, "headers": WAIT}] * 3)
    with pytest.raises(openai.InternalServerError) as caught:
        proxied.models.retrieve("sim-model")
    assert caught.value.request_id == "req_injected" and len(proxied.proxy.seen()) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_not_retried(proxied, status):
    proxied.proxy.script({"status": status})
    with pytest.raises(openai.APIStatusError) as caught:
        proxied.models.retrieve("sim-model")
    assert caught.value.status_code == status and len(proxied.proxy.seen()) == 1


def batches_of(client, mark):
    return [b for b in client.batches.list(limit=100) if (b.metadata or {}).get("mark") == mark]


@pytest.mark.parametrize("action", ["lose", "cut", "hang"])
def test_a_lost_reply_makes_one_batch(connect, world, action):
    world.proxy.script(action)
    mark = f"{connect.kind}-{action}-{time.monotonic_ns()}"
    client = connect(world.server, base_url=world.proxy.base_url, max_retries=2, timeout=1)
    batch = client.batches.create(
        input_file_id="file-x",
        endpoint=harness.CHAT,
        completion_window="24h",
        metadata={"mark": mark},
    )
    assert world.proxy.seen("x-stainless-retry-count") == ["0", "1"]
    found = world.server.http("GET", "/v1/batches?limit=20")[2]
    made = [b for b in json.loads(found)["data"] if (b["metadata"] or {}).get("mark") == mark]
    assert [b["id"] for b in made] == [batch.id]


@pytest.mark.parametrize("action", ["lose", "cut", "hang"])
def test_a_lost_reply_makes_one_file(connect, world, action):
    """Each try has a new boundary: the content is what is compared."""
    world.proxy.script(action)
    name = f"{connect.kind}-{action}-{time.monotonic_ns()}.jsonl"
    client = connect(world.server, base_url=world.proxy.base_url, max_retries=2, timeout=1)
    file = client.files.create(file=(name, DATA), purpose="batch")
    assert world.proxy.seen("x-stainless-retry-count") == ["0", "1"]
    found = world.server.http("GET", "/v1/files?limit=20")[2]
    assert [f["id"] for f in json.loads(found)["data"] if f["filename"] == name] == [file.id]


def test_a_lost_reply_makes_one_upload(connect, world):
    world.proxy.script("lose", "pass", "lose", "pass", "lose")
    client = connect(world.server, base_url=world.proxy.base_url, max_retries=2)
    upload = client.uploads.create(
        bytes=len(DATA), filename="x.jsonl", mime_type="a/b", purpose="batch"
    )
    part = client.uploads.parts.create(upload.id, data=DATA)
    done = client.uploads.complete(upload.id, part_ids=[part.id])
    assert done.status == "completed" and done.file.bytes == len(DATA)


def test_two_equal_calls_are_two_batches(client):
    """Only a retry (x-stainless-retry-count) is taken for one."""
    made = {
        client.batches.create(
            input_file_id="file-x", endpoint=harness.CHAT, completion_window="24h"
        ).id
        for _ in range(2)
    }
    assert len(made) == 2


def keyed(client, key, file_id="file-x"):
    return client.batches.create(
        input_file_id=file_id,
        endpoint=harness.CHAT,
        completion_window="24h",
        extra_headers={"Idempotency-Key": key},
    )


def test_idempotency_key(client):
    key = f"key-{time.monotonic_ns()}"
    first = keyed(client, key)
    assert keyed(client, key) == first, "the same answer, as it was then"
    assert keyed(client, key + "x").id != first.id
    with pytest.raises(openai.BadRequestError) as caught:
        keyed(client, key, "file-other")
    assert caught.value.type == "invalid_request_error"


def test_idempotency_key_of_a_file(client):
    headers = {"Idempotency-Key": f"key-{time.monotonic_ns()}"}
    made = [
        client.files.create(file=("x.jsonl", DATA), purpose="batch", extra_headers=headers).id
        for _ in range(2)
    ]
    assert made[0] == made[1]


def test_a_refused_upload_is_seen(connect, small):
    """The answer comes although 40 MiB are still under way."""
    with pytest.raises(openai.APIStatusError) as caught:
        connect(small).files.create(file=("x.jsonl", bytes(40 << 20)), purpose="batch")
    assert caught.value.status_code == 413 and "File is too large." in caught.value.message
