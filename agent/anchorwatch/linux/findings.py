"""What a check found, a row a step, and the exit code that follows.

Rule: `ok` is True, False, or None for what was not tried; every False comes with a remedy. The
names of the keys are a contract with whoever reads `--json`; they are only added to.
"""

from ..core.remedies import remedy

DONE, REFUSED, TRY_LATER = 0, 1, 3


class Findings:
    """`rows` in the order in which they were found.

    {"check": "hub tls", "endpoint": "hub" or "", "step": "tls", "ok", "fault": class of a fault,
    "verdict": word of a closed list, "what", "value", "remedy"}
    """

    def __init__(self) -> None:
        self.rows: list[dict] = []

    def good(self, endpoint: str, step: str, what: str, value: object = "", **more) -> None:
        """It holds."""
        self._add(endpoint, step, True, what, value, more)

    def bad(self, endpoint: str, step: str, what: str, value: object = "", **more) -> None:
        """It does not; `remedy` is among `more`."""
        self._add(endpoint, step, False, what, value, more)

    def fault(self, endpoint: str, step: str, fault: str, verdict: str, value: object = "",
              to_do: str = "") -> None:
        """It does not, by a class and a verdict of the closed lists."""
        self.bad(endpoint, step, "%s: %s" % (fault, verdict), value, fault=fault, verdict=verdict,
                 remedy=to_do or remedy(fault, verdict))

    def untried(self, endpoint: str, step: str, why: str) -> None:
        """Nothing is known, since something before it failed."""
        self._add(endpoint, step, None, "not tried: " + why, "", {})

    def ok(self, check: str) -> bool | None:
        """How a check went; None also for one that is not there."""
        return next((row["ok"] for row in self.rows if row["check"] == check), None)

    def _add(self, endpoint: str, step: str, ok: bool | None, what: str, value: object,
             more: dict) -> None:
        self.rows.append({
            "check": ("%s %s" % (endpoint, step)).strip(), "endpoint": endpoint, "step": step,
            "ok": ok, "fault": "", "verdict": "", "what": what, "value": str(value), "remedy": "",
            **more,
        })  # fmt: skip


def short(name: str) -> str:
    """`CN=DigiCert Global Root G2` of a whole distinguished name."""
    parts = name.split(", ")
    return next((part for part in parts if part.startswith("CN=")), parts[0])


def exit_code(rows: list[dict]) -> int:
    """0 when nothing is wrong, 3 when only the line is, 1 for all else."""
    wrong = [row for row in rows if row["ok"] is False]
    if not wrong:
        return DONE
    return TRY_LATER if all(row["fault"] == "network" for row in wrong) else REFUSED


def rehearsed_code(rows: list[dict]) -> int:
    """0 when every endpoint that was asked about is ready, and one was."""
    answers = [row["ok"] for row in rows if row["ok"] is not None]
    return DONE if answers and all(answers) else REFUSED
