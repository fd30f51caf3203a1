"""TLS to a mirror: what [tls.mirror] allows is kept, whose certificate it is decides nothing."""

import json
import socket
import ssl

import pytest

from anchorwatch.core.events import Fetched
from anchorwatch.linux.shortrecords import ShortRecords
from anchorwatch.wire.hello import ClientHello
from anchorwatch.wire.tls12 import Handshakes
from tests.linux import authority
from tests.linux.fetching import Rig
from tests.linux.mirrors import TIMEOUT_S, Server, serving
from tests.linux.test_fetch import made

pytestmark = pytest.mark.tls
URL = "https://mirror.example/roots"


@pytest.fixture(scope="module")
def vendor():
    return made()


@pytest.fixture
def rigs(tmp_path, vendor):
    found = []

    def rig(**profile):
        usual = {"suites": "any", "max_fragment": "off", "strict": False, "all_ecc": False}
        folder = tmp_path / ("rig%d" % len(found))
        folder.mkdir()
        found.append(Rig(folder, vendor.roots[0], profile=dict(usual, **profile)))
        return found[-1]

    yield rig
    for one in found:
        one.errands.close()


def served(folder, key="p256", tune=None):
    """The context of a mirror whose certificate nobody knows: another name, and expired."""
    stranger = authority.root("Stranger").issue("wrong.example", key=key, begins=-9, ends=-1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*stranger.write(folder))
    if tune:
        tune(context)
    return context


def fetched(rig, files, context):
    """(the answer, how many requests reached the mirror)."""
    with Server(serving(files), context) as server:
        rig.table.write_text(json.dumps({"mirror.example:443": [server.place()]}))
        return rig.fetch(URL), len(server.asked)


@pytest.mark.parametrize("suites, key", [("rsa", "rsa"), ("ecdsa", "p256"), ("any", "rsa")])
def test_stranger_of_the_right_kind_serves_a_stranded_device(rigs, vendor, tmp_path, suites, key):
    event, asked = fetched(rigs(suites=suites), vendor.published(), served(tmp_path, key))
    assert isinstance(event, Fetched) and asked, event


@pytest.mark.parametrize("suites, key", [("rsa", "p256"), ("ecdsa", "rsa")])
def test_mirror_without_a_suite_of_the_profile_is_refused_by_name(
        rigs, vendor, tmp_path, suites, key):
    event, asked = fetched(rigs(suites=suites), vendor.published(), served(tmp_path, key))
    assert (event.reason, asked) == ("policy", 0)
    assert event.value == "no-common-suite: mirror.example"


def test_mirror_that_speaks_tls_1_3_only_is_refused_by_name(rigs, vendor, tmp_path):
    def newest(context):
        context.minimum_version = ssl.TLSVersion.TLSv1_3

    event, asked = fetched(rigs(), vendor.published(), served(tmp_path, tune=newest))
    assert (event.reason, asked) == ("policy", 0)
    assert event.value == "protocol-version: mirror.example"


def test_short_records_are_asked_of_a_mirror_and_had(rigs, vendor, tmp_path):
    rig = rigs(max_fragment="require", max_fragment_bytes=512)
    event, asked = fetched(rig, vendor.published(), served(tmp_path))
    assert isinstance(event, Fetched) and asked, event


def test_mirror_goes_without_short_records_where_they_are_only_preferred(
        rigs, vendor, tmp_path, mocker):
    mocker.patch.object(ShortRecords, "unavailable", lambda self: "no way")
    rig = rigs(max_fragment="prefer", max_fragment_bytes=512)
    event, _ = fetched(rig, vendor.published(), served(tmp_path))
    assert isinstance(event, Fetched), event
    rig = rigs(max_fragment="require", max_fragment_bytes=512)
    event, asked = fetched(rig, vendor.published(), served(tmp_path))
    assert (event.reason, asked) == ("policy", 0)
    assert event.value == "fragment-unavailable: mirror.example"


def test_hello_to_a_mirror_is_that_of_its_profile(rigs):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT_S)
        rig = rigs(suites="ecdsa", max_fragment="require", max_fragment_bytes=1024)
        place = "127.0.0.1:%d" % listener.getsockname()[1]
        rig.table.write_text(json.dumps({"mirror.example:443": [place]}))
        rig.fetcher.fetch(rig.order(URL))
        sock, _ = listener.accept()
        with sock:
            sock.settimeout(TIMEOUT_S)
            heard.append(sock.recv(4096))
        assert rig.answers(1)[0].reason == "cut"
    reader = Handshakes()
    reader.feed(heard[0])
    hello = ClientHello(reader.messages[0][1])
    assert [one for one in hello.suites if one != 0xFF] == [0xC02B, 0xC02C, 0xC023, 0xC024]
    assert (hello.version, hello.versions, hello.max_fragment) == (0x0303, [], 1024)
    assert hello.server_name == "mirror.example" and 35 not in hello.extensions
