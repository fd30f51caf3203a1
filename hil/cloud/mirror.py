"""The bundle mirror: a file server over plain HTTP and HTTPS that may be told to misbehave.

No socket and no clock of its own. It holds what a vendor published and no key of a device's trust:
whatever it says, signatures decide. Each answer is a row of the journal when it is over.
Source: RFC 9110 (Range, ETag, If-Range); layout: TUF specification 1.0, section 6.2.
"""

from collections.abc import Callable

from . import attacks, http1
from .attacks import FORGED, MANNERS, Answer, Attack
from .bundles import HOLDERS, Vendor
from .clock import Clock
from .connection import Peer
from .journal import Journal
from .ranges import part_asked
from .refusal import BadRequest
from .trustjson import TRUST, digest

FOLDER = "/bundle/"
ELSEWHERE = "elsewhere/"
WAITING_AT_MOST = 131_072  # bytes that a client has not read; then we wait for it
STEPS_A_TURN = 64
BINARY, JSON = "application/octet-stream", "application/json"


class Mirror:
    """The mirror of one vendor.

    place  called without arguments; "127.A.B.6:PORT" of the plain side, where a redirect leads
    """

    def __init__(
        self,
        vendor: Vendor,
        journal: Journal,
        clock: Clock,
        place: Callable[[], str],
    ) -> None:
        self.vendor, self.journal, self.clock = vendor, journal, clock
        self.attack: Attack | None = None
        self._place = place
        self._forged: dict[str, bytes] | None = None
        self._connections: set[MirrorConnection] = set()

    def files(self) -> dict[str, bytes]:
        """What is served now: the published folder, or the one an attack has put in its place."""
        return self.vendor.files() if self._forged is None else self._forged

    def assault(self, attack: Attack | None) -> None:
        """Begin an attack, or end it with None."""
        forged = None
        if attack is not None and attack.name in FORGED:
            if attack.file:
                raise BadRequest("a forged folder is whole", attack.file, "leave out the file")
            forged = FORGED[attack.name](self.vendor, attack)
        elif attack is not None and attack.name not in MANNERS:
            known = ", ".join(sorted({*FORGED, *MANNERS}))
            raise BadRequest("no such attack", attack.name, f"one of {known}, or null")
        if attack is not None and not attack.to:
            attack.to = f"http://{self._place()}/{ELSEWHERE}"
        self.attack, self._forged = attack, forged

    def shown(self) -> dict:
        """As JSON: what is published, by whom it is signed, and what is wrong just now."""
        files = self.vendor.files()
        return {
            "attack": self.attack.name if self.attack else None,
            "versions": dict(self.vendor.versions),
            "releases": len(self.vendor.releases),
            "said": self.vendor.said,
            "trust_sha256": digest(files[TRUST]) if TRUST in files else None,
            "root_sha256": digest(self.vendor.root()),
            "keys": {who: len(self.vendor.holders[who]) for who in HOLDERS},
            "files": sorted(self.files()),
        }

    def accept(
        self, write: Callable[[bytes], int], close: Callable[[], None], peer: Peer, now_ms: int
    ) -> "MirrorConnection":
        """A client is there."""
        connection = MirrorConnection(self, write, close, peer)
        self._connections.add(connection)
        return connection

    def leave(self, connection: "MirrorConnection") -> None:
        self._connections.discard(connection)

    def turn(self, now_ms: int) -> None:
        """Go on with answers that take their time."""
        for connection in list(self._connections):
            connection.turn(now_ms)

    def steps(self, request: http1.Request, now_ms: int) -> attacks.Steps:
        """How a request is answered."""
        answer = self._answer(request)
        answer.headers["Date"] = http1.date(self.clock.date_s(now_ms))
        if request.method == "HEAD":
            return iter((answer.head(len(answer.body)),))
        attack = self.attack
        inside = request.path.startswith(FOLDER)  # a redirect leads outside, and once is enough
        if attack and attack.name in MANNERS and inside and attack.is_for(answer.name):
            return MANNERS[attack.name](answer, attack)
        return attacks.plain(answer)

    def _answer(self, request: http1.Request) -> Answer:
        name = name_of(request)
        if request.method not in ("GET", "HEAD"):
            return Answer(name, 405, {"Allow": "GET, HEAD"}, b"")
        data = self.files().get(name) if request.path.startswith(FOLDER) else None
        if data is None:
            return Answer(name, 404, {"Content-Type": "text/plain"}, b"no such file\n")
        kind = JSON if name.endswith(".json") else BINARY
        status, headers, body = part_asked(request, data)
        return Answer(name, status, {"Content-Type": kind, **headers}, body)


class MirrorConnection:
    """One client; requests are answered in order."""

    def __init__(
        self,
        mirror: Mirror,
        write: Callable[[bytes], int],
        close: Callable[[], None],
        peer: Peer,
    ) -> None:
        self._mirror, self._write, self._close, self._peer = mirror, write, close, peer
        self._reader = http1.Reader()
        self._request: http1.Request | None = None
        self._closed = False

    def receive(self, data: bytes, now_ms: int) -> None:
        """Take bytes from the client."""
        self._reader.feed(data)
        self._go_on(now_ms)

    def turn(self, now_ms: int) -> None:
        """Go on with what waits for its time, or for the client to read."""
        if self._request is not None:
            self._send(now_ms)
            self._go_on(now_ms)

    def lost(self, now_ms: int) -> None:
        """The socket is gone."""
        self._closed = True
        self._mirror.leave(self)
        self._over(now_ms, whole=False)

    def _go_on(self, now_ms: int) -> None:
        try:
            while not (self._closed or self._request) and (request := self._reader.next()):
                self._begin(request, now_ms)
                self._send(now_ms)
        except http1.MalformedRequest:
            self._write(http1.response(400, {"Connection": "close"}))
            self._end()

    def _begin(self, request: http1.Request, now_ms: int) -> None:
        self._request, self._began_ms, self._due_ms = request, now_ms, now_ms
        self._attack = self._mirror.attack.name if self._mirror.attack else None
        self._steps = self._mirror.steps(request, now_ms)
        self._status, self._sent = None, 0

    def _send(self, now_ms: int) -> None:
        """As many steps as there is time and room for."""
        if self._write(b"") > WAITING_AT_MOST:
            return
        for _ in range(STEPS_A_TURN):
            if now_ms < self._due_ms or self._closed:
                return
            try:
                step = next(self._steps)
            except StopIteration:
                self._over(now_ms, whole=True)
                return
            if step is attacks.CLOSE:
                self._over(now_ms, whole=False)
                self._end()
            elif isinstance(step, int):
                self._due_ms = now_ms + step
            elif self._put(step) > WAITING_AT_MOST:
                return

    def _put(self, data: bytes) -> int:
        if self._status is None:
            self._status = int(data.split(b" ", 2)[1])
        else:
            self._sent += len(data)
        return self._write(data)

    def _over(self, now_ms: int, whole: bool) -> None:
        request, self._request = self._request, None
        if request is None:
            return
        self._mirror.journal.add(
            now_ms, "mirror", "get", None,
            file=name_of(request), bytes=self._sent, client=self._peer.address,
            method=request.method, status=self._status, range=request.headers.get("range"),
            host=request.headers.get("host"), server_name=self._peer.server_name,
            attack=self._attack, whole=whole, took_ms=now_ms - self._began_ms,
        )  # fmt: skip
        if whole and request.is_last():
            self._end()

    def _end(self) -> None:
        self._closed = True
        self._close()


def name_of(request: http1.Request) -> str:
    """The file that a request means; outside the mirror's folder the path as it is."""
    if request.path.startswith(FOLDER):
        return request.path[len(FOLDER) :]
    return request.path.lstrip("/")
