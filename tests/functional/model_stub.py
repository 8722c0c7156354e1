"""A small inference server whose answers carry every member that OpenAI's types require.

offpeak-sim is the fast one; this one answers all eight endpoints, streams included, and remembers
what it was sent. A model name with `slow` in it answers after two seconds; `broken` answers 500,
`busy` 429.
"""

import base64
import json
import struct
import time

import harness

CREATED = 1_760_000_000
VECTOR = [0.5, -0.25, 0.125, 1.0]
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


def chat_usage():
    return {
        "prompt_tokens": 11,
        "completion_tokens": 3,
        "total_tokens": 14,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 1,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def chat(request):
    message = {"role": "assistant", "content": "Hello there", "refusal": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": CREATED,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": chat_usage(),
    }


def chat_chunks(request):
    base = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": request["model"],
    }
    usage = (request.get("stream_options") or {}).get("include_usage")
    extra = {"usage": None} if usage else {}
    for delta, reason in (
        ({"role": "assistant", "content": ""}, None),
        ({"content": "Hello"}, None),
        ({"content": " there"}, None),
        ({}, "stop"),
    ):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        yield None, base | {"choices": [choice]} | extra
    if usage:
        yield None, base | {"choices": [], "usage": chat_usage()}


def completion(request):
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": CREATED,
        "model": request["model"],
        "choices": [{"text": "Hello there", "index": 0, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
    }


def completion_chunks(request):
    for text in ("Hello", " there"):
        answer = completion(request)
        answer["choices"][0]["text"] = text
        del answer["usage"]
        yield None, answer


def response(request, status="completed", text="Hello there"):
    content = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [content] if status == "completed" else [],
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": request["model"],
        "output": [message] if status == "completed" else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": 7,
            "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 1},
            "total_tokens": 10,
        }
        if status == "completed"
        else None,
    }


def response_events(request):
    events = [{"type": "response.created", "response": response(request, "in_progress")}]
    item = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    for text in ("Hello", " there"):
        events.append({"type": "response.output_text.delta", "delta": text, "logprobs": []} | item)
    events.append({"type": "response.completed", "response": response(request)})
    for number, event in enumerate(events):
        yield event["type"], event | {"sequence_number": number}


def embeddings(request):
    inputs = request["input"]
    count = (
        len(inputs) if isinstance(inputs, list) and inputs and not isinstance(inputs[0], int) else 1
    )
    vector = VECTOR
    if request.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": i, "embedding": vector} for i in range(count)],
        "model": request["model"],
        "usage": {"prompt_tokens": 2 * count, "total_tokens": 2 * count},
    }


CATEGORIES = (
    "harassment harassment/threatening hate hate/threatening illicit illicit/violent self-harm "
    "self-harm/instructions self-harm/intent sexual sexual/minors violence violence/graphic"
).split()


def moderation(request):
    result = {
        "flagged": False,
        "categories": dict.fromkeys(CATEGORIES, False),
        "category_scores": dict.fromkeys(CATEGORIES, 0.001),
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }
    return {"id": "modr-1", "model": request["model"], "results": [result]}


def image(request):
    return {
        "created": CREATED,
        "data": [{"b64_json": PIXEL}],
        "usage": {
            "input_tokens": 4,
            "output_tokens": 6,
            "total_tokens": 10,
            "input_tokens_details": {"text_tokens": 4, "image_tokens": 0},
        },
    }


def video(request):
    return {
        "id": "video_1",
        "object": "video",
        "created_at": CREATED,
        "model": request["model"],
        "status": "completed",
        "progress": 100,
        "seconds": "4",
        "size": "720x1280",
        "prompt": "x",
        "completed_at": CREATED,
        "expires_at": None,
        "error": None,
        "remixed_from_video_id": None,
    }


ANSWERS = {
    "/v1/chat/completions": (chat, chat_chunks),
    "/v1/completions": (completion, completion_chunks),
    "/v1/responses": (response, response_events),
    "/v1/embeddings": (embeddings, None),
    "/v1/moderations": (moderation, None),
    "/v1/images/generations": (image, None),
    "/v1/images/edits": (image, None),
    "/v1/videos": (video, None),
}


FAULTS = {"broken": (500, "server_error"), "busy": (429, "rate_limit_exceeded")}


def form_model(body):
    """The field `model` of a multipart body."""
    after = body.partition(b'name="model"')[2].partition(b"\r\n\r\n")[2]
    return after.partition(b"\r\n")[0].decode()


class ModelStub(harness.LocalHttp):
    def __init__(self):
        self.requests = []  # (path, headers with lower-case names, body)
        self.gone = 0  # streams whose reader went away
        outer = self

        class Handler(harness.QuietHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                try:
                    outer.serve(self)
                except OSError:  # the client went away
                    self.close_connection = True

        super().__init__(Handler)

    def serve(self, call):
        body = read_body(call)
        headers = {k.lower(): v for k, v in call.headers.items()}
        self.requests.append((call.path, headers, body))
        multipart = headers.get("content-type", "").startswith("multipart/")
        request = {"model": form_model(body)} if multipart else json.loads(body)
        plain, stream = ANSWERS[call.path]
        model = request.get("model", "stub-model")
        if "slow" in model:
            time.sleep(2)
        for word, (status, code) in FAULTS.items():
            if word in model:
                error = {"message": f"the model is {word}", "type": code, "param": None}
                return send(call, status, {"error": error | {"code": code}})
        if request.get("stream") and stream:
            return self.stream(call, stream(request), "endless" in model)
        return send(call, 200, plain(request | {"model": model}))

    def stream(self, call, events, endless):
        call.send_response(200)
        call.send_header("Content-Type", "text/event-stream; charset=utf-8")
        call.send_header("Transfer-Encoding", "chunked")
        call.end_headers()

        def chunk(data):
            call.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

        try:
            for name, event in events:
                head = f"event: {name}\n" if name else ""
                chunk(f"{head}data: {json.dumps(event)}\n\n".encode())
            deadline = time.monotonic() + 20
            while endless and time.monotonic() < deadline:
                chunk(b": heartbeat\n\n")
                time.sleep(0.05)
            chunk(b"data: [DONE]\n\n")
            call.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.gone += 1
            call.close_connection = True


def read_body(call):
    if "chunked" in call.headers.get("Transfer-Encoding", ""):
        body = b""
        while size := int(call.rfile.readline().split(b";")[0], 16):
            body += call.rfile.read(size)
            call.rfile.readline()
        while call.rfile.readline().strip():
            pass
        return body
    return call.rfile.read(int(call.headers.get("Content-Length") or 0))


def send(call, status, answer):
    data = json.dumps(answer).encode()
    call.send_response(status)
    call.send_header("Content-Type", "application/json")
    call.send_header("Content-Length", str(len(data)))
    call.end_headers()
    call.wfile.write(data)
