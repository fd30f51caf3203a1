"""One MQTT 3.1.1 connection at a server, from its first byte to its last.

Knows MQTT and no Azure; bytes in, bytes out, no socket and no clock of its own. The calls between
it and a service are those of session.py.
Source: MQTT 3.1.1; the cap of the keepalive: "Communicate with an IoT hub using MQTT".
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from . import mqtt, packets
from .session import ACCEPTED, ASKED, CloseSession, Delay, Session, Silence

CONNECT_WITHIN_MS = 60_000  # TLS is up and no CONNECT came
KEEPALIVE_MOST_MS = 1_767_000

NEW = "new"
DELAYED = "delayed"
SILENT = "silent"
OPEN = "open"
CLOSED = "closed"

PROTOCOL_REFUSED = 1
REFUSED = "refused"


@dataclass
class Peer:
    """What TLS knows of a client: its certificates leaf first, its address, its SNI."""

    chain: list[bytes] = field(default_factory=list)
    address: str = ""
    server_name: str | None = None


class Connection:
    """One client from its first byte to its last."""

    def __init__(
        self,
        broker: object,
        number: int,
        write: Callable[[bytes], None],
        close: Callable[[], None],
        peer: Peer,
        now_ms: int,
    ) -> None:
        self.state = NEW
        self.deadline_ms: int | None = now_ms + CONNECT_WITHIN_MS
        self.session: Session | None = None
        self.peer = peer
        self._broker, self._number = broker, number
        self._write, self._close = write, close
        self._reader = mqtt.Reader()
        self._held: list[bytes] | None = []  # what waits for the CONNACK or SUBACK to be out
        self._unacked: set[int] = set()
        self._last_id = 0
        self._patience_ms = CONNECT_WITHIN_MS

    def client_id(self) -> str | None:
        """Who it says it is; None before CONNECT."""
        return self.session.client_id if self.session else None

    def receive(self, data: bytes, now_ms: int) -> None:
        """Take bytes from the client."""
        if self.state in (CLOSED, SILENT):
            return
        self._reader.feed(data)
        if self.state == OPEN:
            self.deadline_ms = now_ms + self._patience_ms
        self._work(now_ms)
        self._broker.settle(now_ms)

    def lost(self, now_ms: int, reason: str = "tcp") -> None:
        """The socket is gone."""
        self.cut(reason)
        self._broker.settle(now_ms)

    def turn(self, now_ms: int) -> None:
        """Do what is due: a delayed CONNECT, or the end of patience."""
        if self.deadline_ms is None or now_ms < self.deadline_ms:
            return
        if self.state == DELAYED:
            self._guard(self._ask_service, now_ms)
            self._work(now_ms)
        else:
            self.cut("no CONNECT" if self.state == NEW else "keepalive")

    def cut(self, reason: str) -> None:
        """Close without another packet; the service hears of it if it had accepted."""
        if self.state == CLOSED:
            return
        accepted = self.state == OPEN
        self.state, self.deadline_ms = CLOSED, None
        self._broker.leave(self, accepted, reason)
        self._close()

    def _work(self, now_ms: int) -> None:
        while self.state in (NEW, OPEN):
            if not self._guard(self._take_next, now_ms):
                return

    def _guard(self, step: Callable[[int], object], now_ms: int) -> object:
        try:
            return step(now_ms)
        except (packets.MalformedPacket, CloseSession) as e:
            self.cut(e.reason)
        return None

    def _take_next(self, now_ms: int) -> bool:
        packet = self._reader.next()
        if packet is None:
            return False
        handle = HANDLERS[self.state].get(type(packet))
        if handle is None:
            raise packets.MalformedPacket(f"{type(packet).__name__} while {self.state}")
        try:
            handle(self, packet, now_ms)
        except Silence:
            self._release()
        return True

    def _connect(self, packet: packets.Connect, now_ms: int) -> None:
        if packet.level != 4:
            self._write(mqtt.connack(PROTOCOL_REFUSED, False))
            self.cut(f"protocol level {packet.level}")
            return
        self.session = Session(
            self._number, packet.client_id, packet.username, packet.password,
            deliver=self._deliver, close=self.cut, clean=packet.clean,
            keepalive_s=packet.keepalive_s, will=packet.will, chain=self.peer.chain,
            address=self.peer.address, server_name=self.peer.server_name,
        )  # fmt: skip
        self._patience_ms = patience_ms(packet.keepalive_s)
        self._ask_service(now_ms)

    def _ask_service(self, now_ms: int) -> None:
        try:
            code, present = self._broker.service.connect(self.session, now_ms)
        except Delay as e:
            self.state, self.deadline_ms = DELAYED, e.until_ms
            return
        except Silence:
            self.state, self.deadline_ms = SILENT, None
            return
        if self.state == CLOSED:
            return
        self._write(mqtt.connack(code, present))
        if code != ACCEPTED:
            self.cut(REFUSED)
            return
        self.state, self.deadline_ms = OPEN, now_ms + self._patience_ms
        self._broker.service.started(self.session, now_ms)
        self._release()

    def _release(self) -> None:
        held, self._held = self._held or [], None
        for packet in held:
            self._send(packet)

    def _send(self, packet: bytes) -> None:
        if self.state != CLOSED:
            self._write(packet)

    def _publish(self, packet: packets.Publish, now_ms: int) -> None:
        self._broker.service.publish(
            self.session, packet.topic, packet.payload, packet.qos, packet.retain, now_ms
        )
        if packet.qos == 2:
            raise packets.MalformedPacket("QoS 2 is not spoken here")
        if packet.qos:
            self._send(mqtt.puback(packet.packet_id))

    def _puback(self, packet: packets.Puback, now_ms: int) -> None:
        if packet.packet_id in self._unacked:
            self._unacked.discard(packet.packet_id)
            self._broker.service.acked(self.session, packet.packet_id, now_ms)

    def _subscribe(self, packet: packets.Subscribe, now_ms: int) -> None:
        self._held = []  # what a subscription releases (waiting C2D) comes after its SUBACK
        try:
            granted = [
                self._broker.service.subscribe(self.session, name, qos, now_ms)
                for name, qos in packet.filters
            ]
            self._send(mqtt.suback(packet.packet_id, granted))
        finally:  # also when the SUBACK is never sent: the messages are
            self._release()

    def _unsubscribe(self, packet: packets.Unsubscribe, now_ms: int) -> None:
        for name in packet.filters:
            self._broker.service.unsubscribe(self.session, name, now_ms)
        self._send(mqtt.unsuback(packet.packet_id))

    def _ping(self, packet: packets.Pingreq, now_ms: int) -> None:
        self._send(mqtt.PINGRESP_BYTES)

    def _disconnect(self, packet: packets.Disconnect, now_ms: int) -> None:
        self.cut(ASKED)

    def _deliver(self, topic: str, payload: bytes, qos: int) -> int | None:
        if self.state == CLOSED:
            return None
        packet_id = self._free_id() if qos else 0
        packet = mqtt.publish(topic, payload, qos, packet_id)
        if self._held is None:
            self._write(packet)
        else:
            self._held.append(packet)
        return packet_id or None

    def _free_id(self) -> int:
        while True:
            self._last_id = self._last_id % 0xFFFF + 1
            if self._last_id not in self._unacked:
                self._unacked.add(self._last_id)
                return self._last_id


def patience_ms(keepalive_s: int) -> int:
    """How long a server waits for a packet: 1.5 times the client's value, capped; 0 is the cap."""
    return min(1_500 * keepalive_s or KEEPALIVE_MOST_MS, KEEPALIVE_MOST_MS)


HANDLERS = {
    NEW: {packets.Connect: Connection._connect},
    OPEN: {
        packets.Publish: Connection._publish,
        packets.Puback: Connection._puback,
        packets.Subscribe: Connection._subscribe,
        packets.Unsubscribe: Connection._unsubscribe,
        packets.Pingreq: Connection._ping,
        packets.Disconnect: Connection._disconnect,
    },
}
