"""The command line: what it prints, what it writes, its exit statuses."""

import json
import shutil
import subprocess

import pytest
from harness import CHAT, OFFPEAK, batch_rows, clean_environment, cli, free_port


@pytest.fixture
def env(server):
    return clean_environment(OFFPEAK_BASE_URL=server.url, OFFPEAK_API_KEY=server.key)


def file_with(tmp_path, data, name="in.jsonl"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_run_writes_every_result(server, env, tmp_path):
    path, out = file_with(tmp_path, batch_rows(30)), tmp_path / "out.jsonl"
    done = cli("run", "-i", path, "-o", out, "--json", env=env)
    assert done.returncode == 0, done.stderr
    batch = json.loads(done.stdout)
    assert batch["object"] == "batch" and batch["status"] == "completed"
    ids = [json.loads(line)["custom_id"] for line in out.read_text().splitlines()]
    assert sorted(ids) == sorted(f"row-{i}" for i in range(30))


def test_run_with_failed_rows_is_3_and_writes_both_files(start, tmp_path):
    server = start.pair("--fault", "status-400:0.4")
    path, out, errors = (
        file_with(tmp_path, batch_rows(50)),
        tmp_path / "o.jsonl",
        tmp_path / "e.jsonl",
    )
    done = cli("run", "-i", path, "-o", out, "--errors", errors, env=server.environment())
    assert done.returncode == 3, done.stderr
    assert len(out.read_text().splitlines()) + len(errors.read_text().splitlines()) == 50
    assert errors.read_text()


def test_run_of_a_batch_that_fails_is_8(server, env, tmp_path):
    path = file_with(tmp_path, batch_rows(2, model="gpt-9"))
    done = cli("run", "-i", path, "-o", tmp_path / "o.jsonl", env=env)
    assert done.returncode == 8 and "gpt-9" in done.stderr


def test_run_starts_a_server_of_its_own(start, tmp_path):
    sim = start.sim()
    config = tmp_path / "c.yaml"
    config.write_text(
        json.dumps(
            {
                "upstreams": [{"name": "s", "base_url": sim.url}],
                "listen": f"127.0.0.1:{free_port()}",
            }
        )
    )
    out = tmp_path / "o.jsonl"
    env = clean_environment(OFFPEAK_CONFIG=config, XDG_DATA_HOME=tmp_path)
    done = cli(
        "run",
        "-i",
        file_with(tmp_path, batch_rows(5)),
        "-o",
        out,
        "--data-dir",
        tmp_path / "own",
        env=env,
    )
    assert done.returncode == 0, done.stderr
    assert len(out.read_text().splitlines()) == 5


def test_batch_commands(server, env, tmp_path):
    path = file_with(tmp_path, batch_rows(4))
    uploaded = cli("file", "upload", path, "--json", env=env)
    file_id = json.loads(uploaded.stdout)["id"]
    created = cli(
        "batch", "create", file_id, "--endpoint", CHAT, "--metadata", "job=night", "--json", env=env
    )
    assert created.returncode == 0, created.stderr
    batch = json.loads(created.stdout)
    assert batch["metadata"] == {"job": "night"}
    assert cli("batch", "wait", batch["id"], env=env).returncode == 0
    got = json.loads(cli("batch", "get", batch["id"], "--json", env=env).stdout)
    assert got["status"] == "completed"
    assert batch["id"] in cli("batch", "list", env=env).stdout
    listed = json.loads(cli("batch", "list", "--json", env=env).stdout)
    assert listed["data"][0]["id"] == batch["id"]
    out = tmp_path / "got.jsonl"
    assert cli("file", "get", got["output_file_id"], "-o", out, env=env).returncode == 0
    assert out.read_bytes() == server.raw_content(got["output_file_id"])
    assert file_id in cli("file", "list", env=env).stdout


def test_cancel_and_wait_exit_statuses(start, tmp_path):
    server = start.pair("--latency-ms", "100", max_concurrency=1)
    env = server.environment()
    batch = server.submit(batch_rows(500))
    assert cli("batch", "wait", batch.id, "--timeout", "300ms", env=env).returncode == 6
    assert cli("batch", "cancel", batch.id, env=env).returncode == 0
    assert cli("batch", "wait", batch.id, env=env).returncode == 8


def test_file_check_needs_no_server(tmp_path):
    env = clean_environment(OFFPEAK_BASE_URL="http://127.0.0.1:1")
    good = cli("file", "check", file_with(tmp_path, batch_rows(3)), env=env)
    assert good.returncode == 0, good.stderr
    bad = cli(
        "file", "check", file_with(tmp_path, batch_rows(1) + b"{oops\n", "bad.jsonl"), env=env
    )
    assert bad.returncode == 1
    assert "2" in bad.stderr + bad.stdout and "not parseable" in bad.stderr + bad.stdout


def test_usage_errors_are_2(env):
    for arguments in (
        (),
        ("frobnicate",),
        ("run",),
        ("batch",),
        ("batch", "get"),
        ("run", "--nope"),
    ):
        assert cli(*arguments, env=env).returncode == 2, arguments


def test_help_is_0():
    for arguments in (
        ("--help",),
        ("serve", "--help"),
        ("run", "--help"),
        ("batch", "wait", "--help"),
    ):
        done = cli(*arguments)
        assert done.returncode == 0 and "offpeak" in done.stdout.lower(), arguments


def test_wrong_key_is_4(server):
    env = clean_environment(OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY="opk_wrong")
    done = cli("batch", "list", env=env)
    assert done.returncode == 4 and "opk_wrong" not in done.stderr


def test_unknown_things_are_5(env):
    assert cli("batch", "get", "batch_nope", env=env).returncode == 5
    assert cli("file", "get", "file-nope", env=env).returncode == 5


def test_unreachable_is_7():
    port = free_port()
    done = cli(
        "batch",
        "list",
        env=clean_environment(OFFPEAK_BASE_URL=f"http://127.0.0.1:{port}", OFFPEAK_API_KEY="opk_x"),
    )
    assert done.returncode == 7 and str(port) in done.stderr


def test_missing_input_file_is_1(env, tmp_path):
    done = cli("run", "-i", tmp_path / "none.jsonl", "-o", tmp_path / "o.jsonl", env=env)
    assert done.returncode == 1 and "none.jsonl" in done.stderr


def test_the_default_key_is_found_by_data_dir(server):
    done = cli(
        "batch",
        "list",
        "--data-dir",
        server.data,
        "--base-url",
        server.url,
        env=clean_environment(),
    )
    assert done.returncode == 0, done.stderr


def test_progress_bar_on_a_terminal_plain_lines_elsewhere(server, env, tmp_path):
    path, out = file_with(tmp_path, batch_rows(10)), tmp_path / "o.jsonl"
    plain = cli("run", "-i", path, "-o", out, env=env)
    assert plain.returncode == 0 and "\x1b[" not in plain.stderr and "\r" not in plain.stderr
    assert shutil.which("script"), "util-linux is part of Debian"
    command = f"{OFFPEAK} run -i {path} -o {out}"
    shown = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        capture_output=True,
        text=True,
        env=env | {"TERM": "xterm"},
        timeout=60,
        check=False,
    )
    assert shown.returncode == 0 and (
        "\x1b[" in shown.stdout or "\r" in shown.stdout.replace("\r\n", "")
    )
