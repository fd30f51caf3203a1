"""anchorwatch: keeps a device's trust anchors holding.

`Agent` is the own one of the runtime: anchorwatch.linux.daemon on CPython, anchorwatch_board.agent
on a board.
This is the only place that asks which runtime it is.
"""

import sys

from .version import __version__ as __version__


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
