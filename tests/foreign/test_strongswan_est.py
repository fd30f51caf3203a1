"""strongSwan's `pki`, unmodified, enrolls and renews at the emulated EST server.

It has TLS, HTTP and PKCS#7 of its own, and reads strictly: it does not take base64 in lines.
Names come from libnss-wrapper, as for mosquitto_pub.
"""

import os
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.foreign import clients

pytestmark = [pytest.mark.foreign, pytest.mark.tls]


class Pki:
    """`pki`, run in a folder of its own."""

    def __init__(self, cloud, folder) -> None:
        self.cloud, self.folder = cloud, folder
        est = cloud.ready["est"]
        self.url = f"https://{est['host']}:{est['port']}"
        hosts = folder / "hosts"
        hosts.write_text(f"{est['address']} {est['host']}\n")
        self.environment = {
            **os.environ,
            "LD_PRELOAD": clients.nss_wrapper(),
            "NSS_WRAPPER_HOSTS": str(hosts),
        }

    def run(self, *words: object, data: bytes | None = None) -> bytes:
        done = subprocess.run(
            [clients.strongswan_pki(), *map(str, words)], input=data, capture_output=True,
            timeout=60, env=self.environment, cwd=self.folder, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def request(self, name: str) -> tuple[str, str]:
        """A new key and its request: two file names."""
        key, csr = f"{name}.key", f"{name}.csr"
        (self.folder / key).write_bytes(
            self.run("--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem")
        )
        made = self.run("--req", "--in", key, "--type", "priv", "--dn", "CN=dev-est")
        (self.folder / csr).write_bytes(made)
        return key, csr

    def enroll(self, csr: str, *proof: object) -> x509.Certificate:
        """`pki --est`: with an old certificate it renews, else it enrolls."""
        anchors = [word for f in self.anchors() for word in ("--cacert", f)]
        made = self.run(
            "--est", "--url", self.url, "--in", csr, *anchors, *proof, "--outform", "pem"
        )
        return x509.load_pem_x509_certificate(made)

    def anchors(self) -> list[str]:
        """The server's root, and what `pki --estca` fetched with it."""
        fetched = sorted(f.name for f in self.folder.glob("est-ca*.pem"))
        return [self.cloud.ready["est"]["anchors"], *fetched]


@pytest.fixture
def pki(cloud, tmp_path):
    made = Pki(cloud, tmp_path)
    made.run(
        "--estca", "--url", made.url, "--cacert", cloud.ready["est"]["anchors"],
        "--caout", "est-ca.pem", "--outform", "pem", "--force",
    )  # fmt: skip
    return made


def test_cacerts_are_taken_and_told_apart(pki):
    fetched = [x509.load_pem_x509_certificate((pki.folder / n).read_bytes())
               for n in pki.anchors()[1:]]  # fmt: skip
    names = {made.subject.rfc4514_string() for made in fetched}
    assert {"CN=EST Device CA Root", "CN=EST Device CA Issuing"} <= names


def test_enrolls_by_onboarding_certificate_waits_for_approval_and_renews(cloud, pki):
    place = cloud.folder / "x509-est"
    key, csr = pki.request("first")
    onboarding = ("--cert", place / "device.pem", "--key", place / "device.key")
    cloud.post("/faults", {"name": "ISSUE_LATER", "service": "est", "retry_after_s": 1})
    first = pki.enroll(csr, *onboarding, "--interval", "1")
    assert first.subject.rfc4514_string() == "CN=dev-est"
    (pki.folder / "first.pem").write_bytes(first.public_bytes(Encoding.PEM))
    _, csr = pki.request("second")
    second = pki.enroll(csr, "--cert", "first.pem", "--key", key)
    assert second.public_key() != first.public_key()
    statuses = [row["status"] for row in cloud.rows("reenroll") + cloud.rows("enroll")]
    assert 202 in statuses and statuses.count(200) >= 2
