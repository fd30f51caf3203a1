"""mosquitto_pub, unmodified, delivers with a token as its password.

It checks the server's name and has no resolver of its own, so it runs with libnss-wrapper, which
gives one process its own hosts file: the certificate needs no address in it, and no file of the
machine is edited.
"""

import base64
import hashlib
import hmac
import os
import subprocess
import time
from urllib.parse import quote

import pytest

from tests.foreign import clients

pytestmark = [pytest.mark.foreign, pytest.mark.tls]
KEY = base64.b64encode(b"a key of thirty-two bytes, ASCII").decode()


def token(resource: str, key: str) -> str:
    """As a shell script would make it, from the documentation alone."""
    expiry = int(time.time()) + 600
    sr = quote(resource, safe="")
    signed = hmac.digest(base64.b64decode(key), f"{sr}\n{expiry}".encode(), hashlib.sha256)
    return (
        f"SharedAccessSignature sr={sr}&sig={quote(base64.b64encode(signed), safe='')}&se={expiry}"
    )


def publish(cloud, names, folder, device_id: str, key: str) -> subprocess.CompletedProcess:
    hosts = folder / "hosts"
    hosts.write_text("".join(f"{address} {host}\n" for host, address in names.items()))
    host = cloud.ready["hub"]["host"]
    environment = {
        **os.environ,
        "LD_PRELOAD": clients.nss_wrapper(),
        "NSS_WRAPPER_HOSTS": str(hosts),
    }
    command = [
        clients.mosquitto_pub(), "-h", host, "-p", "8883", "-V", "mqttv311", "-q", "1",
        "--cafile", str(cloud.folder / "roots" / "g2.pem"), "-i", device_id,
        "-u", f"{host}/{device_id}/?api-version=2021-04-12",
        "-P", token(f"{host}/devices/{device_id}", key),
        "-t", f"devices/{device_id}/messages/events/$.mid=p-1&colour=red", "-m", "hello",
    ]  # fmt: skip
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=40, check=False
    )


@pytest.fixture
def device_id(cloud) -> str:
    made = cloud.post("/devices", {"device_id": "shell-1", "auth": "sas", "primary_key": KEY})
    return made["device_id"]


def test_mosquitto_pub_delivers_with_a_token(cloud, names, tmp_path, device_id):
    done = publish(cloud, names, tmp_path, device_id, KEY)
    assert done.returncode == 0, done.stderr
    row = cloud.wait_for("telemetry", device=device_id)
    assert (row["mid"], row["text"], row["properties"]) == ("p-1", "hello", {"colour": "red"})


def test_mosquitto_pub_with_another_key_is_refused(cloud, names, tmp_path, device_id):
    since = cloud.get("/journal")["rows"][-1]["n"]
    done = publish(cloud, names, tmp_path, device_id, base64.b64encode(b"other").decode())
    assert done.returncode != 0 and "not authori" in done.stderr.lower()
    assert cloud.rows("connect refused", since, device=device_id)
    assert not cloud.rows("telemetry", since, device=device_id)
