import io
import json
import socket

import harness
import openai
import pytest
from harness import jsonl, multipart, row

DATA = jsonl([row("a"), row("b")])
FILE_KEYS = [
    "id",
    "bytes",
    "created_at",
    "filename",
    "object",
    "purpose",
    "status",
    "expires_at",
    "status_details",
]


def test_upload_of_bytes_path_and_file_object(server, tmp_path):
    path = tmp_path / "naïve name.jsonl"
    path.write_bytes(DATA)
    client = server.client(_strict_response_validation=True)
    by_tuple = client.files.create(file=("x.jsonl", DATA), purpose="batch")
    by_path = client.files.create(file=path, purpose="batch")
    by_object = client.files.create(file=path.open("rb"), purpose="batch")
    assert (by_tuple.filename, by_path.filename, by_object.filename) == (
        "x.jsonl",
        path.name,
        path.name,
    )
    for file in (by_tuple, by_path, by_object):
        assert file.bytes == len(DATA) and file.purpose == "batch" and file.status == "processed"
        assert file.id.startswith("file-") and file.expires_at == file.created_at + 2592000
        assert client.files.content(file.id).content == DATA


def test_file_object_has_the_live_key_order(server):
    file = server.upload(DATA)
    _, headers, body = server.http("GET", f"/v1/files/{file.id}")
    assert list(json.loads(body)) == FILE_KEYS
    assert headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("order", ["file-first", "purpose-first"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_multipart_parts_in_any_order_and_framing(server, order, framing):
    parts = [("file", "x.jsonl", DATA), ("purpose", None, b"batch")]
    body, headers = multipart(parts if order == "file-first" else parts[::-1])
    # http.client sends an iterator chunked.
    sent = body if framing == "length" else iter([body[i : i + 7] for i in range(0, len(body), 7)])
    status, _, answer = server.http("POST", "/v1/files", sent, headers)
    assert status == 200, answer
    assert server.raw_content(json.loads(answer)["id"]) == DATA


def test_multipart_without_its_last_boundary_is_refused(server):
    body, headers = multipart([("purpose", None, b"batch"), ("file", "x.jsonl", DATA)])
    status, _, answer = server.http("POST", "/v1/files", body[:-6], headers)
    assert status == 400 and json.loads(answer)["error"]["type"] == "invalid_request_error"


def test_filename_loses_its_directory(server):
    file = server.client().files.create(file=("../../etc/x.jsonl", DATA), purpose="batch")
    assert file.filename == "x.jsonl"


def test_data_that_looks_like_a_boundary_survives(server):
    data = jsonl([row("a", text="\r\n--bOuNdArX\r\n--bOuNdAr")]) + b"\r\n--bOuNdAr\r\n"
    body, headers = multipart([("purpose", None, b"batch"), ("file", "x.jsonl", data)])
    status, _, answer = server.http("POST", "/v1/files", body, headers)
    assert status == 200 and server.raw_content(json.loads(answer)["id"]) == data


def test_list_pages_filters_and_auto_paging(start):
    server = start.server()
    client = server.client()
    ids = [server.upload(DATA).id for _ in range(5)]
    assert [f.id for f in client.files.list(limit=2)] == ids[::-1]
    assert [f.id for f in client.files.list(limit=2, order="asc")] == ids
    page = client.files.list(limit=2, after=ids[3])
    assert [f.id for f in page.data] == [ids[2], ids[1]] and page.has_more
    assert [f.id for f in client.files.list(purpose="batch")] == ids[::-1]
    assert client.files.list(purpose="batch_output").data == []
    _, _, body = server.http("GET", "/v1/files?limit=2&after=")
    envelope = json.loads(body)
    assert list(envelope) == ["object", "data", "first_id", "last_id", "has_more"]
    assert (envelope["first_id"], envelope["last_id"]) == (ids[4], ids[3])


@pytest.mark.parametrize(
    "limit,code", [("0", "integer_below_min_value"), ("10001", "integer_above_max_value")]
)
def test_list_limit_out_of_range(server, limit, code):
    status, _, body = server.http("GET", f"/v1/files?limit={limit}")
    error = json.loads(body)["error"]
    assert status == 400 and error["code"] == code and error["param"] == "limit"


def test_delete(server):
    client = server.client()
    file = server.upload(DATA)
    deleted = client.files.delete(file.id)
    assert (deleted.id, deleted.object, deleted.deleted) == (file.id, "file", True)
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            call(file.id)


@pytest.mark.parametrize("method,path", [("GET", ""), ("DELETE", ""), ("GET", "/content")])
def test_unknown_file(server, method, path):
    status, _, body = server.http(method, "/v1/files/file-nope" + path)
    assert status == 404
    assert json.loads(body)["error"] == {
        "message": "No such File object: file-nope",
        "type": "invalid_request_error",
        "param": "id",
        "code": None,
    }


def test_content_range(server):
    file = server.upload(DATA)
    path = f"/v1/files/{file.id}/content"

    def ranged(value):
        status, headers, body = server.http("GET", path, headers={"Range": value})
        return status, headers.get("content-range"), body

    size = len(DATA)
    assert ranged("bytes=0-9") == (206, f"bytes 0-9/{size}", DATA[:10])
    assert ranged("bytes=10-") == (206, f"bytes 10-{size - 1}/{size}", DATA[10:])
    assert ranged("bytes=-5") == (206, f"bytes {size - 5}-{size - 1}/{size}", DATA[-5:])
    assert ranged(f"bytes={size}-")[:2] == (416, f"bytes */{size}")
    status, headers, body = server.http("GET", path)
    assert status == 200 and body == DATA and int(headers["content-length"]) == size


def test_invalid_purpose(server):
    with pytest.raises(openai.BadRequestError) as caught:
        server.client().files.create(file=("x.jsonl", DATA), purpose="vector_store")
    error = caught.value.body
    assert error["message"] == (
        "'vector_store' is not one of ['fine-tune', 'assistants', 'batch', "
        "'user_data', 'vision', 'evals'] - 'purpose'"
    )
    assert (error["param"], error["code"]) == ("purpose", None)


@pytest.mark.parametrize(
    "name,data",
    [("x.txt", DATA), ("upload", DATA), ("x.jsonl", b""), ("x.jsonl", b"not json\n")],
    ids=["wrong-extension", "no-extension", "empty", "not-json"],
)
def test_what_is_no_batch_file(server, name, data):
    with pytest.raises(openai.BadRequestError) as caught:
        server.client().files.create(file=(name, data), purpose="batch")
    assert caught.value.body["message"] == "Invalid file format for Batch API. Must be .jsonl"


@pytest.mark.parametrize("missing", ["file", "purpose"])
def test_missing_part(server, missing):
    parts = [("file", "x.jsonl", DATA), ("purpose", None, b"batch")]
    body, headers = multipart([p for p in parts if p[0] != missing])
    status, _, answer = server.http("POST", "/v1/files", body, headers)
    error = json.loads(answer)["error"]
    assert (
        status == 400
        and error["code"] == "missing_required_parameter"
        and error["param"] == missing
    )


def test_pipe_that_cannot_seek(server):
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.source = io.BytesIO(DATA)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.source.readinto(buffer)

    file = server.client().files.create(file=("x.jsonl", Pipe()), purpose="batch")
    assert server.raw_content(file.id) == DATA


def test_wait_for_processing_returns_at_once(server):
    assert server.client().files.wait_for_processing(server.upload(DATA).id).status == "processed"


def test_expect_continue(server):
    body, headers = multipart([("purpose", None, b"batch"), ("file", "x.jsonl", DATA)])
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
        head = (
            f"POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
            f"Content-Type: {headers['Content-Type']}\r\nContent-Length: {len(body)}\r\n"
            "Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        raw.sendall(head.encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 100")
        raw.sendall(body)
        assert b" 200 " in raw.recv(65536).split(b"\r\n")[0]


def test_request_ids_are_on_every_answer(server):
    seen = set()
    for path in ("/v1/files", "/v1/files/file-nope", "/v1/nothing"):
        _, headers, _ = server.http("GET", path)
        assert headers["x-request-id"].startswith("req_")
        seen.add(headers["x-request-id"])
    assert len(seen) == 3
