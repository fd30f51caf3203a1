"""A double of the agent's control socket for tests of who calls it."""

import json
import queue
import socket
import threading

import pytest


class AgentDouble:
    """Answers every request with ok and remembers it; tell() sends an event to all."""

    def __init__(self, folder):
        self.path = folder / "control.sock"
        self.answers = {}
        self._heard = queue.Queue()
        self._past = []
        self._lines = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def heard(self, do):
        """What came with the first request of that name, waiting for it if need be."""
        for request in self._past:
            if request["do"] == do:
                return request["with"]
        while True:
            request = self._heard.get(timeout=10)
            self._past.append(request)
            if request["do"] == do:
                return request["with"]

    def tell(self, event):
        self.heard("watch")
        for line in self._lines:
            line.sendall(json.dumps(event).encode() + b"\n")

    def close(self):
        self._listener.close()
        for line in list(self._lines):
            line.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._lines.append(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line):
        try:
            for text in line.makefile("rb"):
                request = json.loads(text)
                answer = self.answers.get(request["do"], {"ok": True, "is": {}})
                line.sendall(json.dumps({"id": request["id"], **answer}).encode() + b"\n")
                self._heard.put(request)
        except OSError:
            return
        finally:
            self._lines.remove(line)
            line.close()


@pytest.fixture
def agent_double(tmp_path):
    double = AgentDouble(tmp_path)
    yield double
    double.close()
