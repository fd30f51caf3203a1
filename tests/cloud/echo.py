"""A service that accepts all and sends back what it hears; it writes down each call."""

from hil.cloud.session import CloseSession, Delay, Silence


class Echo:
    """`orders`: the name of a call, and what it answers instead or raises."""

    def __init__(self, **orders: object) -> None:
        self.orders = orders
        self.calls: list[tuple] = []
        self.sessions: dict[str, object] = {}

    def _obey(self, name: str, otherwise: object = None) -> object:
        order = self.orders.get(name, otherwise)
        if isinstance(order, (CloseSession, Delay, Silence)):
            raise order
        return order

    def connect(self, session, now_ms):
        self.calls.append(("connect", session.client_id))
        answer = self._obey("connect", (0, False))
        older = self.sessions.get(session.client_id)
        if older is not None:
            older.close("taken over")
        self.sessions[session.client_id] = session
        if "early" in self.orders:
            session.deliver("early", b"waiting", 1)
        return answer

    def started(self, session, now_ms):
        self._obey("started")

    def subscribe(self, session, name, qos, now_ms):
        if "c2d" in self.orders:
            session.deliver("c2d", b"released", 1)
        return self._obey("subscribe", min(qos, 1))

    def unsubscribe(self, session, name, now_ms):
        self.calls.append(("unsubscribe", name))

    def publish(self, session, topic, payload, qos, retain, now_ms):
        self.calls.append(("publish", topic, payload, qos, retain))
        self._obey("publish")
        session.deliver("echo/" + topic, payload, qos)

    def acked(self, session, delivery, now_ms):
        self.calls.append(("acked", delivery))

    def disconnected(self, session, reason, now_ms):
        self.calls.append(("disconnected", session.client_id, reason))
        if self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]

    def turn(self, now_ms):
        return self.orders.get("turn")
