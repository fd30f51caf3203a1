"""What the roll machine says to itself and hears from its neighbours. Rule: as in meanings.py."""

from .record import Record


class RollDue(Record):
    """A new certificate is to be had. reason: expiry | breach."""

    fields = ("reason",)
    reason: str


class ResumeDue(Record):
    """A start finds a key whose certificate was asked for."""


class TrialDue(Record):
    """A start finds a certificate that is still to be proven."""


class FormerDue(Record):
    """The former certificate has been kept long enough."""


class TrialGood(Record):
    """The hub accepted a CONNECT with the certificate on trial."""


class TrialBad(Record):
    """The hub refused the certificate on trial."""

    fields = ("verdict",)
    verdict: str


class TrialLater(Record):
    """The trial ended without a word on the certificate."""

    fields = ("why",)
    why: str


class AskDps(Record):
    """The hub does not know the certificate on trial: DPS may."""


class Propagating(Record):
    """DPS assigned a moment ago, or is not to hear of a whole fleet at once: the hub once more."""

    fields = ("wait_ms",)
    wait_ms: int


class GivenUp(Record):
    """Nothing more is done for the trial now; it is tried again later."""


class TookOver(Record):
    """Another credential than the active one serves: it is the active one now."""


class Done(Record):
    """There is no key to wipe."""


class NotMoved(Record):
    """Reverify: the second link did not become the session. fault, verdict as in Failed."""

    fields = ("fault", "verdict")
    fault: str
    verdict: str


class OtherSlot(Record):
    """Ladder: CONNECT with another slot's certificate."""


class LastResort(Record):
    """Ladder: register at DPS with another credential than the active one."""


class NothingLeft(Record):
    """Ladder: no other credential is left in this turn."""
