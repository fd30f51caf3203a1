"""The channels of signed bundles: mirrors, files, the cloud's word. When to fetch, from where, what
becomes of it.

Rule: none depends on the anchors that a bundle replaces (R9); what comes is verified by the driver
and refused whole, or handed to commit.py. One fetch at a time.

Source: design section 7, R3, R8, R9.
"""

# isort: off
# fmt: off
from ..constants import const
from ..errors import MalformedMessage, RootsRejected
from ..wire import mirror
from . import rules
from .actions import Fetch, Tell
from .answers import refuse, reply, warning
from .backoff import delay_ms, phase_wait_ms
from .clock import AUTHENTICATED
from .device import Device
from .events import FetchFailed
from .machine import Machine
from .bundlemeanings import Came, Wished
from .shapes import Any_, Event, Items, Table, Tree
# fmt: on
# isort: on

RESTING = const("resting")
FETCHING = const("fetching")

# fmt: off
CHANNELS: Table = (
    # in       on             go to     and
    (RESTING,  "Wished",      FETCHING, "fetch"),
    (RESTING,  "Woke",        FETCHING, "fetch_due"),
    (FETCHING, "Wished",      FETCHING, "line_up"),
    (FETCHING, "Fetched",     RESTING,  "take"),
    (FETCHING, "FetchFailed", RESTING,  "miss"),
    (FETCHING, "Woke",        RESTING,  "silent"),
)
# fmt: on

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
FETCH_MS, CALL_MS, LATE_MS = 120_000, 25_000, 5_000
QUEUE_AT_MOST = 8
HURRY = 3  # fetches of a stranded device before it takes its time
HURRY_MS, PATIENT_MS, MOST_MS = 20_000, 900_000, 3_600_000
TRY_LATER = 3
LATER = ("network", "silent", "slow", "cut", "full", "io", "memory")
REMEDIES = {
    "": "bring a bundle that this device's keys signed",
    "later": "ask again later",
    "memory": "free memory, then ask again",
    "policy": "compare what the mirror offers with [tls.mirror]",
}


class Bundles(Machine):
    """Asks the driver to fetch; hands over to `commit`."""

    table = CHANNELS
    state = RESTING

    def __init__(self, device: Device, commit: Any_) -> None:
        self._device, self._commit, self._trust = device, commit, device.trust
        self.rooted: Items = []  # layers with a root of trust
        self._wish: Event = None
        self._waiting: Items = []
        self._due_at: int | None = None
        self._turn = self._tries = self._until_ms = 0
        self._last_ms: int | None = None

    def start(self, rooted: Items, now: int) -> None:
        """`rooted`: layers with a root of trust; without one no bundle of a layer is taken."""
        self.rooted = rooted
        if self._mirrors:
            first_ms = max(HOUR_MS, self._device.window_ms)  # it may be switched off by night
            self.wake_at = self._due_at = now + phase_wait_ms(0, first_ms, self._device.phase)

    @property
    def _mirrors(self) -> Items:
        return list(self._device.config.trust.mirrors) if "vendor" in self.rooted else []

    def asked(self, ask_id: str, arguments: Tree) -> Items:
        """`roots import`, importBundle, the desired property, the drop folder."""
        layer, url = arguments.get("layer", "vendor"), arguments.get("url", "")
        by = arguments.get("by", "cloud")
        if layer not in self.rooted:
            remedy = "name its root of trust first: anchorwatch init --%s-root FILE --sha256 H"
            what = "no root of trust for this layer"
            return [refuse(ask_id, what, str(layer), remedy % _plain(layer))]
        files: Tree = {}
        if "files" in arguments:
            try:
                url, files = mirror.INLINE, mirror.inline(arguments["files"])
            except MalformedMessage as error:
                remedy = "give {name: text} or [{name, text}], certificates in base64"
                return [refuse(ask_id, error.reason, error.value, remedy)]
        if not allowed(url, by, list(self._device.config.trust.mirrors)):
            remedy = "add its prefix to trust.mirrors, or bring the files themselves"
            return [refuse(ask_id, "not a place for bundles", str(url), remedy)]
        dry_run = bool(arguments.get("dry_run"))
        return [Wished(layer, url, files, dry_run, by, ask_id)]

    def awaits(self, event: Event) -> bool:
        """False for the late answer to another fetch than the one under way: its keys may be those
        of another layer."""
        wish = self._wish
        return bool(wish and (wish.layer, wish.url) == (event.layer, event.url))

    def stranded(self, now: int) -> Items:
        """An endpoint presents what no offered anchor fits: the mirrors are asked soon, after three
        times every quarter of an hour at most."""
        if not self._mirrors:
            return []
        wait_ms = 0
        if self._last_ms is not None and now - self._last_ms > 2 * MOST_MS:
            self._tries = 0  # another need than the last
        elif self._last_ms is not None:
            rand = self._device.rand_below
            if self._tries < HURRY:
                wait_ms = delay_ms(rand, 0, HURRY_MS, HURRY_MS, 0)
            else:
                wait_ms = delay_ms(rand, PATIENT_MS, PATIENT_MS, MOST_MS, self._tries - HURRY)
            wait_ms = max(0, self._last_ms + wait_ms - now)
        if self._due_at is None or now + wait_ms < self._due_at:
            self._due_at = now + wait_ms
            if self.state == RESTING:
                self.wake_at = self._due_at
        return []

    def _fetch(self, event: Event, now: int) -> Items:
        self._wish = event
        calling = event.ask_id[:2] == "m:"  # a direct method waits for the answer
        until_ms = now + (CALL_MS if calling else FETCH_MS)
        self.wake_at = self._until_ms = until_ms + LATE_MS
        clock = self._device.clock
        utc_s = clock.utc(now) if clock.standing == AUTHENTICATED else None
        return [
            Fetch(
                event.layer,
                event.url,
                event.files,
                utc_s,
                clock.floor_utc_s,
                until_ms,
                event.dry_run,
            )
        ]

    def _fetch_due(self, event: Event, now: int) -> Items:
        """What was queued, or the next mirror in turn."""
        if self._waiting:
            return self._fetch(self._waiting.pop(0), now)
        mirrors = self._mirrors
        url = mirrors[self._turn % len(mirrors)]
        self._turn += 1
        stranded = [e for e in self._trust.gaps if self._device.carries(e)]
        self._tries = self._tries + 1 if stranded else 0
        self._last_ms, self._due_at = now, now + DAY_MS
        return self._fetch(Wished("vendor", url, {}, False, "mirror", ""), now)

    def _line_up(self, event: Event, now: int) -> Items:
        self.wake_at = self._until_ms
        if len(self._waiting) < QUEUE_AT_MOST:
            self._waiting.append(event)
            return []
        busy = refuse(event.ask_id, "busy", event.url, "ask again in a minute", TRY_LATER)
        return [busy] if event.ask_id else []

    def _take(self, event: Event, now: int) -> Items:
        wish, self._wish = self._wish, None
        out = self._decide(wish, event.bundle)
        return out + self._rest(now)

    def _decide(self, wish: Event, bundle: Tree) -> Items:
        """Nothing new, refused, rehearsed, or on its way."""
        record = self._trust.bundles.get(wish.layer) or {}
        same = record.get("digest") == bundle["digest"]
        if same and not wish.dry_run and bundle["folder"]:
            out: Items = self._commit.refresh(wish.layer, bundle)
            return out + self._unchanged(wish, record)
        if same or not (bundle["folder"] or wish.dry_run):
            return self._unchanged(wish, record)
        try:
            view = self._trust.check(wish.layer, bundle)
        except RootsRejected as error:
            return self._refused(wish, error.what, error.value, error.remedy)
        if wish.dry_run:
            told = {e: view.offered(e) for e in self._trust.endpoints}
            return [reply(wish.ask_id, {"version": bundle["version"], "would_offer": told})]
        if not self._commit.accepts(wish.layer):
            return self._refused(wish, "another bundle is under way", self._commit.state,
                                 "ask again in a minute", TRY_LATER)  # fmt: skip
        return [Came(wish.layer, bundle, wish.by, wish.ask_id)]

    def _unchanged(self, wish: Event, record: Tree) -> Items:
        if not wish.ask_id:
            return []
        told = {"changed": False, "version": record.get("version", 0)}
        return [reply(wish.ask_id, dict(told, stage=record.get("stage", "rooted")))]

    def _refused(self, wish: Event, what: str, value: str, remedy: str, code: int = 1) -> Items:
        told: Items = [warning("bundle not taken: " + what, value, remedy, "trust")]
        if wish.ask_id:
            told.append(refuse(wish.ask_id, what, value, remedy, code))
        return told

    def _miss(self, event: Event, now: int) -> Items:
        """Not fetched, or not what the keys have signed: the store is as it was."""
        wish, self._wish = self._wish, None
        told = {"layer": wish.layer, "from": wish.url, "reason": event.reason}
        out: Items = [Tell("bundle", dict(told, value=event.value))]
        if wish.ask_id:
            code = TRY_LATER if event.reason in LATER else 1
            remedy = REMEDIES.get(event.reason, REMEDIES["later" if code == TRY_LATER else ""])
            out.append(refuse(wish.ask_id, event.reason, event.value, remedy, code))
        return out + self._rest(now)

    def _silent(self, event: Event, now: int) -> Items:
        return self._miss(FetchFailed(self._wish.layer, self._wish.url, "silent", ""), now)

    def _rest(self, now: int) -> Items:
        self.wake_at = now if self._waiting else self._due_at
        return []


def allowed(url: object, by: str, prefixes: Items) -> bool:
    """R9: who is on the device names any place, the cloud one of trust.mirrors."""
    if not isinstance(url, str) or not url:
        return False
    if url == mirror.INLINE or by != "cloud":
        return True
    return mirror.is_allowed(url, prefixes)


def _plain(layer: object) -> str:
    return layer if isinstance(layer, str) and layer in rules.SIGNED else rules.SIGNED[0]
