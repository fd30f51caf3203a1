"""Device credentials for pair tests: what the device holds, and the enrollment that lets it in.

Made for the clock of the pair tests, which is not today's.
"""

import base64
import datetime
import hashlib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hil.cloud import sas
from hil.cloud.enrollment import CA, GROUP, INDIVIDUAL, SYMMETRIC_KEY, THUMBPRINT, X509, Enrollment
from tests.pair.cloud import HUB

DEVICE = "dev-7"
GROUP_KEY = base64.b64encode(b"group" * 8).decode()
OWN_KEY = base64.b64encode(b"own" * 11).decode()
FROM = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
UNTIL = datetime.datetime(2049, 1, 1, tzinfo=datetime.timezone.utc)


@dataclass
class Credential:
    """A chain as DER, leaf first, or a key in base64."""

    chain: list[bytes] = field(default_factory=list)
    key: str = field(default="", repr=False)
    cn: str = DEVICE

    def told(self) -> dict:
        """As the driver describes it to the core."""
        if self.key:
            fingerprint = hashlib.sha256(self.key.encode()).hexdigest()
            dates = {"not_before": None, "not_after": None, "cn": None}
            kind = {"kind": "symmetric_key", "slot": "onboarding"}
            return {**kind, "fingerprint": fingerprint, **dates}
        fingerprint = hashlib.sha256(self.chain[0]).hexdigest()
        dates = {"not_before": int(FROM.timestamp()), "not_after": int(UNTIL.timestamp())}
        kind = {"kind": "x509", "slot": "onboarding", "cn": self.cn}
        return {**kind, "fingerprint": fingerprint, **dates}


class Issuer:
    """A certificate and its key; self-signed unless something stands above."""

    def __init__(self, name: str, above: "Issuer | None" = None, ca: bool = False) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        over = above or self
        builder = x509.CertificateBuilder().subject_name(self.name).issuer_name(over.name)
        builder = builder.public_key(self.key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(FROM).not_valid_after(UNTIL)
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        made = builder.sign(over.key, hashes.SHA256())
        self.der = made.public_bytes(serialization.Encoding.DER)


def certificate(name: str = DEVICE) -> Credential:
    """A new self-signed device certificate."""
    return Credential([Issuer(name).der])


def x509_individual(hub: str = HUB) -> tuple[Credential, Enrollment]:
    """An individual enrollment that knows the certificate."""
    made = certificate()
    enrolled = Enrollment(DEVICE, INDIVIDUAL, X509, made.chain[0], hub=hub, hub_auth=THUMBPRINT)
    return made, enrolled


def x509_group(hub: str = HUB) -> tuple[Credential, Enrollment]:
    """A group that knows the authority; so does the hub, once the test has told it."""
    authority = Issuer("Device CA", ca=True)
    made = Credential([Issuer(DEVICE, authority).der, authority.der])
    return made, Enrollment("group", GROUP, X509, authority.der, hub=hub, hub_auth=CA)


def key_individual(hub: str = HUB) -> tuple[Credential, Enrollment]:
    """An individual enrollment with the device's own key."""
    return Credential(key=OWN_KEY), Enrollment(DEVICE, INDIVIDUAL, SYMMETRIC_KEY, OWN_KEY, hub=hub)


def key_group(hub: str = HUB) -> tuple[Credential, Enrollment]:
    """A group whose key gives the device its own."""
    made = Credential(key=sas.derived_key(GROUP_KEY, DEVICE))
    return made, Enrollment("group", GROUP, SYMMETRIC_KEY, GROUP_KEY, hub=hub)
