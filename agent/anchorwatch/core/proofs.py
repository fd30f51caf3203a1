"""What an issued certificate has proven: where it belongs, who accepted it, what DPS said of it.

Rule: it lies with its key in the slot's frame, which is written again only when this differs; what
could not be written waits for the next word of hub or DPS.

    assignment  {"hub", "device_id"} that it is assigned or accepted for; {} for none yet
    evidence    {"accepted": {hub | dps: utc_s, since when; 0 where the time was not known},
                "refused_by_dps": whether its last word was no}; {} before either spoke

Source: design sections 5 and 9.
"""

from .credentials import Prove
from .shapes import Items, Tree

NAMES = ("a", "b")
_FRAME = "slot-"


class Proofs:
    """`held` {name: credential}. The configured one has no frame: what DPS said of it is forgotten
    by a restart."""

    def __init__(self, held: Tree) -> None:
        self._held = held
        self._no: Items = []  # fingerprints that DPS refused, of what has no frame
        self._due: Items = []  # slots whose frame says something else
        self._late: Items = []  # those whose frame could not be written

    def accepted(self, name: str, endpoint: str, hub: str, device_id: str, utc_s: int) -> None:
        """Hub or DPS took it, as this device of this hub."""
        held, before = self._held.get(name, {}), self._evidence(name)
        here = {"hub": hub, "device_id": device_id}
        since = dict(before["accepted"]) if held.get("assignment") == here else {}
        refused = before["refused_by_dps"]
        if endpoint not in since or (endpoint == "dps" and refused):
            since[endpoint] = utc_s
        if endpoint == "dps":
            refused = False
            self._no = [old for old in self._no if old != held.get("fingerprint")]
        self._note(name, here, {"accepted": since, "refused_by_dps": refused})

    def refused(self, name: str) -> None:
        """DPS did not take it."""
        held = self._held.get(name, {})
        if name not in NAMES and not self.denied(name):
            self._no = self._no + [held.get("fingerprint")]
        evidence = {"accepted": self._evidence(name)["accepted"], "refused_by_dps": True}
        self._note(name, held.get("assignment", {}), evidence)

    def denied(self, name: str) -> bool:
        """Whether the last that DPS said of it was no."""
        known = self._held.get(name, {}).get("fingerprint") in self._no
        return known or bool(self._evidence(name)["refused_by_dps"])

    def due(self) -> Items:
        """[Prove] of the slots whose frames are to be written."""
        due, self._due = sorted(set(self._due)), []
        found = [self._held[name] for name in due if "evidence" in self._held.get(name, {})]
        return [Prove(one["slot"], one["assignment"], one["evidence"]) for one in found]

    def failed(self, frame: str) -> None:
        """SaveFailed: a slot's frame is written with the next word on any of them."""
        if frame.startswith(_FRAME):
            self._late.append(frame[len(_FRAME) :])

    def _evidence(self, name: str) -> Tree:
        found: Tree = self._held.get(name, {}).get("evidence", {})
        return found or {"accepted": {}, "refused_by_dps": False}

    def _note(self, name: str, assignment: Tree, evidence: Tree) -> None:
        self._due, self._late = self._due + self._late, []
        held = self._held.get(name, {})
        news = (held.get("assignment"), held.get("evidence")) != (assignment, evidence)
        if news and name in NAMES and held:
            self._held[name] = dict(held, assignment=assignment, evidence=evidence)
            self._due.append(name)
