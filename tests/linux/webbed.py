"""A websocket on the server's side of a visit: what stands behind it reads and writes MQTT.

Rule: built on the emulated cloud's framing, which shares no line with the agent's; `manner` says
how a message is cut into frames.
"""

from hil.cloud import http1, websocket

WHOLE, LETTERS, CHATTY = "whole", "letters", "chatty"


class Webbed:
    """A visit behind a websocket. `asked` is its request, `closed_with` the client's close code.

    manner  WHOLE: a frame a message; LETTERS: a message in frames of one byte; CHATTY: in two,
            with pings and pongs before, between and after
    """

    def __init__(self, visit, manner=WHOLE):
        self._visit, self._manner = visit, manner
        self._frames, self.pongs, self.closed_with = websocket.Reader(), [], None
        self.asked = self._greet()

    def __getattr__(self, name):
        return getattr(self._visit, name)

    def read(self, most=4096):
        while self.closed_with is None:
            found = self._frames.next()
            if found is None:
                data = self._visit.read(most)
                if not data:
                    return b""
                self._frames.feed(data)
                continue
            opcode, _, payload = found
            if opcode == websocket.CLOSE:
                self.closed_with = int.from_bytes(payload, "big")
            elif opcode == websocket.PONG:
                self.pongs.append(payload)
            elif payload:
                return payload
        return b""

    def write(self, data):
        """A message."""
        self.raw_frames(b"".join(self._cut(data)))

    def raw_frames(self, data):
        self._visit.write(data)

    def _cut(self, data):
        if self._manner == WHOLE:
            return [websocket.frame(websocket.BINARY, data)]
        step = 1 if self._manner == LETTERS else max(1, len(data) // 2)
        cuts = range(0, len(data), step)
        frames = []
        for at in cuts:
            first = (0 if at else websocket.BINARY) | (0x80 if at == cuts[-1] else 0)
            frames.append(_frame(first, data[at:at + step]))
            if self._manner == CHATTY:
                frames.append(websocket.frame(websocket.PING, b"%d" % at))
                frames.append(websocket.frame(websocket.PONG, b"unasked"))
        return frames

    def _greet(self):
        requests = http1.Reader()
        while (request := requests.next()) is None:
            data = self._visit.read()
            if not data:
                raise OSError("the client left before its request")
            requests.feed(data)
        status, headers = websocket.answer(request)
        self._visit.write(http1.head(status, headers))
        assert status == 101, request
        return request


def _frame(first, payload):
    """A whole one, with another first byte."""
    return bytes([first]) + websocket.frame(websocket.BINARY, payload)[1:]
