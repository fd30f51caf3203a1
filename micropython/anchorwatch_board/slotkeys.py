"""Performs NewKey, MakeCsr, Install and WipeKey on the slots.

Rule: the work is done at once, and its arithmetic pauses for the watchdog; the frames are written
before the answer is posted. A key is in no event and in no error.

Source: design section 9; actions in core/credentials.py.
"""

from anchorwatch.core.events import (
    CsrMade,
    Installed,
    InstallRefused,
    KeyFailed,
    KeyMade,
    KeyWiped,
)
from anchorwatch.core.slots import NAMES
from anchorwatch.errors import AgentError, ConfigError, StateError, TrustError, reason_of
from anchorwatch.performers.slots import UNPROVEN
from anchorwatch.pki import issued
from anchorwatch.pki.csr import Request, Unasked
from anchorwatch.pki.private import Private
from anchorwatch.wire.encoding import base64_bytes, base64_text

from . import keys
from .keyfiles import key_der

_EMPTY = "the slot has no key"


class SlotKeys:
    """pause  called in the middle of long arithmetic; warn  called with (what, value, remedy)
    done   called with a slot whose certificate was installed
    """

    def __init__(self, slots, credential, post, warn, done, pause) -> None:
        self._slots, self._credential, self._post = slots, credential, post
        self._warn, self._done, self._pause = warn, done, pause

    def new_key(self, order) -> None:
        """KeyMade or KeyFailed."""
        try:
            made = keys.new(order.kind, self._pause)["key"]
        except ConfigError as error:
            self._fail(order.slot, error)
            return
        failed = _written(self._slots.fill, order.slot, made)
        wrong = KeyFailed(order.slot, failed, "slot-" + order.slot)
        self._post(wrong if failed else KeyMade(order.slot))

    def make_csr(self, order) -> None:
        """CsrMade, of a slot that has one for this name already the same; or KeyFailed."""
        body = self._slots.held(order.slot)
        if body is None:
            self._post(KeyFailed(order.slot, "no-key", _EMPTY))
            return
        if _requested(body).cn == order.cn:
            self._post(CsrMade(order.slot, body["csr"]))
            return
        try:
            made = keys.csr(body["key"], order.cn, self._pause)["csr"]
        except ConfigError as error:
            self._fail(order.slot, error)
            return
        failed = _written(self._slots.write, order.slot, dict(body, csr=made))
        wrong = KeyFailed(order.slot, failed, "slot-" + order.slot)
        self._post(wrong if failed else CsrMade(order.slot, made))

    def install(self, order) -> None:
        """Installed or InstallRefused."""
        body = self._slots.held(order.slot)
        if body is None:
            self._post(InstallRefused(order.slot, "wrong-key", _EMPTY))
            return
        found = _judged(order, body, self._pause)
        if isinstance(found, InstallRefused):
            self._post(found)
            return
        chain = [base64_text(one.der) for one in found]
        news = dict(UNPROVEN, chain=chain, issuer=order.issuer)
        failed = _written(self._slots.write, order.slot, dict(body, **news))
        if failed:
            self._post(InstallRefused(order.slot, failed, "slot-" + order.slot))
            return
        self._post(Installed(order.slot, issued.described(order.slot, found, order.issuer)))
        self._done(order.slot)

    def wipe(self, order) -> None:
        """KeyWiped."""
        wrong = None
        try:
            if order.slot in NAMES:
                self._slots.wipe(order.slot)
            else:
                wrong = self._credential.wipe()
        except OSError as error:
            wrong = (reason_of(error), "repair the flash; take this key for known")
        if wrong:
            self._warn("key is not wiped: " + wrong[0], order.slot, wrong[1])
        self._post(KeyWiped(order.slot, wrong[0] if wrong else ""))

    def _fail(self, slot: str, error: ConfigError) -> None:
        self._warn(error.what, error.value, error.remedy)
        self._post(KeyFailed(slot, "no-key", error.what))


def _written(write, slot: str, what) -> str:
    """Why it could not be written, "" when it was."""
    try:
        write(slot, what)
    except OSError as error:
        return reason_of(error)
    except StateError:
        return "full"
    return ""


def _requested(body: dict):
    """What a slot's frame has asked for."""
    try:
        return Request(base64_bytes(body["csr"]))
    except AgentError:
        return Unasked()


def _judged(order, body: dict, pause):
    """The path to install, or InstallRefused."""
    spki = _requested(body).spki
    try:
        path = issued.ordered(order.chain, spki)
        wrong = issued.refusal(path[0], spki, order.cn, order.judge_utc_s)
        if wrong is None and not _is_for(path[0], body["key"], pause):
            wrong = "wrong-key", "the certificate is for another key"
    except TrustError as error:
        wrong = "malformed", error.value or error.what
    return path if wrong is None else InstallRefused(order.slot, wrong[0], wrong[1])


def _is_for(leaf, key: str, pause) -> bool:
    try:
        return Private(key_der(key.encode(), "slot"), "slot", pause).spki == leaf.spki
    except ConfigError:
        return False
