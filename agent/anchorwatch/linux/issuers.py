"""Performs Enroll: a request goes to the issuer that the configuration names, a chain comes back.

Rule: each issuer is one function of (order, patience) -> (event, warnings) and runs in an errand;
what it brings is held against the request before it is installed (issued.py), so none is trusted.

Source: design section 9; actions in core/credentials.py.
"""

from .clock import now_ms
from .issuefiles import DropBox
from .patience import Patience

LONGEST_S = 170.0


class Issuers:
    """dialer  of the device; slots  see slots.py; warn  called with (what, value, remedy)
    """

    def __init__(self, config, slots, dialer, errands, post, warn, now=now_ms) -> None:
        self._config, self._dialer = config, dialer
        self._errands, self._post, self._warn, self._now = errands, post, warn, now
        self.box = DropBox(config.identity.drop_dir, slots)

    def enroll(self, order) -> None:
        """Issued, IssueLater or IssueRefused; for `files` Issued may come later by itself."""
        patience = Patience(min(LONGEST_S, max(0, order.until_ms - self._now()) / 1000))
        work = {"est": self._est, "command": self._command, "files": self._files}[order.issuer]
        self._errands.start(lambda: work(order, patience), self._take)

    def look(self) -> None:
        """See whether a certificate was dropped that is waited for."""
        if self.box.changed():
            self._errands.start(self.box.look, self._take)

    def installed(self, slot: str) -> None:
        """The slot has its certificate: what was dropped for it is put away."""
        self._errands.start(lambda: self.box.put_away(slot), self._take)

    def _est(self, order, patience: Patience):
        from .est import enroll

        return enroll(order, self._config.est, self._dialer, patience)

    def _command(self, order, patience: Patience):
        from .issuecommand import enroll

        return enroll(order, self._config.identity.command, patience)

    def _files(self, order, patience: Patience):
        return self.box.enroll(order)

    def _take(self, found) -> None:
        event, warnings = found
        for told in warnings:
            self._warn(*told)
        if event is not None:
            self._post(event)
