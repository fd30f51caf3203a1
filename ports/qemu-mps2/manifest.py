# The agent as on every board, the facts and hooks of this one, and what runs before main.py.
include("../../micropython/resident/manifest.py")  # noqa: F821
module("board.py")  # noqa: F821
module("boot.py")  # noqa: F821
module("hooks.py")  # noqa: F821
