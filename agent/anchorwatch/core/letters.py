"""Cloud-to-device messages, told once each though a session moved. Rule: only what an earlier
session brought is held back; twice in one session is the cloud's wish.

The hub sends again whatever it has not seen acknowledged when a session ends, and an
acknowledgement may still be under way then. At most 50 messages wait at a hub.
Source: "Send cloud-to-device messages from an IoT hub"; "IoT Hub quotas and throttling".
"""

import binascii

from .shapes import Any_, Tree

MOST = 50
LATE_MS = 3_000


class Letters:
    """Remembers the last letters of this session and of the one before."""

    def __init__(self) -> None:
        self._before: list[Any_] = []
        self._here: list[Any_] = []
        self._late_until_ms: int | None = None

    def began(self, now: int, moved: bool) -> None:
        """Another session; after a move the last words of the old one may come yet."""
        self._before, self._here = self._here, []
        self._late_until_ms = now + LATE_MS if moved else None

    def again(self, properties: Tree, payload: bytes, now: int) -> bool:
        """True for a letter that was told already; one without a message id never is."""
        if not properties.get("$.mid"):
            return False
        letter = (properties["$.mid"], binascii.crc32(payload))
        self._here = self._here[1 - MOST :] + [letter]
        if letter in self._before:
            return True
        if self._late_until_ms is not None and now < self._late_until_ms:
            self._before.append(letter)
        return False
