"""What the names of shapes.py mean.

Meaning  a word and what belongs to it; the shapes are in the module that returns it
Tree     a JSON object
Bag      the properties of a message
Draw     so many random bytes
"""

from collections.abc import Callable
from typing import Any

Meaning = tuple[Any, ...]
Tree = dict[str, Any]
Bag = dict[str, str | None]
Draw = Callable[[int], bytes]
