"""The three standings of time, the floor, and the time at which certificates are judged. Source:
design section 10.

Rule: a peer's unauthenticated word never raises the floor, and no date is ever judged below it.
"""

from .actions import AskDate, AskTime, Dial, Save, Tell
from .backoff import delay_ms
from .meanings import ClockStepped
from .shapes import Config, Event, Items, Rand, Tree

NONE, PLAUSIBLE, AUTHENTICATED = "none", "plausible", "authenticated"
BUILD_UTC_S = 1793491200  # 2026-11-01, of this release: no certificate is judged before it was made
DAY_S = 86_400
STEP_S = 300
SILENCE_MS = 30_000
CEILING_MS = 600_000


class Clock:
    """utc(now), judge_utc_s(now), standing; `handle` takes ClockSet and TimeFailed, `ask` seeks
    the time."""

    def __init__(self, config: Config, rand_below: Rand) -> None:
        self._config, self._rand = config, rand_below
        self.standing = NONE
        self.floor_utc_s = BUILD_UTC_S
        self.wake_at: int | None = None
        self._base_utc_s, self._base_ms = 0, 0
        self._saved_utc_s = 0
        self._suspect_since_ms: int | None = None
        self._tries = 0
        self._date_open = False
        self._told_below = False  # the last time that came lay below the floor

    def start(self, body: Tree, now: int) -> Items:
        """Take the saved floor and seek the time."""
        self.floor_utc_s = max(BUILD_UTC_S, body.get("floor_utc_s", 0))
        self._saved_utc_s = body.get("floor_utc_s", 0)
        return self.ask(now)

    def ask(self, now: int) -> Items:
        """[AskTime()] with a deadline, or nothing when no SNTP server is configured."""
        if not self._config.clock.sntp:
            return []
        self.wake_at = now + SILENCE_MS
        return [AskTime()]

    def ask_date(self, dial: Dial) -> Items:
        """Seek authenticated time at the endpoint of `dial` once; a probe of the same shape."""
        if self.standing == AUTHENTICATED or self._date_open:
            return []
        self._date_open = True
        port = getattr(self._config, dial.endpoint).https_port
        return [
            AskDate(
                dial.endpoint,
                dial.host,
                port,
                dial.anchors,
                dial.limits,
                dial.profile,
                dial.judge_utc_s,
                dial.proxy,
            )
        ]

    def utc(self, now: int) -> int | None:
        """Seconds since 1970, never below the floor; None while nothing is known."""
        utc_ms = self.utc_ms(now)
        return None if utc_ms is None else utc_ms // 1000

    def utc_ms(self, now: int) -> int | None:
        """The same in ms: a moment in a window is missed by less than a second otherwise."""
        if self.standing == NONE:
            return None
        return max(1000 * self.floor_utc_s, 1000 * self._base_utc_s + now - self._base_ms)

    def token_utc_s(self, now: int) -> int | None:
        """The time at which a token is signed: where only times below the floor are told, the floor
        lies ahead, and a token that begins there is good."""
        known_s = self.utc(now)
        return self.floor_utc_s if known_s is None and self._told_below else known_s

    def judge_utc_s(self, now: int) -> int:
        """The time at which dates are judged: the floor while nothing better stands."""
        if self.standing == NONE or self._patience_over(now):
            return self.floor_utc_s
        return self.utc(now) or self.floor_utc_s

    def judge_with_floor(self, floor_utc_s: int, now: int) -> int:
        """What it would be if the floor were this one: a signed bundle may lower or raise it."""
        if self.standing == NONE or self._patience_over(now):
            return floor_utc_s
        return max(floor_utc_s, self._base_utc_s + (now - self._base_ms) // 1000)

    def suspect(self, now: int) -> Items:
        """A date failure came while the clock is not authenticated: seek the time."""
        if self._suspect_since_ms is None:
            self._suspect_since_ms = now
        return self.ask(now)

    def woke(self, now: int) -> Items:
        """Seek again: at the pace of the clock class while nothing is known, daily after."""
        self.wake_at = None
        out: Items = []
        if self.standing == AUTHENTICATED:
            self.wake_at = now + 1000 * DAY_S
            out = self._raise_floor((self.utc(now) or 0) - DAY_S)
        return out + self.ask(now)

    def failed(self, event: Event, now: int) -> Items:
        """TimeFailed: try again later; the watch goes on without."""
        if event.source == "date":
            self._date_open = False
            return []
        ceiling_ms = 1000 * DAY_S if self.standing == AUTHENTICATED else CEILING_MS
        self.wake_at = now + delay_ms(self._rand, 1000, 10_000, ceiling_ms, self._tries)
        self._tries += 1
        return [Tell("clock", {"standing": self.standing, "failed": event.reason})]

    def set(self, event: Event, now: int) -> Items:
        """ClockSet: raise the standing; a step of more than five minutes is looked into within a
        minute."""
        dated = event.source == "date"
        self._date_open = self._date_open and not dated
        if event.source == "sntp" or (dated and self.wake_at is None):
            self.wake_at = now + 1000 * DAY_S
        self._told_below = event.utc_s < self.floor_utc_s
        if self._told_below:
            return [
                Tell(
                    "clock",
                    {
                        "standing": self.standing,
                        "refused_utc_s": event.utc_s,
                        "floor_utc_s": self.floor_utc_s,
                    },
                )
            ]
        if self.standing == AUTHENTICATED and not dated:
            return []
        before = self.utc(now)
        self.standing = AUTHENTICATED if dated else PLAUSIBLE
        self._base_utc_s, self._base_ms, self._tries = event.utc_s, now, 0
        out: Items = [
            Tell("clock", {"standing": self.standing, "source": event.source, "utc_s": event.utc_s})
        ]
        if dated:
            self._suspect_since_ms = None
            out += self._raise_floor(event.utc_s - DAY_S)
        if before is not None and abs(event.utc_s - before) > STEP_S:
            out.append(ClockStepped())
        return out

    def issued(self, utc_s: int, now: int) -> Items:
        """A signed bundle says when it was made: a floor, unless that is more than a day ahead of
        a clock that stands."""
        known_s = self.utc(now)
        return [] if known_s is not None and utc_s > known_s + DAY_S else self._raise_floor(utc_s)

    def reset(self, utc_s: int) -> Items:
        """Lower the floor, by a signed bundle or an operator; never below the build."""
        floor_utc_s = max(BUILD_UTC_S, utc_s)
        if floor_utc_s >= self.floor_utc_s:
            return []
        self.floor_utc_s = self._saved_utc_s = floor_utc_s
        told = {"standing": self.standing, "floor_utc_s": floor_utc_s, "reset": True}
        return [Tell("clock", told), Save("clock", {"floor_utc_s": floor_utc_s})]

    def _raise_floor(self, utc_s: int) -> Items:
        if utc_s <= self.floor_utc_s:
            return []
        self.floor_utc_s = utc_s
        if utc_s - self._saved_utc_s < DAY_S:
            return []
        self._saved_utc_s = utc_s
        return [Save("clock", {"floor_utc_s": utc_s})]

    def _patience_over(self, now: int) -> bool:
        """Then the floor and the unproven time take turns: a leaf may have begun after the floor,
        and the time may have been put right since."""
        since = self._suspect_since_ms
        if self.standing != PLAUSIBLE or since is None:
            return False
        patience_ms = 1000 * self._config.clock.patience_s
        return not patience_ms or (now - since) // patience_ms % 2 == 1
