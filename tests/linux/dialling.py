"""Dials of the agent's own Dialer to a place of 127/8, with all that a device brings along."""

import contextlib
import hashlib
import time

from cryptography.hazmat.primitives import serialization

from anchorwatch.core.actions import Dial
from anchorwatch.linux.dial import Dialer
from anchorwatch.linux.resolve import Resolver

HUB, DPS = "hub.example.net", "dps.example.net"
HOSTS = {"hub": HUB, "dps": DPS}
PORT = 8883


def der_of(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def profile(**changes):
    """As configured, with an authenticated clock."""
    usual = {"suites": "any", "max_fragment": "off", "max_fragment_bytes": 512, "strict": True,
             "all_ecc": False, "check_time": True}
    return {**usual, **changes}


def dial(endpoint, place, roots, *, credential=None, dial_s=20, **wishes):
    """What one dial comes to; its socket is closed. credential  (certificate file, key file)"""
    host, ders = HOSTS[endpoint], {hashlib.sha256(der).hexdigest(): der for der in roots}
    dialer = Dialer(Resolver({"%s:%d" % (host, PORT): [place]}, None), ders.__getitem__,
                    lambda slot: credential, dial_s=dial_s)
    order = Dial("live", endpoint, host, PORT, "mqtt", sorted(ders), {}, profile(**wishes),
                 "a" if credential else None, int(time.time()), "", "own")
    event, sock = dialer.dial(order, dialer.patience())
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.close()
    return event
