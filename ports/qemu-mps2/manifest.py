# The agent as on every board, the facts of this one, and what runs before main.py.
include("../../micropython/manifest.py")  # noqa: F821
module("board.py")  # noqa: F821
module("boot.py")  # noqa: F821
