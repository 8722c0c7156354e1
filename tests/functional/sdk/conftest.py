"""The official Python client, synchronous and asynchronous, in strict validation, by one set of tests."""

import asyncio
import inspect
import threading

import harness
import openai
import pytest
from openai._base_client import AsyncPaginator


class Loop:
    """An event loop on a thread of its own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, awaitable):
        async def whole():
            return await awaitable

        return asyncio.run_coroutine_threadsafe(whole(), self.loop).result(60)


class Iterated:
    """An asynchronous stream or list, read as if it were synchronous; `data` is the first page."""

    def __init__(self, loop, source):
        self.loop, self.source = loop, source

    def __iter__(self):
        iterator = self.source.__aiter__()
        while True:
            try:
                yield self.loop.run(iterator.__anext__())
            except StopAsyncIteration:
                return

    def __getattr__(self, name):
        return getattr(self.loop.run(self.source), name)


class Blocking:
    """AsyncOpenAI with every call awaited."""

    def __init__(self, loop, inner):
        self.loop, self.inner = loop, inner

    def __getattr__(self, name):
        found = getattr(self.inner, name)
        if not callable(found) or name.startswith("_"):
            return Blocking(self.loop, found)

        def call(*args, **options):
            return self.finish(found(*args, **options))

        return call

    def finish(self, result):
        if isinstance(result, AsyncPaginator):
            return Iterated(self.loop, result)
        if inspect.isawaitable(result):
            result = self.loop.run(result)
        if isinstance(result, openai.AsyncStream):
            return Iterated(self.loop, result)
        return result


@pytest.fixture(scope="session")
def loop():
    return Loop()


@pytest.fixture(scope="session", params=["sync", "async"])
def connect(request, loop):
    """connect(server, **options): a client of that kind, strict about what it is sent."""

    def make(server, **options):
        options = {"_strict_response_validation": True} | options
        if request.param == "sync":
            return server.client(**options)
        return Blocking(loop, server.async_client(**options))

    make.kind = request.param
    return make


@pytest.fixture(scope="session")
def client(connect, world):
    return connect(world.server)


MANY = 1050


def many(world, make):
    """Ids of MANY objects, made sixteen at a time."""

    async def run():
        client = world.server.async_client()
        limit = asyncio.Semaphore(16)

        async def one(number):
            async with limit:
                return (await make(client, number)).id

        return await asyncio.gather(*(one(i) for i in range(MANY)))

    return set(asyncio.run(run()))


@pytest.fixture(scope="session")
def many_files(world):
    return many(world, lambda c, i: c.files.create(file=(f"{i}.bin", b"x"), purpose="vision"))


@pytest.fixture(scope="session")
def many_batches(world):
    """Batches that fail at once, since their file does not exist: cheap to make."""
    return many(
        world,
        lambda c, i: c.batches.create(
            input_file_id="file-unknown", endpoint=harness.CHAT, completion_window="24h"
        ),
    )
