"""kill -9 loses nothing and repeats little; SIGTERM drains."""

import signal

from harness import batch_rows, eventually

CONCURRENCY = 32


def test_kill_in_the_middle_of_a_large_batch(start):
    rows = 20000
    server = start.pair("--latency-ms", "2", max_concurrency=CONCURRENCY)
    client = server.client()
    batch = server.submit(batch_rows(rows))
    kills, counts = 2, []
    for kill in range(1, kills + 1):

        def far_enough():
            counts.append(client.batches.retrieve(batch.id).request_counts.completed)
            return counts[-1] > kill * rows // 5

        eventually(far_enough, 60, "progress")
        server.stop(signal.SIGKILL)
        server.start()
        counts.append(client.batches.retrieve(batch.id).request_counts.completed)
    batch = server.wait(batch, 90)
    assert counts == sorted(counts), "a shown count fell"
    assert batch.status == "completed" and batch.request_counts.completed == rows
    output, errors = server.results(batch)
    assert not errors and set(output) == {f"row-{i}" for i in range(rows)}

    attempts = server.sim.attempts()
    assert len(attempts) == rows
    repeated = sum(attempts.values()) - rows
    assert repeated <= kills * CONCURRENCY, f"{repeated} attempts repeated"
    usage = [line["response"]["body"]["usage"] for line in output.values()]
    assert batch.usage.total_tokens == sum(u["total_tokens"] for u in usage)


def test_term_drains_and_the_batch_goes_on_later(start):
    server = start.pair("--latency-ms", "20", max_concurrency=8)
    client = server.client()
    batch = server.submit(batch_rows(400))
    eventually(lambda: client.batches.retrieve(batch.id).request_counts.completed > 20)
    assert server.stop(signal.SIGTERM, 15) == 0, server.log()
    assert server.child.returncode == 0
    server.start()
    batch = server.wait(batch)
    assert batch.request_counts.completed == 400
    assert set(server.sim.attempts().values()) == {1}, "a drained server repeats nothing"


def test_an_acknowledged_upload_survives_a_kill(start):
    server = start.pair()
    data = batch_rows(50)
    file = server.upload(data)
    server.stop(signal.SIGKILL)
    server.start()
    assert server.raw_content(file.id) == data


def test_an_acknowledged_batch_survives_a_kill(start):
    server = start.pair()
    batch = server.submit(batch_rows(50))
    server.stop(signal.SIGKILL)
    server.start()
    assert server.wait(batch).request_counts.completed == 50


def test_the_key_stays_over_a_restart(start):
    server = start.server()
    key = server.key
    assert server.stop() == 0
    assert server.start().key == key
    assert list(server.client().batches.list()) == []
