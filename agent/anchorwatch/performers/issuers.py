"""Performs Enroll: a request goes to the issuer that the configuration names, a chain comes back.

Rule: what an issuer brings is held against the request before it is installed (issued.py), so none
is trusted.

Source: design section 9; actions in core/credentials.py.
"""

from ..core.shapes import Any_


class Issuers:
    """box    see issuefiles.py
    ask    order -> (event, warnings), by the order's issuer
    start  (work, done): done(work()), at once or when a thread has ended
    warn   called with (what, value, remedy)
    """

    def __init__(self, box: Any_, ask: Any_, start: Any_, post: Any_, warn: Any_) -> None:
        self._box, self._ask, self._start = box, ask, start
        self._post, self._warn = post, warn

    def enroll(self, order: Any_) -> None:
        """Issued, IssueLater or IssueRefused; for `files` Issued may come later by itself."""
        self._start(lambda: self._ask(order), self._take)

    def look(self) -> None:
        """See whether a certificate was dropped that is waited for."""
        if self._box.changed():
            self._start(self._box.look, self._take)

    def installed(self, slot: str) -> None:
        """The slot has its certificate: what was dropped for it is put away."""
        self._start(lambda: self._box.put_away(slot), self._take)

    def _take(self, found: Any_) -> None:
        event, warnings = found
        for what, value, remedy in warnings:
            self._warn(what, value, remedy)
        if event is not None:
            self._post(event)
