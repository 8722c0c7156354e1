"""A receiver of webhooks: keeps what it was sent, answers as told."""

import harness
from model_stub import read_body


class Receiver(harness.LocalHttp):
    def __init__(self):
        self.deliveries = []  # (path, headers with lower-case names, raw body)
        self.answers = {}  # path: list of statuses to come, then 200
        outer = self

        class Handler(harness.QuietHandler):
            def do_POST(self):
                body = read_body(self)
                headers = {k.lower(): v for k, v in self.headers.items()}
                outer.deliveries.append((self.path, headers, body))
                waiting = outer.answers.get(self.path)
                self.send_response(waiting.pop(0) if waiting else 200)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

        super().__init__(Handler)

    def at(self, path):
        return [(headers, body) for where, headers, body in list(self.deliveries) if where == path]

    def first(self, path, count=1, seconds=15):
        """The first `count` deliveries at `path`."""
        return harness.eventually(
            lambda: self.at(path)[:count] if len(self.at(path)) >= count else None,
            seconds,
            f"{count} deliveries at {path}",
        )
