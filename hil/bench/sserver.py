"""`openssl s_server`: presents one chain, asks for a certificate as the service does, needs none.

Source: openssl-s_server(1).
"""

import subprocess
from pathlib import Path

from .papers import Papers
from .waiting import until

START_S = 10


class SServer:
    """Listens on a free port from start to stop; `place` is "127.0.0.1:4711"."""

    def __init__(self, papers: Papers, said: Path) -> None:
        command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-rev",
                   "-verify", "1", "-cert", str(papers.leaf), "-key", str(papers.key),
                   "-cert_chain", str(papers.issuing)]  # fmt: skip
        self._said = said
        with open(said, "wb") as out:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )
        try:
            self.place = str(until("openssl s_server listens", self._listening, START_S,
                                   every_s=0.05))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _listening(self) -> tuple[object, object]:
        text = self._said.read_text(errors="replace")
        for line in text.splitlines(keepends=True):
            if line.startswith("ACCEPT ") and line.endswith("\n"):
                return "127.0.0.1:%d" % int(line.rpartition(":")[2]), None
        return None, text[-300:]
