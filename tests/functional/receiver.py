"""A receiver of webhooks: keeps what it was sent, answers as told."""

import http.server
import threading

import harness
from model_stub import read_body


class Receiver:
    def __init__(self):
        self.deliveries = []  # (path, headers with lower-case names, raw body)
        self.answers = {}  # path: list of statuses to come, then 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = read_body(self)
                headers = {k.lower(): v for k, v in self.headers.items()}
                outer.deliveries.append((self.path, headers, body))
                waiting = outer.answers.get(self.path)
                self.send_response(waiting.pop(0) if waiting else 200)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def at(self, path):
        return [(headers, body) for where, headers, body in list(self.deliveries) if where == path]

    def first(self, path, count=1, seconds=15):
        """The first `count` deliveries at `path`."""
        return harness.eventually(
            lambda: self.at(path)[:count] if len(self.at(path)) >= count else None,
            seconds,
            f"{count} deliveries at {path}",
        )

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
