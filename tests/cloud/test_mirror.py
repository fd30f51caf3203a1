"""The bundle mirror as clients meet it: stock `tuf.ngclient`, which nobody here wrote, and HTTP.

Each attack is seen by that client; what devices do with it is another suite's.
"""

import base64
import http.client
import json
import ssl

import pytest
import urllib3.exceptions
from cryptography import x509
from tuf.api import exceptions
from tuf.ngclient import Updater
from tuf.ngclient.urllib3_fetcher import Urllib3Fetcher

from hil.cloud.remote import Refused, RemoteCloud
from tests.cloud import mirrored

pytestmark = pytest.mark.tls
PATIENCE_S = 0.5  # of the stock client, between two bytes


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    yield from mirrored.started(tmp_path_factory.mktemp("cloud"))


@pytest.fixture
def cloud(running):
    yield from mirrored.at_peace(running)


class Stock:
    """A device with stock `tuf` on it: what it has, and one attempt to have the newest."""

    def __init__(self, cloud, folder):
        at = cloud.ready["mirror"]
        self.url = f"http://{at['address']}:{at['port']}/bundle/"
        self.root = (cloud.folder / "vendor.root.json").read_bytes()
        self.metadata, self.targets = folder / "metadata", folder / "targets"
        for place in (self.metadata, self.targets):
            place.mkdir(parents=True)

    def update(self):
        """The newest trust.json and the certificates it names."""
        updater = Updater(
            str(self.metadata), self.url, str(self.targets), self.url,
            fetcher=Urllib3Fetcher(socket_timeout=PATIENCE_S), bootstrap=self.root,
        )  # fmt: skip
        updater.refresh()
        trust = json.loads(self.fetched(updater, "trust.json"))
        ders = [self.fetched(updater, f"{a['sha256']}.der") for a in trust["anchors"]]
        return trust, ders

    def fetched(self, updater, path):
        with open(updater.download_target(updater.get_targetinfo(path)), "rb") as file:
            return file.read()

    def in_force(self):
        """What is trusted: the signed targets and the files they name."""
        files = [self.metadata / "targets.json", *sorted(self.targets.iterdir())]
        return {file.name: file.read_bytes() for file in files}

    def all(self):
        files = [f for place in (self.metadata, self.targets) for f in place.rglob("*")]
        return {str(file): file.read_bytes() for file in files if file.is_file()}


@pytest.fixture
def stock(cloud, tmp_path):
    return Stock(cloud, tmp_path / "stock")


def get(cloud, path, headers=None, method="GET"):
    """(status, headers, body) from the plain side."""
    at = cloud.ready["mirror"]
    connection = http.client.HTTPConnection(at["address"], at["port"], timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read()
    finally:
        connection.close()


def test_a_stock_client_gets_what_was_published(cloud, stock):
    roots = {"g2": "active", "baltimore": {"state": "sunset", "scope": ["hub"]}}
    cloud.publish(roots, distrust=["unknown"], hold_s=0)
    trust, ders = stock.update()
    assert {a["name"]: (a["state"], a["scope"]) for a in trust["anchors"]} == {
        "g2": ("active", ["hub", "dps"]), "baltimore": ("sunset", ["hub"]),
    }  # fmt: skip
    for anchor, der in zip(trust["anchors"], ders):
        root = x509.load_pem_x509_certificate(
            (cloud.folder / "roots" / f"{anchor['name']}.pem").read_bytes()
        )
        assert x509.load_der_x509_certificate(der) == root
    assert [row["hold_s"] for row in trust["distrust"]] == [0]


def test_each_release_is_newer_and_a_client_follows(cloud, stock):
    before, _ = stock.update()
    first = cloud.mirror()["versions"]
    second = cloud.publish({"g3": "active"}, issued="2036-01-01T00:00:00Z")["versions"]
    assert second == {role: first[role] + (role != "root") for role in first}
    after, _ = stock.update()
    assert after["version"] == before["version"] + 1 == second["targets"]
    assert after["issued"] == "2036-01-01T00:00:00Z"


@pytest.mark.parametrize("who", ["root", "targets", "online"])
def test_a_client_follows_keys_that_were_handed_over(cloud, stock, tmp_path, who):
    stock.update()
    versions = [cloud.rotate(who)["versions"]["root"] for _ in range(3)]
    assert versions == list(range(versions[0], versions[0] + 3))
    newest = cloud.mirror()["versions"]["targets"]
    fresh = Stock(cloud, tmp_path / "fresh")
    assert [client.update()[0]["version"] for client in (stock, fresh)] == [newest, newest]


REFUSED = {
    # attack              how                       what stock tuf says
    "garbage":              ({}, exceptions.RepositoryError),
    "truncated":            ({}, exceptions.RepositoryError),
    "wrong-length":         ({}, urllib3.exceptions.ProtocolError),
    "cut":                  ({"after": 100}, urllib3.exceptions.ProtocolError),
    "endless":              ({}, exceptions.DownloadLengthMismatchError),
    "slow":                 ({"every_ms": 60_000}, exceptions.SlowRetrievalError),
    "silent":               ({}, exceptions.SlowRetrievalError),
    "redirect":             ({}, exceptions.DownloadHTTPError),
    "older":                ({}, exceptions.BadVersionNumberError),
    "below-threshold":      ({}, exceptions.UnsignedMetadataError),
    "below-threshold-root": ({}, exceptions.UnsignedMetadataError),
    "other-vendor":         ({}, exceptions.UnsignedMetadataError),
    "expired":              ({}, exceptions.ExpiredMetadataError),
}  # fmt: skip


@pytest.mark.parametrize("attack", REFUSED)
def test_each_attack_is_refused_by_a_stock_client_and_changes_nothing(cloud, stock, attack):
    how, error = REFUSED[attack]
    stock.update()
    before = stock.in_force()
    assert cloud.attack(attack, **how)["attack"] == attack
    with pytest.raises(error):
        stock.update()
    assert stock.in_force() == before
    assert cloud.attack()["attack"] is None
    # Twice: stock tuf keeps the timestamp of a release whose targets it refuses.
    versions = [cloud.publish({"g3": "active"})["versions"] for _ in range(2)]
    newest = versions[-1]["targets"]
    assert stock.update()[0]["version"] == newest


@pytest.mark.parametrize("attack", ["garbage", "truncated", "endless", "slow", "wrong-length"])
@pytest.mark.parametrize("file", ["timestamp.json", "targets.json", "trust.json", "der"])
def test_an_attack_on_one_file_leaves_the_others_as_they_are(cloud, stock, attack, file):
    cloud.attack(attack, file=file, every_ms=60_000)
    attacked = [name for name in cloud.bundle() if name == file or name.endswith("." + file)]
    with pytest.raises((exceptions.RepositoryError, exceptions.DownloadError, OSError,
                        urllib3.exceptions.HTTPError)):  # fmt: skip
        stock.update()
    assert attacked and get(cloud, "/bundle/1.root.json")[2] == stock.root


def test_a_second_snapshot_of_one_version_changes_nothing_that_is_trusted(cloud, stock):
    stock.update()
    before, files = stock.in_force(), cloud.bundle()
    cloud.attack("equal")
    name = f"{cloud.mirror()['versions']['snapshot']}.snapshot.json"
    assert cloud.bundle()[name] != files[name]
    stock.update()
    assert stock.in_force() == before


def test_second_targets_of_one_version_are_signed_by_all_their_keys(cloud, stock):
    version = stock.update()[0]["version"]
    cloud.attack("equal-targets")
    trust, _ = stock.update()  # stock tuf takes them: it remembers no content
    assert (trust["version"], [a["name"] for a in trust["anchors"]]) == (version, ["unknown"])


@pytest.mark.parametrize("version", [2**31, 2**31 - 1])
def test_a_fast_forward_by_the_online_key_is_healed_by_another_key(cloud, stock, version):
    stock.update()
    before = stock.in_force()
    cloud.attack("fast-forward", version=version)
    stock.update()
    assert stock.in_force() == before
    cloud.attack()
    cloud.publish({"g3": "active"})
    with pytest.raises(exceptions.BadVersionNumberError):
        stock.update()
    newest = cloud.rotate("online")["versions"]["targets"]
    assert stock.update()[0]["version"] == newest


def test_a_redirect_leads_to_another_host_that_the_journal_knows(cloud, stock):
    since = cloud.rows()[-1]["n"]
    cloud.attack("redirect")
    status, headers, body = get(cloud, "/bundle/timestamp.json")
    at = cloud.ready["mirror"]
    elsewhere = f"http://{at['address']}:{at['port']}/elsewhere/timestamp.json"
    assert (status, headers["Location"], body) == (302, elsewhere, b"")
    assert cloud.rows("get", since, file="elsewhere/timestamp.json") == []
    assert get(cloud, "/elsewhere/timestamp.json")[0] == 404
    assert cloud.rows("get", since, file="elsewhere/timestamp.json", status=404)


def test_before_the_first_release_there_are_roots_only(tmp_path):
    with RemoteCloud(tmp_path, *mirrored.QUICK, "--vendor-root", "beside") as cloud:
        assert get(cloud, "/bundle/1.root.json")[0] == 200
        assert get(cloud, "/bundle/timestamp.json")[0] == 404
        assert list(cloud.bundle()) == ["1.root.json"] and cloud.mirror()["releases"] == 0
        with pytest.raises(Refused, match="publish"):
            cloud.attack("older")
        with pytest.raises(Refused, match="publish"):
            cloud.attack("equal")
        assert cloud.rotate()["versions"]["root"] == 2
        assert (tmp_path / "vendor.root.json").read_bytes() == cloud.bundle()["1.root.json"]
        assert not (tmp_path / "factory" / "vendor.root.json").exists()


def test_devices_are_delivered_with_the_vendors_root_and_know_the_mirror(cloud):
    root = (cloud.folder / "vendor.root.json").read_bytes()
    assert (cloud.folder / "factory" / "vendor.root.json").read_bytes() == root
    at, text = cloud.ready["mirror"], (cloud.folder / "x509" / "anchorwatch.toml").read_text()
    assert f'mirrors = ["{at["url"]}"]' in text and at["url"].startswith("http://" + at["host"])
    for known, port in ((80, "port"), (443, "https_port")):
        assert f'"{at["host"]}:{known}" = ["{at["address"]}:{at[port]}"]' in text
    assert at["address"] == cloud.ready["net"] + ".6"


RANGES = {
    # Range: what is meant of 1.root.json, and the status
    "bytes=10-19": (slice(10, 20), 206),
    "bytes=100-": (slice(100, None), 206),
    "bytes=-7": (slice(-7, None), 206),
    "bytes=0-999999": (slice(0, None), 206),
    "bytes=999999-": (slice(0, 0), 416),
    "bytes=-0": (slice(0, 0), 416),
    "bytes=5-4": (slice(0, 0), 416),
    "bytes=0-1,5-6": (slice(0, None), 200),
    "lines=1-2": (slice(0, None), 200),
    "bytes=-": (slice(0, None), 200),
    "bytes=x-": (slice(0, None), 200),
}


@pytest.mark.parametrize("asked", RANGES)
def test_a_range_is_answered_with_that_part(cloud, asked):
    whole = cloud.bundle()["1.root.json"]
    wanted, status = RANGES[asked]
    got, headers, body = get(cloud, "/bundle/1.root.json", {"Range": asked})
    assert (got, body) == (status, whole[wanted])
    assert headers["Content-Length"] == str(len(body)) and headers["Accept-Ranges"] == "bytes"
    if status == 206:
        begin, end = wanted.indices(len(whole))[:2]
        assert headers["Content-Range"] == f"bytes {begin}-{end - 1}/{len(whole)}"


def test_a_cut_download_is_resumed_to_the_same_bytes(cloud):
    whole = cloud.bundle()["1.root.json"]
    cloud.attack("cut", after=500)
    kept = b""
    for _ in range(len(whole) // 500 + 1):
        with pytest.raises(http.client.IncompleteRead) as caught:
            get(cloud, "/bundle/1.root.json", {"Range": f"bytes={len(kept)}-"})
        kept += caught.value.partial
        if len(whole) - len(kept) <= 500:
            break
    kept += get(cloud, "/bundle/1.root.json", {"Range": f"bytes={len(kept)}-"})[2]
    assert kept == whole


def test_a_resume_of_a_file_that_has_changed_gets_the_whole(cloud):
    _, headers, old = get(cloud, "/bundle/timestamp.json")
    again = {"Range": "bytes=10-", "If-Range": headers["ETag"]}
    assert get(cloud, "/bundle/timestamp.json", again)[::2] == (206, old[10:])
    cloud.publish({"g3": "active"})
    status, _, new = get(cloud, "/bundle/timestamp.json", again)
    assert status == 200 and new == cloud.bundle()["timestamp.json"] != old


def test_head_has_the_length_and_other_methods_and_files_are_refused(cloud):
    whole = cloud.bundle()["timestamp.json"]
    status, headers, body = get(cloud, "/bundle/timestamp.json", method="HEAD")
    assert (status, int(headers["Content-Length"]), body) == (200, len(whole), b"")
    assert headers["Date"].endswith("GMT")
    assert get(cloud, "/bundle/timestamp.json", method="POST")[0] == 405
    for path in ("/", "/timestamp.json", "/bundle/", "/bundle/99.root.json", "/bundle/../x"):
        assert get(cloud, path)[0] == 404, path


def test_the_same_files_come_over_tls_on_the_mirrors_name(cloud):
    at = cloud.get("/services")["mirror"]
    context = ssl.create_default_context(cafile=str(cloud.folder / "roots" / "g3.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    connection = http.client.HTTPSConnection(at["address"], at["https_port"], timeout=10)
    connection.connect = lambda: None
    plain = http.client.socket.create_connection((at["address"], at["https_port"]), 10)
    connection.sock = context.wrap_socket(plain, server_hostname=at["host"])
    try:
        connection.request("GET", "/bundle/trust.json", headers={"Connection": "close"})
        assert connection.getresponse().read() == cloud.bundle()["trust.json"]
    finally:
        connection.close()
    assert cloud.wait_for("get", server_name=at["host"])["file"] == "trust.json"


def test_the_journal_says_who_got_what_and_how_it_ended(cloud):
    since = cloud.rows()[-1]["n"]
    whole = get(cloud, "/bundle/1.root.json", {"Range": "bytes=10-"})[2]
    row = cloud.wait_for("get", since=since)
    assert row["client"].startswith("127.") and row["service"] == "mirror"
    assert {name: row[name] for name in ("file", "bytes", "status", "range", "whole")} == {
        "file": "1.root.json", "bytes": len(whole), "status": 206, "range": "bytes=10-",
        "whole": True,
    }  # fmt: skip
    cloud.attack("silent")
    with pytest.raises(TimeoutError):
        at = cloud.ready["mirror"]
        connection = http.client.HTTPConnection(at["address"], at["port"], timeout=0.2)
        try:
            connection.request("GET", "/bundle/timestamp.json")
            connection.getresponse()
        finally:
            connection.close()
    row = cloud.wait_for("get", since=since, attack="silent")
    assert (row["bytes"], row["status"], row["whole"]) == (0, None, False)


def test_the_mirror_goes_down_up_and_shows_another_chain_as_the_services_do(cloud):
    assert cloud.post("/mirror/chain", {"name": "unknown2-rsa"})["root"] == "roots/unknown2.pem"
    assert cloud.post("/mirror/chain", {"name": "g3-ecc"})["root"] == "roots/g3.pem"
    assert cloud.post("/mirror/listen", {"up": False})["up"] is False
    with pytest.raises(ConnectionRefusedError):
        get(cloud, "/bundle/trust.json")
    assert cloud.post("/mirror/listen", {"up": True})["up"] is True
    assert get(cloud, "/bundle/trust.json")[0] == 200


def test_what_is_served_can_be_carried_another_way(cloud):
    cloud.attack("below-threshold")
    served = cloud.bundle()
    assert get(cloud, "/bundle/timestamp.json")[2] == served["timestamp.json"]
    files = cloud.get("/mirror/files")["files"]
    assert base64.b64decode(files["timestamp.json"]) == served["timestamp.json"]


BAD = {
    "nothing to do": ({}, "[]"),
    "two things to do": ({"attack": None, "rotate": "root"}, "rotate"),
    "a field of nothing": ({"rotate": "root", "file": "x"}, "file"),
    "no such attack": ({"attack": "rain"}, "rain"),
    "no such field of an attack": ({"attack": "slow", "fast": 1}, "fast"),
    "one file of a forged folder": ({"attack": "expired", "file": "trust.json"}, "trust.json"),
    "no such holder": ({"rotate": "cleaner"}, "cleaner"),
    "no roots": ({"release": {"roots": {}}}, "{}"),
    "no such field of a release": ({"release": {"roots": {"g3": "active"}, "root": 1}}, "root"),
    "no such root": ({"release": {"roots": {"g9": "active"}}}, "g9"),
    "no such root to distrust": (
        {"release": {"roots": {"g3": "active"}, "distrust": ["g9"]}}, "g9",
    ),
    "a state that is no word": ({"release": {"roots": {"g3": 5}}}, "5"),
    "days that are no number": ({"release": {"roots": {"g3": "active"}, "days": "x"}}, "x"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_request_to_the_mirror_is_refused_and_changes_nothing(cloud, what):
    body, value = BAD[what]
    before = cloud.mirror()
    with pytest.raises(Refused) as caught:
        cloud.post("/mirror", body)
    assert caught.value.status == 400 and value in caught.value.error["value"]
    assert cloud.mirror() == before
