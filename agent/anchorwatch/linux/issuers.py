"""The issuers of Linux: an EST server, a program of the operator's, a folder.

Rule: each is one function of (order, patience) -> (event, warnings) and runs in an errand.

Source: design section 9; performers/issuers.py.
"""

from ..performers import issuers
from ..performers.issuefiles import DropBox
from .clock import now_ms
from .issuefiles import Place
from .patience import Patience

LONGEST_S = 170.0


class Issuers(issuers.Issuers):
    """dialer  of the device; warn  called with (what, value, remedy)"""

    def __init__(self, config, dialer, errands, post, warn, now=now_ms) -> None:
        super().__init__(DropBox(Place(config.identity.drop_dir)), self._issued, errands.start,
                         post, warn)
        self._config, self._dialer, self._now = config, dialer, now

    def _issued(self, order):
        patience = Patience(min(LONGEST_S, max(0, order.until_ms - self._now()) / 1000))
        work = {"est": self._est, "command": self._command, "files": self._files}[order.issuer]
        return work(order, patience)

    def _est(self, order, patience: Patience):
        from .est import enroll

        return enroll(order, self._config.est, self._dialer, patience)

    def _command(self, order, patience: Patience):
        from .issuecommand import enroll

        return enroll(order, self._config.identity.command, patience)

    def _files(self, order, patience: Patience):
        return self._box.enroll(order)
