"""The programs on this device that answer direct methods and take cloud-to-device messages.

Rule: the newest that asked for a method serves it; a call that nobody serves is answered at once:
the cloud never waits for a program that is not there.
"""

from ..core.events import Asked

NOBODY = (404, "no program on the device serves this method")
LEFT = (503, "the program that served this method has left")


class Applications:
    """Clients that serve. say(client, tree) sends one line; post(event) asks the core."""

    def __init__(self, say, post) -> None:
        self._say, self._post = say, post
        self._methods: dict = {}  # method name: client
        self._wants: dict = {"c2d": [], "desired": []}
        self._calls: dict = {}  # request id of an open call: client

    def serve(self, client, methods: list[str], wants: list[str]) -> None:
        """This client serves these methods, and takes c2d or desired."""
        for name in methods:
            self._methods[name] = client
        for name in wants:
            if client not in self._wants[name]:
                self._wants[name].append(client)

    def told(self, t_ms: int, name: str, about: dict) -> None:
        """Tell("method" | "c2d" | "desired"): to who serves it."""
        if name == "method":
            self._call(t_ms, about)
        for client in list(self._wants.get(name, ())):
            self._say(client, dict(about, event=name, t_ms=t_ms))

    def replied(self, request_id: str) -> None:
        """The call is answered."""
        self._calls.pop(request_id, None)

    def gone(self, client) -> None:
        """A client has left: its open calls are answered for it."""
        self._methods = {m: c for m, c in self._methods.items() if c is not client}
        for name in self._wants:
            self._wants[name] = [c for c in self._wants[name] if c is not client]
        for request_id in [r for r, c in self._calls.items() if c is client]:
            del self._calls[request_id]
            self._answer(request_id, LEFT)

    def _call(self, t_ms: int, about: dict) -> None:
        client = self._methods.get(about["name"])
        if client is None:
            self._answer(about["rid"], NOBODY)
            return
        self._calls[about["rid"]] = client
        self._say(client, dict(about, event="method", t_ms=t_ms))

    def _answer(self, request_id: str, how: tuple[int, str]) -> None:
        arguments = {"rid": request_id, "status": how[0], "payload": {"what": how[1]}}
        self._post(Asked("reply", dict(arguments, by="driver"), ""))
