"""The agent's control socket, as any program on the device sees it: a line of JSON each way.

Rule: written from the contract, not from the agent, so that a mistake there is seen here.
Source: contract section 4.
"""

import json
import os
import socket
from collections.abc import Iterator

WAIT_S = 10.0


class Unanswered(Exception):
    """Nobody listens, or nobody answers."""


class Denied(Exception):
    """The agent said no; the fields are those of its answer."""

    def __init__(self, answer: dict) -> None:
        super().__init__("%(what)s: %(value)s: %(remedy)s" % answer)
        self.code = answer["code"]


class Line:
    """One connection to the socket at `path`; use it in `with`, from one thread."""

    def __init__(self, path: os.PathLike) -> None:
        self._number = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(WAIT_S)
        folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
        try:  # through its folder: a socket's own path holds 107 characters
            self._socket.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
        except OSError as e:
            self._socket.close()
            raise Unanswered(f"{path}: {e.strerror or e}") from e
        finally:
            os.close(folder)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; a thread that reads is woken by it."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the agent was first
        self._socket.close()

    def ask(self, do: str, **given: object) -> dict:
        """The answer to one request. Not on a line whose events() are being read."""
        number = self.say(do, **given)
        while True:
            answer = self._read()
            if answer.get("id") == number:
                break
        if not answer["ok"]:
            raise Denied(answer)
        return answer["is"]

    def say(self, do: str, **given: object) -> int:
        """Send a request and do not wait; returns its id."""
        self._number += 1
        request = {"id": self._number, "do": do, "with": given}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as e:
            raise Unanswered(f"{do}: {e.strerror or e}") from e
        return self._number

    def events(self) -> Iterator[dict]:
        """What comes without being asked for, until the agent or close() ends it."""
        self._socket.settimeout(None)
        while True:
            try:
                line = self._read()
            except Unanswered:
                return
            if "event" in line:
                yield line

    def _read(self) -> dict:
        try:
            line = self._lines.readline()
        except (OSError, ValueError) as e:
            raise Unanswered(str(e)) from e
        if not line.endswith(b"\n"):
            raise Unanswered("the agent hung up")
        return json.loads(line)
