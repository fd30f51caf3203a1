"""Cloud-to-device messages of one device: at most 50 wait, in order, until they are completed.

Counts and keeps; the hub sends. QoS 0 completes a message when it is sent, QoS 1 when it is
acknowledged.
Source: "Send cloud-to-device messages from an IoT hub"; "IoT Hub quotas and throttling".
"""

from dataclasses import dataclass, field

from .refusal import BadRequest

MOST_PENDING = 50
LARGEST = 64 * 1024


@dataclass
class Letter:
    """One message; `delivery` is the handle of its latest PUBLISH, None before and after."""

    message_id: str
    payload: bytes
    properties: dict[str, str | None] = field(default_factory=dict)
    delivery: object = None
    times_sent: int = 0


class Mailbox:
    """The queue of one device."""

    def __init__(self) -> None:
        self._letters: list[Letter] = []

    def put(self, letter: Letter) -> None:
        """Queue a message; raises BadRequest when it is too large or 50 wait already."""
        if len(letter.payload) > LARGEST:
            raise BadRequest("the message is too large", len(letter.payload), f"{LARGEST} bytes")
        if len(self._letters) >= MOST_PENDING:
            raise BadRequest("the device's queue is full", MOST_PENDING, "let it receive first")
        self._letters.append(letter)

    def to_send(self) -> list[Letter]:
        """What is not on the way, oldest first."""
        return [letter for letter in self._letters if letter.delivery is None]

    def sent(self, letter: Letter, delivery: object, qos: int) -> None:
        """Note that it went out."""
        letter.times_sent += 1
        letter.delivery = delivery
        if qos == 0:
            self._letters.remove(letter)

    def acked(self, delivery: object) -> Letter | None:
        """Complete the message of this delivery and return it; None if there is none."""
        for letter in self._letters:
            if letter.delivery is not None and letter.delivery == delivery:
                self._letters.remove(letter)
                return letter
        return None

    def take_back(self) -> None:
        """The session is gone: what was not acknowledged is sent again on the next."""
        for letter in self._letters:
            letter.delivery = None

    def drop(self) -> int:
        """Forget all of it, as a clean session does; how many."""
        dropped = len(self._letters)
        self._letters = []
        return dropped

    def __len__(self) -> int:
        return len(self._letters)
