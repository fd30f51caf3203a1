"""What the machines say to each other where there is room for one session. Rule: as in meanings.py.

Source: design section 3.
"""

from .record import Record


class GlanceDue(Record):
    """No second handshake can be had: the next due endpoint is glanced at instead."""


class GlanceNow(Record):
    """Somebody asks for a look at the hub."""


class RenewDue(Record):
    """The token is due, and nothing stands against a new session."""


class Renew(Record):
    """The session is closed and dialled anew: no second one can take over from it."""


class RegisterAlone(Record):
    """The session is closed and DPS is asked: it cannot be asked beside it."""

