"""Microsoft's own device SDK, unmodified, against the emulated cloud: the emulator's judge."""

import json
import os
import queue
import subprocess
import threading
from pathlib import Path

import pytest

import hil.cloud
from tests.foreign import clients

pytestmark = [pytest.mark.foreign, pytest.mark.tls]
SITE = Path(hil.cloud.__file__).parent / "foreign"
DEVICE = Path(__file__).with_name("sdk_device.py")


class SdkDevice:
    """The SDK's process; heard() waits for one of its lines."""

    def __init__(self, facts: dict, names: dict) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(SITE),
            "HIL_CLOUD_NAMES": json.dumps(names),
        }
        self.process = subprocess.Popen(
            [clients.sdk_python(), str(DEVICE)], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.process.stdin.write(json.dumps(facts))
        self.process.stdin.close()
        self._lines: queue.Queue = queue.Queue()
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_lines), threading.Thread(target=self._read_errors)
        ]  # fmt: skip
        for reader in self._readers:
            reader.start()

    def _read_lines(self) -> None:
        for line in self.process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put({"what": "end"})

    def _read_errors(self) -> None:
        self._errors.extend(self.process.stderr)

    def heard(self, what: str) -> dict:
        """The next line of this kind."""
        while True:
            line = self._lines.get(timeout=40)
            if line["what"] == what:
                return line
            assert line["what"] != "end", "".join(self._errors)[-2000:]

    def close(self) -> int:
        """Its exit status."""
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self.process.wait()
            for reader in self._readers:
                reader.join()
            self.process.stdout.close()
            self.process.stderr.close()


def facts_of(cloud, kind: str, roots: str) -> dict:
    folder = cloud.folder / kind
    facts = {
        "dps_host": cloud.ready["dps"]["host"],
        "id_scope": cloud.ready["id_scope"],
        "registration_id": cloud.ready["kinds"][kind],
        "roots": roots,
    }
    if kind == "symmetric-key":
        return {**facts, "key": (folder / "device.key").read_text().strip()}
    files = {"cert_file": folder / "device.pem", "key_file": folder / "device.key"}
    return {**facts, **{name: str(file) for name, file in files.items()}}


@pytest.mark.parametrize("kind", ["symmetric-key", "x509", "x509-group"])
def test_the_sdk_provisions_and_does_all_a_device_does(cloud, names, roots, kind):
    facts = facts_of(cloud, kind, roots)
    device_id = facts["registration_id"]
    sdk = SdkDevice(facts, names)
    try:
        play(cloud, sdk, device_id)
    finally:
        status = sdk.close()
    assert status == 0


@pytest.mark.parametrize("kind", ["symmetric-key", "x509-group"])
def test_the_sdk_does_the_same_in_websockets_while_8883_is_blocked(cloud, names, roots, kind):
    services = ("hub", "dps")
    if any(cloud.ready[one]["https_port"] != 443 for one in services):
        pytest.skip("port 443 is not ours to open: run as root, or allow low ports")
    facts = {**facts_of(cloud, kind, roots), "websockets": True}
    since = cloud.get("/journal")["rows"][-1]["n"]
    for one in services:
        cloud.post(f"/{one}/listen", {"up": False, "only": "mqtt"})
    sdk = SdkDevice(facts, names)
    try:
        play(cloud, sdk, facts["registration_id"], since)
    finally:
        status = sdk.close()
        for one in services:
            cloud.post(f"/{one}/listen", {"up": True, "only": "mqtt"})
    opened = cloud.rows("https", since, path="/$iothub/websocket", status=101)
    assert status == 0 and {row["service"] for row in opened} == set(services)


def play(cloud, sdk: SdkDevice, device_id: str, since: int = 0) -> None:
    assigned = sdk.heard("assigned")
    assert (assigned["status"], assigned["hub"]) == ("assigned", cloud.ready["hub"]["host"])
    twin = sdk.heard("twin")["twin"]
    assert twin["desired"]["$version"] >= 1
    sdk.heard("ready")
    message = cloud.wait_for("telemetry", since=since, device=device_id)
    assert message["mid"] == "m-1" and json.loads(message["text"]) == {"temperature": 21}
    assert message["properties"] == {"colour": "blue & green"}
    patch = cloud.wait_for("reported", since=since, device=device_id)["patch"]
    assert patch == {"firmware": "1.2.3"}

    reply = cloud.post(f"/devices/{device_id}/method", {"name": "blink", "payload": {"times": 3}})
    assert reply == {"status": 200, "payload": {"heard": "blink"}}
    assert sdk.heard("method")["payload"] == {"times": 3}

    cloud.post(f"/devices/{device_id}/twin", {"desired": {"interval": 7}})
    assert sdk.heard("desired")["patch"]["interval"] == 7

    letter = {"payload": "stop", "properties": {"why": "the end"}}
    sent = cloud.post(f"/devices/{device_id}/c2d", letter)
    heard = sdk.heard("c2d")
    assert (heard["text"], heard["properties"]) == ("stop", {"why": "the end"})
    cloud.wait_for("c2d acked", since=since, device=device_id, mid=sent["mid"])


def test_the_sdk_with_a_wrong_key_is_refused(cloud, names, roots):
    facts = {**facts_of(cloud, "symmetric-key", roots), "key": "d3Jvbmc="}
    sdk = SdkDevice(facts, names)
    try:
        assert sdk.process.wait(40) != 0
    finally:
        sdk.close()
    rows = cloud.rows("connect refused", service="dps", device=facts["registration_id"])
    assert rows[-1]["reason"] == "no enrollment's key made this token"


def test_the_sdk_refuses_a_hub_whose_root_it_lacks(cloud, names, roots):
    facts = facts_of(cloud, "x509", (cloud.folder / "roots" / "g3.pem").read_text())
    since = cloud.get("/journal")["rows"][-1]["n"]
    sdk = SdkDevice(facts, names)
    try:
        assert sdk.process.wait(60) != 0
    finally:
        sdk.close()
    assert cloud.rows("tls failed", service="dps", since=since)
    assert not cloud.rows("connected", since=since)
