"""Contract section 2: uploads."""

import hashlib
import re

import contract
import harness
import pytest
from contract import DATA, MONTH, answers, refusal, refuses

fact = contract.table()
UPLOAD_KEYS = {
    "id",
    "object",
    "bytes",
    "created_at",
    "filename",
    "purpose",
    "status",
    "expires_at",
    "file",
}
CREATE = {"filename": "x.jsonl", "purpose": "batch", "bytes": len(DATA), "mime_type": "a/b"}


def begin(api, **changes):
    fields = {k: v for k, v in (CREATE | changes).items() if v is not None}
    return api.post("/v1/uploads", fields)


def part(api, upload, data=DATA, name="upload"):
    return api.form(f"/v1/uploads/{upload['id']}/parts", [("data", name, data)])


def complete(api, upload, *parts, **fields):
    body = {"part_ids": [p["id"] for p in parts]} | fields
    return api.post(f"/v1/uploads/{upload['id']}/complete", body)


def cancel(api, upload):
    return api.call("POST", f"/v1/uploads/{upload['id']}/cancel")


def whole(api, data=DATA, **changes):
    upload = begin(api, bytes=len(data), **changes).ok()
    return complete(api, upload, part(api, upload, data).ok()).ok()


fact(
    "2",
    "spec",
    "create answers a pending Upload without a file",
    answers(begin, lambda u: u["status"] == "pending" and u["file"] is None),
)
fact("2", "spec", "an Upload has these members", answers(begin, lambda u: set(u) == UPLOAD_KEYS))
fact("2", "spec", "its object is upload", answers(begin, lambda u: u["object"] == "upload"))
fact(
    "2",
    "spec",
    "its id begins with upload_",
    answers(begin, lambda u: re.fullmatch(r"upload_\w+", u["id"])),
)
fact(
    "2",
    "spec",
    "it echoes filename, purpose and bytes",
    answers(begin, lambda u: all(u[k] == CREATE[k] for k in ("filename", "purpose", "bytes"))),
)
fact(
    "2",
    "spec",
    "it expires one hour after creation",
    answers(begin, lambda u: u["expires_at"] == u["created_at"] + 3600),
)
fact(
    "2",
    "sdk",
    "purposes beyond the spec's four are taken",
    answers(lambda a: begin(a, purpose="user_data"), lambda u: u["purpose"] == "user_data"),
)
for _name in CREATE:
    fact(
        "2",
        "spec",
        f"create needs {_name}",
        refusal(
            lambda a, n=_name: begin(a, **{n: None}),
            400,
            f"Missing required parameter: '{_name}'.",
            _name,
            "missing_required_parameter",
        ),
    )
fact(
    "2",
    "spec",
    "an unknown purpose is refused",
    lambda a: refuses_param(begin(a, purpose="vector_store"), "purpose"),
)
fact(
    "2",
    "spec",
    "a total above 8 GB is refused",
    lambda a: refuses_param(begin(a, bytes=(8 << 30) + 1), "bytes"),
)
fact(
    "2", "spec", "a negative total is refused", lambda a: refuses_param(begin(a, bytes=-1), "bytes")
)


def refuses_param(reply, param):
    assert (reply.status, reply.error["param"]) == (400, param), reply


fact(
    "2", "inferred", "bytes is an integer", lambda a: refuses_param(begin(a, bytes="many"), "bytes")
)


@fact("2", "spec", "a Part has id, object upload.part, created_at, upload_id")
def _(api):
    upload = begin(api).ok()
    found = part(api, upload).ok()
    assert set(found) == {"id", "object", "created_at", "upload_id"}
    assert found["object"] == "upload.part" and found["upload_id"] == upload["id"]
    assert found["id"].startswith("part_")


fact(
    "2",
    "spec",
    "complete answers status completed with the File",
    answers(
        lambda a: Reply200(whole(a)),
        lambda u: u["status"] == "completed" and u["file"]["object"] == "file",
    ),
)


class Reply200:
    def __init__(self, found):
        self.found = found

    def ok(self):
        return self.found


fact(
    "2",
    "spec",
    "the File is an ordinary one",
    lambda a: same((u := whole(a))["file"], a.get(f"/v1/files/{u['file']['id']}").ok()),
)
fact(
    "2",
    "spec",
    "the File has the declared name, purpose and size",
    lambda a: same(
        [whole(a)["file"][k] for k in ("filename", "purpose", "bytes")],
        [CREATE[k] for k in ("filename", "purpose", "bytes")],
    ),
)
fact(
    "2",
    "spec",
    "a batch file made so expires after 30 days",
    lambda a: same((f := whole(a)["file"])["expires_at"], f["created_at"] + MONTH),
)
fact(
    "2",
    "spec",
    "expires_after is the File's",
    lambda a: same(
        (f := whole(a, expires_after={"anchor": "created_at", "seconds": 3600})["file"])[
            "expires_at"
        ],
        f["created_at"] + 3600,
    ),
)
fact(
    "2",
    "spec",
    "expires_after has bounds",
    lambda a: refuses_param(
        begin(a, expires_after={"anchor": "created_at", "seconds": 1}), "expires_after.seconds"
    ),
)


def same(found, wanted):
    assert found == wanted


@fact("2", "spec", "the order of part_ids is the order of the file")
def _(api):
    upload = begin(api, bytes=6, purpose="user_data").ok()
    second, first = part(api, upload, b"def").ok(), part(api, upload, b"abc").ok()
    file = complete(api, upload, first, second).ok()["file"]
    assert api.get(f"/v1/files/{file['id']}/content").data == b"abcdef"


@fact("2", "spec", "the sum of the parts must be bytes")
def _(api):
    upload = begin(api, bytes=7).ok()
    reply = complete(api, upload, part(api, upload, b"abc").ok())
    assert reply.status == 400 and reply.error["type"] == "invalid_request_error"


for _form in ("hex", "base64"):
    fact("2", "inferred", f"md5 in {_form}", lambda a, f=_form: with_md5(a, f))


def with_md5(api, form):
    import base64

    digest = hashlib.md5(DATA)
    text = digest.hexdigest() if form == "hex" else base64.b64encode(digest.digest()).decode()
    upload = begin(api).ok()
    assert complete(api, upload, part(api, upload).ok(), md5=text).ok()["status"] == "completed"


@fact("2", "inferred", "a wrong md5 is a 400")
def _(api):
    upload = begin(api).ok()
    reply = complete(api, upload, part(api, upload).ok(), md5="0" * 32)
    assert (reply.status, reply.error["param"]) == (400, "md5")


fact(
    "2",
    "spec",
    "complete needs part_ids",
    lambda a: refuses(
        400, "Missing required parameter: 'part_ids'.", "part_ids", "missing_required_parameter"
    )(a.post(f"/v1/uploads/{begin(a).ok()['id']}/complete", {})),
)
fact(
    "2",
    "inferred",
    "an unknown part is refused",
    lambda a: same(complete(a, begin(a).ok(), {"id": "part_nope"}).status in (400, 404), True),
)
fact(
    "2",
    "spec",
    "cancel answers status cancelled",
    answers(
        lambda a: cancel(a, begin(a).ok()),
        lambda u: u["status"] == "cancelled" and u["file"] is None,
    ),
)
for _end in ("complete", "cancel"):
    fact(
        "2",
        "spec",
        f"no part can be added after {_end}",
        lambda a, e=_end: same(part(a, finished(a, e)).status, 400),
    )
    fact(
        "2",
        "inferred",
        f"no complete after {_end}",
        lambda a, e=_end: same(complete(a, finished(a, e)).status, 400),
    )
fact(
    "2",
    "inferred",
    "no cancel after complete",
    lambda a: same(cancel(a, finished(a, "complete")).status, 400),
)


def finished(api, how):
    upload = begin(api).ok()
    kept = part(api, upload).ok()
    (complete(api, upload, kept) if how == "complete" else cancel(api, upload)).ok()
    return upload


fact(
    "2",
    "sdk",
    "JSON bodies are taken under any content type",
    lambda a: same(
        a.call(
            "POST",
            "/v1/uploads",
            contract.json.dumps(CREATE),
            {"Content-Type": "application/x-www-form-urlencoded"},
        ).status,
        200,
    ),
)
fact(
    "2",
    "sdk",
    "an empty file has no part",
    answers(
        lambda a: complete(a, begin(a, bytes=0, purpose="user_data").ok()),
        lambda u: u["file"]["bytes"] == 0,
    ),
)
for _name in ("upload", "part.bin"):
    fact(
        "2",
        "measured x3",
        f"a part may be named {_name}",
        lambda a, n=_name: same(part(a, begin(a).ok(), name=n).status, 200),
    )


@fact("2", "measured x3", "a part may come chunked")
def _(api):
    upload = begin(api).ok()
    body, headers = harness.multipart([("data", "upload", DATA)])
    path = f"/v1/uploads/{upload['id']}/parts"
    assert api.call("POST", path, iter([body[:9], body[9:]]), headers).status == 200


@fact("2", "inferred", "a part without `data` is refused")
def _(api):
    reply = api.form(f"/v1/uploads/{begin(api).ok()['id']}/parts", [("file", "x", DATA)])
    assert (reply.status, reply.error["param"]) == (400, "data")


for _rest in ("parts", "complete", "cancel"):
    fact(
        "2",
        "inferred",
        f"{_rest} of an unknown upload is 404",
        lambda a, r=_rest: missing(unknown(a, r)),
    )


def missing(reply):
    assert reply.status == 404 and not reply.error["message"].startswith("Invalid URL"), reply


def unknown(api, rest):
    upload = {"id": "upload_nope"}
    if rest == "parts":
        return part(api, upload)
    return complete(api, upload) if rest == "complete" else cancel(api, upload)


fact(
    "2",
    "spec",
    "there is no GET for an upload",
    lambda a: same(a.get(f"/v1/uploads/{begin(a).ok()['id']}").status in (404, 405), True),
)


@pytest.mark.parametrize("case", **contract.parameters(fact.rows))
def test_uploads(case, contract_caller):
    case.check(contract_caller)
