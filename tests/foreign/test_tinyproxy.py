"""Debian's tinyproxy, unmodified, between the agent and the emulated cloud.

It is configured as a company does: HTTPS alone may be tunnelled, and only with a password.
"""

import socket
import subprocess
from pathlib import Path

import pytest

from anchorwatch.errors import LinkError
from anchorwatch.linux.mirror import Mirror
from anchorwatch.linux.patience import Patience
from anchorwatch.linux.resolve import Resolver
from anchorwatch.linux.route import Route
from anchorwatch.wire.url import parse
from hil.bench.waiting import until
from tests.foreign import clients
from tests.linux import bundle_devices
from tests.linux.test_end_to_end import delivered, sent

pytestmark = [pytest.mark.foreign, pytest.mark.tls]
CONFIG = """\
Port {port}
Listen 127.0.0.1
Timeout 600
LogFile "{log}"
LogLevel Connect
BasicAuth gateway door-key
{allowed}
"""


class Tinyproxy:
    """Its process; `log()` is what it wrote of its clients."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        self._log, file = folder / "tinyproxy.log", folder / "tinyproxy.conf"
        allowed = "\n".join(f"ConnectPort {port}" for port in ports)
        file.write_text(CONFIG.format(port=self.port, log=self._log, allowed=allowed))
        command = [clients.tinyproxy(), "-d", "-c", str(file)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until("tinyproxy listens", self._listens, 10)

    def _listens(self) -> tuple[object, object]:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0, self._process.poll()

    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        return self._log.read_text()

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture
def proxy(cloud, tmp_path):
    running = Tinyproxy(tmp_path, [cloud.ready[s]["https_port"] for s in ("hub", "dps")])
    yield running
    running.end()


@pytest.fixture
def device(cloud, proxy):
    made = []

    def make(name, password):
        mqtt = {"transport": "auto", "proxy": proxy.url(), "proxy_auth_file": "proxy.key"}
        made.append(bundle_devices.made(cloud, name, True, {"mqtt": mqtt}))
        made[-1].put("proxy.key", password)
        return made[-1]

    yield make
    for board in made:
        bundle_devices.ended(board)


def test_the_agent_gets_through_by_websockets_and_its_password(cloud, proxy, device):
    board = device("tiny-1", b"gateway:door-key\n")
    since = cloud.get("/journal")["rows"][-1]["n"]
    board.start()
    board.reach("online", 60)
    assert set(delivered(cloud, board, sent(board, 20, "t")).values()) == {1}
    opened = cloud.rows("https", since, path="/$iothub/websocket", status=101)
    assert {row["service"] for row in opened} == {"hub", "dps"}
    log = proxy.log()
    for service in ("hub", "dps"):
        at = cloud.ready[service]
        assert f"CONNECT {at['address']}:{at['port']} HTTP/1.1" in log, "8883 is asked for first"
        assert f"CONNECT {at['address']}:{at['https_port']} HTTP/1.1" in log
    assert board.stop() == 0


def test_a_wrong_password_is_named_as_such(device):
    board = device("tiny-2", b"gateway:window-key\n")
    board.start()
    fault = board.see(
        "the fault", lambda s: s["fault"] if s["fault"] and s["fault"]["verdict"] else None
    )
    assert (fault["class"], fault["verdict"]) == ("policy", "proxy-credentials")
    board.cut()


def test_a_mirror_without_tls_is_read_through_it(cloud, proxy, tmp_path):
    at = cloud.ready["mirror"]
    folder = "/" + at["url"].partition("://")[2].partition("/")[2]
    base = parse(f"http://{at['address']}:{at['port']}{folder}")
    password = tmp_path / "proxy.key"
    password.write_text("gateway:door-key")
    password.chmod(0o600)

    def file(auth_file):
        route = Route(Resolver({}, None), auth_file, 10)
        return Mirror(base, route, proxy.url(), Patience(20), None).file("1.root.json", 65_536)

    assert b'"_type": "root"' in file(str(password)) or b'"_type":"root"' in file(str(password))
    with pytest.raises(LinkError) as caught:
        file("")
    assert caught.value.verdict == "proxy-credentials"
