"""One MQTT session a link: the wire's own session around a connection that is ready.

Rule: it moves bytes between the two and passes on what the session tells; it knows no packet.
"""

import gc

from anchorwatch.errors import MalformedMessage
from anchorwatch.wire.mqtt import PACKET_AT_MOST
from anchorwatch.wire.mqttsession import Session as Wire

from .selector import BROKEN, READ, WRITE

_PIECE = 1024
# A packet is taken whole, its payload is taken out of it and then parsed: no more of what is free.
_PART_OF_HEAP = 4
_PACKET_AT_LEAST = 2048
_READS_A_TURN = 64
# The library's "end of file" and "closed"; reset and broken pipe of a socket.
_ENDED = (-0x7280, -0x7880, 104, 32)


class Session:
    """A link from its verified connection to its end.

    stream   tls.Stream; tell  has connected refused gone subscribed acked message ponged, each
             called with this session first; after refused or gone nothing more is told
    now_ms   the driver's monotonic clock; in_flight  of telemetry at most
    complaint  what the peer broke, for the log, once it is gone for that; else ""
    """

    def __init__(self, stream, selector, tell, now_ms, in_flight):
        self._in_flight = in_flight
        self._stream, self._selector, self._tell, self._now_ms = stream, selector, tell, now_ms
        self._wire = None
        self._mask = READ
        self._hungry = False
        self.over = False
        self.complaint = ""
        selector.register(stream.sock, READ, self.ready)

    def connect(self, client_id, username, password, keepalive_s, clean):
        """CONNECT; connected or refused is told."""
        # Telemetry is bounded by the feeder; beside it the core has a few of its own.
        self._wire = Wire(self._in_flight + 16, packet_at_most())
        self._wire.connect(client_id, username, password, keepalive_s, clean, self._now_ms())
        self._write()

    def subscribe(self, filters):
        """One SUBSCRIBE, QoS 1 each."""
        if self._speaks():
            self._wire.subscribe(filters, self._now_ms())
            self._write()

    def publish(self, topic, payload, qos, token):
        """PUBLISH; acked(token) is told for QoS 1. ValueError if MQTT has no such topic or size."""
        if self._speaks():
            self._wire.publish(topic, payload, qos, token, self._now_ms())
            self._write()

    def ping(self):
        """PINGREQ; ponged is told."""
        if self._speaks():
            self._wire.ping(self._now_ms())
            self._write()

    def end(self):
        """DISCONNECT where MQTT spoke, and close. Nothing is told."""
        if self.over:
            return
        self.over = True
        if self._wire is not None:
            self._wire.end()
            try:
                self._stream.write(self._wire.send_bytes())
            except OSError:
                pass  # it is over either way
        self._shut()

    @property
    def deadline_ms(self):
        """When turn() has something to do."""
        if self._hungry:
            return 0
        return self._wire.wake_at if self._speaks() else None

    def turn(self, now_ms):
        """Keep alive, and read on what the library holds already."""
        self._spared(self._turned, now_ms)

    def _turned(self, now_ms):
        if self._hungry:
            self._read()
        due_ms = self.deadline_ms
        if due_ms is not None and now_ms >= due_ms and not self._hungry:
            self._pass_on(self._wire.tick(now_ms))
            self._write()

    def ready(self, mask):
        """The selector's call."""
        self._spared(self._moved, mask)

    def _spared(self, call, given):
        """A session that finds no memory is lost; the agent is not."""
        try:
            call(given)
        except MemoryError:
            gc.collect()
            self.complaint = "no memory for a packet"
            self._lose("network")

    def _moved(self, mask):
        if mask & WRITE:
            self._write()
        if mask & (READ | BROKEN) and not self.over:
            self._read()

    def _speaks(self):
        return self._wire is not None and not self.over

    def _read(self):
        self._hungry = True
        for _ in range(_READS_A_TURN):
            try:
                data = self._stream.read(_PIECE)
            except MalformedMessage:
                return self._lose("protocol")
            except (OSError, ValueError) as error:
                return self._lose("closed" if _peer_ended(error) else "network")
            if data is None:
                self._hungry = False
                break
            if not data or self._wire is None:
                # Before CONNECT a server has nothing to say.
                return self._lose("protocol" if data else "closed")
            self._pass_on(self._wire.received(data, self._now_ms()))
            if self.over:
                return None
        return self._write()  # acknowledgements of what was read

    def _write(self):
        if not self._speaks():
            return
        try:
            piece = self._wire.send_bytes()
            while len(piece):
                count = self._stream.write(piece)
                if not count:
                    break
                self._wire.sent(count, self._now_ms())
                piece = self._wire.send_bytes()
        except OSError as error:
            self._lose("closed" if _peer_ended(error) else "network")
            return
        self._mind(READ | WRITE if len(piece) else READ)

    def _mind(self, mask):
        """Ask for write readiness exactly while something is left to write."""
        if mask != self._mask:
            self._mask = mask
            self._selector.modify(self._stream.sock, mask)

    def _lose(self, reason):
        if not self.over:
            self.over = True
            self._shut()
            self._tell.gone(self, reason)

    def _shut(self):
        self._hungry = False
        self._selector.unregister(self._stream.sock)
        self._stream.close()

    def _pass_on(self, events):
        for event in events:
            if self.over:
                return
            kind, given = event[0], event[1:]
            if kind == "disconnected":
                self.complaint = self._wire.complaint
                self._lose(*given)
                return
            if kind == "refused":
                self.over = True
                self._shut()
            getattr(self._tell, kind)(self, *given)


def packet_at_most():
    """Bytes of the longest packet that this heap has room for."""
    gc.collect()
    return min(PACKET_AT_MOST, max(_PACKET_AT_LEAST, gc.mem_free() // _PART_OF_HEAP))


def _peer_ended(error):
    """Whether the other side ended it: the line did otherwise."""
    code = error.errno if isinstance(error, OSError) else 0
    return code in _ENDED
