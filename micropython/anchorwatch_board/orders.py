"""Requests that the core decides: what is given with them, checked, as the arguments of Asked.

Rule: the words of the Linux agent's control socket, as far as a board has them.

Source: contract section 4; design section 12.
"""

from anchorwatch.core.slots import BREACH, EXPIRY
from anchorwatch.errors import ConfigError
from anchorwatch.wire.mirror import is_url

TOLD = ("unauthorized", "connected")
REASONS = (EXPIRY, BREACH)
LAYERS = ("vendor", "site")
_HEX = "0123456789abcdef"
_PLACES = ("url", "files")


def arguments(do, given, layers):
    """The arguments of Asked(do); layers makes entries of PEM text.

    Raises  ConfigError: what is given is not what this request takes
            TrustError: PEM text that holds no root
    """
    return _CHECKS[do](given, layers)


def _nothing(given, layers):
    return {}


def _reverify(given, layers):
    return {"swap": _flag(given, "swap")}


def _told(given, layers):
    return {"word": _one_of(given, "word", TOLD, "")}


def _roll(given, layers):
    return {"reason": _one_of(given, "reason", REASONS, REASONS[0])}


def _root(given, layers):
    sha256 = _text(given, "sha256", "").strip().lower().replace(":", "")
    if len(sha256) != 64 or [c for c in sha256 if c not in _HEX]:
        raise ConfigError("not a SHA-256 fingerprint", sha256, "give 64 hexadecimal digits")
    return {"sha256": sha256}


def _add(given, layers):
    pem = _text(given, "pem", "")
    entries = layers.entries(pem.encode())
    if len(entries) != 1:
        raise ConfigError("more than one certificate", str(len(entries)), "add one at a time")
    return {"entry": entries[0], "pem": pem, "dry_run": _flag(given, "dry_run")}


def _distrust(given, layers):
    words = {"now": _flag(given, "now"), "dry_run": _flag(given, "dry_run")}
    return dict(_root(given, layers), **words)


def _import(given, layers):
    """One of url and files."""
    named = [name for name in _PLACES if name in given]
    if len(named) != 1:
        raise ConfigError("not one place for a bundle", ", ".join(named), "give url or files")
    words = dict(_revert(given, layers))
    if named == ["files"]:
        return dict(words, files=given["files"])
    url = _text(given, "url", "")
    if not is_url(url) and not url.startswith("file:/"):
        raise ConfigError("not the URL of a mirror", url, "give http:// or https:// and a host")
    return dict(words, url=url)


def _revert(given, layers):
    layer = _one_of(given, "layer", LAYERS, LAYERS[0])
    return {"layer": layer, "dry_run": _flag(given, "dry_run")}


def _flag(given, name):
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise ConfigError("%s is neither true nor false" % name, str(value), "give one of them")
    return value


def _text(given, name, default):
    value = given.get(name, default)
    if not isinstance(value, str):
        raise ConfigError("%s is no text" % name, "", "give text")
    return value


def _one_of(given, name, words, default):
    word = _text(given, name, default)
    if word not in words:
        raise ConfigError("no such " + name, word, "give one of " + ", ".join(words))
    return word


_CHECKS = {
    "roots_list": _nothing, "roots_history": _nothing, "roots_explain": _root, "roots_add": _add,
    "roots_distrust": _distrust, "roots_import": _import, "roots_revert": _revert,
    "clock_reset": _nothing, "reverify": _reverify, "reprovision": _nothing, "told": _told,
    "roll": _roll, "identity_show": _nothing,
}  # fmt: skip
WORDS = sorted(_CHECKS)
