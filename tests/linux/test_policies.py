"""Each policy of the services under each profile of a device: one table of what comes of it.

Rule: a real front of the emulated cloud on one side, the agent's own dialer on the other; the
suites are the services', written here by hand.
"""

import asyncio
import socket
import ssl
import threading

import pytest

from anchorwatch.core.events import Verified
from hil.cloud.broker import Broker
from hil.cloud.certificates import Authority
from hil.cloud.clock import Clock
from hil.cloud.front import Listener
from hil.cloud.journal import Journal
from hil.cloud.tlspolicy import POLICIES, Presented
from tests.linux.dialling import DPS, HUB, der_of, dial

pytestmark = pytest.mark.tls
HOSTS = [HUB, DPS]
ROOTS = ("g1", "g2", "g3")
RSA_SUITE, ECC_SUITE = "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"
NO_SUITE, NOT_ECC = ("policy", "no-common-suite"), ("policy", "not-ecc")
# The chains that each policy is seen with in the field.
CHAINS = {"classic": ("g2-rsa", "g3-ecc"), "legacy": ("g2-rsa", "g3-ecc"),
          "device-endpoint": ("g2-rsa", "g3-ecc"), "dps": ("g2-rsa", None),
          "sovereign": ("g1-rsa", None)}  # fmt: skip

# policy, suites of the device, all_ecc, what comes of it: (root, suite) or (class, word)
TABLE = (
    ("classic",         "rsa",   False, ("g2", RSA_SUITE)),
    ("classic",         "ecdsa", False, ("g3", ECC_SUITE)),
    ("classic",         "any",   False, ("g2", RSA_SUITE)),
    ("classic",         "ecdsa", True,  ("g3", ECC_SUITE)),
    ("classic",         "any",   True,  NOT_ECC),
    ("legacy",          "rsa",   False, ("g2", RSA_SUITE)),
    ("legacy",          "ecdsa", False, ("g3", ECC_SUITE)),
    ("legacy",          "any",   False, ("g2", RSA_SUITE)),
    ("legacy",          "ecdsa", True,  ("g3", ECC_SUITE)),
    ("legacy",          "any",   True,  NOT_ECC),
    ("device-endpoint", "rsa",   False, ("g2", RSA_SUITE)),
    ("device-endpoint", "ecdsa", False, ("g3", ECC_SUITE)),
    ("device-endpoint", "any",   False, ("g2", RSA_SUITE)),
    ("device-endpoint", "ecdsa", True,  ("g3", ECC_SUITE)),
    ("device-endpoint", "any",   True,  NOT_ECC),
    ("dps",             "rsa",   False, ("g2", RSA_SUITE)),
    ("dps",             "ecdsa", False, NO_SUITE),
    ("dps",             "any",   False, ("g2", RSA_SUITE)),
    ("dps",             "ecdsa", True,  NO_SUITE),
    ("dps",             "any",   True,  NOT_ECC),
    ("sovereign",       "rsa",   False, ("g1", RSA_SUITE)),
    ("sovereign",       "ecdsa", False, NO_SUITE),
    ("sovereign",       "any",   False, ("g1", RSA_SUITE)),
    ("sovereign",       "ecdsa", True,  NO_SUITE),
    ("sovereign",       "any",   True,  NOT_ECC),
)  # fmt: skip


class Fronts:
    """A front for each policy, on an event loop in a thread."""

    def __init__(self, authority):
        self.authority, self.journal = authority, Journal()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._fronts = {policy: self._open(policy) for policy in POLICIES}

    def place(self, policy):
        return "127.0.0.1:%d" % self._fronts[policy].port

    def rows(self):
        """The handshakes so far, once the front is done with what it has answered."""
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result(10)
        return self.journal.of("tls handshake")

    def _open(self, policy):
        chains = [name and self.authority.chain(name, HOSTS) for name in CHAINS[policy]]
        presented = Presented(chains[0], policy, chains[1])
        broker = Broker(policy, None, self.journal)
        front = Listener(policy, broker.accept, presented, self.journal, Clock())
        asyncio.run_coroutine_threadsafe(front.open("127.0.0.1", 0), self._loop).result(10)
        return front

    def close(self):
        for front in self._fronts.values():
            self._loop.call_soon_threadsafe(front.close)
            self._loop.call_soon_threadsafe(front.cut_all)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def fronts(authority):
    made = Fronts(authority)
    yield made
    made.close()


def roots_of(authority, *names):
    return [der_of(authority.root(name).certificate) for name in names]


def came_to(event, authority):
    """(root, suite) or (class, word)."""
    if not isinstance(event, Verified):
        return (event.fault, event.verdict)
    subjects = {authority.root(name).certificate.subject.rfc4514_string(): name for name in ROOTS}
    common = {text.partition(",")[0]: name for text, name in subjects.items()}
    return (common[event.names[-1].partition(",")[0]], event.tls["suite"])


def test_table_has_every_policy_with_every_kind_of_suites():
    assert {(policy, suites) for policy, suites, _, _ in TABLE} == {
        (policy, suites) for policy in POLICIES for suites in ("rsa", "ecdsa", "any")}


@pytest.mark.parametrize("policy, suites, all_ecc, expected", TABLE)
def test_profile_under_policy(fronts, authority, policy, suites, all_ecc, expected):
    roots = roots_of(authority, *ROOTS)
    for endpoint in ("hub", "dps"):
        event = dial(endpoint, fronts.place(policy), roots, suites=suites, all_ecc=all_ecc)
        assert came_to(event, authority) == expected


@pytest.mark.parametrize("policy", ["classic", "legacy", "device-endpoint"])
@pytest.mark.parametrize("suites", ["rsa", "ecdsa", "any"])
def test_short_records_are_had_where_they_are_documented(fronts, authority, policy, suites):
    event = dial("hub", fronts.place(policy), roots_of(authority, *ROOTS), suites=suites,
                 max_fragment="require")
    if isinstance(event, Verified):
        assert event.tls["fragment"] == {"asked": 512, "negotiated": 512, "reason": ""}
    else:  # a Python whose OpenSSL cannot be asked
        assert (event.fault, event.verdict) == ("policy", "fragment-unavailable")


def test_sovereign_cloud_is_an_unknown_root_for_who_left_its_root_out(fronts, authority):
    event = dial("hub", fronts.place("sovereign"), roots_of(authority, "g2", "g3"))
    assert (event.fault, event.verdict) == ("trust", "unknown-issuer")
    assert "CN=DigiCert Global Root CA" in event.presented[-1]


@pytest.mark.parametrize("policy", POLICIES)
def test_client_without_a_name_is_refused_by_the_device_endpoint_alone(fronts, policy):
    """Not by the agent, which always says whom it wants: a client of the library's own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = fronts.place(policy).split(":")
    with socket.create_connection((host, int(port)), 10) as sock:
        if policy == "device-endpoint":
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(sock)
        else:
            context.wrap_socket(sock).close()


@pytest.mark.parametrize("policy, newest", [
    ("classic", "TLSv1.2"), ("dps", "TLSv1.2"), ("device-endpoint", "TLSv1.3")])
def test_newest_version_is_offered_by_the_device_endpoint_alone(fronts, authority, policy, newest):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=b"".join(roots_of(authority, *ROOTS)))
    host, port = fronts.place(policy).split(":")
    with socket.create_connection((host, int(port)), 10) as sock:
        with context.wrap_socket(sock, server_hostname=HUB) as tls:
            assert tls.version() == newest


def test_journal_names_the_chain_that_was_really_shown(fronts, authority):
    for suites, chain in (("ecdsa", "g3-ecc"), ("rsa", "g2-rsa")):
        dial("hub", fronts.place("classic"), roots_of(authority, *ROOTS), suites=suites)
        assert fronts.rows()[-1]["chain"] == chain
