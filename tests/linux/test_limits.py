"""Anchors that are offered with a limit, against real TLS servers: who gets in, and who sees what.

The attacker here holds the key of a root that was distrusted and is on hold; what he lacks is the
key of the issuer that the device knew before.
"""

import ssl

import pytest

from anchorwatch.core.actions import AskDate, Dial, LookUp
from anchorwatch.core.events import Verified
from anchorwatch.errors import LinkError
from anchorwatch.linux.dial import Dialer
from anchorwatch.linux.resolve import Resolver
from tests.linux import authority
from tests.linux.authority import DAY_S, NOW_S
from tests.linux.servers import Server

pytestmark = pytest.mark.tls

HOST, PORT = "hub.example.net", 8883
PROFILE = {"suites": "any", "max_fragment": "off", "strict": True, "all_ecc": False,
           "check_time": False}
LEAF_BEGAN = NOW_S - DAY_S
ON_HOLD, SUNSET = ("trust", "on-hold"), ("trust", "sunset")


@pytest.fixture(scope="module")
def root():
    return authority.root("Held Root")


@pytest.fixture(scope="module")
def issuing(root):
    return root.issue("Issuing CA", ca=True)


@pytest.fixture(scope="module")
def leaf(issuing):
    return issuing.issue("hub", names=[HOST])


@pytest.fixture(scope="module")
def forged(root):
    """A leaf of the attacker's own intermediate, which has the known one's name."""
    return root.issue("Issuing CA", ca=True).issue("hub", names=[HOST])


@pytest.fixture(scope="module")
def free():
    return authority.root("Free Root")


@pytest.fixture(scope="module")
def decoy():
    """An intermediate that seems to lead from the same name to an anchor without a limit."""
    return authority.root("Free Root").issue("Issuing CA", ca=True)


@pytest.fixture(scope="module")
def tenant():
    return authority.root("Tenant CA")


@pytest.fixture(scope="module")
def device(tenant):
    return tenant.issue("dev-7", client=True)


def hold(root, *known):
    return {root.sha256: {"leaf_not_before_max": None, "issuers": [k.spki_sha256 for k in known]}}


def sunset(root, utc_s):
    return {root.sha256: {"leaf_not_before_max": utc_s, "issuers": None}}


def dialer(anchors, servers, credential):
    table = {"%s:%d" % (HOST, PORT): [server.place() for server in servers]}
    return Dialer(Resolver(table, None), {one.sha256: one.der for one in anchors}.__getitem__,
                  lambda slot: credential, lambda: NOW_S, 5, 10)


def dial(anchors, limits, *servers, credential=None):
    made = dialer(anchors, servers, credential)
    order = Dial("live", "hub", HOST, PORT, "mqtt", sorted(one.sha256 for one in anchors), limits,
                 PROFILE, "a" if credential else None, NOW_S, "", "own")
    event, sock = made.dial(order, made.patience())
    if sock is not None:
        sock.close()
    return event


def outcome(event):
    return event.anchor if isinstance(event, Verified) else (event.fault, event.verdict)


def seen_by(server, device):
    """Whether the device's certificate, or a word after the handshake, reached the server."""
    visit = server.visit()
    return device.der in visit.raw or visit.shaken.is_set()


def test_issuer_known_before_the_hold_passes(root, issuing, leaf, tenant, device, tmp_path):
    with Server(leaf.below(), client_ca=tenant) as server:
        event = dial([root], hold(root, issuing), server, credential=device.write(tmp_path))
        assert outcome(event) == root.sha256
        assert event.issuer_spki == issuing.spki_sha256
        assert server.visit().certificate == device.der


@pytest.mark.parametrize("beside", ["alone", "behind", "in front"])
def test_attacker_with_the_held_roots_key_sees_nothing_but_a_hello(
        root, issuing, forged, tenant, device, tmp_path, beside):
    leaf, fresh = forged.below()
    chain = {"alone": [leaf, fresh], "behind": [leaf, fresh, issuing],
             "in front": [leaf, issuing, fresh]}[beside]
    with Server(chain, client_ca=tenant) as server:
        event = dial([root], hold(root, issuing), server, credential=device.write(tmp_path))
        assert outcome(event) == ON_HOLD
        raw = server.visit().raw
        assert len(raw) == 5 + int.from_bytes(raw[3:5], "big")
    assert event.chain == [one.sha256 for one in chain]


def test_attacker_cannot_hide_behind_an_anchor_without_a_limit(
        root, issuing, forged, free, decoy, tenant, device, tmp_path):
    """By the names the path could end in the free anchor: so it is tried, with that one alone."""
    with Server([*forged.below(), decoy], client_ca=tenant) as server:
        event = dial([root, free], hold(root, issuing), server, credential=device.write(tmp_path))
        assert outcome(event) == ON_HOLD
        assert not seen_by(server, device)


def test_name_that_only_the_library_takes_for_the_known_one_is_caught_before_mqtt(
        root, issuing, forged):
    """OpenSSL folds a tab into a space: the second lock judges the chain that it verified."""
    leaf, fresh = forged.below()
    told = []
    tabbed = fresh.named("Issuing\tCA", root)
    with Server([leaf, tabbed, issuing], lambda visit: told.append(visit.read())) as server:
        assert outcome(dial([root], {}, server)) == root.sha256
    with Server([leaf, tabbed, issuing], lambda visit: told.append(visit.read())) as server:
        event = dial([root], hold(root, issuing), server)
        assert server.visit().shaken.is_set()
    assert outcome(event) == ON_HOLD
    assert told == [b"", b""]


def test_leaf_of_the_held_root_itself_counts_by_the_roots_key(root, issuing):
    direct = root.issue("hub", names=[HOST])
    with Server(direct.below()) as server:
        assert outcome(dial([root], hold(root, root), server)) == root.sha256
        assert outcome(dial([root], hold(root, issuing), server)) == ON_HOLD


def test_leaf_of_the_last_second_before_the_sunset_passes_and_the_next_one_does_not(
        root, leaf, tenant, device, tmp_path):
    files = device.write(tmp_path)
    with Server(leaf.below(), client_ca=tenant) as server:
        assert outcome(dial([root], sunset(root, LEAF_BEGAN), server)) == root.sha256
    with Server(leaf.below(), client_ca=tenant) as server:
        event = dial([root], sunset(root, LEAF_BEGAN - 1), server, credential=files)
        assert outcome(event) == SUNSET
        assert not seen_by(server, device)


def test_anchor_of_the_same_name_without_a_limit_verifies_its_own_chains_only(
        root, leaf, tenant, device, tmp_path):
    twin = authority.root("Held Root")
    own = twin.issue("Issuing CA", ca=True).issue("hub", names=[HOST])
    with Server(own.below()) as server:
        assert outcome(dial([root, twin], hold(root), server)) == twin.sha256
    with Server(leaf.below(), client_ca=tenant) as server:
        event = dial([root, twin], hold(root), server, credential=device.write(tmp_path))
        assert outcome(event) == ON_HOLD
        assert not seen_by(server, device)


def test_chain_that_leads_further_to_an_anchor_without_a_limit_is_verified_there(
        root, leaf, free):
    """The root at sunset, cross-signed by its successor: the nearer end would refuse the server."""
    crossed = root.named("Held Root", free)
    with Server([*leaf.below(), crossed]) as server:
        assert outcome(dial([root, free], {}, server)) == root.sha256
        event = dial([root, free], sunset(root, 0), server)
    assert outcome(event) == free.sha256
    assert len(event.chain) == 4


def test_unknown_root_stays_unknown_beside_an_anchor_on_hold(root, free):
    stranger = authority.root("Stranger").issue("hub", names=[HOST])
    with Server(stranger.below()) as server:
        event = dial([root, free], hold(root), server)
    assert outcome(event) == ("trust", "unknown-issuer")


def test_what_one_address_may_end_in_is_not_anothers(
        root, issuing, leaf, forged, free, decoy, tenant, device, tmp_path):
    def drop(visit):  # the flight goes out, which keeps the limit; then the line breaks
        visit.tls = good.context.wrap_bio(*visit.bios, server_side=True)
        visit.more()
        with pytest.raises(ssl.SSLWantReadError):
            visit.tls.do_handshake()
        visit.flush()

    bad_chain = [*forged.below(), decoy]
    with Server(leaf.below(), instead=drop) as good:
        with Server(bad_chain, client_ca=tenant, address="127.0.0.3") as bad:
            event = dial([root, free], hold(root, issuing), good, bad,
                         credential=device.write(tmp_path))
            assert outcome(event) == ON_HOLD
            assert not seen_by(bad, device)


def asked_for_a_date(anchors, limits):
    return AskDate("dps", HOST, PORT, anchors, limits, PROFILE, NOW_S, "")


def looked_up(anchors, limits):
    return LookUp(HOST, PORT, "/", b"{}", "SharedAccessSignature sr=x", anchors, limits, PROFILE,
                  "a", NOW_S, "")


@pytest.mark.parametrize("order", [asked_for_a_date, looked_up])
def test_limits_hold_for_the_conversations_of_https_too(root, issuing, leaf, forged, order):
    asked = order([root.sha256], hold(root, issuing))
    with Server(forged.below()) as server:
        made = dialer([root], [server], None)
        with pytest.raises(LinkError) as caught:
            made.open(asked, None, made.patience())
        assert (caught.value.fault, caught.value.verdict) == ON_HOLD
        assert not server.visit().shaken.is_set()
    with Server(leaf.below()) as server:
        made = dialer([root], [server], None)
        made.open(asked, None, made.patience()).sock.close()
