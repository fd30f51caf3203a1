"""Parts of the board's driver that need no network, tried on MicroPython itself.

It prints one line a claim, `ok` or what was found instead; test_board_parts.py reads them.
"""

import gc
import json
import os
import sys

from anchorwatch_board import verdicts
from anchorwatch_board.clock import Steady, known
from anchorwatch_board.config import load
from anchorwatch_board.dial import Dialer
from anchorwatch_board.errands import Errands
from anchorwatch_board.fragment import ABSENT, Records
from anchorwatch_board.journal import line_of
from anchorwatch_board.judged import spoken_against
from anchorwatch_board.library import Library
from anchorwatch_board.memory import CONFIGURING, Reserve
from anchorwatch_board.mqtt import Session
from anchorwatch_board.patience import Patience
from anchorwatch_board.port import FACTS, Port
from anchorwatch_board.resolve import Resolver
from anchorwatch_board.tap import Tap
from anchorwatch_board.tls import SUITES, Path

from anchorwatch.errors import ConfigError, LinkError, plain

CLAIMS = []


def claim(sentence):
    def keep(function):
        CLAIMS.append((sentence, function))
        return function

    return keep


class Now:
    """A clock that is set by hand."""

    def __init__(self):
        self.ms = 0

    def __call__(self):
        return self.ms


class Nobody:
    """A selector that waits for nothing; `waits` what it was asked to."""

    def __init__(self):
        self.waits = {}

    def register(self, sock, mask, ready):
        self.waits[sock] = ready

    def unregister(self, sock):
        self.waits.pop(sock, None)


class Socket:
    """Gives prepared pieces; an error among them is raised."""

    def __init__(self, *pieces):
        self._pieces = list(pieces)

    def readinto(self, buffer):
        piece = self._pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        if piece is None:
            return None
        buffer[:len(piece)] = piece
        return len(piece)


def verdict_of(call, *given):
    try:
        call(*given)
    except LinkError as error:
        return error.fault, error.verdict
    return None


@claim("a counter that wraps is milliseconds that never go back")
def steady():
    ticks = [1 << 30 - 1]
    period = 1 << 30
    clock = Steady(lambda: ticks[0] % period, lambda a, b: (a - b) % period)
    seen = []
    for _ in range(5):
        ticks[0] += period // 3
        seen.append(clock())
    return [b - a for a, b in zip(seen, seen[1:])] == [period // 3] * 4


@claim("a board without a clock of its own knows no time at its start")
def time_at_start():
    class Hooks:
        def __init__(self, now_s):
            self.now_s = now_s

        def utc_s(self):
            return self.now_s

    told = known(Hooks(1_800_000_000))
    return known(Hooks(None)) is None and (told.utc_s, told.source) == (1_800_000_000, "rtc")


@claim("an errand goes on when its socket is ready, and its result is handed over")
def errand():
    errands, selector, now, got = Errands(Nobody()), None, Now(), []
    selector = errands._selector

    def work():
        mask = yield "sock", 1, 1000
        return mask

    errands.start(work(), got.append)
    errands.turn(0)
    first = list(got)
    selector.waits["sock"](4)
    errands.turn(now())
    return first == [] and got == [4] and selector.waits == {} and errands.wake_at is None


@claim("an errand that waits again sleeps until its socket is ready again, or its time is over")
def again():
    errands, got = Errands(Nobody()), []

    def work():
        first = yield "sock", 1, 1000
        second = yield "sock", 1, 2000
        return first, second

    errands.start(work(), got.append)
    errands.turn(0)
    errands._selector.waits["sock"](4)
    ready_at = errands.wake_at
    for now_ms in (10, 1000, 1999):
        errands.turn(now_ms)
    waits, asleep_to = list(got), errands.wake_at
    errands.turn(2000)
    return (ready_at, waits, asleep_to, got) == (0, [], 2000, [(4, 0)])


@claim("an errand that is cancelled lets go of its socket and of what it holds")
def cancelled():
    errands, ended = Errands(Nobody()), []

    def work():
        try:
            yield "sock", 1, 1000
        finally:
            ended.append("closed")

    one = errands.start(work(), ended.append)
    errands.turn(0)
    errands.cancel(one)
    errands.turn(2000)
    return ended == ["closed"] and errands._selector.waits == {}


@claim("a wait ends at its deadline as silent")
def silent():
    now = Now()
    patience = Patience(100, now)
    waits = patience.wait("sock", 1)
    wish = waits.send(None)
    now.ms = 100
    return wish == ("sock", 1, 100) and verdict_of(waits.send, 0) == ("network", "silent")


@claim("a wait that is answered says for what the socket is ready")
def answered():
    waits = Patience(100, Now()).wait("sock", 1)
    waits.send(None)
    try:
        waits.send(4)
    except StopIteration as ended:
        return ended.value == 4
    return False


@claim("a nearer deadline is never a later one, and nothing is left after either")
def deadlines():
    now = Now()
    now.ms = 1000
    patience = Patience(100, now)
    near, far = patience.at_most(30), patience.at_most(300)
    left = []
    for now.ms in (1000, 1029, 1030, 1099, 1100, 1200):
        left.append((near.left_ms, far.left_ms, patience.left_ms))
    return left == [(30, 100, 100), (1, 71, 71), (0, 70, 70), (0, 1, 1), (0, 0, 0), (0, 0, 0)]


@claim("a refusal in the library's call is a number below zero, whatever was raised")
def refused():
    def refuse(ders):
        raise LinkError("policy", "not-ecc")

    def fall(ders):
        raise KeyError("a fault of ours")

    def starve(ders):
        raise MemoryError()

    paths = [Path(look) for look in (refuse, fall, starve)]
    numbers = [path.heard(memoryview(b"leaf"), 0) for path in paths]
    errors = [path.error and path.error.verdict for path in paths]
    return max(numbers) < 0 and errors == ["not-ecc", None, "no-memory"] and (
        isinstance(paths[1].raised, KeyError))


@claim("the path is copied, leaf first, and judged at the leaf alone")
def path():
    seen, lent = [], bytearray(b"root")
    made = Path(lambda ders: seen.append(list(ders)))
    made.heard(memoryview(lent), 2)
    lent[:] = b"gone"
    made.heard(memoryview(b"ca"), 1)
    before = list(seen)
    made.heard(memoryview(b"leaf"), 0)
    return before == [] and seen == [[b"leaf", b"ca", b"root"]]


@claim("the tap notes an alert in clear, and the end of the handshake, and never raises")
def tap():
    alert = Tap(Socket(b"\x15\x03\x01\0\2", b"\2\x28"))
    for size in (5, 2):
        alert.readinto(bytearray(size))
    done = Tap(Socket(b"\x14\x03\x03\0\1", b"\1", b"\x16\x03\x03\0\x28", bytes(30), bytes(10)))
    early = []
    for size in (5, 1, 5, 30):
        done.readinto(bytearray(size))
        early.append(done.secured)
    done.readinto(bytearray(10))
    broken = Tap(Socket(OSError(104))).readinto(bytearray(5))
    starved = Tap(Socket(MemoryError())).readinto(bytearray(5))
    waits = Tap(Socket(None)).readinto(bytearray(5))
    return [alert.alert, alert.version, early, done.secured, broken, starved, waits] == [
        40, 0x0301, [False] * 4, True, -104, -12, None]


HELLO = (b"\x16\x03\x03\0\x31\2\0\0\x2d\3\3" + bytes(32)
         + b"\0\xc0\x2f\0\0\5\0\1\0\1\1")  # of a server that agrees to 512


@claim("however the line cuts what comes, the tap notes the same")
def tap_cut():
    line = (HELLO + b"\x16\3\3\5\x14\x0b" + bytes(1299) + b"\x16\3\3\0\4\x0e\0\0\0"
            + b"\x14\3\3\0\1\1\x16\3\3\0\x28" + bytes(40))
    seen = []
    for size in (1, 2, 3, 7, 50, 700, len(line)):
        pieces = [line[at:at + size] for at in range(0, len(line), size)]
        one, early = Tap(Socket(*pieces), 512), []
        for piece in pieces:
            early.append(one.secured)
            one.readinto(bytearray(len(piece)))
        seen.append((one.length, one.secured, True in early))
    alert = Tap(Socket(b"\x15", b"\3\3\0", b"\2\2", b"\x28"))
    for size in (1, 3, 2, 1):
        alert.readinto(bytearray(size))
    return seen == [(512, True, False)] * 7 and alert.alert == 40


class Slow:
    """A socket that takes what it was told to, None for nothing now; `wire` what it took."""

    def __init__(self, *sizes):
        self._sizes, self.wire = list(sizes), b""

    def readinto(self, buffer):
        buffer[:] = HELLO
        return len(HELLO)

    def write(self, data):
        size = self._sizes.pop(0) if self._sizes else len(data)
        if isinstance(size, OSError):
            raise size
        if size is None:
            return None
        self.wire += data[:size]
        return min(size, len(data))


def through(slow, data):
    """What the library's way of writing through a tap leads to, and how often it has to wait."""
    one, waits = Tap(slow, 512), 0
    one.readinto(bytearray(len(HELLO)))
    while data:
        size = one.write(bytearray(data))
        if size is None:
            if not one.unsent:
                return "nobody would wait until the socket takes more"
            waits += 1
        elif size < 0:
            return size
        else:
            data = data[size:]
    return waits, one.unsent


@claim("what a slow socket takes in pieces is on the wire once and in order, in short records")
def tap_shortens():
    message = bytes([n % 251 for n in range(1300)])
    record, rest = b"\x16\3\3\5\x14" + message, b"\x14\3\3\0\1\1\x16\3\3\2\x58" + bytes(600)
    head = b"\x16\3\3"
    wanted = (head + b"\2\0" + message[:512] + head + b"\2\0" + message[512:1024]
              + head + b"\1\x14" + message[1024:] + rest)  # fmt: skip
    quick, slow = Slow(), Slow(3, None, 100, None, None, 1, 600, None, 5, None)
    found = through(quick, record + rest), through(slow, record + rest)
    broken = through(Slow(10, OSError(104)), record)
    starved = through(Slow(10, OSError(12)), record)
    return (quick.wire == wanted, slow.wire == wanted, found[0], found[1][0] > 3, found[1][1],
            broken, starved) == (True, True, (0, False), True, False, -104, -12)  # fmt: skip


@claim("nothing is cut where no length was asked for, nor where the server agreed to none")
def tap_leaves():
    record = b"\x16\3\3\4\0" + bytes(1024)
    unasked, refused = Slow(), Slow()
    one = Tap(unasked)
    one.readinto(bytearray(len(HELLO)))
    other = Tap(refused, 512)
    refused.readinto = None
    return [one.write(record), other.write(record)] == [1029] * 2 and (
        unasked.wire == refused.wire == record)


@claim("low memory is its own class, in whatever number it comes")
def memory():
    found = [verdicts.of_library(OSError(code)).fault for code in (-17168, -0x7F00, -0x2880, 12)]
    return found + [verdicts.of_library(MemoryError()).fault] == ["memory"] * 5


# As in ssl.h and error.h of Mbed TLS, and those of the runtime.
SAID = (
    (-0x6600, "policy", "malformed-handshake"),  # ILLEGAL_PARAMETER
    (-0x6A00, "policy", "own-chain-too-long"),  # BUFFER_TOO_SMALL
    (-0x6E00, "policy", "no-common-suite"),  # HANDSHAKE_FAILURE
    (-0x6E80, "policy", "protocol-version"),  # BAD_PROTOCOL_VERSION
    (-0x7080, "policy", "handshake-split"),  # FEATURE_UNAVAILABLE
    (-0x7100, "policy", "record-too-long"),  # BAD_INPUT_DATA
    (-0x7200, "policy", "malformed-handshake"),  # INVALID_RECORD
    (-0x7280, "network", "cut"),  # CONN_EOF
    (-0x7300, "policy", "malformed-handshake"),  # DECODE_ERROR
    (-0x7680, "trust", "no-anchor"),  # CA_CHAIN_REQUIRED
    (-0x7700, "policy", "malformed-handshake"),  # UNEXPECTED_MESSAGE
    (-0x7880, "network", "cut"),  # PEER_CLOSE_NOTIFY
    (-0x4E00, "trust", "key-not-proven"),  # ECP_VERIFY_FAILED
    (-0x4380, "trust", "key-not-proven"),  # RSA_VERIFY_FAILED
    (104, "network", "cut"),
    (-1, "network", "handshake-broken"),
    ("no number", "network", "handshake-broken"),
)


@claim("what the library says is one of the Linux driver's words")
def words():
    said = [(number, verdicts.of_library(OSError(number))) for number, _, _ in SAID]
    said += [(text, verdicts.of_library(ValueError(text))) for text in (
        "\nThe certificate validity has expired\n", "validity starts in the future", "other")]
    dates = [("clock", "expired"), ("clock", "not-yet-valid"), ("trust", "chain-refused")]
    wanted = [(fault, verdict) for _, fault, verdict in SAID] + dates
    found = [(error.fault, error.verdict) for _, error in said]
    return [said[n][0] for n in range(len(said)) if found[n] != wanted[n]] == []


@claim("an alert about our certificate is one only after the server has seen it")
def alerts():
    said = [verdicts.of_alert(42, 0x0303, judged) for judged in (False, True)]
    said += [verdicts.of_alert(40, 0x0301, False), verdicts.of_alert(40, 0x0303, False)]
    return [error.verdict for error in said] == [
        "alert-42", "certificate-refused", "protocol-version", "no-common-suite"]


@claim("suites go by the library's names, every one of which it has")
def suites():
    import tls

    known = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT).get_ciphers()
    return [len(SUITES[key]) for key in ("rsa", "ecdsa", "any")] == [4, 4, 8] and (
        [name for name in SUITES["any"] if name not in known] == [])


@claim("a firmware without the C module says so, and refuses where short records must be")
def fragment():
    records = Records(None)
    wanted = {"max_fragment": "prefer", "max_fragment_bytes": 512}
    shown = records.wish(wanted).outcome(0)
    must = verdict_of(records.wish, dict(wanted, max_fragment="require"))
    return shown["reason"] == ABSENT and must == ("policy", "fragment-unavailable")


@claim("a firmware with it asks, and tells what came of it")
def fragment_asked():
    asked = []
    records = Records(asked.append)
    wanted = {"max_fragment": "require", "max_fragment_bytes": 512}
    good = records.wish(wanted).outcome(512)
    bad = verdict_of(records.wish(wanted).outcome, 0)
    off = records.wish({"max_fragment": "off"}).outcome(0)
    ignored = records.wish(dict(wanted, max_fragment="prefer")).outcome(0)
    return good == {"asked": 512, "negotiated": 512, "reason": ""} and (
        off == {"asked": None, "negotiated": None, "reason": "off"}) and (
        ignored == {"asked": 512, "negotiated": None, "reason": "the server ignores it"}) and (
        asked == [512, 512, 0, 512] and bad == ("policy", "fragment-refused"))


@claim("the board's clock shows the time of judgement while the library is called, then its own")
def judged_at():
    class Hooks:
        now, seen = 1000, []

        @staticmethod
        def utc_s():
            return Hooks.now

        @staticmethod
        def set_clock(utc_s):
            Hooks.now = utc_s

    now = Now()
    dialer = Dialer(None, None, None, Port(None, Hooks), Library(), now, Reserve(0))

    def call():
        Hooks.seen.append(Hooks.now)
        now.ms += 3000

    dialer._at(1800000000, call)
    return Hooks.seen == [1800000000] and Hooks.now == 1003


@claim("a date is the clock's fault until the clock is authenticated")
def dates():
    class Order:
        profile = {"check_time": False}

    first = spoken_against("expired", Order).fault
    Order.profile = {"check_time": True}
    return (first, spoken_against("expired", Order).fault) == ("clock", "trust")


@claim("a board without facts has the usual ones, and None is none")
def facts():
    class Board:
        second_session = False
        handshake_kib = None  # not measured

    found = Port(Board).facts
    return found["second_session"] is False and found["handshake_kib"] == FACTS["handshake_kib"]


@claim("the loop sleeps a third of the watchdog's time at most, and an hour without one")
def sleep():
    class Board:
        watchdog_s = 60

    return (Port(Board).longest_ms, Port().longest_ms) == (20_000, 3_600_000)


@claim("anchorwatch hands out the board's own agent")
def agent():
    from anchorwatch_board.agent import Agent

    import anchorwatch

    return anchorwatch.Agent is Agent


@claim("a session that finds no memory is lost as if the line were, and nothing else is")
def starved():
    class Stream:
        sock, closed = "sock", []

        def read(self, at_most):
            raise MemoryError()

        def close(self):
            Stream.closed.append(1)

    class Tell:
        heard = []

        def gone(self, session, reason):
            Tell.heard.append(reason)

    Session(Stream(), Nobody(), Tell(), Now(), 1).ready(1)
    return (Stream.closed, Tell.heard) == ([1], ["network"])


@claim("a line of the log that finds no memory is its first word, and no reason to end")
def short_of_words():
    class Large:
        def __repr__(self):
            raise MemoryError()

    about = {"hub": "a", "size": Large()}
    return (line_of("state", about), line_of("state", {"hub": "a"})) == ("state", "state hub=a")


@claim("a line of the log shows no payload, desired property or answer, and nothing that is empty")
def line_hides():
    about = {"payload": "x", "desired": {"a": 1}, "is": {"b": 2}, "ask_id": "m:1", "value": "",
             "anchor": None, "tries": 0, "up": False, "name": "blink"}
    return line_of("method", about) == "method name=blink tries=0 up=False"


@claim("a line of the log is printable, in quotes where it must be, and is cut at 500")
def line_bounded():
    about = {"what": "hub\nis \"down\"", "plain": "down", "in": {"b": "x y", "a": "\x1b[2J"}}
    shown = line_of("fault", about)
    long = line_of("fault", {"name%d" % n: 190 * "y" for n in range(9)})
    return (shown == 'fault a=\\x1b[2J b="x y" plain=down what="hub\\x0ais \'down\'"'
            and len(long) == 503 and long.endswith("y..."))


@claim("a line of plain words takes no list of its characters")
def plain_words():
    text = "words " * 80
    gc.collect()
    gc.disable()
    before = gc.mem_free()
    plain(text, 480)
    took = before - gc.mem_free()
    gc.enable()
    return took < 2048


@claim("a table that is none is told as such")
def table():
    def noted():
        pass

    made = Resolver({"a.example:1": ["nowhere"]}, None, noted)
    return verdict_of(made.addresses, "A.example", 1) == ("network", "table-malformed")


@claim("the file of names goes first, is read at every dial, and need not be there")
def names_by_file():
    made = Resolver({"a.example:1": ["127.0.0.9:9"]}, "names.json", lambda: None)
    absent = made.addresses("a.example", 1)
    found = []
    for text in ('{"A.example:1": ["127.0.0.2:2", "[::1]:3"]}', '{"b.example:1": []}', "[]", "{",
                 '{"a.example:1": "127.0.0.2:2"}'):
        with open("names.json", "w") as file:
            file.write(text)
        try:
            found.append(made.addresses("a.example", 1))
        except LinkError as error:
            found.append(error.verdict)
    os.remove("names.json")
    return absent == [("127.0.0.9", 9)] and found == [
        [("127.0.0.2", 2), ("::1", 3)], [("127.0.0.9", 9)]] + ["table-malformed"] * 3


@claim("a file of names that is there and cannot be read is told as such")
def names_unreadable():
    os.mkdir("names.d")
    try:
        made = Resolver({"a.example:1": ["127.0.0.9:9"]}, "names.d", lambda: None)
        return verdict_of(made.addresses, "a.example", 1) == ("network", "table-malformed")
    finally:
        os.rmdir("names.d")


@claim("a name that neither knows is asked of the system, which may not know it either")
def names_of_the_system():
    up = []
    made = Resolver({}, None, lambda: up.append(True))
    unknown = verdict_of(made.addresses, 300 * "x", 1)  # longer than any
    return made.addresses("127.0.0.1", 8883) == [("127.0.0.1", 8883)] and up == [True] * 2 and (
        unknown == ("network", "name-unknown"))


@claim("what checks a configuration is let go of, and the heap is as before, each time")
def configuration_let_go():
    def loaded():
        config = load("let-go.json")
        del config
        gc.collect()
        return gc.mem_alloc()

    with open("let-go.json", "w") as file:
        file.write('{"device": {"device_id": "d"}, "hub": {"host": "h.example"},'
                   ' "credential": {"kind": "symmetric_key", "key_file": "k"}}')
    try:
        loaded()
        before, after = loaded(), loaded()
    finally:
        os.remove("let-go.json")
    return after - before < 512 and [name for name in CONFIGURING if name in sys.modules] == []


@claim("a configuration that is refused is let go of as well, and one that was let go is checked")
def configuration_refused():
    try:
        tree = {"device": {"device_id": "d", "devise_id": "d"}}
        with open("let-go.json", "w") as file:
            json.dump(tree, file)
        load("let-go.json")
    except ConfigError as error:
        return error.value == "devise_id" and CONFIGURING[0] not in sys.modules
    finally:
        os.remove("let-go.json")


for sentence, function in CLAIMS:
    try:
        found = function()
    except Exception as error:
        found = repr(error)
    print("%s: %s" % ("ok" if found is True else found, sentence))
