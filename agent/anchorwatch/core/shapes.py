"""Types that need `typing`; boards have none, so here they are None and shapes.pyi says what they mean."""

Rand = None
Entry = None
Tree = None
