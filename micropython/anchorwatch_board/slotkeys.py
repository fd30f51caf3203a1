"""What a board does with the keys of slots, at once: its arithmetic pauses for the watchdog.

Rule: a key is in no error. Source: design section 9; performers/slotkeys.py.
"""

from anchorwatch.errors import ConfigError
from anchorwatch.performers.slotkeys import NoKey
from anchorwatch.pki.private import Private

from . import keys
from .keyfiles import key_der


class Keys:
    """pause  called in the middle of long arithmetic"""

    where = "flash"

    def __init__(self, pause) -> None:
        self._pause = pause

    def new(self, slot: str, kind: str) -> str:
        """A key as PEM. Raises NoKey."""
        return self._made(keys.new, kind)["key"]

    def request(self, key: str, cn: str) -> str:
        """PKCS#10 in base64. Raises NoKey."""
        return self._made(keys.csr, key, cn)["csr"]

    def other(self, path: list, key: str):
        """(reason, value) where the certificate is for another key than this one, else None."""
        try:
            held = Private(key_der(key.encode(), "slot"), "slot", self._pause)
            if held.spki == path[0].spki:
                return None
        except ConfigError:
            pass
        return "wrong-key", "the certificate is for another key"

    def end(self, slot: str, then) -> None:
        """No board keeps the key of a slot in a token."""
        then("")

    def _made(self, make, *given) -> dict:
        try:
            return make(*given, self._pause)
        except ConfigError as error:
            raise NoKey("no-key", error.what, error.remedy, error.what, error.value)
