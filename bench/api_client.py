"""A small client of the batch API on http.client: the benchmarks need nothing but Python."""

import http.client
import json
import os
import time


class ApiError(Exception):
    pass


class ApiClient:
    def __init__(self, host, port, key):
        self.host, self.port, self.key = host, port, key

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=600)

    def headers(self, **more):
        return {"Authorization": f"Bearer {self.key}", **more}

    def call(self, method, path, body=None):
        connection = self.connect()
        try:
            data = None if body is None else json.dumps(body)
            connection.request(
                method, path, data, self.headers(**{"Content-Type": "application/json"})
            )
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ApiError(f"{method} {path}: {response.status} {text[:500]!r}")
        return json.loads(text)

    def upload(self, path):
        """POST /v1/files, streamed: the file is never in memory."""
        boundary = "offpeak-bench-boundary"
        before = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
            f'filename="{os.path.basename(path)}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        after = f"\r\n--{boundary}--\r\n".encode()
        connection = self.connect()
        try:
            connection.putrequest("POST", "/v1/files")
            for name, value in self.headers().items():
                connection.putheader(name, value)
            connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
            connection.putheader(
                "Content-Length", str(len(before) + os.path.getsize(path) + len(after))
            )
            connection.endheaders()
            connection.send(before)
            with open(path, "rb") as file:
                connection.send(file)
            connection.send(after)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ApiError(f"upload of {path}: {response.status} {text[:500]!r}")
        return json.loads(text)["id"]

    def create_batch(self, file_id):
        return self.call(
            "POST",
            "/v1/batches",
            {
                "input_file_id": file_id,
                "endpoint": "/v1/chat/completions",
                "completion_window": "24h",
            },
        )

    def batch(self, batch_id):
        return self.call("GET", f"/v1/batches/{batch_id}")

    def wait(self, batch_id, timeout_s, every_s=0.02):
        """Until the batch is in a final state; its object."""
        deadline = time.monotonic() + timeout_s
        while True:
            batch = self.batch(batch_id)
            if batch["status"] in ("completed", "failed", "expired", "cancelled"):
                return batch
            if time.monotonic() > deadline:
                raise ApiError(
                    f"batch {batch_id} not done after {timeout_s} s: {json.dumps(batch)}"
                )
            time.sleep(every_s)

    def download(self, file_id, path):
        connection = self.connect()
        try:
            connection.request("GET", f"/v1/files/{file_id}/content", headers=self.headers())
            response = connection.getresponse()
            if response.status != 200:
                raise ApiError(
                    f"download of {file_id}: {response.status} {response.read()[:500]!r}"
                )
            with open(path, "wb") as out:
                while chunk := response.read(1 << 20):
                    out.write(chunk)
        finally:
            connection.close()
