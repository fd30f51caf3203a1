"""Plays the acts one after the other and writes down what came of them.

Rule: the first act that fails is the last one played; what follows would only repeat its cause.
"""

from datetime import datetime, timezone

from hil.bench.board import BoardError, brief
from hil.bench.control import Denied, Unanswered
from hil.bench.waiting import NotReached
from hil.cloud.remote import Refused

from .acts import ACTS, claim_of, name_of
from .stage import MESSAGES_PER_S, Stage
from .timeline import Timeline

ROOTS = {
    "baltimore": "Baltimore CyberTrust Root",
    "g2": "DigiCert Global Root G2",
    "unknown": "Unknown Root CA",
    "unknown2": "Unknown Root CA 2",
}
BREATH_S = 1.5
FAILURES = (NotReached, AssertionError, BoardError, Refused, Denied, Unanswered, OSError)


def play(stage: Stage, timeline: Timeline, breathe, acts: tuple = ACTS) -> bool:
    """The whole run; True when every act reached its state and the queue drained.

    breathe  called with seconds: a pause after each act, so that its end can be seen
    """
    stage.open()
    _begin(stage, timeline, acts)
    for number, act in enumerate(acts, 1):
        if not _act(stage, timeline, number, *act):
            return False
        breathe(BREATH_S)
    try:
        stage.drain()
    except NotReached as e:
        timeline.add("demo", "stopped", why=f"{e.waited_for}: {e.last}")
        return False
    return True


def _begin(stage: Stage, timeline: Timeline, acts: tuple) -> None:
    cloud = stage.cloud
    timeline.add(
        "demo", "run", title="eleven acts on one device", messages_per_s=MESSAGES_PER_S,
        at=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), device=stage.device.name,
        roots={cloud.anchor(name): shown for name, shown in ROOTS.items()},
        titles={name_of(scenario): title for scenario, title, _ in acts},
    )  # fmt: skip


def _act(stage: Stage, timeline: Timeline, number: int, scenario, title: str, short: str) -> bool:
    name, start_ms = name_of(scenario), timeline.now_ms()
    timeline.add(
        "demo", "act", start_ms, number=number, name=name, title=title, short=short,
        claim=claim_of(scenario),
    )  # fmt: skip
    failure = None
    try:
        scenario.play(stage.cloud, _OnAir(stage) if number == 1 else stage.device)
        stage.check()
    except FAILURES as e:
        failure = _failure(stage, e)
    took_ms = timeline.now_ms() - start_ms
    timeline.add("demo", "act over", name=name, took_ms=took_ms, failure=failure)
    return failure is None


class _OnAir:
    """The device of the first act: when it is switched on, the program on it begins."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def __getattr__(self, name: str) -> object:
        return getattr(self._stage.device, name)

    def start(self) -> None:
        self._stage.device.start()
        self._stage.on_air()


def _failure(stage: Stage, error: Exception) -> dict:
    """What was waited for, what was seen last, and the status now."""
    waited_for = getattr(error, "waited_for", None) or f"{type(error).__name__}: {error}"
    try:
        status: object = brief(stage.device.status())
    except (Unanswered, Denied, OSError) as e:
        status = f"no status: {e}"
    return {
        "waited_for": waited_for,
        "last": {"seen": getattr(error, "last", None), "status": status, "broken": stage.broken},
    }
