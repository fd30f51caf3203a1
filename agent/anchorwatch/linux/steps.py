"""One endpoint, step by step: name, TCP, TLS, then what its certificates say, then the anchor.

Rule: the server's flight is looked at on a connection of its own that says no more than a hello, so
that chain, name and dates are judged apart; the last word is the same dial that the agent makes.
"""

import time

from ..core.events import Failed
from ..core.transports import BLOCKED
from ..errors import AgentError, LinkError
from ..pki import judge
from ..pki.der import Certificate
from ..pki.hostnames import fits
from ..pki.limits import Anchor
from . import tls
from .findings import Findings, short
from .shortrecords import OFF, UNAVAILABLE

STEPS = ("dns", "tcp", "tls", "chain", "name", "dates", "anchor")
DAY_S = 86_400
_FLIGHT = ("chain", "name", "dates")
_LINE = ("network", "policy", "identity")
_OF_CHAIN = ("bad-signature", "chain-refused", "weak-key", "weak-signature", "not-ecc")
_UNREAD = ("no-certificate", "chain-too-long", "malformed")
_FAR_S = 0xFFFFFFFF
_OTHER_WAY = "set [mqtt] transport = auto: it takes a websocket where 8883 is blocked"
_SHOWN = 4


class _Seen(Exception):
    """The flight is here: nothing more is said on this connection."""


class Steps:
    """Notes every step of an endpoint.

    order      Dial of a probe; trust  the store; sure_of_time  a date that fails is the server's
               fault
    other_way  called with an order that the line ended: the same in a websocket, None for none;
               and whether the agent would take it by itself
    """

    def __init__(self, dialer, der_of, trust, found: Findings,
                 other_way=lambda order: (None, False)) -> None:
        self._dialer, self._der_of, self._other_way = dialer, der_of, other_way
        self._trust, self._found = trust, found
        self.sure_of_time = False

    def check(self, order) -> None:
        """Dial as `order` says, once for a look and once in earnest."""
        reached = self._reach(order)
        if reached is None:
            return
        order, sock = reached
        try:
            flight = self._flight(order, sock)
        except LinkError as error:
            self._end_of_line(order, "tls", error, error.value)
            return
        self._tell(order, flight, self._dial(order))

    def _reach(self, order):
        """(the order, or the same another way; a connected socket), or None once it is noted why
        there is none."""
        try:
            places = self._dialer.route.places(order.proxy, order.host, order.port)
        except LinkError as error:
            self._end(order, "dns", error.fault, error.verdict, order.host)
            return None
        shown = ["%s:%d" % place for place in places[:_SHOWN]]
        shown += ["through " + order.proxy] if order.proxy else []
        self._found.good(order.endpoint, "dns", order.host, ", ".join(shown))
        failed = []
        for place in places:
            began = time.monotonic()
            try:
                sock = self._dialer.route.connect(order.proxy, *place, self._dialer.patience())
            except LinkError as error:
                failed.append((error, "%s:%d" % place))
                continue
            shown = ["%s:%d in %d ms" % (*place, 1000 * (time.monotonic() - began))]
            shown += ["%s: %s" % (where, error.verdict) for error, where in failed]
            self._found.good(order.endpoint, "tcp", "connected", ", ".join(shown))
            return order, sock
        return self._end_of_line(order, "tcp", *failed[-1])

    def _end_of_line(self, order, step: str, error: LinkError, where: object):
        """A step failed. Is it this port alone? Then as _reach(), where the agent would go on."""
        other, goes_on = self._other_way(order) if error.verdict in BLOCKED else (None, False)
        sock = None if other is None else self._opened(other)
        if sock is None:
            return self._end(order, step, error.fault, error.verdict, where)
        told = "%d blocked, %d open" % (order.port, other.port)
        if goes_on and step == "tcp":
            shown = "%s: %s; it goes in a websocket" % (where, error.verdict)
            self._found.good(order.endpoint, step, told, shown)
            return other, sock
        sock.close()
        shown = ", ".join([str(part) for part in (where, told) if part])
        return self._end(order, step, error.fault, error.verdict, shown, _OTHER_WAY)

    def _opened(self, order):
        """A socket to any place of an order; None when no place takes one."""
        try:
            for place in self._dialer.route.places(order.proxy, order.host, order.port):
                try:
                    return self._dialer.route.connect(order.proxy, *place, self._dialer.patience())
                except LinkError:
                    continue
        except LinkError:
            pass  # its name is not known either
        return None

    def _flight(self, order, sock) -> list[bytes]:
        """The presented chain; LinkError when TLS does not come so far."""
        chain: list[bytes] = []

        def look(presented: list[bytes]) -> None:
            chain.extend(presented)
            raise _Seen

        try:
            made = tls.context([], order.profile, None, False)
            tls.handshake(sock, made, order.host, look, self._dialer.patience())
        except _Seen:
            pass
        finally:
            sock.close()
        return chain

    def _dial(self, order):
        answer, sock = self._dialer.dial(order, self._dialer.patience())
        if sock is not None:
            sock.close()
        return answer

    def _tell(self, order, flight: list[bytes], answer) -> None:
        """Note all that TLS showed, by the look and by the dial."""
        verdicts = judged(flight, order, self._anchors(order))
        wrong = [step for step in _FLIGHT if verdicts[step] not in ("", "ok")]
        failed = isinstance(answer, Failed)
        if failed and not wrong and answer.fault in _LINE and answer.verdict not in _OF_CHAIN:
            here = answer.verdict == UNAVAILABLE and self._dialer.records.unavailable()
            shown = here or answer.address or order.host
            self._end(order, "tls", answer.fault, answer.verdict, shown)
            return
        if failed and not wrong and answer.verdict in _OF_CHAIN:
            verdicts["chain"], wrong = answer.verdict, ["chain"]
        secured = {"version": "TLSv1.2"} if failed else answer.tls
        shown = [secured[name] for name in ("version", "suite") if name in secured]
        fragment = secured.get("fragment", {"reason": OFF})
        more = {} if fragment["reason"] == OFF else {"fragment": fragment}
        self._found.good(order.endpoint, "tls", ", ".join(shown), _records(fragment), **more)
        for step in _FLIGHT:
            self._presented(order, step, verdicts[step], flight, wrong)
        if wrong:
            self._found.untried(order.endpoint, "anchor", "%s %s" % (order.endpoint, wrong[0]))
        else:
            self._anchor(order, answer, answer.fault if failed else "")

    def _presented(self, order, step: str, verdict: str, flight: list[bytes], wrong) -> None:
        """Note what one step makes of the flight."""
        endpoint, (what, value) = order.endpoint, _shown(step, flight, order)
        if verdict == "ok":
            self._found.good(endpoint, step, what, value)
        elif verdict == "":
            self._found.untried(endpoint, step, "%s %s" % (endpoint, wrong[0]))
        else:
            fault = judge.fault(verdict)
            fault = "trust" if fault == "clock" and self.sure_of_time else fault
            shown = "; ".join([part for part in (what, value) if part])
            self._found.fault(endpoint, step, fault, verdict, shown)

    def _anchor(self, order, answer, fault: str) -> None:
        """Note the anchor, or why there is none."""
        if fault:
            presented = answer.presented[-1] if answer.presented else "nothing"
            shown = "presented under " + presented
            if answer.verdict == "intercepted":
                shown = "a proxy inspects TLS: issuer " + short(presented)
            self._found.fault(order.endpoint, "anchor", fault, answer.verdict, shown)
            return
        days = self._trust.evidence.days(order.endpoint, answer.anchor)
        layer = self._trust.layer_of(answer.anchor) or "no"
        shown = "%s layer, %d day%s of evidence" % (layer, days, "" if days == 1 else "s")
        self._found.good(order.endpoint, "anchor", answer.names[-1], shown, root=answer.anchor,
                         layer=layer, days=days)

    def _anchors(self, order) -> tuple[Anchor, ...]:
        """Those offered, without their limits: a limit is the anchor's matter, not the chain's."""
        ders = [self._der_of(sha256) for sha256 in order.anchors]
        return tuple(Anchor(der) for der in ders if der is not None)

    def _end(self, order, step: str, fault: str, verdict: str, value: object,
             to_do: str = "") -> None:
        """A step failed, and so nothing is known of those after it."""
        self._found.fault(order.endpoint, step, fault, verdict, value, to_do)
        self._untried(order.endpoint, STEPS[STEPS.index(step) + 1:],
                      "%s %s" % (order.endpoint, step))

    def _untried(self, endpoint: str, steps, why: str) -> None:
        for step in steps:
            self._found.untried(endpoint, step, why)


def judged(flight: list[bytes], order, anchors: tuple[Anchor, ...]) -> dict[str, str]:
    """{"chain", "name", "dates"}: each a verdict of its own, "" where another one hides it."""
    def verdict(host: str, utc_s: int | None) -> str:
        return judge.judge(flight, host, utc_s, order.profile, anchors).verdict

    names, its_own = _names(flight), _is_for(flight, order.host)
    # Under a name that the leaf carries, only the chain is left to be judged, and then the dates.
    host = order.host if its_own else (names + [""])[0].replace("*", "any")
    chain = verdict(host, None)
    if chain == "name-mismatch":
        return {"chain": "", "name": chain, "dates": ""}
    name = "ok" if its_own else "name-mismatch"
    return {"chain": chain, "name": "" if chain in _UNREAD else name,
            "dates": verdict(host, order.judge_utc_s) if chain == "ok" else ""}


def _records(fragment: dict) -> str:
    """What came of max_fragment; "" where it is off."""
    if fragment["reason"] == OFF:
        return ""
    why = fragment["reason"]
    return "records not shortened: " + why if why else "records of %d bytes" % fragment["asked"]


def _names(flight: list[bytes]) -> list[str]:
    try:
        leaf = Certificate(flight[0]) if flight else None
    except AgentError:
        return []
    return [] if leaf is None else leaf.dns_names + leaf.ip_addresses


def _is_for(flight: list[bytes], host: str) -> bool:
    try:
        return bool(flight) and fits(Certificate(flight[0]), host)
    except AgentError:
        return False


def _shown(step: str, flight: list[bytes], order) -> tuple[str, str]:
    """What is told of a step, whatever its verdict."""
    found = judge.judge(flight, order.host, None, order.profile)
    if step == "chain":
        names = [short(name) for name in found.presented]
        size = "%d certificates, %d bytes" % (len(flight), sum(len(der) for der in flight))
        return size, " < ".join(names)
    if step == "name":
        return order.host, ", ".join(_names(flight)[:_SHOWN])
    ends = min([pair[1] for pair in found.dates] + [_FAR_S])
    return "%d days left" % ((ends - order.judge_utc_s) // DAY_S), ""
