"""What rolls keys and certificates on Linux: in threads, by every issuer.

Rule: a module of it is loaded by the first action that needs it; see performers/rolls.py.
"""

from ..performers import rolls


class Rolls(rolls.Rolls):
    """slots  see slots.py; outward  has the dialer; inside  (errands, post) of the loop
    warn   called with (what, value, remedy)
    """

    def __init__(self, config, slots, credential, outward, inside, warn) -> None:
        errands, post = inside

        def keys(installed):
            from ..performers.slotkeys import SlotKeys
            from .slotkeys import Keys

            return SlotKeys(slots, credential, Keys(config.identity, slots, errands, warn),
                            errands.start, post, warn, installed)

        def issuers():
            from .issuers import Issuers

            return Issuers(config, outward.dialer, errands, post, warn)

        super().__init__(slots.prove, post, keys, issuers)
