import pathlib

import harness
import pytest

pytest_plugins = ["world"]


@pytest.fixture
def start(tmp_path):
    """Starts processes for one test: start.sim(*args), start.server(config), start.echo(...)."""

    class Starter:
        def __init__(self):
            self.running = []

        def keep(self, process):
            self.running.append(process)
            return process

        def sim(self, *args, **options):
            return self.keep(harness.Sim(tmp_path, *args, **options))

        def echo(self, *args, **options):
            return self.keep(harness.EchoUpstream(*args, **options))

        def server(self, config=None, **options):
            return self.keep(harness.Server(tmp_path, config, **options))

        def pair(self, *sim_args, **upstream_options):
            """A simulated upstream with the given faults, and a server that uses it."""
            sim = self.sim(*sim_args)
            server = self.server({"upstreams": [harness.upstream(sim.url, **upstream_options)]})
            server.sim = sim
            return server

    starter = Starter()
    yield starter
    for process in reversed(starter.running):
        process.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server and a faultless simulated upstream, shared by the tests of a module."""
    directory = pathlib.Path(tmp_path_factory.mktemp("shared"))
    sim = harness.Sim(directory)
    shared = harness.Server(directory, {"upstreams": [harness.upstream(sim.url)]})
    shared.sim = sim
    yield shared
    shared.stop()
    sim.stop()


@pytest.fixture(scope="session")
def engine_server(tmp_path_factory):
    """A server with nothing configured: the local engine answers."""
    directory = pathlib.Path(tmp_path_factory.mktemp("engine"))
    local = harness.Server(directory, args=("--engine", "auto"))
    yield local
    local.stop()
