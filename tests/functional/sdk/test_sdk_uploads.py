import concurrent.futures
import hashlib
import io

import harness
import openai
import pytest

ROWS = harness.batch_rows(3000)


def begin(client, size=len(ROWS), purpose="batch", name="big.jsonl", **options):
    return client.uploads.create(
        bytes=size, filename=name, mime_type="application/jsonl", purpose=purpose, **options
    )


def pieces(data, count):
    size = -(-len(data) // count)
    return [data[i : i + size] for i in range(0, len(data), size)]


def put(client, upload, data):
    return client.uploads.parts.create(upload.id, data=data)


def test_create(client):
    upload = begin(client)
    assert upload.object == "upload" and upload.status == "pending" and upload.file is None
    assert upload.id.startswith("upload_") and upload.expires_at == upload.created_at + 3600
    assert (upload.bytes, upload.filename, upload.purpose) == (len(ROWS), "big.jsonl", "batch")


def test_parts_in_parallel_and_completed_in_another_order(client):
    upload, parts = begin(client), pieces(ROWS, 7)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        sent = dict(
            pool.map(lambda i: (i, put(client, upload, parts[i]).id), (6, 2, 5, 0, 1, 4, 3))
        )
    assert all(part_id.startswith("part_") for part_id in sent.values())
    whole = client.uploads.complete(upload.id, part_ids=[sent[i] for i in range(7)])
    assert whole.status == "completed" and whole.file.purpose == "batch"
    assert whole.file.bytes == len(ROWS) and whole.file.filename == "big.jsonl"
    assert client.files.retrieve(whole.file.id) == whole.file
    assert client.files.content(whole.file.id).content == ROWS


def test_a_part(client):
    upload = begin(client)
    part = put(client, upload, ("given.jsonl", ROWS[:10]))
    assert (part.object, part.upload_id) == ("upload.part", upload.id) and part.created_at
    stream = put(client, upload, io.BytesIO(ROWS[10:]))
    whole = client.uploads.complete(upload.id, part_ids=[part.id, stream.id])
    assert client.files.content(whole.file.id).content == ROWS


@pytest.mark.parametrize("form", ["hex", "HEX"])
def test_md5(client, form):
    digest = hashlib.md5(ROWS).hexdigest()
    upload = begin(client)
    part = put(client, upload, ROWS)
    md5 = digest if form == "hex" else digest.upper()
    assert client.uploads.complete(upload.id, part_ids=[part.id], md5=md5).status == "completed"


def test_wrong_md5_leaves_the_upload_pending(client):
    upload = begin(client)
    part = put(client, upload, ROWS)
    with pytest.raises(openai.BadRequestError) as caught:
        client.uploads.complete(upload.id, part_ids=[part.id], md5="0" * 32)
    assert caught.value.param == "md5"
    assert client.uploads.complete(upload.id, part_ids=[part.id]).status == "completed"


def test_sizes_must_add_up(client):
    upload = begin(client, len(ROWS) + 1)
    part = put(client, upload, ROWS)
    with pytest.raises(openai.BadRequestError):
        client.uploads.complete(upload.id, part_ids=[part.id])


def test_unknown_part(client):
    upload = begin(client)
    put(client, upload, ROWS)
    with pytest.raises(openai.APIStatusError) as caught:
        client.uploads.complete(upload.id, part_ids=["part_nope"])
    assert caught.value.status_code in (400, 404)


def test_cancel(client):
    upload = begin(client)
    part = put(client, upload, ROWS)
    cancelled = client.uploads.cancel(upload.id)
    assert cancelled.status == "cancelled" and cancelled.file is None
    for call in (
        lambda: put(client, upload, b"x"),
        lambda: client.uploads.complete(upload.id, part_ids=[part.id]),
    ):
        with pytest.raises(openai.APIStatusError) as caught:
            call()
        assert caught.value.status_code == 400


def test_nothing_after_complete(client):
    upload = begin(client, 4, "user_data", "x.bin")
    part = put(client, upload, b"abcd")
    done = client.uploads.complete(upload.id, part_ids=[part.id])
    assert done.file.expires_at is None
    for call in (lambda: put(client, upload, b"x"), lambda: client.uploads.cancel(upload.id)):
        with pytest.raises(openai.APIStatusError) as caught:
            call()
        assert caught.value.status_code == 400


def test_expires_after_is_the_files(client):
    upload = begin(
        client, 4, "user_data", "x", expires_after={"anchor": "created_at", "seconds": 7200}
    )
    part = put(client, upload, b"abcd")
    file = client.uploads.complete(upload.id, part_ids=[part.id]).file
    assert file.expires_at == file.created_at + 7200


@pytest.mark.parametrize("call", ["parts", "complete", "cancel"])
def test_unknown_upload(client, call):
    calls = {
        "parts": lambda: client.uploads.parts.create("upload_nope", data=b"x"),
        "complete": lambda: client.uploads.complete("upload_nope", part_ids=["part_x"]),
        "cancel": lambda: client.uploads.cancel("upload_nope"),
    }
    with pytest.raises(openai.NotFoundError):
        calls[call]()


def test_upload_file_chunked_from_a_path(client, tmp_path):
    path = tmp_path / "chunked.jsonl"
    path.write_bytes(ROWS)
    upload = client.uploads.upload_file_chunked(
        file=path,
        mime_type="application/jsonl",
        purpose="batch",
        part_size=100_000,
        md5=hashlib.md5(ROWS).hexdigest(),
    )
    assert upload.status == "completed" and upload.file.filename == "chunked.jsonl"
    assert client.files.content(upload.file.id).content == ROWS


def test_upload_file_chunked_from_memory(client):
    upload = client.uploads.upload_file_chunked(
        file=ROWS, filename="m.jsonl", bytes=len(ROWS), mime_type="a/b", purpose="batch"
    )
    assert client.files.content(upload.file.id).content == ROWS


def test_an_empty_file_has_no_parts(client):
    upload = client.uploads.upload_file_chunked(
        file=b"", filename="e.bin", bytes=0, mime_type="a/b", purpose="user_data"
    )
    assert upload.status == "completed" and upload.file.bytes == 0


def test_a_batch_from_an_upload(client):
    upload = begin(client)
    ids = [put(client, upload, piece).id for piece in pieces(ROWS, 3)]
    file = client.uploads.complete(upload.id, part_ids=ids).file
    batch = client.batches.create(
        input_file_id=file.id, endpoint=harness.CHAT, completion_window="24h"
    )

    def done():
        now = client.batches.retrieve(batch.id)
        return now if now.status in harness.TERMINAL else None

    batch = harness.eventually(done)
    assert batch.status == "completed" and batch.request_counts.completed == 3000


def test_a_part_of_64_mebibytes(world):
    """The default part size of upload_file_chunked; its request is 182 bytes larger."""
    client, data = world.server.client(), bytes(64 << 20)
    upload = begin(client, len(data), "user_data", "64.bin")
    part = put(client, upload, data)
    assert client.uploads.complete(upload.id, part_ids=[part.id]).file.bytes == len(data)


def test_a_larger_part_is_refused(world):
    client, data = world.server.client(), bytes((64 << 20) + 1)
    upload = begin(client, len(data), "user_data", "65.bin")
    with pytest.raises(openai.APIStatusError) as caught:
        put(client, upload, data)
    assert caught.value.status_code in (400, 413)
