"""Raw requests at the edge of HTTP/1.1: refused and closed, or served, and never read differently
from what a proxy in front would read. Each is followed by a second request on the same connection,
which must not be answered after a refusal."""

import re
import shutil
import socket

import harness
import pytest
from harness import eventually, free_port

SECOND = b"GET /livez?second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
HOST = b"Host: x\r\n"


def get(headers=HOST, line=b"GET /livez HTTP/1.1"):
    return line + b"\r\n" + headers + b"\r\n"


def post(headers, body=b"", line=b"POST /v1/batches HTTP/1.1"):
    return line + b"\r\n" + HOST + headers + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(SMUGGLED)

SERVED = {
    "plain": get(),
    "absolute form of the same host": get(line=b"GET http://x/livez HTTP/1.1"),
    "a hundred headers": get(HOST + b"".join(b"X-%d: y\r\n" % i for i in range(99))),
    "an empty value": get(HOST + b"X:\r\n"),
    "utf-8 in a value": get(HOST + b"X: \xc3\xa9\r\n"),
    "latin-1 in a value": get(HOST + b"X: \xe9\r\n"),
    "space around a value": get(HOST + b"X: \t y \t\r\n"),
    "a body on a GET": get(HOST + b"Content-Length: 4\r\n") + b"body",
    "a chunked body on a GET": get(HOST + CHUNKED) + b"4\r\nbody\r\n0\r\n\r\n",
    "chunked in capitals": get(HOST + b"Transfer-Encoding: CHUNKED\r\n") + b"0\r\n\r\n",
    "a chunk extension": get(HOST + CHUNKED) + b"4;a=b\r\nbody\r\n0\r\n\r\n",
    "a quoted chunk extension": get(HOST + CHUNKED) + b'4;a="b c"\r\nbody\r\n0\r\n\r\n',
    "trailers": get(HOST + CHUNKED) + b"0\r\nX-Trailer: y\r\n\r\n",
    "a chunk size with leading zeros": get(HOST + CHUNKED) + b"0004\r\nbody\r\n0\r\n\r\n",
    "a length with leading zeros": get(HOST + b"Content-Length: 0004\r\n") + b"body",
    "a head of 60 KiB": get(HOST + b"X: " + b"y" * 60_000 + b"\r\n"),
    "a query with odd bytes": get(line=b"GET /livez?a[]=%00&b='\"%3C HTTP/1.1"),
}

REFUSED = {
    "no host": get(b""),
    "two hosts": get(HOST + HOST),
    "two hosts in other case": get(HOST + b"hOST: y\r\n"),
    "a host list": get(b"Host: a, b\r\n"),
    "a host with a path": get(b"Host: a/b\r\n"),
    "a host with a user": get(b"Host: u@a\r\n"),
    "a host with a space": get(b"Host: a b\r\n"),
    "absolute form of another host": get(line=b"GET http://evil/livez HTTP/1.1"),
    "absolute form with a user": get(line=b"GET http://u@x/livez HTTP/1.1"),
    "a target without a slash": get(line=b"GET livez HTTP/1.1"),
    "another scheme": get(line=b"GET ftp://x/livez HTTP/1.1"),
    "a fragment in the target": get(line=b"GET /livez#a HTTP/1.1"),
    "a tab in the target": get(line=b"GET /li\tvez HTTP/1.1"),
    "a space in the target": get(line=b"GET /livez ?a HTTP/1.1"),
    "a NUL in the target": get(line=b"GET /li\0vez HTTP/1.1"),
    "no version": get(line=b"GET /livez"),
    "http 0.9": b"GET /livez\r\n\r\n",
    "http 2.0": get(line=b"GET /livez HTTP/2.0"),
    "http 1.2": get(line=b"GET /livez HTTP/1.2"),
    "a version in lower case": get(line=b"GET /livez http/1.1"),
    "two spaces in the request line": get(line=b"GET  /livez HTTP/1.1"),
    "a method that is no token": get(line=b"G(T /livez HTTP/1.1"),
    "an empty method": get(line=b" /livez HTTP/1.1"),
    "a folded header": get(HOST + b"X: a\r\n b\r\n"),
    "a header folded by a tab": get(HOST + b"X: a\r\n\tb\r\n"),
    "a folded first header": get(b" Host: x\r\n"),
    "a header without a colon": get(HOST + b"X\r\n"),
    "a header without a name": get(HOST + b": y\r\n"),
    "a space before the colon": get(HOST + b"X : y\r\n"),
    "a space in a name": get(HOST + b"X Y: z\r\n"),
    "a NUL in a name": get(HOST + b"X\0: y\r\n"),
    "a NUL in a value": get(HOST + b"X: a\0b\r\n"),
    "a DEL in a value": get(HOST + b"X: a\x7fb\r\n"),
    "an escape in a value": get(HOST + b"X: a\x1bb\r\n"),
    "a bare LF between lines": b"GET /livez HTTP/1.1\nHost: x\r\n\r\n",
    "bare LFs": b"GET /livez HTTP/1.1\nHost: x\n\n",
    "a bare CR in a value": get(HOST + b"X: a\rb\r\n"),
    "a LF inside a value": get(HOST + b"X: a\nY: b\r\n"),
    "101 headers": get(HOST + b"".join(b"X-%d: y\r\n" % i for i in range(100))),
    "length twice": post(LENGTH + LENGTH, SMUGGLED),
    "two different lengths": post(b"Content-Length: 0\r\n" + LENGTH, SMUGGLED),
    "a length list": post(b"Content-Length: 4, 4\r\n", SMUGGLED),
    "a signed length": post(b"Content-Length: +4\r\n", SMUGGLED),
    "a negative length": post(b"Content-Length: -1\r\n", SMUGGLED),
    "a hexadecimal length": post(b"Content-Length: 0x4\r\n", SMUGGLED),
    "a length with a fraction": post(b"Content-Length: 4.0\r\n", SMUGGLED),
    "an empty length": post(b"Content-Length:\r\n", SMUGGLED),
    "a length beyond 64 bits": post(b"Content-Length: 99999999999999999999\r\n", SMUGGLED),
    "a length and chunked": post(LENGTH + CHUNKED, b"0\r\n\r\n" + SMUGGLED),
    "chunked and a length": post(CHUNKED + LENGTH, b"0\r\n\r\n" + SMUGGLED),
    "chunked twice": post(CHUNKED + CHUNKED, b"0\r\n\r\n" + SMUGGLED),
    "an unknown encoding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "gzip and chunked": post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "identity": post(b"Transfer-Encoding: identity\r\n", SMUGGLED),
    "an empty encoding": post(b"Transfer-Encoding:\r\n", b"0\r\n\r\n" + SMUGGLED),
    "chunked with a parameter": post(
        b"Transfer-Encoding: chunked;q=1\r\n", b"0\r\n\r\n" + SMUGGLED
    ),
    "chunked in quotes": post(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n" + SMUGGLED),
    "chunked behind a vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n", SMUGGLED),
    "an encoding with a space before the colon": post(b"Transfer-Encoding : chunked\r\n", SMUGGLED),
    "chunked in http 1.0": post(
        CHUNKED, b"0\r\n\r\n" + SMUGGLED, line=b"POST /v1/batches HTTP/1.0"
    ),
    "a chunk size that is no number": post(CHUNKED, b"zz\r\n\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk size with a sign": post(CHUNKED, b"+4\r\nbody\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk size with 0x": post(CHUNKED, b"0x4\r\nbody\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk size beyond 64 bits": post(CHUNKED, b"1" + b"0" * 16 + b"\r\n" + SMUGGLED),
    "a chunk longer than its size": post(CHUNKED, b"4\r\nbody!\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk that ends in a bare LF": post(CHUNKED, b"4\nbody\n0\n\n"),
}


def answers(url, request, headers=b""):
    """The status codes of all replies until the server closes, and the raw bytes."""
    host, port = url.rsplit("/", 1)[1].split(":")
    head, _, rest = request.partition(b"\r\n")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head + b"\r\n" + headers + rest + SECOND)
        received = b""
        while True:
            try:
                piece = connection.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            received += piece
    statuses = re.findall(rb"(?:\A|[\r\n}])HTTP/1\.1 (\d{3}) ", received)
    return [int(status) for status in statuses if status != b"100"], received


@pytest.mark.parametrize("name", SERVED)
def test_is_served(server, name):
    codes, received = answers(server.url, SERVED[name])
    assert codes == [200, 200], received


def test_http_1_0_needs_no_host(server):
    codes, received = answers(server.url, get(b"", b"GET /livez HTTP/1.0"))
    assert codes == [200], received


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(server, name):
    """With the key, so that the body is read where the head is good."""
    key = b"Authorization: Bearer %s\r\n" % server.key.encode()
    folded_first = name == "a folded first header"
    codes, received = answers(server.url, REFUSED[name], b"" if folded_first else key)
    assert codes == [400], received
    assert b'"invalid_request_error"' in received


def test_a_long_chunk_extension_is_refused(server):
    body = b"4;" + b"a" * 300 + b"\r\nbody\r\n0\r\n\r\n"
    key = b"Authorization: Bearer %s\r\n" % server.key.encode()
    codes, received = answers(server.url, post(key + CHUNKED, body))
    assert codes == [400], received


def test_a_head_that_is_too_large(server):
    codes, received = answers(server.url, get(HOST + b"X: " + b"y" * 70_000 + b"\r\n"))
    assert codes == [431], received


NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.err; master_process off;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;
  fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  upstream back {{ server {back}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection "";
                  proxy_request_buffering off; }}
  }}
}}
"""
HAPROXY = """
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
  http-reuse always
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server one {back}
"""


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
def test_nothing_is_smuggled_through_a_proxy(start, tmp_path, proxy):
    """What one side takes for a body must never be a request for the other."""
    found = shutil.which(proxy, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert found, f"{proxy} is missing: tools/install-deps.sh test"
    server = start.server({"log": {"level": "debug"}})
    port = free_port()
    back = server.url.split("//")[1]
    config = tmp_path / f"{proxy}.conf"
    template = NGINX if proxy == "nginx" else HAPROXY
    config.write_text(template.format(dir=tmp_path, port=port, back=back))
    option = "-c" if proxy == "nginx" else "-f"
    front = start.keep(harness.Process([found, option, config], tmp_path, proxy))
    url = f"http://127.0.0.1:{port}"

    def is_up():
        try:
            return answers(url, get())[0][:1] == [200]
        except ConnectionError:
            return front.child.poll() is not None

    eventually(is_up, what=f"{proxy} is up")
    assert front.child.poll() is None, front.log()
    for name, request in (REFUSED | SERVED).items():
        try:
            named = f"/smuggled/{name}".replace(" ", "-").encode()
            answers(url, request.replace(b"/smuggled", named))
        except OSError as error:
            raise AssertionError(name) from error
    assert answers(url, get())[0] == [200, 200]
    assert "/livez" in server.log() and "/smuggled" not in server.log()
