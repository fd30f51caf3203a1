"""The demo as one sees it in a terminal: a line a happening, colours only on a terminal.

Rule: called from several threads, one at a time (timeline.py sees to that).
"""

import json
import shutil
import textwrap

from hil.report.sentences import Teller

COLOURS = {"agent": "32", "operator": "34", "dps": "35", "hub": "36", "demo": "1"}
RESET, BOLD, RED, GREEN = "\033[0m", "\033[1m", "\033[31m", "\033[32m"


class Terminal:
    """hear(row) prints what is worth a line."""

    def __init__(self, out) -> None:
        self._out = out
        self._colourful = out.isatty()
        self._width = min(100, shutil.get_terminal_size((100, 24)).columns)
        self._roots: dict[str, str] = {}
        self._teller = Teller(lambda sha256: self._roots.get(sha256, sha256[:12]))

    def hear(self, row: dict) -> None:
        """One row of the timeline."""
        if row["what"] == "run":
            self._roots = row["roots"]
        elif row["what"] == "act":
            self._act(row)
        elif row["what"] == "act over":
            self._over(row)
        elif row["what"] == "stopped":
            self.say(self._painted("\nSTOPPED: %s" % row["why"], RED))
        elif sentence := self._teller.tell(row):
            who = self._painted("%-8s" % row["who"], "\033[%sm" % COLOURS[row["who"]])
            self.say("%7.1f s  %s  %s" % (row["t_ms"] / 1000, who, sentence))

    def say(self, text: str = "") -> None:
        """One line, at once."""
        print(text, file=self._out, flush=True)

    def _act(self, row: dict) -> None:
        self.say()
        self.say(self._painted("%d  %s" % (row["number"], row["title"]), BOLD))
        for line in textwrap.wrap(row["claim"], self._width - 3):
            self.say("   " + line)

    def _over(self, row: dict) -> None:
        failure = row["failure"]
        if failure:
            self.say(self._painted("   NOT REACHED: %s" % failure["waited_for"], RED))
            self._last_seen(failure["last"])
            return
        self.say(self._painted("   reached after %.1f s" % (row["took_ms"] / 1000), GREEN))

    def _last_seen(self, last: dict) -> None:
        """The status, and what the wait looked at; the page has both in full."""
        for name, value in last.items():
            text = textwrap.shorten(f"{name}: {json.dumps(value)}", 8 * self._width)
            for line in textwrap.wrap(text, self._width - 6):
                self.say("      " + line)

    def table(self, acts: list[dict]) -> None:
        """The results, act by act."""
        self.say()
        self.say("   %-22s %8s %6s %10s %5s %6s %9s" % (
            "act", "reached", "sent", "delivered", "lost", "twice", "silence"))  # fmt: skip
        for act in acts:
            line = "   %-22s %8s %6d %10d %5d %6d %7.1f s" % (
                act["name"], "yes" if act["reached"] else "NO", act["sent"], act["delivered"],
                act["lost"], act["duplicated"], act["longest_silence_ms"] / 1000,
            )  # fmt: skip
            bad = not act["reached"] or act["lost"]
            self.say(self._painted(line, RED) if bad else line)

    def _painted(self, text: str, code: str) -> str:
        return f"{code}{text}{RESET}" if self._colourful else text
