"""Performs the actions of core/credentials.py. Rule: what does them is loaded by the first of them:
a device that only keeps its session never pays for it in its heap.
"""

import gc

from anchorwatch.core import actions

from .folder import quiet


class Rolls:
    """slots  see slots.py; post  takes events; warn  called with (what, value, remedy)
    pause  called in the middle of long arithmetic
    """

    def __init__(self, config, slots, credential, post, warn, pause=quiet) -> None:
        self._config, self._slots, self._credential = config, slots, credential
        self._post, self._warn, self._pause = post, warn, pause
        self._keys = self._box = None
        self.perform = {
            actions.NewKey: lambda order: self._key_side().new_key(order),
            actions.MakeCsr: lambda order: self._key_side().make_csr(order),
            actions.Install: lambda order: self._key_side().install(order),
            actions.WipeKey: lambda order: self._key_side().wipe(order),
            actions.Enroll: lambda order: self._take(self._issuer_side().enroll(order)),
            actions.Prove: self._prove,
        }

    def look(self) -> None:
        """Files may have come, if any are waited for."""
        if self._box is not None and self._box.changed():
            self._take(self._box.look())

    def _prove(self, order) -> None:
        gc.collect()  # what is written needs long pieces of the heap
        self._post(self._slots.prove(order))

    def _key_side(self):
        if self._keys is None:
            from .slotkeys import SlotKeys

            self._keys = SlotKeys(self._slots, self._credential, self._post, self._warn,
                                  self._installed, self._pause)
        return self._keys

    def _issuer_side(self):
        """The configuration lets no issuer through that needs more than a folder."""
        if self._box is None:
            from .issuefiles import DropBox

            self._box = DropBox(self._config.identity.drop_dir)
        return self._box

    def _installed(self, slot: str) -> None:
        if self._box is not None:
            self._take(self._box.put_away(slot))

    def _take(self, found) -> None:
        event, warnings = found
        for what, value, remedy in warnings:
            self._warn(what, value, remedy)
        if event is not None:
            self._post(event)
