"""What passes between the machines, for mypy."""

from collections.abc import Callable
from typing import Any

from ..config import Config as Config
from .watch import Watch as Watch

Any_ = Any
# An event or a meaning: which one, the row of the table says.
Event = Any
# Actions and meanings, in order.
Items = list[Any]
# One anchor of a layer, as `pki.der.anchor_entry` makes it; scope and suffixes may restrict it.
Entry = dict[str, Any]
# A tree of dicts, lists, texts, integers: a state file's body, a JSON object, what Tell tells.
Tree = dict[str, Any]
Rand = Callable[[int], int]
Free = Callable[[], bool]
Count = Callable[[], int]
Make = Callable[[], Any]
Table = tuple[tuple[str, str, str, str], ...]
Found = tuple[str, str] | None
Names = tuple[str, ...]
MaybeEvent = Any | None
MaybeTree = dict[str, Any] | None
Route = Callable[[Any, int], list[Any]] | None
# Of the loop: what a driver brings.
Clock = Callable[[], int]
NextEvent = Callable[[int | None], Any]
Performers = dict[type, Callable[[Any], None]]
