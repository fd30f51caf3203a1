"""The configured credential of a board: every usual form of a key, and every wrong one."""

import base64
import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from anchorwatch.linux.credential import Credential
from tests.linux import authority
from tests.linux.authority import DAY_S
from tests.linux.issuing import Ca
from tests.micropython.boards import played

CN = "dev-7"
CA = Ca()
FORMS = {"PKCS#8": serialization.PrivateFormat.PKCS8,
         "SEC 1 or PKCS#1": serialization.PrivateFormat.TraditionalOpenSSL}  # fmt: skip
ENCODINGS = {"PEM": serialization.Encoding.PEM, "DER": serialization.Encoding.DER}
KEYS = {"ec-p256": ec.generate_private_key(ec.SECP256R1()),
        "ec-p384": ec.generate_private_key(ec.SECP384R1()),
        "rsa-2048": rsa.generate_private_key(65537, 2048)}  # fmt: skip

pytestmark = pytest.mark.micropython


def text(der):
    return base64.b64encode(der).decode()


def leaf_of(key, cn=CN):
    """A certificate for a key, below the issuing CA."""
    made = authority._certificate(cn, key, CA.ca, False, (), -DAY_S, 30 * DAY_S, True)
    return made.public_bytes(serialization.Encoding.DER)


def written(folder, key, form, encoding):
    """(certificate file, key file), leaf and issuing CA in the former."""
    folder.mkdir(exist_ok=True)
    chain = [leaf_of(key), CA.ca.der]
    if encoding == "PEM":
        chain = [x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)
                 for der in chain]  # fmt: skip
    certificate, file = folder / "cert", folder / "key"
    certificate.write_bytes(b"".join(chain))
    file.write_bytes(key.private_bytes(ENCODINGS[encoding], FORMS[form],
                                       serialization.NoEncryption()))  # fmt: skip
    file.chmod(0o600)
    return str(certificate), str(file)


CASES = [(kind, form, encoding) for kind in KEYS for form in FORMS for encoding in ("PEM", "DER")]


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """{case: (files, what the board says of them)}, all in one run."""
    home = tmp_path_factory.mktemp("keys")
    files = {case: written(home / str(number), KEYS[case[0]], case[1], case[2])
             for number, case in enumerate(CASES)}  # fmt: skip
    found = played(home, *[["read", "x509", *files[case]] for case in CASES])
    return {case: (files[case], answer) for case, answer in zip(CASES, found["answers"])}


@pytest.mark.parametrize("case", CASES, ids=[" ".join(case) for case in CASES])
def test_each_usual_key_matches_its_certificate_and_is_described_as_on_linux(described, case):
    files, answer = described[case]
    assert answer[0]["key"] == case[0] and answer[1:] == ["", False]
    if case[2] == "PEM":
        assert answer[0] == Credential("x509", *files).read()


def test_key_of_another_certificate_is_refused_by_name(tmp_path):
    other = ec.generate_private_key(ec.SECP256R1())
    for number, (mine, wrong) in enumerate([("ec-p256", other), ("ec-p256", KEYS["ec-p384"]),
                                            ("rsa-2048", KEYS["ec-p256"])]):  # fmt: skip
        certificate, _ = written(tmp_path / "a", KEYS[mine], "PKCS#8", "PEM")
        _, key = written(tmp_path / "b", wrong, "PKCS#8", "DER")
        (answer,) = played(tmp_path / str(number), ["read", "x509", certificate, key])["answers"]
        assert answer[:2] == ["error", "key does not match certificate"]
        assert certificate in answer[2] and key in answer[2]


def test_file_without_a_usable_key_or_certificate_is_refused(tmp_path):
    certificate, key = written(tmp_path / "a", KEYS["ec-p256"], "PKCS#8", "PEM")
    wrong = tmp_path / "wrong"
    locked = KEYS["ec-p256"].private_bytes(
        serialization.Encoding.PEM, FORMS["PKCS#8"], serialization.BestAvailableEncryption(b"pw")
    )
    weak = ec.generate_private_key(ec.SECP256K1()).private_bytes(
        serialization.Encoding.DER, FORMS["PKCS#8"], serialization.NoEncryption()
    )
    contents = {
        "private key is encrypted": locked,
        "private key of a kind": weak,
        "private key cannot be read": b"no key",
        "key file is too large": bytes(70_000),
    }
    for said, content in contents.items():
        wrong.write_bytes(content)
        (answer,) = played(tmp_path, ["read", "x509", certificate, str(wrong)])["answers"]
        assert answer[0] == "error" and answer[1].startswith(said), answer
        assert str(wrong) in answer[2]
    wrong.write_bytes(b"no certificate")
    found = played(tmp_path, ["read", "x509", str(wrong), key], ["read", "x509", "/none", key],
                   ["read", "x509", certificate, "/none"])["answers"]  # fmt: skip
    assert [answer[1].split(":")[0] for answer in found] == [
        "device certificate cannot be used", "device certificate cannot be read",
        "key file cannot be read"]  # fmt: skip


def test_key_in_a_secure_element_is_known_by_what_it_signs(tmp_path):
    certificate, key = written(tmp_path / "a", KEYS["ec-p256"], "SEC 1 or PKCS#1", "DER")
    _, other = written(tmp_path / "b", ec.generate_private_key(ec.SECP256R1()), "PKCS#8", "DER")
    found = played(tmp_path, ["element", certificate, key], ["element", certificate, other])
    mine, wrong = found["answers"]
    assert mine[0]["key"] == "ec-p256" and mine[2] == ["key is in the secure element",
                                                      "delete it there"]  # fmt: skip
    given = serialization.load_der_private_key(base64.b64decode(mine[1]), None)
    assert given.private_numbers().private_value == 1
    assert wrong[:2] == ["error", "key does not match certificate"]


def test_configured_key_is_overwritten_and_removed(tmp_path):
    files = written(tmp_path / "a", KEYS["ec-p256"], "PKCS#8", "DER")
    with open(files[1], "rb") as held:  # the file as it was, whatever becomes of its name
        assert played(tmp_path, ["wipe", *files], ["wipe", *files])["answers"] == [None, None]
        assert not os.path.exists(files[1])
        assert held.read() == bytes(os.fstat(held.fileno()).st_size)


def test_symmetric_key_signs_and_is_named_as_on_linux(tmp_path):
    key = tmp_path / "key.txt"
    key.write_text(base64.b64encode(bytes(range(64))).decode() + "\n")
    key.chmod(0o600)
    linux = Credential("symmetric_key", "", str(key))
    (answer,) = played(tmp_path, ["read", "symmetric_key", "", str(key)])["answers"]
    assert answer[0] == linux.read()
    assert answer[1] == text(linux.sign(b"to sign"))
    key.write_text("no base64 \u00e9")
    (answer,) = played(tmp_path, ["read", "symmetric_key", "", str(key)])["answers"]
    assert answer[1] == "symmetric key is not base64" and "base64 \u00e9" not in str(answer)
