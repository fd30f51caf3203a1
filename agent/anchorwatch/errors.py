"""What can go wrong, classified by what the reader must do next.

Rule: every error says what, with which value and what to do, in our own words; a text of another
library or a secret never enters one. Texts that peers control are escaped to ASCII and cut here.
"""

_FULL = (28, 122)  # ENOSPC, EDQUOT
_READ_ONLY = (30, 13, 1)  # EROFS, EACCES, EPERM
_NO_MEMORY = 12  # ENOMEM


def plain(value: object, at_most: int = 200) -> str:
    """`value` as printable ASCII, cut after `at_most` characters: safe in a log, on a terminal."""
    text = str(value)
    shown = text[:at_most]
    if not _is_plain(shown):  # rare, and a list of characters is long pieces of a board's heap
        shown = "".join([_escaped(c) for c in shown])
    return shown + "..." if len(text) > at_most else shown


def _is_plain(text: str) -> bool:
    for c in text:
        if not " " <= c <= "~":
            return False
    return True


def _escaped(c: str) -> str:
    if " " <= c <= "~":
        return c
    code = ord(c)
    if code < 0x100:
        return "\\x%02x" % code
    return "\\u%04x" % code if code < 0x10000 else "\\U%08x" % code


def reason_of(error: OSError) -> str:
    """full | read-only | memory | io: the closed list of SaveFailed, for what a disk says."""
    if error.errno in _FULL:
        return "full"
    if error.errno == _NO_MEMORY:
        return "memory"
    return "read-only" if error.errno in _READ_ONLY else "io"


def why(error: OSError) -> str:
    """The same for people: in the system's words where the runtime has them."""
    return plain(getattr(error, "strerror", None) or reason_of(error))


class AgentError(Exception):
    """`what` happened, with which `value`, and the `remedy`; str() joins what there is."""

    def __init__(self, what: str, value: object = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.value = plain(value)
        self.remedy = remedy

    def __str__(self) -> str:
        text = self.what
        if self.value:
            text += ": " + self.value
        if self.remedy:
            text += "; " + self.remedy
        return text


class ConfigError(AgentError):
    """A setting is wrong: stop and tell the human."""


class UnexpectedEvent(AgentError):
    """A driver said something that cannot be true in this state: a bug of ours."""


class MalformedMessage(AgentError):
    """A peer broke its own documentation; `reason` is one of our own phrases."""

    def __init__(self, reason: str, value: object = "", remedy: str = "") -> None:
        super().__init__(reason, value, remedy)
        self.reason = reason


class TrustError(AgentError):
    """A certificate, name or root is not acceptable; never retried with weaker checks."""


class RootsRejected(TrustError):
    """A set of roots was refused whole; the one in force is unchanged."""


class LinkError(AgentError):
    """A connection failed: `fault` is its class, `verdict` the closed list's word. Drivers only."""

    def __init__(
        self, fault: str, verdict: str, value: object = "", remedy: str = "", what: str = ""
    ) -> None:
        super().__init__(what or "connection failed (%s, %s)" % (fault, verdict), value, remedy)
        self.fault = fault
        self.verdict = verdict


class StateError(AgentError):
    """State cannot be used or written; `verdict` is `torn`, `newer`, `unwritable` or a store's."""

    def __init__(self, verdict: str, what: str, value: object = "", remedy: str = "") -> None:
        super().__init__(what, value, remedy)
        self.verdict = verdict
