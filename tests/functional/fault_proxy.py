"""A proxy between a client and the server that spoils exchanges as told, one action per request.

    pass                      forwards
    lose                      forwards, waits for the answer, and closes without a byte of it
    refuse                    closes without forwarding
    cut                       forwards, then half of the answer's body and a close
    hang                      forwards, and never answers; the client's timeout ends it
    {"status": 429, ...}      answers by itself: `headers`, `error` (members of the error object)

A script is a list of actions; when it is used up everything passes. Other processes set it by
POST /proxy/script and read what came by GET /proxy/seen.
"""

import http.client
import http.server
import json
import socket
import threading

import harness
from model_stub import read_body

SKIP = ("connection", "transfer-encoding", "content-length")


class FaultProxy(harness.LocalHttp):
    def __init__(self, port):
        self.port = port
        self.lock = threading.Lock()
        self.actions, self.requests = [], []
        outer = self

        class Handler(harness.QuietHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def do(self):
                outer.serve(self)

            do_GET = do_POST = do_DELETE = do

        super().__init__(Handler)
        self.base_url = self.url + "/v1"

    def script(self, *actions):
        with self.lock:
            self.actions, self.requests = list(actions), []

    def seen(self, header=None):
        """The requests since script(): (method, path), or their values of one header."""
        with self.lock:
            return [r[2].get(header) if header else r[:2] for r in self.requests]

    def serve(self, call):
        body = read_body(call)
        headers = {k.lower(): v for k, v in call.headers.items()}
        if call.path.startswith("/proxy/"):
            return self.control(call, body)
        with self.lock:
            action = self.actions.pop(0) if self.actions else "pass"
            self.requests.append((call.command, call.path, headers))
        if action == "refuse":
            return close(call)
        if isinstance(action, dict):
            return answer_by_itself(call, action)
        status, sent, data = self.forward(call, body)
        if action == "lose":
            return close(call)
        if action == "hang":
            call.connection.settimeout(20)
            call.rfile.read(1)
            return close(call)
        return relay(call, status, sent, data, cut=action == "cut")

    def control(self, call, body):
        if call.command == "POST":
            self.script(*json.loads(body))
        with self.lock:
            seen = [{"method": m, "path": p, "headers": h} for m, p, h in self.requests]
        data = json.dumps(seen).encode()
        relay(call, 200, [("Content-Type", "application/json")], data)

    def forward(self, call, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {k: v for k, v in call.headers.items() if k.lower() not in SKIP}
        if body or call.command == "POST":
            headers["Content-Length"] = str(len(body))
        connection.request(call.command, call.path, body or None, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.getheaders(), data


def relay(call, status, headers, data, cut=False):
    call.send_response_only(status)
    for name, value in headers:
        if name.lower() not in SKIP:
            call.send_header(name, value)
    call.send_header("Content-Length", str(len(data)))
    call.end_headers()
    call.wfile.write(data[: len(data) // 2] if cut else data)
    if cut:
        close(call)


def answer_by_itself(call, action):
    error = {"message": "injected", "type": "server_error", "param": None, "code": "injected"}
    data = json.dumps({"error": error | action.get("error", {})}).encode()
    headers = {"Content-Type": "application/json", "x-request-id": "req_injected"}
    relay(call, action["status"], (headers | action.get("headers", {})).items(), data)


def close(call):
    call.wfile.flush()
    try:
        call.connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    call.close_connection = True
