"""Certificates: the real roots, every way to cut or flip them, and another reader's opinion."""

import datetime
import json
import random
import warnings

import pytest
from cryptography import x509

from anchorwatch.errors import TrustError
from anchorwatch.pki import pem
from anchorwatch.pki.der import Certificate, anchor_entry

ROOTS = {
    "baltimore-cybertrust-root": ("rsa-2048", "sha1-rsa", "2000-05-12", "2025-05-12",
        "16AF57A9F676B0AB126095AA5EBADEF22AB31119D644AC95CD4B93DBF3F26AEB"),
    "digicert-global-root-ca": ("rsa-2048", "sha1-rsa", "2006-11-10", "2031-11-10",
        "4348A0E9444C78CB265E058D5E8944B4D84F9662BD26DB257F8934A443C70161"),
    "digicert-global-root-g2": ("rsa-2048", "sha256-rsa", "2013-08-01", "2038-01-15",
        "CB3CCBB76031E5E0138F8DD39A23F9DE47FFC35E43C1144CEA27D46A5AB1CB5F"),
    "digicert-global-root-g3": ("ec-p384", "sha384-ecdsa", "2013-08-01", "2038-01-15",
        "31AD6648F8104138C738F39EA4320133393E3A18CC02296EF97C2AC9EF6731D0"),
    "microsoft-rsa-root-ca-2017": ("rsa-4096", "sha384-rsa", "2019-12-18", "2042-07-18",
        "C741F70F4B2A8D88BF2E71C14122EF53EF10EBA0CFA5E64CFA20F418853073E0"),
    "microsoft-ecc-root-ca-2017": ("ec-p384", "sha384-ecdsa", "2019-12-18", "2042-07-18",
        "358DF39D764AF9E1B766E9C972DF352EE15CFAC227AF6AD1D70E8E4A6EDCBA02"),
}  # fmt: skip
# Certificates of the path-validation vectors that we refuse and the other reader opens: wrong on
# purpose (a key that is none, an address of five bytes, ...), or longer than any real one.
OURS_TO_REFUSE = (
    "element cut off", "longer than 16384 bytes", "IP address of a wrong length",
    "element longer than what holds it", "extension 2.5.29.17 twice",
    "two different signature algorithms",
)  # fmt: skip


def root(shared_data, name):
    (der,) = pem.certificates((shared_data / "roots" / (name + ".pem")).read_bytes())
    return der


def day(utc_s):
    moment = datetime.datetime.fromtimestamp(utc_s, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%d")


@pytest.mark.parametrize("name", ROOTS)
def test_real_root_is_an_anchor_with_its_published_figures(name, shared_data):
    der = root(shared_data, name)
    entry = anchor_entry(der)
    dates = day(entry["not_before"]), day(entry["not_after"])
    found = (entry["key"], Certificate(der).signature, *dates, entry["sha256"].upper())
    assert found == ROOTS[name]


@pytest.mark.parametrize("name", ROOTS)
def test_every_truncation_of_a_real_root_is_refused(name, shared_data):
    der = root(shared_data, name)
    for size in range(len(der)):
        with pytest.raises(TrustError):
            Certificate(der[:size])


@pytest.mark.parametrize("name", ROOTS)
def test_flipped_bytes_of_a_real_root_are_read_or_refused(name, shared_data):
    der = root(shared_data, name)
    chance = random.Random(name)
    refused = 0
    for at in range(len(der)):
        data = der[:at] + bytes([der[at] ^ chance.randrange(1, 256)]) + der[at + 1 :]
        try:
            assert Certificate(data).sha256 != Certificate(der).sha256
        except TrustError:
            refused += 1
    assert refused > 100


def both(text):
    """(ours or the reason of our refusal, theirs or None) for a PEM text."""
    try:
        theirs = x509.load_pem_x509_certificate(text.encode())
        assert theirs.extensions is not None
    except (TypeError, ValueError, x509.DuplicateExtension):
        theirs = None
    try:
        return Certificate(pem.certificates(text.encode())[0]), theirs
    except TrustError as error:
        return error.value, theirs


def opinion(certificate):
    """What the other reader says, in our terms."""
    found = {"is_ca": False, "path_length": None, "extended_key_usage": None, "dns_names": []}
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints):
            found["is_ca"], found["path_length"] = value.ca, value.path_length
        elif isinstance(value, x509.ExtendedKeyUsage):
            found["extended_key_usage"] = [oid.dotted_string for oid in value]
        elif isinstance(value, x509.SubjectAlternativeName):
            found["dns_names"] = value.get_values_for_type(x509.DNSName)
    for ours, theirs in (("not_before", "not_valid_before"), ("not_after", "not_valid_after")):
        moment = getattr(certificate, theirs).replace(tzinfo=datetime.timezone.utc)
        found[ours] = int(moment.timestamp())
    found["subject"] = certificate.subject.public_bytes()
    found["issuer"] = certificate.issuer.public_bytes()
    return found


def test_certificates_of_the_path_validation_vectors_are_read_as_another_reader_does(shared_data):
    cases = json.loads((shared_data / "vectors" / "x509-limbo.json").read_text())["testcases"]
    texts = set()
    for case in cases:
        texts.update(case["trusted_certs"] + case["untrusted_intermediates"])
        texts.add(case["peer_certificate"])
    compared = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text in sorted(texts):
            ours, theirs = both(text)
            if isinstance(ours, str):
                assert ours in OURS_TO_REFUSE
            elif theirs is not None:
                expected = opinion(theirs)
                if not all(name.isascii() for name in expected["dns_names"]):
                    expected.pop("dns_names")  # never fits a host; the two show it differently
                assert {key: getattr(ours, key) for key in expected} == expected
                compared += 1
    assert compared > 300
