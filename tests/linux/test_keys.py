"""The credential's files: what is read from them, and what is said when they are wrong."""

import base64
import hashlib
import hmac
import os

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from anchorwatch.errors import ConfigError
from anchorwatch.linux import keyfiles, keys
from anchorwatch.linux.credential import Credential, examine
from anchorwatch.pki.der import Certificate
from tests.linux import authority
from tests.linux.authority import DAY_S, NOW_S

KEY = bytes(range(64))


@pytest.fixture(scope="module")
def device():
    return authority.root("Tenant CA").issue("Issuing CA", ca=True).issue("dev-7", client=True)


@pytest.fixture
def files(device, tmp_path):
    return device.write(tmp_path)


def private_pem(key, form=serialization.PrivateFormat.PKCS8, password=None):
    hidden = (serialization.BestAvailableEncryption(password) if password
              else serialization.NoEncryption())
    return key.private_bytes(serialization.Encoding.PEM, form, hidden)


def refusal(*files):
    with pytest.raises(ConfigError) as caught:
        keys.describe(*files)
    assert caught.value.value and caught.value.remedy
    assert "PRIVATE" not in str(caught.value)
    return caught.value


def test_certificate_is_described_by_a_child_process(device, files):
    credential = Credential("x509", *files)
    issuer = device.issuer
    assert credential.read() == {
        "kind": "x509", "slot": "onboarding", "fingerprint": device.sha256, "cn": "dev-7",
        "not_before": NOW_S - DAY_S, "not_after": NOW_S + 30 * DAY_S, "key": "ec-p256", "by": "",
        "sha1": hashlib.sha1(device.der).hexdigest(),
        "issuer": {"cn": "Issuing CA", "sha256": issuer.sha256,
                   "sha1": hashlib.sha1(issuer.der).hexdigest(),
                   "not_after": Certificate(issuer.der).not_after}}
    assert credential.files("a") == files
    assert credential.sign(b"anything") == b""


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa"])
def test_each_usual_kind_of_key_matches_its_certificate(tmp_path, kind):
    held = authority.root().issue("dev-7", key=kind, client=True)
    assert keys.describe(*held.write(tmp_path))["matched"] is True


def test_older_key_formats_and_text_before_the_key_are_read(device, files):
    with open(files[1], "wb") as file:
        file.write(b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n")
        file.write(b"-----END EC PARAMETERS-----\n")
        file.write(private_pem(device.key, serialization.PrivateFormat.TraditionalOpenSSL))
    assert keys.describe(*files)["matched"] is True


def test_key_of_another_certificate_is_refused(files, tmp_path):
    other = authority.root().issue("dev-8", client=True).write(tmp_path, "other")
    error = refusal(files[0], other[1])
    assert error.what == "key does not match certificate"
    assert files[0] in error.value and other[1] in error.value


def test_refusal_of_the_child_comes_with_its_three_parts(files, tmp_path):
    other = authority.root().issue("dev-8", client=True).write(tmp_path, "other")
    with pytest.raises(ConfigError) as caught:
        examine(files[0], other[1])
    assert str(caught.value) == str(refusal(files[0], other[1]))


@pytest.mark.parametrize("which", [0, 1])
def test_file_that_is_not_there_is_named(files, which):
    os.unlink(files[which])
    error = refusal(*files)
    assert files[which] in error.value and "cannot be read" in error.what


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("made", [os.mkdir, os.mkfifo])
def test_folder_or_pipe_in_place_of_a_file_is_refused_without_waiting(files, which, made):
    os.unlink(files[which])
    made(files[which])
    assert files[which] in refusal(*files).value


@pytest.mark.parametrize("mode", [0o604, 0o660, 0o644, 0o601])
def test_key_that_others_could_read_or_write_is_refused(files, mode):
    os.chmod(files[1], mode)
    error = refusal(*files)
    assert "%o" % mode in error.value and "chmod" in error.remedy


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640])
def test_key_of_its_owner_and_at_most_its_group_is_taken(files, mode):
    os.chmod(files[1], mode)
    assert keys.describe(*files)["matched"] is True


def test_key_of_another_user_is_refused(files, mocker):
    found = list(os.stat(files[1]))
    found[4] = 12345
    mocker.patch.object(keyfiles.os, "fstat", lambda descriptor: os.stat_result(found))
    assert "12345" in refusal(*files).value


def test_encrypted_key_is_refused_in_both_its_forms(device, files):
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        with open(files[1], "wb") as file:
            file.write(private_pem(device.key, form, b"secret"))
        assert refusal(*files).what == "private key is encrypted"


@pytest.mark.parametrize("text", [
    b"", b"\x00" * 100, b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    b"-----BEGIN PRIVATE KEY-----\nAAAA", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_file_without_a_usable_key_is_refused(files, text):
    with open(files[1], "wb") as file:
        file.write(text)
    assert files[1] in refusal(*files).value


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP521R1()),
                                 ed25519.Ed25519PrivateKey.generate()])
def test_kind_of_key_that_the_suites_cannot_use_is_refused(files, key):
    with open(files[1], "wb") as file:
        file.write(private_pem(key))
    assert "kind" in refusal(*files).what


@pytest.mark.parametrize("label", [b"TSS2 PRIVATE KEY", b"PKCS#11 PROVIDER URI"])
def test_key_in_a_token_is_left_to_the_tls_library(files, label):
    with open(files[1], "wb") as file:
        file.write(b"-----BEGIN %s-----\nMAA=\n-----END %s-----\n" % (label, label))
    assert keys.describe(*files)["matched"] is False


@pytest.mark.parametrize("key", ["p521", "k256", "brainpool256"])
def test_certificate_on_another_curve_is_refused_for_a_key_in_a_token_too(tmp_path, key):
    files = authority.root().issue("dev-7", client=True, key=key).write(tmp_path)
    with open(files[1], "wb") as file:
        file.write(b"-----BEGIN TSS2 PRIVATE KEY-----\nMAA=\n-----END TSS2 PRIVATE KEY-----\n")
    found = refusal(*files)
    assert "kind" in found.what and files[0] in found.value and "P-256" in found.remedy


@pytest.mark.parametrize("text", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_file_without_a_certificate_is_refused(files, text):
    with open(files[0], "wb") as file:
        file.write(text)
    assert files[0] in refusal(*files).value


def test_private_key_where_the_certificate_belongs_is_refused(files):
    os.chmod(files[1], 0o600)
    assert "private key where a certificate is expected" in refusal(files[1], files[1]).what


def symmetric(folder, text, mode=0o600):
    path = folder / "device.key"
    path.touch(mode=0o600)
    path.write_bytes(text)
    path.chmod(mode)
    return Credential("symmetric_key", "", str(path))


def test_symmetric_key_signs_and_is_named_without_being_shown(tmp_path):
    credential = symmetric(tmp_path, base64.b64encode(KEY) + b"\n")
    found = credential.read()
    assert credential.sign(b"data") == hmac.new(KEY, b"data", hashlib.sha256).digest()
    assert credential.files("a") is None
    assert found == {"kind": "symmetric_key", "slot": "onboarding",
                     "fingerprint": found["fingerprint"], "not_before": None,
                     "not_after": None, "cn": None}
    shown = found["fingerprint"] + repr(credential)
    assert KEY.hex() not in shown and hashlib.sha256(KEY).hexdigest() not in shown


@pytest.mark.parametrize("text", [b"", b"not base64!", b"\xff\xfe", b"AAA"])
def test_symmetric_key_that_is_not_base64_is_refused_without_showing_it(tmp_path, text):
    with pytest.raises(ConfigError) as caught:
        symmetric(tmp_path, text).read()
    assert "base64" in caught.value.what and "not base64!" not in str(caught.value)


def test_symmetric_key_open_to_others_is_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        symmetric(tmp_path, base64.b64encode(KEY), 0o644).read()
    assert "644" in caught.value.value


def test_replaced_files_are_noticed(device, files, tmp_path):
    credential = Credential("x509", *files)
    credential.read()
    assert not credential.changed()
    fresh = authority.root().issue("dev-7", client=True).write(tmp_path, "fresh")
    os.replace(fresh[0], files[0])
    assert credential.changed()
    os.replace(fresh[1], files[1])
    assert credential.read()["fingerprint"] != device.sha256
    assert not credential.changed()
