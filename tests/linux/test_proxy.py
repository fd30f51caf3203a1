"""A CONNECT proxy on the way: dials, probes, dates, mirrors; its refusals and its death."""

import pytest

from anchorwatch.core.actions import Dial
from anchorwatch.core.events import Disconnected, Failed, Verified
from anchorwatch.errors import LinkError
from anchorwatch.linux.dial import Dialer
from anchorwatch.linux.fetch import Fetcher
from anchorwatch.linux.mirror import Mirror
from anchorwatch.linux.patience import Patience
from anchorwatch.linux.resolve import Resolver
from anchorwatch.linux.route import Route
from anchorwatch.linux.shortrecords import ShortRecords
from anchorwatch.linux.veil import Veil
from anchorwatch.wire.url import parse
from tests.linux import authority, mirrors
from tests.linux.authority import NOW_S
from tests.linux.peer import Peer
from tests.linux.proxies import Proxy
from tests.linux.servers import Server
from tests.linux.test_mqtt import HOST, Device, Queue

pytestmark = pytest.mark.tls

PROFILE = {"suites": "any", "max_fragment": "off", "max_fragment_bytes": 4096, "strict": True,
           "all_ecc": False, "check_time": False}
USERS = {"gateway": "pass:word \xfc"}


@pytest.fixture(scope="module")
def root():
    return authority.root()


@pytest.fixture(scope="module")
def chain(root):
    return root.issue("Issuing CA", ca=True).issue("hub", names=[HOST]).below()


@pytest.fixture
def credentials(tmp_path):
    """credentials(text) -> the path of a file that only its owner may read."""

    def write(text, mode=0o600):
        file = tmp_path / "proxy.auth"
        file.write_bytes(text.encode())
        file.chmod(mode)
        return str(file)

    return write


def dialled(root, proxy, place="", auth_file="", port=8883, **times):
    """(event, socket) of a dial through a proxy."""
    table = {"%s:%d" % (HOST, port): [place]} if place else {}
    dialer = Dialer(Resolver(table, None), {root.sha256: root.der}.__getitem__, lambda slot: None,
                    lambda: NOW_S, proxy_auth_file=auth_file, **{"connect_s": 5, **times})
    order = Dial("live", "hub", HOST, port, "mqtt", [root.sha256], {}, PROFILE, None, NOW_S, proxy,
                 "own")
    return dialer.dial(order, dialer.patience())


def outcome(root, *arguments, **more):
    event, sock = dialled(root, *arguments, **more)
    if sock is not None:
        sock.close()
        return "verified"
    return (event.fault, event.verdict)


def test_a_dial_goes_through_the_proxy_and_only_through_it(root, chain):
    with Server(chain) as server, Proxy() as proxy:
        event, sock = dialled(root, proxy.url(), server.place())
        assert isinstance(event, Verified)
        assert sock.getpeername()[1] == proxy.port
        sock.close()
        assert proxy.targets() == [server.place()]
        ((_, headers),) = proxy.asked
        assert headers == {"host": server.place()}
        assert (event.address, event.addresses) == ("127.0.0.1", ["127.0.0.1"])


def test_a_name_that_is_not_written_down_here_is_the_proxys_to_resolve(root):
    with Proxy(say=b"HTTP/1.1 502 Bad Gateway\r\n\r\n") as proxy:
        event, _ = dialled(root, proxy.url())
        assert proxy.targets() == [HOST + ":8883"]
    assert (event.verdict, event.address) == ("proxy-failed", HOST)


def test_the_name_of_the_proxy_is_looked_up_like_any_other(root, chain):
    with Server(chain) as server, Proxy() as proxy:
        table = {HOST + ":8883": [server.place()],
                 "proxy.example:3128": ["127.0.0.1:%d" % proxy.port]}  # fmt: skip
        dialer = Dialer(Resolver(table, None), {root.sha256: root.der}.__getitem__,
                        lambda slot: None, lambda: NOW_S)
        order = Dial("live", "hub", HOST, 8883, "mqtt", [root.sha256], {}, PROFILE, None, NOW_S,
                     "http://proxy.example:3128", "own")
        event, sock = dialer.dial(order, dialer.patience())
        assert isinstance(event, Verified), event
        sock.close()


def test_every_address_is_tried_through_the_proxy(root, chain):
    with Server(chain) as server, Proxy() as proxy:
        table = {HOST + ":8883": ["127.0.0.1:1", server.place()]}
        dialer = Dialer(Resolver(table, None), {root.sha256: root.der}.__getitem__,
                        lambda slot: None, lambda: NOW_S)
        order = Dial("live", "hub", HOST, 8883, "mqtt", [root.sha256], {}, PROFILE, None, NOW_S,
                     proxy.url(), "own")
        event, sock = dialer.dial(order, dialer.patience())
        assert isinstance(event, Verified), event
        sock.close()
        assert proxy.targets() == ["127.0.0.1:1", server.place()]


def test_basic_credentials_are_said_at_once(root, chain, credentials):
    file = credentials("gateway:pass:word \xfc\n")
    with Server(chain) as server, Proxy(USERS) as proxy:
        assert outcome(root, proxy.url(), server.place(), file) == "verified"
        assert len(proxy.asked) == 1


@pytest.mark.parametrize("text", ["gateway:wrong", "else:pass:word", None])
def test_wrong_or_no_credentials_are_the_owners_matter_and_no_server_is_met(
        root, chain, credentials, text):
    file = credentials(text) if text else ""
    with Server(chain) as server, Proxy(USERS) as proxy:
        assert outcome(root, proxy.url(), server.place(), file) == ("policy", "proxy-credentials")
        assert server.visits == []


@pytest.mark.parametrize("text, mode", [("gateway", 0o600), ("", 0o600), ("a:b\r\nX: y", 0o600),
                                        ("a:b", 0o644)])
def test_a_file_that_is_no_credentials_is_told_before_anything_is_sent(
        root, credentials, text, mode):
    file = credentials(text, mode)
    with Proxy() as proxy:
        assert outcome(root, proxy.url(), "", file) == ("policy", "proxy-credentials")
        assert proxy.asked == []
    assert outcome(root, "http://127.0.0.1:1", "", file + ".not") == ("policy",
                                                                      "proxy-credentials")


def test_credentials_stand_in_no_error(root, credentials):
    file = credentials("gateway:top-secret\nmore")
    with Proxy(USERS) as proxy, pytest.raises(LinkError) as caught:
        Route(Resolver({}, None), file, 5).connect(proxy.url(), "h", 1, Patience(5))
    chain_of = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert "top-secret" not in "".join(repr(e) + str(e) for e in chain_of)


@pytest.mark.parametrize("answer, expected", [
    (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!", ("network", "proxy-forbids")),
    (b"HTTP/1.1 407 Who\r\n\r\n", ("policy", "proxy-credentials")),
    (b"HTTP/1.0 401 Unauthorized\r\n\r\n", ("policy", "proxy-credentials")),
    (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", ("network", "proxy-failed")),
    (b"HTTP/1.1 503 Unavailable\r\n\r\n", ("network", "proxy-failed")),
    (b"HTTP/1.1 504 Timeout\r\n\r\n", ("network", "proxy-failed")),
    (b"HTTP/1.1 405 No\r\n\r\n", ("network", "proxy-failed")),
    (b"HTTP/1.1 302 Login\r\nLocation: http://portal.example/\r\n\r\n",
     ("network", "proxy-failed")),
    (b"HTTP/1.1 200 OK\r\n\r\nwelcome", ("network", "proxy-failed")),
    (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ("network", "proxy-failed")),
    (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 4000, ("network", "proxy-failed")),
])  # fmt: skip
def test_what_a_proxy_answers_has_a_word(root, answer, expected):
    with Proxy(say=answer) as proxy:
        assert outcome(root, proxy.url()) == expected


def test_an_interim_answer_is_passed_over(root, chain):
    with Proxy(say=b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 403 No\r\n\r\n") as proxy:
        assert outcome(root, proxy.url()) == ("network", "proxy-forbids")


def test_a_proxy_that_is_not_there_or_hangs_up_has_a_word(root):
    with Proxy() as proxy:
        url = proxy.url()
    assert outcome(root, url) == ("network", "proxy-unreachable")
    assert outcome(root, "http://nowhere.invalid:3128") == ("network", "proxy-unreachable")
    with Proxy(say=b"") as proxy:
        assert outcome(root, proxy.url(), connect_s=0.1) == ("network", "proxy-failed")


def test_a_dial_that_is_cancelled_is_no_word_about_the_proxy(root):
    dialer = Dialer(Resolver({}, None), {root.sha256: root.der}.__getitem__, lambda slot: None,
                    lambda: NOW_S)
    order = Dial("live", "hub", HOST, 1, "mqtt", [root.sha256], {}, PROFILE, None, NOW_S,
                 "http://127.0.0.1:1", "own")
    patience = dialer.patience()
    patience.cancel()
    event, _ = dialer.dial(order, patience)
    assert isinstance(event, Failed) and event.verdict == "cancelled"


def test_a_server_behind_a_proxy_is_judged_as_ever(root, chain):
    other = authority.root("Other Root")
    with Server(chain) as server, Proxy() as proxy:
        event, _ = dialled(other, proxy.url(), server.place())
    assert (event.fault, event.verdict) == ("trust", "unknown-issuer")


def test_a_session_ends_with_its_proxy_and_comes_back_with_it(root, chain):
    peers = [Peer(), Peer()]
    waiting = list(peers)
    with Server(chain, lambda visit: waiting.pop(0).talk(visit)) as server, Proxy() as proxy:
        device = Device([root], {HOST + ":8883": [server.place()]}, Queue(), 20)
        device.proxy = proxy.url()
        device.connected()
        proxy.cut()
        assert device.next() == Disconnected("live", "closed")
        device.do(device.order())
        event = device.next()
        assert (event.fault, event.verdict) == ("network", "proxy-unreachable")
        proxy.again()
        device.connected()
        device.close()


def mirror_of(server, proxy, auth_file=""):
    table = {"mirror.example:80": ["127.0.0.1:%d" % server.port]}
    route = Route(Resolver(table, None), auth_file, 5)
    return Mirror(parse("http://mirror.example/b"), route, proxy.url(), Patience(20), None)


def test_a_file_of_a_mirror_comes_through_the_proxy(credentials):
    file = credentials("gateway:pass:word \xfc")
    with mirrors.Server(lambda asked: asked.answer(200, b"hello")) as server, \
            Proxy(USERS) as proxy:
        assert mirror_of(server, proxy, file).file("t.json", 100) == b"hello"
        assert proxy.targets() == ["http://127.0.0.1:%d/b/t.json" % server.port]
        ((_, headers),) = proxy.asked
        assert headers["host"] == "mirror.example"


def test_a_mirror_whose_proxy_wants_a_password_is_told_so():
    with mirrors.Server(lambda asked: asked.answer(200, b"hello")) as server, \
            Proxy(USERS) as proxy, pytest.raises(LinkError) as caught:
        mirror_of(server, proxy).file("t.json", 100)
    assert caught.value.verdict == "proxy-credentials"


def test_a_mirror_behind_tls_gets_a_tunnel(chain):
    def talk(visit):
        visit.read()
        visit.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    with Server(chain, talk) as server, Proxy() as proxy:
        route = Route(Resolver({"mirror.example:443": [server.place()]}, None), "", 5)
        veil = Veil({"suites": "any", "max_fragment": "off"}, ShortRecords())
        mirror = Mirror(parse("https://mirror.example/b"), route, proxy.url(), Patience(20), veil)
        assert mirror.file("t.json", 100) == b"hello"
        assert proxy.targets() == [server.place()]


def test_a_fetcher_knows_its_proxy(credentials):
    fetcher = Fetcher("global", None, Resolver({}, None), None, None, None,
                      proxy="http://127.0.0.1:3128", proxy_auth_file=credentials("a:b"))
    assert fetcher._proxy == "http://127.0.0.1:3128"
    assert fetcher._route.proxy.headers() == {"Proxy-Authorization": "Basic YTpi"}
