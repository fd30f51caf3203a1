"""Commands about the device's certificates: roll, show, the request, a chain by hand.

Rule: as in asked.py. Source: design sections 9 and 12.
"""

from . import rollpage
from .answers import refuse, reply
from .events import Issued
from .rollmeanings import RollDue
from .rolls import AWAITING, HOLDING, RESTING
from .shapes import Event, Items, Watch
from .slots import BREACH, EXPIRY

TRY_LATER = 3


class RollCommands:
    """asked(event, now): roll, identity_show, identity_csr, identity_install."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def asked(self, event: Event, now: int) -> Items:
        """Answer one command and set off what it asks for."""
        does = {"roll": self._roll, "identity_csr": self._csr, "identity_install": self._install}
        if event.what in does:
            return does[event.what](event, now)
        return [reply(event.ask_id, rollpage.page(self._watch.identity))]

    def _roll(self, event: Event, now: int) -> Items:
        identity, ask_id = self._watch.identity, event.ask_id
        reason = event.arguments.get("reason") or EXPIRY
        if reason not in (EXPIRY, BREACH):
            return [refuse(ask_id, "unknown reason", str(reason), "expiry or breach")]
        if identity.forbidden:
            remedy = "set [identity] issuer, and enroll the device by its CA"
            return [refuse(ask_id, "this device does not roll", identity.forbidden, remedy)]
        before = event.arguments.get("issued_before")
        since = identity.active.get("not_before")
        if isinstance(before, int) and since is not None and since >= before:
            return [reply(ask_id, {"rolling": False, "why": "issued later already"})]
        if identity.state not in (RESTING, AWAITING, HOLDING) or not identity.slots.free():
            identity.later(event, 0, now)
            return [refuse(ask_id, "busy", identity.state, "ask again in a minute", TRY_LATER)]
        held_ms = 0 if reason == BREACH else identity.rate_ms(now)
        if held_ms:
            identity.later(event, held_ms, now)
            left = "%d s more" % (held_ms // 1000 + 1)
            return [refuse(ask_id, "an issuer was asked lately", left, "ask again then", TRY_LATER)]
        return [reply(ask_id, {"rolling": True, "reason": reason}), RollDue(reason)]

    def _csr(self, event: Event, now: int) -> Items:
        identity = self._watch.identity
        if not identity.csr:
            remedy = "`anchorwatch identity roll` makes one"
            return [refuse(event.ask_id, "no request is open", identity.state, remedy)]
        return [reply(event.ask_id, {"cn": identity.cn, "csr": identity.csr})]

    def _install(self, event: Event, now: int) -> Items:
        identity, chain = self._watch.identity, event.arguments.get("chain")
        if identity.state != AWAITING:
            remedy = "roll first: a certificate fits the key that its request was made with"
            return [refuse(event.ask_id, "no request is open", identity.state, remedy)]
        return [reply(event.ask_id, {"installing": True}),
                Issued(identity.slots.kept["pending"], list(chain or []))]  # fmt: skip
