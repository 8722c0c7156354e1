"""The synchronous routes: what the SDKs get through them, and what reaches the upstream."""

import asyncio
import base64
import io
import json
import re
import signal
import socket
import struct
import threading
import time

import harness
import openai
import pytest
from harness import CHAT, batch_rows, eventually

MESSAGES = [{"role": "user", "content": "Grüße, wörld"}]


def strict(server, **options):
    return server.client(_strict_response_validation=True, **options)


def lenient(server):
    """For what strict mode refuses from any server: base64 embeddings, chunks of completions."""
    return server.client(_strict_response_validation=False)


def chat_body(**more):
    return json.dumps({"model": "sim-model", "messages": MESSAGES} | more).encode()


def post(server, path, body, **headers):
    return server.http("POST", path, body, {"Content-Type": "application/json"} | headers)


def direct(sim, path, body):
    """The same request to the simulator itself: (status, body)."""
    shortcut = type("Direct", (), {"port": int(sim.url.rsplit(":", 1)[1])})
    status, _, data = harness.Server.http(
        shortcut, "POST", path, body, {"Content-Type": "application/json"}, key=False
    )
    return status, data


def comparable(data):
    return re.sub(rb'"(seq|created|created_at)":\s*\d+', b"", data)


class RawUpstream:
    """Keeps the whole requests it gets and answers each with the given bytes."""

    def __init__(self, answer):
        self.requests, self.answer = [], answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        reader = connection.makefile("rb")
        while True:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = reader.readline()
                if not line:
                    return
                head += line
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            self.requests.append((head, reader.read(int(length.group(1)) if length else 0)))
            connection.sendall(self.answer)

    def stop(self):
        self.listener.close()


def raw_pair(start, answer, **options):
    raw = start.keep(RawUpstream(answer))
    server = start.server({"upstreams": [harness.upstream(raw.url, **options)]})
    server.raw = raw
    return server


def whole(body=b"{}", status="200 OK", headers=()):
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


# What the SDKs get.


def test_every_resource_in_strict_mode(server):
    client = strict(server)
    chat = client.chat.completions.create(model="sim-model", messages=MESSAGES)
    assert chat.choices[0].message.content.endswith("Grüße, wörld")
    assert chat.usage.total_tokens > 0 and chat._request_id.startswith("req_")
    text = client.completions.create(model="sim-model", prompt="hello")
    assert text.choices[0].text.endswith("hello")
    response = client.responses.create(model="sim-model", input="hello")
    assert response.output_text.endswith("hello") and response.usage.output_tokens > 0
    judged = client.moderations.create(model="sim-model", input=["a", "b"])
    assert len(judged.results) == 2 and judged.results[0].flagged is False
    image = client.images.generate(model="sim-model", prompt="a cat", n=2)
    assert len(image.data) == 2 and base64.b64decode(image.data[0].b64_json)[:4] == b"\x89PNG"
    edited = client.images.edit(
        model="sim-model", prompt="a hat", image=[("a.png", b"\x89PNG\r\n--x"), ("b.png", b"2")]
    )
    assert edited.usage.total_tokens > 0
    assert client.videos.create(model="sim-model", prompt="a film").status == "queued"


def test_every_resource_async(server):
    async def calls():
        client = openai.AsyncOpenAI(base_url=server.base_url, api_key=server.key, max_retries=0)
        async with client:
            done = await asyncio.gather(
                client.chat.completions.create(model="sim-model", messages=MESSAGES),
                client.completions.create(model="sim-model", prompt="hello"),
                client.embeddings.create(model="sim-model", input="hello"),
                client.responses.create(model="sim-model", input="hello"),
                client.moderations.create(model="sim-model", input="hello"),
            )
            stream = await client.chat.completions.create(
                model="sim-model", messages=MESSAGES, stream=True
            )
            parts = [chunk.choices[0].delta.content or "" async for chunk in stream]
        return done, "".join(parts)

    done, text = asyncio.run(calls())
    assert [type(x).__name__ for x in done] == [
        "ChatCompletion",
        "Completion",
        "CreateEmbeddingResponse",
        "Response",
        "ModerationCreateResponse",
    ]
    assert text.endswith("Grüße, wörld")


def test_chat_stream(server):
    client = strict(server)
    stream = client.chat.completions.create(
        model="sim-model",
        messages=MESSAGES,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert stream.response.headers["content-type"].startswith("text/event-stream")
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text.endswith("Grüße, wörld") and len(chunks) > 10
    assert chunks[-1].usage.total_tokens > 0 and not chunks[-1].choices
    parts = lenient(server).completions.create(model="sim-model", prompt="hello", stream=True)
    assert "".join(p.choices[0].text for p in parts).endswith("hello")


def test_responses_stream(server):
    events = list(strict(server).responses.create(model="sim-model", input="hello", stream=True))
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert events[0].type == "response.created" and events[-1].type == "response.completed"
    text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert text.endswith("hello") and events[-1].response.output_text == text
    assert events[-1].response.usage.total_tokens > 0


def test_base64_embeddings_are_bit_identical(start):
    values = [
        struct.pack("<4I", *bits) for bits in ((1, 0x80000000, 0x7F7FFFFF, 0x3DCCCCCD), (0,) * 4)
    ]
    data = [
        {"object": "embedding", "index": i, "embedding": base64.b64encode(v).decode()}
        for i, v in enumerate(values)
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    answer = {"object": "list", "model": "sim-model", "data": data, "usage": usage}
    server = raw_pair(start, whole(json.dumps(answer).encode()))
    got = lenient(server).embeddings.create(model="sim-model", input=["one", "two"])
    assert [struct.pack("<4f", *x.embedding) for x in got.data] == values
    assert json.loads(server.raw.requests[-1][1])["encoding_format"] == "base64"


def test_embeddings(server):
    got = lenient(server).embeddings.create(model="sim-model", input=["one", "two", "three"])
    assert [len(x.embedding) for x in got.data] == [32] * 3 and got.data[0] != got.data[1]
    assert all(-1 < value < 1 for value in got.data[2].embedding)
    floats = server.client().embeddings.create(
        model="sim-model", input="one", encoding_format="float", dimensions=5
    )
    assert len(floats.data[0].embedding) == 5


# What crosses, and what does not.


@pytest.mark.parametrize("fault", ["odd-json", "pretty", "chunked", "eof-body", "big:3000000"])
def test_answers_cross_byte_for_byte(start, fault):
    server = start.pair("--fault", f"{fault}:1")
    body = chat_body()
    status, expected = direct(server.sim, CHAT, body)
    assert status == 200
    for _ in range(3):
        status, headers, data = post(server, CHAT, body)
        assert status == 200 and headers["content-type"] == "application/json"
        assert comparable(data) == comparable(expected)


def test_event_streams_cross_byte_for_byte(server):
    body = chat_body(stream=True)
    expected = direct(server.sim, CHAT, body)[1]
    status, headers, data = post(server, CHAT, body)
    assert status == 200 and comparable(data) == comparable(expected)
    assert headers["cache-control"] == "no-cache"


ODD = (
    b' {"b" : 1e400, "model"\t:  "%s" , "a":"\\ud800\\u0041","n":0.1000000000000000055511151231257827,'
    b'\r\n"nested":{"model":"not this"},"messages":[] } '
)


def test_request_bytes_cross_unchanged(start):
    server = raw_pair(start, whole(), aliases={"gpt-4o-mini": "sim-model"})
    assert post(server, CHAT, ODD % b"sim-model")[0] == 200
    assert server.raw.requests[-1][1] == ODD % b"sim-model"
    assert post(server, CHAT, ODD % b"gpt-4o-\\u006dini")[0] == 200
    assert server.raw.requests[-1][1] == ODD % b"sim-model"


def test_an_alias_in_a_form(start):
    server = raw_pair(start, whole(b'{"created":1}'), aliases={"gpt-image-1": "sim-model"})
    image = bytes(range(256)) * 40 + b'\r\n--x\r\nname="model"\r\n\r\ngpt-image-1'
    parts = [("prompt", None, b"hi"), ("model", None, b"gpt-image-1"), ("image", "a.png", image)]
    body, headers = harness.multipart(parts)
    assert server.http("POST", "/v1/images/edits", body, headers)[0] == 200
    head, got = server.raw.requests[-1]
    parts[1] = ("model", None, b"sim-model")
    assert got == harness.multipart(parts)[0]
    assert headers["Content-Type"].encode() in head
    server.client().images.edit(model="gpt-image-1", prompt="x", image=io.BytesIO(image))
    assert b"\r\n\r\nsim-model\r\n" in server.raw.requests[-1][1]


def test_headers_that_cross(start, tmp_path):
    answer = whole(
        headers=(
            "Server: secret-engine",
            "Date: Thu, 01 Jan 1970 00:00:00 GMT",
            "Set-Cookie: a=b",
            "X-Request-Id: theirs",
            "X-Internal: 10.0.0.1",
            "Content-Type: application/json",
            "OpenAI-Model: m",
            "OpenAI-Processing-Ms: 123456",
            "x-ratelimit-limit-requests: 7",
            "Keep-Alive: timeout=5",
        )
    )
    key = tmp_path / "upstream.key"
    key.write_text("upstream-secret")
    server = raw_pair(start, answer, api_key_file=str(key))
    status, headers, _ = post(
        server,
        CHAT + "?api-version=1",
        chat_body(),
        Cookie="session=1",
        Accept="text/x-test",
        **{
            "X-Client-Request-Id": "mine",
            "OpenAI-Organization": "org",
            "X-Forwarded-For": "1.1.1.1",
        },
    )
    assert status == 200
    assert headers["x-request-id"].startswith("req_") and headers["openai-model"] == "m"
    assert headers["x-ratelimit-limit-requests"] == "7"
    assert headers["openai-processing-ms"] != "123456"
    assert not {"server", "set-cookie", "date", "x-internal", "keep-alive"} & set(headers)
    head = server.raw.requests[-1][0].decode()
    assert head.startswith(f"POST {CHAT}?api-version=1 HTTP/1.1\r\n")
    sent = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
    assert sent["authorization"] == "bearer upstream-secret" and server.key not in head
    assert sent["accept"] == "text/x-test" and sent["x-client-request-id"] == "mine"
    assert sent["x-request-id"] == headers["x-request-id"]
    assert set(sent) == {
        "accept",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-client-request-id",
        "x-request-id",
    }


def test_a_stale_kept_connection_is_replaced(start):
    server = start.pair("--fault", "close-after:1")
    for _ in range(5):
        assert post(server, CHAT, chat_body())[0] == 200
        time.sleep(0.01)
    assert len(server.sim.entries()) == 5


def test_an_idempotency_key_gives_the_same_answer_again(server):
    before = len(server.sim.entries())
    headers = {"Idempotency-Key": "once-only"}
    first = post(server, CHAT, chat_body(), **headers)
    again = post(server, CHAT, chat_body(), **headers)
    assert first[0] == again[0] == 200 and first[2] == again[2]
    assert again[1]["idempotent-replayed"] == "true"
    assert len(server.sim.entries()) == before + 1
    assert post(server, CHAT, chat_body(seed=1), **headers)[0] == 400
    assert post(server, CHAT, chat_body())[2] != first[2]


# Failures.


def code_of(error):
    return error.status_code, error.type, error.param, error.code


def test_models_that_are_not_there(server):
    client = server.client()
    with pytest.raises(openai.NotFoundError, match="The model 'nope' does not exist") as found:
        client.chat.completions.create(model="nope", messages=MESSAGES)
    assert code_of(found.value) == (404, "invalid_request_error", "model", "model_not_found")
    for body in (b'{"messages":[]}', b'{"model":"","messages":[]}', b'{"model":null}'):
        status, _, data = post(server, CHAT, body)
        assert status == 400
        assert json.loads(data)["error"]["message"] == "you must provide a model parameter"
    for body in (b'{"model":5}', b'{"model":"sim-model","model":"sim-model"}'):
        status, _, data = post(server, CHAT, body)
        assert status == 400 and json.loads(data)["error"]["param"] == "model"


def test_the_default_serves_what_names_no_model(start):
    sim = start.sim()
    server = start.server({"upstreams": [harness.upstream(sim.url)], "default_model": "sim-model"})
    client = strict(server)
    assert client.responses.create(input="hello").status == "completed"
    assert client.moderations.create(input="hello").model == "sim-model"
    assert client.images.generate(prompt="a cat").data
    assert client.chat.completions.create(model="other", messages=MESSAGES).model == "sim-model"
    assert post(server, CHAT, b'{"messages":[]}')[0] == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"model":"sim-model"}}', b'{"model":01}'])
def test_bodies_that_are_not_json(server, body):
    status, headers, data = post(server, "/v1/embeddings", body)
    assert status == 400 and headers["x-request-id"].startswith("req_")
    assert json.loads(data)["error"]["message"].startswith(
        "We could not parse the JSON body of your request. (HINT:"
    )


def test_bodies_that_are_too_large(start):
    sim = start.sim()
    server = start.server(
        {"upstreams": [harness.upstream(sim.url)], "http": {"inference_body_bytes": "1KiB"}}
    )
    assert post(server, CHAT, chat_body())[0] == 200
    status, _, data = post(server, CHAT, chat_body(pad="x" * 2000))
    assert status == 413 and "1024 bytes" in json.loads(data)["error"]["message"]
    assert len(sim.entries()) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_upstream_errors_cross_as_they_are(start, status, kind):
    server = start.pair("--fault", f"status-{status}:1")
    with pytest.raises(kind) as caught:
        server.client().chat.completions.create(model="sim-model", messages=MESSAGES)
    assert caught.value.code == "simulated" and caught.value.request_id.startswith("req_")
    sent = server.sim.entries()
    assert len(sent) == 1 and sent[0]["status"] == status


@pytest.mark.parametrize(
    ("sent", "seconds"), [("0", "1"), ("600", "60"), ("7", "7"), ("date:30", None), ("soon", "")]
)
def test_waits_are_between_1_and_60_seconds(start, sent, seconds):
    server = start.pair("--fault", "status-429:1", "--retry-after", sent)
    status, headers, _ = post(server, CHAT, chat_body())
    assert status == 429
    if seconds is None:
        assert 25 <= int(headers["retry-after"]) <= 30
    else:
        assert headers.get("retry-after", "") == seconds


def test_the_sdk_retries_what_the_upstream_refuses_once(start):
    server = start.pair("--fault", "status-429:1:1", "--retry-after-ms", "10")
    client = server.client(max_retries=2)
    assert client.chat.completions.create(model="sim-model", messages=MESSAGES).choices
    assert len(server.sim.entries()) == 2


def test_no_upstream_to_reach(start):
    gone = f"http://127.0.0.1:{harness.free_port()}"
    server = start.server({"upstreams": [harness.upstream(gone)]})
    with pytest.raises(openai.InternalServerError, match="can be reached") as caught:
        server.client().chat.completions.create(model="sim-model", messages=MESSAGES)
    assert caught.value.status_code == 503 and caught.value.type == "server_error"
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60
    assert "127.0.0.1" not in str(caught.value)


def test_an_upstream_that_is_down_is_passed_over(start):
    sim = start.sim()
    gone = f"http://127.0.0.1:{harness.free_port()}"
    server = start.server(
        {"upstreams": [harness.upstream(gone, name="gone"), harness.upstream(sim.url)]}
    )
    for _ in range(6):
        assert post(server, CHAT, chat_body())[0] == 200


def test_calls_are_spread_over_upstreams(start):
    sims = [start.sim("--latency-ms", "300", name=f"sim{i}") for i in range(2)]
    upstreams = [harness.upstream(s.url, name=f"s{i}") for i, s in enumerate(sims)]
    server = start.server({"upstreams": upstreams})
    calls = [threading.Thread(target=post, args=(server, CHAT, chat_body())) for _ in range(6)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert [len(sim.entries()) for sim in sims] == [3, 3]


@pytest.mark.parametrize("fault", ["close-before-answer", "huge-header"])
def test_no_usable_answer(start, fault):
    server = start.pair("--fault", f"{fault}:1")
    status, headers, data = post(server, CHAT, chat_body())
    assert status == 503 and json.loads(data)["error"]["type"] == "server_error"
    assert "retry-after" in headers


def test_an_answer_that_does_not_come_in_time(start):
    server = start.pair("--fault", "silence:1", timeout="300ms")
    status, _, data = post(server, CHAT, chat_body())
    assert status == 504 and json.loads(data)["error"]["code"] == "upstream_timeout"


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_breaks_off_is_seen_as_broken(start, stream):
    server = start.pair("--fault", "truncated:1")
    with pytest.raises((openai.APIConnectionError, openai.APIError)):
        answer = server.client().chat.completions.create(
            model="sim-model", messages=MESSAGES, stream=stream
        )
        list(answer if stream else [])


def test_a_stream_may_last_longer_than_an_answer(start):
    server = start.pair("--stream-pause-ms", "100", timeout="500ms")
    stream = server.client().chat.completions.create(
        model="sim-model", messages=MESSAGES, stream=True
    )
    begin = time.monotonic()
    text = "".join(c.choices[0].delta.content or "" for c in stream)
    assert text.endswith("Grüße, wörld") and time.monotonic() - begin > 0.6


# Cancellation.


def wait_for_attempts(sim, count):
    return eventually(lambda: (e := sim.entries()) and len(e) >= count and e, 5, "an attempt's end")


def raw_request(server, body, extra=""):
    return (
        f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n{extra}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_leaves_before_the_first_byte(start, reset):
    server = start.pair("--latency-ms", "20000")
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(raw_request(server, chat_body()))
    time.sleep(0.3)
    left = time.monotonic_ns()
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    (attempt,) = wait_for_attempts(server.sim, 1)
    assert attempt["client_gone"] and not attempt["complete"]
    assert -50e6 < attempt["done_ns"] - left < 1e9
    assert post_quickly(server)


def post_quickly(server):
    """The server serves on."""
    return server.http("GET", "/v1/models")[0] == 200


def test_a_client_that_leaves_in_mid_stream(start):
    server = start.pair("--stream-pause-ms", "200")
    stream = server.client().chat.completions.create(
        model="sim-model", messages=MESSAGES, stream=True
    )
    next(iter(stream))
    left = time.monotonic_ns()
    stream.close()
    (attempt,) = wait_for_attempts(server.sim, 1)
    assert attempt["client_gone"] and not attempt["complete"]
    assert attempt["done_ns"] - left < 1e9
    assert post_quickly(server)


def test_a_client_that_leaves_a_silent_upstream(start):
    server = start.pair("--fault", "silence:1")
    with pytest.raises(openai.APITimeoutError):
        server.client(timeout=0.5).chat.completions.create(model="sim-model", messages=MESSAGES)
    (attempt,) = wait_for_attempts(server.sim, 1)
    assert attempt["client_gone"]


def test_requests_sent_ahead_are_served_and_not_taken_for_leaving(start):
    server = start.pair("--latency-ms", "200")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        last = raw_request(server, chat_body(seed=2), extra="Connection: close\r\n")
        connection.sendall(raw_request(server, chat_body(seed=1)))
        time.sleep(0.05)
        connection.sendall(raw_request(server, chat_body()) + last)
        data = b"".join(iter(lambda: connection.recv(65536), b""))
    assert data.count(b"HTTP/1.1 200 OK") == 3
    assert [e["complete"] for e in server.sim.entries()] == [True] * 3


def test_a_stream_under_way_ends_before_the_server_does(start):
    server = start.pair("--stream-pause-ms", "60")
    stream = server.client().chat.completions.create(
        model="sim-model", messages=MESSAGES, stream=True
    )
    next(iter(stream))
    server.child.send_signal(signal.SIGTERM)
    text = "".join(c.choices[0].delta.content or "" for c in stream)
    assert text.endswith("Grüße, wörld")
    assert server.stop() == 0
    (attempt,) = server.sim.entries()
    assert attempt["complete"]


# Beside batches.


def test_batches_give_way_to_synchronous_calls(start):
    server = start.pair("--latency-ms", "20", "--stream-pause-ms", "60", max_concurrency=4)
    client = server.client()
    streams = [
        client.chat.completions.create(
            model="sim-model", messages=MESSAGES, stream=True, extra_body={"seed": i}
        )
        for i in range(3)
    ]
    firsts = [next(iter(s)) for s in streams]
    assert len(firsts) == 3
    batch = server.submit(batch_rows(15))
    for stream in streams:
        list(stream)
    assert server.wait(batch).request_counts.completed == 15
    entries = server.sim.entries()
    streamed = [e for e in entries if e["idempotency_key"] is None]
    rows = [e for e in entries if e["idempotency_key"] is not None]
    end = min(e["done_ns"] for e in streamed)
    during = [e for e in rows if e["t_ns"] < end]
    assert len(streamed) == 3 and len(rows) == 15 and during
    assert max(e["running"] for e in during) == 4


def test_synchronous_calls_do_not_wait_for_rows(start):
    server = start.pair("--latency-ms", "300", max_concurrency=2)
    batch = server.submit(batch_rows(20))
    eventually(lambda: server.client().batches.retrieve(batch.id).status == "in_progress")
    begin = time.monotonic()
    assert post(server, CHAT, chat_body())[0] == 200
    assert time.monotonic() - begin < 0.6
    server.client().batches.cancel(batch.id)
