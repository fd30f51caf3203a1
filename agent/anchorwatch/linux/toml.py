"""The configuration file: read, parsed, checked. Rule: nothing else knows that it is TOML."""

import os
import sys

from ..config import Config
from ..errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_AT_MOST = 262_144


def load(path: str) -> tuple[dict, str]:
    """(tree, folder) of a configuration file that `Config` accepts.

    Raises  ConfigError: unreadable, not TOML (with the line), or a setting is wrong
    """
    tree, folder = read(path)
    Config(tree, folder)
    return tree, folder


def read(path: str) -> tuple[dict, str]:
    """The same, its settings not yet checked.

    Raises  ConfigError: unreadable, or not TOML (with the line)
    """
    return _parse(_read(path), path), os.path.dirname(os.path.abspath(path))


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(_AT_MOST + 1)
    except OSError as error:
        shown = "%s (%s)" % (path, (error.strerror or "").lower())
        raise ConfigError("configuration cannot be read", shown,
                          "name it with --config, or correct its owner") from error
    if len(data) > _AT_MOST:
        raise ConfigError("configuration is longer than %d bytes" % _AT_MOST, path,
                          "name the right file with --config")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("configuration is not UTF-8", "%s, byte %d" % (path, error.start),
                          "save it as UTF-8") from error


def _parse(text: str, path: str) -> dict:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("configuration is not TOML", "%s, %s" % (path, _place(str(error), text)),
                          "correct the line") from error


def _place(message: str, text: str) -> str:
    """`line 3`: the parser has no field for it before Python 3.14; its sentence is not shown."""
    words = message.replace(",", " ").replace(")", " ").split()
    for word, after in zip(words, words[1:]):
        if word == "line" and after.isdigit():
            return "line " + after
    return "line %d" % (text.count("\n") + 1)
