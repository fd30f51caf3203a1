"""Performs NewKey, MakeCsr, Install and WipeKey on the slots.

Rule: what works on keys may be an errand; the frames are written on the loop, before the answer is
posted. A key is in no event and in no error.

Source: design section 9; actions in core/credentials.py.
"""

from ..core.events import CsrMade, Installed, InstallRefused, KeyFailed, KeyMade, KeyWiped
from ..core.shapes import Any_, MaybeTree, Tree
from ..core.slots import NAMES
from ..errors import AgentError, StateError, TrustError, plain, reason_of
from ..pki import issued
from ..pki.csr import Request, Unasked
from ..wire.encoding import base64_bytes, base64_text
from .slots import UNPROVEN, Slots

_EMPTY = "the slot has no key"


class NoKey(AgentError):
    """No key, or no request by it. reason  no-key | command; told  why, as the core hears it"""

    def __init__(self, reason: str, told: object, remedy: str = "", what: str = "",
                 value: object = "") -> None:
        super().__init__(what or "key cannot be made (%s)" % reason, value or told, remedy)
        self.reason, self.told = reason, plain(told)


class SlotKeys:
    """keys   the runtime's part: new(slot, kind) -> a key as PEM, request(key, cn) -> PKCS#10 in
           base64, which raise NoKey; other(path, key) -> (reason, value) where the certificates
           cannot be used with this key, else None; end(slot, then): then, with why what a token
           holds for a slot is still there, "" for nothing; where: what the frames are stored on
    start  (work, done): done(work()), at once or when a thread has ended
    done   called with a slot whose certificate was installed
    warn   called with (what, value, remedy)
    """

    def __init__(self, slots: Slots, credential: Any_, keys: Any_, start: Any_, post: Any_,
                 warn: Any_, done: Any_) -> None:
        self._slots, self._credential, self._keys = slots, credential, keys
        self._start, self._post, self._warn, self._done = start, post, warn, done

    # A key.

    def new_key(self, order: Any_) -> None:
        """KeyMade or KeyFailed. What a token holds for this slot goes first, or is told of."""
        self._keys.end(order.slot, lambda wrong: self._start(
            lambda: _tried(self._keys.new, order.slot, order.kind),
            lambda made: self._keep_key(order.slot, made)))

    def _keep_key(self, slot: str, made: Any_) -> None:
        if isinstance(made, NoKey):
            self._fail(slot, made)
            return
        failed = _written(self._slots.fill, slot, made)
        self._post(KeyFailed(slot, failed, "slot-" + slot) if failed else KeyMade(slot))

    def _fail(self, slot: str, error: NoKey) -> None:
        self._warn(error.what, error.value, error.remedy)
        self._post(KeyFailed(slot, error.reason, error.told))

    # A request.

    def make_csr(self, order: Any_) -> None:
        """CsrMade, of a slot that has one for this name already the same; or KeyFailed."""
        body = self._slots.held(order.slot)
        if body is None:
            self._post(KeyFailed(order.slot, "no-key", _EMPTY))
            return
        if _requested(body["csr"]).cn == order.cn:
            self._post(CsrMade(order.slot, body["csr"]))
            return
        key, body = body["key"], None  # it is read again: a board has no room for two of them
        self._start(lambda: _tried(self._keys.request, key, order.cn),
                    lambda made: self._keep_csr(order.slot, key, made))

    def _keep_csr(self, slot: str, key: str, made: Any_) -> None:
        if isinstance(made, NoKey):
            self._fail(slot, made)
            return
        failed = self._update(slot, key, {"csr": made})
        self._post(KeyFailed(slot, failed, "slot-" + slot) if failed else CsrMade(slot, made))

    # A certificate.

    def install(self, order: Any_) -> None:
        """Installed or InstallRefused."""
        body = self._slots.held(order.slot)
        if body is None:
            self._post(InstallRefused(order.slot, "wrong-key", _EMPTY))
            return
        key, csr, body = body["key"], body["csr"], None
        self._start(lambda: _judged(order, csr, key, self._keys.other),
                    lambda found: self._keep_chain(order, key, found))

    def _keep_chain(self, order: Any_, key: str, found: Any_) -> None:
        if isinstance(found, InstallRefused):
            self._post(found)
            return
        chain = [base64_text(one.der) for one in found]
        news = dict(UNPROVEN, chain=chain, issuer=order.issuer)
        failed = self._update(order.slot, key, news)
        if failed:
            self._post(InstallRefused(order.slot, failed, "slot-" + order.slot))
            return
        self._post(Installed(order.slot, issued.described(order.slot, found, order.issuer)))
        self._done(order.slot)

    def _update(self, slot: str, key: str, news: Tree) -> str:
        """Why the frame could not be written, "" when it was; never over another key."""
        now: MaybeTree = self._slots.held(slot)
        if now is None or now["key"] != key:
            return "io"
        return _written(self._slots.write, slot, dict(now, **news))

    # The end of a key.

    def wipe(self, order: Any_) -> None:
        """KeyWiped. Where a token keeps its key, the slot keeps the reference to it."""
        self._keys.end(order.slot, lambda wrong: self._wipe(order.slot, wrong))

    def _wipe(self, slot: str, wrong: str) -> None:
        try:
            found = (wrong, "see the warning before this one") if wrong else self._wiped(slot)
        except OSError as error:
            remedy = "repair the %s; take this key for known" % self._keys.where
            found = (reason_of(error), remedy)
        if found:
            self._warn("key is not wiped: " + found[0], slot, found[1])
        self._post(KeyWiped(slot, found[0] if found else ""))

    def _wiped(self, slot: str) -> Any_:
        if slot in NAMES:
            self._slots.wipe(slot)
            return None
        return self._credential.wipe()


def _tried(work: Any_, first: str, second: str) -> Any_:
    try:
        return work(first, second)
    except NoKey as error:
        return error


def _written(write: Any_, slot: str, what: Any_) -> str:
    """Why it could not be written, "" when it was."""
    try:
        write(slot, what)
    except OSError as error:
        return reason_of(error)
    except StateError:
        return "full"
    return ""


def _requested(csr: str) -> Request | Unasked:
    """What a slot's frame has asked for."""
    try:
        return Request(base64_bytes(csr))
    except AgentError:
        return Unasked()


def _judged(order: Any_, csr: str, key: str, other: Any_) -> Any_:
    """The path to install, or InstallRefused."""
    spki = _requested(csr).spki
    try:
        path = issued.ordered(order.chain, spki)
        wrong = issued.refusal(path[0], spki, order.cn, order.judge_utc_s) or other(path, key)
    except TrustError as error:
        wrong = "malformed", error.value or error.what
    return path if wrong is None else InstallRefused(order.slot, wrong[0], wrong[1])
