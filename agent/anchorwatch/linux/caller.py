"""The other end of the control socket: one request, one answer. Rule: every wait is bounded."""

import errno
import json
import os
import socket

from ..errors import AgentError
from .control import reach

WAIT_S = 20.0
_NOBODY = (errno.ENOENT, errno.ECONNREFUSED)


class Unreachable(AgentError):
    """Nobody listens on the socket, or nobody answers: try later."""

    code = 3


class Absent(Unreachable):
    """There is no socket, or nobody behind it: no agent runs."""


class Refusal(AgentError):
    """The agent said no; `code` is the exit code."""

    def __init__(self, code: int, what: str, value: object, remedy: str) -> None:
        super().__init__(what, value, remedy)
        self.code = code


class Caller:
    """A connection to the agent of a configuration; use it in `with`."""

    def __init__(self, path: str, wait_s: float = WAIT_S) -> None:
        self._path, self._wait_s = path, wait_s
        self._sock: socket.socket | None = None
        self._lines = None

    def __enter__(self) -> "Caller":
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.settimeout(self._wait_s)
        descriptor = None
        try:
            address, descriptor = reach(self._path)
            self._sock.connect(address)
        except OSError as error:
            self._sock.close()
            kind = Absent if error.errno in _NOBODY else Unreachable
            raise kind("no agent answers", "%s (%s)" % (self._path, error.strerror),
                       "start it with `anchorwatch run`") from error
        finally:
            if descriptor is not None:
                os.close(descriptor)
        self._lines = self._sock.makefile("rb")
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._sock.close()

    def ask(self, do: str, given: dict | None = None) -> dict:
        """The answer of one request.

        Raises  Refusal: the agent said no; Unreachable: it said nothing
        """
        line = json.dumps({"id": 1, "do": do, "with": given or {}}).encode() + b"\n"
        try:
            self._sock.sendall(line)
            answer = self._read()
        except OSError as error:
            raise Unreachable("the agent does not answer", self._path, "look at its log") from error
        if answer.get("ok"):
            return answer["is"]
        raise Refusal(answer.get("code", 1), answer.get("what", "refused"),
                      answer.get("value", ""), answer.get("remedy", ""))

    def events(self):
        """Lines that follow `watch` or `serve`, as trees, until the agent ends."""
        self._sock.settimeout(None)
        while True:
            line = self._lines.readline()
            if not line:
                return
            yield json.loads(line)

    def _read(self) -> dict:
        line = self._lines.readline()
        if not line:
            raise OSError("closed")
        return json.loads(line)
