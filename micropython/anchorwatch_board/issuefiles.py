"""Issuer `files`: the request lies in a folder; whoever updates the device puts the chain there.

    NAME.csr          written by us, PEM; NAME is the common name
    NAME.crt NAME.pem put there by others; NAME.crt.done when it is installed

Rule: looked into when the core asks and before a dial, never on a timer. A certificate is taken for
the key that waits for it, every other one is told of once and left alone.

Source: design section 9.
"""

from anchorwatch.core.events import Issued, IssueLater, IssueRefused
from anchorwatch.errors import AgentError, reason_of
from anchorwatch.pki.csr import Request
from anchorwatch.pki.der import Certificate
from anchorwatch.wire.encoding import base64_bytes

from .folder import Folder, make
from .keyfiles import certificates, pem_of

_ENDS = (".crt", ".pem")
_REQUEST, _DONE = ".csr", ".done"
_AT_MOST = 65_536
_WAITING = "no certificate for it in the folder yet"
_REMEDY = "put the chain of the pending request there"


class DropBox:
    """path  of the folder. One request waits at a time."""

    def __init__(self, path: str) -> None:
        self._folder = Folder(path)
        self._order = None
        self._stamp = self._told = ()

    def enroll(self, order):
        """Leave the request, and take what is there for it: (event, warnings)."""
        if "/" in order.cn or "\0" in order.cn:
            return _unusable(order, "no file can be called " + order.cn)
        self._order = order
        text = pem_of([base64_bytes(order.csr)], "CERTIFICATE REQUEST")
        try:
            make(self._folder.path)
            if self._folder.read(order.cn + _REQUEST, len(text) + 1) != text:
                self._folder.write(order.cn + _REQUEST, text)
        except OSError as error:
            return _unusable(order, "%s (%s)" % (self._folder.path, reason_of(error)))
        event, warnings = self.look()
        return event or IssueLater(order.slot, 0, _WAITING), warnings

    def changed(self) -> bool:
        """True when what is waited for may have come."""
        return self._order is not None and self._stamps() != self._stamp

    def look(self):
        """(Issued or None, warnings)."""
        order, warnings = self._order, []
        if order is None:
            return None, []
        self._stamp = self._stamps()
        spki = Request(base64_bytes(order.csr)).spki
        for end in _ENDS:
            file = order.cn + end
            try:
                chain = self._chain(file)
            except AgentError as error:
                warnings.append((error.what, self._folder.path + "/" + file, error.remedy))
                continue
            if chain and [der for der in chain if Certificate(der).spki == spki]:
                self._told = ()
                return Issued(order.slot, chain), warnings
            if chain:
                warnings.append(("certificate for another key", self._folder.path + "/" + file,
                                 _REMEDY))
        return None, self._once(warnings)

    def put_away(self, slot: str):
        """The slot's certificate is installed: (None, warnings)."""
        order = self._order
        if order is None or order.slot != slot:
            return None, []
        self._order = None
        try:
            for end in _ENDS:
                if self._folder.stamp(order.cn + end) is not None:
                    self._folder.rename(order.cn + end, order.cn + end + _DONE)
            self._folder.unlink(order.cn + _REQUEST)
        except OSError as error:
            return None, [("identity.drop_dir is not tidied",
                           "%s (%s)" % (self._folder.path, reason_of(error)),
                           "remove the request and the certificate by hand")]
        return None, []

    def _chain(self, file: str) -> list:
        """[DER] of a file; empty without one. AgentError for anything else."""
        try:
            data = self._folder.read(file, _AT_MOST + 1)
        except OSError as error:
            raise AgentError("certificate file cannot be read", reason_of(error), _REMEDY)
        return [] if data is None else [Certificate(der).der for der in certificates(data)]

    def _stamps(self) -> tuple:
        return tuple([self._folder.stamp(self._order.cn + end) for end in _ENDS])

    def _once(self, warnings: list) -> list:
        """Not again for the same files."""
        fresh = warnings if self._stamp != self._told else []
        self._told = self._stamp
        return fresh


def _unusable(order, value: str):
    return IssueRefused(order.slot, "policy", "drop-folder", value, [], [], 0), []
