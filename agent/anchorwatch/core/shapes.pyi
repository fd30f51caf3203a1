from typing import Any, Callable

Rand = Callable[[int], int]
Entry = dict[str, Any]
Tree = dict[str, Any]
