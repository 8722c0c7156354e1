"""Stands in for an engine in local_engine_test.cc: fake_engine.py MODE LIFELINE --port PORT."""

import os
import signal
import socket
import sys
import threading

MODE, LIFELINE, PORT = sys.argv[1], sys.argv[2], int(sys.argv[-1])


def watch_parent():
    while os.read(0, 4096):
        pass
    os._exit(0)


if MODE != "ignores_stdin":
    threading.Thread(target=watch_parent, daemon=True).start()
if MODE == "ignores_sigterm":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
lifeline = open(LIFELINE, "w", buffering=1)
if MODE == "fails":
    print("".join(f"line {i}\n" for i in range(30)), end="")
    sys.exit("fake engine: no such model")
if MODE == "fails_once" and not os.path.exists(LIFELINE + ".failed"):
    open(LIFELINE + ".failed", "w").close()
    sys.exit("fake engine: not this time")
if MODE == "deaf":
    lifeline.write(f"{os.getpid()}\n")
    signal.pause()

server = socket.create_server(("127.0.0.1", PORT))
lifeline.write(f"{os.getpid()}\n")
busy = 3 if MODE == "loads" else 0
while True:
    connection, _ = server.accept()
    request = connection.recv(4096)
    code = 404 if not request.startswith(b"GET /health ") else 503 if busy > 0 else 200
    busy -= 1
    connection.sendall(f"HTTP/1.1 {code} Whatever\r\nContent-Length: 0\r\n\r\n".encode())
    connection.close()
