"""The factory layer for the integrator's own package: a folder of PEMs, and a module for boards.

    OUT/NAME.pem  OUT/sovereign/NAME.pem   active roots that nothing restricts
    OUT/vendor.root.json                   whose signatures devices accept from the first boot
    OUT/anchorwatch_factory.py             the same as literals, to be frozen into a board's image

Rule: from what is released, never from a draft; a new folder each time, so that no retired root is
left behind in it.
"""

import binascii
import os
import shutil
import textwrap

from ..errors import ConfigError, TrustError
from ..pki.der import anchor_entry
from . import files
from .entries import short_name
from .workspace import Workspace

MODULE = "anchorwatch_factory.py"
VENDOR_ROOT = "vendor.root.json"
_HEAD = '"""The factory layer, made by anchorwatch-bundle factory: literals, to be frozen."""\n'


def contents(work: Workspace) -> dict[str, bytes]:
    """{name in the folder: bytes}. TrustError if nothing is released, or no root can be in it."""
    if "root" not in work.papers.released:
        raise TrustError("nothing is released yet", work.path, "publish first")
    root = work.papers.released["root"].to_bytes()
    chosen = [a for a in work.released_trust()["anchors"] if _is_unrestricted(a)]
    everywhere = [work.ders[a["sha256"]] for a in chosen if "global" in a["clouds"]]
    sovereign = [work.ders[a["sha256"]] for a in chosen if "global" not in a["clouds"]]
    if not everywhere + sovereign:
        raise TrustError("no active root without a restriction", work.path, "activate one")
    found = {_name(der): _pem(der) for der in everywhere}
    found.update({"sovereign/" + _name(der): _pem(der) for der in sovereign})
    found[VENDOR_ROOT] = root
    found[MODULE] = _module(everywhere, sovereign, root)
    return found


def write(out: str, found: dict[str, bytes]) -> None:
    """Make the folder in one step. ConfigError if it is there and not empty."""
    if files.names(out):
        raise ConfigError("folder is not empty", out, "name a new one: an old root could stay")
    beside = out.rstrip("/") + ".new"
    shutil.rmtree(beside, ignore_errors=True)
    for name in found:
        files.make_folder(os.path.dirname(os.path.join(beside, name)))
        files.write(os.path.join(beside, name), found[name])
    files.rename(beside, out)


def _is_unrestricted(anchor: dict) -> bool:
    """The folder cannot say where a root holds, so only roots that hold for hub and DPS."""
    return (anchor["state"] == "active" and not anchor.get("dns")
            and {"hub", "dps"} <= set(anchor["scope"]))


def _name(der: bytes) -> str:
    """`digicert-global-root-g2-cb3ccbb7.pem`."""
    entry = anchor_entry(der)
    name = short_name(entry["name"]).lower()
    words = "".join([c if c.isalnum() else " " for c in name]).split()
    return "%s-%s.pem" % ("-".join(words), entry["sha256"][:8])


def _pem(der: bytes) -> bytes:
    text = binascii.b2a_base64(der, newline=False).decode()
    lines = ["-----BEGIN CERTIFICATE-----"] + textwrap.wrap(text, 64)
    return ("\n".join(lines + ["-----END CERTIFICATE-----"]) + "\n").encode()


def _module(everywhere: list[bytes], sovereign: list[bytes], root: bytes) -> bytes:
    lines = [_HEAD]
    for name, ders in (("ANCHORS", everywhere), ("SOVEREIGN", sovereign)):
        lines += [name + " = ("] + ["    %r,  # %s" % (d, _name(d)) for d in ders] + [")"]
    return "\n".join(lines + ["VENDOR_ROOT = %r" % root, ""]).encode()
