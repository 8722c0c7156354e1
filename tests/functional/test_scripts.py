"""The two scripts, unmodified, against the simulated upstream and against the real engine."""

import pathlib
import shutil
import subprocess
import sys

import pytest
from harness import ROOT

SCRIPTS = ROOT / "tests" / "scripts"
PRIVATE_NODE = list(pathlib.Path(ROOT / ".cache/node/node_modules").glob("node-linux-*/bin/node"))
NODE = str(PRIVATE_NODE[0]) if PRIVATE_NODE else shutil.which("node")


def python_script(server, *args, **env):
    return finish([sys.executable, SCRIPTS / "batch_labels.py", *args], server, env)


def node_script(server, *args, **env):
    assert NODE, "node is missing: tools/install-deps.sh test"
    return finish([NODE, SCRIPTS / "batch_support.mjs", *args], server, env)


def finish(command, server, env):
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=server.environment(POLL_SECONDS="0.1", **env),
    )


def test_python_script(server):
    done = python_script(server, "sim-model")
    assert done.returncode == 0, done.stderr
    assert "labelled 5 of 5" in done.stdout


def test_node_script(server):
    done = node_script(server, "sim-model")
    assert done.returncode == 0, done.stderr
    assert "created batch_" in done.stdout and '{"job":"support","team":"nightly"}' in done.stdout
    assert "done: 5 completed, 0 failed" in done.stdout


def test_node_script_reads_the_error_file(start):
    done = node_script(start.pair("--fault", "status-400:1"), "sim-model")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("failed: 400") == 5
    assert "done: 0 completed, 5 failed" in done.stdout


def test_scripts_report_a_failed_batch(server):
    for done in (python_script(server, "gpt-9"), node_script(server, "gpt-9")):
        assert done.returncode == 1 and "model_not_found" in done.stderr


@pytest.mark.engine
def test_python_script_on_the_local_engine(engine_server):
    done = python_script(engine_server)
    assert done.returncode == 0, done.stderr
    labels = dict(line.split() for line in done.stdout.splitlines() if line.startswith("A-"))
    assert len(labels) == 5 and {"positive", "negative"} >= set(labels.values())
    # The path is under test, not the tiny model, whose answers vary with what runs beside them.
    expected = {"A-100": "positive", "A-101": "negative", "A-102": "positive", "A-103": "negative"}
    assert sum(labels[sku] == label for sku, label in expected.items()) >= 2


@pytest.mark.engine
def test_node_script_on_the_local_engine(engine_server):
    done = node_script(engine_server)
    assert done.returncode == 0, done.stderr
    for line in ("msg-1 48213", "msg-2 90127", "msg-3 33508", "msg-4 71846"):
        assert line in done.stdout
    assert "msg-bad failed: 400" in done.stdout
    assert "done: 4 completed, 1 failed" in done.stdout
