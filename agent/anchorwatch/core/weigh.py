"""From a failure of the session to what comes next. Rule: the only place where fault classes and
the ladder meet."""

from .clock import AUTHENTICATED, STEP_S
from .device import Device
from .faults import Faults
from .meanings import DpsLater, DpsRefused, HubLater, HubRefused, LookUpNow
from .rollmeanings import TrialBad
from .shapes import Event, Free, Items
from .transports import on_the_way
from .unauthorized import Unauthorized

HUB_NOT_ALLOWED = "hub-not-allowed"  # DPS assigned one outside of hub.allowed_suffixes


class Weigher:
    """Puts a failure into its class and asks the schedule, or the ladder for identity."""

    def __init__(
        self,
        device: Device,
        hub_faults: Faults,
        dps_faults: Faults,
        ladder: Unauthorized,
        on_trial: Free,
    ) -> None:
        self._device, self._hub, self._dps, self._ladder = device, hub_faults, dps_faults, ladder
        self._on_trial = on_trial  # is it the new certificate that was refused?

    def hub(self, event: Event, now: int) -> Items:
        """A failure of the way to the hub: what to tell, and HubLater, DpsLater or LookUpNow."""
        fault, verdict = self._hub.classify(event, now)
        out = self._hub.note(fault, verdict, event)
        if fault == "identity":
            self._hub.counted(fault)
            if self._on_trial():
                return out + [TrialBad(verdict)]
            return out + self._doubt("hub", now) + self._ladder.handle(HubRefused(verdict), now)
        out += self._cause("hub", fault, event, now)
        look_up = self._hub.look_up_due(fault, now) and self._device.may_register
        wait_ms = self._hub.wait_ms(fault, now)
        wait_ms = 0 if self._at_once("hub", fault, now) else wait_ms
        self._hub.waiting(wait_ms)
        if self._hub.keep():
            out.append(self._device.save_budgets())
        return out + [LookUpNow() if look_up else HubLater(wait_ms)]

    def dps(self, event: Event, now: int) -> Items:
        """A registration that ended without an assignment."""
        fault, verdict = self._dps.classify(event, now)
        out = self._dps.note(fault, verdict, event)
        if fault == "identity":
            self._device.reprovision_asked = False
            self._dps.counted(fault)
            if self._on_trial():  # who tries it goes on
                return out
            return out + self._doubt("dps", now) + self._ladder.handle(DpsRefused(verdict), now)
        if event.verdict != HUB_NOT_ALLOWED:
            out += self._cause("dps", fault, event, now)
        wait_ms = self._dps.wait_ms(fault, now, getattr(event, "retry_after_s", 0))
        wait_ms = 0 if self._at_once("dps", fault, now) else wait_ms
        self._dps.waiting(wait_ms)
        if self._dps.keep():
            out.append(self._device.save_budgets())
        if self._device.hub is not None and not self._device.reprovision_asked:
            return out + [HubLater(wait_ms)]  # DPS is away: the hub may have changed its mind
        return out + [DpsLater(wait_ms)]

    def beside(self, event: Event, now: int) -> Items:
        """The same next to a session: it goes on, so nothing waits and no rung is climbed."""
        self._device.reprovision_asked = False
        fault, verdict = self._dps.classify(event, now)
        cause: Items = []
        if fault != "identity":
            self._dps.wait_ms(fault, now, event.retry_after_s)
            foreign = event.verdict == HUB_NOT_ALLOWED
            cause = [] if foreign else self._cause("dps", fault, event, now)
        return self._dps.note(fault, verdict, event) + cause

    def looked_up(self, meaning: Event, now: int) -> Items:
        """The look-up's answer: register only if it names another hub or says that the
        registration is gone."""
        gone = meaning is not None and meaning[0] == "refused" and meaning[1] == 404
        moved = meaning is not None and meaning[0] == "assigned" and meaning[1] != self._device.hub
        if gone or moved:
            return [DpsLater(self._spread_ms())]
        wait_ms = self._hub.wait_ms("service", now)
        self._hub.waiting(wait_ms)
        return [HubLater(wait_ms)]

    def _cause(self, endpoint: str, fault: str, event: Event, now: int) -> Items:
        """What a class asks for beside waiting."""
        if fault == "clock":
            return self._device.seek_time(endpoint, now)
        of_server = hasattr(event, "presented") and not on_the_way(event.verdict)
        if fault in ("trust", "policy") and of_server:
            return self._device.trust.refused(endpoint, event, self._device.clock.utc(now))
        return []

    def _doubt(self, endpoint: str, now: int) -> Items:
        """A token signed by an unproven clock may have been refused for its time alone."""
        device = self._device
        if device.credential["kind"] == "x509" or device.clock.standing == AUTHENTICATED:
            return []
        return device.clock.ask_date(device.shape("next", endpoint, True, now))

    def _at_once(self, endpoint: str, fault: str, now: int) -> bool:
        """The time came while we dialled, so dates are judged anew; or the reserve is next."""
        if fault == "trust" and self._device.reserve_next(endpoint):
            return True
        moved_s = self._device.clock.judge_utc_s(now) - self._device.judged_utc_s
        return fault == "clock" and moved_s > STEP_S

    def _spread_ms(self) -> int:
        return int(self._device.rand_below(1000 * self._device.config.dps.spread_s + 1))
