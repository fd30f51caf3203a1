"""Short TLS records by `max_fragment`: whether this process can ask for them, and what came of it.

Rule: `require` never goes on without, neither where the length cannot be asked for nor where the
server ignores it; `prefer` goes on and says why. The first who takes fragment.py's way on a
machine is a child process: what would crash an agent is an answer there. A good answer, or a crash,
is kept in the state's folder for this build of Python and this OpenSSL, in a file of its own beside
the frames: it is no state, without it the child is asked again.

Source: design section 8; RFC 6066 section 4.
"""

import _ssl
import os
import signal
import sys
import threading

from ..core.events import Failed, Verified
from ..errors import LinkError, MalformedMessage, StateError, plain
from ..wire.jsonread import parse_object
from ..wire.jsonwrite import write
from .folder import open_private
from .store import replace

KEPT = "fragment"
OFF = "off"
IGNORED = "the server ignored it"
UNAVAILABLE, REFUSED = "fragment-unavailable", "fragment-refused"
CRASHED = "the self-check crashed"
REMEDY = "set max_fragment to off, or use another build of Python"
REMEDY_SERVER = "set max_fragment to off for this endpoint"
AGAIN_MS = 72_000_000  # the status lists a warning for a day after it was last told

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_PROGRAM = ("import sys; sys.path.insert(0, sys.argv[1]);"
            "from anchorwatch.linux import fragment; sys.exit(fragment.main())")  # fmt: skip
_CHILD = (sys.executable, "-I", "-S", "-c", _PROGRAM, _ROOT)
_CHILD_S = 30
_KEPT_AT_MOST = 4096
# Ends that say something of this build; any other is the machine's: out of memory, stopped.
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT, signal.SIGFPE)


class Wish:
    """What one dial asks for.

    asked    bytes; None: nothing is asked for, for `reason`
    must     the connection ends where it is not had
    exposed  the handshake will show a client certificate
    """

    def __init__(self, asked: int | None, reason: str, must: bool = False, exposed: bool = False,
                 libssl=None) -> None:
        self.asked, self.reason = asked, reason
        self._must, self._exposed, self._libssl = must, exposed, libssl

    def answered(self, length: int) -> None:
        """The server's hello agrees to `length`, 0 for nothing; nothing but our hello has left.

        Where no certificate of ours would be shown, a wish that was ignored may wait for outcome():
        the library's word on the chain outweighs it.
        Raises  LinkError: policy, fragment-refused
        """
        ignored = not length and self._must and self._exposed
        if self.asked and (ignored or length not in (0, self.asked)):
            raise LinkError("policy", REFUSED, "%d for %d" % (length, self.asked))

    def outcome(self, session) -> dict:
        """{"asked", "negotiated", "reason"} after the handshake, as the session itself has it.

        Raises  LinkError: policy, fragment-refused
        """
        if not self.asked:
            return {"asked": None, "negotiated": None, "reason": self.reason}
        from .fragment import Unavailable

        try:
            length, reason = self._libssl.negotiated(session), ""
        except Unavailable as error:
            length, reason = 0, str(error)
        if self._must and length != self.asked:
            raise LinkError("policy", REFUSED, reason or "%d for %d" % (length, self.asked))
        return {"asked": self.asked, "negotiated": length or None,
                "reason": reason or ("" if length else IGNORED)}  # fmt: skip


class ShortRecords:
    """One process's way to short records, looked for when the first dial wants them.

    folder   of the state, "" for none: then nothing is kept
    child    the command that makes the first try
    """

    def __init__(self, folder: str = "", child: tuple[str, ...] = _CHILD) -> None:
        self._folder, self._child = folder, child
        self._lock = threading.Lock()
        self._libssl = None
        self._reason: str | None = None
        self._told: dict[str, int] = {}

    def unavailable(self) -> str:
        """Why no length can be asked for in this process; "" when one can."""
        with self._lock:
            if self._reason is None:
                self._reason = self._look()
            return self._reason

    def wish(self, profile: dict, context, exposed: bool) -> Wish:
        """Let `context` ask for what the profile wants.

        exposed  it has a client certificate
        Raises   LinkError: policy, fragment-unavailable
        """
        wanted = profile["max_fragment"]
        if wanted == OFF:
            return Wish(None, OFF)
        must, size = wanted == "require", profile["max_fragment_bytes"]
        reason = self.unavailable() or self._ask(context, size)
        if reason and must:
            raise LinkError("policy", UNAVAILABLE, reason, REMEDY)
        if reason:
            return Wish(None, reason)
        return Wish(size, "", must, exposed, self._libssl)

    def told(self, event, now_ms: int) -> tuple[str, str, str] | None:
        """(what, value, remedy) where a dial went without, or could not, once a day and cause; to
        be called on the loop alone."""
        what, reason = _shortfall(event)
        if not what:
            return None
        reason, last_ms = reason or self.unavailable(), self._told.get(what)
        if last_ms is not None and now_ms - last_ms < AGAIN_MS:
            return None
        self._told[what] = now_ms
        return what, reason, REMEDY_SERVER if reason == IGNORED else REMEDY

    def _ask(self, context, size: int) -> str:
        from .fragment import Unavailable

        try:
            self._libssl.ask(context, size)
        except Unavailable as error:
            return str(error)
        return ""

    def _look(self) -> str:
        """Ask the child, unless its answer is kept, and then go the way ourselves."""
        from .fragment import Libssl, Unavailable

        reason = self._kept()
        if reason is None:
            reason, lasting = tried(self._child)
            if lasting:
                self._keep(reason)
        if reason:
            return reason
        try:
            self._libssl = Libssl()
        except Unavailable as error:
            return str(error)
        return ""

    def _kept(self) -> str | None:
        if not self._folder:
            return None
        try:
            data = open_private(self._folder).own(KEPT, _KEPT_AT_MOST)
            kept = parse_object(data or b"{}")
            return plain(kept["reason"]) if kept["of"] == build() else None
        except (OSError, StateError, MalformedMessage, KeyError, TypeError):
            return None

    def _keep(self, reason: str) -> None:
        if not self._folder:
            return
        data = write({"of": build(), "reason": reason})
        try:
            replace(open_private(self._folder), KEPT, data)
        except (OSError, StateError):
            pass  # the next start asks the child again


def build() -> str:
    """What the answer depends on: this interpreter, its `_ssl`, its OpenSSL."""
    file = getattr(_ssl, "__file__", None) or ""
    try:
        found = os.stat(file)
        stamp = "%d.%d" % (found.st_size, found.st_mtime_ns)
    except OSError:
        stamp = ""
    parts = (sys.executable, sys.version, os.uname().machine, file, stamp, _ssl.OPENSSL_VERSION)
    return "|".join(parts)


def tried(child: tuple[str, ...]) -> tuple[str, bool]:
    """(why it is unavailable or "", does that hold for this build at every start)."""
    import subprocess  # a device without the wish starts without it

    try:
        done = subprocess.run(child, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=_CHILD_S, check=False)
    except (OSError, ValueError):
        return "the self-check cannot be started", False
    except subprocess.TimeoutExpired:
        return "the self-check does not end", False
    if -done.returncode in _CRASHES:
        return "%s (signal %d)" % (CRASHED, -done.returncode), True
    try:
        reason = plain(parse_object(done.stdout)["reason"])
    except (MalformedMessage, KeyError, TypeError):
        return "the self-check gives no answer", False
    return reason, not reason


def _shortfall(event) -> tuple[str, str]:
    """(what is told, the reason where the event has one) of a dial's outcome; ("", "") of most."""
    if isinstance(event, Failed) and event.verdict == UNAVAILABLE:
        return "TLS records cannot be shortened", ""
    if not isinstance(event, Verified):
        return "", ""
    reason = event.tls["fragment"]["reason"]
    if reason in ("", OFF):
        return "", ""
    if reason == IGNORED:
        return "TLS records are not shortened by " + event.host, reason
    return "TLS records cannot be shortened", reason
