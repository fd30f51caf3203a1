"""Performs the actions of core/credentials.py. Rule: what does them is loaded by the first of them:
a device that only keeps its session never pays for it.
"""

from ..core import actions
from ..core.shapes import Any_, Performers


class Rolls:
    """prove    performs Prove: order -> event; post  takes it
    keys     makes what performs the actions on keys, see slotkeys.py; called with what is to hear
             of a slot whose certificate was installed
    issuers  makes what performs Enroll, see issuers.py
    """

    def __init__(self, prove: Any_, post: Any_, keys: Any_, issuers: Any_) -> None:
        self._make_keys, self._make_issuers = keys, issuers
        self._keys: Any_ = None
        self._issuers: Any_ = None
        self.perform: Performers = {
            actions.NewKey: lambda order: self._key_side().new_key(order),
            actions.MakeCsr: lambda order: self._key_side().make_csr(order),
            actions.Install: lambda order: self._key_side().install(order),
            actions.WipeKey: lambda order: self._key_side().wipe(order),
            actions.Enroll: self._enroll,
            actions.Prove: lambda order: post(prove(order)),
        }

    def look(self) -> None:
        """Files may have come, if any are waited for."""
        if self._issuers is not None:
            self._issuers.look()

    def _key_side(self) -> Any_:
        if self._keys is None:
            self._keys = self._make_keys(self._installed)
        return self._keys

    def _enroll(self, order: Any_) -> None:
        if self._issuers is None:
            self._issuers = self._make_issuers()
        self._issuers.enroll(order)

    def _installed(self, slot: str) -> None:
        if self._issuers is not None:
            self._issuers.installed(slot)
