"""Short TLS records: what stands on the wire, what is refused, and a pointer that is never trusted
before it is proven."""

import asyncio
import json
import os
import pathlib
import selectors
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from anchorwatch.core.actions import AskDate, Dial
from anchorwatch.core.events import Failed, Verified
from anchorwatch.errors import LinkError
from anchorwatch.linux import fragment, shortrecords, tls
from anchorwatch.linux.dial import Dialer
from anchorwatch.linux.errands import Errands
from anchorwatch.linux.links import Links
from anchorwatch.linux.patience import READ, WRITE
from anchorwatch.linux.resolve import Resolver
from anchorwatch.linux.shortrecords import ShortRecords
from anchorwatch.wire.hello import ClientHello
from anchorwatch.wire.tls12 import Handshakes
from hil.bench.board import Process
from hil.bench.cloud import Cloud
from hil.cloud.certificates import ServerChain
from hil.cloud.clock import Clock
from hil.cloud.front import Listener
from hil.cloud.journal import Journal
from hil.cloud.tlspolicy import Presented
from tests.linux import authority
from tests.linux.authority import NOW_S
from tests.linux.servers import Server
from tests.linux.taps import APPLICATION, HANDSHAKE, TIMEOUT_S, Tap, longest, records

pytestmark = pytest.mark.tls

HOST, PORT = "hub.example.net", 8883
SIZES = (512, 1024, 2048, 4096)
# What AES-GCM adds to a record: a nonce and a tag.
GCM = 24
WISH = {"max_fragment_bytes": 1024}
MESSAGE = bytes(range(97, 123)) * 400 + b"\n"
AGENT = str(pathlib.Path(shortrecords.__file__).parents[2])


@pytest.fixture(scope="module")
def root():
    return authority.root()


@pytest.fixture(scope="module")
def leaf(root):
    """Of so many names that its chain needs more than one record of any length."""
    names = [HOST] + ["host-%03d.of-many.example.net" % n for n in range(180)]
    return root.issue("Issuing CA", ca=True).issue("hub", names=names)


@pytest.fixture(scope="module")
def short():
    """One for all dials: each finding out is a process of its own."""
    return ShortRecords()


def profile(wish, size):
    usual = {"suites": "any", "max_fragment": wish, "strict": True, "all_ecc": False,
             "check_time": False}
    return usual if wish == "off" else dict(usual, max_fragment_bytes=size)


def order(root, wish, size=512, slot=None):
    return Dial("live", "hub", HOST, PORT, "mqtt", [root.sha256], {}, profile(wish, size), slot,
                NOW_S, "", "own")


def dialer(root, place, short=None, files=None):
    table = {"%s:%d" % (HOST, PORT): [place]}
    return Dialer(Resolver(table, None), {root.sha256: root.der}.__getitem__, lambda slot: files,
                  lambda: NOW_S, TIMEOUT_S, TIMEOUT_S, records=short)


def dialled(root, place, short, wish="require", size=512, files=None):
    """(event, socket)"""
    made = dialer(root, place, short, files)
    return made.dial(order(root, wish, size, "a" if files else None), made.patience())


def echoed(made, sock, message):
    """Send all of it, and read as much."""
    sent, heard = 0, b""
    while sent < len(message):
        patience = made.patience()
        try:
            sent += sock.send(message[sent:])
        except tls.WANTS:
            patience.wait(sock, WRITE)
    while len(heard) < len(message):
        try:
            data = sock.recv(65_536)
            assert data, "the server ended the connection"
            heard += data
        except tls.WANTS:
            made.patience().wait(sock, READ)
    return heard


def hello(raw):
    reader = Handshakes()
    reader.feed(bytes(raw))
    return ClientHello(reader.messages[0][1])


class Front:
    """The emulated cloud's own TLS front, with an application that says everything again."""

    def __init__(self, leaf):
        held = leaf.below()
        chain = ServerChain("test", "root", tuple(one.certificate for one in held), leaf.key)
        self._loop = asyncio.new_event_loop()
        self._listener = Listener("hub", self._accept, Presented(chain), Journal(), Clock())
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        opened = self._listener.open("127.0.0.1", 0)
        asyncio.run_coroutine_threadsafe(opened, self._loop).result(TIMEOUT_S)
        return "127.0.0.1:%d" % self._listener.port

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._listener.close)
        self._loop.call_soon_threadsafe(self._listener.cut_all)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT_S)
        self._loop.close()

    def _accept(self, write, close, peer, now_ms):
        return _Echo(write)


class _Echo:
    def __init__(self, write):
        self._write = write

    def receive(self, data, now_ms):
        self._write(data)

    def lost(self, now_ms):
        pass


class OpenSsl:
    """`openssl s_server -rev`: says every line backwards."""

    def __init__(self, leaf, folder):
        chain, key = leaf.write(folder)
        self._command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1",
                         "-cert", chain, "-cert_chain", chain, "-key", key, "-rev", "-tls1_2"]

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL)
        for line in self._process.stdout:
            if line.startswith(b"ACCEPT"):
                return "127.0.0.1:%d" % int(line.rpartition(b":")[2])
        raise AssertionError("openssl s_server does not listen")

    def __exit__(self, *_):
        self._process.kill()
        self._process.stdout.close()
        self._process.wait(TIMEOUT_S)


@pytest.fixture(params=["our front", "openssl s_server"])
def place(request, leaf, tmp_path):
    if request.param == "our front":
        with Front(leaf) as where:
            yield where
    else:
        if shutil.which("openssl") is None:
            pytest.skip("there is no openssl program here")
        with OpenSsl(leaf, tmp_path) as where:
            yield where


@pytest.mark.parametrize("size", SIZES)
def test_records_of_both_directions_are_as_short_as_was_asked(root, short, place, size):
    with Tap(place) as tap:
        made = dialer(root, tap.place(), short)
        event, sock = made.dial(order(root, "require", size), made.patience())
        assert isinstance(event, Verified), event
        heard = echoed(made, sock, MESSAGE)
        sock.close()
    assert heard in (MESSAGE, MESSAGE[-2::-1] + b"\n")
    assert event.tls["fragment"] == {"asked": size, "negotiated": size, "reason": ""}
    assert "GCM" in event.tls["suite"]
    assert hello(tap.up).max_fragment == size
    assert longest(tap.down, HANDSHAKE) == size
    assert longest(tap.up, HANDSHAKE) <= size
    assert longest(tap.up, APPLICATION) == longest(tap.down, APPLICATION) == size + GCM


def test_without_the_wish_nothing_is_asked_and_records_are_long(root, short, place):
    with Tap(place) as tap:
        made = dialer(root, tap.place(), short)
        event, sock = made.dial(order(root, "off"), made.patience())
        echoed(made, sock, MESSAGE)
        sock.close()
    assert event.tls["fragment"] == {"asked": None, "negotiated": None, "reason": "off"}
    assert hello(tap.up).max_fragment == 0
    assert longest(tap.down, HANDSHAKE) > 4096 and longest(tap.up, APPLICATION) > 4096 + GCM


def test_our_own_certificate_goes_in_short_records_too(root, leaf, short, tmp_path):
    tenant = authority.root("Tenant CA")
    names = ["name-%03d.example.net" % n for n in range(60)]
    files = tenant.issue("dev-7", client=True, names=names).write(tmp_path)
    with Server(leaf.below(), client_ca=tenant) as server, Tap(server.place()) as tap:
        event, sock = dialled(root, tap.place(), short, files=files)
        assert isinstance(event, Verified), event
        sock.close()
    assert longest(tap.up, HANDSHAKE) == 512


def ignoring(leaf):
    """A server's talk that has never heard of the extension: it is tlslite-ng's."""
    from tlslite.handshakesettings import HandshakeSettings
    from tlslite.tlsconnection import TLSConnection
    from tlslite.utils.keyfactory import parsePEMKey
    from tlslite.x509 import X509
    from tlslite.x509certchain import X509CertChain

    chain = X509CertChain([X509().parse(one.pem.decode()) for one in leaf.below()])
    key = parsePEMKey(leaf.key_pem.decode(), private=True)
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = (3, 3)

    def talk(visit):
        server = TLSConnection(visit.sock)
        try:
            server.handshakeServer(certChain=chain, privateKey=key, settings=settings,
                                   reqCert=True)
            visit.shaken.set()
            while data := server.read(max=4096):
                server.write(data)
        except Exception as error:  # a client that leaves in the handshake is what tests are about
            visit.error = error

    return talk


def test_prefer_goes_on_with_a_server_that_ignores_it_and_says_so(root, leaf, short):
    with Server(leaf.below(), instead=ignoring(leaf)) as server, Tap(server.place()) as tap:
        event, sock = dialled(root, tap.place(), short, "prefer")
        assert isinstance(event, Verified), event
        sock.close()
    assert event.tls["fragment"] == {
        "asked": 512, "negotiated": None, "reason": "the server ignored it"}
    assert hello(tap.up).max_fragment == 512 and longest(tap.down, HANDSHAKE) > 512


def test_require_ends_with_a_server_that_ignores_it_before_anything_but_the_hello_left(
        root, leaf, short, tmp_path):
    files = authority.root("Tenant CA").issue("dev-7", client=True).write(tmp_path)
    with Server(leaf.below(), instead=ignoring(leaf)) as server, Tap(server.place()) as tap:
        event, sock = dialled(root, tap.place(), short, files=files)
    assert (event.fault, event.verdict, sock) == ("policy", "fragment-refused", None)
    assert [kind for kind, _ in records(tap.up)] == [HANDSHAKE]
    assert hello(tap.up).max_fragment == 512


def test_unknown_root_outweighs_an_ignored_length_where_no_certificate_of_ours_would_be_shown(
        root, leaf, short):
    stranger = authority.root("Stranger")
    with Server(leaf.below(), instead=ignoring(leaf)) as server:
        event, _ = dialled(stranger, server.place(), short)
        assert (event.fault, event.verdict) == ("trust", "unknown-issuer")
        event, _ = dialled(root, server.place(), short)
        assert (event.fault, event.verdict) == ("policy", "fragment-refused")


@pytest.mark.parametrize("wish", ["prefer", "require"])
def test_server_that_chooses_another_length_is_refused(root, leaf, short, wish):
    def talk(visit):
        visit.sock.recv(65_536)
        visit.sock.sendall(flight(leaf, b"\x00\x01\x00\x01\x02"))
        visit.sock.recv(65_536)

    with Server(leaf.below(), instead=talk) as server:
        event, _ = dialled(root, server.place(), short, wish)
    assert (event.fault, event.verdict) == ("policy", "fragment-refused")


def flight(leaf, extension):
    """A server's hello with one extension, and its chain; nothing that needs a key."""
    listed = sized(3, b"".join(sized(3, one.der) for one in leaf.below()))
    chosen = b"\x03\x03" + bytes(32) + b"\x00\xc0\x2b\x00" + sized(2, extension)
    messages = b"\x02" + sized(3, chosen) + b"\x0b" + sized(3, listed) + b"\x0e\x00\x00\x00"
    pieces = [messages[at:at + 512] for at in range(0, len(messages), 512)]
    return b"".join(b"\x16\x03\x03" + sized(2, piece) for piece in pieces)


def sized(width, data):
    return len(data).to_bytes(width, "big") + data


def test_date_over_https_is_refused_and_shortened_like_a_session(root, leaf, short):
    asked = AskDate("hub", HOST, PORT, [root.sha256], {}, profile("require", 1024), NOW_S, "")
    with Server(leaf.below()) as server, Tap(server.place()) as tap:
        made = dialer(root, tap.place(), short)
        opened = made.open(asked, None, made.patience())
        opened.sock.close()
    assert opened.tls["fragment"]["negotiated"] == longest(tap.down, HANDSHAKE) == 1024
    made = dialer(root, "127.0.0.1:1", unable())
    with pytest.raises(LinkError) as refused:
        made.open(asked, None, made.patience())
    assert refused.value.verdict == "fragment-unavailable"


def test_agent_registers_and_stays_connected_with_short_records_and_says_so(tmp_path):
    """DPS may ignore it, the hub must not: each endpoint has a profile of its own."""
    with Cloud(tmp_path, "--chain", "g2-rsa") as cloud:
        board = Process(cloud.folder / "x509", cloud.ready["kinds"]["x509"])
        board.configure({"boot": {"spread_s": 0}, "tls.hub": dict(WISH, max_fragment="require"),
                         "tls.dps": dict(WISH, max_fragment="prefer")})  # fmt: skip
        board.start()
        try:
            board.reach("online")
            status = board.status()
        finally:
            board.cut()
    agreed = {"asked": 1024, "negotiated": 1024, "reason": ""}
    assert [status["endpoints"][name]["fragment"] for name in ("hub", "dps")] == [agreed] * 2
    assert [row for row in status["warnings"] if "record" in row["what"]] == []


# Where it is unavailable.

def unable(reason="no way"):
    return ShortRecords(child=says({"reason": reason}))


def says(answer):
    return (sys.executable, "-I", "-S", "-c", "print(%r)" % json.dumps(answer))


def test_require_ends_where_no_length_can_be_asked_for_and_nobody_is_dialled(root, leaf):
    with Server(leaf.below()) as server:
        event, sock = dialled(root, server.place(), unable())
    assert (event.fault, event.verdict, sock) == ("policy", "fragment-unavailable", None)
    assert server.visits == []


def test_prefer_goes_on_where_no_length_can_be_asked_for_and_says_why(root, leaf):
    with Server(leaf.below()) as server:
        event, sock = dialled(root, server.place(), unable(), "prefer")
        sock.close()
        assert hello(server.visit().raw).max_fragment == 0
    assert event.tls["fragment"] == {"asked": None, "negotiated": None, "reason": "no way"}


def test_session_that_cannot_be_read_back_is_no_proof(root, leaf, short, mocker):
    mocker.patch.object(fragment.Libssl, "_of_session", lambda self, pointer: (0, 0, b""))
    with Server(leaf.below()) as server:
        event, _ = dialled(root, server.place(), short)
        assert (event.fault, event.verdict) == ("policy", "fragment-refused")
        event, sock = dialled(root, server.place(), short, "prefer")
        sock.close()
    assert event.tls["fragment"]["negotiated"] is None
    assert "session" in event.tls["fragment"]["reason"]


def test_a_dial_that_went_without_is_warned_of_once_a_day(root, leaf):
    told, clock = [], [0]
    selector = selectors.DefaultSelector()
    with Server(leaf.below()) as server:
        links = Links(selector, Errands(selector), dialer(root, server.place(), unable()), None, 1,
                      lambda: clock[0], lambda *about: told.append(about))
        for now_ms in (0, 1, 3_600_000, 86_400_000):
            clock[0] = now_ms
            links.dial(order(root, "prefer"))
            for key, mask in selector.select(TIMEOUT_S):
                key.data(mask)
            assert isinstance(links.take(), Verified)
            links.stop()
    once = ("TLS records cannot be shortened", "no way", shortrecords.REMEDY, "config")
    assert told == [once, once]


@pytest.mark.parametrize("event, told", [
    ("ignored", "TLS records are not shortened by hub.example.net"),
    ("failed", "TLS records cannot be shortened"), ("refused", None), ("agreed", None)])
def test_what_is_news_is_what_no_other_place_says(event, told):
    tree = {"ignored": "the server ignored it", "agreed": ""}
    if event in tree:
        shown = {"fragment": {"reason": tree[event]}}
        about = Verified("live", HOST, "", [], "", [], "", "", [], 0, 0, shown, 0)
    else:
        word = {"failed": "fragment-unavailable", "refused": "fragment-refused"}[event]
        about = Failed("live", "policy", word, [], [], None)
    found = unable().told(about, 0)
    assert (found and found[0]) == told


# The way into OpenSSL, where a mistake would be a crash: each in a process of its own.

def child(program):
    """What a fresh interpreter prints, and that it ended well."""
    prepared = "import sys; sys.path.insert(0, %r)\n" % AGENT + program
    done = subprocess.run([sys.executable, "-I", "-S", "-c", prepared], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout.strip()


@pytest.mark.parametrize("off", [-16, -8, 4, 8, 16, 24, 32, 4096])
def test_wrong_offset_is_refused_without_touching_memory(off):
    """Whatever OpenSSL would be called with is noted by a stand-in, which touches nothing."""
    program = """
import _ssl
from anchorwatch.linux import fragment
called, own = [], fragment._library()
right = _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT)

class Stand:
    def __getattr__(self, name):
        return lambda *arguments: called.append(name) or 0

fragment._library = lambda: (own[0], Stand())
try:
    fragment.Libssl(object.__basicsize__ + (%d)).ask(right, 512)
except fragment.Unavailable as error:
    print("refused:", error, [name for name in called if name != "SSL_CTX_get_options"])
""" % off
    answer = child(program)
    assert answer.startswith("refused: ") and answer.endswith(" []"), answer


@pytest.mark.parametrize("off", [-8, 8, 16, 24, 32])
def test_wrong_offset_is_refused_with_the_real_library_too(off):
    """And the object that was looked at is as before, byte for byte."""
    program = """
import _ssl, ctypes
from anchorwatch.linux import fragment
context = _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT)
there = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
here = id(context), type(context).__basicsize__
before = ctypes.string_at(there, 512), ctypes.string_at(*here)
try:
    fragment.Libssl(object.__basicsize__ + (%d)).ask(context, 512)
except fragment.Unavailable as error:
    print("refused", before == (ctypes.string_at(there, 512), ctypes.string_at(*here)))
""" % off
    assert child(program) == "refused True"


def test_pointer_to_another_context_is_found_out_by_what_it_shows():
    program = """
import _ssl
from anchorwatch.linux import fragment
libssl, real = fragment.Libssl(), fragment.Libssl._pointer
mine, other = [_ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT) for _ in range(2)]
fragment.Libssl._pointer = lambda self, holder, kind: real(self, other, kind)
changes = (("options", mine.options ^ 0x4000), ("check_hostname", False), ("verify_mode", 0),
           ("maximum_version", 0x0303), ("minimum_version", 0x0304))
for name, value in changes:
    before = getattr(mine, name)
    setattr(mine, name, value)
    try:
        libssl.ask(mine, 512)
        print(name, "asked")
    except fragment.Unavailable as error:
        print(name, error.value)
    if name != "check_hostname":
        setattr(mine, name, before)
"""
    assert child(program).splitlines() == [
        "options options", "check_hostname asked", "verify_mode verify mode",
        "maximum_version highest version", "minimum_version lowest version"]


SIMULATED = [
    # what is simulated, how, words of the reason
    ("an interpreter with OpenSSL in it", "del _ssl.__file__", "part of the interpreter"),
    ("an _ssl that shows no symbols", "import _ctypes; _ssl.__file__ = _ctypes.__file__",
     "cannot be called"),
    ("an _ssl that cannot be opened", "_ssl.__file__ = '/nowhere'", "cannot be called"),
    ("another OpenSSL", "_ssl.OPENSSL_VERSION_NUMBER += 16", "another OpenSSL"),
    ("another runtime", "sys.implementation.name = 'pypy'", "not CPython: pypy"),
    ("no ctypes", "sys.modules['ctypes'] = None", "ctypes cannot be loaded"),
    ("no procfs", "fragment.Libssl.__init__.__defaults__ = (None, '/nowhere/maps')", "procfs"),
    ("maps of other words", "fragment.Libssl.__init__.__defaults__ = (None, '/proc/self/status')",
     "procfs"),
    ("maps without the place", "fragment.Libssl.__init__.__defaults__ = (None, '/dev/null')",
     "no pointer to data"),
]


@pytest.mark.parametrize("how, reason", [row[1:] for row in SIMULATED],
                         ids=[row[0] for row in SIMULATED])
def test_build_without_a_way_answers_unavailable_with_its_reason(how, reason):
    program = "import _ssl\nfrom anchorwatch.linux import fragment\n%s\nfragment.main()" % how
    assert reason in json.loads(child(program))["reason"]


def test_this_build_has_a_way():
    """CPython with an OpenSSL of its own file, as distributions and pyenv build it."""
    assert shortrecords.tried(shortrecords._CHILD) == ("", True)


def test_openssl_is_never_opened_by_its_name():
    source = pathlib.Path(fragment.__file__).read_text()
    assert source.count("CDLL(") == 1 and "ctypes.CDLL(file)" in source
    assert "libssl.so" not in source and "find_library" not in source


def test_ctypes_is_loaded_by_the_wish_and_by_nothing_else():
    program = """
from anchorwatch.linux.shortrecords import ShortRecords
ShortRecords().wish({"max_fragment": "off"}, None, True)
before = "ctypes" in sys.modules, "subprocess" in sys.modules
ShortRecords().unavailable()
print(before, "ctypes" in sys.modules)
"""
    assert child(program) == "(False, False) True"
    program = "import sys, anchorwatch.linux.daemon; print('ctypes' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          timeout=60, cwd=AGENT)
    assert done.stdout.strip() == "False", done.stderr


# The child's answer, and where it is kept.

def crash(number):
    return (sys.executable, "-I", "-S", "-c", "import os; os.kill(os.getpid(), %d)" % number)


@pytest.mark.parametrize("command, reason, lasting", [
    (crash(signal.SIGSEGV), "the self-check crashed (signal 11)", True),
    (crash(signal.SIGKILL), "the self-check gives no answer", False),
    (says({"reason": "no \x07 way"}), "no \\x07 way", False),
    (says(["reason"]), "the self-check gives no answer", False),
    (("/nowhere/python",), "the self-check cannot be started", False),
])
def test_whatever_becomes_of_the_child_is_an_answer(command, reason, lasting):
    assert shortrecords.tried(command) == (reason, lasting)


def kept(state):
    return json.loads((state / "fragment").read_bytes())


def test_good_answer_is_kept_and_the_next_start_asks_no_child(tmp_path):
    assert ShortRecords(str(tmp_path)).unavailable() == ""
    assert kept(tmp_path) == {"of": shortrecords.build(), "reason": ""}
    assert (tmp_path / "fragment").stat().st_mode & 0o777 == 0o600
    assert ShortRecords(str(tmp_path), crash(signal.SIGSEGV)).unavailable() == ""


def test_crash_is_kept_and_never_repeated(tmp_path):
    assert "crashed" in ShortRecords(str(tmp_path), crash(signal.SIGSEGV)).unavailable()
    assert "crashed" in ShortRecords(str(tmp_path)).unavailable()


def test_what_may_pass_is_asked_anew_at_every_start(tmp_path):
    assert ShortRecords(str(tmp_path), crash(signal.SIGKILL)).unavailable() != ""
    assert not (tmp_path / "fragment").exists()
    assert ShortRecords(str(tmp_path)).unavailable() == ""


def another_build(file):
    file.write_text(json.dumps({"of": "another", "reason": ""}))


def written_by_all(file):
    file.write_text(json.dumps({"of": shortrecords.build(), "reason": ""}))
    file.chmod(0o666)


def linked(file):
    beside = file.with_name("beside")
    written_by_all(beside)
    beside.chmod(0o600)
    file.symlink_to(beside)


def no_json(file):
    file.write_text("{")


def a_list(file):
    file.write_text("[]")


@pytest.mark.parametrize("spoil", [another_build, written_by_all, linked, no_json, a_list])
def test_kept_answer_that_is_not_surely_ours_and_of_this_build_is_none(tmp_path, spoil):
    tmp_path.chmod(0o700)
    spoil(tmp_path / "fragment")
    assert ShortRecords(str(tmp_path), says({"reason": "asked anew"})).unavailable() == "asked anew"


def test_folder_that_takes_no_file_costs_nothing_but_the_child(tmp_path):
    (tmp_path / "file").touch()
    assert ShortRecords(str(tmp_path / "file")).unavailable() == ""


def test_answer_is_found_out_once_in_a_process(tmp_path):
    runs = tmp_path / "runs"
    count = "open(%r, 'a').write('x'); print('{\"reason\": \"none\"}')" % str(runs)
    asked = ShortRecords("", (sys.executable, "-I", "-S", "-c", count))
    threads = [threading.Thread(target=asked.unavailable) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert asked.unavailable() == "none" and os.path.getsize(runs) == 1
