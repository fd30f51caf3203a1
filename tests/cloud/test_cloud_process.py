"""The cloud as a process: its ready line, its folder, its management port, HTTPS, and its end."""

import base64
import hmac
import http.client
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
import time
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest
from cryptography import x509

from hil.cloud.loopback import NetTaken, take
from hil.cloud.remote import Refused, RemoteCloud
from tests.cloud import spoken

pytestmark = pytest.mark.tls
QUICK = ("--chain", "g3-ecc", "--factory", "g3,baltimore", "--ports", "free")
KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with RemoteCloud(tmp_path_factory.mktemp("cloud"), *QUICK) as running:
        yield running


@pytest.fixture
def since(cloud) -> int:
    """The number of the newest journal row."""
    rows = cloud.get("/journal")["rows"]
    return rows[-1]["n"] if rows else 0


def trusting(cloud, root: str = "g3") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(cloud.folder / "roots" / f"{root}.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def dialled(cloud, service: str, context: ssl.SSLContext, port: str = "port") -> ssl.SSLSocket:
    at = cloud.get("/services")[service]
    plain = socket.create_connection((at["address"], at[port]), 10)
    try:
        return context.wrap_socket(plain, server_hostname=at["host"])
    except (OSError, ssl.SSLError):
        plain.close()
        raise


def asked(cloud, service: str, method: str, path: str, headers: dict | None = None, context=None):
    """(status, headers, body) over HTTPS on the service's name."""
    host = cloud.ready[service]["host"]
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.sock = dialled(cloud, service, context or trusting(cloud), "https_port")
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read()
    finally:
        connection.close()


def refused(cloud, method: str, path: str, body: dict | None = None) -> dict:
    """The error of a request that is refused."""
    with pytest.raises(Refused) as caught:
        cloud.ask(method, path, body)
    assert set(caught.value.error) == {"what", "value", "remedy"}
    return caught.value.error


def test_the_ready_line_says_where_everything_is(cloud):
    ready = cloud.ready
    assert ready["ready"] is True and ready["dir"] == str(cloud.folder)
    numbers = {s: ready[s]["address"].rpartition(".")[2] for s in ("hub", "hub2", "dps", "sntp")}
    assert numbers == {"hub": "2", "hub2": "3", "dps": "4", "sntp": "7"}
    assert all(ready[s]["address"].startswith(ready["net"] + ".") for s in numbers)
    for service in ("hub", "hub2", "dps"):
        with dialled(cloud, service, trusting(cloud)):
            pass


def test_the_folder_holds_the_roots_and_what_devices_are_delivered_with(cloud):
    roots = {f.stem for f in (cloud.folder / "roots").iterdir()}
    assert {"baltimore", "g2", "g3", "msecc2017", "unknown"} <= roots
    factory = {f.name for f in (cloud.folder / "factory").iterdir()}
    assert factory == {"g3.pem", "baltimore.pem", "vendor.root.json"}


@pytest.mark.parametrize("kind", ["x509", "x509-group", "symmetric-key"])
def test_keys_are_for_their_owner_only(cloud, kind):
    mode = (cloud.folder / kind / "device.key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_the_group_device_shows_its_chain_up_to_the_enrolled_authority(cloud):
    pem = (cloud.folder / "x509-group" / "device.pem").read_bytes()
    leaf, authority = x509.load_pem_x509_certificates(pem)
    leaf.verify_directly_issued_by(authority)
    assert leaf.subject.rfc4514_string() == "CN=dev-group"


def test_two_clouds_run_at_the_same_time_and_share_nothing(cloud, tmp_path):
    with RemoteCloud(tmp_path, *QUICK) as other:
        assert other.ready["net"] != cloud.ready["net"]
        with pytest.raises(ssl.SSLCertVerificationError):
            dialled(other, "hub", trusting(cloud))


def test_a_net_in_use_is_refused_with_a_way_out(cloud, tmp_path):
    with pytest.raises(NetTaken, match="take another"):
        take(cloud.ready["net"])
    with pytest.raises(NetTaken, match="127.A.B"):
        take("10.0.0")
    command = [sys.executable, "-m", "hil.cloud", "--dir", str(tmp_path)]
    done = subprocess.run(
        [*command, "--net", cloud.ready["net"]], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1 and "is in use" in done.stderr and "Traceback" not in done.stderr


def test_sigterm_ends_the_process_with_0(tmp_path):
    command = [sys.executable, "-m", "hil.cloud", "--dir", str(tmp_path), *QUICK]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    ready = json.loads(process.stdout.readline())
    process.terminate()
    assert process.wait(10) == 0
    process.stdout.close()
    with pytest.raises(OSError):
        socket.create_connection((ready["hub"]["address"], ready["hub"]["port"]), 2)


def test_a_chain_is_switched_for_one_service_and_back(cloud, since):
    with dialled(cloud, "hub", trusting(cloud)) as before:
        leaf = before.getpeercert(True)
    answer = cloud.post("/hub/chain", {"name": "baltimore-rsa"})
    assert answer["root"] == "roots/baltimore.pem"
    with pytest.raises(ssl.SSLCertVerificationError):
        dialled(cloud, "hub", trusting(cloud))
    dialled(cloud, "hub", trusting(cloud, "baltimore")).close()
    dialled(cloud, "dps", trusting(cloud)).close()
    cloud.post("/hub/chain", {"name": "g3-ecc"})
    with dialled(cloud, "hub", trusting(cloud)) as after:
        assert after.getpeercert(True) == leaf
    assert [r["name"] for r in cloud.rows("chain", since)] == ["baltimore-rsa", "g3-ecc"]


def test_a_leaf_is_replaced_within_the_same_anchor(cloud):
    with dialled(cloud, "hub2", trusting(cloud)) as before:
        old = before.getpeercert(True)
    cloud.post("/hub2/chain", {"name": "g3-ecc", "new_leaf": True})
    with dialled(cloud, "hub2", trusting(cloud)) as after:
        new = after.getpeercert(True)
    keys = [x509.load_der_x509_certificate(der).public_key().public_numbers() for der in (old, new)]
    assert keys[0] != keys[1]


def test_a_hub_goes_down_moves_and_comes_back(cloud):
    at = cloud.get("/services")["hub"]
    live = dialled(cloud, "hub", trusting(cloud))
    assert cloud.post("/hub/listen", {"up": False})["up"] is False
    with pytest.raises(OSError):
        dialled(cloud, "hub", trusting(cloud))
    live.settimeout(10)
    try:
        assert live.recv(1) == b""
    except OSError:
        pass  # a reset is as good an end
    live.close()
    elsewhere = cloud.ready["net"] + ".20"
    cloud.post("/hub/listen", {"up": True, "address": elsewhere})
    assert cloud.get("/services")["hub"]["address"] == elsewhere
    dialled(cloud, "hub", trusting(cloud)).close()
    with pytest.raises(OSError):
        socket.create_connection((at["address"], at["port"]), 2)
    cloud.post("/hub/listen", {"up": True, "address": at["address"]})


def test_a_move_may_leave_the_open_sessions(cloud):
    at = cloud.get("/services")["hub2"]
    with dialled(cloud, "hub2", trusting(cloud)) as live:
        live.sendall(spoken.connect("nobody", "x", b"y"))
        cloud.post(
            "/hub2/listen", {"up": True, "address": cloud.ready["net"] + ".30", "cut": False}
        )
        live.settimeout(10)
        assert live.recv(4) == b"\x20\x02\x00\x05"
    cloud.post("/hub2/listen", {"up": True, "address": at["address"]})


def test_resolve_rewrites_the_file_and_keeps_the_other_lines(cloud):
    host = cloud.ready["hub"]["host"]
    before = json.loads((cloud.folder / "resolve.json").read_text())
    cloud.post("/resolve", {f"{host}:8883": ["127.0.0.9:1234"]})
    after = json.loads((cloud.folder / "resolve.json").read_text())
    assert after == {**before, f"{host}:8883": ["127.0.0.9:1234"]}
    cloud.post("/resolve", {f"{host}:8883": before[f"{host}:8883"]})
    assert cloud.get("/resolve") == before


def test_head_answers_with_the_date_of_the_clouds_clock(cloud):
    for offset_s in (0, 86_400):
        cloud.post("/clock", {"date_offset_s": offset_s})
        status, headers, body = asked(cloud, "hub", "HEAD", "/")
        said = parsedate_to_datetime(headers["Date"]).timestamp()
        assert (status, body) == (200, b"") and abs(said - time.time() - offset_s) < 30
    cloud.post("/clock", {"date_offset_s": 0})


def test_the_look_up_refuses_whom_dps_refuses(cloud):
    scope = cloud.ready["id_scope"]
    path = f"/{scope}/registrations/dev-key?api-version=2019-03-31"
    status, headers, body = asked(cloud, "dps", "POST", path)
    assert status == 401 and json.loads(body)["errorCode"] == 401002
    assert headers["x-ms-error-code"] == "401002"
    assert asked(cloud, "dps", "GET", path)[0] == 405
    assert asked(cloud, "hub", "POST", path)[0] == 404


def test_the_look_up_knows_a_device_by_its_client_certificate(cloud):
    context = trusting(cloud)
    folder = cloud.folder / "x509"
    context.load_cert_chain(folder / "device.pem", folder / "device.key")
    path = f"/{cloud.ready['id_scope']}/registrations/dev-x509?api-version=2019-03-31"
    status, _, body = asked(cloud, "dps", "POST", path, context=context)
    assert (status, json.loads(body)["errorCode"]) == (404, 404202)  # known, and not registered yet


def test_devices_are_made_changed_and_deleted(cloud):
    cloud.post("/devices", {"device_id": "d-1", "primary_key": KEY})
    shown = {d["device_id"]: d for d in cloud.get("/devices")["hub"]}["d-1"]
    assert shown["enabled"] and not shown["connected"] and KEY not in json.dumps(shown)
    assert cloud.post("/devices/d-1", {"enabled": False})["enabled"] is False
    cloud.ask("DELETE", "/devices/d-1")
    assert not [d for d in cloud.get("/devices")["hub"] if d["device_id"] == "d-1"]


def test_an_enrollment_is_moved_to_the_other_hub(cloud):
    moved = cloud.post("/enrollments/dev-x509", {"hub": "hub2"})
    assert moved["hub"] == cloud.ready["hub2"]["host"]
    spare = (cloud.folder / "x509-group" / "ca.pem").read_text()
    changed = cloud.post("/enrollments/dev-x509", {"hub": "hub", "secondary": spare})
    assert changed["secondary"] and changed["primary"] == moved["primary"]
    cloud.post("/enrollments/dev-x509", {"secondary": ""})


def test_a_desired_patch_counts_the_version_up(cloud):
    cloud.post("/devices", {"device_id": "d-2", "primary_key": KEY})
    before = cloud.get("/devices/d-2/twin")["desired"]["$version"]
    assert cloud.post("/devices/d-2/twin", {"desired": {"a": 1}})["version"] == before + 1
    assert cloud.get("/devices/d-2/twin")["desired"]["a"] == 1


def test_faults_are_scripted_listed_and_cleared(cloud):
    cloud.post("/faults", {"name": "BUSY", "service": "dps", "retry_after_s": 9, "count": 2})
    (fault,) = cloud.get("/faults")["faults"]
    assert (fault["name"], fault["count"], fault["parameters"]) == ("BUSY", 2, {"retry_after_s": 9})
    assert cloud.ask("DELETE", "/faults") == {"faults": []}


def test_a_policy_is_set_by_name(cloud):
    cloud.post("/hub/policy", {"name": "dps"})
    with pytest.raises(ssl.SSLError):
        dialled(cloud, "hub", trusting(cloud))  # the chain is ECC
    cloud.post("/hub/policy", {"name": "classic"})
    dialled(cloud, "hub", trusting(cloud)).close()


def token(resource: str) -> bytes:
    """A token that lasts ten minutes, signed with KEY."""
    sr, expiry = quote(resource, safe=""), int(time.time()) + 600
    signed = hmac.digest(base64.b64decode(KEY), f"{sr}\n{expiry}".encode(), "sha256")
    signature = quote(base64.b64encode(signed), safe="")
    return f"SharedAccessSignature sr={sr}&sig={signature}&se={expiry}".encode()


def connected(cloud, device_id: str, keepalive_s: int = 60) -> ssl.SSLSocket:
    """A device's accepted session."""
    cloud.post("/devices", {"device_id": device_id, "primary_key": KEY})
    host = cloud.ready["hub"]["host"]
    password = token(f"{host}/devices/{device_id}")
    live = dialled(cloud, "hub", trusting(cloud))
    live.settimeout(20)
    username = f"{host}/{device_id}/?api-version=2021-04-12"
    live.sendall(spoken.connect(device_id, username, password, keepalive_s=keepalive_s))
    assert live.recv(4) == b"\x20\x02\x00\x00"
    return live


def test_a_device_that_falls_silent_is_cut_after_its_keepalive(cloud, since):
    with connected(cloud, "d-4", keepalive_s=1) as live:
        assert live.recv(1) == b""
    row = cloud.wait_for("disconnected", since=since, device="d-4")
    assert row["reason"] == "keepalive"
    accepted = cloud.rows("connected", since, device="d-4")[0]
    assert row["t_ms"] - accepted["t_ms"] >= 1500


def test_a_hub_that_dies_neither_answers_nor_hangs_up(cloud, since):
    with connected(cloud, "d-6", keepalive_s=1) as live:
        cloud.post("/hub/listen", {"up": False, "freeze": True})
        live.sendall(b"\xc0\x00")  # PINGREQ
        live.settimeout(2)
        with pytest.raises(TimeoutError):
            live.recv(1)
        cloud.post("/hub/listen", {"up": True})
        live.settimeout(10)
        with pytest.raises(OSError):
            assert live.recv(1) == b""
            raise ConnectionError("an end is as good as a reset")
    assert cloud.wait_for("disconnected", since=since, device="d-6")["reason"] == "keepalive"


def test_a_device_is_dropped_by_the_operator(cloud, since):
    with connected(cloud, "d-5") as live:
        assert cloud.get("/connections")["hub"]["connected"] == ["d-5"]
        cloud.post("/devices/d-5/drop", {"reason": "platform upgrade"})
        assert live.recv(1) == b""
    assert cloud.rows("disconnected", since, device="d-5")[0]["reason"] == "platform upgrade"
    assert cloud.get("/connections")["hub"]["connected"] == []


def test_a_method_for_a_device_that_does_not_listen_is_404103(cloud):
    with connected(cloud, "d-6"):
        assert cloud.post("/devices/d-6/method", {"name": "x"})["error"] == 404103


def test_a_method_nobody_answers_ends_in_its_time(cloud):
    with connected(cloud, "d-7") as live:
        live.sendall(spoken.subscribe([("$iothub/methods/POST/#", 0)]))
        assert live.recv(5) == b"\x90\x03\x00\x01\x00"
        outcome = cloud.post("/devices/d-7/method", {"name": "x", "timeout_s": 1})
        assert outcome["error"] == 504101


def test_the_journal_is_read_from_where_one_stopped(cloud):
    rows = cloud.get("/journal")["rows"]
    assert cloud.get(f"/journal?since={rows[-2]['n']}")["rows"][0] == rows[-1]


BAD = {
    "no such path": ("GET", "/nothing", None, "/nothing"),
    "no such service": ("POST", "/hub9/chain", {"name": "g2-rsa"}, "/hub9/chain"),
    "no such chain": ("POST", "/hub/chain", {"name": "g9"}, "g9"),
    "a field is missing": ("POST", "/hub/chain", {}, "name"),
    "a field of the wrong type": ("POST", "/hub/listen", {"up": "yes"}, "yes"),
    "not loopback": ("POST", "/hub/listen", {"up": True, "address": "10.1"}, "10.1"),
    "no such policy": ("POST", "/hub/policy", {"name": "open"}, "open"),
    "no such fault": ("POST", "/faults", {"name": "BUSSY"}, "BUSSY"),
    "no such device": ("POST", "/devices/nobody/method", {"name": "x"}, "nobody"),
    "no such hub": ("POST", "/devices", {"device_id": "d", "hub": "hub9"}, "hub9"),
    "no certificate": ("POST", "/enrollments/dev-x509", {"primary": "-----BEGIN"}, "primary"),
    "no such clock field": ("POST", "/clock", {"offset": 1}, "offset"),
    "no place": ("POST", "/resolve", {"host": ["a:1"]}, "host"),
    "no number": ("GET", "/journal?since=x", None, "x"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_request_is_told_what_with_which_value_and_what_to_do(cloud, what):
    method, path, body, value = BAD[what]
    error = refused(cloud, method, path, body)
    assert value in error["value"] and error["what"] and error["remedy"]


def test_a_fault_of_the_cloud_itself_is_answered_too(cloud):
    with pytest.raises(Refused) as caught:
        cloud.post("/devices", {"device_id": "d-3", "primary_thumbprint": 5})
    assert caught.value.status in (400, 500) and caught.value.error["remedy"]


def test_after_all_that_the_cloud_still_answers(cloud):
    assert set(cloud.get("/connections")) == {"hub", "hub2"}
    assert os.path.exists(cloud.folder / "resolve.json")
