"""Thousands of broken messages, the same on both runtimes: what each makes of them must agree.

A row's result is (digest of all outcomes, how many were understood, how many refused). The digest
is no golden value: it is there to be compared with the other runtime's.
"""

import binascii
import hashlib
from binascii import a2b_base64

import certificates

from anchorwatch.core.record import show
from anchorwatch.errors import AgentError
from anchorwatch.pki import pem
from anchorwatch.pki.der import Certificate
from anchorwatch.pki.judge import judge
from anchorwatch.wire import bag, dps, frame, http, hub, jsonread, tls12

_LEAF = a2b_base64(certificates.LEAF)
_ISSUING = a2b_base64(certificates.ISSUING)
_FLIGHT = a2b_base64(certificates.SERVER_FLIGHT)
_PEM = b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n" % certificates.LEAF.encode()
_JSON = b'{"a":[1,-2,true,null,"x\\n\\u00e4\\ud83d\\ude00"],"b":{"c":[],"d":{}},"$version":7} '
_TWIN = b'{"desired":{"a":{"b":[1]},"$version":4},"reported":{"$version":2}}'
_DPS_TOPIC = b"$dps/registrations/res/200/?$rid=1&retry-after=3"
_HUB_TOPIC = b"$iothub/twin/res/200/?$rid=1"
_ASSIGNED = (
    b'{"status":"assigned","operationId":"4","registrationState":{"assignedHub":"h.x.net",'
    b'"deviceId":"d"}}'
)
_HTTP = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


class Chance:
    """The same numbers everywhere."""

    def __init__(self, seed):
        self._state = seed

    def below(self, most):
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % most


def break_(data, chance):
    """`data` with a byte changed, one put in, some taken out, or its end cut off."""
    at, kind = chance.below(len(data)), chance.below(5)
    if kind < 2:
        return data[:at] + bytes([chance.below(256)]) + data[at + 1 :]
    if kind == 2:
        return data[:at] + bytes([chance.below(256)]) + data[at:]
    if kind == 3:
        return data[:at] + data[at + 1 + chance.below(3) :]
    return data[:at]


def outcomes(read, data, count):
    """(digest, understood, refused); any error that is not ours ends it."""
    chance, digest, understood = Chance(len(data)), hashlib.sha256(), 0
    for _ in range(count):
        try:
            text = show(read(break_(data, chance)))
            understood += 1
        except AgentError as error:
            text = "%s: %s" % (type(error).__name__, error)
        digest.update(text.encode())
    return binascii.hexlify(digest.digest()[:8]).decode(), understood, count - understood


def _text(data):
    return "".join([chr(b) for b in data])


def _http(data):
    response = http.Response("GET", 64)
    response.feed(data)
    response.finish()
    return response.status, response.headers, response.body


def _flight(data):
    flight = tls12.Flight()
    flight.feed(data)
    return flight.ended, flight.chain, flight.suite, flight.version, flight.alert


def _certificate(data):
    seen = Certificate(data)
    names = [seen.subject_name, seen.issuer_name, seen.dns_names, seen.ip_addresses]
    kinds = [seen.key, seen.signature, seen.serial, seen.key_usage, seen.extended_key_usage]
    return names, kinds, seen.not_before, seen.not_after, seen.is_ca, seen.path_length


def _judge(data):
    judgement = judge([data, _ISSUING], "hub.example.net", 1780000000, {})
    return judgement.verdict, judgement.at, judgement.presented


def _counted(expected_refused):
    def sound(found):
        return found[0] != "raises" and found[2] >= expected_refused and found[1] + found[2] > 0

    return sound


def _registration(data):
    return dps.parse_response("$dps/registrations/res/200/?$rid=1", data)


def _response_topic(data):
    return dps.parse_response(_text(data), _ASSIGNED)


def _twin(data):
    return hub.parse_message("$iothub/twin/res/200/?$rid=1", data, "d")


def _hub_topic(data):
    return hub.parse_message(_text(data), _TWIN, "d")


def _bag(data):
    return bag.parse(_text(data))


CASES = (
    ("JSON", outcomes, (jsonread.parse, _JSON, 600), _counted(200)),
    ("a registration", outcomes, (_registration, _ASSIGNED, 400), _counted(100)),
    ("a response topic", outcomes, (_response_topic, _DPS_TOPIC, 400), _counted(100)),
    ("a twin", outcomes, (_twin, _TWIN, 400), _counted(100)),
    ("a hub's topic", outcomes, (_hub_topic, _HUB_TOPIC, 400), _counted(100)),
    ("a bag", outcomes, (_bag, b"%24.mid=1&a&b=&c=%C3%A4%F0%9F%98%80", 400), _counted(30)),
    ("an HTTP answer", outcomes, (_http, _HTTP, 400), _counted(100)),
    ("a state frame", outcomes, (frame.decode, frame.encode(7, b'{"a":1}'), 400), _counted(400)),
    ("a flight", outcomes, (_flight, _FLIGHT, 400), _counted(5)),
    ("PEM", outcomes, (pem.certificates, _PEM, 200), _counted(50)),
    ("a certificate", outcomes, (_certificate, _LEAF, 600), _counted(200)),
    ("a certificate before the judge", outcomes, (_judge, _LEAF, 400), _counted(0)),
)
