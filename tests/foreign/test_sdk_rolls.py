"""Microsoft's SDK before and after a roll: it confirms what the emulated registry knows.

The old certificate is good until the device registers with the new one, and refused from then on;
and a tenant CA that nobody has registered lets nobody in.
"""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from hil.cloud import devicecerts
from hil.cloud.certificates import name_of, pem
from hil.cloud.issuing import new_key
from tests.foreign import clients
from tests.foreign.test_azure_iot_device import SITE, SdkDevice, facts_of, play

pytestmark = [pytest.mark.foreign, pytest.mark.tls]
CONNECT = Path(__file__).with_name("sdk_connect.py")
ROLLED = "dev-rolled"


def provisioned(cloud, facts, names):
    """The SDK registers, connects, and does all a device does; the journal's number before."""
    since = cloud.get("/journal")["rows"][-1]["n"]
    sdk = SdkDevice(facts, names)
    try:
        play(cloud, sdk, facts["registration_id"], since)
    finally:
        assert sdk.close() == 0
    return since


def connected(cloud, facts, names):
    """What the SDK says of a connect to the hub, without DPS."""
    environment = {**os.environ, "PYTHONPATH": str(SITE), "HIL_CLOUD_NAMES": json.dumps(names)}
    done = subprocess.run(
        [clients.sdk_python(), str(CONNECT)], env=environment, capture_output=True, timeout=60,
        input=json.dumps({**facts, "hub": cloud.ready["hub"]["host"]}), text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def certified(folder, name, key, *certificates):
    files = {"cert_file": folder / f"{name}.pem", "key_file": folder / f"{name}.key"}
    files["cert_file"].write_bytes(b"".join(certificates))
    files["key_file"].write_bytes(key)
    return {what: str(file) for what, file in files.items()}


def self_signed(folder, name):
    made = devicecerts.device(ROLLED)
    certificate = pem(made.certificate)
    return certified(folder, name, devicecerts.key_pem(made), certificate), certificate.decode()


def registered(cloud, device_id):
    (row,) = [row for row in cloud.get("/devices")["hub"] if row["device_id"] == device_id]
    return row["primary_thumbprint"]


def thumbprint(text):
    return x509.load_pem_x509_certificate(text.encode()).fingerprint(hashes.SHA256()).hex().upper()


def test_reprovisioning_moves_the_thumbprint_and_the_old_certificate_is_refused(
    cloud, names, roots, tmp_path
):
    old, old_pem = self_signed(tmp_path, "old")
    new, new_pem = self_signed(tmp_path, "new")
    cloud.post("/enrollments", {
        "enrollment_id": ROLLED, "attestation": "x509", "primary": old_pem, "secondary": new_pem,
        "hub": "hub",
    })  # fmt: skip
    facts = {**facts_of(cloud, "x509", roots), "registration_id": ROLLED}
    provisioned(cloud, {**facts, **old}, names)
    assert registered(cloud, ROLLED) == thumbprint(old_pem)
    assert connected(cloud, {**facts, **new}, names) != "connected"
    provisioned(cloud, {**facts, **new}, names)
    assert registered(cloud, ROLLED) == thumbprint(new_pem)
    assert connected(cloud, {**facts, **old}, names) != "connected"
    assert connected(cloud, {**facts, **new}, names) == "connected"


def issued_by_tenant(cloud, folder, name):
    """A new key and the chain that the active tenant CA gives it."""
    key = new_key()
    builder = x509.CertificateSigningRequestBuilder().subject_name(name_of({"CN": "dev-tenant"}))
    csr = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    made = cloud.post("/issue", {"from": "tenant", "csr": base64.b64encode(csr).decode()})
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )  # fmt: skip
    return certified(folder, name, secret, made["chain"].encode())


def test_next_tenant_ca_is_refused_until_it_is_registered(cloud, names, roots, tmp_path):
    facts = facts_of(cloud, "x509-tenant", roots)
    provisioned(cloud, facts, names)
    cloud.post("/tenant", {"activate": True})
    new = {**facts, **issued_by_tenant(cloud, tmp_path, "new")}
    assert connected(cloud, new, names) != "connected"
    assert connected(cloud, facts, names) == "connected"  # what the old one issued is still good
    cloud.post("/tenant/register", {"name": "tenant-2", "enrollment": "group-tenant"})
    assert connected(cloud, new, names) == "connected"
    provisioned(cloud, new, names)
