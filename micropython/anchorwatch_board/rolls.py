"""What rolls keys and certificates on a board: at once, by the issuer `files` alone.

Rule: a module of it is loaded by the first action that needs it; see performers/rolls.py.
"""

import gc

from anchorwatch.performers import rolls

from .errands import at_once
from .folder import quiet


class Rolls(rolls.Rolls):
    """slots  see slots.py; post  takes events; warn  called with (what, value, remedy)
    pause  called in the middle of long arithmetic
    """

    def __init__(self, config, slots, credential, post, warn, pause=quiet) -> None:
        def prove(order):
            gc.collect()  # what is written needs long pieces of the heap
            return slots.prove(order)

        def keys(installed):
            from anchorwatch.performers.slotkeys import SlotKeys

            from .slotkeys import Keys

            return SlotKeys(slots, credential, Keys(pause), at_once, post, warn, installed)

        def issuers():
            from anchorwatch.performers.issuefiles import DropBox
            from anchorwatch.performers.issuers import Issuers

            from .issuefiles import Place

            box = DropBox(Place(config.identity.drop_dir))
            return Issuers(box, box.enroll, at_once, post, warn)

        super().__init__(prove, post, keys, issuers)
