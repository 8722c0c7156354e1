"""Session fixtures: one server with every kind of upstream behind it, for the suites that share."""

import contextlib
import functools
import pathlib
import types

import contract
import fault_proxy
import harness
import model_stub
import pytest
import receiver as webhook_receiver

STUB_MODELS = ["stub-model", "slow-stub", "broken-stub", "busy-stub", "endless-stub"]
NAMES = {"org/name": "stub-model", "org/name:ft@x y": "stub-model", "gpt-4o-mini": "stub-model"}


def config(sims, stub):
    upstreams = [
        harness.upstream(sim.url, name=name, models=[name], max_concurrency=concurrency)
        for name, (sim, concurrency) in sims.items()
    ]
    upstreams.append(
        {
            "name": "stub",
            "base_url": stub.url + "/v1",
            "models": STUB_MODELS,
            "aliases": NAMES,
        }
    )
    return {"upstreams": upstreams, "retry": {"max_attempts": 2, "base_delay": "10ms"}}


class Running(contextlib.ExitStack):
    """Ends what it was given, also when a later one does not start."""

    def keep(self, process):
        self.callback(process.stop)
        return process


SIMS = (
    ("sim-model", (), 32),
    ("mixed-model", ("--fault", "status-400:0.5"), 32),
    ("refusing-model", ("--fault", "status-400:1"), 32),
    ("slow-model", ("--latency-ms", "100"), 2),
)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """server, sims by model, stub (all endpoints), proxy (spoils exchanges).

    Models: sim-model; mixed-model refuses about half of its rows with 400; refusing-model all;
    slow-model takes 100 ms a row and two rows at a time.
    """
    directory = pathlib.Path(tmp_path_factory.mktemp("world"))
    with Running() as running:
        sims = {
            name: (running.keep(harness.Sim(directory, *args, model=name, name=name)), concurrency)
            for name, args, concurrency in SIMS
        }
        stub = running.keep(model_stub.ModelStub())
        server = running.keep(harness.Server(directory, config(sims, stub)))
        proxy = running.keep(fault_proxy.FaultProxy(server.port))
        found = {name: sim for name, (sim, _) in sims.items()}
        yield types.SimpleNamespace(server=server, sims=found, stub=stub, proxy=proxy)


@pytest.fixture(scope="session")
def hooked(tmp_path_factory):
    """A server that may call receivers on this machine, and a receiver; sim-model, slow-model."""
    directory = pathlib.Path(tmp_path_factory.mktemp("hooked"))
    with Running() as running:
        sims = [
            running.keep(harness.Sim(directory, *args, model=name, name=name))
            for name, args in (("sim-model", ()), ("slow-model", ("--latency-ms", "100")))
        ]
        receiver = running.keep(webhook_receiver.Receiver())
        settings = {"webhooks": {"allow_private_targets": True}}
        settings["upstreams"] = [
            harness.upstream(sims[0].url),
            harness.upstream(sims[1].url, name="slow", models=["slow-model"], max_concurrency=2),
        ]
        server = running.keep(harness.Server(directory, settings))
        yield types.SimpleNamespace(server=server, receiver=receiver)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A server that takes files up to 1 MiB."""
    directory = pathlib.Path(tmp_path_factory.mktemp("small"))
    with Running() as running:
        yield running.keep(harness.Server(directory, {"limits": {"file_bytes": "1MiB"}}))


@pytest.fixture(scope="session")
def limited(tmp_path_factory):
    """A server with low rate limits: 8 requests and 1,000 tokens a minute."""
    directory = pathlib.Path(tmp_path_factory.mktemp("limited"))
    with Running() as running:
        sim = running.keep(harness.Sim(directory))
        settings = {"upstreams": [harness.upstream(sim.url)]}
        settings["rate_limits"] = {"requests_per_minute": 8, "tokens_per_minute": 1000}
        yield running.keep(harness.Server(directory, settings))


class Outcomes:
    """Batches that have ended in each way, made when first asked for, as raw objects."""

    def __init__(self, world):
        self.server = world.server

    def finished(self, model, count=12, **options):
        data = harness.batch_rows(count, model=model)
        batch = self.server.run(data, **options)
        return self.server.get_json(f"/v1/batches/{batch.id}")

    @functools.cached_property
    def completed(self):
        return self.finished("sim-model", metadata={"job": "nightly"})

    @functools.cached_property
    def mixed(self):
        return self.finished("mixed-model", 40)

    @functools.cached_property
    def refused(self):
        return self.finished("refusing-model", 9)

    @functools.cached_property
    def failed(self):
        data = harness.jsonl([harness.row("a"), harness.row("a"), {"custom_id": "b"}])
        batch = self.server.run(data)
        return self.server.get_json(f"/v1/batches/{batch.id}")

    @functools.cached_property
    def cancelled(self):
        client = self.server.client()
        batch = self.server.submit(harness.batch_rows(40, model="slow-model"))
        harness.eventually(lambda: client.batches.retrieve(batch.id).request_counts.completed > 0)
        client.batches.cancel(batch.id)
        self.server.wait(batch)
        return self.server.get_json(f"/v1/batches/{batch.id}")


@pytest.fixture(scope="session")
def outcomes(world):
    return Outcomes(world)


@pytest.fixture(scope="session")
def contract_caller(world, outcomes):
    return contract.Caller(world, outcomes)
