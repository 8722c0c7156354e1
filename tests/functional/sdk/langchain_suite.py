"""LangChain's OpenAI classes; run by test_sdk_clients.py in an environment of their own."""

import asyncio

import openai
import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings

CHAT = ChatOpenAI(model="stub-model", max_retries=0)
# The length check would fetch a tokenizer for a model it does not know.
EMBEDDINGS = OpenAIEmbeddings(model="stub-model", check_embedding_ctx_length=False)


def test_invoke():
    answer = CHAT.invoke([HumanMessage("hi")])
    assert answer.content == "Hello there" and answer.usage_metadata["total_tokens"] == 14


def test_ainvoke():
    assert asyncio.run(CHAT.ainvoke("hi")).content == "Hello there"


def test_stream():
    assert "".join(piece.content for piece in CHAT.stream("hi")) == "Hello there"


def test_stream_with_usage():
    chat = ChatOpenAI(model="stub-model", stream_usage=True)
    last = [p.usage_metadata for p in chat.stream("hi") if p.usage_metadata][-1]
    assert last["total_tokens"] == 14


def test_batch():
    answers = CHAT.batch([f"question {i}" for i in range(10)])
    assert [a.content for a in answers] == ["Hello there"] * 10


def test_responses_api():
    chat = ChatOpenAI(model="stub-model", use_responses_api=True)
    assert chat.invoke("hi").text == "Hello there"


def test_completions():
    assert OpenAI(model="stub-model").invoke("hi") == "Hello there"


def test_embeddings():
    vectors = EMBEDDINGS.embed_documents(["a", "b"])
    assert vectors == [[0.5, -0.25, 0.125, 1.0]] * 2
    assert EMBEDDINGS.embed_query("a") == vectors[0]


def test_unknown_model():
    with pytest.raises(openai.NotFoundError, match="nope"):
        ChatOpenAI(model="nope", max_retries=0).invoke("hi")
