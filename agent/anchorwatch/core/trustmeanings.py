"""What the root store tells the other machines. Rule: as in meanings.py."""

from .record import Record
from .shapes import Any_


class Presented(Record):
    """An ordinary handshake with an endpoint ended: anchor "" if no offered one fits; chain as
    presented or verified, SHA-256, leaf first."""

    fields = ("endpoint", "anchor", "chain")
    endpoint: str
    anchor: str
    chain: list[Any_]


class Stranded(Record):
    """No offered anchor fits what an endpoint presents, twice: a bundle may help."""

    fields = ("endpoint",)
    endpoint: str


class TrustChanged(Record):
    """The root store is another: every endpoint in use is looked at."""
