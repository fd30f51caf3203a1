"""Requests that the core decides: what is given with them, checked, as the arguments of Asked.

Rule: whoever asks, by a socket, a console or a command on the files alone, uses the same words and
is refused the same ones. A driver adds those that only it has.

Source: contract section 4; design section 12.
"""

from ..core.rules import SIGNED
from ..core.shapes import Any_, Tree
from ..core.slots import BREACH, EXPIRY
from ..errors import ConfigError
from ..wire.mirror import is_url
from .words import flag, text

TOLD = ("unauthorized", "connected")
REASONS = (EXPIRY, BREACH)
_HEX = "0123456789abcdef"


def nothing(given: Tree, layers: Any_) -> Tree:
    """A request without arguments."""
    return {}


def _reverify(given: Tree, layers: Any_) -> Tree:
    return {"swap": flag(given, "swap")}


def _told(given: Tree, layers: Any_) -> Tree:
    word = text(given, "word")
    if word not in TOLD:
        raise ConfigError("no such word", word, "give one of " + ", ".join(TOLD))
    return {"word": word}


def _roll(given: Tree, layers: Any_) -> Tree:
    reason = text(given, "reason", REASONS[0])
    if reason not in REASONS:
        raise ConfigError("no reason for a roll", reason, "give one of " + ", ".join(REASONS))
    return {"reason": reason}


def _root(given: Tree, layers: Any_) -> Tree:
    return {"sha256": fingerprint(text(given, "sha256"))}


def _add(given: Tree, layers: Any_) -> Tree:
    """layers makes entries of PEM text."""
    pem = text(given, "pem")
    entries = layers.entries(pem.encode())
    if len(entries) != 1:
        raise ConfigError("more than one certificate", str(len(entries)), "add one at a time")
    return {"entry": entries[0], "pem": pem, "dry_run": flag(given, "dry_run")}


def _distrust(given: Tree, layers: Any_) -> Tree:
    words = {"now": flag(given, "now"), "dry_run": flag(given, "dry_run")}
    return dict(_root(given, layers), **words)


def imported(given: Tree, places: Tree) -> Tree:
    """What `roots_import` is asked with: the files, or one of the places.

    places  {name of the argument: function of its text that makes a URL of it}
    """
    known = sorted(places) + ["files"]
    named = [name for name in known if name in given]
    if len(named) != 1:
        value, remedy = ", ".join(named), "give one of " + ", ".join(known)
        raise ConfigError("not one place for a bundle", value, remedy)
    words = _revert(given, None)
    if named == ["files"]:
        return dict(words, files=given["files"])
    return dict(words, url=places[named[0]](text(given, named[0])))


def url_of(url: str) -> str:
    """The URL of a mirror; ConfigError for what is none."""
    if not is_url(url):
        raise ConfigError("not the URL of a mirror", url, "give http:// or https:// and a host")
    return url


def _revert(given: Tree, layers: Any_) -> Tree:
    layer = text(given, "layer", SIGNED[0])
    if layer not in SIGNED:
        raise ConfigError("no layer of signed bundles", layer, "give one of " + ", ".join(SIGNED))
    return {"layer": layer, "dry_run": flag(given, "dry_run")}


def fingerprint(word: str) -> str:
    """A SHA-256 as the core writes it. ConfigError for what is none."""
    sha256 = word.strip().lower().replace(":", "")
    if len(sha256) != 64 or [c for c in sha256 if c not in _HEX]:
        raise ConfigError("not a SHA-256 fingerprint", word, "give 64 hexadecimal digits")
    return sha256


CHECKS = {
    "roots_list": nothing, "roots_history": nothing, "roots_explain": _root, "roots_add": _add,
    "roots_distrust": _distrust, "roots_revert": _revert, "clock_reset": nothing,
    "reverify": _reverify, "reprovision": nothing, "told": _told, "roll": _roll,
    "identity_show": nothing,
}  # fmt: skip
