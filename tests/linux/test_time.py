"""Time from SNTP and from a verified Date, and the HTTPS look-up, against servers on 127.0.0.1."""

import selectors
import socket
import threading
from email.utils import formatdate

import pytest

from anchorwatch.core.actions import AskDate, AskTime, LookUp
from anchorwatch.core.events import ClockSet, LookedUp, LookUpFailed, TimeFailed
from anchorwatch.linux import clock
from anchorwatch.linux.dial import Dialer
from anchorwatch.linux.errands import Errands
from anchorwatch.linux.resolve import Resolver
from tests.linux import authority
from tests.linux.authority import DAY_S, NOW_S
from tests.linux.servers import TIMEOUT_S, Server

HOST = "dps.example.net"
TO_1970_S = 2_208_988_800
PROFILE = {"suites": "any", "max_fragment": "off", "strict": True, "all_ecc": False,
           "check_time": False}


@pytest.fixture(scope="module")
def root():
    return authority.root()


@pytest.fixture(scope="module")
def chain(root):
    return root.issue("dps", names=[HOST]).below()


class Asker:
    """Times with a loop of one event."""

    def __init__(self, table, sntp="", anchors=(), credential=None):
        self._selector = selectors.DefaultSelector()
        self._errands = Errands(self._selector)
        self._events = []
        resolver = Resolver(table, None)
        dialer = Dialer(resolver, {one.sha256: one.der for one in anchors}.__getitem__,
                        lambda slot: credential, lambda: NOW_S, TIMEOUT_S, TIMEOUT_S)
        self._times = clock.Times(self._errands, dialer, resolver, sntp, self._events.append)

    def ask(self, order):
        self._times.perform[type(order)](order)
        for key, mask in self._selector.select(3 * TIMEOUT_S):
            key.data(mask)
        self._errands.close()
        self._selector.close()
        assert len(self._events) == 1
        return self._events[0]


class TimeServer:
    """One UDP server; `answer(request) -> bytes or None`."""

    def __init__(self, answer):
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._answer = answer
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return "127.0.0.1:%d" % self._sock.getsockname()[1]

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._sock.getsockname())
        self._thread.join(TIMEOUT_S)
        self._sock.close()

    def _serve(self):
        while True:
            asked, place = self._sock.recvfrom(1024)
            if not asked:
                return
            said = self._answer(asked)
            if said is not None:
                self._sock.sendto(said, place)


def sntp_answer(asked, utc_s, stratum=2):
    stamp = ((utc_s + TO_1970_S) % 2**32).to_bytes(4, "big") + bytes(4)
    return bytes([0x24, stratum]) + bytes(22) + asked[40:48] + stamp + stamp


def ask_time(place):
    return Asker({"ntp.example:123": [place]}, "ntp.example:123").ask(AskTime())


def test_time_of_an_sntp_server_is_told():
    with TimeServer(lambda asked: sntp_answer(asked, NOW_S)) as place:
        assert ask_time(place) == ClockSet(NOW_S, "sntp")


@pytest.mark.parametrize("answer", [
    lambda asked: sntp_answer(asked, NOW_S, stratum=0), lambda asked: b"x",
    lambda asked: sntp_answer(bytes(48), NOW_S)])
def test_time_that_does_not_answer_our_question_does_not_count(answer):
    with TimeServer(answer) as place:
        assert ask_time(place) == TimeFailed("sntp", "malformed-reply")


def test_silent_time_server_is_given_up(mocker):
    mocker.patch.object(clock, "_ASK_S", 0.05)
    with TimeServer(lambda asked: None) as place:
        assert ask_time(place) == TimeFailed("sntp", "silent")


def test_closed_port_and_unknown_name_and_no_server_are_told_apart():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        dead = "127.0.0.1:%d" % sock.getsockname()[1]
    assert ask_time(dead) == TimeFailed("sntp", "refused")
    unknown = Asker({}, "x" * 64 + ":123").ask(AskTime())
    assert unknown == TimeFailed("sntp", "name-unknown")
    assert Asker({}, "").ask(AskTime()) == TimeFailed("sntp", "off")


def test_system_says_what_it_knows_of_the_time(tmp_path):
    mark = tmp_path / "synchronized"
    mark.touch()
    assert clock.known((str(mark), "")).source == "kernel"
    assert clock.known((str(tmp_path / "no"), str(mark))).source == "rtc"
    assert clock.known((str(tmp_path / "no"), str(tmp_path / "no"))) is None


def web(chain, answer, heard=None, **options):
    """An HTTPS server that reads one request and says `answer`."""
    def talk(visit):
        asked = b""
        while b"\r\n\r\n" not in asked or not asked.endswith((b"\r\n\r\n", b"}")):
            more = visit.read()
            if not more:
                break
            asked += more
        if heard is not None:
            heard.append(asked)
        visit.write(answer)

    return Server(chain, talk, **options)


def ask_date(server, anchors, credential=None):
    asker = Asker({HOST + ":443": [server.place()]}, anchors=anchors, credential=credential)
    anchors = [one.sha256 for one in anchors]
    return asker.ask(AskDate("dps", HOST, 443, anchors, {}, PROFILE, NOW_S, ""))


def dated(utc_s):
    return b"HTTP/1.1 404 Not Found\r\nDate: %s\r\n\r\n" % formatdate(utc_s, usegmt=True).encode()


@pytest.mark.tls
def test_date_of_a_verified_server_is_told_and_no_credential_is_shown(root, chain, tmp_path):
    heard = []
    tenant = authority.root("Tenant CA")
    files = tenant.issue("dev-7", client=True).write(tmp_path)
    with web(chain, dated(NOW_S - 77), heard, client_ca=tenant) as server:
        assert ask_date(server, [root], files) == ClockSet(NOW_S - 77, "date")
        assert server.visit().certificate is None
    assert heard[0].startswith(b"HEAD / HTTP/1.1\r\nHost: dps.example.net\r\n")


@pytest.mark.tls
def test_date_of_an_unverified_server_does_not_count(chain):
    with web(chain, dated(NOW_S)) as server:
        found = ask_date(server, [authority.root("Stranger")])
    assert found == TimeFailed("date", "unknown-issuer")


@pytest.mark.tls
@pytest.mark.parametrize("days", [-2, 31])
def test_date_outside_the_certificate_that_it_came_under_does_not_count(root, chain, days):
    with web(chain, dated(NOW_S + days * DAY_S)) as server:
        assert ask_date(server, [root]) == TimeFailed("date", "outside-certificate")


@pytest.mark.tls
@pytest.mark.parametrize("answer", [
    b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nDate: ",
    b"HTTP/1.1 200 OK\r\nDate: yesterday\r\n\r\n"])
def test_answer_without_a_date_does_not_count(root, chain, answer):
    with web(chain, answer) as server:
        assert ask_date(server, [root]) == TimeFailed("date", "malformed-reply")


def look_up(server, anchors, authorization=None, credential=None):
    asker = Asker({HOST + ":443": [server.place()]}, anchors=anchors, credential=credential)
    return asker.ask(LookUp(HOST, 443, "/scope/registrations/dev-7?api-version=1", b"{}",
                            authorization, [one.sha256 for one in anchors], {}, PROFILE, "a",
                            NOW_S, ""))


@pytest.mark.tls
def test_look_up_posts_with_its_token_and_tells_status_wait_and_body(root, chain):
    heard = []
    answer = b"HTTP/1.1 429 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nwait"
    with web(chain, answer, heard) as server:
        assert look_up(server, [root], "SharedAccessSignature sr=x") == LookedUp(429, 7, b"wait")
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /scope/registrations/dev-7?api-version=1 HTTP/1.1\r\n")
    assert b"\r\nAuthorization: SharedAccessSignature sr=x" in head and body == b"{}"


@pytest.mark.tls
def test_look_up_of_a_certificate_shows_it_and_sends_no_token(root, chain, tmp_path):
    tenant = authority.root("Tenant CA")
    device = tenant.issue("dev-7", client=True)
    heard = []
    with web(chain, b"HTTP/1.1 200 OK\r\n\r\n{}", heard, client_ca=tenant) as server:
        found = look_up(server, [root], credential=device.write(tmp_path))
        assert server.visit().certificate == device.der
    assert found == LookedUp(200, None, b"{}")
    assert b"Authorization" not in heard[0]


@pytest.mark.tls
def test_look_up_that_fails_names_class_and_verdict(root, chain):
    with web(chain, b"") as server:
        assert look_up(server, [authority.root("Stranger")]) == LookUpFailed(
            "trust", "unknown-issuer")
    with web(chain, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort") as server:
        assert look_up(server, [root]) == LookUpFailed("service", "malformed-reply")
    with web(chain, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n") as server:
        assert look_up(server, [root]) == LookUpFailed("service", "malformed-reply")


@pytest.mark.tls
def test_server_that_never_answers_a_request_is_given_up(root, chain, mocker):
    mocker.patch.object(clock, "_EXCHANGE_S", 0.05)
    held = threading.Event()
    with Server(chain, lambda visit: held.wait(TIMEOUT_S)) as server:
        found = ask_date(server, [root])
        held.set()
    assert found == TimeFailed("date", "silent")
