"""What the programs of the bench share that are not ours: orders in, one JSON line for each answer.

Rule: knows no Azure library; runs in the virtual environment of whoever it is given to. The facts
are the first line of standard input; each order is a line such as {"do": "flow", "per_s": 100}.
"""

import json
import sys
import threading
import time

_OUT = threading.Lock()


def say(what: str, **more: object) -> None:
    """One line, whole."""
    with _OUT:
        print(json.dumps({"what": what, **more}), flush=True)


def facts() -> dict:
    """The first line: host, device_id, key, roots (PEM), keepalive_s."""
    return json.loads(sys.stdin.readline())


class Flow:
    """Telemetry at a steady rate; send(mid, payload) must not block."""

    def __init__(self, send) -> None:
        self._send, self._over, self._thread = send, threading.Event(), None
        self.sent = 0

    def begin(self, per_s: int, prefix: str) -> None:
        self._over.clear()
        self._thread = threading.Thread(target=self._run, args=(per_s, prefix), daemon=True)
        self._thread.start()

    def rest(self) -> None:
        if self._thread is not None:
            self._over.set()
            self._thread.join()
            self._thread = None

    def _run(self, per_s: int, prefix: str) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            self._send("%s-%d" % (prefix, self.sent), b"{}")
            self.sent += 1
            due += 1 / per_s
            self._over.wait(max(0.0, due - time.monotonic()))


def obey(flow: Flow, reconnect, end) -> None:
    """Orders until there are no more; reconnect() and end() are the library's way."""
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "flow":
            flow.begin(order["per_s"], order["prefix"])
        elif order["do"] == "rest":
            flow.rest()
            say("rested", sent=flow.sent)
        elif order["do"] == "reconnect":
            reconnect()
            say("reconnected")
        else:
            break
    flow.rest()
    end()
    say("ended")
