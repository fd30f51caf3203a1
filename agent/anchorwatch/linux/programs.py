"""Runs a program that is no part of the agent: the operator's, or the system's openssl.

Rule: blocking, so it runs in an errand. No shell; bounded in time and in output; what it has
started ends with it. Its standard output is never shown: it may be a key.
"""

import os
import signal
import time

from ..errors import AgentError, plain

_ERROR_AT_MOST = 4096
_LINE_AT_MOST = 200
_PIECE = 16_384


class ProgramError(AgentError):
    """It did not run to its end. reason: missing | slow | long"""

    def __init__(self, reason: str, value: object, remedy: str) -> None:
        super().__init__("program failed (%s)" % reason, value, remedy)
        self.reason = reason


class Done:
    """code, negative for a signal; out  what it wrote; said  its last line to standard error."""

    def __init__(self, code: int, out: bytes, error: bytes) -> None:
        self.code, self.out = code, out
        lines = [line for line in error.decode("ascii", "replace").splitlines() if line.strip()]
        self.said = plain(lines[-1].strip(), _LINE_AT_MOST) if lines else ""


def run(words: list[str], data: bytes, environment: dict[str, str], for_s: float, at_most: int,
        give: tuple[int, ...] = ()) -> Done:
    """Run a program on `data` as its standard input.

    at_most  bytes of its standard output; give  descriptors that it may use too
    Raises   ProgramError
    """
    import subprocess  # a start does without it

    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, env=environment,
                                   cwd="/", pass_fds=give, start_new_session=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a command"
        raise ProgramError("missing", "%s (%s)" % (words[0], why),
                           "check its path, and that the agent's user may run it") from error
    try:
        return _Talk(process, data, for_s, at_most, words[0]).done()
    finally:
        _end(process)


class _Talk:
    """Bytes to and from a process, none of them waited for longer than there is time."""

    def __init__(self, process, data: bytes, for_s: float, at_most: int, name: str) -> None:
        import selectors

        self._process, self._data, self._at_most, self._name = process, data, at_most, name
        self._ends_at = time.monotonic() + for_s
        self._out, self._error = b"", b""
        self._selector = selectors.DefaultSelector()
        for stream, mask, act in ((process.stdin, selectors.EVENT_WRITE, self._write),
                                  (process.stdout, selectors.EVENT_READ, self._read),
                                  (process.stderr, selectors.EVENT_READ, self._complaint)):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, mask, act)

    def done(self) -> Done:
        import subprocess

        with self._selector:
            while self._selector.get_map():
                for key, _ in self._selector.select(self._left_s()):
                    key.data(key.fileobj)
        try:
            return Done(self._process.wait(self._left_s()), self._out, self._error)
        except subprocess.TimeoutExpired as error:
            raise self._slow() from error

    def _left_s(self) -> float:
        left_s = self._ends_at - time.monotonic()
        if left_s <= 0:
            raise self._slow()
        return left_s

    def _slow(self) -> ProgramError:
        return ProgramError("slow", self._name, "have it answer sooner")

    def _write(self, stream) -> None:
        try:
            self._data = self._data[os.write(stream.fileno(), self._data[:_PIECE]):]
        except BlockingIOError:
            return
        except OSError:
            self._data = b""  # it does not read all of it: what it says is what counts
        if not self._data:
            self._shut(stream)

    def _read(self, stream) -> None:
        self._out += self._more(stream)
        if len(self._out) > self._at_most:
            raise ProgramError("long", "%s, more than %d bytes" % (self._name, self._at_most),
                               "have it write only what is asked for")

    def _complaint(self, stream) -> None:
        self._error = (self._error + self._more(stream))[-_ERROR_AT_MOST:]

    def _more(self, stream) -> bytes:
        try:
            data = os.read(stream.fileno(), _PIECE)
        except BlockingIOError:
            return b""
        if not data:
            self._shut(stream)
        return data

    def _shut(self, stream) -> None:
        self._selector.unregister(stream)
        stream.close()


def _end(process) -> None:
    """Nothing of it outlives the call: its group is its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass  # it has ended, and left nobody behind
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    process.wait()
