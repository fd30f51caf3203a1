"""Direct methods: our own, permitted by cloud.allow, and the application's. Rule: every call is
answered once, in 30 s at most.

Source: Microsoft Learn, "Understand and invoke direct methods"; design section 12.
"""

from ..wire import hub as hub_wire
from .actions import Publish, Tell
from .events import Asked
from .meanings import Quiet
from .shapes import Any_, Config, Event, Items, Tree

OURS = ("reverify", "reprovision", "rollCertificate", "importBundle")
COMMANDS = {"importBundle": "roots_import", "rollCertificate": "roll"}
REPLY_MS = 30_000


class Methods:
    """Calls that wait for their answer: {request id: deadline}."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._deadlines: Tree = {}
        self._sent = 0
        self._unacked: Items = []

    @property
    def open(self) -> int:
        """Calls without an answer."""
        return len(self._deadlines)

    @property
    def wake_at(self) -> int | None:
        """The earliest deadline of an open call."""
        return min(self._deadlines.values()) if self._deadlines else None

    def call(self, parsed: tuple[Any_, ...], now: int) -> Items:
        """A call from the cloud: ours becomes Asked, any other goes to the application."""
        _, name, request_id, payload = parsed
        if request_id in self._deadlines:
            return []
        self._deadlines[request_id] = now + REPLY_MS
        if name in self._config.cloud.allow and name in OURS:
            return [Asked(COMMANDS.get(name, name), _arguments(payload), "m:" + request_id)]
        if name in OURS:
            return self.reply(request_id, 403, {"what": "not permitted by cloud.allow"})
        return [Tell("method", {"name": name, "rid": request_id, "payload": payload})]

    def answer(self, about: Tree) -> Items:
        """Our own method is done: about is that of Tell("answer")."""
        request_id = about["ask_id"][2:]
        if about["ok"]:
            return self.reply(request_id, 200, about["is"])
        status = 429 if about["code"] == 3 else 409
        return self.reply(
            request_id,
            status,
            {"what": about["what"], "value": about["value"], "remedy": about["remedy"]},
        )

    def reply(self, request_id: str, status: int, payload: object) -> Items:
        """Answer an open call; one that is not open any more is let go."""
        if self._deadlines.pop(request_id, None) is None:
            return []
        self._sent += 1
        topic = hub_wire.method_reply_topic(status, request_id)
        body = hub_wire.method_reply_body(payload)
        answer = Publish("live", topic, body, 1, "m%d" % self._sent)
        self._unacked.append(answer)
        return [answer] + ([] if self._deadlines else [Quiet()])

    def woke(self, now: int) -> Items:
        """Answer for an application that did not."""
        late = sorted([r for r in self._deadlines if self._deadlines[r] <= now])
        out = []
        for request_id in late:
            out += self.reply(request_id, 504, {"what": "the application did not answer in 30 s"})
        return out

    def offline(self) -> None:
        """The session is gone: so are the calls in it."""
        self._deadlines = {}
        self._unacked = []

    def acked(self, event: Event, now: int) -> Items:
        """The hub has an answer."""
        self._unacked = [answer for answer in self._unacked if answer.mid != event.mid]
        return []

    def moved(self) -> Items:
        """Answers that the former link may have lost; the hub ignores one that it has had."""
        return list(self._unacked)


def _arguments(payload: object) -> Tree:
    """What a call of ours says; nobody but us says who called."""
    given: Tree = dict(payload) if isinstance(payload, dict) else {}
    given["by"] = "cloud"
    return given
