"""The slow link as a process, and its orders. Rule: one round trip is twice the one-way delay."""

import json
import subprocess
import sys
from pathlib import Path


class SlowNetwork:
    """`python -m hil.bench.network` between the devices and one service."""

    def __init__(self, listen: str, to: str) -> None:
        command = [sys.executable, "-m", "hil.bench.network", "--listen", listen, "--to", to]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"no slow network on {listen}: status {self._process.wait(10)}")
        self.address: str = json.loads(line)["address"]

    def round_trip(self, ms: int) -> None:
        """Bytes that come from now on take so long there and back."""
        self._order(do="delay", one_way_ms=ms // 2)

    def cut(self) -> None:
        """Reset every connection."""
        self._order(do="cut")

    def forwarded_bytes(self) -> int:
        """All that went through, both ways."""
        return sum(self._order(do="thaw")["forwarded_bytes"].values())

    def stop(self) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _order(self, **order: object) -> dict:
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if not answer["ok"]:
            raise RuntimeError(f"the slow network refused {order}: {answer}")
        return answer
