"""The programs of `make firmware` at TLS: short records, one version, buffers on the heap.

Rule: what counts is what stands on the wire between the program and CPython's ssl.
"""

import ssl

import pytest

from anchorwatch.wire.hello import ClientHello
from anchorwatch.wire.tls12 import Handshakes
from tests.linux import authority
from tests.linux.servers import Server
from tests.linux.taps import APPLICATION, HANDSHAKE, Tap, longest
from tests.micropython import programs

pytestmark = [pytest.mark.micropython, pytest.mark.tls, pytest.mark.lane_firmware]

HOST = "hub.example.net"
CLIENT = programs.ROOT / "tests" / "micropython" / "tls_client.py"
SIZES = (512, 1024, 2048, 4096)
GCM = 24  # what AES-GCM adds to a record: a nonce and a tag
SIZE = 20_000


@pytest.fixture(scope="module", params=programs.BUILT)
def program(request):
    return request.param()


@pytest.fixture(scope="module")
def reference():
    return programs.reference()


@pytest.fixture(scope="module")
def roots():
    """{kind of key: root}"""
    return {kind: authority.root("Root " + kind, key=kind) for kind in ("p256", "rsa")}


@pytest.fixture(scope="module")
def leaves(roots):
    """Below an intermediate, of so many names that the chain fills several short records."""
    names = [HOST] + ["host-%03d.of-many.example.net" % n for n in range(60)]
    return {
        kind: root.issue("Issuing " + kind, ca=True, key=kind).issue(HOST, names=names, key=kind)
        for kind, root in roots.items()
    }


def echo(visit):
    """Say all of it again at once, in records as long as they may be."""
    heard = data = visit.read()
    while data and len(heard) < SIZE:
        data = visit.read()
        heard += data
    visit.write(heard)
    visit.read()


def talk(program, root, server, folder, fragment="none", heap=None, size=SIZE):
    """(what the client printed, what went over the wire)"""
    anchor = folder / "root.der"
    anchor.write_bytes(root.der)
    with Tap(server.place()) as tap:
        port = tap.place().rpartition(":")[2]
        said = program.output(CLIENT, port, anchor, HOST, fragment, size, heap=heap)
    return said.decode().strip(), tap


def hello(raw):
    reader = Handshakes()
    reader.feed(bytes(raw))
    return ClientHello(reader.messages[0][1])


@pytest.mark.parametrize("kind", ["p256", "rsa"])
@pytest.mark.parametrize("size", SIZES)
def test_records_of_both_directions_are_as_short_as_was_asked(
    program, roots, leaves, tmp_path, size, kind
):
    with Server(leaves[kind].below(), talk=echo) as server:
        said, tap = talk(program, roots[kind], server, tmp_path, size)
    assert said.startswith("TLSv1.2 TLS-ECDHE-") and "GCM" in said
    assert hello(tap.up).max_fragment == size
    assert longest(tap.down, HANDSHAKE) <= size
    assert longest(tap.down, APPLICATION) == size + GCM
    assert longest(tap.up, APPLICATION) == size + GCM


def test_chain_that_fills_several_short_records_is_put_together(reference, roots, leaves, tmp_path):
    with Server(leaves["rsa"].below(), talk=echo) as server:
        said, tap = talk(reference, roots["rsa"], server, tmp_path, 512)
    reader = Handshakes()
    reader.feed(bytes(tap.down[: tap.down.index(b"\x14\x03\x03\x00\x01\x01")]))
    assert said.startswith("TLSv1.2")
    assert max(len(body) for _, body in reader.messages) > 4 * 512
    assert longest(tap.down, HANDSHAKE) == 512


def test_without_the_wish_nothing_is_asked_and_records_are_long(reference, roots, leaves, tmp_path):
    with Server(leaves["p256"].below(), talk=echo) as server:
        _, tap = talk(reference, roots["p256"], server, tmp_path, 0)
    assert hello(tap.up).max_fragment == 0
    assert longest(tap.down, APPLICATION) > 4096 + GCM


def test_hello_offers_one_version_and_no_other(program, roots, leaves, tmp_path):
    """TLS 1.2 in the record, in the hello, and no list of versions beside it."""
    with Server(leaves["p256"].below(), talk=echo) as server:
        _, tap = talk(program, roots["p256"], server, tmp_path, 4096)
    offered = hello(tap.up)
    assert bytes(tap.up[:3]) == b"\x16\x03\x03"
    assert (offered.version, offered.versions) == (0x0303, [])
    assert offered.server_name == HOST


def test_server_of_tls_1_3_alone_is_left(program, roots, leaves, tmp_path):
    def only_1_3(context):
        context.maximum_version = ssl.TLSVersion.TLSv1_3
        context.minimum_version = ssl.TLSVersion.TLSv1_3

    with Server(leaves["p256"].below(), tune=only_1_3) as server:
        said, _ = talk(program, roots["p256"], server, tmp_path)
    assert said.startswith("OSError -30592\n")


def test_chain_under_another_root_is_refused(program, roots, leaves, tmp_path):
    with Server(leaves["p256"].below(), talk=echo) as server:
        said, tap = talk(program, roots["rsa"], server, tmp_path)
    assert said.startswith("ValueError") and "not correctly signed by the trusted CA" in said
    assert longest(tap.up, APPLICATION) == 0


def test_small_buffer_takes_records_as_agreed_and_no_longer_ones(roots, leaves, tmp_path):
    """Why a buffer of 4 KB needs a server that honours the extension."""
    program = programs.small_heap_4k()
    with Server(leaves["p256"].below(), talk=echo) as server:
        agreed, _ = talk(program, roots["p256"], server, tmp_path, 4096)
        longer, _ = talk(program, roots["p256"], server, tmp_path, 0)
    assert agreed.startswith("TLSv1.2")
    assert longer == "OSError -28928\nmemory enough"


# Heap that was enough for a verified session with an echo: 64 bits a word, twice a board's.
ENOUGH = [("small_heap", 0, "64k"), ("small_heap_4k", 4096, "48k")]


@pytest.mark.parametrize("product, fragment, heap", ENOUGH)
def test_session_fits_into_the_heap_of_a_board(roots, leaves, tmp_path, product, fragment, heap):
    program = getattr(programs, product)()
    with Server(leaves["rsa"].below(), talk=echo) as server:
        said, _ = talk(program, roots["rsa"], server, tmp_path, fragment, heap=heap)
    assert said.startswith("TLSv1.2 TLS-ECDHE-RSA")


def test_lack_of_memory_that_looks_like_a_wrong_root_is_told_from_one(roots, leaves, tmp_path):
    """The library's words are the same; the C module knows what it was denied."""
    program, refused = programs.small_heap(), []
    with Server(leaves["p256"].below()) as server:
        wrong, _ = talk(program, roots["rsa"], server, tmp_path, 0)
        for heap in range(44, 30, -2):
            said, _ = talk(program, roots["p256"], server, tmp_path, 0, "%dk" % heap, size=0)
            refused += [said] if "not correctly signed by the trusted CA" in said else []
    assert "not correctly signed by the trusted CA" in wrong and wrong.endswith("memory enough")
    assert refused and all([said.endswith("memory denied") for said in refused])
