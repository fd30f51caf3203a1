"""A look without a handshake: TCP, a hello, the server's chain in clear, close.

Rule: an errand; it says what was presented, and believes nothing of it. No TLS library is asked: it
has no room for another connection here.

Source: design section 3.
"""

import gc
import os

from anchorwatch.core.events import Failed, Glanced
from anchorwatch.errors import AgentError, LinkError, MalformedMessage
from anchorwatch.pki import glance, judge
from anchorwatch.wire import greeting
from anchorwatch.wire.hello import TLS_1_2
from anchorwatch.wire.tls12 import Flight

from . import tcp, verdicts, waiting

FLIGHT_MS = 15_000


def look(order, resolver, der_of, patience):
    """Glanced, or Failed of the link "next" where nothing was seen."""
    failed = LinkError("network", "name-unknown", order.host)
    try:
        for address, port in resolver.addresses(order.host, order.port):
            try:
                flight = yield from _seen(order, address, port, patience)
                return _weighed(order, flight, der_of, address)
            except LinkError as error:
                failed = error
    except MemoryError:
        gc.collect()
        failed = LinkError("memory", "no-memory")
    except AgentError as error:
        failed = error if isinstance(error, LinkError) else LinkError("network", "cut")
    return Failed("next", failed.fault, failed.verdict, [], [], None)


def _seen(order, address, port, patience):
    stream = tcp.Plain((yield from tcp.connect(address, port, patience)))
    flight, within = Flight(), patience.at_most(FLIGHT_MS)
    try:
        hello = greeting.client_hello(order.host, order.profile["suites"], os.urandom(32))
        yield from waiting.send(stream, hello, within)
        while not flight.done:
            data = yield from waiting.receive(stream, within)
            if not data:
                raise LinkError("network", "cut")
            flight.feed(data)
    except MalformedMessage as error:
        raise LinkError("policy", "malformed-handshake", error.reason)
    finally:
        stream.close()
    return flight


def _weighed(order, flight, der_of, address):
    if flight.alert is not None:
        error = verdicts.of_alert(flight.alert, flight.alert_version, False)
        return Glanced(order.endpoint, error.fault, error.verdict, [], [], address)
    if flight.ended != "complete" or flight.version != TLS_1_2:
        return Glanced(order.endpoint, "policy", "protocol-version", [], [], address)
    gc.collect()
    ders = [der for der in [der_of(name) for name in order.anchors] if der is not None]
    verdict, seen = glance.glance(flight.chain, order.host, order.judge_utc_s, order.profile, ders,
                                  order.limits)
    fault = "" if verdict == "ok" else judge.fault(verdict)
    if fault == "clock" and order.profile["check_time"]:
        fault = "trust"
    return Glanced(order.endpoint, fault, verdict, seen.presented, seen.chain, address)
