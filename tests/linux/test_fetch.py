"""Fetching a bundle: every source, every bad mirror, what is written and what is said."""

import json
import os
import ssl
import subprocess
import sys
import threading
import tracemalloc

import pytest

from anchorwatch.core.events import Fetched, FetchFailed
from anchorwatch.errors import LinkError
from anchorwatch.linux.clock import now_ms
from anchorwatch.linux.folder import Folder
from anchorwatch.linux.mirror import Mirror
from anchorwatch.linux.patience import Patience
from anchorwatch.linux.resolve import Resolver
from anchorwatch.linux.route import Route
from anchorwatch.wire.url import parse
from tests.core import signed
from tests.core.signed import trust_tree
from tests.linux import authority
from tests.linux.fetching import WAIT_S, Rig
from tests.linux.mirrors import Server, serving

MEGABYTE = 1_048_576


def made():
    """A vendor with one bundle of two roots."""
    maker = signed.Maker()
    maker.put_trust(trust_tree(names=signed.NAMES[:2]))
    return maker


def renewed(maker, tree=None):
    """The same vendor, another timestamp, and with a tree another content."""
    if tree is not None:
        maker.targets.version += 1
        maker.snapshot.version += 1
        maker.files.clear()
        maker.targets.targets.clear()
        maker.put_trust(dict(tree, version=maker.targets.version))
    maker.timestamp.version += 1
    return maker.published()


@pytest.fixture(scope="module")
def vendor():
    return made()


@pytest.fixture(scope="module")
def files(vendor):
    return vendor.published()


@pytest.fixture
def rig(tmp_path, vendor):
    found = Rig(tmp_path, vendor.roots[0])
    yield found
    found.errands.close()


def url_of(server, scheme="http"):
    return "%s://%s/roots" % (scheme, server.place())


# Sources.


def test_bundle_of_a_mirror_is_written_learned_and_told(rig, files):
    with Server(serving(files)) as server:
        event = rig.fetch(url_of(server))
    assert isinstance(event, Fetched) and event.bundle["folder"] == 1, event
    assert [a["sha256"] for a in event.bundle["anchors"]] == [
        signed.certificate(name)[1]["sha256"] for name in signed.NAMES[:2]]
    assert rig.learned == [event.bundle]
    assert rig.bundles.read(1, event.bundle["digest"])["anchors"] == event.bundle["anchors"]
    assert server.names()[:2] == ["2.root.json", "timestamp.json"]
    assert {asked.path.rpartition("/")[0] for asked in server.asked} == {"/roots"}


def test_mirror_over_https_needs_no_certificate_that_we_trust(rig, files, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stranger = authority.root("Stranger").issue("wrong.example", begins=-9, ends=-1)
    context.load_cert_chain(*stranger.write(tmp_path))
    with Server(serving(files), context) as server:
        rig.table.write_text(json.dumps({"mirror.example:443": [server.place()]}))
        event = rig.fetch("https://mirror.example/roots")
    assert isinstance(event, Fetched), event
    assert server.asked[0].headers["Host"] == "mirror.example"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_mirror_over_a_tls_that_is_too_old_is_refused(rig, files, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(*authority.root("R").issue("mirror.example").write(tmp_path))
    with Server(serving(files), context) as server:
        event = rig.fetch(url_of(server, "https"))
    assert (event.reason, server.asked) == ("policy", [])
    assert event.value == "protocol-version: " + server.place()


def test_bundle_of_a_folder_is_taken(rig, files, tmp_path):
    (tmp_path / "stick").mkdir()
    signed.write(tmp_path / "stick", files)
    event = rig.fetch("file:%s" % (tmp_path / "stick"))
    assert isinstance(event, Fetched) and event.bundle["version"] == 1, event


def test_bundle_that_came_with_the_order_is_taken(rig, files):
    event = rig.fetch("inline:", files=files)
    assert isinstance(event, Fetched) and event.bundle["folder"] == 1, event


def test_dry_run_verifies_and_writes_nothing(rig, files):
    event = rig.fetch("inline:", files=files, dry_run=True)
    assert isinstance(event, Fetched) and event.bundle["folder"] == 0
    assert event.bundle["version"] == 1 and rig.disk() == {} and rig.learned == []


def test_layer_without_a_root_of_trust_fetches_nothing(rig, files):
    with Server(serving(files)) as server:
        event = rig.fetch(url_of(server), layer="site")
    assert event == FetchFailed("site", url_of(server), "no-root", "site")
    assert server.asked == []


# Again.


def test_unchanged_mirror_costs_two_small_requests_and_no_write(rig, files):
    rig.installed(files)
    before = rig.disk()
    with Server(serving(files)) as server:
        event = rig.fetch(url_of(server))
    assert server.names() == ["2.root.json", "timestamp.json"]
    assert isinstance(event, Fetched) and event.bundle["folder"] == 0
    assert rig.disk() == before


def test_new_timestamp_over_the_same_content_is_a_new_folder_with_the_same_digest(rig):
    maker = made()
    rig.bundles._roots = {"vendor": maker.roots[0]}.get
    files = maker.published()
    first = rig.installed(files)
    maker.timestamp.version += 1
    newer = signed.signed(maker.timestamp, maker.signers["timestamp"])
    with Server(serving(dict(files, **{"timestamp.json": newer}))) as server:
        event = rig.fetch(url_of(server))
    assert server.names() == ["2.root.json", "timestamp.json"]
    assert (event.bundle["folder"], event.bundle["digest"]) == (2, first["digest"])


def test_new_roots_are_walked_and_named_in_the_lineage(rig):
    maker = made()
    rig.bundles._roots = {"vendor": maker.roots[0]}.get
    first = rig.installed(maker.published())
    maker.next_root()
    event = rig.fetch("inline:", files=renewed(maker, trust_tree()))
    assert event.bundle["lineage"] == [signed.digest(root) for root in maker.roots]
    assert first["lineage"] == event.bundle["lineage"][:1]
    assert (rig.path / "bundle" / "2" / "root.json").read_bytes() == maker.roots[1]


def test_a_bundle_that_lost_a_certificate_on_the_disk_is_made_whole(rig, files):
    bundle = rig.installed(files)
    lost = rig.path / "bundle" / "1" / (bundle["anchors"][0]["sha256"] + ".der")
    lost.unlink()
    event = rig.fetch("inline:", files=files)
    assert event.bundle["folder"] == 2
    assert rig.bundles.read(2, bundle["digest"])["anchors"] == bundle["anchors"]


def test_orders_of_one_layer_are_done_one_after_the_other(rig, files):
    with Server(serving(files)) as server:
        for _ in range(3):
            rig.fetcher.fetch(rig.order(url_of(server)))
        events = rig.answers(3)
    assert [event.bundle["folder"] for event in events] == [1, 2, 3]
    names = server.names()
    assert names == names[:len(names) // 3] * 3


def test_full_disk_is_said_and_nothing_has_changed(rig, files, monkeypatch):
    def refuse(*arguments):
        raise OSError(28, "full")

    before = rig.disk()
    monkeypatch.setattr(Folder, "write", refuse)
    assert rig.fetch("inline:", files=files).reason == "full"
    monkeypatch.undo()
    assert rig.disk() == before and rig.learned == []


# What a mirror does.


def cut_at(at, honest, times):
    """The first `times` answers with a body of trust.json break off after `at` bytes of it."""
    left = [times]

    def say(asked):
        if not asked.name.endswith("trust.json") or not left[0]:
            return honest(asked)
        left[0] -= 1
        sent = []
        whole, asked.send = asked.send, sent.append
        honest(asked)
        asked.send = whole
        head, _, body = sent[0].partition(b"\r\n\r\n")
        asked.send(head + b"\r\n\r\n" + body[:at])

    return say


@pytest.mark.parametrize("times", [1, 2])
def test_body_that_breaks_off_is_continued_where_it_ended(rig, files, times):
    with Server(cut_at(100, serving(files), times)) as server:
        event = rig.fetch(url_of(server))
    assert isinstance(event, Fetched), event
    ranges = [a.headers.get("Range") for a in server.asked if a.name.endswith("trust.json")]
    assert ranges == [None, "bytes=100-", "bytes=200-"][:times + 1]
    assert [a.headers["If-Range"] for a in server.asked if "Range" in a.headers] == ['"1"'] * times


def test_body_that_keeps_breaking_off_is_given_up(rig, files):
    with Server(cut_at(100, serving(files), 99)) as server:
        event = rig.fetch(url_of(server))
    assert event.reason == "cut"
    assert len([name for name in server.names() if name.endswith("trust.json")]) == 3


def test_server_that_knows_no_parts_gives_the_whole_again(rig, files):
    def say(asked):
        asked.answer(200, files[asked.name]) if asked.name in files else asked.answer(404)

    with Server(cut_at(100, say, 1)) as server:
        assert isinstance(rig.fetch(url_of(server)), Fetched)


def test_server_that_refuses_the_part_is_asked_for_the_whole(rig, files):
    def say(asked):
        if "Range" in asked.headers:
            asked.answer(416)
        else:
            serving(files)(asked)

    with Server(cut_at(100, say, 1)) as server:
        assert isinstance(rig.fetch(url_of(server)), Fetched)


def test_chunked_bodies_are_taken(rig, files):
    def say(asked):
        data = files.get(asked.name)
        if data is None:
            return asked.answer(403)
        asked.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(data), 97):
            asked.send(b"%x\r\n%s\r\n" % (len(data[at:at + 97]), data[at:at + 97]))
        asked.send(b"0\r\n\r\n")

    with Server(say) as server:
        assert isinstance(rig.fetch(url_of(server)), Fetched)


def moved(location, files):
    def say(asked):
        if asked.path.startswith("/new/"):
            serving(files)(asked)
        else:
            asked.answer(302, b"moved", "Location: " + location % asked.name)
    return say


def test_redirect_on_the_same_host_is_followed(rig, files):
    with Server(moved("/new/%s", files)) as server:
        assert isinstance(rig.fetch(url_of(server)), Fetched)


@pytest.mark.parametrize("location", ["http://127.0.0.2/new/%s", "https://evil.example/%s",
                                      "http://127.0.0.1:1/new/%s", "/again/%s"])
def test_redirect_elsewhere_or_without_end_is_refused(rig, files, location):
    with Server(moved(location, files)) as server:
        event = rig.fetch(url_of(server))
    assert event.reason == "redirected" and event.value == location % "2.root.json"
    assert len(server.asked) <= 4


@pytest.mark.parametrize("location", ["file:/etc/passwd", "http://[", "\x7f", "/a b"])
def test_redirect_that_is_no_address_is_refused(rig, files, location):
    with Server(moved(location.replace("%", "%%") + "%.0s", files)) as server:
        event = rig.fetch(url_of(server))
    assert isinstance(event, FetchFailed) and len(server.asked) == 1


def silent(asked):
    asked.until_gone()


def slow(asked):
    """A byte now and then, for ever."""
    asked.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while not slow.stop.wait(0.02):
        asked.send(b"x")


def endless(asked):
    asked.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        asked.send(b"x" * 65_536)


def endless_head(asked):
    asked.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        asked.send(b"X-A: " + b"x" * 65_536)


def endless_heads(asked):
    while True:
        asked.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def endless_trailer(asked):
    asked.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    while True:
        asked.send(b"X-A: b\r\n" * 1000)


def chunk_bomb(asked):
    asked.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        asked.send(b"1\r\nx\r\n" * 10_000)


def great_chunk(asked):
    asked.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n")
    asked.until_gone()


def great_length(asked):
    asked.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    asked.until_gone()


def short(asked):
    asked.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")


def garbage(asked):
    asked.send(bytes(range(256)) * 8 + b"\r\n\r\n")


def hangs_up(asked):
    pass


def not_json(asked):
    asked.answer(200, b"<html>please log in</html>")


def broken_down(asked):
    asked.answer(500, b"oops")


BAD = {
    # what it does      the word, what the value begins with, seconds it gets
    silent:            ("silent", "http://", 0.6),
    slow:              ("slow", "http://", 2.5),  # time for its first byte on a busy machine
    endless:           ("too-long", "2.root.json: HTTP body", WAIT_S),
    endless_head:      ("too-long", "2.root.json: HTTP head", WAIT_S),
    endless_heads:     ("too-long", "2.root.json: HTTP answer", WAIT_S),
    endless_trailer:   ("too-long", "2.root.json: HTTP answer", WAIT_S),
    chunk_bomb:        ("too-long", "2.root.json: HTTP ", WAIT_S),
    great_chunk:       ("too-long", "2.root.json: HTTP body", WAIT_S),
    great_length:      ("too-long", "2.root.json: HTTP body", WAIT_S),
    short:             ("cut", "http://", WAIT_S),
    garbage:           ("HTTP head", "", WAIT_S),
    hangs_up:          ("cut", "http://", WAIT_S),
    not_json:          ("", "", WAIT_S),
    broken_down:       ("network", "no-file: http://", WAIT_S),
}  # fmt: skip


@pytest.mark.parametrize("say", BAD, ids=lambda say: say.__name__)
def test_bad_mirror_costs_little_and_changes_nothing(rig, files, say):
    slow.stop = threading.Event()
    reason, value, for_s = BAD[say]
    rig.installed(files)
    before = rig.disk()
    with Server(say) as server:
        tracemalloc.start()
        began_ms = now_ms()
        event = rig.fetch(url_of(server), for_s)
        took_ms, peak = now_ms() - began_ms, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        slow.stop.set()
    assert isinstance(event, FetchFailed), event
    assert event.reason.startswith(reason) and event.value.startswith(value), event
    assert peak < MEGABYTE and took_ms < min(1000 * for_s + 1000, 10_000), (peak, took_ms)
    assert rig.disk() == before and len(rig.learned) == 1


def test_server_that_stops_in_the_middle_is_left_before_the_whole_time_is_over(rig, files):
    with Server(silent) as server:
        route = Route(Resolver({}, None), "", 600)
        mirror = Mirror(parse(url_of(server)), route, "", Patience(600), None, 0.2)
        with pytest.raises(LinkError) as caught:
            mirror.file("timestamp.json", 100)
    assert caught.value.verdict == "silent"


def test_name_that_is_unknown_and_port_where_nobody_listens_are_the_network(rig):
    with Server(silent) as server:
        gone = url_of(server)
    event = rig.fetch(gone)
    assert (event.reason, event.value.partition(":")[0]) == ("network", "refused")
    event = rig.fetch("http://nobody.invalid/roots")
    assert (event.reason, event.value.partition(":")[0]) == ("network", "name-unknown")


@pytest.mark.parametrize("url", ["ftp://mirror.example/", "http://me:pw@mirror.example/", "http:/x",
                                 "file:roots", "file:/a\0b", "file:", "", "gopher"])
def test_address_that_is_none_is_refused(rig, url):
    event = rig.fetch(url)
    assert event.reason in ("not an address of a mirror", "not the path of a folder"), event


# What a bundle is.


def expired(maker):
    maker.timestamp.expires = signed.MADE - signed.YEAR
    return renewed(maker)


def older(maker):
    maker.timestamp.version = 0
    return renewed(maker)


def other_bytes(maker):
    tree = dict(trust_tree(names=signed.NAMES[:1]))
    maker.put_trust(tree)
    maker.snapshot.version += 1
    return renewed(maker)


def too_few(maker):
    maker.signers["targets"] = maker.signers["targets"][:1]
    return renewed(maker, trust_tree())


def of_another(maker):
    return renewed(made())


def without_a_certificate(maker):
    files = renewed(maker, trust_tree())
    return {name: files[name] for name in files if not name.endswith(".der")}


def with_a_changed_byte(maker):
    files = renewed(maker, trust_tree())
    name = next(name for name in files if name.endswith("trust.json"))
    return dict(files, **{name: files[name].replace(b"active", b"staged", 1)})


def of_one_timestamp_only(maker):
    files = renewed(maker, trust_tree())
    return {"timestamp.json": files["timestamp.json"]}


def longer_than_said(maker):
    files = renewed(maker, trust_tree())
    name = next(name for name in files if name.endswith("trust.json"))
    return dict(files, **{name: files[name] + b" "})


REFUSED = {
    expired: "metadata expired",
    older: "metadata version went back",
    other_bytes: "metadata changed under the same version",
    too_few: "metadata below its threshold",
    of_another: "metadata below its threshold",
    without_a_certificate: "file is missing",
    with_a_changed_byte: "file is not the one that was signed",
    of_one_timestamp_only: "file is missing",
    longer_than_said: "too-long",
}


@pytest.mark.parametrize("attack", REFUSED, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("way", ["mirror", "folder", "inline"])
def test_attack_ends_with_the_verifiers_sentence_and_the_same_bytes_on_the_disk(
        rig, tmp_path, attack, way):
    maker = made()
    maker.timestamp.version = 5
    rig.bundles._roots = {"vendor": maker.roots[0]}.get
    rig.installed(maker.published())
    before, files = rig.disk(), attack(maker)
    if way == "mirror":
        with Server(serving(files)) as server:
            event = rig.fetch(url_of(server))
    elif way == "folder":
        (tmp_path / "drop").mkdir()
        event = rig.fetch("file:%s" % signed.write(tmp_path / "drop", files))
    else:
        event = rig.fetch("inline:", files=files)
    assert isinstance(event, FetchFailed) and event.reason == REFUSED[attack], event
    assert event.value and rig.disk() == before


# What a folder is.


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_in_a_drop_folder_is_refused(rig, files, tmp_path, kind):
    drop = tmp_path / "drop"
    drop.mkdir()
    signed.write(drop, files)
    (drop / "timestamp.json").rename(tmp_path / "aside")
    {"link": lambda p: p.symlink_to(tmp_path / "aside"), "pipe": os.mkfifo,
     "folder": lambda p: p.mkdir()}[kind](drop / "timestamp.json")
    event = rig.fetch("file:%s" % drop)
    assert isinstance(event, FetchFailed) and event.value.startswith("timestamp.json"), event
    assert event.reason == "file of a bundle cannot be read"


def test_drop_folder_that_is_a_link_or_missing_is_refused(rig, files, tmp_path):
    (tmp_path / "drop").mkdir()
    (tmp_path / "link").symlink_to(signed.write(tmp_path / "drop", files))
    for name in ("link", "nothing"):
        event = rig.fetch("file:%s" % (tmp_path / name))
        assert (event.reason, name in event.value) == ("folder cannot be opened", True)


def test_great_file_in_a_drop_folder_is_not_read_to_its_end(rig, files, tmp_path):
    drop = tmp_path / "drop"
    drop.mkdir()
    signed.write(drop, files)
    with open(drop / "timestamp.json", "ab") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    event = rig.fetch("file:%s" % drop)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert event.reason == "too-long" and peak < MEGABYTE


def test_root_chain_without_end_is_left(rig, vendor):
    """Roots that each hand over to the next: true ones, but more than a device takes at once."""
    maker = made()
    rig.bundles._roots = {"vendor": maker.roots[0]}.get
    maker.root.unrecognized_fields["x"] = "y" * 20_000
    for _ in range(60):
        maker.next_root()
    event = rig.fetch("inline:", files=renewed(maker))
    assert event.reason == "too-long" and rig.disk() == {}


def test_agent_verifies_without_the_integrators_libraries():
    program = ("import sys; import anchorwatch.linux.fetch;"
               "print([m for m in ('tuf', 'securesystemslib', 'urllib', 'http', 'cryptography',"
               " 'argparse') if m in sys.modules and getattr(sys.modules[m], '__file__', None)])")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


# A floor that lies in the future.

FAR_S = signed.NOW_S + 14 * 365 * 86_400


def of_a_device_with_that_floor(tmp_path, **more):
    """The answer to a bundle of today, where the device believes in 2040."""
    maker = made()
    rig = Rig(tmp_path, maker.roots[0], utc_s=None)
    given = renewed(maker, dict(trust_tree(names=signed.NAMES[:2]), **more))
    return rig, rig.fetch("inline:", files=given, floor_s=FAR_S)


def test_bundle_that_lowers_a_poisoned_floor_is_taken_though_by_that_floor_it_is_expired(tmp_path):
    _, event = of_a_device_with_that_floor(tmp_path, floor_reset="2026-11-22T00:00:00Z")
    assert event.bundle["floor_reset_s"] == signed.NOW_S


@pytest.mark.parametrize("more", [{}, {"floor_reset": "2041-01-01T00:00:00Z"}])
def test_bundle_that_lowers_nothing_stays_expired_by_a_poisoned_floor(tmp_path, more):
    rig, event = of_a_device_with_that_floor(tmp_path, **more)
    assert event.reason == "metadata expired"
    assert rig.disk() == {}
