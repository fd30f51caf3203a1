"""From a Dial to evidence: every address of a name, TCP, TLS, the judgement, the anchor.

Rule: an errand; it knows no state. Each failure is put into one class and one word of the Linux
driver's list. A chain that fits no root counts only if a second try, with the heap collected and
room in it, says the same: low memory looks like that too. Where the firmware tells that memory was
denied, a failure is nothing else.

Source: design sections 4, 7 and 8.
"""

import gc

from anchorwatch.core.events import Failed, Verified
from anchorwatch.errors import AgentError, LinkError
from anchorwatch.pki.limits import LIMITS

from . import tcp, tls
from .credential import SLOT
from .judged import Look, better
from .patience import Patience

# Which failure of several addresses is reported: what a server proved outweighs what a line did.
WEIGHT = ("network", "memory", "throttled", "service", "policy", "clock", "trust", "identity")

CONNECT_MS = 10_000
DIAL_MS = 45_000
UPGRADE_MS = 15_000
# What low memory looks like.
_DOUBTFUL = ("unknown-issuer", "bad-signature", "chain-refused", "intermediate-missing",
             "not-an-anchor", "credential-unreadable")


class Refusal(LinkError):
    """A LinkError that knows what the server presented, and where."""

    def __init__(self, error, seen, address):
        super().__init__(error.fault, error.verdict, error.value, error.remedy, error.what)
        self.presented = seen.presented if seen else []
        self.chain = seen.chain if seen else []
        self.withheld = seen.withheld if seen else {}
        self.address = address


class Opened:
    """A verified connection and its evidence: `seen`, what was judged of the path to its root."""

    def __init__(self, secured, look, fragment, address, addresses):
        self.stream, self.address, self.addresses = secured.stream, address, addresses
        self.seen, self.issuer_spki = look.seen, look.issuer_spki
        self.tls = {"version": secured.version, "suite": secured.suite, "fragment": fragment}


class Dialer:
    """Opens links.

    route     see route.py; der_of  DER of an anchor by its SHA-256, None for one that is not here
    files     ([DER], key DER) of a slot, None where it is a symmetric key
    port      see port.py; library  see library.py; reserve  see memory.py
    """

    def __init__(self, resolver, der_of, files, port, library, now_ms, reserve):
        self._resolver, self._der_of, self._files = resolver, der_of, files
        self._port, self._library, self._now_ms = port, library, now_ms
        self._reserve = reserve

    def patience(self):
        """The time one dial may take."""
        return Patience(DIAL_MS, self._now_ms)

    def glance(self, order, patience):
        """Glanced or Failed, and None, as an errand."""
        from . import glance  # for boards with room for one session

        event = yield from glance.look(order, self._resolver, self._der_of, patience)
        return event, None

    def dial(self, order, patience):
        """(Verified, stream) or (Failed, None), as an errand."""
        began_ms = self._now_ms()
        try:
            opened = yield from self.open(order, order.slot, patience)
            if order.transport == "websocket" and order.slot is not None:
                yield from self._upgrade(order, opened, patience)
        except LinkError as error:
            return Failed(order.link, error.fault, error.verdict, getattr(error, "presented", []),
                          getattr(error, "chain", []), getattr(error, "address", None)), None
        return _verified(order, opened, self._now_ms() - began_ms), opened.stream

    def _upgrade(self, order, opened, patience):
        """A probe ends before this: it has nothing to say in a websocket."""
        from anchorwatch.wire import dps, hub

        from .framed import upgrade  # most devices never need a websocket

        service = dps if order.endpoint == "dps" else hub
        target = service.websocket_target(self._files(order.slot) is not None)
        try:
            opened.stream = yield from upgrade(opened.stream, order.host, target,
                                               patience.at_most(UPGRADE_MS))
        except LinkError as error:
            raise Refusal(error, None, opened.address)

    def open(self, order, slot, patience):
        """Open what a Dial, an AskDate or a LookUp asks for; LinkError when no address will do."""
        places = self._resolver.addresses(order.host, order.port)
        addresses = [address for address, _ in places]
        worst = LinkError("network", "name-unknown", order.host)
        for place in places:
            try:
                return (yield from self._one(order, slot, place, addresses, patience))
            except Refusal as error:
                if WEIGHT.index(error.fault) >= WEIGHT.index(worst.fault):
                    worst = error
                if error.fault == "identity" or not patience.left_ms:
                    break
        raise worst

    def _one(self, order, slot, place, addresses, patience):
        """One address; what may be low memory, or the wrong one of two anchors, is tried again."""
        try:
            return (yield from self._told(order, slot, place, addresses, patience, ()))
        except Refusal as error:
            first = error
        if first.verdict in LIMITS:
            try:
                return (yield from self._told(order, slot, place, addresses, patience,
                                              first.withheld))
            except Refusal as error:
                raise first if error.verdict in _DOUBTFUL + ("no-anchor",) else error
        if first.verdict not in _DOUBTFUL:
            raise first
        if not self._roomy():
            raise Refusal(LinkError("memory", "low-memory"), None, place[0])
        return (yield from self._told(order, slot, place, addresses, patience, ()))

    def _roomy(self):
        free = self._port.tls_free() + self._reserve.held
        return free >= 1024 * self._port.facts["handshake_kib"]

    def _told(self, order, slot, place, addresses, patience, without):
        """_once; what the library was denied memory in says nothing else."""
        denied = self._library.denied()
        try:
            return (yield from self._once(order, slot, place, addresses, patience, without))
        except Refusal:
            if self._library.denied() == denied:
                raise
            raise Refusal(LinkError("memory", "no-memory"), None, place[0])

    def _once(self, order, slot, place, addresses, patience, without):
        gc.collect()
        look = None
        try:
            anchors = self._anchors(order.anchors, without)
            look = Look(order, anchors, self._der_of)
            wish = self._library.records.wish(order.profile)
            path = tls.Path(look, wish.outcome)
            made, named = self._library.made(
                lambda: self._context(anchors, order.profile, slot, path))
            sock = yield from tcp.connect(*place, patience.at_most(CONNECT_MS))
            secured = yield from tls.handshake(sock, made, order.host, path, patience,
                                               lambda call: self._at(order.judge_utc_s, call),
                                               self._reserve, wish.asked if named else 0)
            return _agreed(secured, look, wish, place[0], addresses)
        except MemoryError:
            raise Refusal(LinkError("memory", "no-memory"), None, place[0])
        except AgentError as error:
            raise Refusal(better(error, look), look and look.seen, place[0])

    def _context(self, anchors, profile, slot, path):
        """A context, and whether a certificate of ours is in it. The library has copies of its own:
        nothing that is read for it is kept."""
        credential = None if slot is None else self._files(slot)
        made = tls.context([self._der_of(name) for name in anchors], profile, credential, path)
        if slot == SLOT and self._port.element is not None:
            made.ecdsa_sign_callback = self._port.element
        return made, bool(credential)

    def _anchors(self, offered, without):
        """Names of those that are here."""
        found = [name for name in offered if name not in without and self._der_of(name) is not None]
        if not found:
            raise LinkError("trust", "no-anchor", "", "add a root")
        return found

    def _at(self, utc_s, call):
        """Call the library while the board's clock shows the time that dates are judged at."""
        port = self._port
        before_s = port.utc_s() if port.sets_clock else None
        if not port.sets_clock or utc_s is None:
            return call()
        began_ms = self._now_ms()
        port.set_clock(utc_s)
        try:
            return call()
        finally:
            if before_s is not None:
                port.set_clock(before_s + (self._now_ms() - began_ms) // 1000)


def _agreed(secured, look, wish, address, addresses):
    try:
        return Opened(secured, look, wish.outcome(secured.length), address, addresses)
    except BaseException:
        secured.stream.close()
        raise


def _verified(order, opened, took_ms):
    seen = opened.seen
    return Verified(
        order.link, order.host, opened.address, opened.addresses, seen.chain[-1], seen.chain,
        seen.leaf_spki, opened.issuer_spki, seen.names, seen.not_before, seen.not_after,
        opened.tls, took_ms,
    )  # fmt: skip
