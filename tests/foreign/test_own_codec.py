"""The boards' MQTT session, turned by a loop such as a board has, over real TLS: with mosquitto,
which nobody here wrote, and with the emulated hub.
"""

import base64
import json
import select
import socket
import ssl
import subprocess
import time

import pytest

from anchorwatch.wire.mqttsession import Session
from hil.cloud.badservers.engines import Program, free_port, new_folder
from hil.cloud.badservers.papers import Papers
from hil.cloud.certificates import pem
from hil.cloud.remote import RemoteCloud
from tests.foreign.test_mosquitto_pub import KEY, token
from tests.linux import programs

pytestmark = [pytest.mark.foreign, pytest.mark.tls]

HOST = "broker.example.net"
BROKER = """\
listener %d 127.0.0.1
certfile %s
keyfile %s
tls_version tlsv1.2
allow_anonymous false
password_file %s
max_inflight_messages 5
max_queued_messages 500
"""
PATIENCE_S = 30


class Board:
    """One connection: TLS without blocking, and the turns of a loop.

    told  the events so far; ahead_ms  how far the board's clock is ahead of the real one
    """

    def __init__(self, place, roots, host, **settings):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(cadata=roots)
        plain = socket.create_connection(place, PATIENCE_S)
        self.socket = context.wrap_socket(plain, server_hostname=host)
        self.socket.setblocking(False)
        self.session, self.told, self.ahead_ms = Session(**settings), [], 0

    def now_ms(self):
        return time.monotonic_ns() // 1_000_000 + self.ahead_ms

    def turn(self):
        """Write, wait at most until something is due, read, keep alive."""
        wants = self._write()
        due_ms = self.session.wake_at
        wait_ms = 1_000 if due_ms is None else max(0, min(1_000, due_ms - self.now_ms()))
        if not self.socket.pending():
            self._wait(select.POLLIN | (select.POLLOUT if wants else 0), wait_ms)
        self._read()
        self.told += self.session.tick(self.now_ms())

    def _wait(self, mask, within_ms):
        poll = select.poll()
        poll.register(self.socket, mask)
        poll.poll(within_ms)

    def until(self, reached):
        """Turn until it holds; the events so far."""
        end = time.monotonic() + PATIENCE_S
        while not reached(self.told):
            assert time.monotonic() < end, self.told[-5:]
            self.turn()
        return self.told

    def heard(self, kind, count=1):
        """The events of a kind, once there are so many; they must be no more."""
        found = [
            event
            for event in self.until(lambda told: _count(told, kind) >= count)
            if event[0] == kind
        ]
        assert len(found) == count
        return found

    def settle(self):
        """Everything that is owed to the server is out."""
        while self._write():
            self._wait(select.POLLOUT, 1_000)

    def leave(self):
        self.session.end()
        self.settle()
        self.socket.close()

    def connect(self, client_id, username, password, clean=True):
        self.session.connect(client_id, username, password, 240, clean, self.now_ms())
        return self

    def subscribe(self, *filters):
        self.session.subscribe(list(filters), self.now_ms())
        return self.heard("subscribed")[0][1]

    def publish(self, topic, payload=b"", qos=1, mid="m"):
        self.session.publish(topic, payload, qos, mid, self.now_ms())
        self._write()

    def _write(self):
        """Is something left?"""
        while len(self.session.send_bytes()):
            try:
                count = self.socket.send(self.session.send_bytes())
            except ssl.SSLWantWriteError:
                return True
            self.session.sent(count, self.now_ms())
        return False

    def _read(self):
        try:
            data = self.socket.recv(1_460)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            data = b""
        if data:
            self.told += self.session.received(data, self.now_ms())
        else:
            self.told += self.session.lost("closed")


def _count(told, kind):
    return len([event for event in told if event[0] == kind])


@pytest.fixture(scope="module")
def papers():
    return Papers([HOST])


@pytest.fixture(scope="module")
def broker(papers):
    """mosquitto with one user."""
    program = programs.need("mosquitto", "mosquitto")
    passwd = programs.need("mosquitto_passwd", "mosquitto")
    port, folder, chain = free_port(), new_folder(), papers.good()
    folder.chmod(0o755)
    files = [folder / name for name in ("chain.pem", "key.pem", "passwords")]
    files[0].write_bytes(pem(*chain.certificates))
    files[1].write_bytes(chain.key_pem())
    files[2].write_text("board:secret\n")
    subprocess.run([passwd, "-U", str(files[2])], check=True, timeout=PATIENCE_S)
    for file in files:
        file.chmod(0o644)  # mosquitto gives up its rights before it reads
    config = folder / "mosquitto.conf"
    config.write_text(BROKER % (port, *files))
    running = Program("mosquitto", [program, "-c", str(config)], port, folder)
    yield running
    running.close()


@pytest.fixture
def at_broker(broker, papers):
    """at_broker(client_id, ...) -> a Board that said CONNECT; all are closed at the end."""
    root, made = pem(papers.root.certificate).decode(), []

    def board(client_id, password="secret", clean=True, **settings):
        made.append(Board(("127.0.0.1", broker.port), root, HOST, **settings))
        return made[-1].connect(client_id, "board", password, clean)

    yield board
    for one in made:
        one.socket.close()


def test_two_hundred_messages_go_through_a_window_and_come_back_whole(at_broker):
    """The broker has five on their way to us, and waits for our acknowledgements."""
    board = at_broker("window", in_flight=20)
    assert board.heard("connected") == [("connected", False)]
    assert board.subscribe("echo/#") == [1]
    for number in range(200):
        board.publish("echo/%d" % number, b"%d" % number * 50, 1, number)
    assert [mid for _, mid in board.heard("acked", 200)] == list(range(200))
    came = board.heard("message", 200)
    assert came == [("message", "echo/%d" % n, b"%d" % n * 50) for n in range(200)]


def test_message_of_sixty_kilobytes_goes_and_comes_in_parts(at_broker):
    board = at_broker("long")
    board.heard("connected")
    board.subscribe("long")
    payload = bytes(range(256)) * 240
    board.publish("long", payload)
    board.heard("acked")
    assert board.heard("message") == [("message", "long", payload)]


def test_message_longer_than_a_board_takes_ends_its_session_alone(at_broker):
    small, other = at_broker("small", packet_at_most=1_000), at_broker("other")
    for board in (small, other):
        board.heard("connected")
        board.subscribe("both")
    other.publish("both", bytes(2_000))
    assert small.heard("disconnected") == [("disconnected", "protocol")]
    assert small.session.complaint == "MQTT: a packet is too long: 2008"
    other.heard("message")
    assert not other.session.over


def test_wrong_password_is_refused_with_its_code(at_broker):
    board = at_broker("stranger", password="guess")
    assert board.heard("refused") == [("refused", 5)]
    assert board.session.over and board.session.wake_at is None


def test_quiet_session_pings_and_lives_on(at_broker):
    board = at_broker("quiet")
    board.heard("connected")
    due_ms = board.session.wake_at
    board.ahead_ms = due_ms - board.now_ms()
    board.until(lambda told: board.session.wake_at > due_ms)  # PINGREQ is out
    board.until(lambda told: board.session.wake_at > due_ms + 200_000)  # and answered
    board.session.ping(board.now_ms())
    assert board.heard("ponged") == [("ponged",)]
    assert [event[0] for event in board.told] == ["connected", "ponged"]


def test_kept_session_brings_again_what_was_not_acknowledged(at_broker):
    first, writer = at_broker("kept", clean=False), at_broker("writer")
    assert first.heard("connected") == [("connected", False)]
    first.subscribe("kept/#")
    writer.heard("connected")
    writer.publish("kept/1", b"one")
    first.heard("message")
    first.socket.close()  # its PUBACK never went
    writer.publish("kept/2", b"two")
    writer.heard("acked", 2)
    second = at_broker("kept", clean=False)
    assert second.heard("connected") == [("connected", True)]
    assert [event[2] for event in second.heard("message", 2)] == [b"one", b"two"]
    second.settle()
    second.session.ping(second.now_ms())
    second.heard("ponged")  # so the broker has read both acknowledgements
    second.leave()
    third = at_broker("kept", clean=False)
    assert third.heard("connected") == [("connected", True)]
    third.session.ping(third.now_ms())
    third.heard("ponged")
    assert [event[0] for event in third.told] == ["connected", "ponged"]


def test_second_session_of_the_same_name_ends_the_first(at_broker):
    first = at_broker("twice")
    first.heard("connected")
    second = at_broker("twice")
    second.heard("connected")
    assert first.heard("disconnected") == [("disconnected", "closed")]
    second.publish("t")
    second.heard("acked")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """One with keys that are made quickly."""
    quick = ("--chain", "g3-ecc", "--factory", "g3,baltimore", "--ports", "free")
    with RemoteCloud(tmp_path_factory.mktemp("cloud"), *quick) as running:
        yield running


@pytest.fixture
def at_hub(cloud):
    """at_hub(device_id) -> a Board connected to the emulated hub with a token."""
    hub, root, made = cloud.get("/services")["hub"], cloud.folder / "roots" / "g3.pem", []

    def board(device_id, password=None):
        host = hub["host"]
        made.append(Board((hub["address"], hub["port"]), root.read_text(), host))
        username = "%s/%s/?api-version=2021-04-12" % (host, device_id)
        password = password or token("%s/devices/%s" % (host, device_id), KEY)
        return made[-1].connect(device_id, username, password, clean=False)

    yield board
    for one in made:
        one.socket.close()


@pytest.fixture
def device_id(cloud, request):
    name = request.node.name.partition("[")[0][5:60].replace("_", "-")
    made = cloud.post("/devices", {"device_id": name, "auth": "sas", "primary_key": KEY})
    return made["device_id"]


def test_hub_answers_for_the_twin(cloud, at_hub, device_id):
    board = at_hub(device_id)
    board.heard("connected")
    assert board.subscribe(
        "$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#", "$iothub/methods/POST/#"
    ) == [1, 1, 1]
    board.publish("$iothub/twin/GET/?$rid=1", b"", 0)
    ((_, topic, body),) = board.heard("message")
    assert topic.startswith("$iothub/twin/res/200/?$rid=1")
    assert sorted(json.loads(body)) == ["desired", "reported"]


def test_hub_takes_two_hundred_messages_once_each(cloud, at_hub, device_id):
    since = cloud.get("/journal")["rows"][-1]["n"]
    board = at_hub(device_id)
    board.heard("connected")
    for number in range(200):
        bag = "devices/%s/messages/events/$.mid=m-%d" % (device_id, number)
        board.publish(bag, b"%d" % number, 1, number)
    assert [mid for _, mid in board.heard("acked", 200)] == list(range(200))
    rows = cloud.rows("telemetry", since, device=device_id)
    assert [row["mid"] for row in rows] == ["m-%d" % number for number in range(200)]


def test_letter_of_the_hub_is_acknowledged(cloud, at_hub, device_id):
    board = at_hub(device_id)
    board.heard("connected")
    board.subscribe("devices/%s/messages/devicebound/#" % device_id)
    cloud.post("/devices/%s/c2d" % device_id, {"payload": base64.b64encode(b"hello").decode()})
    ((_, topic, body),) = board.heard("message")
    assert topic.startswith("devices/%s/messages/devicebound/" % device_id)
    board.settle()
    cloud.wait_for("c2d acked", device=device_id)


def test_hub_refuses_a_token_of_another_key(cloud, at_hub, device_id):
    other = base64.b64encode(b"other").decode()
    host = cloud.ready["hub"]["host"]
    board = at_hub(device_id, token("%s/devices/%s" % (host, device_id), other))
    assert board.heard("refused") == [("refused", 5)]


def test_hub_hands_the_device_over_to_its_second_session(cloud, at_hub, device_id):
    first = at_hub(device_id)
    first.heard("connected")
    second = at_hub(device_id)
    second.heard("connected")
    assert first.heard("disconnected") == [("disconnected", "closed")]
    second.publish("devices/%s/messages/events/" % device_id, b"on")
    second.heard("acked")
    second.leave()
    cloud.wait_for("disconnected", device=device_id, reason="asked")
