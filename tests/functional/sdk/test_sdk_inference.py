"""The synchronous routes: what an upstream answers reaches the caller as it is, streams included."""

import base64
import json
import struct
import time

import model_stub
import openai
import pytest
from harness import eventually

MESSAGES = [{"role": "user", "content": "hi"}]


def test_chat(client):
    answer = client.chat.completions.create(model="stub-model", messages=MESSAGES)
    assert answer.choices[0].message.content == "Hello there"
    assert answer.usage.total_tokens == 14 and answer.model == "stub-model"
    assert answer.usage.prompt_tokens_details.cached_tokens == 4


def test_chat_stream(client):
    chunks = list(
        client.chat.completions.create(
            model="stub-model",
            messages=MESSAGES,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "Hello there"
    assert not chunks[-1].choices and chunks[-1].usage.total_tokens == 14


@pytest.mark.parametrize("name", ["gpt-4o-mini", "org/name", "org/name:ft@x y"])
def test_alias(client, world, name):
    answer = client.chat.completions.create(model=name, messages=MESSAGES)
    assert answer.choices[0].message.content == "Hello there"
    path, _, body = world.stub.requests[-1]
    assert path == "/v1/chat/completions" and json.loads(body)["model"] == "stub-model"


def test_the_body_passes_as_bytes(world):
    body = b'{ "b" : 1.0e+02,"model":"stub-model", "messages":[],"a": "\\u00e9"}'
    json_type = {"Content-Type": "application/json"}
    status, _, _ = world.server.http("POST", "/v1/chat/completions", body, json_type)
    assert status == 200 and world.stub.requests[-1][2] == body


def test_the_stream_passes_as_bytes(world):
    body = {"model": "stub-model", "messages": MESSAGES, "stream": True}
    json_type = {"Content-Type": "application/json"}
    status, headers, data = world.server.http(
        "POST", "/v1/chat/completions", json.dumps(body), json_type
    )
    events = [f"data: {json.dumps(e)}\n\n" for _, e in model_stub.chat_chunks(body)]
    assert status == 200 and headers["content-type"].startswith("text/event-stream")
    assert data.decode() == "".join(events) + "data: [DONE]\n\n"


def test_the_key_does_not_reach_the_upstream(client, world):
    client.chat.completions.create(model="stub-model", messages=MESSAGES)
    headers = world.stub.requests[-1][1]
    assert world.server.key not in json.dumps(headers)


def test_completions(client):
    answer = client.completions.create(model="stub-model", prompt="hi")
    assert answer.choices[0].text == "Hello there" and answer.usage.total_tokens == 8
    chunks = list(client.completions.create(model="stub-model", prompt="hi", stream=True))
    assert "".join(c.choices[0].text for c in chunks) == "Hello there"


@pytest.fixture
def loose(connect, world):
    """Strict validation refuses base64 before the SDK decodes it."""
    return connect(world.server, _strict_response_validation=False)


def test_embeddings_in_base64_by_default(loose, world):
    answer = loose.embeddings.create(model="stub-model", input=["a", "b"])
    assert json.loads(world.stub.requests[-1][2])["encoding_format"] == "base64"
    assert [e.embedding for e in answer.data] == [model_stub.VECTOR] * 2
    assert answer.usage.total_tokens == 4


def test_embeddings_as_numbers(client):
    answer = client.embeddings.create(model="stub-model", input="a", encoding_format="float")
    assert answer.data[0].embedding == model_stub.VECTOR


def test_embeddings_as_text(loose):
    answer = loose.embeddings.create(model="stub-model", input="a", encoding_format="base64")
    assert base64.b64decode(answer.data[0].embedding) == struct.pack("<4f", *model_stub.VECTOR)


def test_embeddings_of_the_simulator(loose):
    numbers = loose.embeddings.create(model="sim-model", input="a", encoding_format="float")
    default = loose.embeddings.create(model="sim-model", input="a")
    assert len(default.data[0].embedding) == len(numbers.data[0].embedding) > 8
    assert any(default.data[0].embedding)


def test_responses(client):
    answer = client.responses.create(model="stub-model", input="hi")
    assert answer.output_text == "Hello there" and answer.usage.total_tokens == 10


def test_responses_stream(client):
    events = list(client.responses.create(model="stub-model", input="hi", stream=True))
    assert [e.type for e in events] == [
        "response.created",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.completed",
    ]
    assert events[-1].response.usage.total_tokens == 10


def test_moderations(client):
    answer = client.moderations.create(model="stub-model", input="hi")
    assert answer.results[0].flagged is False


def test_images(client):
    made = client.images.generate(model="stub-model", prompt="a cat")
    assert made.data[0].b64_json == model_stub.PIXEL and made.usage.total_tokens == 10


def test_image_edits_are_multipart(client, world):
    answer = client.images.edit(
        model="stub-model", prompt="a hat", image=[("a.png", b"\x89PNG-a"), ("b.png", b"\x89PNG-b")]
    )
    assert answer.data[0].b64_json == model_stub.PIXEL
    path, headers, body = world.stub.requests[-1]
    assert path == "/v1/images/edits" and headers["content-type"].startswith("multipart/form-data")
    assert body.count(b'name="image[]"') == 2 and b"\x89PNG-b" in body


@pytest.mark.parametrize("method,model", [("chat", "nope"), ("embeddings", "org/nope")])
def test_unknown_model(client, method, model):
    with pytest.raises(openai.NotFoundError) as caught:
        if method == "chat":
            client.chat.completions.create(model=model, messages=MESSAGES)
        else:
            client.embeddings.create(model=model, input="a")
    assert caught.value.code == "model_not_found"


def test_errors_of_the_upstream_pass(client):
    with pytest.raises(openai.InternalServerError, match="the model is broken"):
        client.chat.completions.create(model="broken-stub", messages=MESSAGES)
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="busy-stub", messages=MESSAGES)
    assert caught.value.code == "rate_limit_exceeded"


def test_missing_model(client):
    with pytest.raises(openai.BadRequestError, match="model"):
        client.chat.completions.create(model=None, messages=MESSAGES)


def test_a_reader_that_goes_away_ends_the_upstreams_work(world):
    client = world.server.client()
    gone = world.stub.gone
    stream = client.chat.completions.create(model="endless-stub", messages=MESSAGES, stream=True)
    for chunk in stream:
        if chunk.choices[0].finish_reason:
            break
    stream.close()
    eventually(lambda: world.stub.gone > gone, 5, "the upstream to notice")


def test_a_timeout_of_the_client(connect, world):
    hasty = connect(world.server, timeout=0.3)
    begun = time.monotonic()
    with pytest.raises(openai.APITimeoutError):
        hasty.chat.completions.create(model="slow-stub", messages=MESSAGES)
    assert time.monotonic() - begun < 2


def test_the_simulator_answers_too(loose):
    answer = loose.chat.completions.create(model="sim-model", messages=MESSAGES)
    assert "hi" in answer.choices[0].message.content
    chunks = loose.chat.completions.create(model="sim-model", messages=MESSAGES, stream=True)
    assert sum(1 for _ in chunks) > 1
