"""Keys and signatures: who holds what, several holders in turn, and what is never shown."""

import json
import os
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner, Signer, SSlibKey

from anchorwatch.vendor import page
from tests.vendor.workshop import G2, G3, HOLDERS

PASSPHRASE = "correct horse"


def _roles(shop):
    draft = json.loads((shop.path / "w" / "draft.json").read_text())
    return draft["root"]["signed"]["roles"]


def _secret(shop, *lines):
    """A descriptor from which these lines can be read."""
    read, write = os.pipe()
    os.write(write, "".join([line + "\n" for line in lines]).encode())
    os.close(write)
    return str(read)


def test_keys_are_made_for_their_owner_alone_and_outside_the_workspace(empty):
    said = empty.init()
    names = sorted(file.name for file in (empty.path / "keys").iterdir())
    assert names == sorted([n + end for n in (*HOLDERS, "root-3") for end in (".pem", ".pub.pem")])
    assert stat.S_IMODE((empty.path / "keys").stat().st_mode) == 0o700
    for name in HOLDERS:
        assert stat.S_IMODE(os.stat(empty.key(name)).st_mode) == 0o600
        key = serialization.load_pem_private_key(open(empty.key(name), "rb").read(), None)
        assert key.curve.name == "secp256r1"
    roles = _roles(empty)
    assert (roles["root"]["threshold"], roles["targets"]["threshold"]) == (2, 2)
    assert roles["snapshot"] == roles["timestamp"]
    assert all(keyid in said for role in roles.values() for keyid in role["keyids"])


def test_workspace_never_holds_a_private_key(empty):
    assert "handed around" in empty.wrong("init", "--keys", empty.dir + "/keys")
    empty.init()
    assert "PRIVATE" not in (empty.path / "w" / "draft.json").read_text()


def test_workspace_is_made_once_and_no_key_is_written_over(empty):
    empty.init()
    assert "workspace already" in empty.wrong("init", "--keys", empty.keys)
    kept = open(empty.key("root-1"), "rb").read()
    empty.dir = str(empty.path / "second")
    empty.init()
    assert open(empty.key("root-1"), "rb").read() == kept
    assert os.path.exists(empty.key("root-4"))


def test_site_of_one_holder_is_possible(empty):
    empty.init("--root-keys", "1", "--threshold", "1", "--targets-keys", "1",
               "--targets-threshold", "1")
    empty.do("add", G2, "--state", "active")
    empty.sign("root-1", "targets-1", "online-1")
    empty.publish()


USAGE = (
    # init with                                       says
    ((),                                              "--keys FOLDER"),
    (("--threshold", "4", "--keys", "k"),             "4 of 3 keys"),
    (("--threshold", "0", "--keys", "k"),             "0 of 3 keys"),
    (("--key", "root"),                               "root=FILE.pem"),
    (("--key", "mirror=a.pem"),                       "root=FILE.pem"),
    (("--key", "root=nowhere.pem"),                   "cannot be read"),
    (("--root-keys", "many"),                         "invalid int"),
)  # fmt: skip


@pytest.mark.parametrize("words, said", USAGE, ids=[" ".join(row[0]) or "nothing" for row in USAGE])
def test_init_with_wrong_words_says_what_and_makes_nothing(empty, words, said):
    assert said in empty.wrong("init", *words)


def _public(shop, name, key):
    file = shop.path / (name + ".pub.pem")
    file.write_bytes(key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    return str(file)


def test_holder_who_has_a_key_names_it_by_its_public_half(empty):
    alice = ec.generate_private_key(ec.SECP256R1())
    said = empty.init("--key", "root=" + _public(empty, "alice", alice))
    assert not os.path.exists(empty.key("root-3")) and os.path.exists(empty.key("root-2"))
    keyid = CryptoSigner(alice).public_key.keyid
    assert keyid in said and keyid in _roles(empty)["root"]["keyids"]


def test_key_that_no_device_can_check_is_refused(empty):
    for number, key in enumerate((ed25519.Ed25519PrivateKey.generate(),
                                  ec.generate_private_key(ec.SECP384R1()))):
        file = _public(empty, "bob-%d" % number, key)
        said = empty.refused("init", "--keys", empty.keys, "--key", "root=" + file)
        assert "not EC P-256" in said


def test_private_key_given_as_a_public_one_is_refused(shop):
    said = shop.wrong("rotate", "root", "--add", shop.key("targets-1"))
    assert "private key where a public key is expected" in said


def test_same_key_counts_once_in_a_role(shop):
    assert "same key twice" in shop.wrong("rotate", "root", "--add", shop.public("root-1"))


def test_holders_sign_in_turn_and_see_how_many_have(shop):
    shop.do("add", G2, "--state", "active")
    assert "0 of 2 signatures" in shop.do("show")
    said = shop.sign("targets-1")
    assert "+ active " in said and "DigiCert Global Root G2" in said
    assert "targets     1  draft     until 2029-01-14  1 of 2 signatures" in said
    assert "signatures are missing: root, 0 of 2" in shop.refused("publish", shop.out)
    shop.sign("root-2", "root-3")
    assert "targets, 1 of 2" in shop.refused("publish", shop.out)
    shop.sign("targets-1")
    assert "targets, 1 of 2" in shop.refused("publish", shop.out)
    shop.sign("targets-2", "online-1")
    assert "published trust.json 1, root 1" in shop.publish()


def test_key_of_nobody_here_signs_nothing(shop, tmp_path):
    shop.do("add", G2, "--state", "active")
    stranger = tmp_path / "stranger.pem"
    stranger.touch(0o600)
    stranger.write_bytes(CryptoSigner.generate_ecdsa().private_bytes)
    assert "signs nothing in this draft" in shop.refused("sign", "--key", str(stranger))


def test_key_file_that_others_can_read_is_refused(shop):
    os.chmod(shop.key("root-1"), 0o640)
    assert "chmod 600" in shop.wrong("sign", "--key", shop.key("root-1"))


def test_edit_voids_signatures_and_never_uses_their_version_again(shop):
    shop.do("add", G2, "--state", "active")
    shop.sign("targets-1")
    assert "signatures are void" in shop.do("add", G3)
    assert shop.trust()["version"] == 2
    assert "void" not in shop.do("activate", G3)
    assert shop.trust()["version"] == 2
    shop.sign_all()
    assert "trust.json 2" in shop.publish()


def test_passphrase_comes_from_a_descriptor_and_opens_the_key_again(empty):
    lines = [PASSPHRASE + " %d" % n for n in range(6)]
    empty.init("--passphrase-fd", _secret(empty, *lines))
    assert b"ENCRYPTED" in open(empty.key("root-2"), "rb").read()
    said = empty.do("sign", "--key", empty.key("root-2"), "--passphrase-fd",
                    _secret(empty, lines[1]))
    assert "signed by" in said and PASSPHRASE not in said
    wrong = empty.wrong("sign", "--key", empty.key("root-1"), "--passphrase-fd",
                        _secret(empty, "battery staple"))
    assert "passphrase is wrong" in wrong and "battery" not in wrong
    none = empty.wrong("sign", "--key", empty.key("root-1"), "--passphrase-fd", _secret(empty))
    assert "no line is left" in none


def test_passphrase_is_asked_for_at_a_terminal_only(empty, monkeypatch):
    empty.init("--passphrase-fd", _secret(empty, *[PASSPHRASE] * 6))
    monkeypatch.setattr("sys.stdin", open(os.devnull))
    said = empty.wrong("sign", "--key", empty.key("root-1"))
    assert "nobody can type it" in said and "--passphrase-fd" in said


def test_init_that_lacks_a_passphrase_makes_nothing(empty):
    for descriptor, said in ((_secret(empty, PASSPHRASE), "no line is left"), ("987", "3< file")):
        code, _, err = empty.try_("init", empty.dir, "--keys", empty.keys, "--passphrase-fd",
                                  descriptor)
        assert code == 2 and said in err
        assert list((empty.path / "keys").iterdir()) == []
    empty.init()


def test_key_behind_a_uri_signs_with_its_public_half(shop):
    shop.do("sign", "--key", "file2:" + shop.key("root-1"), "--public", shop.public("root-1"))
    assert "1 of 2 signatures" in shop.do("show")
    assert "needs its public half" in shop.wrong("sign", "--key", "file2:" + shop.key("root-2"))
    said = shop.wrong("sign", "--key", "file2:" + shop.key("root-2"), "--public",
                      shop.public("root-1"))
    assert "key cannot be opened" in said and shop.key("root-2") not in said


class Token(Signer):
    """A token with a PIN, as a signer outside of this project would offer it."""

    def __init__(self, key, public, secrets):
        self._key, self._public, self._secrets = key, public, secrets

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri, public_key, secrets_handler=None):
        key = open(priv_key_uri.partition(":")[2], "rb").read()
        return cls(serialization.load_pem_private_key(key, None), public_key, secrets_handler)

    @property
    def public_key(self):
        return self._public

    def sign(self, payload):
        if self._secrets("PIN") != "1234":
            raise RuntimeError("CKR_PIN_INCORRECT 1235")
        signature = CryptoSigner(self._key).sign(payload)
        signature.keyid = self._public.keyid
        return signature


def test_token_gets_its_pin_and_a_wrong_one_is_said_but_not_shown(shop, monkeypatch):
    monkeypatch.setitem(SIGNER_FOR_URI_SCHEME, "token", Token)
    words = ("sign", "--key", "token:" + shop.key("root-1"), "--public", shop.public("root-1"))
    shop.do(*words, "--passphrase-fd", _secret(shop, "1234"))
    assert "1 of 2 signatures" in shop.do("show")
    words = ("sign", "--key", "token:" + shop.key("root-2"), "--public", shop.public("root-2"))
    said = shop.refused(*words, "--passphrase-fd", _secret(shop, "1235"))
    assert "key did not sign: RuntimeError" in said and "1235" not in said
    assert "no line is left" in shop.wrong(*words, "--passphrase-fd", _secret(shop))


def test_token_that_holds_another_key_leaves_no_signature(shop, monkeypatch):
    monkeypatch.setitem(SIGNER_FOR_URI_SCHEME, "token", Token)
    said = shop.refused("sign", "--key", "token:" + shop.key("root-1"), "--public",
                        shop.public("root-2"), "--passphrase-fd", _secret(shop, "1234"))
    assert "does not fit the public key" in said


def _keyid(shop, name):
    with open(shop.public(name), "rb") as file:
        return SSlibKey.from_crypto(serialization.load_pem_public_key(file.read())).keyid


def test_new_root_is_signed_by_old_and_new_holders(released):
    gone = _keyid(released, "root-1")
    released.do("rotate", "root", "--make", "1", "--keys", released.keys, "--remove", gone)
    released.sign("online-1", "root-2", "root-4")
    said = released.refused("publish", released.out)
    assert "root, 1 of 2 signatures of the old keys, 2 of 2 of the new" in said
    released.sign("root-1")
    assert "root 2" in released.publish()
    assert gone not in released.do("show")


def test_holders_of_targets_and_online_keys_change_and_their_documents_are_signed_anew(released):
    for holder, number in (("targets", 3), ("online", 2)):
        released.do("rotate", holder, "--make", "1", "--keys", released.keys, "--remove",
                    released.public(holder + "-1"))
        new = "%s-%d" % (holder, number)
        assert "signatures are missing" in released.refused("publish", released.out)
        released.release(*HOLDERS, new, "online-1", "targets-2")
    said = released.do("show")
    assert "root        3  released" in said and "targets     2  released" in said


def test_threshold_can_change_and_never_beyond_the_keys(released):
    assert "4 of 3" in released.wrong("rotate", "root", "--threshold", "4")
    released.do("rotate", "root", "--threshold", "3")
    released.sign("root-1", "root-2", "online-1")
    assert "2 of 2 signatures of the old keys, 2 of 3 of the new" in released.refused(
        "publish", released.out)
    released.sign("root-3")
    released.publish()


def test_key_to_remove_is_named_clearly(released):
    assert "no single key" in released.wrong("rotate", "root", "--remove", "")
    assert "no single key" in released.wrong("rotate", "root", "--remove", "00000000")


def test_document_is_renewed_before_it_expires(released):
    released.now_s += 330 * 86_400
    said = released.do("show")
    assert said.count("renew it soon") == 2
    for role in ("snapshot", "timestamp", "targets", "root"):
        released.do("renew", role)
        released.release()
    assert "renew it soon" not in released.do("show")
    released.do("renew", "timestamp", "--days", "10")
    assert "renew it soon" in released.do("show")


def test_nothing_is_renewed_before_it_exists(shop):
    assert "nothing to renew yet" in shop.wrong("renew", "targets")


def test_holder_is_shown_every_key_of_a_new_root(released):
    released.do("rotate", "root", "--make", "1", "--keys", released.keys, "--remove",
                released.public("root-1"))
    lines = released.do("show").splitlines()
    assert [line for line in lines if line.startswith("  + root")] == [
        "  + root      2 of 3: " + _keyid(released, "root-4")]
    assert "  - root      2 of 3: " + _keyid(released, "root-1") in lines
    assert "    root      2 of 3: " + _keyid(released, "root-2") in lines


def test_rotation_that_changes_nothing_is_said(released):
    assert "nothing to change" in released.wrong("rotate", "root")
    assert "invalid number value" in released.wrong("rotate", "root", "--make", "-1")


def _forge(shop, change):
    file = shop.path / "w" / "draft.json"
    draft = json.loads(file.read_text())
    change(draft)
    file.write_text(json.dumps(draft))


def _state(draft):
    draft["trust"]["anchors"][0]["state"] = "retired"


def _hash(draft):
    draft["targets"]["signed"]["targets"]["trust.json"]["hashes"]["sha256"] = "ab" * 32


def _more(draft):
    targets = draft["targets"]["signed"]["targets"]
    targets["evil.der"] = targets["trust.json"]


def _less(draft):
    del draft["targets"]["signed"]["targets"][draft["trust"]["anchors"][0]["sha256"] + ".der"]


def _shape(draft):
    draft["trust"]["anchors"][0]["state"] = 5


def _role(draft):
    del draft["targets"]["signed"]["version"]




FORGERIES = (_state, _hash, _more, _less, _shape, _role)


@pytest.mark.parametrize("change", FORGERIES, ids=[f.__name__ for f in FORGERIES])
def test_draft_that_shows_one_thing_and_has_another_signed_is_refused(released, change):
    released.do("add", G3)
    _forge(released, change)
    for command in (("sign", "--key", released.key("targets-1")), ("show",), ("add", G2)):
        assert "workspace is damaged" in released.wrong(*command)


def test_nothing_in_a_bundle_can_steer_the_terminal():
    anchor = {"sha256": "ab" * 32, "name": "CN=\x1b[2Jgood", "state": "active", "scope": ["hub"],
              "clouds": ["global"]}
    row = {"sha256": "cd" * 32, "kind": "hard", "reason": "a\nb"}
    lines = page.changes({}, {"anchors": [anchor], "distrust": [row]})
    assert len(lines) == 2 and all(line.isascii() and line.isprintable() for line in lines)


def test_release_with_a_signature_taken_out_is_noticed(released):
    file = released.path / "w" / "released" / "1.targets.json"
    tree = json.loads(file.read_text())
    tree["signatures"].pop()
    file.write_text(json.dumps(tree))
    assert "lacks signatures" in released.wrong("show")
