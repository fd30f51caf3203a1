"""An MQTT 3.1.1 server of a few lines: what it got is a list, what it answers is an argument.

Rule: knows no service; a test scripts it, or talks through it by hand.
"""

import threading

from tests.linux.servers import TIMEOUT_S

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14


def packet(kind, body=b"", flags=0):
    length, head = len(body), bytes([kind << 4 | flags])
    while True:
        head += bytes([length % 128 | (128 if length > 127 else 0)])
        length //= 128
        if not length:
            return head + body


def publish(topic, payload, mid=0):
    named = len(topic).to_bytes(2, "big") + topic.encode()
    return packet(PUBLISH, named + (mid.to_bytes(2, "big") if mid else b"") + payload,
                  2 if mid else 0)


class Peer:
    """One MQTT connection, served in the visit's thread.

    got    [(kind, flags, body)] so far; `wait(n)` for the n-th packet of a kind
    code   of the CONNACK, None for silence; acks False: PUBLISH stays unacknowledged
    """

    def __init__(self, code=0, present=False, acks=True, pongs=True):
        self.code, self.present, self.acks, self.pongs = code, present, acks, pongs
        self.got, self.visit = [], None
        self._news = threading.Condition()
        self.greeted = threading.Event()

    def talk(self, visit):
        self.visit = visit
        data = b""
        while True:
            more = visit.read()
            data += more
            while (taken := _take(data)) is not None:
                (kind, flags, body), data = taken
                self._answer(kind, flags, body)
                with self._news:
                    self.got.append((kind, flags, body))
                    self._news.notify_all()
            if not more:
                return

    def say(self, data):
        self.visit.write(data)

    def bodies(self, kind):
        return [body for one, _, body in self.got if one == kind]

    def wait(self, kind, number=1):
        """The n-th packet of a kind."""
        with self._news:
            enough = self._news.wait_for(lambda: len(self.bodies(kind)) >= number, TIMEOUT_S)
            assert enough, "%d packets of kind %d, not %d" % (len(self.bodies(kind)), kind, number)
            return self.bodies(kind)[number - 1]

    def ack(self, number):
        """PUBACK for the n-th PUBLISH."""
        self.say(packet(PUBACK, mid_of(self.wait(PUBLISH, number))))

    def _answer(self, kind, flags, body):
        if kind == CONNECT and self.code is not None:
            self.say(packet(CONNACK, bytes([self.present, self.code])))
        elif kind == PUBLISH and self.acks and flags & 6:
            self.say(packet(PUBACK, mid_of(body)))
        elif kind == SUBSCRIBE:
            self.say(packet(SUBACK, body[:2] + bytes([1] * _filters(body))))
        elif kind == PINGREQ and self.pongs:
            self.say(packet(PINGRESP))


def topic_of(body):
    return body[2:2 + int.from_bytes(body[:2], "big")].decode()


def mid_of(body):
    at = 2 + int.from_bytes(body[:2], "big")
    return body[at:at + 2]


def payload_of(body):
    """Of a QoS 1 PUBLISH."""
    return body[4 + int.from_bytes(body[:2], "big"):]


def _filters(body):
    count, at = 0, 2
    while at < len(body):
        at += 3 + int.from_bytes(body[at:at + 2], "big")
        count += 1
    return count


def _take(data):
    length, shift, at = 0, 0, 1
    while True:
        if at >= len(data):
            return None
        length |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 128:
            break
    if len(data) < at + length:
        return None
    return (data[0] >> 4, data[0] & 15, data[at:at + length]), data[at + length:]
