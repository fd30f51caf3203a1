"""The two ways the emulated cloud says no, each for its own reader.

Source: this project's; the services' own error shapes are in dps.py and records.py.
"""


class BadRequest(Exception):
    """An operator asked for what cannot be; nothing was changed. No device sees these words."""

    def __init__(self, what: str, value: object, remedy: str) -> None:
        super().__init__(f"{what} ({value!r}): {remedy}")
        self.what = what
        self.value = value
        self.remedy = remedy


class NotProven(Exception):
    """A device's credential proves nothing here.

    reason  for the journal only: the device is told a number that hides it
    code    the documented error code for logs and request-level replies; 0: the service chooses
    """

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
