"""The official npm package in its two majors: tests/node, each test there a test here."""

import pathlib
import shutil

import foreign
import harness
import pytest

FOLDER = harness.ROOT / "tests" / "node"
TEST = r"^test\('([^']+)'"
SHARED = ["files", "uploads", "batches", "errors", "inference", "unwrap"]
SUITES = {"openai6": SHARED, "openai7": [*SHARED, "webhooks"]}


def newest(folder, otherwise):
    found = sorted(pathlib.Path(harness.ROOT / folder).glob("node_modules/node-linux-*/bin/node"))
    return str(found[0]) if found else otherwise


# 6.x wants Node 20, 7.x Node 22 (tools/install-deps.sh test).
NODE = {
    "openai6": newest(".cache/node", shutil.which("node")),
    "openai7": newest(".cache/node22", None),
}


@pytest.fixture(scope="session")
def environment(world, small, hooked_or_none, many_files, many_batches):
    found = harness.clean_environment(
        OFFPEAK_URL=world.server.base_url,
        OFFPEAK_KEY=world.server.key,
        OFFPEAK_PROXY=world.proxy.url,
        OFFPEAK_SMALL_URL=small.base_url,
        OFFPEAK_SMALL_KEY=small.key,
    )
    if hooked_or_none:
        server = hooked_or_none.server
        found |= {"OFFPEAK_HOOKED_URL": server.base_url, "OFFPEAK_HOOKED_KEY": server.key}
    return found


@pytest.fixture(scope="session")
def hooked_or_none(request):
    try:
        return request.getfixturevalue("hooked")
    except AssertionError:
        return None


@pytest.mark.parametrize(
    "suite,name",
    **foreign.parameters(
        foreign.Suite(package, FOLDER / f"{name}.test.mjs", TEST)
        for package, names in SUITES.items()
        for name in names
    ),
)
def test_node(suite, name, environment):
    package = suite.label
    assert NODE[package], f"no node for {package}: tools/install-deps.sh test"
    module = FOLDER / package / "node_modules/openai/index.mjs"
    full = environment | {"OPENAI_MODULE": str(module)}
    suite.begin(foreign.node(NODE[package], FOLDER / "reporter.mjs", full))
    suite.result(name)
