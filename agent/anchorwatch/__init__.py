"""anchorwatch: keeps a device's trust anchors holding.

`Agent` is the own one of the runtime: anchorwatch.linux.daemon on CPython, anchorwatch_board.agent
on a board.
This is the only place that asks which runtime it is.
"""

import sys

__version__ = "0.1.0"


def runtime() -> str:
    """`cpython`, `micropython`, or the name of another."""
    return sys.implementation.name


def __getattr__(name):
    if name != "Agent":
        raise AttributeError(name)
    if runtime() == "micropython":
        from anchorwatch_board.agent import Agent  # type: ignore[import-not-found]
    else:
        from .linux.daemon import Agent
    return Agent
