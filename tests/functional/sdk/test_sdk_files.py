import io
import pathlib

import harness
import openai
import pytest

DATA = harness.batch_rows(2)
HOUR = {"anchor": "created_at", "seconds": 3600}


class Pipe(io.RawIOBase):
    """Readable, not seekable."""

    def __init__(self, data):
        self.source = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.source.readinto(buffer)


def named(name):
    stream = io.BytesIO(DATA)
    stream.name = f"/tmp/{name}"
    return stream


def on_disk(directory, name="on disk.jsonl"):
    path = pathlib.Path(directory) / name
    path.write_bytes(DATA)
    return path


# what the caller passes -> the name that is stored
SHAPES = {
    "bytes": (lambda d: DATA, "upload"),
    "BytesIO": (lambda d: io.BytesIO(DATA), "upload"),
    "named-BytesIO": (lambda d: named("given.jsonl"), "given.jsonl"),
    "path": (on_disk, "on disk.jsonl"),
    "open-file": (lambda d: on_disk(d).open("rb"), "on disk.jsonl"),
    "tuple": (lambda d: ("a.jsonl", DATA), "a.jsonl"),
    "tuple-stream": (lambda d: ("b.jsonl", io.BytesIO(DATA)), "b.jsonl"),
    "tuple-with-type": (lambda d: ("c.jsonl", DATA, "application/pdf"), "c.jsonl"),
    "tuple-with-headers": (lambda d: ("d.jsonl", DATA, "text/plain", {"X-A": "b"}), "d.jsonl"),
    "tuple-with-directory": (lambda d: ("../../e.jsonl", DATA), "e.jsonl"),
    "tuple-unicode": (lambda d: ('naïve "日本".jsonl', DATA), 'naïve "日本".jsonl'),
    "unseekable": (lambda d: ("pipe.jsonl", Pipe(DATA)), "pipe.jsonl"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_create_of_every_shape(client, tmp_path, shape):
    make, name = SHAPES[shape]
    purpose = "batch" if name.endswith(".jsonl") else "user_data"
    value = make(tmp_path)
    file = client.files.create(file=value, purpose=purpose)
    assert (file.filename, file.bytes, file.purpose) == (name, len(DATA), purpose)
    assert file.object == "file" and file.status == "processed"
    assert client.files.content(file.id).content == DATA


def test_a_nameless_batch_file_is_refused(client):
    with pytest.raises(openai.BadRequestError, match=r"Must be \.jsonl"):
        client.files.create(file=DATA, purpose="batch")


@pytest.mark.parametrize("purpose", ["assistants", "fine-tune", "vision", "user_data"])
def test_create_with_every_purpose(client, purpose):
    file = client.files.create(file=("x.bin", b"\x00\xff"), purpose=purpose)
    assert file.purpose == purpose and file.expires_at is None
    assert client.files.retrieve(file.id) == file


def test_purpose_evals(connect, world):
    file = connect(world.server, _strict_response_validation=False).files.create(
        file=("x.jsonl", DATA), purpose="evals"
    )
    assert file.purpose == "evals"


def test_expires_after(client):
    file = client.files.create(file=("x.jsonl", DATA), purpose="user_data", expires_after=HOUR)
    assert file.expires_at == file.created_at + 3600


def test_default_expiry_of_a_batch_file(client):
    file = client.files.create(file=("x.jsonl", DATA), purpose="batch")
    assert file.expires_at == file.created_at + 2592000


@pytest.mark.parametrize(
    "seconds,code", [(10, "integer_below_min_value"), (9999999, "integer_above_max_value")]
)
def test_expires_after_out_of_range(client, seconds, code):
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.create(
            file=("x.jsonl", DATA), purpose="batch", expires_after=HOUR | {"seconds": seconds}
        )
    assert (caught.value.code, caught.value.param) == (code, "expires_after.seconds")


def test_extra_body_fields_are_ignored(client):
    extra = {"a": {"b": "c"}, "d": ["e", "f"], "g": True}
    file = client.files.create(file=("x.jsonl", DATA), purpose="batch", extra_body=extra)
    assert file.status == "processed"


def test_list_with_every_filter(client):
    made = [client.files.create(file=(f"{i}.txt", b"x"), purpose="fine-tune").id for i in range(5)]
    mine = [f.id for f in client.files.list(purpose="fine-tune", limit=2)]
    assert mine[:5] == made[::-1]
    rising = [f.id for f in client.files.list(purpose="fine-tune", limit=3, order="asc")]
    assert rising == mine[::-1]
    page = client.files.list(purpose="fine-tune", after=made[3], limit=2)
    assert [f.id for f in page.data] == made[2:0:-1] and page.has_more is True
    assert not list(client.files.list(purpose="no such purpose"))


def test_content_in_every_way(client):
    file = client.files.create(file=("x.jsonl", DATA), purpose="batch")
    content = client.files.content(file.id)
    assert content.content == content.read() == DATA and content.text == DATA.decode()
    assert list(client.files.content(file.id).iter_lines()) == DATA.decode().splitlines()
    with pytest.warns(DeprecationWarning):
        assert client.files.retrieve_content(file.id) == DATA.decode()


def test_write_to_file(world, tmp_path):
    client = world.server.client()
    file = client.files.create(file=("x.jsonl", DATA), purpose="batch")
    client.files.content(file.id).write_to_file(tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == DATA


def test_streamed_content(world):
    data = harness.batch_rows(20000)
    client = world.server.client()
    file = client.files.create(file=("x.jsonl", data), purpose="batch")
    with client.files.with_streaming_response.content(file.id) as answer:
        pieces = list(answer.iter_bytes(65536))
    assert len(pieces) > 10 and b"".join(pieces) == data


def test_streamed_content_async(world, loop):
    async def read(file_id):
        client = world.server.async_client()
        async with client.files.with_streaming_response.content(file_id) as answer:
            return [line async for line in answer.iter_lines()]

    file = world.server.upload(DATA)
    assert loop.run(read(file.id)) == DATA.decode().splitlines()


def test_raw_response(world):
    file = world.server.upload(DATA)
    answer = world.server.client().files.with_raw_response.retrieve(file.id)
    assert answer.parse().id == file.id and answer.headers["x-request-id"].startswith("req_")
    assert answer.parse()._request_id == answer.headers["x-request-id"]


def test_wait_for_processing_and_delete(client):
    file = client.files.create(file=("x.jsonl", DATA), purpose="batch")
    assert client.files.wait_for_processing(file.id).status == "processed"
    gone = client.files.delete(file.id)
    assert (gone.id, gone.object, gone.deleted) == (file.id, "file", True)
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError) as caught:
            call(file.id)
        assert caught.value.message.endswith(f"No such File object: {file.id}")


def test_auto_paging_over_a_thousand_files(client, many_files):
    seen = [f.id for f in client.files.list(purpose="vision", limit=100)]
    assert len(seen) == len(set(seen)) and set(seen) >= many_files
    assert [f.id for f in client.files.list(purpose="vision")] == seen, "in one page"
