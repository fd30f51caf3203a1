"""Performs NewKey, MakeCsr, Install and WipeKey on the slots.

Rule: an errand makes, signs and looks; the frames are written on the loop, before the answer is
posted. A key is in no event and in no error.

Source: design section 9; actions in core/credentials.py.
"""

from ..core.events import CsrMade, Installed, InstallRefused, KeyFailed, KeyMade, KeyWiped
from ..core.slots import NAMES
from ..errors import AgentError, ConfigError, StateError, TrustError, reason_of
from ..performers.slots import UNPROVEN
from ..pki import issued
from ..pki.csr import Request, Unasked
from ..wire.encoding import base64_bytes, base64_text
from . import tls
from .keyblocks import TOKEN_HINT, in_token
from .keymaking import NoKey, destroy, new, request
from .slots import Slots, in_memory, pem_of

_MISMATCH = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH")
_EMPTY = "the slot has no key"


class SlotKeys:
    """settings  [identity]; done  called with a slot whose certificate was installed
    warn  called with (what, value, remedy)
    """

    def __init__(self, slots: Slots, credential, settings, errands, post, warn, done) -> None:
        self._slots, self._credential = slots, credential
        self._key_command = tuple(settings.key_command)
        self._wipe_command = tuple(settings.wipe_command)
        self._errands, self._post, self._warn, self._done = errands, post, warn, done

    # A key.

    def new_key(self, order) -> None:
        """KeyMade or KeyFailed. What a token holds for this slot goes first, or is told of."""
        self._destroyed(order.slot, lambda wrong: self._errands.start(
            lambda: _tried(new, order.slot, order.kind, self._key_command),
            lambda made: self._keep_key(order.slot, made)))

    def _keep_key(self, slot: str, made) -> None:
        if isinstance(made, NoKey):
            self._fail(slot, made)
            return
        failed = _written(lambda: self._slots.fill(slot, made))
        self._post(KeyFailed(slot, failed, "slot-" + slot) if failed else KeyMade(slot))

    def _fail(self, slot: str, error: NoKey) -> None:
        self._warn(error.what, error.value, error.remedy)
        self._post(KeyFailed(slot, error.reason, error.value))

    # A request.

    def make_csr(self, order) -> None:
        """CsrMade, of a slot that has one for this name already the same; or KeyFailed."""
        body = self._slots.held(order.slot)
        if body is None:
            self._post(KeyFailed(order.slot, "no-key", _EMPTY))
        elif _requested(body).cn == order.cn:
            self._post(CsrMade(order.slot, body["csr"]))
        else:
            self._errands.start(lambda: _tried(request, body["key"], order.cn),
                                lambda made: self._keep_csr(order.slot, body, made))

    def _keep_csr(self, slot: str, body: dict, made) -> None:
        if isinstance(made, NoKey):
            self._fail(slot, made)
            return
        failed = self._update(slot, body, {"csr": made})
        self._post(KeyFailed(slot, failed, "slot-" + slot) if failed else CsrMade(slot, made))

    # A certificate.

    def install(self, order) -> None:
        """Installed or InstallRefused."""
        body = self._slots.held(order.slot)
        if body is None:
            self._post(InstallRefused(order.slot, "wrong-key", _EMPTY))
            return
        self._errands.start(lambda: _judged(order, body),
                            lambda found: self._keep_chain(order, body, found))

    def _keep_chain(self, order, body: dict, found) -> None:
        if isinstance(found, InstallRefused):
            self._post(found)
            return
        chain = {"chain": [base64_text(one.der) for one in found], "issuer": order.issuer}
        failed = self._update(order.slot, body, {**chain, **UNPROVEN})
        if failed:
            self._post(InstallRefused(order.slot, failed, "slot-" + order.slot))
            return
        self._post(Installed(order.slot, issued.described(order.slot, found, order.issuer)))
        self._done(order.slot)

    def _update(self, slot: str, before: dict, news: dict) -> str:
        """Why the frame could not be written, "" when it was; never over another key."""
        now = self._slots.held(slot)
        if now is None or now["key"] != before["key"]:
            return "io"
        return _written(lambda: self._slots.write(slot, dict(now, **news)))

    # The end of a key.

    def wipe(self, order) -> None:
        """KeyWiped. Where a token keeps its key, the slot keeps the reference to it."""
        self._destroyed(order.slot, lambda wrong: self._wipe(order.slot, wrong))

    def _wipe(self, slot: str, wrong: str) -> None:
        try:
            found = (wrong, "see the warning before this one") if wrong else self._wiped(slot)
        except OSError as error:
            found = (reason_of(error), "repair the disk; take this key for known")
        if found:
            self._warn("key is not wiped: " + found[0], slot, found[1])
        self._post(KeyWiped(slot, found[0] if found else ""))

    def _wiped(self, slot: str) -> tuple[str, str] | None:
        if slot in NAMES:
            self._slots.wipe(slot)
            return None
        wrong: tuple[str, str] | None = self._credential.wipe()
        return wrong

    def _destroyed(self, slot: str, then) -> None:
        """Then, with why a token's key is still there, "" where none is: after the operator's
        program, or with a warning where there is no such program."""
        held = self._slots.held(slot) if slot in NAMES else None
        if held is None or not _in_token(held["key"]):
            then("")
        elif self._wipe_command:
            self._errands.start(lambda: _tried(destroy, slot, held["key"], self._wipe_command),
                                lambda error: then(self._remains(slot, error)))
        else:
            self._warn("a key is still in its token", slot,
                       "set [identity] wipe_command, and delete this one by the token's program")
            then("")

    def _remains(self, slot: str, error) -> str:
        if error is None:
            return ""
        self._warn("key is not destroyed in its token", "slot %s: %s" % (slot, error.value),
                   error.remedy)
        return "in-token"


def _in_token(key: str) -> bool:
    try:
        return in_token(key.encode(), "slot")
    except ConfigError:
        return False


def _tried(work, *given):
    try:
        return work(*given)
    except NoKey as error:
        return error


def _written(write) -> str:
    try:
        write()
    except OSError as error:
        return reason_of(error)
    except StateError:
        return "full"
    return ""


def _requested(body: dict) -> Request | Unasked:
    """What a slot's frame has asked for."""
    try:
        return Request(base64_bytes(body["csr"]))
    except AgentError:
        return Unasked()


def _judged(order, body: dict):
    """The path to install, or InstallRefused."""
    try:
        spki = _requested(body).spki
        path = issued.ordered(order.chain, spki)
        wrong = issued.refusal(path[0], spki, order.cn, order.judge_utc_s)
    except TrustError as error:
        wrong = ("malformed", error.value or error.what)
    if wrong is None:
        wrong = _not_taken([one.der for one in path], body["key"])
    return path if wrong is None else InstallRefused(order.slot, *wrong)


def _not_taken(chain: list[bytes], key: str) -> tuple[str, str] | None:
    """Why the TLS library, which is to use them, does not take key and certificate together."""
    files = in_memory(pem_of(chain), key.encode())
    try:
        word = tls.check_pair(files[0], files[1])
    finally:
        files.close()
    if not word:
        return None
    if word in _MISMATCH:
        return "wrong-key", "the certificate is for another key"
    hint = "; " + TOKEN_HINT if _in_token(key) else ""
    return "wrong-key", "the TLS library cannot use the key (%s)%s" % (word, hint)
