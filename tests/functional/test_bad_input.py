"""Bad input gets a message that says what, where and what to do."""

import socket

import harness
import openai
import pytest
from harness import batch_rows, cli, eventually, free_port, jsonl, row


def serve(tmp_path, *args, config=None, data=None, listen=None):
    """A server that must not start: (exit status, everything it printed)."""
    command = [
        "serve",
        "--data-dir",
        data or tmp_path / "data",
        "--listen",
        listen or f"127.0.0.1:{free_port()}",
        "--engine",
        "none",
        *args,
    ]
    if config is not None:
        path = tmp_path / "offpeak.yaml"
        path.write_text(config)
        command += ["--config", path]
    done = cli(*command, seconds=20)
    return done.returncode, done.stdout + done.stderr


def test_bom(server):
    """The marker makes line 1 unparseable, at upload or in the batch."""
    try:
        batch = server.run(b"\xef\xbb\xbf" + batch_rows(2))
    except openai.BadRequestError as error:
        assert "Must be .jsonl" in error.body["message"]
        return
    assert batch.status == "failed"
    assert (batch.errors.data[0].code, batch.errors.data[0].line) == ("invalid_json_line", 1)


def test_a_line_of_10_mb(server, start):
    data = jsonl([row("small"), row("big", text="x" * 10_000_000)])
    batch = server.run(data)
    assert batch.status == "failed"
    error = batch.errors.data[0]
    assert (error.code, error.line) == ("line_too_long", 2)
    assert "limits.line_bytes" in error.message
    sim = start.sim()
    wide = start.server(
        {"upstreams": [harness.upstream(sim.url)], "limits": {"line_bytes": "16MiB"}}
    )
    batch = wide.run(data)
    assert batch.status == "completed" and batch.request_counts.completed == 2


def test_a_line_over_the_limit_is_named(start):
    sim = start.sim()
    server = start.server(
        {"upstreams": [harness.upstream(sim.url)], "limits": {"line_bytes": 100000}}
    )
    batch = server.run(jsonl([row("a"), row("big", text="x" * 200_000)]))
    assert batch.status == "failed" and batch.errors.data[0].line == 2
    assert "100" in batch.errors.data[0].message


def test_an_upstream_that_is_down(start):
    config = {
        "upstreams": [harness.upstream(f"http://127.0.0.1:{free_port()}")],
        "retry": {
            "base_delay": "5ms",
            "max_delay": "20ms",
            "unreachable_timeout": "1s",
            "never_reached_timeout": "1s",
        },
    }
    server = start.server(config)
    batch = server.run(batch_rows(3))
    assert batch.status == "completed" and batch.request_counts.failed == 3
    error = server.results(batch)[1]["row-0"]["error"]
    assert error["code"] and error["message"]


def test_an_upstream_that_comes_back(start):
    port = free_port()
    config = {
        "upstreams": [harness.upstream(f"http://127.0.0.1:{port}")],
        "retry": {"base_delay": "20ms", "max_delay": "100ms"},
    }
    server = start.server(config)
    batch = server.submit(batch_rows(3))
    eventually(lambda: server.client().batches.retrieve(batch.id).status == "in_progress")
    start.sim(port=port)
    assert server.wait(batch).request_counts.completed == 3


def test_port_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, text = serve(tmp_path, listen=f"127.0.0.1:{port}")
    assert status == 1 and str(port) in text and "in use" in text


def test_data_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    status, text = serve(tmp_path, data=tmp_path / "file" / "data")
    assert status == 1 and str(tmp_path / "file") in text


def test_unwritable_data_directory(tmp_path):
    status, text = serve(tmp_path, data="/proc/offpeak")
    assert status == 1 and "/proc/offpeak" in text


def test_second_server_on_the_same_data(start, tmp_path):
    server = start.server()
    done = cli(
        "serve",
        "--data-dir",
        server.data,
        "--listen",
        f"127.0.0.1:{free_port()}",
        "--engine",
        "none",
    )
    assert done.returncode == 1 and str(server.data) in done.stdout + done.stderr
    assert server.http("GET", "/readyz")[0] == 200


def test_configuration_typo(tmp_path):
    status, text = serve(tmp_path, config="limits:\n  profile: openai\nupstream:\n  - name: a\n")
    assert status in (1, 2) and "offpeak.yaml:3:1" in text and "upstreams" in text


@pytest.mark.parametrize(
    "config,place",
    [
        (
            "upstreams:\n  - name: a\n    base_url: http://x\n    max_concurency: 3\n",
            "offpeak.yaml:4:5",
        ),
        (
            "upstreams:\n  - name: a\n    base_url: http://x\n    max_concurrency: many\n",
            "offpeak.yaml:4:",
        ),
        ("listen: [\n", "offpeak.yaml:"),
        ("limits:\n  rows: -1\n", "offpeak.yaml:2:"),
    ],
)
def test_configuration_mistakes_have_a_place(tmp_path, config, place):
    status, text = serve(tmp_path, config=config)
    assert status in (1, 2) and place in text, text


def test_missing_configuration_file(tmp_path):
    status, text = serve(tmp_path, "--config", tmp_path / "none.yaml")
    assert status in (1, 2) and "none.yaml" in text


def test_bad_flags(tmp_path):
    assert serve(tmp_path, listen="nowhere")[0] in (1, 2)
    assert serve(tmp_path, "--nope")[0] == 2


def test_garbage_on_the_wire_does_not_hurt(server):
    for data in (
        b"\x00" * 100 + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/files\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"y" * 200_000 + b"\r\n\r\n",
        b"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
            try:
                raw.sendall(data)
                assert b" 200 " not in raw.recv(4096).split(b"\r\n")[0]
            except ConnectionError:
                pass
    assert server.http("GET", "/readyz")[0] == 200


def test_upload_over_the_limit_is_answered_before_the_end(start):
    server = start.server({"limits": {"file_bytes": 100000}})
    with pytest.raises(openai.APIStatusError) as caught:
        server.upload(batch_rows(5000))
    assert caught.value.status_code in (400, 413)
    assert list(server.client().files.list()) == []
