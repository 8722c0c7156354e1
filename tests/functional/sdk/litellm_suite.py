"""LiteLLM's batch functions; run by test_sdk_clients.py in an environment of their own."""

import asyncio
import json
import os
import time

import litellm
import pytest

ROW = {
    "custom_id": "a",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": "sim-model", "messages": [{"role": "user", "content": "hi"}]},
}
OPENAI = {
    "custom_llm_provider": "openai",
    "api_base": os.environ["OPENAI_BASE_URL"],
    "api_key": os.environ["OPENAI_API_KEY"],
}
ENDED = ("completed", "failed", "expired", "cancelled")
litellm.telemetry = False


def rows(count=3, model="sim-model"):
    body = ROW["body"] | {"model": model}
    made = [ROW | {"custom_id": f"row-{i}", "body": body} for i in range(count)]
    return "".join(json.dumps(row) + "\n" for row in made).encode()


def wait(batch_id):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        batch = litellm.retrieve_batch(batch_id=batch_id, **OPENAI)
        if batch.status in ENDED:
            return batch
        time.sleep(0.05)
    raise AssertionError("the batch does not end")


def start(model="sim-model", count=3):
    file = litellm.create_file(file=("in.jsonl", rows(count, model)), purpose="batch", **OPENAI)
    return litellm.create_batch(
        completion_window="24h",
        endpoint="/v1/chat/completions",
        input_file_id=file.id,
        metadata={"key": "value"},
        **OPENAI,
    )


def test_a_batch():
    batch = wait(start().id)
    assert batch.status == "completed" and batch.metadata == {"key": "value"}
    content = litellm.file_content(file_id=batch.output_file_id, **OPENAI).content
    assert len(content.splitlines()) == 3


def test_a_batch_async():
    async def life():
        file = await litellm.acreate_file(file=("in.jsonl", rows()), purpose="batch", **OPENAI)
        batch = await litellm.acreate_batch(
            completion_window="24h",
            endpoint="/v1/chat/completions",
            input_file_id=file.id,
            **OPENAI,
        )
        while batch.status not in ENDED:
            batch = await litellm.aretrieve_batch(batch_id=batch.id, **OPENAI)
        listed = await litellm.alist_batches(limit=100, **OPENAI)
        assert batch.id in [b.id for b in listed.data]
        return await litellm.afile_content(file_id=batch.output_file_id, **OPENAI)

    assert len(asyncio.run(life()).content.splitlines()) == 3


def test_list_batches():
    batch = start()
    assert batch.id in [b.id for b in litellm.list_batches(limit=100, **OPENAI).data]
    wait(batch.id)


def test_cancel_batch():
    batch = start("slow-model", 40)
    assert litellm.cancel_batch(batch_id=batch.id, **OPENAI).status in ("cancelling", "cancelled")
    assert wait(batch.id).status == "cancelled"


def test_files():
    file = litellm.create_file(file=("in.jsonl", rows()), purpose="batch", **OPENAI)
    assert litellm.file_retrieve(file_id=file.id, **OPENAI).id == file.id
    assert file.id in [f.id for f in litellm.file_list(purpose="batch", **OPENAI)]
    assert litellm.file_delete(file_id=file.id, **OPENAI).deleted is True


def test_extra_body():
    file = litellm.create_file(
        file=("in.jsonl", rows()), purpose="batch", extra_body={"target": "x"}, **OPENAI
    )
    batch = litellm.create_batch(
        completion_window="24h",
        endpoint="/v1/chat/completions",
        input_file_id=file.id,
        extra_body={"anything": {"nested": [1]}},
        **OPENAI,
    )
    assert wait(batch.id).status == "completed"


def test_a_file_that_is_not_there():
    with pytest.raises(Exception, match="No such File object"):
        litellm.file_retrieve(file_id="file-nope", **OPENAI)


def completion(**options):
    return litellm.completion(
        model="openai/stub-model",
        messages=[{"role": "user", "content": "hi"}],
        api_base=OPENAI["api_base"],
        api_key=OPENAI["api_key"],
        **options,
    )


def test_completion():
    assert completion().choices[0].message.content == "Hello there"


def test_completion_stream():
    pieces = [c.choices[0].delta.content or "" for c in completion(stream=True)]
    assert "".join(pieces) == "Hello there"


def test_embedding():
    answer = litellm.embedding(
        model="openai/stub-model",
        input=["a", "b"],
        api_base=OPENAI["api_base"],
        api_key=OPENAI["api_key"],
    )
    assert len(answer.data) == 2 and answer.data[0]["embedding"][0] == 0.5
