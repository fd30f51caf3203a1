"""Names of types for the checker; a board has no `typing`. What they mean is in shapes.pyi."""

Meaning = None
Tree = None
Bag = None
Draw = None
