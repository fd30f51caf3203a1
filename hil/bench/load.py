"""The operator's traffic while sessions move: direct methods, letters, a desired change.

Rule: everything it sends is counted, and every failure keeps its reason.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

from hil.cloud.remote import Refused

from .cloud import Cloud
from .devices import METHOD
from .threads import Regular

METHODS_PER_S, LETTERS_PER_S = 5, 20
CALLERS = 24
METHOD_TIMEOUT_S = 10


class Load:
    """begin(), end(); then methods, letters, failed_methods say what became of it."""

    def __init__(self, cloud: Cloud, device_id: str) -> None:
        self._cloud, self._device_id = cloud, device_id
        self.methods = 0
        self.failed_methods: list[dict] = []
        self.letters: list[str] = []
        self.refused_letters = 0
        self.desired = 0
        self.broken: list[str] = []
        self._callers = ThreadPoolExecutor(CALLERS)
        self._lock = threading.Lock()
        self._regular = [
            Regular(1 / METHODS_PER_S, self._call_soon, self._broke),
            Regular(1 / LETTERS_PER_S, self._write, self._broke),
        ]

    def begin(self) -> None:
        for regular in self._regular:
            regular.start()

    def end(self) -> None:
        """No more; calls under way are waited for."""
        for regular in self._regular:
            regular.stop()
        self._callers.shutdown(wait=True)

    def change_desired(self) -> None:
        """One desired change; returns at once."""
        self._callers.submit(self._desire)

    def _call_soon(self) -> None:
        self.methods += 1
        self._callers.submit(self._call)

    def _call(self) -> None:
        path = f"/devices/{self._device_id}/method"
        try:
            asked = {"name": METHOD, "payload": {}, "timeout_s": METHOD_TIMEOUT_S}
            outcome = self._cloud.post(path, asked)
        except Exception as e:  # a thread of the pool has nobody else to tell
            outcome = {"error": repr(e)}
        if outcome.get("status") != 200:
            self.failed_methods.append(outcome)

    def _write(self) -> None:
        text = "letter %d" % (len(self.letters) + self.refused_letters)
        try:
            self._cloud.post(f"/devices/{self._device_id}/c2d", {"payload": text})
        except Refused:
            self.refused_letters += 1  # fifty wait already: the hub took nothing
        else:
            self.letters.append(text)

    def _desire(self) -> None:
        with self._lock:
            patch = {"desired": {"n": self.desired + 1}}
            path = f"/devices/{self._device_id}/twin"
            self.desired = self._cloud.post(path, patch)["version"]

    def _broke(self, error: Exception) -> None:
        self.broken.append(repr(error))
