"""EST on the wire, and the PKCS#7 that it answers with."""

import base64
import pathlib
import random

import pytest

from anchorwatch.errors import MalformedMessage, TrustError
from anchorwatch.pki import certsonly
from anchorwatch.wire import est

ROOTS = pathlib.Path(certsonly.__file__).parents[1] / "data" / "roots"
DATE = "Sun, 22 Nov 2026 09:00:00 GMT"


def element(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    return bytes([tag, 0x82]) + size.to_bytes(2, "big") + body


def one():
    """The DER of some certificate."""
    lines = sorted(ROOTS.glob("*.pem"))[0].read_text().splitlines()
    return base64.b64decode("".join(line for line in lines if "--" not in line and ":" not in line))


OID = bytes.fromhex("06092a864886f70d010702")
DATA = element(0x30, bytes.fromhex("06092a864886f70d010701"))


def pkcs7(*ders, kind=OID, before=None):
    held = element(0xA0, *ders) if ders else b""
    version = element(0x02, b"\x01")
    body = element(0x30, version, element(0x31), DATA, held, element(0x31))
    return element(0x30, kind, element(0xA0, before or body))


def test_certificates_come_in_the_order_of_the_file():
    assert certsonly.certificates(pkcs7(one(), one()), 2) == [one(), one()]


@pytest.mark.parametrize("data", [
    b"", pkcs7(), one(), pkcs7(one()) + b"\0", pkcs7(one(), one(), one()),
    pkcs7(one(), kind=bytes.fromhex("06092a864886f70d010703")), pkcs7(before=element(0x30)),
    element(0x30, OID), bytes.fromhex("3080") + pkcs7(one())[4:]])
def test_anything_else_is_refused(data):
    with pytest.raises(TrustError):
        certsonly.certificates(data, 2)


def test_a_flipped_byte_never_does_more_than_be_refused():
    chance, data = random.Random(5), pkcs7(one())
    for _ in range(2000):
        spoiled = bytearray(data)
        spoiled[chance.randrange(60)] = chance.randrange(256)
        try:
            certsonly.certificates(bytes(spoiled), 2)
        except TrustError:
            continue


def test_what_a_ca_wants_is_named_with_its_values():
    curve = element(0x30, bytes.fromhex("06072a8648ce3d0201"),
                    element(0x31, bytes.fromhex("06052b81040022"), element(0x02, b"\x05")))
    wanted = element(0x30, bytes.fromhex("06092a864886f70d010907"), curve)
    assert certsonly.wanted(wanted) == ["1.2.840.113549.1.9.7", "1.2.840.10045.2.1", "1.3.132.0.34"]
    assert certsonly.wanted(element(0x30)) == []
    for data in (b"", element(0x31), element(0x30, element(0x02, b"\x01")),
                 element(0x30, element(0x30, OID))):
        with pytest.raises(TrustError):
            certsonly.wanted(data)


def test_request_is_written_in_short_lines():
    text = base64.b64encode(bytes(150)).decode()
    sent = est.enrolling("est.example", 8443, "", est.ENROLL, text, est.basic(b"u:p"))
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /.well-known/est/simpleenroll HTTP/1.1", b"Host: est.example:8443",
        b"Connection: close", b"Authorization: Basic dTpw", b"Content-Transfer-Encoding: base64",
        b"Content-Type: application/pkcs10", b"Content-Length: 208"]
    assert max(len(line) for line in body.split(b"\r\n")) == 64
    assert est.der(body) == bytes(150)


@pytest.mark.parametrize("port, label, operation, path, host", [
    (443, "x", est.CACERTS, "/.well-known/est/x/cacerts", "a.example"),
    (9443, "", est.CSRATTRS, "/.well-known/est/csrattrs", "a.example:9443")])
def test_label_and_port_stand_where_they_belong(port, label, operation, path, host):
    head = "GET %s HTTP/1.1\r\nHost: %s\r\n" % (path, host)
    assert est.asking("a.example", port, label, operation).startswith(head.encode())


@pytest.mark.parametrize("body", [b"AAAA", b"AA\r\nAA\r\n", b"AA\nAA", b" AAAA \n",
                                  b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n"])
def test_body_is_base64_however_it_is_wrapped(body):
    assert est.der(body) == bytes(3)


def test_body_in_der_is_taken_as_it_is():
    assert est.der(b"\x30\x00") == b"\x30\x00"


@pytest.mark.parametrize("body", [b"A", b"AAA", b"AA=A", b"\xff\xff", b"AA AA", b"<html>"])
def test_other_bodies_are_malformed(body):
    with pytest.raises(MalformedMessage):
        est.der(body)


@pytest.mark.parametrize("headers, wait_s", [
    ({}, 0), ({"retry-after": "5"}, 5), ({"retry-after": "-5"}, 0), ({"retry-after": "x"}, 0),
    ({"retry-after": "99999999999"}, 0), ({"retry-after": "Sun, 22 Nov 2026 09:00:30 GMT"}, 0),
    ({"retry-after": "Sun, 22 Nov 2026 09:00:30 GMT", "date": DATE}, 30),
    ({"retry-after": "Sun, 22 Nov 2026 08:00:00 GMT", "date": DATE}, 0),
    ({"retry-after": "Sun, 22 Nov 2099 08:00:00 GMT", "date": DATE}, est.RETRY_MOST_S)])
def test_retry_after_is_seconds_or_a_date(headers, wait_s):
    assert est.retry_after_s(headers) == wait_s


@pytest.mark.parametrize("status, fault", [
    (400, "policy"), (401, "identity"), (403, "identity"), (404, "policy"), (429, "throttled"),
    (500, "service"), (503, "service"), (302, "policy")])
def test_status_has_one_class(status, fault):
    assert est.fault(status) == fault
