"""EST and the certificate calls of a running cloud, met by curl and openssl as clients.

Neither was written here: TLS with its own root, client certificate, Basic authentication, PKCS#7.
"""

import base64
import json
import shutil
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from hil.cloud.remote import Refused, RemoteCloud

pytestmark = pytest.mark.tls
QUICK = ("--chain", "g3-ecc", "--factory", "g3,baltimore", "--ports", "free")
PKCS10 = ("-H", "Content-Type: application/pkcs10")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with RemoteCloud(tmp_path_factory.mktemp("cloud"), *QUICK) as running:
        yield running


@pytest.fixture(scope="module")
def tools():
    for name in ("curl", "openssl"):
        if shutil.which(name) is None:
            pytest.skip(f"no {name} here")


def openssl(*words, data=None):
    done = subprocess.run(
        ["openssl", *map(str, words)], input=data, capture_output=True, timeout=30, check=True
    )
    return done.stdout


def curl(cloud, what, *more, data=None):
    """(status, headers, body)."""
    est = cloud.ready["est"]
    host, port = est["host"], est["https_port"]
    command = [
        "curl", "--silent", "--show-error", "--include", "--cacert", est["anchors"],
        "--connect-to", f"{host}:443:{est['address']}:{port}", *more, est["url"] + what,
    ]  # fmt: skip
    if data is not None:
        command += ["--data-binary", "@-"]
    done = subprocess.run(command, input=data, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, body


def request(folder, common_name):
    """(key file, request in base64) by openssl."""
    key, csr = folder / "new.key", folder / "new.csr"
    openssl(
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", key, "-outform", "DER", "-out", csr, "-subj", f"/CN={common_name}",
    )  # fmt: skip
    return key, base64.encodebytes(csr.read_bytes())


def known_secret(cloud, folder):
    """The device's Basic secret for curl, by a file: an argument could be seen by others."""
    secret = (cloud.folder / "x509-est" / "est.secret").read_text().strip()
    config = folder / "curl.config"
    config.write_text(f'user = "{secret}"\n')
    return "--config", str(config)


def pem_in(body):
    """The certificates of an answer as PEM, by openssl."""
    der = base64.b64decode(body)
    return openssl("pkcs7", "-inform", "DER", "-print_certs", data=der)


def test_ready_line_and_folder_name_the_server_and_its_own_anchor(cloud):
    est = cloud.ready["est"]
    assert est["address"] == cloud.ready["net"] + ".5"
    assert est["url"] == f"https://{est['host']}/.well-known/est/"
    anchor = (cloud.folder / "est" / "anchors.pem").read_bytes()
    assert est["anchors"] == str(cloud.folder / "est" / "anchors.pem")
    factory = [f.read_bytes() for f in (cloud.folder / "factory").glob("*.pem")]
    assert anchor not in factory
    table = json.loads((cloud.folder / "resolve.json").read_text())
    assert table[f"{est['host']}:443"] == [f"{est['address']}:{est['https_port']}"]
    assert table[f"{est['host']}:8443"] == [f"{est['address']}:{est['port']}"]


@pytest.mark.parametrize("kind, label", [("x509-est", ""), ("x509-tenant", 'label = "tenant"')])
def test_kinds_that_renew_by_est_are_delivered_with_secret_and_anchor(cloud, kind, label):
    place = cloud.folder / kind
    assert stat.S_IMODE((place / "est.secret").stat().st_mode) == 0o600
    user, _, password = (place / "est.secret").read_text().strip().partition(":")
    assert user == cloud.ready["kinds"][kind] and len(password) >= 20
    text = (place / "anchorwatch.toml").read_text()
    wanted = ['issuer = "est"', 'anchors_file = "../est/anchors.pem"', 'auth_file = "est.secret"']
    for line in wanted + ([label] if label else []):
        assert line in text
    assert ("label" in text) == bool(label)


def test_curl_enrolls_by_secret_and_renews_by_the_certificate_it_got(cloud, tools, tmp_path):
    secret = known_secret(cloud, tmp_path)
    key, csr = request(tmp_path, "dev-est")
    status, headers, body = curl(cloud, "simpleenroll", *secret, *PKCS10, data=csr)
    assert status == 200
    assert headers["content-type"] == "application/pkcs7-mime; smime-type=certs-only"
    leaf, authorities = tmp_path / "leaf.pem", tmp_path / "ca.pem"
    leaf.write_bytes(pem_in(body))
    authorities.write_bytes(pem_in(curl(cloud, "cacerts")[2]))
    openssl("verify", "-CAfile", authorities, leaf)
    shown = tmp_path / "shown.pem"
    shown.write_bytes(leaf.read_bytes())
    second = tmp_path / "second"
    second.mkdir()
    _, csr = request(second, "dev-est")
    how = ("--cert", str(shown), "--key", str(key), *PKCS10)
    status, _, body = curl(cloud, "simplereenroll", *how, data=csr)
    assert status == 200 and b"CERTIFICATE" in pem_in(body)
    row = cloud.rows("reenroll")[-1]
    assert (row["device"], row["by"], row["status"]) == ("dev-est", ["certificate"], 200)


def test_device_enrolls_by_its_onboarding_certificate(cloud, tools, tmp_path):
    place = cloud.folder / "x509-est"
    how = ("--cert", str(place / "device.pem"), "--key", str(place / "device.key"), *PKCS10)
    _, csr = request(tmp_path, "dev-est")
    assert curl(cloud, "simpleenroll", *how, data=csr)[0] == 200
    assert curl(cloud, "simpleenroll", *PKCS10, data=csr)[0] == 401


def test_another_root_does_not_verify_the_server(cloud):
    context = ssl.create_default_context(cafile=str(cloud.folder / "roots" / "g3.pem"))
    est = cloud.ready["est"]
    with socket.create_connection((est["address"], est["https_port"]), 10) as plain:
        with pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(plain, server_hostname=est["host"])


def test_waiting_for_approval_and_attributes_are_seen_over_http(cloud, tools, tmp_path):
    secret = known_secret(cloud, tmp_path)
    _, csr = request(tmp_path, "dev-est")
    cloud.post("/faults", {"name": "ISSUE_LATER", "service": "est", "retry_after_s": 5})
    status, headers, _ = curl(cloud, "simpleenroll", *secret, *PKCS10, data=csr)
    assert (status, headers["retry-after"]) == (202, "5") and "date" in headers
    assert curl(cloud, "csrattrs")[0] == 204
    assert cloud.post("/est", {"key": "ec-p384"})["key"] == "ec-p384"
    status, headers, body = curl(cloud, "csrattrs")
    assert (status, headers["content-type"]) == (200, "application/csrattrs")
    assert b"secp384r1" in openssl("asn1parse", "-inform", "DER", data=base64.b64decode(body))
    cloud.post("/est", {"key": None})
    assert curl(cloud, "csrattrs")[0] == 204


def test_est_rules_secrets_and_trust_are_changed_by_management(cloud):
    before = cloud.get("/est")
    pem = (cloud.folder / "x509-group" / "ca.pem").read_text()
    changed = cloud.post(
        "/est",
        {"needs": "both", "leaf_s": 60, "secrets": {"dev-group": "s"}, "trusted": {"group": pem}},
    )
    assert (changed["needs"], changed["leaf_s"]) == ("both", 60)
    assert "dev-group" in changed["users"] and "group" in changed["trusted"]
    for wrong in ({"needs": "luck"}, {"keys": 1}, {"leaf_s": 0}, {"trusted": {"x": "y"}}):
        with pytest.raises(Refused):
            cloud.post("/est", wrong)
    cloud.post("/est", {"needs": "either", "leaf_s": before["leaf_s"], "trusted": {"group": None},
                        "secrets": {"dev-group": None}})  # fmt: skip
    assert cloud.get("/est") == before


def test_operator_registers_the_next_tenant_ca_step_by_step(cloud, tools, tmp_path):
    cloud.post("/tenant", {"renew": True})
    new = cloud.get("/tenant/certificates/newest")
    assert new["inactive"] == "new"
    assert b"Tenant CA" in openssl("pkcs7", "-print_certs", "-noout", data=new["p7b"].encode())
    shown = cloud.post("/dps/certificates", {"name": "spare", "pem": new["pem"]})
    assert (shown["thumbprint"], shown["isVerified"]) == (new["thumbprint"], False)
    code = cloud.post("/dps/certificates/spare/code")["code"]
    proof = cloud.get(f"/tenant/certificates/{new['thumbprint']}/proof?code={code}")["pem"]
    files = {"ca.pem": new["pem"], "proof.pem": proof}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    openssl("verify", "-CAfile", tmp_path / "ca.pem", tmp_path / "proof.pem")
    with pytest.raises(Refused, match="verification code|another CN|not signed"):
        cloud.post("/dps/certificates/spare/verify", {"pem": new["pem"]})
    assert cloud.post("/dps/certificates/spare/verify", {"pem": proof})["isVerified"] is True
    listed = {row["name"] for row in cloud.get("/dps/certificates")["certificates"]}
    assert listed == {"spare", "tenant-1"}
    cloud.ask("DELETE", "/dps/certificates/spare")
    assert len(cloud.get("/dps/certificates")["certificates"]) == 1


def test_operator_registers_the_next_tenant_ca_in_one_call(cloud):
    wanted = {"name": "tenant-2", "enrollment": "group-tenant", "entry": "secondary"}
    made = cloud.post("/tenant/register", wanted)
    assert made["thumbprint"] == cloud.get("/tenant/certificates/newest")["thumbprint"]
    for service in ("hub", "hub2", "dps"):
        rows = cloud.get(f"/{service}/certificates")["certificates"]
        assert {"tenant-1", "tenant-2"} <= {row["name"] for row in rows if row["isVerified"]}
    groups = {row["enrollment_id"]: row for row in cloud.get("/enrollments")["enrollments"]}
    assert groups["group-tenant"]["secondary_ca"] == "tenant-2"


def test_years_pass_by_the_clock(cloud):
    before = len(cloud.get("/tenant")["certificates"])
    cloud.post("/clock", {"offset_s": 3 * 365 * 86_400})
    try:
        rows = cloud.get("/tenant")["certificates"]
        assert len(rows) > before and rows[0]["inactive"] == "expired"
        cloud.post("/est/chain", {"name": "est-ecc", "new_leaf": True})
        est = cloud.ready["est"]
        pem = ssl.get_server_certificate((est["address"], est["https_port"]))
        leaf = x509.load_pem_x509_certificate(pem.encode())
        assert leaf.not_valid_before_utc.year >= 2029
    finally:
        cloud.post("/clock", {"offset_s": 0})
        cloud.post("/est/chain", {"name": "est-rsa"})


def test_chain_for_a_request_by_hand(cloud, tools, tmp_path):
    _, csr = request(tmp_path, "dev-group")
    for issuer, length in (("tenant", 2), ("est", 3), ("default", 3)):
        text = "".join(csr.decode().split())
        made = cloud.post("/issue", {"from": issuer, "csr": text})
        chain = x509.load_pem_x509_certificates(made["chain"].encode())
        assert len(chain) == length
        chain[0].verify_directly_issued_by(chain[1])
    pem = x509.load_der_x509_csr(base64.b64decode(csr)).public_bytes(serialization.Encoding.PEM)
    assert "chain" in cloud.post("/issue", {"from": "est", "csr": pem.decode()})
    for wrong in ({"from": "nobody", "csr": pem.decode()}, {"from": "est", "csr": "%"}):
        with pytest.raises(Refused):
            cloud.post("/issue", wrong)


def test_namespace_policies_and_revocation(cloud):
    made = cloud.post("/namespace/policies", {"name": "weekly", "days": 7, "keys": ["ec-p384"]})
    assert (made["life_s"], made["keys"]) == (7 * 86_400, ["ec-p384"])
    assert "weekly" in {row["name"] for row in cloud.get("/namespace")["policies"]}
    assert "weekly" in cloud.get("/est")["labels"]
    for wrong in ({"name": "x", "days": 91}, {"name": "x", "keys": ["dsa"]}):
        with pytest.raises(Refused):
            cloud.post("/namespace/policies", wrong)
    cloud.post("/namespace/revoke/dev-managed")
    assert cloud.rows("certificates revoked")[-1]["device"] == "dev-managed"


def test_calls_about_what_is_not_there_are_refused(cloud):
    for method, path in (
        ("GET", "/mirror/certificates"), ("GET", "/tenant/certificates/00"),
        ("DELETE", "/hub/certificates/none"), ("GET", "/tenant/certificates/active/proof"),
        ("POST", "/hub/certificates/none/code"),
    ):  # fmt: skip
        with pytest.raises(Refused):
            cloud.ask(method, path)
    with pytest.raises(Refused, match="no such field"):
        cloud.post("/tenant", {"expire": True})


def test_quota_of_dps_is_set_and_taken_away(cloud):
    made = cloud.post("/dps/quota", {"registrations_a_minute": 1000})
    assert made == {"registrations_a_minute": 1000}
    for wrong in ({}, {"registrations_a_minute": 0}, {"registrations_a_minute": "x"}):
        with pytest.raises(Refused):
            cloud.post("/dps/quota", wrong)
    assert cloud.post("/dps/quota", {"registrations_a_minute": None}) != made


def test_request_is_approved_by_management(cloud, tools, tmp_path):
    secret = known_secret(cloud, tmp_path)
    _, csr = request(tmp_path, "dev-est")
    cloud.post("/est", {"approval": True, "retry_after_s": 2})
    assert curl(cloud, "simpleenroll", *secret, *PKCS10, data=csr)[1]["retry-after"] == "2"
    assert list(cloud.get("/est")["waiting"].values()) == ["dev-est"]
    with pytest.raises(Refused, match="no such request"):
        cloud.post("/est", {"approve": "00"})
    assert cloud.post("/est", {"approve": "*"})["waiting"] == {}
    assert curl(cloud, "simpleenroll", *secret, *PKCS10, data=csr)[0] == 200
    cloud.post("/est", {"approval": False})


def test_server_goes_down_comes_back_and_changes_its_root(cloud, tools):
    cloud.post("/est/listen", {"up": False})
    with pytest.raises(AssertionError, match="connect"):
        curl(cloud, "cacerts")
    cloud.post("/est/listen", {"up": True})
    assert curl(cloud, "cacerts")[0] == 200
    cloud.post("/est/chain", {"name": "g3-ecc"})
    with pytest.raises(AssertionError, match="certificate"):
        curl(cloud, "cacerts")
    cloud.post("/est/chain", {"name": "est-rsa"})
    assert curl(cloud, "cacerts")[0] == 200


def issued_by_command(cloud, place, csr, issuer="tenant"):
    return subprocess.run(
        [sys.executable, "-m", "hil.cloud.issue", place, issuer], input=csr, timeout=30,
        capture_output=True, cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip


def test_command_turns_a_request_into_a_chain_and_says_when_to_come_back(cloud, tools, tmp_path):
    _, csr = request(tmp_path, "dev-group")
    text = b"".join(csr.split())
    done = issued_by_command(cloud, cloud.ready["manage"], text)
    chain = x509.load_pem_x509_certificates(done.stdout)
    assert done.returncode == 0 and chain[0].subject.rfc4514_string() == "CN=dev-group"
    refused = issued_by_command(cloud, cloud.ready["manage"], text, "nobody")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"no such issuer" in refused.stderr
    cloud.post("/faults", {"name": "WRONG_CN", "service": "est", "cn": "dev-2"})
    wrong = x509.load_pem_x509_certificates(
        issued_by_command(cloud, cloud.ready["manage"], text).stdout
    )
    assert wrong[0].subject.rfc4514_string() == "CN=dev-2"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = "127.0.0.1:%d" % free.getsockname()[1]
        assert issued_by_command(cloud, nobody, text).returncode == 3
