"""Certificates over real sockets: by registration at DPS, over the hub session, after a revocation.

The client is a socket and a few bytes of MQTT, so that nothing stands between wire and assertion.
"""

import base64
import json
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hil.cloud.issuing import pem_of
from hil.cloud.remote import RemoteCloud
from tests.cloud import spoken
from tests.cloud.world import request

pytestmark = pytest.mark.tls
QUICK = ("--chain", "g3-ecc", "--factory", "g3,baltimore", "--ports", "free")
DEVICE = "dev-managed"
DPS = "$dps/registrations/"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with RemoteCloud(tmp_path_factory.mktemp("cloud"), *QUICK) as running:
        yield running


class Client:
    """One MQTT connection over TLS with a client certificate."""

    def __init__(self, cloud, service, files, username, clean=True) -> None:
        at = cloud.get("/services")[service]
        root = cloud.folder / "roots" / "g3.pem"
        context = ssl.create_default_context(cafile=str(root))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(*map(str, files))
        plain = socket.create_connection((at["address"], at["port"]), 20)
        self.socket = context.wrap_socket(plain, server_hostname=at["host"])
        self.stream = self.socket.makefile("rb")
        self.socket.sendall(spoken.connect(DEVICE, username, clean=clean))
        self.code = self.packet()[1][1]

    def packet(self):
        """(first byte, body)."""
        first, length, shift = self.stream.read(1)[0], 0, 0
        while True:
            digit = self.stream.read(1)[0]
            length |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:
                return first, self.stream.read(length)

    def subscribe(self, filter_):
        self.socket.sendall(spoken.subscribe([(filter_, 0)]))
        assert self.packet()[0] == 0x90

    def say(self, topic, body=b""):
        self.socket.sendall(spoken.publish(topic, body))

    def hear(self):
        """(status, body) of the next message."""
        first, body = self.packet()
        assert first == 0x30
        length = int.from_bytes(body[:2], "big")
        topic = body[2 : 2 + length].decode()
        return int(topic.split("/")[3]), json.loads(body[2 + length :])

    def close(self):
        self.socket.close()


def onboarding(cloud):
    folder = cloud.folder / "x509-managed"
    return folder / "device.pem", folder / "device.key"


def registered(cloud, csr):
    """The outcome of a registration with a request."""
    username = f"{cloud.ready['id_scope']}/registrations/{DEVICE}/api-version=2025-07-01-preview"
    client = Client(cloud, "dps", onboarding(cloud), username)
    client.subscribe(DPS + "res/#")
    body = json.dumps({"registrationId": DEVICE, "csr": base64.b64encode(csr).decode()})
    client.say(DPS + "PUT/iotdps-register/?$rid=1", body.encode())
    status, answer = client.hear()
    while status == 202:
        operation = answer["operationId"]
        client.say(f"{DPS}GET/iotdps-get-operationstatus/?$rid=2&operationId={operation}")
        status, answer = client.hear()
    client.close()
    assert (status, answer["status"]) == (200, "assigned")
    return answer["registrationState"]


def kept(folder, name, key, chain):
    """The files of a new certificate; chain in base64."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_text(pem_of([base64.b64decode(text) for text in chain]))
    pkcs8 = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    return files


def at_hub(cloud, files, **more):
    host = cloud.ready["hub"]["host"]
    username = f"{host}/{DEVICE}/?api-version=2025-08-01-preview"
    return Client(cloud, "hub", files, username, **more)


def test_registered_with_a_request_renewed_over_the_session_and_revoked(cloud, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    state = registered(cloud, request(DEVICE, key))
    first = kept(tmp_path, "first", key, state["issuedCertificateChain"])
    client = at_hub(cloud, first, clean=False)
    assert client.code == 0
    client.subscribe("$iothub/credentials/res/#")
    key = ec.generate_private_key(ec.SECP384R1())
    asked = {"id": DEVICE, "csr": base64.b64encode(request(DEVICE, key)).decode()}
    client.say("$iothub/credentials/POST/issueCertificate/?$rid=roll-1", json.dumps(asked).encode())
    status, accepted = client.hear()
    assert status == 202
    client.close()  # the outcome comes to the next session
    client = at_hub(cloud, first, clean=False)
    status, outcome = client.hear()
    assert (status, outcome["correlationId"]) == (200, accepted["correlationId"])
    second = kept(tmp_path, "second", key, outcome["certificates"])
    for files in (second, first):
        client = at_hub(cloud, files)
        assert client.code == 0
    cloud.post(f"/namespace/revoke/{DEVICE}")
    assert client.stream.read(1) == b""
    assert [at_hub(cloud, files).code for files in (first, second)] == [5, 5]
    assert at_hub(cloud, onboarding(cloud)).code == 0
    key = ec.generate_private_key(ec.SECP256R1())
    state = registered(cloud, request(DEVICE, key))
    third = kept(tmp_path, "third", key, state["issuedCertificateChain"])
    assert at_hub(cloud, third).code == 0
    leaf = x509.load_pem_x509_certificates(third[0].read_bytes())[0]
    assert leaf.public_key() == key.public_key()


def test_leaf_without_its_intermediate_is_refused_over_tls(cloud, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    chain = registered(cloud, request(DEVICE, key))["issuedCertificateChain"]
    assert at_hub(cloud, kept(tmp_path, "whole", key, chain)).code == 0
    assert at_hub(cloud, kept(tmp_path, "cut", key, chain[:1])).code == 5
