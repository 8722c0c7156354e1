"""What an answer of the upstream means, and that bytes pass through unchanged."""

import json

import harness
import pytest
from harness import CHAT, batch_rows, jsonl, row

FAST_RETRY = {"base_delay": "5ms", "max_delay": "20ms"}


def faulty(start, *faults, retry=None, **options):
    arguments = [a for fault in faults for a in ("--fault", fault)]
    sim = start.sim(*arguments)
    server = start.server(
        {"upstreams": [harness.upstream(sim.url, **options)], "retry": FAST_RETRY | (retry or {})}
    )
    server.sim = sim
    return server


@pytest.mark.parametrize(
    "fault",
    [
        "status-429",
        "status-500",
        "status-503",
        "status-408",
        "status-409",
        "reset",
        "close-before-answer",
        "truncated",
        "not-json",
        "html",
        "empty-body",
        "half-close",
        "huge-header",
    ],
)
def test_retried_until_it_works(start, fault):
    server = faulty(start, f"{fault}:1:2")
    batch = server.run(batch_rows(5))
    assert batch.status == "completed" and batch.request_counts.completed == 5, batch
    assert set(server.sim.attempts().values()) == {3}


@pytest.mark.parametrize("status", [400, 404, 422])
def test_not_retried(start, status):
    server = faulty(start, f"status-{status}:1")
    batch = server.run(batch_rows(3))
    assert batch.status == "completed" and batch.output_file_id is None
    counts = batch.request_counts
    assert (counts.total, counts.completed, counts.failed) == (3, 0, 3)
    assert set(server.sim.attempts().values()) == {1}
    for line in server.results(batch)[1].values():
        assert line["error"] is None and line["response"]["status_code"] == status
        assert "error" in line["response"]["body"]


def test_a_status_that_stays_bad_is_given_up_with_its_response(start):
    server = faulty(start, "status-500:1", retry={"max_attempts": 3})
    batch = server.run(batch_rows(2))
    assert batch.request_counts.failed == 2
    for line in server.results(batch)[1].values():
        assert line["response"]["status_code"] == 500 and line["error"] is None


def test_rows_that_never_get_an_answer(start):
    server = faulty(
        start,
        "reset:1",
        retry={"max_attempts": 2, "unreachable_timeout": "1s", "never_reached_timeout": "1s"},
    )
    batch = server.run(batch_rows(2))
    assert batch.status == "completed" and batch.request_counts.failed == 2
    for line in server.results(batch)[1].values():
        assert line["response"] is None and set(line["error"]) == {"code", "message"}


def test_mixed_outcomes_land_in_two_files(start):
    server = faulty(start, "status-400:0.3")
    batch = server.run(batch_rows(100))
    counts = batch.request_counts
    assert counts.completed + counts.failed == 100 and counts.completed and counts.failed
    output, errors = server.results(batch)
    assert (len(output), len(errors)) == (counts.completed, counts.failed)


def test_a_redirect_is_final_and_never_followed(start):
    echo = start.echo(
        b"{}", status=307, headers=[("Location", "http://127.0.0.1:9/v1/chat/completions")]
    )
    server = start.server({"upstreams": [harness.upstream(echo.url)], "retry": FAST_RETRY})
    batch = server.run(batch_rows(1))
    assert server.results(batch)[1]["row-0"]["response"]["status_code"] == 307
    assert len(echo.bodies) == 1


def test_interim_answers_are_skipped(start):
    batch = faulty(start, "1xx:1").run(batch_rows(3))
    assert batch.request_counts.completed == 3


def test_timeout_covers_a_dripping_answer(start):
    server = faulty(start, "drip:1:1", timeout="300ms")
    batch = server.run(batch_rows(1))
    assert batch.request_counts.completed == 1
    assert sum(server.sim.attempts().values()) >= 1


@pytest.mark.parametrize("fault", ["chunked", "eof-body", "close-after", "pretty", "odd-json"])
def test_odd_but_whole_answers_are_kept(start, fault):
    server = faulty(start, f"{fault}:1")
    batch = server.run(batch_rows(10))
    assert batch.request_counts.completed == 10
    assert set(server.results(batch)[0]) == {f"row-{i}" for i in range(10)}
    assert server.raw_content(batch.output_file_id).count(b"\n") == 10


def test_answer_bytes_survive(start):
    answer = (
        b'{"big":1000000000000000000000000000000,"exp":1.0E+2,"neg":-0.0,"esc":"\\u00e9\\/",'
        b'"raw":"\xc3\xa9","dup":1,"dup":2,"sp" : [ 1 ,2 ],"usage":{"prompt_tokens":1,'
        b'"completion_tokens":2,"total_tokens":3}}'
    )
    echo = start.echo(answer)
    server = start.server({"upstreams": [harness.upstream(echo.url)]})
    batch = server.run(batch_rows(1))
    assert b'"body":' in server.raw_content(batch.output_file_id).replace(b'"body": ', b'"body":')
    assert answer in server.raw_content(batch.output_file_id)
    assert batch.usage.total_tokens == 3


def test_request_bytes_survive(start):
    echo = start.echo(b'{"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}')
    server = start.server({"upstreams": [harness.upstream(echo.url)]})
    body = (
        '{ "temperature":0.10, "seed" : 1e2,\t"model":"sim-model", "messages":[{"role":"user",'
        '"content":"\\u00e9é😀\\/ \\" }{"}], "x":{"b":[ ],"a":null} }'
    ).encode()
    line = (
        b'{"body":'
        + body
        + b' , "url":"'
        + CHAT.encode()
        + b'","custom_id":"a","method":"POST"}\r\n'
    )
    assert server.run(line).status == "completed"
    assert echo.bodies == [body]


def test_rows_are_sent_in_prompt_order(start):
    echo = start.echo(b'{"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}')
    server = start.server({"upstreams": [harness.upstream(echo.url, max_concurrency=1)]})
    texts = ["b two", "a one", "c three", "a two", "b one"]
    server.run(jsonl([row(str(i), text=t) for i, t in enumerate(texts)]))
    sent = [json.loads(b)["messages"][0]["content"] for b in echo.bodies]
    assert sent == sorted(sent)


def test_concurrency_limit_is_kept_over_all_batches(start):
    server = start.pair("--latency-ms", "5", max_concurrency=3)
    batches = [server.submit(batch_rows(60, text=f"t{i}")) for i in range(4)]
    for batch in batches:
        assert server.wait(batch).status == "completed"
    running = [entry["running"] for entry in server.sim.entries()]
    assert max(running) == 3


def test_routing_by_model_name(start):
    one, two = start.sim(model="one", name="one"), start.sim(model="two", name="two")
    server = start.server(
        {
            "upstreams": [
                {"name": "one", "base_url": one.url},
                {"name": "two", "base_url": two.url + "/v1/"},
            ]
        }
    )
    assert {m.id for m in server.client().models.list()} == {"one", "two"}
    assert server.run(batch_rows(3, model="two")).request_counts.completed == 3
    assert (sum(one.attempts().values()), sum(two.attempts().values())) == (0, 3)


def test_default_model(start):
    sim = start.sim()
    server = start.server({"upstreams": [harness.upstream(sim.url)], "default_model": "sim-model"})
    batch = server.run(batch_rows(2, model="gpt-4o-mini"))
    assert batch.request_counts.completed == 2 and batch.model == "sim-model"
