"""The verifier beside metadata that stock `tuf` makes: what it takes, and what it never takes."""

import copy
import datetime
import json
import random

import pytest
from securesystemslib.signer import CryptoSigner

from anchorwatch.errors import MalformedMessage, TrustError
from anchorwatch.pki import tuf
from anchorwatch.pki.metadata import Root, Snapshot, Targets, Timestamp
from anchorwatch.pki.tuf import TrustedSet
from tests.core import signed
from tests.core.runtimes import RUNTIMES, played
from tests.core.signed import NOW_S, YEAR, Maker, three_roots

DAY = datetime.timedelta(days=1)


def walk(files, kept=None, utc_s=NOW_S, first="1.root.json"):
    """A TrustedSet that took all of `files`; with its kept files: {role: bytes} as taken."""
    trusted = TrustedSet(files[first], kept or {}, utc_s)
    return trusted, finish(trusted, files)


def finish(trusted, files):
    """Give what is wanted until nothing is; [(name, role)] in the order of the requests."""
    asked = []
    wanted = trusted.wanted()
    while wanted is not None:
        asked.append((wanted.name, trusted.take(files.get(wanted.name))))
        wanted = trusted.wanted()
    return asked


def kept_of(files, trusted):
    versions = {"snapshot": trusted.snapshot.version, "targets": trusted.targets.version}
    kept = {role: files["%d.%s.json" % (versions[role], role)] for role in versions}
    return dict(kept, timestamp=files["timestamp.json"])


def refusal(files, **how):
    with pytest.raises((TrustError, MalformedMessage)) as caught:
        walk(files, **how)
    return str(caught.value)


@pytest.fixture(scope="module")
def maker():
    return three_roots()


@pytest.fixture(scope="module")
def files(maker):
    return maker.published()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_sigstores_ten_changes_of_root_are_walked(runtime, shared_data):
    folder = shared_data / "vectors" / "sigstore-roots"
    status, text = played(runtime(), "rootwalk.py", folder, 2, 12)
    assert status == 0, text
    assert text.splitlines()[-1] == "root 12" and len(text.splitlines()) == 11


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_sigstores_first_root_is_refused_for_its_date(runtime, shared_data):
    status, text = played(
        runtime(), "rootwalk.py", shared_data / "vectors" / "sigstore-roots", 1, 2
    )
    assert status == 1
    assert text == (
        "MalformedMessage: signed file with a wrong or missing 'expires': "
        "2021-12-18T13:28:12.99008-06:00\n"
    )


def test_files_are_asked_for_in_the_order_of_the_specification(files):
    trusted, asked = walk(files)
    assert asked == [
        ("2.root.json", "root"), ("3.root.json", "root"), ("4.root.json", ""),
        ("timestamp.json", "timestamp"), ("1.snapshot.json", "snapshot"),
        ("1.targets.json", "targets"),
    ]  # fmt: skip
    assert (trusted.root.version, trusted.targets.version) == (3, 1)


def test_what_is_kept_and_still_announced_is_not_fetched_again(files):
    trusted, _ = walk(files)
    again, asked = walk(files, kept_of(files, trusted), first="3.root.json")
    assert asked == [("4.root.json", ""), ("timestamp.json", "")]
    assert again.targets.digest == trusted.targets.digest


def test_kept_file_that_was_changed_on_the_disk_is_fetched_again(files):
    kept = kept_of(files, walk(files)[0])
    kept["targets"] = kept["targets"].replace(b'"length"', b'"lengts"', 1)
    _, asked = walk(files, kept, first="3.root.json")
    assert ("1.targets.json", "targets") in asked


def without(name):
    def change(maker, files):
        del files[name]
    return change


def expired(role):
    def change(maker, files):
        getattr(maker, role).expires = signed.MADE - DAY
        if role == "root":
            maker.root.version += 1
            maker.sign_root()
        files.update(maker.published())
    return change


def unsigned(role):
    def change(maker, files):
        maker.signers[role].pop()
        files.update(maker.published())
    return change


def by_strangers(maker, files):
    maker.signers["timestamp"] = [CryptoSigner.generate_ecdsa()]
    files.update(maker.published())


def root_by(count_old, new_keys):
    """A root whose new keys replace all; signed by some of the old holders and by the new."""
    def change(maker, files):
        old = maker.signers["root"]
        maker.root.version += 1
        for signer in old:
            maker.root.revoke_key(signer.public_key.keyid, "root")
        maker.signers["root"] = [CryptoSigner.generate_ecdsa() for _ in range(3)]
        for signer in maker.signers["root"]:
            maker.root.add_key(signer.public_key, "root")
        signers = maker.signers["root"][:new_keys] + old[:count_old]
        maker.roots.append(signed.signed(maker.root, signers))
        files.update(maker.published())
    return change


def one_key_under_two_names(maker, files):
    """A careless vendor's root counts one holder of the targets twice."""
    key = copy.deepcopy(maker.signers["targets"][0].public_key)
    key.keyid = "0" * 64
    maker.root.version += 1
    maker.root.revoke_key(maker.signers["targets"][1].public_key.keyid, "targets")
    maker.root.add_key(key, "targets")
    maker.sign_root()
    files.update(maker.published())
    tree = json.loads(files["1.targets.json"])
    tree["signatures"][1] = {"keyid": key.keyid, "sig": tree["signatures"][0]["sig"]}
    put_targets(maker, files, json.dumps(tree).encode())


def put_targets(maker, files, data):
    """Targets of any bytes, announced as they are."""
    maker.snapshot.meta["targets.json"] = signed.described(maker.targets, data)
    snapshot = signed.signed(maker.snapshot, maker.signers["snapshot"])
    maker.timestamp.snapshot_meta = signed.described(maker.snapshot, snapshot)
    stamp = signed.signed(maker.timestamp, maker.signers["timestamp"])
    files.update({"1.targets.json": data, "1.snapshot.json": snapshot, "timestamp.json": stamp})


def signature_twice(maker, files):
    tree = json.loads(files["1.targets.json"])
    tree["signatures"].append(tree["signatures"][0])
    put_targets(maker, files, json.dumps(tree).encode())


def ed25519(maker, files):
    signer = CryptoSigner.generate_ed25519()
    maker.root.version += 1
    maker.root.revoke_key(maker.signers["timestamp"][0].public_key.keyid, "timestamp")
    maker.root.add_key(signer.public_key, "timestamp")
    maker.signers["timestamp"] = [signer]
    maker.sign_root()
    files.update(maker.published())


def skipped_root(maker, files):
    files["2.root.json"] = files["3.root.json"]


def wrong_kind(maker, files):
    files["timestamp.json"] = files["1.snapshot.json"]


def other_snapshot(maker, files):
    files["1.snapshot.json"] += b" "


def targets_of_another_version(maker, files):
    maker.targets.version = 2
    data = signed.signed(maker.targets, maker.signers["targets"])
    maker.targets.version = 1
    put_targets(maker, files, data)


BELOW, DIFFERS = "metadata below its threshold: ", "file is not the one that was signed: "
REFUSALS = [
    # what is wrong, how it is made, how the refusal begins
    ("no timestamp", without("timestamp.json"), "file is missing: timestamp"),
    ("no snapshot", without("1.snapshot.json"), "file is missing: snapshot"),
    ("no targets", without("1.targets.json"), "file is missing: targets"),
    ("an expired root", expired("root"), "metadata expired: root 4"),
    ("an expired timestamp", expired("timestamp"), "metadata expired: timestamp 1"),
    ("an expired snapshot", expired("snapshot"), "metadata expired: snapshot 1"),
    ("expired targets", expired("targets"), "metadata expired: targets 1"),
    ("one of two signatures of targets", unsigned("targets"), BELOW + "targets 1, 1 of 2"),
    ("an unsigned snapshot", unsigned("snapshot"), BELOW + "snapshot 1, 0 of 1"),
    ("another vendor's timestamp", by_strangers, BELOW + "timestamp 1, 0 of 1"),
    ("a root with one old holder", root_by(1, 3), BELOW + "root 4, 1 of 2"),
    ("a root with one new holder", root_by(2, 1), BELOW + "root 4, 1 of 2"),
    ("one key under two names", one_key_under_two_names, BELOW + "targets 1, 1 of 2"),
    ("one signature twice", signature_twice, "signed file with a wrong or missing 'signatures'"),
    ("a key that we do not verify", ed25519, BELOW + "timestamp 1, 0 of 1"),
    ("a root that skips one", skipped_root, "metadata of another version than announced: root 3"),
    ("a snapshot for a timestamp", wrong_kind, "signed file with a wrong or missing '_type'"),
    ("a snapshot of another length", other_snapshot, DIFFERS + "snapshot"),
    ("targets of another version", targets_of_another_version,
     "metadata of another version than announced: targets 2 instead of 1"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), [row[1:] for row in REFUSALS],
                         ids=[row[0] for row in REFUSALS])  # fmt: skip
def test_refusal_says_its_reason_and_what_was_verified_stands(change, words):
    maker = three_roots()
    files = maker.published()
    change(maker, files)
    trusted = TrustedSet(files["1.root.json"], {}, NOW_S)
    with pytest.raises((TrustError, MalformedMessage)) as caught:
        finish(trusted, files)
    assert str(caught.value).startswith(words)
    before = trusted.wanted().name
    with pytest.raises((TrustError, MalformedMessage)):
        trusted.take(b"{}")
    assert trusted.wanted().name == before


def test_root_that_hands_over_to_new_holders_is_taken():
    maker = three_roots()
    files = maker.published()
    root_by(2, 2)(maker, files)
    assert walk(files)[0].root.version == 4


def newer(maker, *roles):
    """The next version of some files; the folder then."""
    for role in roles:
        getattr(maker, role).version += 1
    return maker.published()


def test_newer_versions_are_taken_and_older_ones_never_again():
    maker = three_roots()
    old = maker.published()
    new = newer(maker, "targets", "snapshot", "timestamp")
    trusted, asked = walk(new, kept_of(old, walk(old)[0]), first="3.root.json")
    assert [role for _, role in asked] == ["", "timestamp", "snapshot", "targets"]
    words = refusal(old, kept=kept_of(new, trusted), first="3.root.json")
    assert words.startswith("metadata version went back: timestamp from 2 to 1")


@pytest.mark.parametrize("role", ["snapshot", "targets"])
def test_newer_timestamp_does_not_bring_an_older_file(role):
    maker = three_roots()
    newer(maker, "targets", "snapshot", "timestamp")
    files = maker.published()
    kept = kept_of(files, walk(files)[0])
    getattr(maker, role).version = 1
    maker.timestamp.version += 1
    maker.snapshot.version += role == "targets"
    words = refusal(maker.published(), kept=kept, first="3.root.json")
    assert words.startswith("metadata version went back: %s" % role)


def test_file_taken_off_the_snapshot_is_noticed():
    maker = three_roots()
    maker.snapshot.meta["other.json"] = signed.MetaFile(1)
    old = maker.published()
    kept = kept_of(old, walk(old)[0])
    del maker.snapshot.meta["other.json"]
    words = refusal(newer(maker, "snapshot", "timestamp"), kept=kept, first="3.root.json")
    assert words.startswith("metadata no longer lists a file: other.json")


@pytest.mark.parametrize("role", ["snapshot", "targets"])
def test_equal_version_with_other_content_is_an_alarm(role):
    maker = three_roots()
    old = maker.published()
    kept = kept_of(old, walk(old)[0])
    getattr(maker, role).expires += DAY
    others = ["timestamp"] if role == "snapshot" else ["snapshot", "timestamp"]
    words = refusal(newer(maker, *others), kept=kept, first="3.root.json")
    assert words.startswith("metadata changed under the same version: %s 1" % role)


def test_equal_timestamp_with_other_content_is_nothing_to_do():
    maker = three_roots()
    old = maker.published()
    kept = kept_of(old, walk(old)[0])
    maker.snapshot.version = 2
    trusted, asked = walk(maker.published(), kept, first="3.root.json")
    assert asked == [("4.root.json", ""), ("timestamp.json", "")]
    assert trusted.snapshot.version == 1


def test_vendor_returns_from_a_thiefs_huge_version_by_new_keys():
    maker = three_roots()
    maker.timestamp.version = maker.snapshot.version = 2_000_000_000
    stolen = maker.published()
    kept = kept_of(stolen, walk(stolen)[0])
    maker.timestamp.version = maker.snapshot.version = 1
    words = refusal(maker.published(), kept=kept, first="3.root.json")
    assert words.startswith("metadata version went back")
    for role in ("timestamp", "snapshot"):
        maker.root.revoke_key(maker.signers[role][0].public_key.keyid, role)
        maker.signers[role] = [CryptoSigner.generate_ecdsa()]
        maker.root.add_key(maker.signers[role][0].public_key, role)
    maker.root.version += 1
    maker.sign_root()
    trusted, _ = walk(maker.published(), kept, first="3.root.json")
    assert trusted.timestamp.version == trusted.snapshot.version == 1


def test_without_a_clock_dates_are_judged_at_the_floor(files):
    root = files["1.root.json"]
    end = NOW_S + int(YEAR.total_seconds())
    finish(TrustedSet(root, {}, None, end - 1), files)
    with pytest.raises(TrustError, match="metadata expired: root 3"):
        finish(TrustedSet(root, {}, None, end), files)
    finish(TrustedSet(root, {}, end - 1, end), files)
    with pytest.raises(TrustError, match="metadata expired"):
        finish(TrustedSet(root, {}, end), files)


def test_old_roots_may_have_expired_but_not_the_last():
    maker = Maker()
    maker.root.expires = signed.MADE - DAY
    maker.next_root()
    maker.root.expires = signed.MADE + DAY
    maker.next_root()
    maker.put_trust(signed.trust_tree())
    assert walk(maker.published())[0].root.version == 3


def test_first_root_must_be_signed_by_its_own_keys(files):
    tree = json.loads(files["1.root.json"])
    tree["signatures"] = tree["signatures"][:1]
    with pytest.raises(TrustError, match="below its threshold: root 1, 1 of 2"):
        TrustedSet(json.dumps(tree).encode(), {}, NOW_S)


def test_chain_of_roots_has_an_end(monkeypatch, files):
    monkeypatch.setattr(tuf, "ROOT_STEPS_AT_MOST", 1)
    assert refusal(files).startswith("root chain too long: 1")


def test_file_longer_than_its_kind_may_be_is_not_read(files):
    trusted = TrustedSet(files["1.root.json"], {}, NOW_S)
    with pytest.raises(MalformedMessage, match="JSON longer than 65536 bytes"):
        trusted.take(files["2.root.json"] + b" " * 65_536)


def stages(files):
    """(name, data, the set that wants it) for each file of the bundle."""
    trusted = TrustedSet(files["1.root.json"], {}, NOW_S)
    wanted = trusted.wanted()
    while wanted is not None:
        data = files.get(wanted.name)
        if data is not None:
            yield wanted.name, data, copy.copy(trusted)
        trusted.take(data)
        wanted = trusted.wanted()


def mutilated(chance, tree):
    """One random place of a tree replaced by something else, or gone."""
    node, path = tree, []
    while isinstance(node, (dict, list)) and node and chance.randrange(5):
        key = chance.choice(sorted(node)) if isinstance(node, dict) else chance.randrange(len(node))
        path.append((node, key))
        node = node[key]
    if not path:
        return tree
    parent, key = path[-1]
    other = chance.choice((None, True, 0, -1, 7, 10**30, 0.5, "", "x", "\u20ac", [], {}, [[]]))
    if chance.randrange(4) and isinstance(parent, dict):
        parent[key] = other
    else:
        del parent[key]
    return tree


def test_file_of_any_shape_is_refused_by_one_of_two_errors():
    """As a forger would send it: not signed, so that nothing is taken."""
    chance = random.Random(3)
    refused = 0
    for name, data, trusted in stages(three_roots().published()):
        for _ in range(150):
            tree = mutilated(chance, json.loads(data))
            fresh = copy.copy(trusted)
            try:
                fresh.take(json.dumps(tree).encode())
            except (TrustError, MalformedMessage) as error:
                refused += 1
                assert str(error).isascii(), name
    assert refused > 600


def test_every_member_of_a_signed_tree_is_asked_for_with_its_type():
    """The reader itself, before any signature counts."""
    kinds = {"root": Root, "timestamp": Timestamp, "snapshot": Snapshot, "targets": Targets}
    chance = random.Random(4)
    refused = 0
    for name, data, _ in stages(three_roots().published()):
        kind = kinds[name.split(".")[-2]]
        for _ in range(1_000):
            try:
                kind(json.dumps(mutilated(chance, json.loads(data))).encode())
            except (TrustError, MalformedMessage):
                refused += 1
    assert refused > 2_000
