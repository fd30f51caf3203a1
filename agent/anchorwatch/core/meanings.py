"""What the machines say to each other. Rule: made by one machine, taken by another in the same
`handle`; never leaves the core.

A message of a peer becomes a meaning before a table sees it, so that each row of a table has one
outcome.
"""

from .record import Record
from .shapes import Any_, Tree


class HubLater(Record):
    """Dial the hub in wait_ms. Every fault and every start ends in this, DpsLater or LookUpNow."""

    fields = ("wait_ms",)
    wait_ms: int


class DpsLater(Record):
    """Register at DPS in wait_ms, without a session."""

    fields = ("wait_ms",)
    wait_ms: int


class LookUpNow(Record):
    """Ask DPS by HTTPS, unbilled, whether the registration still names this hub."""


class RegisterBeside(Record):
    """Register at DPS on the second link while the session goes on."""


class Register(Record):
    """Connection tells registration to begin on a link."""

    fields = ("link",)
    link: str


class Assigning(Record):
    """DPS: not yet; ask again for the operation after retry_after_s."""

    fields = ("operation_id", "retry_after_s")
    operation_id: str
    retry_after_s: int


class Assigned(Record):
    """DPS: this hub, this device id. `substatus` is the service's word or ''."""

    fields = ("hub", "device_id", "substatus")
    hub: str
    device_id: str
    substatus: str


class Unregistered(Record):
    """Registration ended without an assignment. fault, verdict as in Failed; retry_after_s 0 when
    DPS named none."""

    fields = ("fault", "verdict", "presented", "chain", "retry_after_s")
    fault: str
    verdict: str
    presented: list[Any_]
    chain: list[Any_]
    retry_after_s: int


class Online(Record):
    """The hub accepted a CONNECT on the live link."""

    fields = ("session_present",)
    session_present: bool


class Offline(Record):
    """The live session is gone."""


class Adrift(Record):
    """The live session went while the second link's CONNECT is under way: the hub's takeover, as a
    rule."""


class Joining(Record):
    """CONNECT was sent on the second link."""


class Moved(Record):
    """The second link is the live one now."""

    fields = ("session_present",)
    session_present: bool


class Stayed(Record):
    """The swap did not happen; the live session holds."""


class LookDue(Record):
    """The hub's reverify is due."""


class ProbeDue(Record):
    """The daily probe of another endpoint is due."""


class LookNow(Record):
    """Reverify at once. swap: move the session even if nothing changed."""

    fields = ("swap",)
    swap: bool


class ClockStepped(Record):
    """The clock moved by more than five minutes: look again soon; a token signed before may be
    wrong."""


class Taken(Record):
    """The second link belongs to a registration for now."""

    fields = ()


class Unchanged(Record):
    """The second handshake gives no reason to move."""


class Changed(Record):
    """Something that matters changed; one handshake is not enough to act on it."""

    fields = ("why",)
    why: str


class SwapDue(Record):
    """Move the session. why: anchor | address | hub | token | asked."""

    fields = ("why",)
    why: str


class Quiet(Record):
    """No method, twin or credential request is open."""


class HubRefused(Record):
    """Ladder: the hub said unauthorized."""

    fields = ("verdict",)
    verdict: str


class DpsRefused(Record):
    """Ladder: DPS said no to this identity."""

    fields = ("verdict",)
    verdict: str


class Accepted(Record):
    """Ladder: the hub accepted the credential."""


class Spent(Record):
    """Ladder: patience is used up."""


class Sound(Record):
    """Ladder: the self-check found nothing wrong here, and DPS may be asked."""


class NoDps(Record):
    """Ladder: DPS may not be asked: no [dps], action retry_hub, or the budget is spent."""


class ClockSuspect(Record):
    """Ladder: the self-check found that the clock may be the cause."""


class Hastened(Record):
    """Ladder: a neighbour or the operator says that this credential is refused: patience is
    over."""


class Got(Record):
    """Twin: the whole document."""

    fields = ("desired", "version")
    desired: Tree
    version: int


class Overtaken(Record):
    """Twin: a push with a later version came before this document."""

    fields = ()


class Patched(Record):
    """Twin: the reported patch was taken."""

    fields = ("version",)
    version: int


class TwinRefused(Record):
    """Twin: the answer to our request is not a success."""

    fields = ("status",)
    status: int


class Desired(Record):
    """Twin: a desired patch was pushed and follows on the version we have."""

    fields = ("patch", "version")
    patch: Tree
    version: int


class Gap(Record):
    """Twin: a desired push shows that we missed one."""

    fields = ("version",)
    version: int


class Dirty(Record):
    """Twin: reported properties changed."""


class Tuned(Record):
    """The cloud set the reverify interval, already clamped."""

    fields = ("interval_s",)
    interval_s: int
