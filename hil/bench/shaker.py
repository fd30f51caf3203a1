"""The agent's own way to shake hands, as a process that does so on order.

Rule: three of them, since what counts instructions or allocations must not be counted itself:
plain, under callgrind, and with glibc's trace.
Source: tests/bench/handshakes.py, which knows the agent.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from . import callgrind, heap
from .papers import HOST, Papers

PROGRAM = Path(__file__).parents[2] / "tests" / "bench" / "handshakes.py"
END_S = 30


class Shaker:
    """One process; each shake() is a dial from the name to the closed socket."""

    def __init__(self, before: tuple[str, ...] = (), **surroundings: str) -> None:
        environment = {**os.environ, "PYTHONHASHSEED": "0", **surroundings}
        self._process = subprocess.Popen(
            [*before, sys.executable, str(PROGRAM)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def shake(self, place: str, server: Papers, client: Papers | None, fragment: int,
              trace: Path | None = None) -> None:  # fmt: skip
        """Raises  RuntimeError: the agent refuses the server, or the length was not agreed to"""
        order = {
            "place": place, "host": HOST, "roots": [str(server.root)], "fragment": fragment,
            "suites": "ecdsa" if server.ecdsa else "rsa", "trace": trace and str(trace),
            "credential": client and [str(client.chain), str(client.key)],
        }  # fmt: skip
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"fault": "the client has ended"}
        if answer["fault"]:
            raise RuntimeError(f"a handshake failed: {answer['fault']}: {order}")

    def stop(self) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Counted:
    """Instructions of a handshake."""

    def __init__(self, folder: Path) -> None:
        self._out, self._dumps = folder / "callgrind.out", 0
        self._shaker = Shaker(tuple(callgrind.command(self._out)))
        self.stop = self._shaker.stop

    def shake(self, *given: object) -> dict[str, int]:
        """{"instructions_all", "instructions": those of the TLS library}"""
        whole, library = callgrind.read(self._dump(given))
        return {"instructions": library, "instructions_all": whole}

    def warm(self, *given: object) -> None:
        """One that does not count: it loads what the next ones find."""
        self._dump(given).unlink()

    def _dump(self, given: tuple) -> Path:
        self._shaker.shake(*given)
        self._dumps += 2
        Path(f"{self._out}.{self._dumps - 1}").unlink()  # what came before
        return Path(f"{self._out}.{self._dumps}")


class Traced:
    """Heap of a handshake."""

    def __init__(self, folder: Path) -> None:
        self._trace = folder / "trace"
        self._shaker = Shaker((), LD_PRELOAD=heap.PRELOADED)
        self.stop = self._shaker.stop

    def shake(self, *given: object) -> dict[str, int]:
        """{"heap"}"""
        self._shaker.shake(*given, self._trace)
        return {"heap": heap.read(self._trace)}

    def warm(self, *given: object) -> None:
        """One that does not count."""
        self._shaker.shake(*given)
