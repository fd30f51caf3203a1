"""Faults as named data: what a test tells the emulated cloud to do wrong, where, and how often.

Holds and hands out; a service asks at fixed points and does the harm itself. Scripted faults go
first, in the order they were added; a soak may draw more by chance. The README explains each.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .refusal import BadRequest
from .session import CloseSession, Delay, Session, Silence

HUB, DPS, EST = "hub", "dps", "est"
EVERYWHERE = (HUB, DPS, EST)
REQUIRED = object()

DPS_ASKED = ("register", "poll", "lookup")
ISSUER_ASKED = ("credential", "cacerts", "csrattrs", "enroll", "reenroll")

# name                   services      points                          parameters and their defaults
KINDS = {
    "CONNACK": ((HUB, DPS), ("connect",), {"code": 5}),
    "SILENT_CONNECT": ((HUB, DPS), ("connect",), {}),
    "DELAYED_CONNECT": ((HUB, DPS), ("connect",), {"ms": 54_000}),
    "CLOSE_BEFORE_CONNACK": ((HUB, DPS), ("connect",), {}),
    "CLOSE_AFTER_CONNACK": ((HUB, DPS), ("started",), {}),
    "NO_SUBACK": ((HUB, DPS), ("subscribe",), {}),
    "NO_PUBACK": ((HUB,), ("telemetry",), {"accepted": True}),
    "DROP_SESSION": ((HUB, DPS), ("publish",), {}),
    "BUSY": (EVERYWHERE, (*DPS_ASKED, "twin", *ISSUER_ASKED), {"retry_after_s": 7}),
    "SERVER_ERROR": (
        EVERYWHERE, (*DPS_ASKED, "twin", *ISSUER_ASKED), {"status": 500, "retry_after_s": None},
    ),
    "NO_REPLY": (EVERYWHERE, ("register", "poll", "twin", *ISSUER_ASKED), {}),
    "REFUSED": (
        EVERYWHERE, (*DPS_ASKED, *ISSUER_ASKED),
        {"code": 401002, "message": "Unauthorized access."},
    ),
    "MALFORMED_DPS_REPLY": ((DPS,), ("register", "poll"), {"status": 200, "body": "{"}),
    "STILL_ASSIGNING": ((DPS,), ("assigning",), {}),
    "ASSIGNED_ELSEWHERE": ((DPS,), ("assign",), {"host": REQUIRED}),
    "DISABLED": ((DPS,), ("assign",), {}),
    "FAILED": ((DPS,), ("assign",), {"code": 400207}),
    "MALFORMED_TWIN_REPLY": ((HUB,), ("twin",), {"status": 200, "body": "{"}),
    "DESIRED_LOST": ((HUB,), ("desired",), {}),
    "METHOD_LOST": ((HUB,), ("method",), {}),
    "C2D_TWICE": ((HUB,), ("c2d",), {}),
    "THUMBPRINT_LATE": ((DPS,), ("assign",), {"after_s": 60}),
    "ISSUE_REFUSED": (EVERYWHERE, ("issue",), {"error": "FailedToDecodeCsr", "code": 400037}),
    "WRONG_CN": (EVERYWHERE, ("issue",), {"cn": "somebody-else"}),
    "WRONG_KEY": (EVERYWHERE, ("issue",), {}),
    "NO_INTERMEDIATE": (EVERYWHERE, ("issue", "cacerts"), {}),
    "OTHER_CA": (EVERYWHERE, ("issue",), {}),
    "EXPIRED_CERTIFICATE": (EVERYWHERE, ("issue",), {}),
    "NO_CHAIN": ((DPS,), ("issue",), {}),
    "ISSUE_LATER": ((EST,), ("enroll", "reenroll"), {"retry_after_s": 10}),
    "ISSUE_AFTER_RECONNECT": ((HUB,), ("issued",), {}),
    "ISSUE_NEVER": ((HUB,), ("issued",), {}),
    "MALFORMED_EST_REPLY": (
        (EST,), ("cacerts", "enroll", "reenroll"),
        {"status": 200, "content_type": "application/pkcs7-mime", "body": "AAAA"},
    ),
    "MALFORMED_CREDENTIAL_REPLY": ((HUB,), ("credential",), {"status": 200, "body": "{"}),
}  # fmt: skip


@dataclass
class Fault:
    """One scripted fault; `count` is how often it still happens, None for always."""

    name: str
    service: str | None = None
    device: str | None = None
    count: int | None = 1
    at: str | None = None
    parameters: dict = field(default_factory=dict)

    def __getitem__(self, parameter: str) -> Any:
        return self.parameters[parameter]

    def fits(self, service: str, point: str, device: str | None) -> bool:
        """Whether it happens here; `service` is the service's own name, such as "hub2"."""
        return (
            point in KINDS[self.name][1]
            and self.at in (None, point)
            and (self.service == service if self.service else service[:3] in KINDS[self.name][0])
            and self.device in (None, device)
        )

    def shown(self) -> dict:
        """As JSON for the management side."""
        return dict(vars(self))


def made(
    name: str,
    *,
    service: str | None = None,
    device: str | None = None,
    count: int | None = 1,
    at: str | None = None,
    **parameters: object,
) -> Fault:
    """A checked fault; raises BadRequest naming what is wrong."""
    if name not in KINDS:
        near = difflib.get_close_matches(str(name).upper(), KINDS, 1, 0.0)[0]
        raise BadRequest("no such fault", name, f"the nearest is {near}")
    services, points, defaults = KINDS[name]
    _check_place(name, services, points, service, at)
    if count is not None and (type(count) is not int or count < 1):
        raise BadRequest("a fault's count", count, "a whole number from 1, or null for always")
    return Fault(name, service, device, count, at, _filled(name, defaults, parameters))


def _check_place(
    name: str, services: tuple, points: tuple, service: str | None, at: str | None
) -> None:
    if service is not None and service[:3] not in services:
        raise BadRequest(f"{name} cannot happen in this service", service, f"one of {services}")
    if at is not None and at not in points:
        raise BadRequest(f"{name} cannot happen there", at, f"one of {points}")


def _filled(name: str, defaults: dict, parameters: dict) -> dict:
    for parameter in parameters:
        if parameter not in defaults:
            raise BadRequest(f"{name} has no such parameter", parameter, f"it has {list(defaults)}")
    filled = {**defaults, **parameters}
    for parameter, value in filled.items():
        if value is REQUIRED:
            raise BadRequest(f"{name} needs a parameter", parameter, "add it")
        wanted = str if defaults[parameter] is REQUIRED else type(defaults[parameter])
        wanted = int if parameter == "retry_after_s" else wanted
        none_is_fine = parameter == "retry_after_s" and value is None
        if type(value) is not wanted and not none_is_fine:
            raise BadRequest(f"{name} has a bad {parameter}", value, f"a {wanted.__name__}")
    if name == "CONNACK" and not 1 <= filled["code"] <= 255:
        raise BadRequest("not the code of a refusal", filled["code"], "1 to 5, at most 255")
    return filled


class Faults:
    """What is still to go wrong."""

    def __init__(self) -> None:
        self._scripted: list[Fault] = []
        self._soak: Soak | None = None

    def add(self, name: str, **more: object) -> Fault:
        """Script one fault: service, device, count, at (one of its points), and its parameters."""
        fault = made(name, **more)
        self._scripted.append(fault)
        return fault

    def soak(self, rand_below: Callable[[int], int], permille: int, names: list[str]) -> None:
        """From now on draw one of these at each point it fits, `permille` times in a thousand."""
        self._soak = Soak(rand_below, permille, [made(name, count=None) for name in names])

    def take(self, service: str, point: str, device: str | None) -> Fault | None:
        """The fault that happens here now, counted down; None when all goes well."""
        for fault in self._scripted:
            if fault.fits(service, point, device):
                self._count_down(fault)
                return fault
        return self._soak.take(service, point, device) if self._soak else None

    def _count_down(self, fault: Fault) -> None:
        if fault.count is not None:
            fault.count -= 1
            if fault.count == 0:
                self._scripted.remove(fault)

    def waiting(self) -> list[Fault]:
        """What is still scripted, oldest first."""
        return list(self._scripted)

    def clear(self, name: str | None = None) -> None:
        """Forget the scripted faults of one name, or all of them and the soak."""
        self._scripted = [f for f in self._scripted if name is not None and f.name != name]
        if name is None:
            self._soak = None


def at_connect(
    take: Callable[[str, str, int], Fault | None], session: Session, now_ms: int
) -> int | None:
    """What a CONNECT is to meet: raised, or returned as a code; None when all goes well."""
    fault = None if session.delayed else take("connect", session.client_id, now_ms)
    if fault is None:
        return None
    if fault.name == "SILENT_CONNECT":
        raise Silence
    if fault.name == "CLOSE_BEFORE_CONNACK":
        raise CloseSession("fault: closed before CONNACK")
    if fault.name == "DELAYED_CONNECT":
        session.delayed = True
        raise Delay(now_ms + fault["ms"])
    return fault["code"]


class Soak:
    """Faults drawn by chance; the caller seeds `rand_below` and prints the seed."""

    def __init__(
        self, rand_below: Callable[[int], int], permille: int, faults: list[Fault]
    ) -> None:
        self._rand_below, self._permille, self._faults = rand_below, permille, faults

    def take(self, service: str, point: str, device: str | None) -> Fault | None:
        """A fault that fits here, rarely."""
        fitting = [f for f in self._faults if f.fits(service, point, device)]
        if not fitting or self._rand_below(1000) >= self._permille:
            return None
        return fitting[self._rand_below(len(fitting))]
