"""Issuer `files`: the request lies in a folder; whoever updates the device puts the chain there.

    NAME.csr          written by us, PEM; NAME is the common name
    NAME.crt NAME.pem put there by others; NAME.crt.done when it is installed

Rule: looked into when the core asks, before a dial and when somebody says so, never on a timer.
Whose folder it is does not matter: a certificate is taken for the key that waits for it, every
other one is told of once and left alone.

Source: design section 9.
"""

from ..core.events import Issued, IssueLater, IssueRefused
from ..core.shapes import Any_
from ..errors import AgentError, why
from ..pki.csr import Request
from ..pki.der import Certificate
from ..wire.encoding import base64_bytes

_ENDS = (".crt", ".pem")
_REQUEST, _DONE = ".csr", ".done"
_WAITING = "no certificate for it in the folder yet"
_OTHER_KEY, _UNREADABLE = "wrong-key", "the file in the folder holds no certificate"


class DropBox:
    """place  the runtime's part: path; make() and open() -> the folder, which shut() ends; request
           DER -> its PEM; leave(folder, name, text) writes a file whole; at_most bytes of a chain;
           certificates(data) -> [DER]; remedy  what to do with a file that cannot be taken.
           AgentError and OSError from all of it
    One request waits at a time.
    """

    def __init__(self, place: Any_) -> None:
        self._place = place
        self._order: Any_ = None
        self._stamp: list[Any_] = []
        self._told: list[Any_] = []

    def enroll(self, order: Any_) -> Any_:
        """Leave the request, and take what is there for it: (event, warnings)."""
        if "/" in order.cn or "\0" in order.cn:
            return _unusable(order, "no file can be called " + order.cn)
        self._order = order
        try:
            self._leave(order)
        except AgentError as error:
            return _unusable(order, "%s: %s" % (error.what, error.value))
        except OSError as error:
            return _unusable(order, "%s (%s)" % (self._place.path, why(error)))
        return self.look()

    def changed(self) -> bool:
        """True when what is waited for may have come."""
        order = self._order
        return order is not None and self._stamps(order) != self._stamp

    def look(self) -> Any_:
        """(Issued or why not yet, warnings); (None, []) where nothing is waited for."""
        order = self._order
        if order is None:
            return None, []
        self._stamp = self._stamps(order)
        spki, reason, warnings = Request(base64_bytes(order.csr)).spki, _WAITING, []
        for file in _files(order):
            try:
                chain = self._chain(file)
            except AgentError as error:
                reason = _UNREADABLE
                warnings.append((error.what, self._shown(file), error.remedy))
                continue
            if [der for der in chain if Certificate(der).spki == spki]:
                self._told = []
                return Issued(order.slot, chain), warnings
            if chain:
                reason = _OTHER_KEY
                warnings.append(("certificate for another key", self._shown(file),
                                 self._place.remedy))
        return IssueLater(order.slot, 0, reason), self._once(warnings)

    def put_away(self, slot: str) -> Any_:
        """The slot's certificate is installed: (None, warnings)."""
        order = self._order
        if order is None or order.slot != slot:
            return None, []
        self._order = None
        try:
            self._tidy(order)
        except (AgentError, OSError) as error:
            value = error.value if isinstance(error, AgentError) else why(error)
            return None, [("identity.drop_dir is not tidied",
                           "%s (%s)" % (self._place.path, value),
                           "remove the request and the certificate by hand")]
        return None, []

    def _leave(self, order: Any_) -> None:
        """The request, unless it is there."""
        name, text = order.cn + _REQUEST, self._place.request(base64_bytes(order.csr))
        folder = self._place.make()
        try:
            if folder.read(name, len(text) + 1) != text:
                self._place.leave(folder, name, text)
        finally:
            folder.shut()

    def _tidy(self, order: Any_) -> None:
        folder = self._place.open()
        try:
            for file in _files(order):
                if folder.stamp(file) is not None:
                    folder.rename(file, file + _DONE)
            folder.unlink(order.cn + _REQUEST)
            folder.syncdir()
        finally:
            folder.shut()

    def _chain(self, file: str) -> list[bytes]:
        """[DER] of a file; empty without one. AgentError for anything else."""
        try:
            folder = self._place.open()
            try:
                data = folder.read(file, self._place.at_most + 1)
            finally:
                folder.shut()
        except OSError as error:
            raise AgentError("certificate file cannot be read", why(error), self._place.remedy)
        if data is None:
            return []
        return [Certificate(der).der for der in self._place.certificates(data)]

    def _stamps(self, order: Any_) -> list[Any_]:
        """Other ones when a file has come, is another one or has gone."""
        try:
            folder = self._place.open()
            try:
                return [folder.stamp(file) for file in _files(order)]
            finally:
                folder.shut()
        except (AgentError, OSError):
            return []

    def _shown(self, file: str) -> str:
        return "%s/%s" % (self._place.path, file)

    def _once(self, warnings: list[Any_]) -> list[Any_]:
        """Not again for the same files."""
        fresh = warnings if self._stamp != self._told else []
        self._told = self._stamp
        return fresh


def _files(order: Any_) -> list[str]:
    return [order.cn + end for end in _ENDS]


def _unusable(order: Any_, value: str) -> Any_:
    return IssueRefused(order.slot, "policy", "drop-folder", value, [], [], 0), []
