"""`anchorwatch check` against servers that are right, and others that are wrong in one way."""

import _ssl
import base64
import json
import ssl

import pytest

from anchorwatch.config import Config
from anchorwatch.core import readiness, records
from anchorwatch.core.events import ClockSet, Start
from anchorwatch.core.watch import Watch
from anchorwatch.linux import cli, keyless
from anchorwatch.linux.findings import exit_code, rehearsed_code
from anchorwatch.linux.folder import open_folder
from anchorwatch.linux.rehearsal import Rehearsal
from anchorwatch.linux.steps import STEPS
from anchorwatch.linux.store import Store
from anchorwatch.linux.toml import tomllib
from anchorwatch.pki.der import anchor_entry
from tests.core import signed
from tests.linux import authority
from tests.linux.agent_process import free_port
from tests.linux.authority import DAY_S, NOW_S
from tests.linux.proxies import Proxy
from tests.linux.servers import Server

pytestmark = pytest.mark.tls

HUB, DPS = "hub.example", "dps.example"
TEXT = """
[device]
id_scope = "0ne00AB12CD"
registration_id = "dev-7"
[credential]
kind = "symmetric_key"
key_file = "device.key"
[dps]
host = "dps.example"
[hub]
host = "hub.example"
allowed_suffixes = [".example"]
[trust]
factory_dir = "factory"
[state]
dir = "state"
"""


@pytest.fixture(scope="module")
def root():
    return authority.root("Good Root")


@pytest.fixture(scope="module")
def issuing(root):
    return root.issue("Issuing CA", ca=True)


@pytest.fixture(scope="module")
def dps(issuing):
    with Server(issuing.issue("dps", names=[DPS]).below()) as server:
        yield server


class Home:
    """A configuration in a folder: the services are where `hub` and `dps` say."""

    def __init__(self, path, root, hub, dps, more="", resolve=""):
        self.path = path
        (path / "factory").mkdir()
        (path / "factory" / "root.pem").write_bytes(root.pem)
        key = path / "device.key"
        key.touch(mode=0o600)
        key.write_bytes(base64.b64encode(bytes(range(32))))
        places = '[resolve]\n"hub.example:8883" = ["%s"]\n"dps.example:8883" = ["%s"]\n'
        places %= (hub, dps)
        self.config = str(path / "anchorwatch.toml")
        (path / "anchorwatch.toml").write_text(TEXT + more + places + resolve)

    def check(self, capsys, *words):
        """(exit code, {check: row})"""
        code = cli.main(["--config", self.config, "check", "--json", *words])
        return code, {row["check"]: row for row in json.loads(capsys.readouterr().out)}

    def read(self, capsys, *words):
        """(exit code, what people see)"""
        code = cli.main(["--config", self.config, "check", *words])
        return code, capsys.readouterr().out


@pytest.fixture
def home(tmp_path, root, dps):
    def made(hub, **more):
        return Home(tmp_path, root, getattr(hub, "place", lambda: hub)(), dps.place(), **more)
    return made


def hub_steps(rows):
    return [rows["hub " + step]["ok"] for step in STEPS]


def nowhere():
    return "127.0.0.1:%d" % free_port()


def test_sound_service_holds_in_every_step_and_says_how(capsys, home, issuing, root):
    with Server(issuing.issue("hub", names=[HUB]).below()) as server:
        code, rows = home(server).check(capsys)
    assert code == 0 and hub_steps(rows) == [True] * 7
    assert rows["hub dns"]["value"] == server.place() == rows["hub tcp"]["value"].split(" ")[0]
    assert rows["hub tls"]["what"].startswith("TLSv1.2, ECDHE-ECDSA-")
    assert rows["hub chain"]["what"].startswith("2 certificates, ")
    assert rows["hub chain"]["value"] == "CN=hub < CN=Issuing CA < CN=Good Root"
    assert rows["hub name"]["what"] == HUB and rows["hub dates"]["what"] in (
        "29 days left", "30 days left")
    assert rows["hub anchor"]["root"] == root.sha256
    assert rows["hub anchor"]["value"] == "factory layer, 0 days of evidence"
    assert [rows[name]["ok"] for name in ("credential", "state", "files", "trust", "clock")] == (
        [True] * 5)


def test_no_credential_leaves_and_nothing_is_written(capsys, home, issuing, tmp_path):
    with Server(issuing.issue("hub", names=[HUB]).below()) as server:
        made = home(server)
        before = sorted(path.name for path in tmp_path.iterdir())
        assert made.check(capsys)[0] == 0
        visits = [server.visit(number) for number in range(2)]
    assert [visit.certificate for visit in visits] == [None, None]
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def _old(context):
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3


def leaf_of(issuing, **about):
    return issuing.issue("hub", names=about.pop("names", [HUB]), **about).below()


WRONG = (
    # the service                     its server                                 bad steps, verdicts
    ("under another name", lambda i: Server(leaf_of(i, names=["other.example"])),
     {"name": "name-mismatch"}),
    ("past its end", lambda i: Server(leaf_of(i, ends=-60)), {"dates": "expired"}),
    ("before its time", lambda i: Server(leaf_of(i, begins=DAY_S)), {"dates": "not-yet-valid"}),
    ("past its end and under another name",
     lambda i: Server(leaf_of(i, names=["other.example"], ends=-60)),
     {"name": "name-mismatch", "dates": "expired"}),
    ("with a certificate for clients", lambda i: Server(leaf_of(i, client=True)),
     {"chain": "wrong-key-use"}),
    ("without names", lambda i: Server(leaf_of(i, names=[])), {"name": "name-mismatch"}),
    ("under a root that is not here", lambda i: Server(authority.root("New Root").issue(
        "Other CA", ca=True).issue("hub", names=[HUB]).below()), {"anchor": "unknown-issuer"}),
    ("under a root that stole the name", lambda i: Server(authority.root("Good Root").issue(
        "Issuing CA", ca=True).issue("hub", names=[HUB]).below()), {"anchor": "unknown-issuer"}),
    ("of TLS 1.3 alone", lambda i: Server(leaf_of(i), tune=_old), {"tls": "protocol-version"}),
    ("of another protocol", lambda i: Server(
        leaf_of(i), instead=lambda visit: visit.sock.sendall(b"220 mail.example ready\r\n" * 9)),
     {"tls": "malformed-handshake"}),
    ("that hangs up", lambda i: Server(leaf_of(i), instead=lambda visit: None), {"tls": "cut"}),
)  # fmt: skip


@pytest.mark.parametrize("serve, expected", [row[1:] for row in WRONG],
                         ids=[row[0] for row in WRONG])
def test_wrong_service_fails_in_its_own_step_with_a_remedy(capsys, home, issuing, serve, expected):
    with serve(issuing) as server:
        code, rows = home(server).check(capsys)
    bad = {step: rows["hub " + step] for step in STEPS if rows["hub " + step]["ok"] is False}
    assert {step: bad[step]["verdict"] for step in bad} == expected
    assert all(row["remedy"] for row in bad.values())
    first = min(STEPS.index(step) for step in expected)
    assert hub_steps(rows)[:min(first, 3)] == [True] * min(first, 3)
    assert rows["hub anchor"]["ok"] is not True
    assert rows["dps anchor"]["ok"], "the other endpoint is asked for itself"
    assert code == (3 if list(expected.values()) == ["cut"] else 1)


def test_root_that_is_not_here_is_named(capsys, home):
    other = authority.root("New Root").issue("Other CA", ca=True)
    with Server(other.issue("hub", names=[HUB]).below()) as server:
        _, rows = home(server).check(capsys)
    assert "CN=New Root" in rows["hub anchor"]["value"]


def test_closed_port_is_to_be_tried_later_and_the_rest_is_not_tried(capsys, home):
    place = nowhere()
    code, rows = home(place).check(capsys)
    assert code == 3
    assert hub_steps(rows) == [True, False] + [None] * 5
    assert rows["hub tcp"]["verdict"] == "refused" and rows["hub tcp"]["value"] == place
    assert {rows["hub " + step]["what"] for step in STEPS[2:]} == {"not tried: hub tcp"}


def test_second_address_will_do(capsys, home, issuing):
    place = nowhere()
    with Server(issuing.issue("hub", names=[HUB]).below()) as server:
        made = home(place + '", "' + server.place())
        code, rows = made.check(capsys)
    assert code == 0 and "%s: refused" % place in rows["hub tcp"]["value"]


def test_name_that_leads_nowhere_is_the_first_step(capsys, home, tmp_path):
    (tmp_path / "names.json").write_text("[]")
    code, rows = home(nowhere(), resolve='resolve_file = "names.json"\n').check(capsys)
    assert code == 3 and hub_steps(rows) == [False] + [None] * 6
    assert rows["hub dns"]["verdict"] == "table-malformed"


def test_hub_that_is_not_assigned_yet_is_no_failure(capsys, tmp_path, root, dps):
    made = Home(tmp_path, root, nowhere(), dps.place())
    text = (tmp_path / "anchorwatch.toml").read_text().replace('host = "hub.example"\n', "")
    (tmp_path / "anchorwatch.toml").write_text(text)
    code, rows = made.check(capsys)
    assert code == 0 and hub_steps(rows) == [None] * 7
    assert rows["hub dns"]["what"] == "not tried: not assigned yet"


@pytest.mark.parametrize("wish", ["prefer", "require"])
def test_short_records_are_told_with_what_was_asked_and_agreed(capsys, home, issuing, wish):
    more = '[tls.hub]\nmax_fragment = "%s"\nmax_fragment_bytes = 1024\n' % wish
    with Server(issuing.issue("hub", names=[HUB]).below()) as server:
        code, rows = home(server, more=more).check(capsys)
    assert code == 0 and rows["hub tls"]["value"] == "records of 1024 bytes"
    assert rows["hub tls"]["fragment"] == {"asked": 1024, "negotiated": 1024, "reason": ""}
    assert "fragment" not in rows["dps tls"]


@pytest.mark.parametrize("wish, code, verdict", [
    ("prefer", 0, ""), ("require", 1, "fragment-unavailable")])
def test_short_records_that_cannot_be_asked_for_are_told_with_the_reason(
        capsys, home, issuing, monkeypatch, wish, code, verdict):
    monkeypatch.delattr(_ssl, "__file__")  # as where OpenSSL is linked into the interpreter
    with Server(issuing.issue("hub", names=[HUB]).below()) as server:
        made = home(server, more='[tls.hub]\nmax_fragment = "%s"\n' % wish)
        found, rows = made.check(capsys)
    assert (found, rows["hub tls"]["verdict"]) == (code, verdict)
    assert "OpenSSL is a part of the interpreter" in rows["hub tls"]["value"]


def test_chain_is_not_ready_where_short_records_are_required_and_cannot_be_asked_for(
        capsys, home, issuing, root, monkeypatch, tmp_path):
    chain = tmp_path / "chain.pem"
    chain.write_bytes(b"".join(
        one.pem for one in issuing.issue("x", names=[HUB, DPS]).below()))
    made = home(nowhere(), more='[tls.hub]\nmax_fragment = "require"\n')
    code, rows = made.check(capsys, "--rehearse", str(chain))
    assert code == 0 and rows["hub ready"]["verdict"] == "ready"
    monkeypatch.delattr(_ssl, "__file__")
    code, rows = made.check(capsys, "--rehearse", str(chain))
    assert code == 1 and rows["hub ready"]["verdict"] == "fragment"
    assert rows["hub ready"]["remedy"] and rows["dps ready"]["verdict"] == "ready"


def test_files_of_the_site_layer_that_are_left_out_are_told(capsys, home, issuing, tmp_path):
    with Server(issuing.issue("hub", names=[HUB]).below()) as server:
        made = home(server)
        (tmp_path / "state" / "site").mkdir(parents=True)
        (tmp_path / "state" / "site" / "leaf.pem").write_bytes(
            issuing.issue("hub", names=[HUB]).pem)
        code, rows = made.check(capsys)
    assert code == 1 and rows["files"]["ok"] is False and "leaf.pem" in rows["files"]["value"]
    assert rows["hub anchor"]["ok"]


def test_every_row_has_the_keys_of_the_contract(capsys, home):
    _, rows = home(nowhere()).check(capsys)
    keys = {"check", "endpoint", "step", "ok", "fault", "verdict", "what", "value", "remedy"}
    assert [name for name in rows if not keys <= set(rows[name])] == []
    assert [row for row in rows.values() if row["ok"] is False and not row["remedy"]] == []


def test_table_shows_failures_without_colour_and_counts_them(capsys, home):
    code, out = home(nowhere()).read(capsys)
    lines = out.splitlines()
    assert code == 3
    assert [line.split()[2:4] for line in lines if line.startswith("! BAD")] == [["hub", "tcp"]]
    assert [line for line in lines if line.startswith("  --")] == [
        "  --  hub tls, chain, name, dates, anchor  not tried: hub tcp"]
    assert lines[-1] == "1 of 14 failed: hub tcp"


def test_exit_codes_follow_from_the_rows():
    good, line = {"ok": True, "fault": ""}, {"ok": False, "fault": "network"}
    bad, untried = {"ok": False, "fault": "trust"}, {"ok": None, "fault": ""}
    assert [exit_code(rows) for rows in ([good, untried], [line, good], [line, bad])] == [0, 3, 1]
    assert [rehearsed_code(rows) for rows in ([good, untried], [untried], [good, bad])] == [0, 1, 1]


# Rehearsals.

@pytest.mark.parametrize("word, code, at_hub, at_dps", [
    ("g2-rsa", 1, "absent", "absent"), ("baltimore", 1, "expired", "expired"),
    ("g3-ecc", 1, "absent", ""),
])
def test_profile_is_answered_for_each_endpoint_that_may_present_it(
        capsys, home, word, code, at_hub, at_dps):
    found, rows = home(nowhere()).check(capsys, "--rehearse", word)
    assert found == code and rows["hub ready"]["verdict"] == at_hub
    assert rows["dps ready"]["verdict"] == at_dps


def test_package_itself_is_ready_for_what_the_services_announced(capsys, home, tmp_path):
    made = home(nowhere())
    (tmp_path / "anchorwatch.toml").write_text(
        (tmp_path / "anchorwatch.toml").read_text().replace('factory_dir = "factory"\n', ""))
    for word in ("g2-rsa", "g2-rsa-long", "g3-ecc", "msrsa2017", "msecc2017"):
        code, rows = made.check(capsys, "--rehearse", word)
        assert code == 0 and rows["hub ready"]["verdict"] == "ready", word
        assert rows["hub ready"]["layer"] == "factory"
    assert made.check(capsys, "--rehearse", "sovereign")[1]["dps ready"]["verdict"] == "absent"
    code, out = made.read(capsys, "--rehearse", "sovereign")
    assert code == 1 and "absent: DigiCert Global Root CA" in out and "roots add FILE" in out


def test_rehearsal_asks_nobody(capsys, home, issuing, tmp_path):
    leaf = issuing.issue("hub", names=[HUB])
    with Server(leaf.below()) as server:
        made = home(server)
        assert made.check(capsys, "--rehearse", "g2-rsa")[0] == 1
        made.check(capsys, "--rehearse", chain_file(tmp_path, leaf.below()))
        assert server.visits == []


def test_without_an_announcement_there_is_nothing_to_be_ready_for(capsys, home):
    code, rows = home(nowhere()).check(capsys, "--rehearse", "announced")
    assert code == 0 and "announces" in rows["ready"]["what"]


def _bundle(folder, announcements):
    """A committed vendor bundle as the agent keeps it, and its frame."""
    maker = signed.Maker()
    maker.put_trust(dict(signed.trust_tree(), announcements=announcements))
    files = {name.partition(".")[2] if name[0].isdigit() else name: data
             for name, data in maker.published().items() if not name.endswith(".der")}
    files.update(maker.files)
    kept = folder / "state" / "bundle" / "1"
    kept.mkdir(parents=True)
    (folder / "state").chmod(0o700)
    signed.write(kept, {name: files[name] for name in files if "/" not in name})
    names = ("root.json", "timestamp.json", "snapshot.json", "targets.json", "trust.json")
    assert set(names) <= {path.name for path in kept.iterdir()}
    record = dict(records.none(), folder=1, in_force=1, stage="committed", version=1,
                  digest=authority.sha256(files["trust.json"]))
    Store(open_folder(str(folder / "state")), None, print).save("trust", {
        "seen": {}, "proven": {}, "kept": {}, "bundles": {"vendor": record}})


def test_announced_roots_are_answered_from_the_bundle_on_the_disk(capsys, home, tmp_path):
    made = home(nowhere())
    later = "2027-01-31T00:00:00Z"
    _bundle(tmp_path, [{"endpoint": "hub", "root": readiness.G2, "date": later},
                       {"endpoint": "dps", "root": readiness.MS_RSA, "date": later}])
    code, rows = made.check(capsys, "--rehearse", "announced")
    assert code == 1
    assert rows["hub ready"]["verdict"] == "ready" and rows["hub ready"]["layer"] == "vendor"
    assert rows["hub ready"]["value"] == "from 2027-01-31, vendor layer"
    assert rows["dps ready"]["verdict"] == "absent" and rows["dps ready"]["remedy"]
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["bundle", "trust.1"]


def limited(root, **limits):
    """A rehearsal where the vendor brings `root` with limits, and the factory another one."""
    watch = Watch(Config(tomllib.loads(TEXT), "/nowhere"), lambda n: 0)
    ders = {root.sha256: root.der}
    vendor = {"anchors": [dict(anchor_entry(root.der), **limits)], "distrust": []}
    other = authority.root("Other Root")
    factory = {"anchors": [anchor_entry(other.der)], "distrust": []}
    watch.handle(Start(True, {}, {"factory": factory}, {"slot": "a"}), 0)
    watch.handle(ClockSet(NOW_S, "rtc"), 0)
    watch.trust.anchors.layers["vendor"] = vendor
    return Rehearsal(watch, dict(ders, **{other.sha256: other.der}).get, 0)


LIMITS = (
    # the anchor                   its limits                                          the word
    ("active",                     {"state": "active"},                                "ready"),
    ("staged",                     {"state": "staged"},                                "reserve"),
    ("retired",                    {"state": "retired"},                               "reserve"),
    ("for another endpoint",       {"scope": ["dps"]},                            "out-of-scope"),
    ("for other names",            {"suffixes": [".elsewhere"]},                  "out-of-scope"),
    ("for leaves of last week",    {"leaf_not_before_max": NOW_S - 9 * DAY_S},          "sunset"),
    ("for leaves until tomorrow",  {"leaf_not_before_max": NOW_S + DAY_S},               "ready"),
)  # fmt: skip


@pytest.mark.parametrize("limits, word", [row[1:] for row in LIMITS], ids=[r[0] for r in LIMITS])
def test_chain_is_as_good_as_its_anchor(issuing, root, limits, word):
    rehearsal = limited(root, **limits)
    rehearsal.file([one.der for one in leaf_of(issuing)], "chain.pem")
    rows = {row["check"]: row for row in rehearsal.found.rows}
    assert rows["hub ready"]["verdict"] == word
    assert rows["hub ready"]["ok"] is (word in ("ready", "reserve"))


def test_neither_profile_nor_file_is_wrong_usage(capsys, home):
    code = cli.main(["--config", home(nowhere()).config, "check", "--rehearse", "g4-rsa"])
    error = capsys.readouterr().err
    assert code == 2 and "g4-rsa" in error and "g2-rsa-long" in error and "announced" in error


def chain_file(folder, chain):
    file = folder / "chain.pem"
    file.write_bytes(b"".join(one.pem for one in chain))
    return str(file)


def _tampered(issuing):
    """The leaf with another signature than its issuer's."""
    stranger = authority.root("Good Root").issue("Issuing CA", ca=True)
    good, other = leaf_of(issuing), leaf_of(stranger)
    spoiled = good[0].der[:-8] + other[0].der[-8:]
    text = base64.encodebytes(spoiled).decode()
    good[0].pem = ("-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n" % text).encode()
    return good


def _weak(issuing):
    key = authority.rsa.generate_private_key(public_exponent=65537, key_size=1024)
    made = authority._certificate("hub", key, issuing, False, [HUB], -DAY_S, DAY_S, False)
    return authority.Holder(key, made, issuing).below()


CHAINS = (
    # the chain                       made of                                            the word
    ("sound", lambda i: leaf_of(i), "ready"),
    ("sound, with an RSA leaf", lambda i: leaf_of(i, key="rsa"), "ready"),
    ("sound, its root presented too", lambda i: [*leaf_of(i), i.issuer], "ready"),
    ("under another name", lambda i: leaf_of(i, names=["other.example"]), "chain-name-mismatch"),
    ("past its end", lambda i: leaf_of(i, ends=-60), "chain-expired"),
    ("before its time", lambda i: leaf_of(i, begins=DAY_S), "chain-not-yet-valid"),
    ("without its intermediate", lambda i: leaf_of(i)[:1], "chain-incomplete"),
    ("with a weak key", _weak, "chain-weak-key"),
    ("with a spoiled signature", _tampered, "chain-bad-signature"),
    ("upside down", lambda i: leaf_of(i)[::-1], "chain-name-mismatch"),
    ("for clients", lambda i: leaf_of(i, client=True), "chain-wrong-key-use"),
    ("of nine certificates", lambda i: leaf_of(i) + [i] * 7, "chain-too-long"),
    ("under a root that is not here",
     lambda i: leaf_of(authority.root("New Root").issue("Other CA", ca=True)), "absent"),
    ("under a root that stole the name",
     lambda i: leaf_of(authority.root("Good Root").issue("Other CA", ca=True)), "absent"),
)  # fmt: skip


@pytest.mark.parametrize("make, word", [row[1:] for row in CHAINS], ids=[row[0] for row in CHAINS])
def test_chain_in_a_file_is_answered_by_a_word(capsys, home, issuing, tmp_path, make, word):
    file = chain_file(tmp_path, make(issuing))
    code, rows = home(nowhere()).check(capsys, "--rehearse", file)
    row = rows["hub ready"]
    assert row["verdict"] == word and row["ok"] is (word == "ready")
    assert bool(row["remedy"]) is (word != "ready")
    assert code == 1, "it carries no name of the DPS"
    assert rows["dps ready"]["ok"] is False


def test_chain_for_both_endpoints_is_ready_and_says_by_which_anchor(capsys, home, issuing, root,
                                                                    tmp_path):
    file = chain_file(tmp_path, issuing.issue("hub", names=[HUB, DPS]).below())
    code, rows = home(nowhere()).check(capsys, "--rehearse", file)
    assert code == 0 and rows["hub ready"]["root"] == rows["dps ready"]["root"] == root.sha256
    assert rows["hub ready"]["layer"] == "factory" and "Good Root" in rows["hub ready"]["what"]


def test_chain_under_a_distrusted_root_is_told_so(capsys, home, issuing, root, tmp_path):
    made = home(nowhere())
    other = authority.root("Second Root")
    (tmp_path / "factory" / "second.pem").write_bytes(other.pem)
    (tmp_path / "state" / "site").mkdir(parents=True)
    (tmp_path / "state" / "site" / "distrust").write_text(root.sha256 + "\n")
    code, rows = made.check(capsys, "--rehearse", chain_file(tmp_path, leaf_of(issuing)))
    assert code == 1 and rows["hub ready"]["verdict"] == "distrusted"
    assert rows["hub ready"]["root"] == root.sha256


@pytest.mark.parametrize("suites, key, word", [
    ("ecdsa", "rsa", "suites"), ("rsa", "p256", "suites"), ("rsa", "rsa", "ready"),
    ("ecdsa", "p384", "ready"),
])
def test_leafs_key_needs_a_suite(capsys, home, issuing, tmp_path, suites, key, word):
    made = home(nowhere(), more='[tls.hub]\nsuites = "%s"\n' % suites)
    _, rows = made.check(capsys, "--rehearse", chain_file(tmp_path, leaf_of(issuing, key=key)))
    assert rows["hub ready"]["verdict"] == word


def test_rsa_root_is_found_where_every_key_must_be_elliptic(capsys, tmp_path, dps):
    root = authority.root("RSA Root", key="rsa")
    made = Home(tmp_path, root, nowhere(), dps.place(), more="[tls.hub]\nall_ecc = true\n")
    chain = leaf_of(root.issue("Issuing CA", ca=True))
    _, rows = made.check(capsys, "--rehearse", chain_file(tmp_path, chain))
    assert rows["hub ready"]["verdict"] == "not-ecc"


def test_key_in_the_file_is_refused_and_not_shown(capsys, home, issuing, tmp_path):
    (tmp_path / "key.pem").write_bytes(issuing.key_pem)
    code = cli.main(["--config", home(nowhere()).config, "check", "--rehearse",
                     str(tmp_path / "key.pem")])
    error = capsys.readouterr().err
    assert code == 1 and "private key where a certificate is expected" in error
    assert "MI" not in error


def test_library_has_the_last_word_without_a_key(root, issuing):
    """Whatever its complaint about a wrong signature is called, only a trusted chain earns it."""
    profile = {"suites": "any", "strict": True}
    chain = [one.der for one in leaf_of(issuing)]
    other = authority.root("Other").der
    assert keyless.verdict(chain, [other, root.der], profile, HUB, "ec") == "ok"
    assert keyless.verdict(chain, [other], profile, HUB, "ec") == "unknown-issuer"
    assert keyless.verdict(chain, [], profile, HUB, "ec") == "unknown-issuer"
    assert keyless.verdict(chain, [root.der], profile, "x.example", "ec") == "name-mismatch"
    assert keyless.verdict(chain, [root.der], profile, HUB, "rsa") != "ok"
    assert keyless.verdict(chain[:1], [root.der], profile, HUB, "ec") == (
        "unknown-issuer")


AUTO = '[mqtt]\ntransport = "auto"\n'
HTTPS = '"hub.example:443" = ["%s"]\n'


def test_8883_blocked_and_443_open_is_told_with_the_way_out(capsys, home, issuing):
    place = nowhere()
    with Server(issuing.issue("hub", names=[HUB]).below()) as server:
        code, rows = home(place, resolve=HTTPS % server.place()).check(capsys)
    assert code == 3 and hub_steps(rows) == [True, False] + [None] * 5
    row = rows["hub tcp"]
    assert row["value"] == place + ", 8883 blocked, 443 open" and row["verdict"] == "refused"
    assert "transport = auto" in row["remedy"]


def test_where_the_agent_takes_the_other_way_the_check_goes_on_there(capsys, home, issuing):
    place = nowhere()
    with Server(issuing.issue("hub", names=[HUB]).below()) as server:
        code, rows = home(place, more=AUTO, resolve=HTTPS % server.place()).check(capsys)
    assert code == 0 and hub_steps(rows) == [True] * 7
    assert rows["hub tcp"]["what"] == "8883 blocked, 443 open"
    assert rows["hub tcp"]["value"] == place + ": refused; it goes in a websocket"


def test_8883_that_hangs_up_in_the_handshake_is_blocked_too(capsys, home, issuing):
    good = issuing.issue("hub", names=[HUB]).below()
    with Server(good, instead=lambda visit: visit.more()) as cut, Server(good) as server:
        code, rows = home(cut, resolve=HTTPS % server.place()).check(capsys)
    assert code == 3 and hub_steps(rows)[:3] == [True, True, False]
    assert rows["hub tls"]["verdict"] == "cut"
    assert rows["hub tls"]["value"].endswith("8883 blocked, 443 open")


def test_where_neither_port_opens_nothing_is_said_of_the_other(capsys, home):
    place = nowhere()
    code, rows = home(place, more=AUTO, resolve=HTTPS % nowhere()).check(capsys)
    assert code == 3 and rows["hub tcp"]["value"] == place


def test_websocket_is_checked_at_the_https_port(capsys, home, issuing):
    good = issuing.issue("hub", names=[HUB]).below()
    with Server(good) as server, Server(issuing.issue("dps", names=[DPS]).below()) as dps:
        lines = HTTPS % server.place() + '"dps.example:443" = ["%s"]\n' % dps.place()
        made = home(nowhere(), more='[mqtt]\ntransport = "websocket"\n', resolve=lines)
        code, rows = made.check(capsys)
    assert code == 0 and hub_steps(rows) == [True] * 7
    assert rows["hub dns"]["value"] == server.place()


def test_every_step_is_checked_through_a_proxy(capsys, home, issuing, root):
    with Server(issuing.issue("hub", names=[HUB]).below()) as server, Proxy() as proxy:
        made = home(server, more='[mqtt]\nproxy = "%s"\n' % proxy.url())
        code, rows = made.check(capsys)
        assert server.place() in proxy.targets()
    assert code == 0 and hub_steps(rows) == [True] * 7
    assert rows["hub dns"]["value"] == "%s, through %s" % (server.place(), proxy.url())
    assert rows["hub anchor"]["root"] == root.sha256


def test_proxy_that_wants_a_password_is_told_in_the_step_of_the_line(capsys, home, issuing):
    with Server(issuing.issue("hub", names=[HUB]).below()) as server, Proxy({}) as proxy:
        code, rows = home(server, more='[mqtt]\nproxy = "%s"\n' % proxy.url()).check(capsys)
    assert code == 1 and hub_steps(rows)[:2] == [True, False]
    assert rows["hub tcp"]["verdict"] == "proxy-credentials"
    assert "proxy_auth_file" in rows["hub tcp"]["remedy"]


def test_proxy_that_inspects_tls_is_guessed_from_the_issuer(capsys, home):
    inside = authority.root("Zscaler Root CA").issue("Zscaler Intermediate", ca=True)
    with Server(inside.issue("hub", names=[HUB]).below()) as server:
        code, rows = home(server).check(capsys)
    assert code == 1 and rows["hub anchor"]["verdict"] == "intercepted"
    assert rows["hub anchor"]["value"].startswith("a proxy inspects TLS: issuer CN=Zscaler Root CA")
    assert "never add the root" in rows["hub anchor"]["remedy"]
