"""Looks of a board with room for one session: the server's chain in clear, and no handshake.

Rule: a glance is no evidence and no verdict. It never moves nor ends a session; it may warn, and
have a bundle fetched. The handshake comes when a session is due anyway.

Source: design section 3.
"""

from .actions import Glance, Tell
from .alone import GlanceDue, Renew, RenewDue
from .events import Failed
from .faults import Faults
from .looks import DIAL_MS, Looks
from .looktimes import DAY_MS
from .meanings import Taken
from .shapes import Event, Items
from .trustmeanings import Stranded


class Glances(Looks):
    """The part of Reverify that does without the second link."""

    def _choose(self, event: Event, now: int) -> Items:
        if self._device.second_session or self.taken:
            return super()._choose(event, now)
        if not self.times.token_due(now) or "hub" in self._device.trust.gaps:
            return [GlanceDue()]  # a session that may be the last one is kept to its end
        return [Taken() if self._open_requests() else RenewDue()]

    def _open_requests(self) -> int:
        return 0

    def _renew(self, event: Event, now: int) -> Items:
        return [Tell("swap", {"why": "token", "alone": True}), Renew()]

    def _glance(self, event: Event, now: int) -> Items:
        self._endpoint = "hub" if self.times.look_due(now) else self.times.probe_due()
        return self._glance_at(now)

    def _glance_asked(self, event: Event, now: int) -> Items:
        self._endpoint = "hub"
        return self._glance_at(now)

    def _glance_at(self, now: int) -> Items:
        self.wake_at = now + DIAL_MS
        self._device.count("glances")
        dial = self._device.shape("next", self._endpoint, True, now)
        return [
            Glance(
                dial.endpoint,
                dial.host,
                dial.port,
                dial.anchors,
                dial.limits,
                dial.profile,
                dial.judge_utc_s,
                dial.proxy,
            )
        ]

    def _note_glance(self, event: Event, now: int) -> Items:
        """What was presented fits the store by its names and keys, or it does not."""
        faults, told = self._its_faults, {"endpoint": self._endpoint, "verdict": event.verdict}
        out: Items = [Tell("glance", told)]
        if not event.fault:
            faults.good()
            self._again(None, now)
            return out + self._gap_over()
        out += faults.note(event.fault, event.verdict, event) + self._gap(event, now)
        wait_ms = faults.wait_ms(event.fault, now)
        faults.waiting(wait_ms)
        self._again(wait_ms, now)
        if event.fault == "clock":
            out += self._device.seek_time(self._endpoint, now)
        return out

    @property
    def _its_faults(self) -> Faults:
        if self._endpoint == "hub":
            return self._faults
        found: Faults = self._other_faults[self._endpoint]
        return found

    def _again(self, wait_ms: int | None, now: int) -> None:
        if self._endpoint == "hub":
            self._rest(now, wait_ms)
        else:
            self.wake_at = self.times.probed(self._endpoint, now, wait_ms or DAY_MS)

    def _gap(self, event: Event, now: int) -> Items:
        """Told to the cloud over the session that works; a bundle may close it before it counts."""
        if event.fault not in ("trust", "policy"):
            return []
        endpoint, gaps = self._endpoint, self._device.trust.gaps
        seen = {"presented": ([""] + event.presented)[-1], "verdict": event.verdict}
        before = gaps.get(endpoint, {})
        out: Items = [Stranded(endpoint)] if event.fault == "trust" else []
        if [name for name in seen if seen[name] != before.get(name)]:
            gaps[endpoint] = dict(seen, since_utc_s=self._device.clock.utc(now))
            out.append(Tell("gap", dict(seen, endpoint=endpoint, open=True)))
        return out

    def _gap_over(self) -> Items:
        if self._device.trust.gaps.pop(self._endpoint, None) is None:
            return []
        return [Tell("gap", {"endpoint": self._endpoint, "open": False})]

    def _miss(self, event: Event, now: int) -> Items:
        """Nothing came of it: the line's matter."""
        if self._endpoint == "hub":
            return self._warn(event, now)
        return self._warn_other(event, now)

    def _miss_silently(self, event: Event, now: int) -> Items:
        return self._miss(Failed("next", "network", "silent", [], [], None), now)
