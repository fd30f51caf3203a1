"""What the machines say to each other of signed bundles. Rule: as in meanings.py."""

from .record import Record
from .shapes import Tree


class Wished(Record):
    """Somebody wants a layer's bundle brought up to date from a place.

    by       operator | cloud | drop; ask_id  whose answer it is, "" for nobody's
    files    {name: bytes} for the url inline:
    """

    fields = ("layer", "url", "files", "dry_run", "by", "ask_id")
    layer: str
    url: str
    files: Tree
    dry_run: bool
    by: str
    ask_id: str


class Came(Record):
    """A verified bundle that R1 lets in: bundle as in Fetched, by and ask_id as in Wished."""

    fields = ("layer", "bundle", "by", "ask_id")
    layer: str
    bundle: Tree
    by: str
    ask_id: str


class Resumed(Record):
    """After a start: a bundle is under way."""


class Rested(Record):
    """After a start: a bundle was rolled back and waits for its next turn."""


class TakeBack(Record):
    """A person wants the bundle gone."""

    fields = ("why",)
    why: str


class Unheard(Record):
    """An endpoint has not been probed in this round."""


class NotYet(Record):
    """Nothing more can be heard now: another round in wait_ms."""

    fields = ("wait_ms",)
    wait_ms: int


class Enough(Record):
    """The probes let the candidate into its trial."""


class Proved(Record):
    """The trial is over, or there is nothing to try: commit."""


class Against(Record):
    """The candidate does harm: back to the set before."""

    fields = ("why",)
    why: str


class Doubted(Record):
    """The candidate's set refuses a chain: would the previous set accept it?"""


class Undecided(Record):
    """An endpoint's answer says nothing about the candidate."""
