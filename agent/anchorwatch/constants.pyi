"""What const() gives, for mypy."""

from typing import TypeVar

_T = TypeVar("_T")

def const(value: _T) -> _T: ...
