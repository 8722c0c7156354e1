"""Real processes and small helpers for the functional tests."""

import collections
import functools
import http.client
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import openai

import openapi_check

ROOT = pathlib.Path(__file__).resolve().parents[2]
OFFPEAK = os.environ.get("OFFPEAK_BIN", str(ROOT / "build/release/offpeak"))
SIM = os.environ.get("OFFPEAK_SIM_BIN", str(ROOT / "build/release/offpeak-sim"))
TERMINAL = ("completed", "failed", "expired", "cancelled")
CHAT = "/v1/chat/completions"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(check, seconds=20.0, what="condition"):
    """Polls until check() is true-like and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def clean_environment(**extra):
    skip = ("OPENAI_", "OFFPEAK_")
    keep = ("OFFPEAK_ENGINE_DIR",)
    env = {k: v for k, v in os.environ.items() if k in keep or not k.startswith(skip)}
    return env | {k: str(v) for k, v in extra.items()}


class Process:
    """A child whose output goes to files; `ready` is its line that begins with `ready `."""

    def __init__(self, command, directory, name, env=None):
        directory.mkdir(parents=True, exist_ok=True)
        self.out, self.err = directory / f"{name}.out", directory / f"{name}.err"
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.offset = out.tell()
            self.child = subprocess.Popen(
                [str(c) for c in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=env or clean_environment(),
            )

    def output(self):
        return self.out.read_text(errors="replace")[self.offset :]

    def log(self):
        return self.output() + self.err.read_text(errors="replace")

    def wait_ready(self, seconds=20):
        def line():
            assert self.child.poll() is None, f"exited {self.child.returncode}:\n{self.log()}"
            return re.search(r"^ready .*?(http://[^\s/]+)", self.output(), re.MULTILINE)

        return eventually(line, seconds, f"ready line, log:\n{self.log()}").group(1)

    def stop(self, signal_number=signal.SIGTERM, seconds=20):
        if self.child.poll() is None:
            self.child.send_signal(signal_number)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise


class Sim(Process):
    def __init__(self, directory, *args, model="sim-model", name="sim", port=0):
        self.log_path = directory / f"{name}.log"
        super().__init__(
            [SIM, "--listen", f"127.0.0.1:{port}", "--model", model, "--log", self.log_path, *args],
            directory,
            name,
        )
        self.url = self.wait_ready()

    def entries(self):
        """The attempts that are over."""
        time.sleep(0.2)  # the simulator writes its log every 100 ms
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]

    def attempts(self):
        """How many attempts each request body saw, by its hash."""
        return collections.Counter(entry["body_xxh3"] for entry in self.entries())


class Server(Process):
    """`offpeak serve`; start() may be called again after stop() on the same data and port."""

    def __init__(self, directory, config=None, args=("--engine", "none"), name="offpeak"):
        self.directory, self.args, self.name = directory, args, name
        self.data, self.port = directory / "data", free_port()
        directory.mkdir(parents=True, exist_ok=True)
        self.config = directory / "offpeak.yaml"
        self.config.write_text(json.dumps(config or {}, indent=1) + "\n")
        self.start()

    def start(self):
        super().__init__(
            [
                OFFPEAK,
                "serve",
                "--data-dir",
                self.data,
                "--listen",
                f"127.0.0.1:{self.port}",
                "--config",
                self.config,
                *self.args,
            ],
            self.directory,
            self.name,
        )
        self.url = self.wait_ready(60)
        self.key = (self.data / "default.key").read_text().strip()
        return self

    @property
    def base_url(self):
        return self.url + "/v1"

    def client(self, **options):
        strict = {"_strict_response_validation": True}
        options = strict | {"max_retries": 0, "timeout": 30, "api_key": self.key} | options
        checked = openai.DefaultHttpxClient(event_hooks={"response": [self.check_answer]})
        return openai.OpenAI(**{"base_url": self.base_url, "http_client": checked} | options)

    def async_client(self, **options):
        async def check(answer):
            if is_json(answer.headers):
                await answer.aread()
                self.check_answer(answer)

        options = {"max_retries": 0, "timeout": 30, "api_key": self.key} | options
        checked = openai.DefaultAsyncHttpxClient(event_hooks={"response": [check]})
        return openai.AsyncOpenAI(**{"base_url": self.base_url, "http_client": checked} | options)

    def check_answer(self, answer):
        """A hook of the SDK's transport: every JSON answer is as /openapi.json says."""
        if is_json(answer.headers):
            request = answer.request
            answer.read()
            self.check_documented(
                request.method, str(request.url.raw_path, "ascii"), answer.status_code, answer
            )

    def check_documented(self, method, path, status, answer):
        kind = answer.headers["content-type"]
        if self.document:
            self.document.check(method, path, status, kind, answer.content)

    @functools.cached_property
    def document(self):
        """What /openapi.json says; None where the server has none."""
        return openapi_check.document_at(self.port)

    def environment(self, **extra):
        return clean_environment(OPENAI_BASE_URL=self.base_url, OPENAI_API_KEY=self.key, **extra)

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def http(self, method, path, body=None, headers=None, key=True):
        """One raw exchange: (status, headers with lower-case names, body bytes)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        send = dict(headers or {})
        if key:
            send.setdefault("Authorization", f"Bearer {self.key}")
        connection.request(method, path, body=body, headers=send)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        found = {k.lower(): v for k, v in answer.getheaders()}
        # Tests lend this method to other servers too.
        if isinstance(self, Server) and is_json(found) and self.document:
            self.document.check(method, path, answer.status, found["content-type"], data)
        return answer.status, found, data

    def get_json(self, path):
        status, _, data = self.http("GET", path)
        assert status == 200, data
        return json.loads(data)

    def upload(self, data, name="input.jsonl"):
        return self.client().files.create(file=(name, data), purpose="batch")

    def submit(self, data, endpoint=CHAT, **options):
        file = self.upload(data)
        return self.client().batches.create(
            input_file_id=file.id, endpoint=endpoint, completion_window="24h", **options
        )

    def wait(self, batch, seconds=30):
        client = self.client()

        def done():
            now = client.batches.retrieve(batch.id)
            return now if now.status in TERMINAL else None

        return eventually(done, seconds, f"{batch.id} to end, log:\n{self.log()[-3000:]}")

    def run(self, data, endpoint=CHAT, seconds=30, **options):
        return self.wait(self.submit(data, endpoint, **options), seconds)

    def raw_content(self, file_id):
        return self.client().files.content(file_id).content

    def lines(self, file_id):
        return [json.loads(x) for x in self.raw_content(file_id).splitlines()] if file_id else []

    def results(self, batch):
        """(output rows, error rows) by custom_id; every id is in exactly one place, once."""
        output, errors = self.lines(batch.output_file_id), self.lines(batch.error_file_id)
        ids = [r["custom_id"] for r in output + errors]
        assert len(ids) == len(set(ids)), "a custom_id came twice"
        return {r["custom_id"]: r for r in output}, {r["custom_id"]: r for r in errors}


def is_json(headers):
    return headers.get("content-type", "").startswith("application/json")


def upstream(url, **options):
    return {
        "name": "sim",
        "base_url": url + "/v1",
        "models": ["sim-model"],
        "max_concurrency": 16,
    } | options


def cli(*args, env=None, seconds=60, stdin=None):
    return subprocess.run(
        [OFFPEAK, *map(str, args)],
        capture_output=True,
        text=True,
        input=stdin,
        timeout=seconds,
        env=env or clean_environment(),
        check=False,
    )


def row(custom_id="a", model="sim-model", text="hello", url=CHAT, **body):
    full = {"model": model, "messages": [{"role": "user", "content": f"{text} {custom_id}"}]} | body
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": full}


def jsonl(rows):
    return b"".join(json.dumps(r).encode() + b"\n" for r in rows)


def batch_rows(count, **options):
    return jsonl(row(f"row-{i}", **options) for i in range(count))


def multipart(parts, boundary="bOuNdArY"):
    """parts: (name, filename or None, bytes) in the order given; (body, headers)."""
    pieces = []
    for name, filename, data in parts:
        disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
        kind = "Content-Type: application/octet-stream\r\n" if filename else ""
        head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\n{kind}\r\n"
        pieces += [head.encode(), data, b"\r\n"]
    body = b"".join([*pieces, f"--{boundary}--\r\n".encode()])
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


class QuietHandler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass


class LocalHttp:
    """An HTTP server of the test's own, on a free port, a thread for each connection."""

    def __init__(self, handler):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class EchoUpstream(LocalHttp):
    """An upstream that keeps the raw bodies it was sent and answers with given bytes."""

    def __init__(self, answer=b'{"ok":1}', status=200, headers=()):
        self.bodies, self.answer, self.status, self.headers = [], answer, status, list(headers)
        outer = self

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(outer.answer)))
                for name, value in outer.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(outer.answer)

        super().__init__(Handler)


def quote(text):
    return urllib.parse.quote(text, safe="")
