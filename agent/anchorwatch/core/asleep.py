"""A machine that a device may never need: it is made, and its modules are loaded, by the first that
it has to hear.

Rule: what stands for it answers as the new machine would, so nobody can tell the difference.
"""

from .shapes import Any_, Event, Items, Make, Names, Tree


class Asleep:
    """Stands for a machine.

    make   makes it
    deaf   events and meanings that a new machine lets pass
    quiet  {attribute: what a new machine has there}
    """

    def __init__(self, make: Make, deaf: Names, quiet: Tree) -> None:
        self._make, self._deaf, self._quiet = make, deaf, quiet
        self._machine: Any_ = None

    def awake(self) -> Any_:
        """The machine itself."""
        if self._machine is None:
            self._machine = self._make()
        return self._machine

    def handle(self, event: Event, now: int) -> Items:
        """As of Machine."""
        if self._machine is None and type(event).__name__ in self._deaf:
            return []
        out: Items = self.awake().handle(event, now)
        return out

    def __getattr__(self, name: str) -> Any_:
        if self._machine is None and name in self._quiet:
            return self._quiet[name]
        return getattr(self.awake(), name)


def nothing(*given: Any_) -> Items:
    """What a new machine does when the clock is set, or when a save of another's has ended."""
    return []
