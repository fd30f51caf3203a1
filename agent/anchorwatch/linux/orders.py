"""Requests of this driver's control socket and commands: those of performers/orders.py, and replies
of an application, requests and chains by hand, bundles in a folder.

Rule: the socket and the commands on the files alone take the same words and refuse the same ones.
Source: contract section 4; design section 12.
"""

import os

from ..errors import ConfigError, MalformedMessage
from ..performers.orders import CHECKS, fingerprint, imported, nothing, url_of
from ..performers.words import number, text
from ..wire.encoding import base64_bytes

__all__ = ["arguments", "fingerprint"]
_STATUS_AT_MOST = 999
_CHAIN_AT_MOST = 32


def arguments(do: str, given: dict, layers) -> dict:
    """The arguments of Asked(do); layers makes entries of PEM text.

    Raises  ConfigError: what is given is not what this request takes
            TrustError: PEM text that holds no root
    """
    made: dict = (_CHECKS.get(do) or CHECKS[do])(given, layers)
    return made


def _reply(given: dict, layers) -> dict:
    status = number(given, "status", 200, _STATUS_AT_MOST)
    return {"rid": text(given, "rid"), "status": status, "payload": given.get("payload")}


def _import(given: dict, layers) -> dict:
    """A path becomes the URL of a folder."""
    return imported(given, {"url": url_of, "path": _folder})


def _folder(path: str) -> str:
    if not path.startswith("/") or "\0" in path or not os.path.isdir(path):
        raise ConfigError("not a folder", path, "give the whole path of a folder with a bundle")
    return "file:" + path


def _install(given: dict, layers) -> dict:
    """A chain by hand: DER in base64, the leaf among it."""
    listed = given.get("chain")
    if not isinstance(listed, list) or not 0 < len(listed) <= _CHAIN_AT_MOST:
        raise ConfigError("not a chain", "", 'give {"chain": ["BASE64", ...]}')
    try:
        return {"chain": [base64_bytes(one) for one in listed if isinstance(one, str)]}
    except MalformedMessage as error:
        raise ConfigError("certificate is not base64", "", "encode its DER as base64") from error


_CHECKS = {"roots_import": _import, "reply": _reply, "identity_csr": nothing,
           "identity_install": _install}
