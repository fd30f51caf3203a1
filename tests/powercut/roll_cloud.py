"""Keys, an issuer, a hub and DPS for rolls on a model disk, without a network.

Rule: a key is known by its number, and made once for a whole run; number 0 is the configured one's.
Its secret is known by pieces of its PEM, so that half of a key on a disk is found too.
"""

import base64
import datetime
import functools
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.core.signed import NOW_S

CN = "dev-7"
DAY_S = 86_400
HOUR_S = 3_600
YOUNG, DUE = (-HOUR_S, 90 * DAY_S), (-80 * DAY_S, 10 * DAY_S)
_CA = -1
# The numbers of the first keys of a run: its keys are known by them.
FIRST, PLAYED, AFTER, BOOTED = 1, 10, 20, 30
_LINE, _PIECE, _SCALAR = 64, 8, 32
_NUMBERS, _KEYS = {}, {}


class Cloud:
    """hub, dps  called with a key's number: is its certificate taken? The hub takes whom DPS has
    assigned, too. ages {number: (begins, ends) from now}; all others are young
    """

    def __init__(self, hub, dps, ages=None):
        self._hub, self._dps, self.ages = hub, dps, ages or {}
        self.assigned = set()

    def takes(self, endpoint, number):
        """Whether a CONNECT is accepted."""
        return (self._dps(number) if endpoint == "dps"
                else self._hub(number) or number in self.assigned)

    @property
    def refuses(self):
        """True where what is new may be held for ever."""
        return not self._hub(PLAYED)

    def issue(self, request):
        """The chain for a request in base64, DER, leaf first."""
        return chain(_NUMBERS[request], self.ages.get(_NUMBERS[request], YOUNG))


def number_of(what):
    """The number of a key by its PEM, its request or its certificate's fingerprint; None if it is
    none of ours."""
    return _NUMBERS.get(what)


@functools.cache
def pem(number):
    """A private key."""
    made = key(number).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _NUMBERS[made.decode()] = number
    return made.decode()


@functools.cache
def key(number):
    """A key by its number."""
    _KEYS[number] = ec.generate_private_key(ec.SECP256R1())
    return _KEYS[number]


@functools.cache
def pieces(number):
    """Bytes that only this private key has, wherever its PEM is written, whole or in part."""
    lines = pem(number).splitlines()[1:-1]
    der, text = base64.b64decode("".join(lines)), "".join(lines)
    begins = der.index(key(number).private_numbers().private_value.to_bytes(_SCALAR, "big"))
    first, last = -(-begins * 8 // 6), (begins + _SCALAR) * 8 // 6
    cuts = [at for at in range(first, last - _PIECE)
            if at // _LINE == (at + _PIECE - 1) // _LINE and not (at - first) % 2]
    return [text[at:at + _PIECE].encode() for at in cuts]


def numbers_in(data):
    """Numbers of the keys of which a part is in some bytes."""
    return {number for number in sorted(_KEYS)
            if number != _CA and data and holds(data, number)}


@functools.lru_cache(100_000)
def holds(data, number):
    """Whether a part of a key is in some bytes."""
    return any(piece in data for piece in pieces(number))


@functools.cache
def request(number, cn=CN):
    """PKCS#10 in base64."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(cn))
    made = builder.sign(key(number), hashes.SHA256())
    found = base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()
    _NUMBERS[found] = number
    return found


@functools.cache
def chain(number, age):
    """Leaf and issuing CA."""
    made = _certificate(CN, key(number).public_key(), age, False)
    _NUMBERS[hashlib.sha256(made).hexdigest()] = number
    return [made, _authority()]


@functools.cache
def _authority():
    return _certificate("Tenant CA", key(_CA).public_key(), (-DAY_S, 700 * DAY_S), True)


def _certificate(cn, public, age, is_ca):
    begins, ends = [datetime.datetime.fromtimestamp(NOW_S + part, datetime.timezone.utc)
                    for part in age]
    builder = x509.CertificateBuilder().subject_name(_name(cn)).issuer_name(_name("Tenant CA"))
    builder = builder.public_key(public).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(begins).not_valid_after(ends)
    builder = builder.add_extension(x509.BasicConstraints(is_ca, None), critical=True)
    return builder.sign(key(_CA), hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _name(cn):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
