"""A board's dials to servers that it meets: short records with certificates of its own, a root past
its end, a server that cuts its messages anywhere.

Rule: one run of each program plays all cases; what counts is the verdict and what was on the wire.
"""

import json
import ssl

import pytest
from cryptography.hazmat.primitives import serialization

from tests.linux import authority
from tests.linux.servers import Server
from tests.linux.taps import HANDSHAKE, longest
from tests.linux.test_fragment import ignoring
from tests.micropython import boards, guest, programs

pytestmark = [pytest.mark.micropython, pytest.mark.tls, pytest.mark.lane_firmware]

HOST = "hub.example.net"
SCRIPT = programs.ROOT / "tests" / "micropython" / "board_dials.py"
CHANGED = b"\x14\x03\x03\x00\x01\x01"
WISH = {"suites": "any", "max_fragment": "require", "max_fragment_bytes": 512, "strict": True,
        "all_ecc": False, "check_time": False}  # fmt: skip
NO_WISH = {**WISH, "max_fragment": "off"}
PREFER = {**WISH, "max_fragment": "prefer"}
NAMES = ["name-%03d.example.net" % n for n in range(60)]
NO_MEMORY, LOW_MEMORY = "memory no-memory", "memory low-memory"
BESIDE = "no memory beside the dial"
FREE = (0, *range(120_000, 20_000, -4_000))  # 0 is all of it: the first one loads modules too
GOOD, IGNORED, OFF = "512 ", "None the server ignores it", "None off"


def echo(visit):
    while data := visit.read():
        visit.write(data)


def in_drops(visit, server):
    """A server whose words come byte by byte up to its Finished."""
    visit.sock = Dripping(visit.sock)
    visit.shake(server.context)
    visit.sock.whole = True
    echo(visit)


class Dripping:
    """A socket that sends each byte by itself."""

    whole = False

    def __init__(self, sock):
        self._sock = sock

    def sendall(self, data):
        for piece in [data] if self.whole else [data[at:at + 1] for at in range(len(data))]:
            self._sock.sendall(piece)

    def __getattr__(self, name):
        return getattr(self._sock, name)


class Play:
    """The cases, the files they name and their servers."""

    def __init__(self):
        self.cases, self.files, self.servers = [], {}, {}
        self.tenant = authority.root("Tenant CA")
        self.roots = {"lasting": authority.root("Root"),
                      "past": authority.root("Past Root", ends=-authority.DAY_S)}  # fmt: skip
        self.leaf = self._leaf("lasting")
        own = self.tenant.issue("Devices", ca=True).issue("dev-7", client=True, names=NAMES)
        above = self.tenant.issue("Plants", ca=True).issue("Devices 3", ca=True)
        self.own = {2: own, 3: above.issue("dev-7", client=True, names=NAMES)}
        for name, root in self.roots.items():
            self.files[name + ".der"] = root.der

    def _leaf(self, root, **about):
        below = self.roots[root].issue("Issuing", ca=True)
        return below.issue(HOST, names=[HOST], **about)

    def add(self, name, root="lasting", own=0, profile=NO_WISH, leaf=None, instead=None):
        chain = (leaf or (self.leaf if root == "lasting" else self._leaf(root))).below()
        server = Server(chain, echo, client_ca=self.tenant, ask=ssl.CERT_OPTIONAL,
                        instead=instead and (lambda visit: instead(visit, server)))  # fmt: skip
        self.servers[name] = server
        self.cases.append({
            "name": name, "host": HOST, "port": server.port, "roots": [root + ".der"],
            "chain": self._shown(own), "key": "%d.key" % own, "profile": profile, "size": 1500,
            "judge_utc_s": authority.NOW_S, "free": 0, "own": own,
        })  # fmt: skip

    def _shown(self, own):
        if not own:
            return []
        chain = self.own[own].below()
        for number, one in enumerate(chain):
            self.files["%d-%d.der" % (own, number)] = one.der
        self.files["%d.key" % own] = self.own[own].key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())  # fmt: skip
        return ["%d-%d.der" % (own, number) for number in range(len(chain))]


@pytest.fixture(scope="module")
def play():
    made = Play()
    made.add("chain of two", own=2, profile=WISH)
    made.add("chain of three", own=3, profile=WISH)
    made.add("not agreed", own=3, profile=PREFER, instead=_ignoring(made.leaf))
    made.add("must", own=3, profile=WISH, instead=_ignoring(made.leaf))
    made.add("not asked", own=3)
    made.add("in drops", own=2, profile=WISH, instead=in_drops)
    made.add("past root", root="past")
    made.add("past leaf", leaf=made._leaf("lasting", begins=-9 * authority.DAY_S,
                                          ends=-authority.DAY_S))  # fmt: skip
    made.add("past leaf and root", root="past", leaf=made._leaf(
        "past", begins=-9 * authority.DAY_S, ends=-authority.DAY_S))  # fmt: skip
    yield made
    for server in made.servers.values():
        server.__exit__()


def _ignoring(leaf):
    talk = ignoring(leaf)
    return lambda visit, server: talk(Heard(visit))


class Heard:
    """A visit whose socket keeps what comes."""

    def __init__(self, visit):
        self.sock, self.shaken = _Kept(visit), visit.shaken


class _Kept:
    def __init__(self, visit):
        self._visit, self._sock = visit, visit.sock

    def recv(self, most):
        data = self._sock.recv(most)
        self._visit.raw += data
        return data

    def __getattr__(self, name):
        return getattr(self._sock, name)


def put(play, folder, cases):
    for name, data in {**play.files, "cases.json": json.dumps(cases).encode()}.items():
        (folder / name).write_bytes(data)


def words(text):
    """{case: its word}"""
    return dict(line.split(": ", 1) for line in text.splitlines())


def on_unix(play, folder):
    put(play, folder, play.cases)
    return programs.reference().output(SCRIPT, folder).decode()


def on_a_small_heap(play, folder):
    put(play, folder, play.cases)
    return programs.small_heap().output(SCRIPT, folder, heap="512k").decode()


def on_the_guest(play, folder):
    status, text = guest.run(folder, SCRIPT, {**play.files,
                                              "cases.json": json.dumps(play.cases).encode()})
    assert status == 0, text
    return text


@pytest.fixture(scope="module", params=[on_unix, on_a_small_heap, on_the_guest])
def met(request, play, tmp_path_factory):
    """({case: its word}, {case: the visit of this program})"""
    before = {name: len(server.visits) for name, server in play.servers.items()}
    text = request.param(play, tmp_path_factory.mktemp("dials"))
    found = words(text)
    visits = {name: server.visit(before[name]) for name, server in play.servers.items()}
    return found, visits


def in_clear(visit):
    """What the client said before it encrypted."""
    assert CHANGED in visit.raw
    return bytes(visit.raw[:visit.raw.index(CHANGED)])


@pytest.mark.parametrize("case", ["chain of two", "chain of three"])
def test_our_own_certificates_go_in_records_of_the_agreed_length(met, case):
    found, visits = met
    assert found[case] == GOOD
    assert visits[case].certificate is not None
    assert longest(in_clear(visits[case]), HANDSHAKE) == 512


@pytest.mark.parametrize(("case", "fragment"), [("not agreed", IGNORED), ("not asked", OFF)])
def test_messages_are_whole_where_no_length_was_agreed(met, case, fragment):
    found, visits = met
    assert found[case] == fragment
    assert longest(in_clear(visits[case]), HANDSHAKE) > 1024


def test_server_that_must_agree_and_does_not_sees_no_certificate(met):
    found, visits = met
    assert found["must"] == "policy fragment-refused"
    assert CHANGED not in visits["must"].raw and b"dev-7" not in visits["must"].raw


def test_handshake_that_comes_byte_by_byte_is_one(met):
    found, _ = met
    assert found["in drops"] == GOOD


def test_root_past_its_end_that_is_still_offered_serves(met):
    """R2: expiry alone takes no proven anchor away."""
    found, _ = met
    assert found["past root"] == OFF


@pytest.mark.parametrize("case", ["past leaf", "past leaf and root"])
def test_any_other_certificate_past_its_end_does_not(met, case):
    found, visits = met
    assert found[case] == "clock expired"
    assert CHANGED not in visits[case].raw


def test_firmware_without_the_c_module_says_what_it_cannot(play, tmp_path):
    """It is the wheel's: Mbed TLS judges the root's dates, and asks for no length."""
    put(play, tmp_path, [one for one in play.cases if "past" in one["name"] or one["own"]])
    done = boards.run(SCRIPT, tmp_path)
    found = words(done.stdout)
    assert found.pop("past root") == "policy root-expired", done.stderr
    assert {found.pop("past leaf"), found.pop("past leaf and root")} == {"clock expired"}
    assert found["chain of two"] == "policy fragment-unavailable"
    assert found["not agreed"] == "None fragment length: absent in this firmware"


def test_dial_that_finds_no_memory_is_never_the_servers_fault(play, tmp_path):
    """Where TLS has its buffers in the heap, Mbed TLS calls the lack of it a wrong root."""
    (case,) = [one for one in play.cases if one["name"] == "not asked"]
    put(play, tmp_path, [{**case, "name": str(free), "free": free} for free in FREE])
    found = words(programs.small_heap().output(SCRIPT, tmp_path, heap="1m").decode())
    assert found["0"] == found["120000"] == OFF
    said = set(found.values())
    assert said <= {OFF, NO_MEMORY, LOW_MEMORY, BESIDE} and NO_MEMORY in said, print(found)
