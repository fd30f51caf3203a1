"""One MQTT connection, and the calls that pass between the broker and a service.

The services decide and the broker moves bytes; this page is all they know of each other.
Source: MQTT 3.1.1; what each service does with it is in its own file.

A service (IotHub, ProvisioningService) offers, with `now_ms` monotonic and never decreasing:

    connect(session, now_ms) -> (code, session_present)   Silence, CloseSession, Delay
    started(session, now_ms)                              CloseSession
    subscribe(session, filter, qos, now_ms) -> int        Silence, CloseSession
    unsubscribe(session, filter, now_ms)
    publish(session, topic, payload, qos, retain, now_ms) Silence, CloseSession
    acked(session, delivery, now_ms)
    disconnected(session, reason, now_ms)
    turn(now_ms) -> int | None

and may raise what stands behind. started follows once the CONNACK 0 is on its way. subscribe
returns the granted QoS or 0x80. After publish the broker sends the PUBACK; Silence is no PUBACK, no
SUBACK, no CONNACK. acked says that the device acknowledged what deliver() returned. disconnected
comes once for every session that got CONNACK 0, whoever ended it. turn does what is due and returns
the next deadline.

After CloseSession, and after session.close(), the broker cuts the connection without another packet
and calls disconnected(); it may do so inside close() or later. What the service delivers during
connect or started goes out after the CONNACK. The will is given to the service with the session: it
publishes it itself unless the reason is "asked" (the device sent DISCONNECT). The other reasons are
free words for the journal, such as "keepalive" or "tcp".
"""

from collections.abc import Callable

ACCEPTED = 0
NOT_AUTHORIZED = 5
SUBSCRIPTION_REFUSED = 0x80
ASKED = "asked"


class CloseSession(Exception):
    """Cut this connection now, without an answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Silence(Exception):
    """Leave this packet unanswered and the connection open."""


class Delay(Exception):
    """Call connect again with the same session at `until_ms`; answer nothing before."""

    def __init__(self, until_ms: int) -> None:
        super().__init__(until_ms)
        self.until_ms = until_ms


class Session:
    """One MQTT connection as the services see it.

    will      None, or (topic, payload, qos)
    chain     the client's certificates as DER, leaf first; [] when it showed none
    server_name  the name in the TLS hello (SNI), None without one
    deliver   called with (topic, payload, qos), puts one PUBLISH to the device; its handle
    close     called with the reason, cuts the connection
    """

    def __init__(
        self,
        number: int,
        client_id: str,
        username: str | None,
        password: bytes | None,
        *,
        deliver: Callable[[str, bytes, int], object],
        close: Callable[[str], None],
        clean: bool = True,
        keepalive_s: int = 60,
        will: tuple[str, bytes, int] | None = None,
        chain: list[bytes] | None = None,
        address: str = "",
        server_name: str | None = None,
    ) -> None:
        self.number = number
        self.client_id = client_id
        self.username = username
        self.password = password
        self.clean = clean
        self.keepalive_s = keepalive_s
        self.will = will
        self.chain = chain or []
        self.address = address
        self.server_name = server_name
        self.device_id: str | None = None  # set by the service that accepted it
        self.delayed = False  # set by a fault: the same CONNECT is not delayed twice
        self._deliver = deliver
        self._close = close

    def deliver(self, topic: str, payload: bytes, qos: int = 0) -> object:
        """Put one PUBLISH to the device; the handle comes back in acked() for QoS 1."""
        return self._deliver(topic, payload, qos)

    def close(self, reason: str) -> None:
        """Cut the connection; the device gets no MQTT answer."""
        self._close(reason)

    def __repr__(self) -> str:
        return f"<session {self.number} of {self.client_id!r} from {self.address}>"
