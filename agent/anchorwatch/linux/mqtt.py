"""One MQTT session a link: paho's client around a TLS socket that is ready, driven by the one loop.

Rule: paho gets no thread, no timer, no name to resolve and no reconnect; its callbacks only pass on
what happened. Three of its private names are used (`_create_socket`, `_handle_pingresp`,
`_send_pingreq`); a test guards them.

Source: MQTT 3.1.1; paho-mqtt 2.x.
"""

import sys
import types
from selectors import EVENT_READ, EVENT_WRITE

from ..errors import MalformedMessage
from .keepalive import Keepalive
from .tls import WANTS
from .tlswire import Wire

_UNUSED = ("logging", "platform", "urllib", "urllib.parse", "urllib.request", "uuid")


def _paho():
    """paho's client module without what it imports for web sockets, logs, made-up names: 3 MB."""
    stubs = {name: types.ModuleType(name) for name in _UNUSED if name not in sys.modules}
    for name in stubs:
        for level, word in enumerate(("DEBUG", "INFO", "WARNING", "ERROR")):
            setattr(stubs[name], word, 10 * level + 10)
        stubs[name].system = lambda: "Linux"  # type: ignore[attr-defined]
    sys.modules.update(stubs)
    try:
        from paho.mqtt import client
    finally:
        for name in stubs:
            del sys.modules[name]
    return client


paho = _paho()

# paho speaks MQTT 5's reason codes, the services MQTT 3.1.1's. Any other code passes as it is.
CONNACK = {0x84: 1, 0x85: 2, 0x88: 3, 0x86: 4, 0x87: 5}
_READS_A_TURN = 256


class _Client(paho.Client):  # type: ignore[name-defined,misc]
    """paho with the two hooks that it has no callback for."""

    def __init__(self, client_id: str, clean: bool, wire: Wire, on_pong) -> None:
        super().__init__(paho.CallbackAPIVersion.VERSION2, client_id, clean_session=clean,
                         protocol=paho.MQTTv311, reconnect_on_failure=False)
        self._wire, self._on_pong = wire, on_pong
        self.max_inflight_messages_set(0)  # how many are in flight is decided in links.py

    def _create_socket(self):
        return self._wire

    def _handle_pingresp(self):
        answer = super()._handle_pingresp()
        self._on_pong()
        return answer

    def ping(self) -> None:
        """PINGREQ."""
        self._send_pingreq()


class Session:
    """A link from its verified socket to its end.

    tell    has connected refused gone subscribed acked message ponged, each called with this
            session first; after refused or gone nothing more is told
    now_ms  the driver's monotonic clock
    """

    def __init__(self, sock, selector, tell, now_ms) -> None:
        self._wire, self._selector, self._tell, self._now_ms = Wire(sock), selector, tell, now_ms
        self._client: _Client | None = None
        self._keepalive: Keepalive | None = None
        self._pings_asked = 0
        self._tokens: dict[int, object] = {}
        self._mask = EVENT_READ
        self._writes = False
        self.connected = False
        self.over = False
        self._hungry = False
        selector.register(sock, EVENT_READ, self.ready)
        self._wire.closing = lambda: selector.unregister(sock)

    def connect(self, client_id: str, username: str, password: str | None, keepalive_s: int,
                clean: bool) -> None:
        """CONNECT; connected or refused is told."""
        self._keepalive = Keepalive(1000 * keepalive_s, self._now_ms())
        self._client = client = _Client(client_id, clean, self._wire, self._pong)
        client.username_pw_set(username, password)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_socket_register_write = self._on_writes
        client.on_socket_unregister_write = self._on_written
        client.connect("link", 1, keepalive_s)  # the socket is there: the name is only a word
        self._write()

    def subscribe(self, filters: list[str]) -> None:
        """One SUBSCRIBE, QoS 1 each."""
        if self._client is not None and not self.over:
            self._client.subscribe([(one, 1) for one in filters])
            self._write()

    def publish(self, topic: str, payload: bytes, qos: int, token: object) -> None:
        """PUBLISH; acked(token) is told for QoS 1. ValueError if MQTT has no such topic or size."""
        if self._client is not None and not self.over:
            sent = self._client.publish(topic, payload, qos)
            if qos:
                self._tokens[sent.mid] = token
            self._write()

    def ping(self) -> None:
        """PINGREQ; ponged is told."""
        self._pings_asked += 1
        self._ping()

    def end(self) -> None:
        """DISCONNECT where MQTT spoke, and close. Nothing is told."""
        if self.over:
            return
        self.over = True
        if self._client is not None and self._client.socket() is not None:
            self._client.disconnect()
            self._client.loop_write()
        self._wire.close()

    @property
    def deadline_ms(self) -> int | None:
        """When turn() has something to do."""
        if self._hungry:
            return self._now_ms()
        return self._keepalive.deadline_ms if self.connected and not self.over else None

    def turn(self, now_ms: int) -> None:
        """Keep alive: PINGREQ when it is due, and the end when the answer is overdue."""
        due_ms = self.deadline_ms
        if self._hungry:
            self._read()
        elif due_ms is None or now_ms < due_ms:
            return
        elif self._keepalive.waiting:
            self._lose("silent")
        else:
            self._ping()

    def ready(self, mask: int) -> None:
        """The selector's call."""
        if self._client is None:
            return self._early()
        if mask & EVENT_WRITE:
            self._write()
        if mask & EVENT_READ and not self.over:
            self._read()

    def _early(self) -> None:
        """Before CONNECT a server has nothing to say: it closed, or it is no MQTT server."""
        try:
            data = self._wire.recv(1)
        except WANTS:
            return
        except MalformedMessage:
            return self._lose("protocol")
        except OSError:
            data = b""
        self._lose("protocol" if data else self._wire.reason)

    def _read(self) -> None:
        self._keepalive.heard(self._now_ms())
        for _ in range(_READS_A_TURN):
            try:
                answer = self._client.loop_read()
            except Exception:  # paho 2.1 lets out what struct or an index raises on a bad packet
                return self._lose("protocol")
            if self._ended(answer) or not self._wire.pending():
                break
        self._hungry = not self.over and self._wire.pending() > 0
        if (self._writes or self._wire.unsent) and not self.over:
            self._write()  # acknowledgements of what was read

    def _write(self) -> None:
        self._keepalive.said(self._now_ms())
        self._ended(self._client.loop_write())
        self._flush()
        self._mind()

    def _flush(self) -> None:
        """What a websocket owes its peer beside paho's packets."""
        try:
            self._wire.flush()
        except OSError:
            self._lose(self._wire.reason)

    def _ended(self, answer) -> bool:
        if self._client.socket() is None and not self.over:
            protocol = answer == paho.MQTT_ERR_PROTOCOL
            self._lose("protocol" if protocol else self._wire.reason)
        return self.over

    def _ping(self) -> None:
        if self._client is not None and not self.over:
            self._keepalive.pinged(self._now_ms())
            self._client.ping()
            self._write()

    def _lose(self, reason: str) -> None:
        if not self.over:
            self.over = True
            self._wire.close()
            self._tell.gone(self, reason)

    def _mind(self) -> None:
        """Ask the selector for write readiness exactly while something is left to write."""
        mask = EVENT_READ | (EVENT_WRITE if self._writes or self._wire.unsent else 0)
        if mask != self._mask and not self.over:
            self._mask = mask
            self._selector.modify(self._wire.sock, mask, self.ready)

    def _on_writes(self, client, userdata, sock) -> None:
        self._writes = True

    def _on_written(self, client, userdata, sock) -> None:
        self._writes = False

    def _on_connect(self, client, userdata, flags, reason, properties) -> None:
        code = CONNACK.get(reason.value, reason.value)
        if code == 0:
            self.connected = True
            self._tell.connected(self, bool(flags.session_present))
        else:
            self.over = True
            self._tell.refused(self, code)

    def _on_subscribe(self, client, userdata, mid, reasons, properties) -> None:
        self._tell.subscribed(self, [reason.value for reason in reasons])

    def _on_publish(self, client, userdata, mid, reason, properties) -> None:
        if mid in self._tokens:
            self._tell.acked(self, self._tokens.pop(mid))

    def _on_message(self, client, userdata, message) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # no service of ours has such a topic; the core could not show it either
        self._tell.message(self, topic, bytes(message.payload))

    def _pong(self) -> None:
        if self._pings_asked:
            self._pings_asked -= 1
            self._tell.ponged(self)
