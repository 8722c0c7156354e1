import io
import json
import signal
import socket
import sqlite3

import openai
import pytest
from harness import CHAT, batch_rows, eventually, jsonl, multipart, row

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


def post_form(server, *parts):
    body, headers = multipart(parts)
    status, _, answer = server.http("POST", "/v1/files", body, headers)
    return status, json.loads(answer)


@pytest.mark.parametrize("name", ["assistants", "batch", "fine-tune", "vision", "user_data"])
def test_every_purpose(server, name):
    client = server.client(_strict_response_validation=True)
    file = client.files.create(file=("x.jsonl", DATA), purpose=name)
    assert file.purpose == name and file.status_details is None
    assert file.expires_at == (file.created_at + 2592000 if name == "batch" else None)
    assert client.files.retrieve(file.id) == file
    assert file.id in [f.id for f in client.files.list(purpose=name, limit=100)]
    assert client.files.delete(file.id).deleted


def test_purpose_that_only_uploads_know(server):
    # The SDK's own enum of a File lacks it (contract section 1.6).
    client = server.client(_strict_response_validation=False)
    file = client.files.create(file=("x.bin", b"x"), purpose="evals")
    assert file.purpose == "evals"


@pytest.mark.parametrize("spelling", ["expires_after[{}]", "expires_after.{}"])
@pytest.mark.parametrize("seconds", [3600, 2592000])
def test_expires_after(server, spelling, seconds):
    status, file = post_form(
        server,
        (spelling.format("anchor"), None, b"created_at"),
        ("file", "x.jsonl", DATA),
        (spelling.format("seconds"), None, str(seconds).encode()),
        ("purpose", None, b"user_data"),
    )
    assert status == 200 and file["expires_at"] == file["created_at"] + seconds


EXPIRY = "expires_after"
EXPIRY_ERRORS = {
    "below": (
        b"created_at",
        b"3599",
        f"Invalid '{EXPIRY}.seconds': integer below minimum value. "
        "Expected a value >= 3600, but got 3599 instead.",
        "seconds",
        "integer_below_min_value",
    ),
    "above": (
        b"created_at",
        b"2592001",
        f"Invalid '{EXPIRY}.seconds': integer above maximum value. "
        "Expected a value <= 2592000, but got 2592001 instead.",
        "seconds",
        "integer_above_max_value",
    ),
    "far-above": (
        b"created_at",
        b"9" * 30,
        f"Invalid '{EXPIRY}.seconds': integer above maximum value.",
        "seconds",
        "integer_above_max_value",
    ),
    "no-number": (
        b"created_at",
        b"1h",
        f"Invalid type for '{EXPIRY}.seconds': expected an integer",
        "seconds",
        "invalid_type",
    ),
    "no-anchor": (
        None,
        b"3600",
        f"Missing required parameter: '{EXPIRY}.anchor'.",
        "anchor",
        "missing_required_parameter",
    ),
    "no-seconds": (
        b"created_at",
        None,
        f"Missing required parameter: '{EXPIRY}.seconds'.",
        "seconds",
        "missing_required_parameter",
    ),
    "other-anchor": (
        b"last_active_at",
        b"3600",
        "Invalid value: 'last_active_at'. Supported values are: 'created_at'.",
        "anchor",
        "invalid_value",
    ),
}


@pytest.mark.parametrize("name", EXPIRY_ERRORS)
def test_expires_after_errors(server, name):
    anchor, seconds, message, param, code = EXPIRY_ERRORS[name]
    given = {"anchor": anchor, "seconds": seconds}
    fields = [(f"{EXPIRY}[{k}]", None, v) for k, v in given.items() if v is not None]
    status, answer = post_form(
        server, ("file", "x.jsonl", DATA), ("purpose", None, b"batch"), *fields
    )
    error = answer["error"]
    assert status == 400 and error["message"].startswith(message)
    assert (error["param"], error["code"]) == (f"{EXPIRY}.{param}", code)


@pytest.mark.parametrize(
    "sent,stored",
    [
        ("a%22b.txt", 'a"b.txt'),
        ("na\u00efve \u65e5\u672c.txt", "na\u00efve \u65e5\u672c.txt"),
        ("C:\\\\data\\\\x.txt", "x.txt"),
        ("../..", "upload"),
        ("dir/", "upload"),
        ("a\x7fb.txt", "a_b.txt"),
        ("100%.txt", "100%.txt"),
    ],
)
def test_filenames(server, sent, stored):
    body, headers = multipart([("file", "NAME", b"x"), ("purpose", None, b"user_data")])
    status, _, answer = server.http(
        "POST", "/v1/files", body.replace(b"NAME", sent.encode()), headers
    )
    assert status == 200 and json.loads(answer)["filename"] == stored


def test_filename_that_is_not_utf8(server):
    body, headers = multipart([("file", "NAME", b"x"), ("purpose", None, b"user_data")])
    body = body.replace(b"NAME", b"\xff.txt")
    status, _, answer = server.http("POST", "/v1/files", body, headers)
    assert status == 200 and json.loads(answer)["filename"] == "\ufffd.txt"


def test_filename_that_is_too_long(server):
    status, answer = post_form(
        server, ("file", "x" * 1025, b"x"), ("purpose", None, b"user_data")
    )
    error = answer["error"]
    assert (status, error["param"], error["code"]) == (400, "filename", "string_above_max_length")


def test_file_given_as_text(server):
    status, answer = post_form(server, ("file", None, DATA), ("purpose", None, b"batch"))
    assert (status, answer["error"]["param"]) == (400, "file")


def test_two_files_in_one_form(server):
    status, answer = post_form(
        server, ("file", "a.jsonl", DATA), ("file", "b.jsonl", DATA), ("purpose", None, b"batch")
    )
    assert (status, answer["error"]["param"]) == (400, "file")


def test_a_form_of_very_many_parts(server):
    parts = [(f"file[{i}]", None, b"7") for i in range(5000)]
    status, answer = post_form(server, ("purpose", None, b"batch"), *parts)
    assert status == 400 and answer["error"]["type"] == "invalid_request_error"


def stored_bytes(server):
    found = [p for p in server.data.rglob("*") if p.is_file() and p.parent.name == "files"]
    return sorted(p.name for p in found)


def test_expired_files_are_deleted_after_a_restart(start):
    server = start.server()
    client = server.client()
    kept, gone = server.upload(DATA), server.upload(DATA)
    assert stored_bytes(server) == sorted([kept.id, gone.id])
    server.stop(signal.SIGKILL)
    with sqlite3.connect(next(server.data.glob("*.db"))) as store:
        store.execute("UPDATE files SET expires_at = created_at WHERE id = ?", [gone.id])
    store.close()
    server.start()
    eventually(lambda: stored_bytes(server) == [kept.id])
    for call in (client.files.retrieve, client.files.content):
        with pytest.raises(openai.NotFoundError):
            call(gone.id)
    assert [f.id for f in client.files.list()] == [kept.id]


def test_deletion_of_a_file_in_use(start):
    server = start.pair("--latency-ms", "20", max_concurrency=2)
    client = server.client()
    batch = server.submit(batch_rows(200))
    eventually(lambda: client.batches.retrieve(batch.id).status == "in_progress")
    client.files.delete(batch.input_file_id)
    with pytest.raises(openai.NotFoundError):
        client.files.content(batch.input_file_id)
    server.stop(signal.SIGKILL)
    server.start()
    batch = server.wait(batch)
    assert batch.status == "completed" and batch.request_counts.completed == 200
    assert batch.input_file_id and len(server.results(batch)[0]) == 200
    eventually(lambda: batch.input_file_id not in stored_bytes(server))


def test_deletion_before_validation_fails_the_batch(server):
    file = server.upload(DATA)
    server.client().files.delete(file.id)
    batch = server.client().batches.create(
        input_file_id=file.id, endpoint=CHAT, completion_window="24h"
    )
    error = server.wait(batch).errors.data[0]
    assert error.message.startswith(f"Cannot find file {file.id}, or organization ")
    assert (error.code, error.param, error.line) == ("invalid_request", "file_id", None)


def test_headers_of_a_download(server):
    status, file = post_form(
        server, ("file", "r\u00e9sum\u00e9 %22x%22.txt", DATA), ("purpose", None, b"user_data")
    )
    path = f"/v1/files/{file['id']}/content"
    for accept in ("application/json", "application/binary", "*/*"):
        status, headers, body = server.http(
            "GET", path, headers={"Accept": accept, "Accept-Encoding": "gzip, deflate"}
        )
        assert status == 200 and body == DATA
        assert headers["content-type"] == "application/octet-stream"
        assert "content-encoding" not in headers
        assert headers["content-disposition"] == (
            "attachment; filename=\"r__sum__ _x_.txt\"; "
            "filename*=UTF-8''r%C3%A9sum%C3%A9%20%22x%22.txt"
        )
    etag = headers["etag"]
    ranged = {"Range": "bytes=0-3"}
    assert server.http("GET", path, headers=ranged | {"If-Range": etag})[0] == 206
    assert server.http("GET", path, headers=ranged | {"If-Range": '"other"'})[::2] == (200, DATA)
    assert server.http("GET", path, headers={"Range": "bytes=0-1,3-4"})[::2] == (200, DATA)
    assert server.http("GET", path, headers={"Range": "BYTES=0-1"})[::2] == (206, DATA[:2])
