"""Requests that the core decides: what is given with them, checked, as the arguments of Asked.

Rule: the control socket and the commands on the files alone take the same words and refuse the same
ones. Source: contract section 4; design section 12.
"""

import os

from ..core.rules import SIGNED
from ..core.slots import BREACH, EXPIRY
from ..errors import ConfigError, MalformedMessage
from ..wire.encoding import base64_bytes
from ..wire.mirror import is_url
from .fields import flag, number, text
from .layers import is_sha256

TOLD = ("unauthorized", "connected")
REASONS = (EXPIRY, BREACH)
_STATUS_AT_MOST = 999
_CHAIN_AT_MOST = 32


def arguments(do: str, given: dict, layers) -> dict:
    """The arguments of Asked(do); layers makes entries of PEM text.

    Raises  ConfigError: what is given is not what this request takes
            TrustError: PEM text that holds no root
    """
    made: dict = _CHECKS[do](given, layers)
    return made


def _nothing(given: dict, layers) -> dict:
    return {}


def _reverify(given: dict, layers) -> dict:
    return {"swap": flag(given, "swap")}


def _told(given: dict, layers) -> dict:
    word = text(given, "word")
    if word not in TOLD:
        raise ConfigError("no such word", word, "give one of " + ", ".join(TOLD))
    return {"word": word}


def _reply(given: dict, layers) -> dict:
    status = number(given, "status", 200, _STATUS_AT_MOST)
    return {"rid": text(given, "rid"), "status": status, "payload": given.get("payload")}


def _root(given: dict, layers) -> dict:
    return {"sha256": fingerprint(text(given, "sha256"))}


def _add(given: dict, layers) -> dict:
    pem = text(given, "pem")
    entries = layers.entries(pem.encode())
    if len(entries) != 1:
        raise ConfigError("more than one certificate", str(len(entries)), "add one at a time")
    return {"entry": entries[0], "pem": pem, "dry_run": flag(given, "dry_run")}


def _distrust(given: dict, layers) -> dict:
    words = {"now": flag(given, "now"), "dry_run": flag(given, "dry_run")}
    return dict(_root(given, layers), **words)


def _import(given: dict, layers) -> dict:
    """One of url, path and files; a path becomes the URL of a folder."""
    named = [name for name in ("url", "path", "files") if name in given]
    if len(named) != 1:
        raise ConfigError("not one place for a bundle", ", ".join(named),
                          "give one of url, path, files")
    words = {"layer": _layer(given), "dry_run": flag(given, "dry_run")}
    if named == ["files"]:
        return dict(words, files=given["files"])
    place = _folder(text(given, "path")) if named == ["path"] else _url(text(given, "url"))
    return dict(words, url=place)


def _revert(given: dict, layers) -> dict:
    return {"layer": _layer(given), "dry_run": flag(given, "dry_run")}


def _layer(given: dict) -> str:
    layer = text(given, "layer", SIGNED[0])
    if layer not in SIGNED:
        raise ConfigError("no layer of signed bundles", layer, "give one of " + ", ".join(SIGNED))
    return layer


def _url(url: str) -> str:
    if not is_url(url):
        raise ConfigError("not the URL of a mirror", url, "give http:// or https:// and a host")
    return url


def _folder(path: str) -> str:
    if not path.startswith("/") or "\0" in path or not os.path.isdir(path):
        raise ConfigError("not a folder", path, "give the whole path of a folder with a bundle")
    return "file:" + path


def _roll(given: dict, layers) -> dict:
    reason = text(given, "reason", REASONS[0])
    if reason not in REASONS:
        raise ConfigError("no reason for a roll", reason, "give one of " + ", ".join(REASONS))
    return {"reason": reason}


def _install(given: dict, layers) -> dict:
    """A chain by hand: DER in base64, the leaf among it."""
    listed = given.get("chain")
    if not isinstance(listed, list) or not 0 < len(listed) <= _CHAIN_AT_MOST:
        raise ConfigError("not a chain", "", 'give {"chain": ["BASE64", ...]}')
    try:
        return {"chain": [base64_bytes(one) for one in listed if isinstance(one, str)]}
    except MalformedMessage as error:
        raise ConfigError("certificate is not base64", "", "encode its DER as base64") from error


def fingerprint(word: str) -> str:
    """A SHA-256 as the core writes it. ConfigError for what is none."""
    sha256 = word.strip().lower().replace(":", "")
    if not is_sha256(sha256):
        raise ConfigError("not a SHA-256 fingerprint", word, "give 64 hexadecimal digits")
    return sha256


_CHECKS = {
    "roots_list": _nothing, "roots_history": _nothing, "roots_explain": _root,
    "roots_add": _add, "roots_distrust": _distrust, "roots_import": _import,
    "roots_revert": _revert, "clock_reset": _nothing, "reverify": _reverify,
    "reprovision": _nothing, "told": _told, "reply": _reply, "roll": _roll,
    "identity_show": _nothing, "identity_csr": _nothing, "identity_install": _install,
}  # fmt: skip
