"""Issuer `files`: the request lies in a folder; whoever updates the device puts the chain there.

    NAME.csr          written by us, PEM; NAME is the common name
    NAME.crt NAME.pem put there by others; NAME.crt.done when it is installed

Rule: looked into when the core asks, before a dial and at SIGHUP, never on a timer. Whose folder it
is does not matter: a certificate is taken for the key that waits for it, every other one is told of
once and left alone.

Source: design section 9.
"""

import os

from ..core.events import Issued, IssueLater
from ..errors import AgentError, TrustError, reason_of
from ..pki import pem
from ..pki.csr import Request
from ..pki.der import Certificate
from ..pki.issued import COUNT_AT_MOST
from ..wire.encoding import base64_bytes
from .folder import Folder, open_source
from .issuerwords import refused
from .slots import pem_of

_ENDS = (".crt", ".pem")
_REQUEST, _DONE, _BESIDE = ".csr", ".done", ".csr.tmp"
_AT_MOST = 262_144
_MODE = 0o644
_NOT_IN_A_NAME = "/\0"
_WAITING = "no certificate for it in the folder yet"
_OTHER_KEY, _UNREADABLE = "wrong-key", "the file in the folder holds no certificate"
_REMEDY = "put the chain of the pending request there; `anchorwatch identity csr` shows it"


class DropBox:
    """path  of the folder, "" for none; slots  see slots.py. One request waits at a time."""

    def __init__(self, path: str, slots) -> None:
        self._path, self._slots = path, slots
        self._order = None
        self._stamp: tuple = ()
        self._told: tuple = ()

    def enroll(self, order):
        """Leave the request, and take what is there for it: (event, warnings)."""
        if [c for c in order.cn if c in _NOT_IN_A_NAME]:
            return _unusable(order, "no file can be called " + order.cn)
        self._order = order
        try:
            folder = open_source(self._path)
            try:
                _leave(folder, order)
            finally:
                folder.shut()
        except AgentError as error:
            return _unusable(order, "%s: %s" % (error.what, error.value))
        except OSError as error:
            return _unusable(order, "%s (%s)" % (self._path, reason_of(error)))
        return self.look()

    def changed(self) -> bool:
        """True when what is waited for may have come."""
        return self._order is not None and self._stamps() != self._stamp

    def look(self):
        """(Issued or why not yet, warnings); (None, []) where nothing is waited for."""
        order, self._stamp = self._order, self._stamps()
        if order is None:
            return None, []
        spki, why, warnings = Request(base64_bytes(order.csr)).spki, _WAITING, []
        for file in self._files():
            try:
                chain = self._chain(file)
            except AgentError as error:
                why = _UNREADABLE
                warnings += [(error.what, os.path.join(self._path, file), error.remedy)]
                continue
            if chain and [der for der in chain if Certificate(der).spki == spki]:
                self._told = ()
                return Issued(order.slot, chain), warnings
            if chain:
                why = _OTHER_KEY
                warnings += [("certificate for another key", os.path.join(self._path, file),
                              _REMEDY)]
        return IssueLater(order.slot, 0, why), self._once(warnings)

    def put_away(self, slot: str):
        """The slot's certificate is installed: (None, warnings)."""
        order = self._order
        if order is None or order.slot != slot:
            return None, []
        self._order = None
        try:
            folder = open_source(self._path)
            try:
                _put_away(folder, order.cn, self._files(order))
            finally:
                folder.shut()
        except (AgentError, OSError) as error:
            value = error.value if isinstance(error, AgentError) else error.strerror
            return None, [("identity.drop_dir is not tidied", "%s (%s)" % (self._path, value),
                           "remove the request and the certificate by hand")]
        return None, []

    def _files(self, order=None) -> list[str]:
        return [(order or self._order).cn + end for end in _ENDS]

    def _chain(self, file: str) -> list[bytes]:
        """[DER] of a file; empty without one."""
        try:
            folder = open_source(self._path)
            try:
                data = folder.read(file, _AT_MOST + 1)
            finally:
                folder.shut()
        except OSError as error:
            raise TrustError("certificate file cannot be read", error.strerror, _REMEDY) from error
        if data is None:
            return []
        found = pem.certificates(data, COUNT_AT_MOST, _AT_MOST)
        return [Certificate(der).der for der in found]

    def _stamps(self) -> tuple:
        found: list = []
        for file in self._files():
            try:
                seen = os.stat(os.path.join(self._path, file), follow_symlinks=False)
                found.append((seen.st_ino, seen.st_size, seen.st_mtime_ns))
            except OSError:
                found.append(None)
        return tuple(found)

    def _once(self, warnings: list) -> list:
        """Not again for the same files."""
        fresh = warnings if self._stamp != self._told else []
        self._told = self._stamp
        return fresh


def _unusable(order, value: str):
    return refused(order, "policy", "drop-folder", value), []


def _leave(folder: Folder, order) -> None:
    """The request, whole or not at all; anybody may read it."""
    name = order.cn + _REQUEST
    text = pem_of([base64_bytes(order.csr)], "CERTIFICATE REQUEST")
    if folder.read(name, len(text) + 1) == text:
        return
    beside = order.cn + _BESIDE
    folder.unlink(beside)
    descriptor = folder.create(beside)
    try:
        while text:
            text = text[folder.write(descriptor, text):]
        os.fchmod(descriptor, _MODE)
        folder.fsync(descriptor)
    finally:
        folder.close(descriptor)
    folder.rename(beside, name)
    folder.syncdir()


def _put_away(folder: Folder, cn: str, files: list[str]) -> None:
    for file in files:
        if folder.stamp(file) is not None:
            folder.rename(file, file + _DONE)
    folder.unlink(cn + _REQUEST)
    folder.syncdir()
