"""Keys, tenants, unknown URLs, models."""

import json
import resource
import socket

import openai
import pytest
from harness import CHAT, batch_rows, cli, eventually, quote


def error(body):
    return json.loads(body)["error"]


def test_no_key(server):
    status, headers, body = server.http("GET", "/v1/files", key=False)
    assert status == 401 and headers["www-authenticate"].startswith("Bearer")
    found = error(body)
    assert found["message"].startswith("You didn't provide an API key.")
    assert (found["type"], found["param"], found["code"]) == ("invalid_request_error", None, None)


def test_wrong_key(server):
    wrong = server.key[:-1] + ("a" if server.key[-1] != "a" else "b")
    status, _, body = server.http("GET", "/v1/files", headers={"Authorization": f"Bearer {wrong}"})
    found = error(body)
    assert status == 401 and found["code"] == "invalid_api_key"
    assert found["message"].startswith("Incorrect API key provided: ")
    assert wrong not in found["message"], "the key must be masked"
    with pytest.raises(openai.AuthenticationError):
        server.client(api_key="sk-nope").models.list()


def test_unknown_url(server):
    status, _, body = server.http("POST", "/v1/foo", b"{}")
    assert status == 404
    assert error(body) == {
        "message": "Invalid URL (POST /v1/foo)",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


@pytest.mark.parametrize(
    "method,path", [("PUT", "/v1/batches"), ("DELETE", "/v1/batches"), ("POST", "/v1/models")]
)
def test_wrong_method(server, method, path):
    status, headers, body = server.http(method, path)
    assert status == 405 and error(body)["code"] == "method_not_supported"
    assert "allow" in headers


def test_models(server):
    client = server.client(_strict_response_validation=True)
    assert [m.id for m in client.models.list()] == ["sim-model"]
    assert client.models.retrieve("sim-model").object == "model"
    status, _, body = server.http("GET", "/v1/models/nope")
    assert status == 404 and error(body)["code"] == "model_not_found"


def test_aliases_are_models_and_splice_only_the_model(start):
    echo = start.echo(
        b'{"choices":[],"model":"org/real","usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
    )
    server = start.server(
        {
            "upstreams": [
                {
                    "name": "a",
                    "base_url": echo.url,
                    "models": ["org/real"],
                    "aliases": {"gpt-4o-mini": "org/real"},
                }
            ]
        }
    )
    assert {m.id for m in server.client().models.list()} == {"org/real", "gpt-4o-mini"}
    assert server.client().models.retrieve("org/real").id == "org/real"
    assert server.http("GET", f"/v1/models/{quote('org/real')}")[0] == 200
    body = (
        b'{ "z":1.0e+02, "model" : "gpt-4o-mini" ,'
        b'"messages":[{"role":"user","content":"\\u00e9 \xc3\xa9"}],"a":0.10 }'
    )
    line = (
        b'{"custom_id":"a","method":"POST","url":"' + CHAT.encode() + b'","body":' + body + b"}\n"
    )
    assert server.run(line).status == "completed"
    assert echo.bodies == [body.replace(b"gpt-4o-mini", b"org/real")]


def test_a_second_project_sees_nothing_of_the_first(start):
    server = start.pair()
    made = cli("project", "create", "second", "--data-dir", server.data, "--json")
    assert made.returncode == 0, made.stderr
    key = next(
        v for v in json.loads(made.stdout).values() if isinstance(v, str) and v.startswith("opk_")
    )
    mine, other = server.client(), server.client(api_key=key)
    batch = server.run(batch_rows(2))
    file_ids = [batch.input_file_id, batch.output_file_id]

    assert list(other.files.list()) == [] and list(other.batches.list()) == []
    for file_id in file_ids:
        for call in (other.files.retrieve, other.files.content, other.files.delete):
            with pytest.raises(openai.NotFoundError):
                call(file_id)
    for call in (other.batches.retrieve, other.batches.cancel):
        with pytest.raises(openai.NotFoundError):
            call(batch.id)
    stolen = other.batches.create(input_file_id=file_ids[0], endpoint=CHAT, completion_window="24h")

    def failed():
        return other.batches.retrieve(stolen.id).status == "failed"

    eventually(failed)
    assert {f.id for f in mine.files.list()} == set(file_ids)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_health_needs_no_key(server, path):
    assert server.http("GET", path, key=False)[0] == 200


def test_keys_and_data_are_private(server):
    assert (server.data.stat().st_mode & 0o777) == 0o700
    assert ((server.data / "default.key").stat().st_mode & 0o777) == 0o600
    assert server.key.startswith("opk_")
    secret = server.key.removeprefix("opk_").encode()
    for path in server.data.rglob("*"):
        if path.is_file() and path.name != "default.key":
            assert secret not in path.read_bytes(), f"the key is readable in {path.name}"


def test_the_callers_own_request_id_is_in_the_log(start):
    server = start.server({"log": {"level": "debug"}})
    server.http("GET", "/v1/models", None, {"X-Client-Request-Id": "night-42"})
    server.http("GET", "/v1/models", None, {"X-Client-Request-Id": "b\xe4d"})
    eventually(lambda: server.log().count("GET /v1/models") == 2, what="both are logged")
    assert "night-42" in server.log() and "b\xe4d" not in server.log()


def test_ten_thousand_idle_connections(start):
    """They cost little, and those who call beside them do not notice."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(10_000, hard - 500)
    server = start.server()
    before = server.resident_bytes()
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 500), hard))
    idle = []
    try:
        for _ in range(count):
            idle.append(socket.create_connection(("127.0.0.1", server.port)))
        status, _, _ = server.http("GET", "/v1/models")
        assert status == 200
        for connection in (idle[0], idle[-1]):
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(64).startswith(b"HTTP/1.1 200 OK\r\n")
        assert (server.resident_bytes() - before) / count < 20_000
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
