"""Single values of a request: of the right kind, or a ConfigError that names them.

Rule: what is missing has a default or is told; nothing is guessed. Source: contract section 4.
"""

from ..core.shapes import Tree
from ..errors import ConfigError


def text(given: Tree, name: str, default: str | None = None) -> str:
    """A string; without a default it must be there."""
    value = given.get(name, default)
    if not isinstance(value, str):
        raise ConfigError("%s is missing or no text" % name, "", 'give {"%s": "..."}' % name)
    return value


def number(given: Tree, name: str, default: int, most: int) -> int:
    """A whole number from 0 to `most`."""
    value = given.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ConfigError("%s cannot be this" % name, value, "give 0 to %d" % most)
    return value


def flag(given: Tree, name: str) -> bool:
    """True or false, false when it is not there."""
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise ConfigError("%s is neither true nor false" % name, value, "give one of them")
    return value
