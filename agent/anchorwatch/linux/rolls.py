"""Performs the actions of core/credentials.py. Rule: what does them is loaded by the first of them:
a device that only keeps its session never pays for it.
"""

from ..core import actions


class Rolls:
    """slots  see slots.py; outward  has the dialer; inside  (errands, post) of the loop
    warn   called with (what, value, remedy)
    """

    def __init__(self, config, slots, credential, outward, inside, warn) -> None:
        self._config, self._slots, self._credential = config, slots, credential
        self._outward, self._inside, self._warn = outward, inside, warn
        self._keys = self._issuers = None
        self.perform = {
            actions.NewKey: lambda order: self._key_side().new_key(order),
            actions.MakeCsr: lambda order: self._key_side().make_csr(order),
            actions.Install: lambda order: self._key_side().install(order),
            actions.WipeKey: lambda order: self._key_side().wipe(order),
            actions.Enroll: lambda order: self._issuer_side().enroll(order),
            actions.Prove: lambda order: self._inside[1](self._slots.prove(order)),
        }

    def look(self) -> None:
        """Files may have come, if any are waited for."""
        if self._issuers is not None:
            self._issuers.look()

    def _key_side(self):
        if self._keys is None:
            from .slotkeys import SlotKeys

            errands, post = self._inside
            self._keys = SlotKeys(self._slots, self._credential, self._config.identity, errands,
                                  post, self._warn, self._installed)
        return self._keys

    def _issuer_side(self):
        if self._issuers is None:
            from .issuers import Issuers

            errands, post = self._inside
            self._issuers = Issuers(self._config, self._slots, self._outward.dialer, errands,
                                    post, self._warn)
        return self._issuers

    def _installed(self, slot: str) -> None:
        if self._issuers is not None:
            self._issuers.installed(slot)
