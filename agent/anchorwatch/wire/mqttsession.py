"""One MQTT connection of a client, from CONNECT to its end.

Rule: no I/O and no clock of its own; the driver moves the bytes both ways and says what time it is.
After ("refused", ...) or ("disconnected", ...) nothing more is told.

The driver's turn, with `now_ms` monotonic:

    piece = session.send_bytes()           while there are any, as far as the socket takes them
    session.sent(how many it took, now_ms)
    events = session.received(data, now_ms)  what came in
    events = session.lost("closed")        the socket ended, with the core's word for how
    events = session.tick(now_ms)          when session.wake_at is reached

The events, as the core knows them:

    ("connected", session present) ("refused", code) ("subscribed", granted) ("acked", token)
    ("message", topic, payload) ("ponged",) ("disconnected", "silent" | "protocol" | as in lost())

A message of QoS 1 is acknowledged by what send_bytes() gives next: hand the events on before you
send. One that comes again is told again. What is not acknowledged when a connection ends belongs to
the queue, which publishes it anew on the next one: a new message to MQTT, hence never with DUP.

Source: MQTT 3.1.1 (OASIS), chapters 3 and 4.
"""

from ..errors import MalformedMessage
from . import mqtt
from .mqttout import Outgoing, Owed
from .shapes import Meaning

PONG_MS = 30_000
# The core gives up a CONNECT or a SUBSCRIBE sooner: this holds where nobody else watches.
ANSWER_MS = 90_000
# Long, since a service over its quota leaves messages unanswered and a new connection is no cure.
PUBACK_MS = 600_000

_NEW, _CONNECTING, _OPEN, _OVER = "new", "connecting", "open", "over"


class Session:
    """in_flight  how many messages of QoS 1 may be unacknowledged; further ones wait in here
    packet_at_most  bytes of the longest packet that is taken
    wake_at    when tick() has something to do; None before CONNECT and after the end
    complaint  what the peer broke, for the log; "" as long as it did not
    """

    def __init__(self, in_flight: int = 20, packet_at_most: int = mqtt.PACKET_AT_MOST) -> None:
        self.complaint = ""
        self._in_flight = in_flight
        self._reader = mqtt.Reader(packet_at_most)
        self._out = Outgoing()
        self._state = _NEW
        self._last_id = 0
        self._tokens: dict[int, object] = {}  # of what is not acknowledged
        self._waiting: list[tuple[bytes, bytes, object]] = []
        self._filters: dict[int, int] = {}  # SUBSCRIBE: how many
        self._pings = 0  # that somebody waits for
        self._interval_ms = self._said_ms = self._heard_ms = 0
        self._answer, self._puback, self._pong = Owed(ANSWER_MS), Owed(PUBACK_MS), Owed(PONG_MS)

    @property
    def over(self) -> bool:
        """True once the end was told, or end() was called."""
        return self._state == _OVER

    @property
    def wake_at(self) -> int | None:
        if not self._speaks():
            return None
        owed = [one.deadline_ms for one in (self._answer, self._puback, self._pong)]
        due = [at_ms for at_ms in owed if at_ms is not None]
        if self._state == _OPEN and self._pong.deadline_ms is None:
            due.append(min(self._said_ms, self._heard_ms) + self._interval_ms)
        return min(due)

    def connect(
        self,
        client_id: str,
        username: str,
        password: str | None,
        keepalive_s: int,
        clean: bool,
        now_ms: int,
    ) -> None:
        """CONNECT, once; connected or refused is told."""
        self._out.put(mqtt.connect(client_id, username, password, keepalive_s, clean))
        self._state = _CONNECTING
        self._interval_ms = 1000 * keepalive_s
        self._pong.within_ms = min(PONG_MS, self._interval_ms)
        self._answer.ask(self._out.queued, now_ms)

    def subscribe(self, filters: list[str], now_ms: int) -> None:
        """SUBSCRIBE, QoS 1 each; subscribed is told, 128 for a filter that was refused."""
        if self._speaks():
            packet_id = self._next_id()
            self._out.put(mqtt.subscribe(packet_id, filters))
            self._filters[packet_id] = len(filters)
            self._answer.ask(self._out.queued, now_ms)

    def publish(self, topic: str, payload: bytes, qos: int, token: object, now_ms: int) -> None:
        """PUBLISH; acked with the token is told for QoS 1.

        Raises  ValueError: MQTT has no such topic or size
        """
        if not self._speaks():
            return
        name = mqtt.topic(topic, len(payload))
        if qos:
            self._waiting.append((name, payload, token))
            self._start(now_ms)
        else:
            self._put(name, payload, 0)

    def ping(self, now_ms: int) -> None:
        """PINGREQ; ponged is told."""
        if self._speaks():
            self._pings += 1
            self._ping(now_ms)

    def end(self) -> None:
        """DISCONNECT behind what is to be sent, if MQTT spoke. Nothing is told any more."""
        if self._speaks():
            self._out.put(mqtt.DISCONNECT)
        self._state = _OVER

    def send_bytes(self) -> memoryview:
        """What goes out next, empty if nothing does; the same until sent() says that it went."""
        return self._out.next()

    def sent(self, count: int, now_ms: int) -> None:
        """So many bytes of send_bytes() are out."""
        self._said_ms = now_ms
        self._out.took(count)
        for owed in (self._answer, self._puback, self._pong):
            owed.took(count, now_ms)

    def received(self, data: bytes, now_ms: int) -> list[Meaning]:
        """Take what came in; the events, in order.

        Raises  MemoryError: a board has no room for a packet; the session is of no use then
        """
        events: list[Meaning] = []
        if self.over or not data:
            return events
        self._heard_ms = now_ms
        self._pong.came()  # a peer that speaks lives
        try:
            self._reader.feed(data)
            while not self.over:
                packet = self._reader.next()
                if packet is None:
                    break
                events += self._taken(packet, now_ms)
        except MalformedMessage as error:
            self.complaint = str(error)
            events += self.lost("protocol")
        return events

    def lost(self, reason: str) -> list[Meaning]:
        """The connection ended, and nobody here asked for it."""
        if self.over:
            return []
        self._state = _OVER
        self._out.drop()
        return [("disconnected", reason)]

    def tick(self, now_ms: int) -> list[Meaning]:
        """Keep alive: PINGREQ when it is due, and the end when an answer is overdue."""
        due_ms = self.wake_at
        if due_ms is None or now_ms < due_ms:
            return []
        for owed in (self._answer, self._puback, self._pong):
            if owed.overdue(now_ms):
                return self.lost("silent")
        self._ping(now_ms)
        return []

    def _speaks(self) -> bool:
        return self._state in (_CONNECTING, _OPEN)

    def _next_id(self) -> int:
        found = self._last_id % 0xFFFF + 1
        while found in self._tokens or found in self._filters:
            found = found % 0xFFFF + 1
        self._last_id = found
        return found

    def _start(self, now_ms: int) -> None:
        while self._waiting and len(self._tokens) < self._in_flight:
            name, payload, token = self._waiting.pop(0)
            packet_id = self._next_id()
            self._tokens[packet_id] = token
            self._put(name, payload, packet_id)
            self._puback.ask(self._out.queued, now_ms)

    def _put(self, name: bytes, payload: bytes, packet_id: int) -> None:
        self._out.put(mqtt.publish(name, len(payload), packet_id))
        self._out.put(payload)

    def _ping(self, now_ms: int) -> None:
        self._out.put(mqtt.PINGREQ)
        self._pong.ask(self._out.queued, now_ms)

    def _taken(self, packet: Meaning, now_ms: int) -> list[Meaning]:
        kind = packet[0]
        if self._state != (_CONNECTING if kind == mqtt.CONNACK else _OPEN):
            raise MalformedMessage("MQTT: a packet out of place", kind)  # 3.2
        if kind == mqtt.CONNACK:
            return self._greeted(packet[1], packet[2], now_ms)
        if kind == mqtt.PUBACK:
            return self._acked(packet[1], now_ms)
        if kind == mqtt.SUBACK:
            return self._subscribed(packet[1], packet[2], now_ms)
        if kind == mqtt.PINGRESP:
            asked, self._pings = self._pings, max(0, self._pings - 1)
            return [("ponged",)] if asked else []
        if packet[3]:
            self._out.put(mqtt.puback(packet[3]))
        return [("message", packet[1], packet[2])]

    def _greeted(self, present: bool, code: int, now_ms: int) -> list[Meaning]:
        if code:
            self._state = _OVER
            self._out.drop()
            return [("refused", code)]
        self._state = _OPEN
        self._next(self._answer, len(self._filters), now_ms)
        return [("connected", present)]

    def _acked(self, packet_id: int, now_ms: int) -> list[Meaning]:
        if packet_id not in self._tokens:
            return []  # nothing of ours: a server that says it twice
        token = self._tokens.pop(packet_id)
        self._next(self._puback, len(self._tokens), now_ms)
        self._start(now_ms)
        return [("acked", token)]

    def _subscribed(self, packet_id: int, granted: list[int], now_ms: int) -> list[Meaning]:
        if self._filters.pop(packet_id, None) != len(granted):
            raise MalformedMessage("MQTT: SUBACK for something else", len(granted))  # 3.8.4
        self._next(self._answer, len(self._filters), now_ms)
        return [("subscribed", granted)]

    def _next(self, owed: Owed, more: int, now_ms: int) -> None:
        """An answer came; the time of the next begins, if one is owed."""
        owed.came()
        if more:
            owed.ask(self._out.queued, now_ms)
