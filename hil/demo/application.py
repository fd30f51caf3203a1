"""The customer's program on the device: sends messages and answers a direct method.

Rule: it knows the agent's control socket and nothing else, as any such program would.
"""

import base64
import json
import threading

from hil.bench.control import Line

from .timeline import Timeline

METHOD = "blink"


class Sender:
    """send() hands the agent the next message; the row is written when the agent has taken it."""

    def __init__(self, socket, timeline: Timeline) -> None:
        self._line, self._timeline = Line(socket), timeline
        self.count = 0

    def send(self) -> None:
        mid = "m%05d" % (self.count + 1)
        body = json.dumps({"n": self.count + 1, "celsius": 20 + self.count % 7}).encode()
        at_ms = self._timeline.now_ms()
        self._line.ask("send", mid=mid, payload=base64.b64encode(body).decode())
        self.count += 1
        self._timeline.add("demo", "sent", at_ms, mid=mid)

    def close(self) -> None:
        self._line.close()


class Answerer:
    """Answers METHOD, and writes down what the agent tells those who watch it."""

    def __init__(self, socket, timeline: Timeline) -> None:
        self._line, self._timeline = Line(socket), timeline
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._line.say("watch")
        self._line.say("serve", methods=[METHOD], c2d=True, desired=True)
        self._thread.start()

    def stop(self) -> None:
        self._line.close()
        self._thread.join(5)

    def _run(self) -> None:
        for event in self._line.events():
            name = event.pop("event")
            event.pop("t_ms", None)  # the agent's clock starts elsewhere
            if name == "method":
                self._line.say("reply", rid=event["rid"], status=200, payload={"lamp": "on"})
            elif name not in ("c2d", "desired"):
                self._timeline.add("agent", name, **_renamed(event))


def _renamed(event: dict) -> dict:
    """"what" is the row's own key; what the agent said under it is "said"."""
    return {("said" if key == "what" else key): value for key, value in event.items()}
