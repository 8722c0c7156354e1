"""Files that come in parts: the official SDK, in any order and in parallel, over crashes."""

import base64
import concurrent.futures
import hashlib
import os
import signal
import uuid

import openai
import pytest
from harness import batch_rows, eventually, multipart

PART_MAX = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def client(server):
    return server.client()


def create(client, data, purpose="user_data", filename="data.bin", **options):
    return client.uploads.create(
        bytes=len(data), filename=filename, purpose=purpose, mime_type="a/b", **options
    )


def add(client, upload, data, **options):
    return client.uploads.parts.create(upload.id, data=data, **options).id


def refused(call, *args, status=400, text="", **options):
    with pytest.raises(openai.APIStatusError) as caught:
        call(*args, **options)
    assert caught.value.status_code == status and text in caught.value.message
    return caught.value


def part_blobs(server):
    return [path for path in (server.data / "blobs" / "parts").rglob("*") if path.is_file()]


def test_parts_in_parallel_and_joined_in_the_order_of_their_ids(client):
    pieces = [os.urandom(200_000 + i) for i in range(8)]
    data = b"".join(pieces)
    upload = create(client, data)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda p: add(client, upload, p), reversed(pieces)))
    done = client.uploads.complete(upload.id, part_ids=sent[::-1])
    assert done.status == "completed" and done.file.bytes == len(data)
    assert client.files.retrieve(done.file.id) == done.file
    assert client.files.content(done.file.id).content == data


def test_ranges_reach_over_parts(server, client):
    upload = create(client, b"abcdef")
    ids = [add(client, upload, piece) for piece in (b"ab", b"cd", b"ef")]
    file = client.uploads.complete(upload.id, part_ids=ids).file
    status, _, found = server.http(
        "GET", f"/v1/files/{file.id}/content", headers={"Range": "bytes=1-4"}
    )
    assert (status, found) == (206, b"bcde")


def test_upload_file_chunked_makes_a_batch_that_runs(server, client, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_bytes(batch_rows(60))
    upload = client.uploads.upload_file_chunked(
        file=path, mime_type="application/jsonl", purpose="batch", part_size=1000
    )
    assert upload.file.filename == "in.jsonl"
    batch = client.batches.create(
        input_file_id=upload.file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    batch = server.wait(batch)
    assert batch.status == "completed" and batch.request_counts.completed == 60
    output, errors = server.results(batch)
    assert len(output) == 60 and not errors


def test_empty_file(client):
    upload = client.uploads.upload_file_chunked(
        file=b"", filename="none.bin", bytes=0, mime_type="a/b", purpose="user_data"
    )
    assert upload.status == "completed" and upload.file.bytes == 0
    assert client.files.content(upload.file.id).content == b""


@pytest.mark.parametrize("form", ["hex", "base64"])
def test_md5(client, form):
    digest = hashlib.md5(b"abcdef")
    md5 = digest.hexdigest() if form == "hex" else base64.b64encode(digest.digest()).decode()
    upload = create(client, b"abcdef")
    ids = [add(client, upload, b"abc"), add(client, upload, b"def")]
    error = refused(client.uploads.complete, upload.id, part_ids=ids[::-1], md5=md5)
    assert error.param == "md5"
    assert client.uploads.complete(upload.id, part_ids=ids, md5=md5).status == "completed"


def test_completing_again_is_safe_and_otherwise_refused(client):
    upload = create(client, b"abcd")
    ids = [add(client, upload, b"ab"), add(client, upload, b"cd")]
    first = client.uploads.complete(upload.id, part_ids=ids)
    assert client.uploads.complete(upload.id, part_ids=ids) == first
    refused(client.uploads.complete, upload.id, part_ids=ids[::-1], text="is completed")
    refused(client.uploads.cancel, upload.id, text="is completed")
    refused(add, client, upload, b"more", text="is completed")


def test_batch_input_is_checked_like_any_upload(client):
    text = "Invalid file format for Batch API. Must be .jsonl"
    refused(create, client, b"{}", purpose="batch", filename="in.txt", text=text)
    upload = create(client, b"nope", purpose="batch", filename="in.jsonl")
    refused(client.uploads.complete, upload.id, part_ids=[add(client, upload, b"nope")], text=text)


def test_cancel_and_unused_parts_free_the_disk(start):
    server = start.server()
    client = server.client()
    used = create(client, b"ab")
    wanted, _ = add(client, used, b"ab"), add(client, used, b"xy")
    given_up = create(client, b"ab")
    add(client, given_up, b"ab")
    assert len(part_blobs(server)) == 3
    cancelled = client.uploads.cancel(given_up.id)
    assert cancelled.status == "cancelled" and cancelled.file is None
    file = client.uploads.complete(used.id, part_ids=[wanted]).file
    eventually(lambda: len(part_blobs(server)) == 1, what="unwanted parts to go")
    assert client.files.content(file.id).content == b"ab"
    client.files.delete(file.id)
    eventually(lambda: not part_blobs(server), what="the file's parts to go")
    refused(add, client, given_up, b"ab", text="is cancelled")


def test_acknowledged_parts_survive_a_kill(start):
    server = start.server()
    client = server.client()
    pieces = [os.urandom(50_000) for _ in range(6)]
    upload = create(client, b"".join(pieces))
    ids = [add(client, upload, piece) for piece in pieces[:3]]
    server.stop(signal.SIGKILL)
    (server.data / "blobs" / "parts" / "proj_x").mkdir()
    lost = server.data / "blobs" / "parts" / "proj_x" / "part_unrecorded"
    lost.write_bytes(b"x")
    server.start()
    assert not lost.exists(), "what was never recorded is removed at start"
    ids += [add(client, upload, piece) for piece in pieces[3:]]
    file = client.uploads.complete(upload.id, part_ids=ids).file
    server.stop(signal.SIGKILL)
    server.start()
    assert client.files.content(file.id).content == b"".join(pieces)


def test_a_part_of_64_mib_and_no_more(client):
    data = bytes(PART_MAX)
    upload = create(client, data)
    ids = [add(client, upload, data)]
    assert client.uploads.complete(upload.id, part_ids=ids).file.bytes == PART_MAX
    upload = create(client, data)
    refused(add, client, upload, data + b"x", status=413, text=f"at most {PART_MAX} bytes")


def test_a_chunked_form_with_too_much_is_refused_too(server, client):
    upload = create(client, b"x")
    head, tail = multipart([("data", "upload", b"@")])[0].split(b"@")
    _, headers = multipart([("data", "upload", b"@")])

    def body():
        yield head
        for _ in range(65):
            yield bytes(1 << 20)
        yield tail

    path = f"/v1/uploads/{upload.id}/parts"
    assert server.http("POST", path, body=body(), headers=headers)[0] == 413


def test_total_above_the_limit_is_refused_at_once(start):
    client = start.server({"limits": {"upload_bytes": "1MiB"}}).client()
    assert create(client, bytes(1 << 20)).status == "pending"
    error = refused(create, client, bytes((1 << 20) + 1), text="limits.upload_bytes")
    assert (error.param, error.code) == ("bytes", "integer_above_max_value")


def test_batch_input_through_uploads_has_the_batch_limit(start):
    server = start.server({"limits": {"batch_file_bytes": "1KiB"}})
    client = server.client()
    upload = client.uploads.upload_file_chunked(
        file=batch_rows(60),
        filename="in.jsonl",
        bytes=len(batch_rows(60)),
        mime_type="a/b",
        purpose="batch",
    )
    batch = client.batches.create(
        input_file_id=upload.file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    assert server.wait(batch).status == "failed"


def test_a_repeated_create_is_one_upload_and_parts_are_never_mistaken(server):
    again = {"extra_headers": {"x-stainless-retry-count": "1"}}
    client = server.client()
    name = f"{uuid.uuid4()}.bin"
    first = create(client, b"abab", filename=name)
    assert create(client, b"abab", filename=name, **again).id == first.id
    one, two = add(client, first, b"ab"), add(client, first, b"ab", **again)
    assert one != two, "equal bytes may be two parts"
    file = client.uploads.complete(first.id, part_ids=[one, two]).file
    assert client.files.content(file.id).content == b"abab"


def test_idempotency_key_makes_one_part(server):
    client = server.client()
    upload = create(client, b"ab")
    key = {"extra_headers": {"Idempotency-Key": str(uuid.uuid4())}}
    assert add(client, upload, b"ab", **key) == add(client, upload, b"ab", **key)
    refused(add, client, upload, b"cd", **key, text="Idempotency-Key")
