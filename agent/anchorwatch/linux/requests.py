"""What a client of the control socket may ask: one table, one method each.

Rule: whatever changes something is decided by the core; it goes in as Asked, and the answer comes
back by its ask_id. The driver answers by itself only what is its own: status, log, queue, and who
serves the cloud's calls.

Source: contract section 4.
"""

from ..core.events import Asked
from ..errors import AgentError, ConfigError, MalformedMessage
from ..wire.encoding import base64_bytes
from .control import ADMIN, READ, SEND, refusal

# fmt: off
TABLE = (
    # do               role    answered by
    ("status",         READ,   "show_status"),
    ("metrics",        READ,   "show_metrics"),
    ("logs",           READ,   "show_log"),
    ("watch",          READ,   "watch"),
    ("roots_list",     READ,   "ask"),
    ("roots_explain",  READ,   "ask"),
    ("roots_history",  READ,   "ask"),
    ("identity_show",  READ,   "ask"),
    ("identity_csr",   READ,   "ask"),
    ("send",           SEND,   "send"),
    ("serve",          SEND,   "serve"),
    ("reply",          SEND,   "reply"),
    ("reverify",       ADMIN,  "ask"),
    ("reprovision",    ADMIN,  "ask"),
    ("told",           ADMIN,  "ask"),
    ("roots_add",      ADMIN,  "ask"),
    ("roots_distrust", ADMIN,  "ask"),
    ("roots_import",   ADMIN,  "ask"),
    ("roots_revert",   ADMIN,  "ask"),
    ("roll",           ADMIN,  "ask"),
    ("identity_install", ADMIN, "ask"),
    ("clock_reset",    ADMIN,  "ask"),
)
# fmt: on
_ROWS = {do: (role, name) for do, role, name in TABLE}
_RANK = {READ: 0, SEND: 1, ADMIN: 2}
_OPEN_AT_MOST = 64
_PAYLOAD_AT_MOST = 262_144
_MID_AT_MOST = 128
_NOT_WATCHED = ("answer", "c2d", "method", "desired")


class Requests:
    """The commands. `control` is set once the socket listens.

    status      called without arguments, gives the status tree
    queue       put(mid, properties, payload), raises ConfigError for what no topic can hold
    """

    def __init__(self, status, queue, journal, layers, applications, post) -> None:
        self._status, self._queue, self._journal = status, queue, journal
        self._layers, self._applications, self._post = layers, applications, post
        self._open: dict = {}  # ask_id: (client, id of its request)
        self._asked = 0
        self.control = None

    def take(self, client, request: dict) -> None:
        """Answer one request, now or when the core has decided."""
        given, request_id = request.get("with", {}), request.get("id")
        role, name = _ROWS.get(str(request.get("do")), (None, ""))
        if role is None or not isinstance(given, dict):
            known = "one of " + ", ".join([row[0] for row in TABLE])
            self._say(client, refusal(request_id, 2, "no such request", request.get("do"), known))
        elif _RANK[client.may] < _RANK[role]:
            remedy = "ask as root or as the agent's user" if role == ADMIN else (
                "join the group named by control.group")
            self._say(client, refusal(request_id, 1, "not permitted", request["do"], remedy))
        else:
            self._perform(client, request_id, request["do"], getattr(self, "_" + name), given)

    def _perform(self, client, request_id, do: str, method, given: dict) -> None:
        try:
            answer = method(client, request_id, do, given)
        except ConfigError as error:
            self._say(client, refusal(request_id, 2, error.what, error.value, error.remedy))
        except AgentError as error:
            self._say(client, refusal(request_id, 1, error.what, error.value, error.remedy))
        else:
            if answer is not None:
                self._say(client, {"id": request_id, "ok": True, "is": answer})

    def answered(self, about: dict) -> None:
        """Tell("answer"): to the client that asked, if it is still there."""
        client, request_id = self._open.pop(about["ask_id"], (None, None))
        if client is None:
            return
        client.data["open"] -= 1
        tree = {key: about[key] for key in about if key != "ask_id"}
        self._say(client, dict(tree, id=request_id))

    def told(self, t_ms: int, name: str, about: dict) -> None:
        """Every other Tell: to the clients that watch."""
        if name in _NOT_WATCHED:
            return
        for client in [c for c in self.control.clients if c.data.get("watches")]:
            self._say(client, dict(about, event=name, t_ms=t_ms))

    def gone(self, client) -> None:
        """A client has left: nobody waits for its answers."""
        self._open = {a: self._open[a] for a in self._open if self._open[a][0] is not client}
        self._applications.gone(client)

    def _say(self, client, tree: dict) -> None:
        self.control.send(client, tree)

    # What the driver knows itself.

    def _show_status(self, client, request_id, do, given) -> dict:
        return self._status()

    def _show_metrics(self, client, request_id, do, given) -> dict:
        from .metrics import text_of  # most devices are never asked

        return {"text": text_of(self._status())}

    def _show_log(self, client, request_id, do, given) -> dict:
        from ..performers.words import number  # most devices are never asked

        return {"lines": self._journal.lines(number(given, "most", 100, 500))}

    def _watch(self, client, request_id, do, given) -> dict:
        client.data["watches"] = True
        return {}

    def _send(self, client, request_id, do, given) -> dict:
        from ..performers.words import text

        mid, payload = text(given, "mid", ""), text(given, "payload", "")
        if len(mid) > _MID_AT_MOST:
            raise ConfigError("mid is too long", mid, "give up to %d characters" % _MID_AT_MOST)
        properties = given.get("properties", {})
        if not isinstance(properties, dict):
            raise ConfigError("properties are no table", "", 'give {"name": "value"}')
        return {"mid": self._queue(mid, properties, _payload(payload))}

    # Who serves the cloud's calls.

    def _serve(self, client, request_id, do, given) -> dict:
        methods = given.get("methods", [])
        if not isinstance(methods, list) or [m for m in methods if not isinstance(m, str)]:
            raise ConfigError("methods are no list of names", "", 'give ["name"]')
        wanted = [name for name in ("c2d", "desired") if given.get(name) is True]
        self._applications.serve(client, methods, wanted)
        return {"methods": methods}

    def _reply(self, client, request_id, do, given) -> None:
        self._ask(client, request_id, do, given)
        self._applications.replied(given["rid"])

    # What the core decides.

    def _ask(self, client, request_id, do, given) -> None:
        """Checked, handed over; the answer comes when the core has it, of a Fetch minutes later."""
        from . import orders  # a day without a command does without

        arguments = orders.arguments(do, given, self._layers)
        if client.data.setdefault("open", 0) >= _OPEN_AT_MOST:
            raise AgentError("too many open requests", _OPEN_AT_MOST, "wait for their answers")
        client.data["open"] += 1
        self._asked += 1
        ask_id = "s%d" % self._asked
        self._open[ask_id] = (client, request_id)
        self._post(Asked(do, dict(arguments, by="operator"), ask_id))


def _payload(text: str) -> bytes:
    try:
        data = base64_bytes(text)
    except MalformedMessage as error:
        raise ConfigError("payload is not base64", "", "encode the bytes as base64") from error
    if len(data) > _PAYLOAD_AT_MOST:
        raise ConfigError("payload is too long", "%d bytes" % len(data),
                          "send up to %d bytes" % _PAYLOAD_AT_MOST)
    return data
