"""From a Dial to evidence: every address of a name, TCP, TLS, the judgement, the anchor.

Rule: blocking, so it runs in an errand; it knows no state. Each failure is put into one class and
one word of the closed list, `WORDS` of verdicts.py.
An anchor with a limit is trusted only for a flight that keeps it, and so for no other address.
"""

import time

from ..core.actions import Dial
from ..core.events import Failed, Verified
from ..errors import LinkError, TrustError
from ..pki import guess, judge
from ..pki.der import Certificate, anchor_entry
from ..pki.limits import Anchor
from . import tls
from .patience import Patience
from .route import Route
from .shortrecords import ShortRecords, Wish

# Which failure of several addresses is reported: what a server proved outweighs what a line did.
WEIGHT = ("network", "throttled", "service", "policy", "clock", "trust", "identity")

CONNECT_S = 10.0
UPGRADE_S = 15.0
DIAL_S = 45.0
_SAME_TIME_S = 300
# What the library says of a chain when the anchor above it was withheld.
_WITHHELD = ("unknown-issuer", "bad-signature")


class Refusal(LinkError):
    """A LinkError that knows what the server presented, and where."""

    def __init__(self, error: LinkError, presented: list[str], chain: list[str],
                 address: str) -> None:
        super().__init__(error.fault, error.verdict, error.value, error.remedy, error.what)
        self.presented, self.chain, self.address = presented, chain, address


class Opened:
    """A verified TLS connection and its evidence."""

    def __init__(self, secured: tls.Secured, fragment: dict, address: str,
                 addresses: list[str]) -> None:
        self.sock, self.address, self.addresses = secured.sock, address, addresses
        self.chain = [Certificate(der) for der in secured.chain]
        self.tls = {"version": secured.version, "suite": secured.suite, "fragment": fragment}


class Dialer:
    """Opens links.

    der_of            DER of an anchor by its SHA-256; KeyError for one that is not on the device
    credential_files  (certificate file, key file) of a slot; None where it is a symmetric key
    release           called with them as soon as they were read
    utc_s             the system's clock; the library checks dates where it agrees with the core's
    records           how `max_fragment` is asked for, see shortrecords.py
    own_roots         {endpoint: file} of those that are verified against the roots in a file alone
    """

    def __init__(self, resolver, der_of, credential_files, utc_s=lambda: int(time.time()),
                 connect_s: float = CONNECT_S, dial_s: float = DIAL_S,
                 clock=time.monotonic, records: ShortRecords | None = None,
                 proxy_auth_file: str = "", release=lambda files: None,
                 own_roots: dict[str, str] | None = None) -> None:
        self.records = records or ShortRecords()
        self.route = Route(resolver, proxy_auth_file, connect_s)
        self._der_of, self._credential_files = der_of, credential_files
        self._release, self._own_roots = release, own_roots or {}
        self._utc_s, self._dial_s, self._clock = utc_s, dial_s, clock

    def patience(self) -> Patience:
        """The time one dial may take; its cancel() ends the dial early."""
        return Patience(self._dial_s, self._clock)

    def dial(self, order: Dial, patience: Patience):
        """(Verified, ready socket) or (Failed, None)."""
        began = self._clock()
        try:
            opened = self.open(order, order.slot, patience)
            if order.transport == "websocket" and order.slot is not None:
                opened.sock = self._upgraded(order, opened, patience)
        except LinkError as error:
            return Failed(order.link, error.fault, error.verdict, getattr(error, "presented", []),
                          getattr(error, "chain", []), getattr(error, "address", None)), None
        took_ms = int(1000 * (self._clock() - began))
        return _verified(order, opened, took_ms), opened.sock

    def _upgraded(self, order: Dial, opened: Opened, patience: Patience):
        """A probe ends before this: it has nothing to say in a websocket."""
        from ..wire import dps, hub
        from .framed import upgrade  # most devices never need a websocket

        service = dps if order.endpoint == "dps" else hub
        target = service.websocket_target(self._shows(order.slot))
        try:
            return upgrade(opened.sock, order.host, target, patience.at_most(UPGRADE_S))
        except LinkError as error:
            raise Refusal(error, [], [], opened.address) from error

    def open(self, order, slot: str | None, patience: Patience) -> Opened:
        """Open what a Dial, an AskDate or a LookUp asks for; LinkError when no address will do."""
        ders = self._anchors(order)
        made, wish = self._context(order, slot, ders)
        places = self.route.places(order.proxy, order.host, order.port)
        worst: LinkError = LinkError("network", "name-unknown", order.host)
        for address, port in places:
            try:
                place = (address, port, [a for a, _ in places])
                return self._one(order, ders, (made, wish), place, patience)
            except Refusal as error:
                if WEIGHT.index(error.fault) >= WEIGHT.index(worst.fault):
                    worst = error
                if error.fault == "identity" or patience.left_s <= 0 or patience.cancelled:
                    break
                made, wish = self._context(order, slot, ders)
        raise worst

    def _context(self, order, slot: str | None, ders: dict[str, bytes]):
        credential = None if slot is None else self._credential_files(slot)
        try:
            made = tls.context([ders[sha256] for sha256 in ders if sha256 not in order.limits],
                               order.profile, credential, self._library_dates(order))
        finally:
            if credential is not None:
                self._release(credential)
        return made, self.records.wish(order.profile, made, credential is not None)

    def _shows(self, slot: str) -> bool:
        """Whether there is a certificate to show."""
        files = self._credential_files(slot)
        if files is not None:
            self._release(files)
        return files is not None

    def _library_dates(self, order) -> bool:
        """The library judges by the system's clock, which nobody sets for us: both must agree."""
        if not order.profile["check_time"] or order.judge_utc_s is None:
            return False
        return abs(self._utc_s() - order.judge_utc_s) <= _SAME_TIME_S

    def _anchors(self, order) -> dict[str, bytes]:
        """{sha256: DER} that the server is verified against; read once for all its addresses."""
        file = self._own_roots.get(getattr(order, "endpoint", ""))
        if file:
            from .ownroots import read  # few devices have such a file

            return read(file)
        found = {}
        for sha256 in order.anchors:
            try:
                found[sha256] = _anchor(self._der_of(sha256), sha256)
            except KeyError:
                continue  # the others may do
        if not found:
            raise LinkError("trust", "no-anchor", "", "add a root: `anchorwatch roots add FILE`")
        return found

    def _one(self, order, ders: dict[str, bytes], asked, place, patience: Patience) -> Opened:
        (made, wish), (address, port, addresses) = asked, place
        seen, leaf = judge.Judgement("", 0, [], []), b""

        def look(chain: list[bytes]) -> None:
            nonlocal seen, leaf
            leaf = (chain + [b""])[0]
            anchors = tuple(Anchor(ders[sha256], order.limits.get(sha256, {})) for sha256 in ders)
            seen = judge.judge(chain, order.host, order.judge_utc_s, order.profile, anchors)
            if not seen.ok:
                raise _spoken_against(seen.verdict, order)
            tls.trust(made, [ders[sha256] for sha256 in ders
                             if sha256 in order.limits and sha256 not in seen.withheld])

        try:
            sock = self.route.connect(order.proxy, address, port, patience)
            secured = tls.handshake(sock, made, order.host, look, patience, wish.answered)
            opened = Opened(secured, _agreed(secured, wish), address, addresses)
            return _anchored(opened, order, ders)
        except LinkError as error:
            if seen.limit and error.verdict in _WITHHELD:
                error = _spoken_against(seen.limit, order)
            word = guess.better(error.verdict, seen, leaf)
            if word != error.verdict:
                error = LinkError(error.fault, word, error.value)
            raise Refusal(error, seen.presented, seen.chain, address) from error


def _anchor(der: bytes, sha256: str) -> bytes:
    try:
        found = anchor_entry(der)["sha256"]
    except TrustError as error:
        raise LinkError("trust", "not-an-anchor", error.value, error.remedy) from error
    if found != sha256:
        raise LinkError("trust", "not-an-anchor", found, "the store is damaged: start again")
    return der


def _spoken_against(verdict: str, order) -> LinkError:
    """A date is the clock's fault until the clock is authenticated."""
    fault = judge.fault(verdict)
    if fault == "clock" and order.profile["check_time"]:
        fault = "trust"
    return LinkError(fault, verdict)


def _agreed(secured: tls.Secured, wish: Wish) -> dict:
    try:
        return wish.outcome(secured.sock.session if wish.asked else None)
    except LinkError:
        secured.sock.close()
        raise


def _anchored(opened: Opened, order, ders: dict[str, bytes]) -> Opened:
    """The root of the verified chain, which no server need present, is judged like the rest; and so
    is its limit, by the keys that were really there."""
    verdict = _against_root(opened.chain, order, ders)
    if verdict:
        opened.sock.close()
        raise _spoken_against(verdict, order)
    return opened


def _against_root(chain: list[Certificate], order, ders: dict[str, bytes]) -> str:
    root, now_s = chain[-1], order.judge_utc_s
    if root.sha256 not in ders:
        return "unknown-issuer"
    if order.profile["all_ecc"] and root.rsa_bits():
        return "not-ecc"
    limit = Anchor(root.der, order.limits.get(root.sha256, {}))
    broken = limit.broken(chain[0], [chain[1].spki_sha256])
    if broken:
        return broken
    if now_s is not None and now_s < root.not_before:
        return "not-yet-valid"
    return ""  # a root past its end is offered by the core only where it may still be used (R2)


def _verified(order: Dial, opened: Opened, took_ms: int) -> Verified:
    leaf = opened.chain[0]
    return Verified(
        order.link, order.host, opened.address, opened.addresses, opened.chain[-1].sha256,
        [one.sha256 for one in opened.chain], leaf.spki_sha256, opened.chain[1].spki_sha256,
        [one.subject_name for one in opened.chain], leaf.not_before, leaf.not_after,
        opened.tls, took_ms,
    )  # fmt: skip
