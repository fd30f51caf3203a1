"""Names of types for the checker; a board has no `typing`. What they mean is in shapes.pyi."""

Entry = None
Profile = None
Put = None
File = None
Maker = None
Pause = None
Random = None
Signer = None
