"""What Linux does with the keys of slots: programs and a child process make them, the TLS library
says what it takes, and what a token holds is destroyed by the operator's program.

Rule: what blocks is for an errand. A key is in no error.

Source: design section 9; performers/slotkeys.py.
"""

from ..core.slots import NAMES
from ..errors import ConfigError
from ..performers.slotkeys import NoKey
from . import tls
from .keyblocks import TOKEN_HINT, in_token
from .keymaking import destroy, new, request
from .slots import Slots, in_memory, pem_of

_MISMATCH = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH")


class Keys:
    """settings  [identity]; warn  called with (what, value, remedy)"""

    where = "disk"

    def __init__(self, settings, slots: Slots, errands, warn) -> None:
        self._key_command = tuple(settings.key_command)
        self._wipe_command = tuple(settings.wipe_command)
        self._slots, self._errands, self._warn = slots, errands, warn

    def new(self, slot: str, kind: str) -> str:
        """A key, or the reference to one in a token, as PEM. Raises NoKey."""
        return new(slot, kind, self._key_command)

    def request(self, key: str, cn: str) -> str:
        """PKCS#10 in base64. Raises NoKey."""
        return request(key, cn)

    def other(self, path: list, key: str) -> tuple[str, str] | None:
        """Why the TLS library, which is to use them, does not take key and certificate together."""
        files = in_memory(pem_of([one.der for one in path]), key.encode())
        try:
            word = tls.check_pair(files[0], files[1])
        finally:
            files.close()
        if not word:
            return None
        if word in _MISMATCH:
            return "wrong-key", "the certificate is for another key"
        hint = "; " + TOKEN_HINT if _in_token(key) else ""
        return "wrong-key", "the TLS library cannot use the key (%s)%s" % (word, hint)

    def end(self, slot: str, then) -> None:
        """Then, with why a token's key is still there, "" where none is: after the operator's
        program, or with a warning where there is no such program."""
        held = self._slots.held(slot) if slot in NAMES else None
        if held is None or not _in_token(held["key"]):
            then("")
        elif self._wipe_command:
            self._errands.start(lambda: _destroyed(slot, held["key"], self._wipe_command),
                                lambda error: then(self._remains(slot, error)))
        else:
            self._warn("a key is still in its token", slot,
                       "set [identity] wipe_command, and delete this one by the token's program")
            then("")

    def _remains(self, slot: str, error: NoKey | None) -> str:
        if error is None:
            return ""
        self._warn("key is not destroyed in its token", "slot %s: %s" % (slot, error.value),
                   error.remedy)
        return "in-token"


def _in_token(key: str) -> bool:
    try:
        return in_token(key.encode(), "slot")
    except ConfigError:
        return False


def _destroyed(slot: str, key: str, command: tuple[str, ...]) -> NoKey | None:
    try:
        destroy(slot, key, command)
    except NoKey as error:
        return error
    return None
