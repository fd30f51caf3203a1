"""A real agent process on a configuration whose services are nowhere: nobody listens there."""

import base64
import os
import signal
import socket
import subprocess
import sys
import time

from anchorwatch.errors import AgentError
from anchorwatch.linux.caller import Caller

TEXT = """
[device]
id_scope = "0ne00AB12CD"
registration_id = "dev-7"
[credential]
kind = "symmetric_key"
key_file = "device.key"
[dps]
host = "dps.example"
[hub]
allowed_suffixes = [".example"]
[boot]
spread_s = 0
[fleet]
devices = 1
connects_per_s = 1000
[state]
dir = "state"
[resolve]
"dps.example:8883" = ["127.0.0.1:%d"]
"""


def free_port():
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def write_config(path, more=""):
    """A folder with anchorwatch.toml and the device's key; the configuration's path."""
    path.mkdir(exist_ok=True)
    key = path / "device.key"
    key.write_bytes(base64.b64encode(bytes(range(32))))
    key.chmod(0o600)
    file = path / "anchorwatch.toml"
    file.write_text(TEXT % free_port() + more)
    return str(file)


class AgentProcess:
    """`anchorwatch run` on `config`, or another command; its standard error in a file."""

    def __init__(self, path, config, command=None):
        self.socket = str(path / "state" / "control.sock")
        self.config, self.log = config, path / "log.txt"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command or [sys.executable, "-m", "anchorwatch.linux.cli", "--config", config,
                            "run"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ready(self, within_s=20):
        """Wait until it answers; the status."""
        until = time.monotonic() + within_s
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with self.caller() as caller:
                    return caller.ask("status")
            except AgentError:
                time.sleep(0.05)        # another process starts: nothing here can say when
        raise AssertionError("no agent: " + self.text())

    def caller(self):
        return Caller(self.socket)

    def until(self, holds, within_s=20):
        """Wait until `holds()`."""
        until = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < until, self.text()
            time.sleep(0.02)

    def text(self):
        return self.log.read_text()

    def end(self, number=signal.SIGTERM):
        """Signal it; its exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(timeout=20)
