"""Things done again and again beside the play. Rule: each ends when told to, within a second."""

import threading
import time
from collections.abc import Callable

JOIN_S = 15


class Regular:
    """Calls `do` every `every_s`, on a thread of its own.

    failed  called once with an exception that ended it
    """

    def __init__(
        self, every_s: float, do: Callable[[], None], failed: Callable[[Exception], None]
    ) -> None:
        self._every_s, self._do, self._failed = every_s, do, failed
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No more calls after this returns."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._over.wait(max(0.0, due_s - time.monotonic())):
            try:
                self._do()
            except Exception as e:  # told, not swallowed: the play must not go on unheard
                if not self._over.is_set():
                    self._failed(e)
                return
            due_s = max(due_s + self._every_s, time.monotonic() - 1)
