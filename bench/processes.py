"""The processes under measurement: start, wait for `ready`, read /proc, stop."""

import os
import signal
import socket
import subprocess
import threading

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A child that prints a line beginning with `ready ` on stdout when it can be used."""

    def __init__(self, command, log_path, ready_timeout_s=30):
        self.log_path = log_path
        self.stderr = open(log_path, "ab")
        self.child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.stderr, text=True
        )
        self.ready_line = None
        ready = threading.Event()
        threading.Thread(target=self._read_stdout, args=(ready,), daemon=True).start()
        if not ready.wait(ready_timeout_s) or self.ready_line is None:
            self.kill()
            raise SystemExit(f"{command[0]} did not become ready; its stderr: {self._log_tail()}")

    def _read_stdout(self, ready):
        for line in self.child.stdout:
            if line.startswith("ready ") and self.ready_line is None:
                self.ready_line = line.strip()
                ready.set()
        ready.set()

    def _log_tail(self):
        with open(self.log_path, "rb") as log:
            return log.read()[-2000:].decode(errors="replace")

    def cpu_s(self):
        with open(f"/proc/{self.child.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def peak_rss_mib(self):
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        raise SystemExit("no VmHWM in /proc")

    def kill(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        self.stderr.close()

    def stop(self, timeout_s=30):
        """SIGTERM; a status other than 0 is a failure of the run."""
        if self.child.returncode == -signal.SIGKILL:
            return
        self.child.send_signal(signal.SIGTERM)
        status = self.child.wait(timeout_s)
        self.stderr.close()
        if status != 0:
            raise SystemExit(f"exit status {status} after SIGTERM; stderr: {self._log_tail()}")
