"""The device's own credentials: which there are, which link shows which, what was decided.

Rule: decides nothing by itself; one machine writes each fact. The frame `identity`:

    active     slot that serves: a | b | onboarding, which is what the configuration names
    trial      slot whose certificate is to be proven, "" for none; written before its first use
    former     slot kept beside the active one until former_until_s, "" for none; onboarding where
               its key is breached and could not be wiped
    former_until_s   0 unknown, OVERDUE where its key could not be wiped: the next start tries again
    pending    slot of a key whose certificate was asked for, "" for none
    reason     of the roll under way: expiry | breach | ""
    breached   fingerprint that a breach roll is to replace, "" for none
    closed     fingerprints that are never shown again
    asked_utc_s      when an issuer was last asked; NEVER, SOMETIME where the time was not known
    trial_dps_utc_s  when DPS was last asked with the trial; 0 unknown
    trial_refused    DPS said no to the one on trial

Source: design section 9.
"""

from .actions import Save
from .proofs import NAMES as NAMES
from .proofs import Proofs
from .shapes import Event, Items, MaybeTree, Tree

ONBOARDING = "onboarding"
BREACH, EXPIRY = "breach", "expiry"
CLOSED_AT_MOST = 8
NEVER, SOMETIME = 0, -1
OVERDUE = 1
ABSENT = "none"  # kind of a configured credential whose files are gone


def fresh() -> Tree:
    """The frame of a device that never rolled."""
    kept: Tree = {name: "" for name in ("trial", "former", "pending", "reason", "breached")}
    kept.update({"active": ONBOARDING, "closed": [], "former_until_s": 0})
    kept.update({"asked_utc_s": NEVER, "trial_dps_utc_s": 0, "trial_refused": False})
    return kept


class Slots:
    """`held` {name: credential as in Start and Installed}; `kept` is the frame."""

    def __init__(self) -> None:
        self.kept = fresh()
        self.held: Tree = {}
        self.lost = ""  # the active slot of the frame, when the driver could not read it
        self.csr = ""  # a request that goes to DPS with the next registration
        self.saves = self.answered = 0  # of the frame
        self.proofs = Proofs(self.held)
        self._shown: Tree = {"live": "", "next": ""}  # link: slot, "" for the active one

    def start(self, event: Event) -> None:
        """Take what the driver found; a slot that cannot be read is as if it were not there."""
        found = event.state.get("slots", {})
        self.held.update({n: found[n] for n in NAMES if n in found and "pending" not in found[n]})
        self.held[ONBOARDING] = event.credential
        self.kept.update(event.state.get("identity", {}))
        self._resume(found)
        if self.kept["active"] not in self.held:
            self.lost = self.kept["active"]
            there = [n for n in NAMES if n in self.held and self.open(n)]
            self.kept["active"] = (there + [ONBOARDING])[0]
        if self.kept["trial"] not in self.held or self.kept["trial"] == self.kept["active"]:
            self.kept["trial"] = ""
        if self.kept["former"] == self.kept["active"]:
            self.kept["former"] = ""

    def _resume(self, found: Tree) -> None:
        """A cut between the installing of a certificate and the frame that names it."""
        pending = self.kept["pending"]
        if pending in self.held and pending != self.kept["active"]:
            self.put_on_trial(pending)
        elif pending and not found.get(pending, {}).get("pending"):
            self.kept["pending"] = ""

    def put_on_trial(self, name: str) -> None:
        """This one is to be proven from now on; DPS has said nothing of it yet."""
        pending = "" if self.kept["pending"] == name else self.kept["pending"]
        self.kept.update({"trial": name, "pending": pending})
        self.kept.update({"trial_refused": False, "trial_dps_utc_s": 0})

    def read(self, credential: Tree) -> None:
        """The configured credential's files changed."""
        self.held[ONBOARDING] = credential

    def save(self) -> Save:
        """The frame, to be written."""
        self.saves += 1
        return Save("identity", dict(self.kept))

    def save_again(self) -> Save:
        """The same for a disk that was silent: no answer is owed any more but this one."""
        self.answered = self.saves
        return self.save()

    @property
    def coming(self) -> bool:
        """True from the making of a key until its certificate is on trial, the frame written."""
        waits = bool(self.kept["trial"]) and self.saves > self.answered
        return bool(self.kept["pending"]) or waits

    def written(self) -> bool:
        """One more save was answered; True when it was the last."""
        self.answered = min(self.answered + 1, self.saves)
        return self.answered == self.saves

    def show(self, link: str, name: str) -> None:
        """Dials of this link show that slot; "" for the active one."""
        self._shown[link] = name

    def shown(self, link: str) -> str:
        """The slot that a dial of this link shows."""
        name = self._shown[link] or self.kept["active"]
        return str(name if name in self.held else self.kept["active"])

    def of(self, link: str) -> Tree:
        """The credential that a dial of this link shows; {} before the start."""
        found: Tree = self.held.get(self.shown(link), {})
        return found

    def moved(self) -> None:
        """The second link is the live one now."""
        self._shown = {"live": self._shown["next"], "next": ""}

    def tries(self, link: str) -> bool:
        """True while this link shows a certificate that is still to be proven."""
        return bool(self.kept["trial"]) and self.shown(link) == self.kept["trial"]

    def newest(self) -> str:
        """Whom DPS is to hear of: the newest that it has not refused; "" for the active one."""
        found = active = str(self.kept["active"])
        for name in sorted(self.held):
            newer = self._age(name) > self._age(found)
            if newer and not self._refused(name) and self.open(name):
                found = name
        return "" if found == active else found

    def assigned(self, name: str, event: Event, utc_s: int) -> None:
        """DPS took it."""
        self.proofs.accepted(name, "dps", event.hub, event.device_id, utc_s)
        if name == self.kept["trial"]:
            self.kept["trial_refused"] = False

    def refused(self, name: str) -> bool:
        """DPS did not take it, and may hear of an older one now; True where that changes the frame
        `identity`."""
        self.proofs.refused(name)
        if name != self.kept["trial"]:
            return False
        self.kept["trial_refused"] = True
        return True

    def _refused(self, name: str) -> bool:
        """Of one that is on trial, since its trial began."""
        if name == self.kept["trial"]:
            return bool(self.kept["trial_refused"])
        return self.proofs.denied(name)

    def _age(self, name: str) -> tuple[int, bool]:
        """What makes one newer: when it was made, and being on trial; a key without a certificate
        is older than any."""
        return (self.held.get(name, {}).get("not_before") or 0, name == self.kept["trial"])

    def open(self, name: str) -> bool:
        """False for what a breach closed."""
        return self.held[name].get("fingerprint") not in self.kept["closed"]

    def usable(self, name: str, utc_s: int | None) -> bool:
        """There, not closed, and within its dates as far as they can be judged."""
        if name not in self.held or not self.open(name) or self.held[name]["kind"] == ABSENT:
            return False
        ends = self.held[name].get("not_after")
        return ends is None or utc_s is None or utc_s <= ends

    def others(self, utc_s: int | None) -> Items:
        """Slots that may serve where the active one was refused."""
        return [n for n in NAMES if n != self.kept["active"] and self.usable(n, utc_s)]

    def free(self) -> str:
        """Where a new key goes: never over the slot that serves, rather over none than over one;
        "" while both are needed."""
        left = [n for n in NAMES if n != self.kept["active"] and not self.on_a_link(n)]
        return ([n for n in left if n not in self.held] + left + [""])[0]

    def on_a_link(self, name: str) -> bool:
        """True while a dial of either link would show it."""
        return name in (self.shown("live"), self.shown("next"))

    def empty(self, name: str) -> None:
        """The slot is overwritten or wiped."""
        self.held.pop(name, None)
        for part in ("trial", "former", "pending"):
            if self.kept[part] == name:
                self.kept[part] = ""

    def close(self, fingerprint: str) -> None:
        """Never to be shown again; of many, the latest."""
        known = [old for old in self.kept["closed"] if old != fingerprint]
        self.kept["closed"] = known[1 - CLOSED_AT_MOST :] + [fingerprint]

    @property
    def renewed(self) -> bool:
        """True when the configured files hold a key that nobody has closed."""
        return self.held[ONBOARDING]["kind"] != ABSENT and self.open(ONBOARDING)

    @property
    def succeeded(self) -> bool:
        """True when a breached key's successor is committed, and the key perhaps not yet wiped."""
        return bool(self.kept["breached"]) and self.kept["breached"] in self.kept["closed"]

    @property
    def leaked(self) -> str:
        """Where the breached key is, or was when a cut came and may be in part; "" if nowhere."""
        mine = [n for n in self.held if self.held[n].get("fingerprint") == self.kept["breached"]]
        cut = self.kept["former"] or ONBOARDING
        gone = self.held.get(cut, {"kind": ABSENT})["kind"] == ABSENT
        return str((sorted(mine) + ([cut] if gone else []) + [""])[0])

    def withheld(self, link: str) -> bool:
        """True while what a dial of this link would show is quarantined, or was closed."""
        name = self.shown(link)
        return (self.quarantined and name == self.kept["active"]) or not self.open(name)

    @property
    def bare(self) -> bool:
        """True where nothing is left that may be shown: the slot that served is lost, and a breach
        closed the configured one."""
        active = self.kept["active"]
        return active in self.held and not self.open(active)

    @property
    def quarantined(self) -> bool:
        """True while the active key may only be used to ask for its successor."""
        active: MaybeTree = self.held.get(self.kept["active"])
        breached = self.kept["breached"]
        return bool(breached) and active is not None and active.get("fingerprint") == breached
