"""Roots into the bundle, through their states and out of it; what is refused, in which words."""


import pytest

from anchorwatch.config import Config
from anchorwatch.core.trust import Trust
from anchorwatch.errors import RootsRejected, TrustError
from anchorwatch.pki import pem
from anchorwatch.pki.der import anchor_entry
from tests.linux import authority
from tests.vendor.workshop import G2, G2_SHA256, G3, G3_SHA256, RSA_2017, START_S


def _anchor(shop, sha256):
    return next(a for a in shop.trust()["anchors"] if a["sha256"] == sha256)


def test_added_root_is_staged_for_hub_and_dps_of_the_global_cloud(shop):
    shop.do("add", G2)
    anchor = _anchor(shop, G2_SHA256)
    assert anchor["state"] == "staged" and anchor["name"].startswith("CN=DigiCert Global Root G2")
    assert (anchor["scope"], anchor["clouds"]) == (["hub", "dps"], ["global"])
    assert anchor["spki_sha256"] == anchor_entry(_der(G2))["spki_sha256"]


def _der(path):
    with open(path, "rb") as file:
        return pem.certificates(file.read())[0]


def test_root_is_named_by_its_file_or_by_the_first_digits(released):
    released.do("add", G3)
    released.do("activate", G3)
    assert _anchor(released, G3_SHA256)["state"] == "active"
    released.do("stage", G3_SHA256[:8])
    assert _anchor(released, G3_SHA256)["state"] == "staged"


STATES = (("stage", "staged"), ("activate", "active"), ("sunset", "sunset"), ("retire", "retired"))


@pytest.mark.parametrize("command, state", STATES, ids=[row[0] for row in STATES])
def test_every_state_is_one_command(released, command, state):
    released.do("add", G3, RSA_2017)
    released.do("activate", RSA_2017)
    released.do(command, G3)
    assert _anchor(released, G3_SHA256)["state"] == state


def test_dates_go_with_their_state_and_leave_with_it(released):
    released.do("add", G3)
    released.do("activate", G3, "--from", "2027-03-01")
    assert _anchor(released, G3_SHA256)["not_before"] == "2027-03-01T00:00:00Z"
    released.do("sunset", G3, "--after", "2027-04-01T12:00:00Z")
    anchor = _anchor(released, G3_SHA256)
    assert anchor["leaf_not_before_max"] == "2027-04-01T12:00:00Z" and "not_before" not in anchor
    released.do("stage", G3)
    assert "leaf_not_before_max" not in _anchor(released, G3_SHA256)


def test_same_edit_twice_is_done_once(released):
    released.do("add", G3)
    assert "nothing to do" in released.do("stage", G3)
    assert "already" in released.wrong("add", G3)


@pytest.fixture(scope="module")
def chain():
    root = authority.root()
    return root, root.issue("Test CA", ca=True)


NOT_ROOTS = ("leaf", "intermediate")


@pytest.mark.parametrize("what", NOT_ROOTS)
def test_what_is_no_root_is_refused_in_the_devices_words(released, chain, tmp_path, what):
    one = chain[1] if what == "intermediate" else chain[1].issue("hub.example")
    file = tmp_path / "offered.pem"
    file.write_bytes(one.pem)
    with pytest.raises(TrustError) as device:
        anchor_entry(one.der)
    said = released.refused("add", str(file))
    assert device.value.what in said and device.value.remedy in said and str(file) in said
    assert device.value.what in released.refused("distrust", str(file))


def test_private_key_or_a_chain_in_the_file_is_refused(released, chain, tmp_path):
    file = tmp_path / "offered.pem"
    file.write_bytes(chain[0].key_pem)
    said = released.refused("add", str(file))
    assert "private key where a certificate is expected" in said
    assert chain[0].key_pem.split()[5].decode() not in said
    file.write_bytes(chain[0].pem + chain[1].pem)
    assert "more than one certificate" in released.refused("add", str(file))


LEAVING = (
    # before                          the edit that would leave the hub alone
    ((),                              ("retire", G2)),
    ((),                              ("stage", G2)),
    ((),                              ("sunset", G2)),
    ((),                              ("activate", G2, "--from", "2027-02-01")),
    ((),                              ("distrust", G2)),
    ((),                              ("distrust", G2_SHA256)),
    ((("add", G3),),                  ("retire", G2)),
    ((("add", G3, "--state", "active", "--dns", ".azure-devices.net"),), ("retire", G2)),
    ((("add", G3, "--state", "active", "--cloud", "china"),), ("retire", G2)),
    ((("add", G3, "--state", "active", "--scope", "dps"),), ("retire", G2)),
    ((("add", G3, "--state", "active", "--from", "2027-02-01"),), ("retire", G2)),
    ((("add", G3, "--state", "active"), ("distrust", G3)), ("retire", G2)),
)  # fmt: skip


@pytest.mark.parametrize("before, edit", LEAVING, ids=[
    " ".join([w.rpartition("/")[2] for c in (*b, e) for w in c]) for b, e in LEAVING])
def test_edit_that_leaves_an_endpoint_alone_is_refused_in_the_devices_words(
        released, before, edit):
    for command in before:
        released.do(*command)
    assert _devices_words() in released.refused(*edit)


def _devices_words():
    device = Trust(Config({
        "device": {"registration_id": "dev-7"},
        "credential": {"kind": "symmetric_key", "key_file": "key"},
        "hub": {"host": "hub.example"}}))
    device.load("site", [anchor_entry(_der(G2))], [])
    with pytest.raises(RootsRejected) as refusal:
        device.load("site", [], [])
    assert refusal.value.remedy == "add the new root first"
    return refusal.value.what


def test_endpoint_with_another_active_root_may_lose_one(released):
    released.do("add", G3, "--state", "active")
    released.do("retire", G2)
    assert _anchor(released, G2_SHA256)["state"] == "retired"


def test_root_that_serves_the_hub_only_cannot_stand_in_for_dps(released):
    released.do("add", G3, "--state", "active", "--scope", "hub")
    said = released.refused("retire", G2)
    assert "dps of global" in said and "hub of global" not in said


def test_draft_without_an_active_root_is_not_signed(shop):
    shop.do("add", G2)
    assert _devices_words() in shop.refused("sign", "--key", shop.key("targets-1"))


def test_distrust_of_a_file_hits_its_key_and_of_a_fingerprint_the_certificate(released, chain,
                                                                              tmp_path):
    file = tmp_path / "stolen.pem"
    file.write_bytes(chain[0].pem)
    released.do("distrust", str(file), "--hold-s", "0", "--reason", "key stolen")
    released.do("distrust", "ab" * 32, "--kind", "sunset", "--after", "2027-02-01")
    released.do("distrust", "CD" * 32, "--key")
    spki = anchor_entry(chain[0].der)["spki_sha256"]
    assert released.trust()["distrust"] == [
        {"spki_sha256": spki, "kind": "hard", "hold_s": 0, "reason": "key stolen"},
        {"sha256": "ab" * 32, "kind": "sunset", "after": "2027-02-01T00:00:00Z"},
        {"spki_sha256": "cd" * 32, "kind": "hard"}]


def test_distrust_is_replaced_and_withdrawn(released):
    released.do("distrust", "ab" * 32)
    assert "nothing to do" in released.do("distrust", "ab" * 32)
    released.do("distrust", "ab" * 32, "--hold-s", "60")
    assert released.trust()["distrust"] == [
        {"sha256": "ab" * 32, "kind": "hard", "hold_s": 60}]
    released.do("distrust", "ab" * 32, "--withdraw")
    assert released.trust()["distrust"] == []
    assert "nothing to do" in released.do("distrust", "ab" * 32, "--withdraw")


def test_announcement_is_one_an_endpoint_and_of_a_root_in_the_bundle(released):
    assert "no single root" in released.wrong(
        "announce", "--endpoint", "hub", "--root", G3, "--date", "2027-06-01")
    released.do("add", G3)
    for date in ("2027-06-01", "2027-07-01"):
        released.do("announce", "--endpoint", "hub", "--root", G3, "--date", date)
    assert released.trust()["announcements"] == [
        {"endpoint": "hub", "root": G3_SHA256, "date": "2027-07-01T00:00:00Z"}]
    released.do("announce", "--endpoint", "hub", "--withdraw")
    assert released.trust()["announcements"] == []


USAGE = (
    # the command                                            says
    (("activate", G3),                                       "add it first"),
    (("activate", "cb3"),                                    "more digits"),
    (("add", "nowhere.pem"),                                 "cannot be read"),
    (("activate", G2, "--from", "soon"),                     "2026-11-30"),
    (("activate", G2, "--from", "2027-02-30"),               "not a date"),
    (("distrust", "abc"),                                    "64 hexadecimal"),
    (("distrust", "ab" * 32, "--kind", "sunset"),            "--after"),
    (("distrust", "ab" * 32, "--after", "2027-01-01"),       "--kind sunset"),
    (("announce", "--endpoint", "hub"),                      "--root and --date"),
    (("reset-floor", "tomorrow"),                            "not a date"),
    (("announce", "--endpoint", "mail"),                     "invalid choice"),
    (("add", G3, "--state", "retired"),                      "invalid choice"),
)  # fmt: skip


@pytest.mark.parametrize("words, said", USAGE, ids=[
    " ".join([w.rpartition("/")[2] for w in row[0]]) for row in USAGE])
def test_wrong_usage_says_what_and_changes_nothing(released, words, said):
    assert said in released.wrong(*words)


def test_floor_of_time_can_be_lowered_by_the_signers(released):
    released.do("reset-floor", "2027-01-01")
    assert released.trust()["floor_reset"] == "2027-01-01T00:00:00Z"
    released.release()


def test_clock_that_is_behind_the_last_edit_is_noticed(released):
    released.now_s = START_S - 1
    assert "clock is behind" in released.wrong("add", G3)


def test_folder_that_is_no_workspace_is_said(empty):
    assert "make one: anchorwatch-bundle init" in empty.wrong("add", G2)


def test_damaged_workspace_is_said_and_left_alone(released):
    certificate = released.path / "w" / "certificates" / (G2_SHA256 + ".der")
    whole = certificate.read_bytes()
    certificate.write_bytes(whole[:-1])
    assert "not the one its name says" in released.wrong("show")
    certificate.write_bytes(whole)
    (released.path / "w" / "released" / "1.targets.json").write_bytes(b'{"signed"')
    assert "damaged" in released.wrong("show")




def test_only_a_retired_root_is_forgotten(released):
    released.do("add", G3, "--state", "active")
    assert "not retired" in released.wrong("forget", G2)
    released.do("announce", "--endpoint", "hub", "--root", G2, "--date", "2027-06-01")
    released.do("retire", G2)
    assert "is announced" in released.wrong("forget", G2)
    released.do("announce", "--endpoint", "hub", "--withdraw")
    released.do("forget", G2)
    assert [a["sha256"] for a in released.trust()["anchors"]] == [G3_SHA256]
    released.release()
