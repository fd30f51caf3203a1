"""The services on a clock of their own, and a client that speaks to them without a wire.

The client keeps the manners of a broker (session.py); assertions read the journal and what came.
"""

import base64
import datetime
import hmac
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hil.cloud.dps import ProvisioningService
from hil.cloud.faults import Faults
from hil.cloud.hub import IotHub
from hil.cloud.journal import Journal
from hil.cloud.namespace import Namespace
from hil.cloud.registry import Identity
from hil.cloud.session import CloseSession, Session, Silence

HOST = "pier.azure-devices.net"
SECOND_HOST = "quay.azure-devices.net"
SCOPE = "0ne00000001"
EPOCH_UTC_S = 1_790_000_000
KEY = base64.b64encode(b"k" * 32).decode()
OTHER_KEY = base64.b64encode(b"o" * 32).decode()


def token(resource: str, key: str = KEY, *, expires_utc_s: int = EPOCH_UTC_S + 3600, skn: str = ""):
    """A shared access signature, written here once more."""
    sr = quote(resource, safe="")
    mac = hmac.digest(base64.b64decode(key), f"{sr}\n{expires_utc_s}".encode(), "sha256")
    sig = quote(base64.b64encode(mac).decode(), safe="")
    more = f"&skn={skn}" if skn else ""
    return f"SharedAccessSignature sr={sr}&sig={sig}&se={expires_utc_s}{more}".encode()


def request(common_name: str = "dev-1", key: object = None, names: tuple = ()) -> bytes:
    """A certificate request as DER."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    if names:
        san = x509.SubjectAlternativeName([x509.DNSName(n) for n in names])
        builder = builder.add_extension(san, False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


class Client:
    """One MQTT connection to a service, with what came back over it."""

    def __init__(self, world: "World", service: object, session: Session) -> None:
        self.world, self.service, self.session = world, service, session
        self.delivered: list[tuple[str, bytes, int]] = []
        self.closed: str | None = None
        self.code: int | None = None
        self.present = False

    def open(self) -> "Client":
        """CONNECT, and what follows an accepted one."""
        self.code, self.present = self.service.connect(self.session, self.world.now_ms)
        if self.code == 0:
            self._guarded(lambda: self.service.started(self.session, self.world.now_ms))
        return self

    def subscribe(self, filter_: str, qos: int = 0) -> int | None:
        """SUBSCRIBE; the granted QoS, None when the connection was cut for it."""
        return self._guarded(
            lambda: self.service.subscribe(self.session, filter_, qos, self.world.now_ms)
        )

    def publish(self, topic: str, payload: bytes = b"", qos: int = 0, retain: bool = False) -> bool:
        """PUBLISH; whether the broker would acknowledge it."""
        try:
            self._guarded(
                lambda: self.service.publish(
                    self.session, topic, payload, qos, retain, self.world.now_ms
                )
            )
        except Silence:
            return False
        return self.closed is None

    def acknowledge(self, delivery: int) -> None:
        """PUBACK for the delivery of this number."""
        self.service.acked(self.session, delivery, self.world.now_ms)

    def leave(self, reason: str = "asked") -> None:
        """The connection ends from the device's side."""
        if self.closed is None:
            self.cut(reason)

    def cut(self, reason: str) -> None:
        """What the broker does when a connection ends, whoever ends it."""
        self.closed = reason
        self.service.disconnected(self.session, reason, self.world.now_ms)

    def deliver(self, topic: str, payload: bytes, qos: int) -> int | None:
        """What the broker does with a PUBLISH to the device."""
        self.delivered.append((topic, payload, qos))
        return len(self.delivered) if qos else None

    def _guarded(self, call):
        try:
            return call()
        except CloseSession as e:
            self.cut(e.reason)
            return None


class World:
    """A hub, a journal, faults, and the time."""

    def __init__(self, **hub: object) -> None:
        self.now_ms = 0
        self.journal, self.faults = Journal(), Faults()
        self._ids = self._numbers = 0
        self.namespace = Namespace(
            "yard", 0, utc_s=self.utc_s, make_id=self.make_id, journal=self.journal
        )
        self.namespace.put_policy("default", 0)
        self.hub = self.make_hub("hub", HOST, **hub)
        self.hub2 = self.make_hub("hub2", SECOND_HOST)
        self.dps = ProvisioningService(
            SCOPE, [self.hub, self.hub2], utc_s=self.utc_s, make_id=self.make_id,
            journal=self.journal, faults=self.faults, namespace=self.namespace,
        )  # fmt: skip

    def make_hub(self, name: str, *hosts: str, **more: object) -> IotHub:
        """A hub in this world."""
        return IotHub(
            list(hosts), utc_s=self.utc_s, make_id=self.make_id, journal=self.journal,
            faults=self.faults, name=name, namespace=self.namespace, **more,
        )  # fmt: skip

    def utc_s(self, now_ms: int) -> int:
        """Wall clock of the services."""
        return EPOCH_UTC_S + now_ms // 1000

    def make_id(self) -> str:
        """The next id."""
        self._ids += 1
        return f"{self._ids:x}"

    def sas_device(self, device_id: str = "dev-1", **more: object) -> None:
        """A device with KEY as its primary key."""
        self.hub.put_device(Identity(device_id, primary_key=KEY, **more), self.now_ms)

    def dial(self, device_id: str = "dev-1", **more: object) -> Client:
        """CONNECT to the hub by token, unless told otherwise."""
        more.setdefault("username", f"{HOST}/{device_id}/?api-version=2021-04-12")
        more.setdefault("password", token(f"{HOST}/devices/{device_id}"))
        return self.client(self.hub, device_id, **more).open()

    def client(self, service: object, client_id: str, **more: object) -> Client:
        """A client that has not sent its CONNECT."""
        self._numbers += 1
        made = Client(self, service, None)
        made.session = Session(
            self._numbers, client_id, more.pop("username"), more.pop("password", None),
            deliver=made.deliver, close=made.cut, **more,
        )  # fmt: skip
        return made

    def rows(self, what: str, device: str | None = None) -> list[dict]:
        """The journal's rows of one kind."""
        return self.journal.of(what, device)

    def why_refused(self) -> str:
        """The true reason of the last refused CONNECT."""
        return self.rows("connect refused")[-1]["reason"]


class Authority:
    """A small CA that makes client certificates, valid around EPOCH_UTC_S."""

    def __init__(self, name: str, above: "Authority | None" = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = above or self
        self.certificate = issuer.sign(self.name, self.key.public_key(), authority=True)
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)

    def leaf(self, common_name: str, **dates: int) -> bytes:
        """A client certificate as DER."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        key = ec.generate_private_key(ec.SECP256R1())
        made = self.sign(name, key.public_key(), authority=False, **dates)
        return made.public_bytes(serialization.Encoding.DER)

    def sign(
        self, subject: x509.Name, public_key: object, *, authority: bool,
        first_s: int = EPOCH_UTC_S - 86400, last_s: int = EPOCH_UTC_S + 86400,
    ) -> x509.Certificate:  # fmt: skip
        """Sign a certificate with this authority's key."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.datetime.fromtimestamp(first_s, datetime.timezone.utc))
            .not_valid_after(datetime.datetime.fromtimestamp(last_s, datetime.timezone.utc))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        return builder.sign(self.key, hashes.SHA256())
