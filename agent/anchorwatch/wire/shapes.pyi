"""What the names of shapes.py mean.

Meaning  a word and what belongs to it; the shapes are in the module that returns it
Tree     a JSON object
Bag      the properties of a message
"""

from typing import Any

Meaning = tuple[Any, ...]
Tree = dict[str, Any]
Bag = dict[str, str | None]
