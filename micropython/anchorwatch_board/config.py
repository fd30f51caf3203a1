"""The configuration file of a board: read, parsed, checked. Rule: nothing else knows that it is
JSON. What no board can do is refused here, by the names of the settings.
"""

from anchorwatch.errors import ConfigError, MalformedMessage
from anchorwatch.sections import Section
from anchorwatch.wire.jsonread import parse_object

from . import folder
from .memory import CONFIGURING, let_go

FILE = "config.json"
ISSUERS = ("none", "dps", "hub", "files")
_AT_MOST = 16_384


def load(path: str = FILE) -> Section:
    """The checked configuration, without what checked it.

    Raises  ConfigError: unreadable, not JSON (with the line), or a setting is wrong
    """
    tree = read(path)
    state = tree.setdefault("state", {})
    if isinstance(state, dict):
        state.setdefault("dir", "state")
    try:
        config = _checked(tree, path.rpartition("/")[0])
    finally:
        let_go(CONFIGURING)
    _check(config)
    return config


def _checked(tree: dict, folder: str) -> Section:
    from anchorwatch.config import Config

    return Section(Config(tree, folder).__dict__)


def read(path: str) -> dict:
    """The tree of a file, its settings not yet checked. ConfigError."""
    try:
        data = folder.read(path, _AT_MOST + 1)
    except OSError as error:
        raise ConfigError("configuration cannot be read", "%s (error %s)" % (path, error.errno),
                          "put the file there")
    if len(data) > _AT_MOST:
        raise ConfigError("configuration is longer than %d bytes" % _AT_MOST, path,
                          "put the right file there")
    try:
        return parse_object(data, _AT_MOST)
    except MalformedMessage as error:
        shown = "%s, %s (%s)" % (path, _line(data, error.value), error.reason)
        raise ConfigError("configuration is not JSON", shown, "correct the line")


def _line(data: bytes, at: str) -> str:
    """`line 3` for `at byte 57`."""
    number = at.rpartition(" ")[2]
    end = int(number) if number and not [c for c in number if not "0" <= c <= "9"] else len(data)
    return "line %d" % (data[:end].count(b"\n") + 1)


def _check(config: Section) -> None:
    """What a board cannot do."""
    identity = config.identity
    if identity.issuer not in ISSUERS:
        raise ConfigError("[identity] issuer is not for boards", identity.issuer,
                          "give one of " + ", ".join(ISSUERS))
    if identity.issuer != "none" and identity.key != "p256":
        raise ConfigError("[identity] key cannot be made on a board", identity.key, "give p256")
    for name, words in (("key_command", identity.key_command),
                        ("wipe_command", identity.wipe_command)):
        if words:
            raise ConfigError("[identity] %s is not for boards" % name, words[0],
                              "remove it: a board runs no programs")
    if config.trust.system:
        raise ConfigError("[trust] system is not for boards", "true",
                          "remove it: a board has no store but the agent's")
