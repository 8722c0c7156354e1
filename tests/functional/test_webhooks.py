"""Webhooks: endpoints through the official client, deliveries to a real receiver."""

import collections
import http.server
import json
import signal
import sqlite3
import ssl
import subprocess
import threading
import time

import openai
import pytest
from harness import batch_rows, cli, eventually, free_port, upstream

EVENTS = ["batch.completed", "batch.failed", "batch.expired", "batch.cancelled"]
ENDPOINT_KEYS = [
    "id",
    "object",
    "created_at",
    "updated_at",
    "name",
    "url",
    "event_types",
    "signing_secret_hint",
]
FAILING = batch_rows(1, model="served-by-nobody")
PRIVATE = {"webhooks": {"allow_private_targets": True}}

Received = collections.namedtuple("Received", "path headers body at")


class Receiver:
    """Keeps what it was sent; answers with `status`, or, while `gate` is closed, not at all."""

    def __init__(self, status=200, port=0, tls=None):
        self.received, self.status, self.headers = [], status, []
        self.gate = threading.Event()
        self.gate.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append(
                    Received(self.path, self.headers, body, time.time())
                )
                outer.gate.wait(30)
                self.send_response(outer.status)
                for name, value in outer.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: (
            None
        )  # connections that a killed server leaves
        scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True
            )
            scheme = "https"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}/hook?tenant=1"

    def wait(self, count=1, seconds=20):
        eventually(lambda: len(self.received) >= count, seconds, f"{count} deliveries")
        return self.received

    def stop(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver(start):
    return start.keep(Receiver())


@pytest.fixture
def pair(start):
    """A server that may call this machine, and its simulated upstream."""

    def make(*sim_args, **options):
        sim = start.sim(*sim_args)
        server = start.server({"upstreams": [upstream(sim.url, **options)]} | PRIVATE)
        server.sim = sim
        return server

    return make


def subscribe(server, url, events=EVENTS):
    return server.client().webhooks.create(name="ops", url=url, event_types=events)


def unwrap(server, received, secret):
    return server.client().webhooks.unwrap(
        received.body, received.headers, secret=secret
    )


def deliveries(server, endpoint, delivery=""):
    return server.get_json(f"/v1/webhook_endpoints/{endpoint.id}/deliveries{delivery}")


def one_delivery(server, endpoint):
    (only,) = deliveries(server, endpoint)["data"]
    return deliveries(server, endpoint, "/" + only["id"])


def error_of(answer):
    status, _, body = answer
    return status, json.loads(body)["error"]


def post(server, path, body):
    return server.http(
        "POST", path, json.dumps(body), {"Content-Type": "application/json"}
    )


def test_an_endpoint_from_creation_to_deletion(pair, receiver):
    server = pair()
    client = server.client()
    made = client.webhooks.create(
        name="ops", url=receiver.url, event_types=["batch.failed", "batch.completed"]
    )
    assert made.id.startswith("whe_") and made.object == "webhook_endpoint"
    assert made.signing_secret.startswith("whsec_")
    assert made.signing_secret_hint == "whsec_…" + made.signing_secret.rstrip("=")[-4:]
    assert made.created_at == made.updated_at
    found = client.webhooks.retrieve(made.id)
    assert list(server.get_json(f"/v1/webhook_endpoints/{made.id}")) == ENDPOINT_KEYS
    assert (
        found.event_types == ["batch.failed", "batch.completed"]
        and found.url == receiver.url
    )
    assert made.to_dict() == found.to_dict() | {"signing_secret": made.signing_secret}

    unchanged = client.webhooks.update(made.id)
    assert unchanged.to_dict() == found.to_dict()
    changed = client.webhooks.update(
        made.id, name="night", event_types=["batch.expired"]
    )
    assert (changed.name, changed.event_types) == ("night", ["batch.expired"])
    assert changed.url == receiver.url and changed.updated_at >= made.updated_at

    assert [e.id for e in client.webhooks.list()] == [made.id]
    gone = client.webhooks.delete(made.id)
    assert gone.to_dict() == {
        "id": made.id,
        "object": "webhook_endpoint.deleted",
        "deleted": True,
    }
    with pytest.raises(openai.NotFoundError):
        client.webhooks.retrieve(made.id)
    assert list(client.webhooks.list()) == []


def test_listing_pages_newest_first(pair, receiver):
    server = pair()
    made = [subscribe(server, receiver.url).id for _ in range(5)]
    client = server.client()
    assert [e.id for e in client.webhooks.list(limit=2)] == made[::-1]
    page = client.webhooks.list(limit=2)
    assert page.has_more and len(page.data) == 2
    client.webhooks.delete(made[3])
    after = client.webhooks.list(limit=2, after=made[3])
    assert [e.id for e in after.data] == [made[2], made[1]]


def test_event_types(pair):
    types = pair().client().webhooks.event_types.list()
    assert types.to_dict() == {"object": "list", "data": EVENTS}


def test_what_is_wrong_with_a_body(pair):
    server = pair()
    good = {"name": "n", "url": "http://127.0.0.1:9/", "event_types": ["batch.failed"]}
    cases = [
        ({"name": None}, "missing_required_parameter", "name"),
        ({"url": None}, "missing_required_parameter", "url"),
        ({"event_types": None}, "missing_required_parameter", "event_types"),
        ({"event_types": []}, "empty_array", "event_types"),
        ({"event_types": ["batch.in_progress"]}, "invalid_value", "event_types[0]"),
        ({"event_types": ["batch.failed", "x.y"]}, "invalid_value", "event_types[1]"),
        ({"event_types": "batch.failed"}, "invalid_type", "event_types"),
        ({"name": ""}, "empty_string", "name"),
        ({"name": 7}, "invalid_type", "name"),
        ({"url": "ftp://127.0.0.1/"}, "invalid_value", "url"),
        ({"url": "http://user:pw@127.0.0.1/"}, "invalid_value", "url"),
        ({"url": "http://169.254.169.254/latest"}, "invalid_value", "url"),
        ({"url": "http://2130706433/"}, "invalid_value", "url"),
    ]
    for change, code, param in cases:
        status, error = error_of(post(server, "/v1/webhook_endpoints", good | change))
        assert (status, error["code"], error["param"]) == (400, code, param), change
        assert error["type"] == "invalid_request_error"
    status, error = error_of(
        post(server, "/v1/webhook_endpoints", good | {"event_types": ["x"]})
    )
    assert error["message"] == (
        "Invalid value: 'x'. Supported values are: 'batch.completed', 'batch.failed', "
        "'batch.expired', and 'batch.cancelled'."
    )


def test_private_targets_and_http_are_refused_by_default(start, receiver):
    server = start.server()
    client = server.client()
    for url in (
        receiver.url,
        "http://example.com/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.1/x",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            client.webhooks.create(name="n", url=url, event_types=EVENTS)
        assert caught.value.param == "url" and caught.value.code == "invalid_value", url
        if "ffff" not in url:
            assert "webhooks.allow_private_targets" in str(caught.value), url
    assert list(client.webhooks.list()) == [] and receiver.received == []


def test_an_endpoint_made_before_the_setting_was_taken_back_is_not_called(
    pair, receiver
):
    server = pair()
    made = subscribe(server, receiver.url)
    server.stop()
    server.config.write_text(json.dumps({"upstreams": [upstream(server.sim.url)]}))
    server.start()
    server.run(batch_rows(1))
    log = eventually(lambda: one_delivery(server, made)["log"], what="an attempt")
    assert log[0]["status_code"] is None and "https" in log[0]["error"]
    assert receiver.received == []


def test_the_four_events(pair, receiver):
    server = pair("--latency-ms", "200", max_concurrency=1)
    made = subscribe(server, receiver.url)
    completed = server.run(batch_rows(1))
    failed = server.run(FAILING)
    cancelled = server.submit(batch_rows(50))
    eventually(
        lambda: server.client().batches.retrieve(cancelled.id).status == "in_progress"
    )
    server.client().batches.cancel(cancelled.id)
    server.wait(cancelled)
    expired = server.submit(batch_rows(500))
    eventually(
        lambda: server.client().batches.retrieve(expired.id).status == "in_progress"
    )
    server.stop(signal.SIGKILL)
    with sqlite3.connect(server.data / "meta.db") as database:
        database.execute("UPDATE batches SET expires_at = 1 WHERE id = ?", [expired.id])
    database.close()
    server.start()
    server.wait(expired)

    events = {}
    for received in receiver.wait(4):
        event = unwrap(server, received, made.signing_secret)
        assert received.path == "/hook?tenant=1"
        assert received.headers["content-type"] == "application/json"
        assert received.headers["user-agent"].startswith("offpeak/")
        assert list(json.loads(received.body)) == [
            "id",
            "object",
            "type",
            "created_at",
            "data",
        ]
        events[event.type] = event
    assert {type_: event.data.id for type_, event in events.items()} == {
        "batch.completed": completed.id,
        "batch.failed": failed.id,
        "batch.cancelled": cancelled.id,
        "batch.expired": expired.id,
    }
    assert events["batch.completed"].created_at == completed.completed_at
    assert len({e.id for e in events.values()}) == 4
    assert all(e.id.startswith("evt_") and e.object == "event" for e in events.values())
    assert len(receiver.received) == 4


def test_an_event_arrives_within_about_a_second(pair, receiver):
    server = pair()
    subscribe(server, receiver.url)
    server.run(batch_rows(1))
    ended = time.time()
    assert receiver.wait()[0].at - ended < 2


def test_only_what_was_subscribed_to_is_sent(pair, start, receiver):
    server, other = pair(), start.keep(Receiver())
    subscribe(server, receiver.url, ["batch.completed"])
    failures = subscribe(server, other.url, ["batch.failed"])
    server.run(FAILING)
    server.run(batch_rows(1))
    assert json.loads(receiver.wait()[0].body)["type"] == "batch.completed"
    assert (
        unwrap(server, other.wait()[0], failures.signing_secret).type == "batch.failed"
    )
    assert (len(receiver.received), len(other.received)) == (1, 1)


def test_a_redelivery_has_the_same_id_and_a_fresh_timestamp(pair, receiver):
    receiver.status = 500
    server = pair()
    made = subscribe(server, receiver.url)
    server.run(batch_rows(1))
    receiver.wait()
    receiver.status = 204
    first, second = receiver.wait(2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-id"].startswith("wh_")
    assert first.body == second.body
    gap = int(second.headers["webhook-timestamp"]) - int(
        first.headers["webhook-timestamp"]
    )
    assert 4 <= gap <= 9, gap
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    for received in (first, second):
        assert unwrap(server, received, made.signing_secret).type == "batch.completed"

    delivery = eventually(
        lambda: (d := one_delivery(server, made))["status"] == "delivered" and d,
        what="delivered",
    )
    assert [entry["status_code"] for entry in delivery["log"]] == [500, 204]
    assert delivery["attempts"] == 2 and delivery["next_attempt_at"] is None
    assert delivery["webhook_id"] == first.headers["webhook-id"]


@pytest.mark.parametrize("status", [301, 307])
def test_redirects_are_failures_and_not_followed(pair, start, receiver, status):
    elsewhere = start.keep(Receiver())
    receiver.status, receiver.headers = status, [("Location", elsewhere.url)]
    server = pair()
    made = subscribe(server, receiver.url)
    server.run(batch_rows(1))
    log = eventually(lambda: one_delivery(server, made)["log"], what="an attempt")
    assert log[0]["status_code"] == status
    assert (
        one_delivery(server, made)["status"] == "pending" and elsewhere.received == []
    )


def test_410_ends_it(pair, receiver):
    receiver.status = 410
    server = pair()
    made = subscribe(server, receiver.url)
    server.run(batch_rows(1))
    eventually(
        lambda: one_delivery(server, made)["status"] == "given_up", what="given up"
    )


@pytest.mark.parametrize("held", [True, False])
def test_a_kill_between_event_and_delivery_loses_nothing(pair, start, held):
    """The receiver holds the request, or is not there, when the server is killed."""
    receiver = Receiver()
    port = receiver.server.server_address[1]
    server = pair()
    made = subscribe(server, receiver.url)
    if held:
        receiver.gate.clear()
    else:
        receiver.stop()
    batch = server.run(batch_rows(1))
    if held:
        receiver.wait()
    server.stop(signal.SIGKILL)
    if held:
        receiver.stop()
    again = start.keep(Receiver(port=port))
    server.start()
    event = unwrap(server, again.wait()[0], made.signing_secret)
    assert event.data.id == batch.id
    assert again.received[0].headers["webhook-id"] == "wh_" + batch.id.removeprefix(
        "batch_"
    )
    eventually(
        lambda: one_delivery(server, made)["status"] == "delivered", what="delivered"
    )
    assert len(again.received) == 1


def test_stopping_is_quick_while_a_receiver_hangs(pair, receiver):
    server = pair()
    subscribe(server, receiver.url)
    receiver.gate.clear()
    server.run(batch_rows(1))
    receiver.wait()
    start = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - start < 5


def test_a_receiver_that_hangs_does_not_hold_up_another(pair, start, receiver):
    server, slow = pair(), start.keep(Receiver())
    slow.gate.clear()
    for _ in range(3):
        subscribe(server, slow.url)
    subscribe(server, receiver.url)
    for _ in range(10):
        server.run(batch_rows(1))
    receiver.wait(10, seconds=8)


def test_rotation(pair, receiver):
    server = pair()
    client = server.client()
    made = subscribe(server, receiver.url)
    kept = client.webhooks.rotate_secret(
        made.id, keep_old_secret_active_for_24_hours=True
    )
    assert (
        kept.signing_secret != made.signing_secret
        and kept.updated_at >= made.updated_at
    )
    server.run(batch_rows(1))
    both = receiver.wait()[0]
    assert both.headers["webhook-signature"].count(" ") == 1
    for secret in (made.signing_secret, kept.signing_secret):
        assert unwrap(server, both, secret).type == "batch.completed"

    last = client.webhooks.rotate_secret(made.id)
    server.run(batch_rows(1))
    received = receiver.wait(2)[1]
    assert unwrap(server, received, last.signing_secret).type == "batch.completed"
    for secret in (made.signing_secret, kept.signing_secret):
        with pytest.raises(openai.InvalidWebhookSignatureError):
            unwrap(server, received, secret)


def test_the_test_call(pair, receiver):
    server = pair()
    client = server.client(max_retries=2)
    made = subscribe(server, receiver.url)
    for status in (200, 500):
        receiver.status = status
        result = client.webhooks.test(made.id, event_type="batch.expired")
        assert result.to_dict() == {
            "object": "webhook_endpoint.test",
            "webhook_endpoint_id": made.id,
            "event_type": "batch.expired",
            "status_code": status,
            "success": True,
        }
    first, second = receiver.received
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    for received in (first, second):
        assert unwrap(server, received, made.signing_secret).type == "batch.expired"
    with pytest.raises(openai.BadRequestError) as caught:
        client.webhooks.test(made.id, event_type="x.y")
    assert caught.value.param == "event_type" and caught.value.code == "invalid_value"
    assert deliveries(server, made)["data"] == []


def test_the_test_call_without_an_answer_is_not_retried(pair):
    server = pair()
    made = subscribe(server, f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(openai.InternalServerError) as caught:
        server.client(max_retries=2).webhooks.test(made.id, event_type="batch.failed")
    assert caught.value.status_code == 502
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert caught.value.response.request.headers["x-stainless-retry-count"] == "0"
    assert "127.0.0.1" not in str(caught.value)


def test_certificates_are_verified(pair, start, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ]
        + ["-nodes", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-days", "2", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    receiver = start.keep(Receiver(tls=(certificate, key)))
    server = pair()
    made = subscribe(server, receiver.url)
    with pytest.raises(openai.InternalServerError) as caught:
        server.client().webhooks.test(made.id, event_type="batch.failed")
    assert "certificate" in str(caught.value) and receiver.received == []


def test_replay(pair, receiver):
    server = pair()
    made = subscribe(server, receiver.url)
    server.run(batch_rows(1))
    receiver.wait()
    delivery = eventually(
        lambda: (d := one_delivery(server, made))["status"] == "delivered" and d,
        what="delivered",
    )
    path = f"/v1/webhook_endpoints/{made.id}/deliveries/{delivery['id']}/replay"
    status, _, body = server.http("POST", path)
    assert status == 200 and json.loads(body)["status"] == "pending"
    first, second = receiver.wait(2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    eventually(lambda: len(one_delivery(server, made)["log"]) == 2, what="two attempts")


def test_what_belongs_to_nobody_or_to_another_project_is_not_found(pair, receiver):
    server = pair()
    made = subscribe(server, receiver.url)
    server.run(batch_rows(1))
    receiver.wait()
    delivery = one_delivery(server, made)["id"]
    operator = (server.data / "operator.key").read_text().strip()
    status, _, body = server.http(
        "POST",
        "/internal/projects",
        json.dumps({"name": "second"}),
        {"Authorization": f"Bearer {operator}", "Content-Type": "application/json"},
    )
    assert status == 200, body
    stranger = {"Authorization": f"Bearer {json.loads(body)['api_key']}"}
    calls = [
        ("GET", ""),
        ("POST", ""),
        ("DELETE", ""),
        ("POST", "/rotate_secret"),
        ("POST", "/test"),
        ("GET", "/deliveries"),
        ("GET", f"/deliveries/{delivery}"),
        ("POST", f"/deliveries/{delivery}/replay"),
    ]
    for method, path in calls:
        body = json.dumps({"event_type": "batch.failed"}) if method == "POST" else None
        seen = []
        for id_, headers in ((made.id, stranger), ("whe_unknown", {})):
            status, error = error_of(
                server.http(method, f"/v1/webhook_endpoints/{id_}{path}", body, headers)
            )
            assert status == 404 and error["type"] == "invalid_request_error", (
                method,
                path,
            )
            seen.append(error["message"].replace(id_, "ID"))
        assert seen[0] == seen[1], (method, path)
    assert server.client().webhooks.retrieve(made.id).id == made.id
    assert len(receiver.received) == 1


def test_deleting_an_endpoint_drops_what_is_pending(pair, receiver):
    receiver.status = 500
    server = pair()
    made = subscribe(server, receiver.url)
    server.run(batch_rows(1))
    receiver.wait()
    server.client().webhooks.delete(made.id)
    watched = subscribe(server, receiver.url)
    receiver.status = 200
    server.run(batch_rows(1))
    unwrap(server, receiver.wait(2)[1], watched.signing_secret)
    eventually(
        lambda: one_delivery(server, watched)["status"] == "delivered", what="delivered"
    )
    assert len(receiver.received) == 2


def test_secrets_are_not_on_disk_nor_in_logs(pair, receiver):
    server = pair()
    client = server.client()
    key = {"Idempotency-Key": "once"}
    made, same = (
        client.webhooks.create(
            name="ops", url=receiver.url, event_types=EVENTS, extra_headers=key
        )
        for _ in range(2)
    )
    assert made.to_dict() == same.to_dict()
    rotated, again = (
        client.webhooks.rotate_secret(
            made.id,
            keep_old_secret_active_for_24_hours=True,
            extra_headers={"Idempotency-Key": "rotation"},
        )
        for _ in range(2)
    )
    assert rotated.to_dict() == again.to_dict()
    server.run(batch_rows(1))
    receiver.wait()
    server.stop()
    assert (server.data / "secret.key").stat().st_mode & 0o777 == 0o600
    files = [p for p in server.data.rglob("*") if p.is_file()] + [
        server.out,
        server.err,
    ]
    for path in files:
        content = path.read_bytes()
        for secret in (made.signing_secret, rotated.signing_secret):
            assert secret.encode() not in content, path
            assert secret[6:30].encode() not in content, path


def test_without_its_key_file_a_secret_must_be_rotated(pair, receiver):
    server = pair()
    made = subscribe(server, receiver.url)
    server.stop()
    (server.data / "secret.key").unlink()
    server.start()
    server.run(batch_rows(1))
    log = eventually(lambda: one_delivery(server, made)["log"], what="an attempt")
    assert "Rotate it" in log[0]["error"] and receiver.received == []
    secret = server.client().webhooks.rotate_secret(made.id).signing_secret
    assert unwrap(server, receiver.wait()[0], secret).type == "batch.completed"


def test_a_damaged_key_file_stops_the_start(pair):
    server = pair()
    server.stop()
    (server.data / "secret.key").write_text("nonsense\n")
    with pytest.raises(AssertionError, match="secret.key"):
        server.start()


def test_commands(pair, receiver):
    server = pair()
    env = server.environment()

    def run(*args, status=0):
        done = cli("webhooks", *args, env=env)
        assert done.returncode == status, done.stderr
        return done

    made = json.loads(
        run("create", "--name", "ops", "--url", receiver.url, "--json").stdout
    )
    assert made["event_types"] == EVENTS
    id_ = made["id"]
    shown = run("get", id_).stdout
    assert made["signing_secret_hint"] in shown and made["signing_secret"] not in shown
    assert receiver.url in run("list").stdout
    changed = json.loads(
        run("update", id_, "--name", "x", "--event", "batch.failed", "--json").stdout
    )
    assert (changed["name"], changed["event_types"]) == ("x", ["batch.failed"])
    assert (
        run("test", id_, "--event", "batch.failed").stdout
        == "the receiver answered 200\n"
    )
    receiver.status = 503
    run("test", id_, status=1)
    receiver.status = 200
    rotated = run("rotate", id_, "--keep-old")
    assert "whsec_" in rotated.stdout and "only once" in rotated.stderr

    server.run(FAILING)
    eventually(lambda: "delivered" in run("deliveries", id_).stdout, what="delivered")
    delivery = json.loads(run("deliveries", id_, "--json").stdout)["data"][0]["id"]
    assert " 200" in run("deliveries", id_, delivery).stdout
    count = len(receiver.received)
    assert "pending" in run("replay", id_, delivery).stdout
    receiver.wait(count + 1)

    assert "deleted" in run("delete", id_).stderr
    run("get", id_, status=5)
    refused = run("create", "--name", "n", "--url", "http://169.254.169.254/", status=1)
    assert "url" in refused.stderr
