import harness
import openai
import pytest
from harness import CHAT, TERMINAL, eventually


def create(client, file_id, **options):
    options = {"endpoint": CHAT, "completion_window": "24h"} | options
    return client.batches.create(input_file_id=file_id, **options)


def test_life_of_a_batch(client):
    file = client.files.create(file=("in.jsonl", harness.batch_rows(20)), purpose="batch")
    batch = create(client, file.id, metadata={"customer": "a", "job": "nightly"})
    assert batch.status == "validating" and batch.object == "batch" and batch.errors is None
    assert batch.expires_at == batch.created_at + 86400
    batch = eventually(lambda: ended(client, batch.id))
    assert batch.status == "completed" and batch.metadata == {"customer": "a", "job": "nightly"}
    counts = batch.request_counts
    assert (counts.total, counts.completed, counts.failed) == (20, 20, 0)
    assert batch.model == "sim-model" and batch.error_file_id is None
    assert batch.usage.total_tokens == batch.usage.input_tokens + batch.usage.output_tokens > 0
    lines = client.files.content(batch.output_file_id).text.splitlines()
    assert len(lines) == 20
    output = client.files.retrieve(batch.output_file_id)
    assert output.purpose == "batch_output" and output.filename == f"{batch.id}_output.jsonl"
    assert output.expires_at == output.created_at + 2592000


def ended(client, batch_id):
    batch = client.batches.retrieve(batch_id)
    return batch if batch.status in TERMINAL else None


def test_output_expires_after(client):
    file = client.files.create(file=("in.jsonl", harness.batch_rows(1)), purpose="batch")
    expiry = {"anchor": "created_at", "seconds": 7200}
    batch = create(client, file.id, output_expires_after=expiry)
    batch = eventually(lambda: ended(client, batch.id))
    output = client.files.retrieve(batch.output_file_id)
    assert output.expires_at == output.created_at + 7200


def test_windows_other_than_a_day(client):
    file = client.files.create(file=("in.jsonl", harness.batch_rows(1)), purpose="batch")
    for window, seconds in (("1h", 3600), ("7d", 604800)):
        batch = create(client, file.id, completion_window=window)
        assert batch.completion_window == window
        assert batch.expires_at == batch.created_at + seconds


def test_errors_of_a_failed_batch(client):
    rows = [harness.row("a"), harness.row("a"), harness.row("c", model="gpt-9")]
    file = client.files.create(file=("in.jsonl", harness.jsonl(rows)), purpose="batch")
    batch_id = create(client, file.id).id
    batch = eventually(lambda: ended(client, batch_id))
    assert batch.status == "failed" and batch.failed_at and batch.output_file_id is None
    found = {(e.code, e.line, e.param) for e in batch.errors.data}
    assert ("duplicate_custom_id", 2, "custom_id") in found
    assert ("model_not_found", 3, "body.model") in found and batch.errors.object == "list"


def test_an_unknown_input_file_fails_the_batch(client):
    batch = create(client, "file-unknown")
    assert batch.status == "validating"
    batch = eventually(lambda: ended(client, batch.id))
    assert batch.status == "failed" and batch.errors.data[0].code == "invalid_request"
    assert "Cannot find file file-unknown" in batch.errors.data[0].message


def test_cancel(client):
    data = harness.batch_rows(60, model="slow-model")
    file = client.files.create(file=("in.jsonl", data), purpose="batch")
    batch = create(client, file.id)
    eventually(lambda: client.batches.retrieve(batch.id).status == "in_progress")
    assert client.batches.cancel(batch.id).status in ("cancelling", "cancelled")
    batch = eventually(lambda: ended(client, batch.id))
    assert batch.status == "cancelled" and batch.cancelling_at <= batch.cancelled_at
    again = client.batches.cancel(batch.id)
    assert again.status == "cancelled" and again.error_file_id == batch.error_file_id


def test_cancel_of_a_finished_batch_is_asked_once(connect, world, outcomes):
    done = outcomes.completed
    world.proxy.script()
    client = connect(world.server, base_url=world.proxy.base_url, max_retries=2)
    with pytest.raises(openai.ConflictError) as caught:
        client.batches.cancel(done["id"])
    assert "Cannot cancel a batch with status 'completed'." in caught.value.message
    assert len(world.proxy.seen()) == 1, "x-should-retry: false"


def test_input_deleted_while_in_use(client):
    file = client.files.create(
        file=("in.jsonl", harness.batch_rows(20, model="slow-model")), purpose="batch"
    )
    batch = create(client, file.id)
    eventually(lambda: client.batches.retrieve(batch.id).request_counts.completed > 0)
    assert client.files.delete(file.id).deleted
    batch = eventually(lambda: ended(client, batch.id))
    assert batch.status == "completed" and batch.request_counts.completed == 20


def test_list(client, outcomes):
    known = {outcomes.completed["id"], outcomes.refused["id"]}
    page = client.batches.list(limit=1)
    assert len(page.data) == 1 and page.has_more is True
    after = client.batches.list(limit=1, after=page.data[0].id)
    assert after.data[0].id != page.data[0].id
    batches = list(client.batches.list(limit=50))
    assert known <= {b.id for b in batches}
    stamps = [b.created_at for b in batches]
    assert stamps == sorted(stamps, reverse=True), "newest first"


def test_a_counted_row_is_in_the_error_file(client, outcomes):
    batch = client.batches.retrieve(outcomes.refused["id"])
    assert batch.status == "completed" and batch.output_file_id is None
    assert batch.request_counts.failed == batch.request_counts.total == 9
    assert len(client.files.content(batch.error_file_id).text.splitlines()) == 9


def test_auto_paging_over_a_thousand_batches(client, many_batches):
    seen = [b.id for b in client.batches.list(limit=100)]
    assert len(seen) == len(set(seen)) and many_batches <= set(seen)


def test_endpoints_of_the_enum(client):
    """Each runs where an upstream serves it."""
    bodies = {
        "/v1/responses": {"input": "hi"},
        "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
        "/v1/embeddings": {"input": ["a", "b"]},
        "/v1/completions": {"prompt": "hi"},
        "/v1/moderations": {"input": "hi"},
        "/v1/images/generations": {"prompt": "a cat"},
        "/v1/images/edits": {"prompt": "a cat", "images": [{"image_url": "http://x/y.png"}]},
        "/v1/videos": {"prompt": "a cat"},
    }
    made = {}
    for endpoint, body in bodies.items():
        line = {"custom_id": "a", "method": "POST", "url": endpoint}
        line["body"] = {"model": "stub-model"} | body
        file = client.files.create(file=("in.jsonl", harness.jsonl([line])), purpose="batch")
        made[endpoint] = create(client, file.id, endpoint=endpoint).id
    for endpoint, batch_id in made.items():
        batch = eventually(lambda wanted=batch_id: ended(client, wanted))
        assert batch.status == "completed", (endpoint, batch.errors)
        assert batch.request_counts.completed == 1, endpoint
